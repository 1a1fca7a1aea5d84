use crate::base::GuestPath;
use crate::image::{Entry, EntryKind};

use super::{Found, Rootfs};

/// Why a path leads nowhere: an errno of Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::upper_case_acronyms, reason = "the field's own names")]
pub enum Errno {
    /// No such file or directory.
    ENOENT,
    /// Input/output error.
    EIO,
    /// Argument list too long.
    E2BIG,
    /// Exec format error.
    ENOEXEC,
    /// Permission denied.
    EACCES,
    /// Not a directory.
    ENOTDIR,
    /// Is a directory.
    EISDIR,
    /// Invalid argument.
    EINVAL,
    /// Text file busy.
    ETXTBSY,
    /// File name too long.
    ENAMETOOLONG,
    /// Too many levels of symbolic links.
    ELOOP,
    /// Accessing a corrupted shared library.
    ELIBBAD,
    /// Operation not permitted.
    EPERM,
}

impl Errno {
    /// The C library's name, such as `ENOENT`, and Go's text, which runc prints (syscall, `zerrors_linux_amd64.go`).
    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::ENOENT => ("ENOENT", "no such file or directory"),
            Self::EIO => ("EIO", "input/output error"),
            Self::E2BIG => ("E2BIG", "argument list too long"),
            Self::ENOEXEC => ("ENOEXEC", "exec format error"),
            Self::EACCES => ("EACCES", "permission denied"),
            Self::ENOTDIR => ("ENOTDIR", "not a directory"),
            Self::EISDIR => ("EISDIR", "is a directory"),
            Self::EINVAL => ("EINVAL", "invalid argument"),
            Self::ETXTBSY => ("ETXTBSY", "text file busy"),
            Self::ENAMETOOLONG => ("ENAMETOOLONG", "file name too long"),
            Self::ELOOP => ("ELOOP", "too many levels of symbolic links"),
            Self::ELIBBAD => ("ELIBBAD", "accessing a corrupted shared library"),
            Self::EPERM => ("EPERM", "operation not permitted"),
        }
    }

    /// The C library's name, such as `ENOENT`.
    pub const fn name(self) -> &'static str {
        self.texts().0
    }

    /// Go's text, which runc prints: `exec format error`.
    pub const fn text(self) -> &'static str {
        self.texts().1
    }
}

/// As whom a path is walked and a program started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
    /// CAP_DAC_OVERRIDE: permission bits do not matter, but that an executable needs one execute bit. Container runtimes give
    /// it to root by default.
    pub dac_override: bool,
}

impl Default for Credentials {
    fn default() -> Self {
        Self { uid: 0, gid: 0, groups: Vec::new(), dac_override: true }
    }
}

impl Credentials {
    /// Whether this user may enter a directory (`fs/namei.c`, `generic_permission`).
    pub fn may_search(&self, directory: &Entry) -> bool {
        self.dac_override || self.may(directory, 1)
    }

    /// Whether this user may read a file.
    pub fn may_read(&self, file: &Entry) -> bool {
        self.dac_override || self.may(file, 4)
    }

    /// Whether this user may execute a file: with CAP_DAC_OVERRIDE, any of the three execute bits is enough.
    pub fn may_execute(&self, file: &Entry) -> bool {
        if self.dac_override { file.mode & 0o111 != 0 } else { self.may(file, 1) }
    }
}

/// `PATH_MAX` and `NAME_MAX` (`include/uapi/linux/limits.h`), and `MAXSYMLINKS` (`include/linux/namei.h`).
const PATH_MAX: usize = 4096;
const NAME_MAX: usize = 255;
const MAXSYMLINKS: usize = 40;

pub(super) fn resolve<'a>(rootfs: &'a Rootfs, cwd: &GuestPath, raw: &[u8], who: &Credentials) -> Result<Found<'a>, Errno> {
    if raw.is_empty() {
        return Err(Errno::ENOENT);
    }
    if raw.len() >= PATH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    let start = if raw.starts_with(b"/") { GuestPath::root() } else { cwd.clone() };
    let mut walk = Walk { rootfs, who, at: start, rest: Vec::new(), must_be_directory: false, links: Vec::new() };
    walk.push(raw);
    while let Some(name) = walk.rest.pop() {
        walk.step(&name)?;
    }
    let found = rootfs.get(&walk.at).ok_or(Errno::ENOENT)?;
    if walk.must_be_directory && !found.is_directory() {
        return Err(Errno::ENOTDIR);
    }
    Ok(Found { links: walk.links, ..found })
}

/// A walk under way.
struct Walk<'a> {
    rootfs: &'a Rootfs,
    who: &'a Credentials,
    at: GuestPath,
    /// The components that are still to be walked, the next one last.
    rest: Vec<Vec<u8>>,
    must_be_directory: bool,
    links: Vec<GuestPath>,
}

