use crate::base::escape;
use crate::image::Errno;

use super::{Cause, Launch, Outcome, PassedOver, Role, Trace, Voice};

/// The line that runc prints for this end (1.1 and later), as far as names can be shown; `None` where the start succeeds,
/// where the process dies of a signal without a word, and where it cannot be told.
///
/// Before execve, runc looks the command up (Go's `exec.LookPath`) and reports in Go's words; execve's own errors it reports
/// as `exec PATH: ERROR` (runc `libcontainer/standard_init_linux.go`).
pub fn message(trace: &Trace, launch: &Launch) -> Option<String> {
    if let Voice::Program(text) = &trace.voice {
        return text.clone();
    }
    match &trace.outcome {
        Outcome::Refused { cause } => refused(cause),
        Outcome::Fails { errno, cause } => Some(failed(*errno, cause, trace, launch)),
        Outcome::Exits { .. } | Outcome::Dies { .. } => trace.outcome.said(),
        Outcome::Runs | Outcome::Emulated { .. } | Outcome::Unsure { .. } => None,
    }
}

impl Outcome {
    /// What the process itself says before it ends.
    pub fn said(&self) -> Option<String> {
        match self {
            Self::Exits { cause: Cause::Library(fault), .. } => fault.message(),
            Self::Exits { cause: Cause::Cpu(fault), .. } => fault.said.clone(),
            Self::Exits { cause: Cause::Kernel(_), .. } | Self::Dies { cause: Cause::Kernel(_), .. } => {
                Some("FATAL: kernel too old".to_owned())
            }
            _ => None,
        }
    }
}

fn refused(cause: &Cause) -> Option<String> {
    match cause {
        Cause::NoCommand => Some("no command specified".to_owned()),
        Cause::NoSuchUser(user) => Some(format!("unable to find user {}: no matching entries in passwd file", escape(user))),
        Cause::NoSuchGroup(group) => Some(format!("unable to find group {}: no matching entries in group file", escape(group))),
        _ => None,
    }
}

fn failed(errno: Errno, cause: &Cause, trace: &Trace, launch: &Launch) -> String {
    let name = launch.argv.first().map(Vec::as_slice).unwrap_or_default();
    let quoted = quoted(name);
    if let Cause::WorkingDirectory(directory) = cause {
        if errno == Errno::ENOTDIR {
            return format!("mkdir {}: {}", escape(directory), errno.text());
        }
        return format!("chdir to cwd (\"{}\") set in config.json failed: {}", escape(directory), errno.text());
    }
    if let Cause::NotInPath { .. } = cause {
        return format!("exec: {quoted}: executable file not found in $PATH");
    }
    let is_lookup = trace.hops.last().is_some_and(|hop| hop.role == Role::Program);
    match cause {
        Cause::IsDirectory if is_lookup => format!("exec: {quoted}: is a directory"),
        Cause::NotExecutable { .. } | Cause::NoexecMount if is_lookup => format!("exec: {quoted}: permission denied"),
        Cause::Missing
        | Cause::DanglingLink(_)
        | Cause::NotADirectory
        | Cause::LinkLoop
        | Cause::NameTooLong
        | Cause::SearchDenied
            if is_lookup =>
        {
            format!("exec: {quoted}: stat {}: {}", escape(name), errno.text())
        }
        _ => {
            let path = trace.hops.first().map_or(name, |hop| hop.path.as_slice());
            format!("exec {}: {}", escape(path), errno.text())
        }
    }
}

/// What a program of Go's prints where it looks a command up and executes it (`os/exec`, `syscall.Exec`), as gosu does.
pub(super) fn go_words(name: &[u8], errno: Errno, cause: &Cause) -> String {
    let quoted = quoted(name);
    match cause {
        Cause::NotInPath { .. } => format!("exec: {quoted}: executable file not found in $PATH"),
        Cause::IsDirectory => format!("exec: {quoted}: is a directory"),
        Cause::NotExecutable { .. } | Cause::NoexecMount => format!("exec: {quoted}: permission denied"),
        Cause::Missing
        | Cause::DanglingLink(_)
        | Cause::NotADirectory
        | Cause::LinkLoop
        | Cause::NameTooLong
        | Cause::SearchDenied => {
            format!("exec: {quoted}: stat {}: {}", escape(name), errno.text())
        }
        _ => format!("exec failed: {}", errno.text()),
    }
}

