//! Whether a program's C library takes the node's kernel. glibc before 2.36 compares what `uname` says with the oldest kernel that it
//! was built for (`sysdeps/unix/sysv/linux/dl-osinfo.h`, `DL_SYSDEP_OSCHECK`), and gives up before it loads a library: in the dynamic
//! loader with an exit (`elf/rtld.c`), in what is linked statically by abort (`csu/libc-start.c`, `__libc_fatal`). Later versions, and
//! musl, do not ask.

use crate::base::{GuestPath, KernelVersion};
use crate::format::content::Content;
use crate::image::{Credentials, EntryKind, Rootfs};
use crate::node::Node;

use super::isa::Part;
use super::{Cause, Outcome};

const SIGABRT: u8 = 6;

/// A kernel that is too old for a C library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelFault {
    /// The file that refuses it: the dynamic loader, or a program that was linked statically.
    pub file: GuestPath,
    /// The oldest kernel that it takes.
    pub needs: KernelVersion,
    /// The node's.
    pub has: KernelVersion,
}

/// What becomes of a program that the kernel has started: `None` where its C library does not mind the kernel.
pub(super) fn check(rootfs: &Rootfs, node: &Node, program: Part<'_>, loader: Option<Part<'_>>) -> Option<Outcome> {
    let (file, needs) = match loader {
        Some(loader) => {
            loader.elf.loader.as_ref().filter(|facts| facts.refuses_old_kernels)?;
            (loader.path, loader.elf.oldest_kernel.or_else(|| oldest_kernel_beside(rootfs, loader.path))?)
        }
        None => (program.path, program.elf.oldest_kernel.filter(|_| program.elf.refuses_old_kernels)?),
    };
    let fault = KernelFault { file: file.clone(), needs, has: node.kernel };
    let cause = Cause::Kernel(Box::new(fault));
    let outcome = if loader.is_some() { Outcome::Exits { code: 127, cause } } else { Outcome::Dies { signal: SIGABRT, cause } };
    node.has_older_kernel(needs).then_some(outcome)
}

/// What the C library beside a loader was built for, and so the loader, which does not say it itself: both come of one build.
fn oldest_kernel_beside(rootfs: &Rootfs, loader: &GuestPath) -> Option<KernelVersion> {
    let library = loader.parent()?.join(b"libc.so.6");
    let found = rootfs.resolve(&GuestPath::root(), library.as_bytes(), &Credentials::default()).ok()?;
    match &found.entry.kind {
        EntryKind::File { facts, .. } => match &facts.content {
            Content::Elf(elf) => elf.oldest_kernel,
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, check};
    use crate::base::{GuestPath, KernelVersion};
    use crate::exec::tests::{elf, parsed, rootfs};
    use crate::format::elf::Elf;
    use crate::node::Node;

    /// As Debian 11's busybox-static ended under emulated kernels of 3.1 and 3.2.
    #[test]
    fn what_is_linked_statically_aborts_on_a_kernel_that_is_known_to_be_too_old() {
        let program = parsed(&elf(62, 64, false, None));
        let node = Node::parse("amd64").unwrap();
        let path = GuestPath::from("/app");
        let ends = |kernel, refuses_old_kernels| {
            let elf = Elf { oldest_kernel: Some(KernelVersion(3, 2)), refuses_old_kernels, ..program.clone() };
            let part = Part { name: b"/app", path: &path, elf: &elf };
            let outcome = check(&rootfs(Vec::new()), &Node { kernel, ..node.clone() }, part, None);
            outcome.map(|outcome| (outcome.name(), outcome.said().unwrap()))
        };
        let dies = Some(("dies", "FATAL: kernel too old".to_owned()));
        assert_eq!(ends(KernelVersion(3, 1), true), dies);
        assert_eq!(ends(KernelVersion(2, 6), true), dies);
        assert_eq!(ends(KernelVersion(3, 2), true), None);
        assert_eq!(ends(KernelVersion::UNKNOWN, true), None);
        assert_eq!(ends(KernelVersion(3, 1), false), None, "a glibc that does not ask");
    }
}