impl Walk<'_> {
    fn push(&mut self, path: &[u8]) {
        // A slash at the end counts only behind the last component of all.
        if self.rest.is_empty() {
            self.must_be_directory |= path.ends_with(b"/");
        }
        self.rest.extend(path.split(|byte| *byte == b'/').rev().filter(|name| !name.is_empty()).map(<[u8]>::to_vec));
    }

    fn step(&mut self, name: &[u8]) -> Result<(), Errno> {
        let directory = self.rootfs.get(&self.at).ok_or(Errno::ENOENT)?;
        if !directory.is_directory() {
            return Err(Errno::ENOTDIR);
        }
        if !self.who.dac_override {
            self.rootfs.asked_for_mode(&self.at);
        }
        if !self.who.may_search(directory.entry) {
            return Err(Errno::EACCES);
        }
        match name {
            b"." => return Ok(()),
            b".." => {
                self.at = self.at.parent().unwrap_or_else(GuestPath::root);
                return Ok(());
            }
            name if name.len() > NAME_MAX => return Err(Errno::ENAMETOOLONG),
            _ => {}
        }
        let next = self.at.join(name);
        let found = self.rootfs.get(&next).ok_or(Errno::ENOENT)?;
        let EntryKind::Symlink(target) = &found.entry.kind else {
            self.at = next;
            return Ok(());
        };
        if self.links.len() >= MAXSYMLINKS {
            return Err(Errno::ELOOP);
        }
        self.links.push(next);
        if target.starts_with(b"/") {
            self.at = GuestPath::root();
        }
        self.push(target);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{Credentials, Errno};
    use crate::base::GuestPath;
    use crate::image::{Entry, EntryKind, LayerIndex, Rootfs};

    fn root() -> Rootfs {
        let directory = EntryKind::Directory;
        let link = |target: &str| EntryKind::Symlink(target.as_bytes().into());
        let mut entries = vec![
            ("/bin", 0o777, link("usr/bin")),
            ("/usr/bin/dash", 0o755, EntryKind::Special),
            ("/usr/bin/sh", 0o777, link("dash")),
            ("/usr/bin/abs", 0o777, link("/bin/sh")),
            ("/usr/bin/slash", 0o777, link("dash/")),
            ("/usr/bin/dangling", 0o777, link("nowhere")),
            ("/loop", 0o777, link("loop")),
            ("/up", 0o777, link("../../../usr")),
            ("/secret", 0o700, directory.clone()),
            ("/secret/x", 0o755, EntryKind::Special),
            ("/shared", 0o710, directory),
            ("/shared/x", 0o750, EntryKind::Special),
        ];
        entries.sort_by_key(|(path, ..)| *path);
        let entry = |(path, mode, kind): (&str, u32, EntryKind)| Entry { path: path.into(), mode, uid: 0, gid: 100, kind };
        let index = LayerIndex { entries: entries.into_iter().map(entry).collect(), ..LayerIndex::default() };
        Rootfs::stack(vec![Arc::new(index)])
    }

    fn walk(raw: &str, who: &Credentials) -> Result<String, Errno> {
        let rootfs = root();
        rootfs.resolve(&GuestPath::new("/usr"), raw.as_bytes(), who).map(|found| found.path.to_string())
    }

    fn to(path: &str) -> Result<String, Errno> {
        Ok(path.to_owned())
    }

    #[test]
    fn links_dots_and_slashes_as_the_kernel_walks_them() {
        let who = Credentials::default();
        for (raw, expected) in [
            ("/bin/sh", to("/usr/bin/dash")),
            ("bin/sh", to("/usr/bin/dash")),
            ("./bin//../bin/./abs", to("/usr/bin/dash")),
            ("/../../bin", to("/usr/bin")),
            ("/up/bin/", to("/usr/bin")),
            ("", Err(Errno::ENOENT)),
            ("/bin/none", Err(Errno::ENOENT)),
            ("/bin/dangling", Err(Errno::ENOENT)),
            ("/bin/sh/", Err(Errno::ENOTDIR)),
            ("/bin/sh/.", Err(Errno::ENOTDIR)),
            ("/bin/sh/../sh", Err(Errno::ENOTDIR)),
            ("/bin/slash", Err(Errno::ENOTDIR)),
            ("/loop", Err(Errno::ELOOP)),
        ] {
            assert_eq!(walk(raw, &who), expected, "{raw}");
        }
        assert_eq!(walk(&format!("/{}", "x".repeat(256)), &who), Err(Errno::ENAMETOOLONG));
        assert_eq!(walk(&"/".repeat(4096), &who), Err(Errno::ENAMETOOLONG));
        assert_eq!(walk(&format!("{}bin/sh", "/".repeat(4000)), &who), to("/usr/bin/dash"));
    }

    #[test]
    fn directories_must_be_searchable() {
        let user = Credentials { uid: 1000, gid: 1000, groups: vec![], dac_override: false };
        assert_eq!(walk("/secret/x", &user), Err(Errno::EACCES));
        assert_eq!(walk("/shared/x", &user), Err(Errno::EACCES));
        assert_eq!(walk("/shared/x", &Credentials { groups: vec![100], ..user.clone() }), to("/shared/x"));
        assert_eq!(walk("/secret", &user), to("/secret"));
        let bare_root = Credentials { dac_override: false, ..Credentials::default() };
        assert_eq!(walk("/secret/x", &bare_root), to("/secret/x"));
    }

    proptest! {
        #[test]
        fn every_walk_ends(raw in "[./a-z]{0,40}") {
            let _ = walk(&raw, &Credentials::default());
        }
    }
}