/// As Go quotes a name (`strconv.Quote`).
fn quoted(name: &[u8]) -> String {
    let mut text = String::from("\"");
    for part in name.split_inclusive(|byte| matches!(byte, b'"' | b'\\')) {
        match part.split_last() {
            Some((special @ (b'"' | b'\\'), before)) => {
                text.push_str(&escape(before).to_string());
                text.extend(['\\', char::from(*special)]);
            }
            _ => text.push_str(&escape(part).to_string()),
        }
    }
    text.push('"');
    text
}

/// The line that crun prints for this end (1.28, `src/libcrun/utils.c`, `find_executable`; `src/libcrun/linux.c`,
/// `libcrun_container_run`); `None` as for [`message`]. Of a path that it cannot open, 1.21 says `cannot open`.
///
/// crun looks the command up as the user that it runs as itself, root, and again with the container's user only in execve.
pub fn crun_message(trace: &Trace, launch: &Launch) -> Option<String> {
    if let Voice::Program(text) = &trace.voice {
        return text.clone();
    }
    let (errno, cause) = match &trace.outcome {
        Outcome::Fails { errno, cause } => (errno, cause),
        // Not the runtime's words, so they are the same.
        Outcome::Exits { .. } | Outcome::Dies { .. } => return trace.outcome.said(),
        _ => return None,
    };
    let name = launch.argv.first().map(Vec::as_slice).unwrap_or_default();
    let about = |problem: &str| format!("the path `{}` {problem}: {}", escape(name), c_text(Errno::EPERM));
    let (no_program, no_file) = ("exists but it is not executable", "is not a regular file");
    let is_lookup = trace.hops.last().is_some_and(|hop| hop.role == Role::Program);
    Some(match cause {
        Cause::WorkingDirectory(directory) => format!("chdir to `{}`: {}", escape(directory), c_text(*errno)),
        Cause::NotInPath { passed_over: None, .. } => {
            format!("executable file `{}` not found in $PATH: {}", escape(name), c_text(Errno::ENOENT))
        }
        Cause::NotInPath { passed_over: Some(PassedOver { mode: None, .. }), .. } => about(no_file),
        Cause::NotInPath { passed_over: Some(PassedOver { path, mode: Some(mode) }), .. } if mode & 0o111 != 0 => {
            crun_exec(path.as_bytes(), Errno::EACCES)
        }
        Cause::NotInPath { .. } => about(no_program),
        Cause::IsDirectory if is_lookup => about(no_file),
        Cause::NotExecutable { mode } if is_lookup && mode & 0o111 == 0 => about(no_program),
        Cause::Missing | Cause::DanglingLink(_) if is_lookup => {
            let directory = launch.cwd.strip_suffix(b"/").unwrap_or(&launch.cwd);
            let whole = if name.starts_with(b"/") { name.to_vec() } else { [directory, b"/", name].concat() };
            format!("executable file `{}` not found: {}", escape(&whole), c_text(Errno::ENOENT))
        }
        Cause::NotADirectory | Cause::LinkLoop | Cause::NameTooLong if is_lookup => {
            format!("open `{}`: {}", escape(name), c_text(*errno))
        }
        _ => {
            let path = trace.hops.first().map_or(name, |hop| hop.path.as_slice());
            let whole = if path.starts_with(b"/") { path.to_vec() } else { [&launch.cwd, &b"/"[..], path].concat() };
            crun_exec(&whole, *errno)
        }
    })
}

fn crun_exec(path: &[u8], errno: Errno) -> String {
    let guess = if errno == Errno::ENOENT { "(missing dynamic library?) " } else { "" };
    format!("exec container process {guess}`{}`: {}", escape(path), c_text(errno))
}

/// In the C library's words, which for these errors are Go's with a capital letter.
pub(super) fn c_text(errno: Errno) -> String {
    let mut letters = errno.text().chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
