use crate::base::GuestPath;
use crate::image::{Credentials, Errno, Rootfs};
use crate::node::Node;

use super::kernel::Execution;
use super::process::{self, Process};
use super::{Cause, Launch, Outcome, Trace};

/// Predicts how a container's start ends: the runtime's lookup in PATH, then execve, hop by hop.
pub fn predict(rootfs: &Rootfs, launch: &Launch, node: &Node) -> Trace {
    if launch.argv.is_empty() {
        return Trace::refused(Cause::NoCommand);
    }
    let cwd = match working_directory(rootfs, launch) {
        Ok(cwd) => cwd,
        Err(errno) => {
            let cause = Cause::WorkingDirectory(launch.cwd.clone());
            return Trace::without_hops(Outcome::Fails { errno, cause });
        }
    };
    let argv = launch.argv.iter().cloned().map(Some).collect();
    process::follow(rootfs, node, Process { file: None, argv, env: launch.environment(), cwd, who: launch.user.clone() })
}

/// Predicts what execve says of one path, exactly as it is written, relative to `cwd`.
pub fn predict_path(rootfs: &Rootfs, path: &[u8], cwd: &[u8], who: &Credentials, node: &Node) -> Trace {
    let cwd = GuestPath::new(cwd);
    let mut execution = Execution::new(rootfs, &cwd, who, node);
    let outcome = execution.start(path);
    execution.into_trace(outcome)
}

/// Where the process starts. A directory that does not exist is made by the runtime (moby `daemon/oci_linux.go`, containerd's
/// snapshot preparation, runc `libcontainer/rootfs_linux.go`), so it is no failure. runc enters it before it becomes the user
/// (`libcontainer/init_linux.go`, `finalizeNamespace`), so that root's permissions decide.
fn working_directory(rootfs: &Rootfs, launch: &Launch) -> Result<GuestPath, Errno> {
    match rootfs.resolve(&GuestPath::root(), &launch.cwd, &Credentials::default()) {
        Ok(found) if !found.is_directory() => Err(Errno::ENOTDIR),
        Ok(found) => Ok(found.path),
        Err(Errno::ENOENT) => Ok(GuestPath::new(&launch.cwd)),
        Err(errno) => Err(errno),
    }
}

/// Looks a name up in PATH as runc does (Go's `exec.LookPath`): the first regular file that may be executed; what may not be
/// is passed over. What would be found relative to the working directory is refused, as is an empty PATH.
pub(super) fn search(execution: &mut Execution<'_>, name: &[u8], path: &[u8]) -> Outcome {
    let mut passed_over = None;
    for directory in path.split(|byte| *byte == b':').filter(|directory| directory.starts_with(b"/")) {
        let candidate = [directory, b"/", name].concat();
        match execution.look_up(&candidate) {
            Some(None) => return execution.start(&candidate),
            Some(refused) => passed_over = refused,
            None => {}
        }
    }
    if let Some(because) = execution.doubt() {
        return Outcome::Unsure { because };
    }
    let cause = Cause::NotInPath { name: name.to_vec(), path: path.to_vec(), passed_over };
    Outcome::Fails { errno: Errno::ENOENT, cause }
}
