//! A root file system in memory: packed for a kernel, and indexed for the model.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use enoexec::format::tar::{Member, MemberKind, Members, TarError};
use enoexec::image::{LayerIndex, Limits, Rootfs};

/// What lies at a path.
#[derive(Clone)]
pub struct File {
    pub kind: Kind,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

#[derive(Clone)]
pub enum Kind {
    Bytes(Vec<u8>),
    Link(Vec<u8>),
    Directory,
    Pipe,
    /// `/dev/null`'s numbers.
    Device,
}

/// As whom a case is run. The numbers are those of `init.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Root = 0,
    /// User and group 1000, and group 100.
    User = 1,
    /// Root without capabilities.
    BareRoot = 2,
}

/// One call of execve.
#[derive(Clone)]
pub struct Case {
    pub who: Who,
    pub cwd: Vec<u8>,
    pub path: Vec<u8>,
}

/// Files, by path without the leading slash, and what is executed of them.
#[derive(Default)]
pub struct World {
    pub files: BTreeMap<Vec<u8>, File>,
    pub cases: Vec<Case>,
}

impl World {
    pub fn put(&mut self, path: impl AsRef<[u8]>, kind: Kind, mode: u32) -> &mut File {
        let path = path.as_ref().to_vec();
        self.files.entry(path.clone()).or_insert(File { kind: kind.clone(), mode, uid: 0, gid: 0 });
        let file = self.files.get_mut(&path).unwrap();
        (file.kind, file.mode) = (kind, mode);
        file
    }

    pub fn bytes(&mut self, path: impl AsRef<[u8]>, bytes: impl Into<Vec<u8>>) {
        self.put(path, Kind::Bytes(bytes.into()), 0o755);
    }

    pub fn link(&mut self, path: impl AsRef<[u8]>, target: impl Into<Vec<u8>>) {
        self.put(path, Kind::Link(target.into()), 0o777);
    }

    pub fn directory(&mut self, path: impl AsRef<[u8]>, mode: u32) -> &mut File {
        self.put(path, Kind::Directory, mode)
    }

    /// A case that root runs in `/`.
    pub fn case(&mut self, path: impl Into<Vec<u8>>) {
        self.case_as(Who::Root, "/", path);
    }

    pub fn case_as(&mut self, who: Who, cwd: impl AsRef<[u8]>, path: impl Into<Vec<u8>>) {
        self.cases.push(Case { who, cwd: cwd.as_ref().to_vec(), path: path.into() });
    }

    /// A new file of its own, and the case that executes it.
    pub fn program(&mut self, bytes: impl Into<Vec<u8>>) {
        let path = format!("c/{}", self.cases.len());
        self.bytes(&path, bytes);
        self.case(format!("/{path}"));
    }

    /// What `init.c` reads.
    pub fn case_list(&self) -> Vec<u8> {
        let text = |text: &[u8]| [&u16::try_from(text.len()).unwrap().to_be_bytes(), text].concat();
        self.cases.iter().flat_map(|case| [vec![case.who as u8], text(&case.cwd), text(&case.path)].concat()).collect()
    }

    /// Everything as an initramfs (`Documentation/driver-api/early-userspace/buffer-format.rst`, "newc").
    pub fn initramfs(&self, init: &[u8]) -> Vec<u8> {
        let mut archive = Vec::new();
        let mut number = 0;
        let mut add = |path: &[u8], file: &File| {
            number += 1;
            pack(&mut archive, number, path, file);
        };
        let own = |kind| File { kind, mode: 0o755, uid: 0, gid: 0 };
        add(b"dev", &own(Kind::Directory));
        pack_device(&mut archive, b"dev/console", 5, 1);
        let mut add = |path: &[u8], file: &File| {
            number += 1;
            pack(&mut archive, number, path, file);
        };
        add(b"init", &own(Kind::Bytes(init.to_vec())));
        add(b"cases", &own(Kind::Bytes(self.case_list())));
        add(b"root", &own(Kind::Directory));
        for (path, file) in &self.files {
            add(&[b"root/", path.as_slice()].concat(), file);
        }
        add(b"TRAILER!!!", &File { mode: 0, ..own(Kind::Bytes(Vec::new())) });
        archive
    }

    /// Everything as a directory; owners need root.
    pub fn unpack(&self, root: &Path) {
        for (path, file) in &self.files {
            let path = root.join(std::ffi::OsStr::from_bytes(path));
            match &file.kind {
                Kind::Bytes(bytes) => fs::write(&path, bytes).unwrap(),
                Kind::Link(target) => std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), &path).unwrap(),
                Kind::Directory => fs::create_dir(&path).unwrap(),
                Kind::Pipe => assert!(Command::new("mkfifo").arg(&path).status().unwrap().success()),
                Kind::Device => assert!(Command::new("mknod").arg(&path).args(["c", "1", "3"]).status().unwrap().success()),
            }
            if !matches!(file.kind, Kind::Link(_)) {
                std::os::unix::fs::chown(&path, Some(file.uid), Some(file.gid)).unwrap();
                fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(file.mode)).unwrap();
            }
        }
    }

    /// As the model sees it.
    pub fn rootfs(&self) -> Rootfs {
        let index = LayerIndex::collect(Walk { files: self.files.iter(), body: &[] }, &Limits::default());
        assert!(index.damage.is_empty(), "{:?}", index.damage);
        Rootfs::stack(vec![Arc::new(index)])
    }
}

struct Walk<'a> {
    files: std::collections::btree_map::Iter<'a, Vec<u8>, File>,
    body: &'a [u8],
}

impl Members for Walk<'_> {
    fn next_member(&mut self) -> Result<Option<Member>, TarError> {
        let Some((path, file)) = self.files.next() else { return Ok(None) };
        self.body = &[];
        let kind = match &file.kind {
            Kind::Bytes(bytes) => {
                self.body = bytes;
                MemberKind::File
            }
            Kind::Link(target) => MemberKind::Symlink(target.clone()),
            Kind::Directory => MemberKind::Directory,
            Kind::Pipe => MemberKind::Fifo,
            Kind::Device => MemberKind::CharacterDevice(1, 3),
        };
        let (size, path) = (self.body.len() as u64, path.clone());
        Ok(Some(Member { path, kind, mode: file.mode, uid: file.uid, gid: file.gid, size }))
    }

    fn body(&mut self) -> Result<&[u8], TarError> {
        Ok(std::mem::take(&mut self.body))
    }
}

fn pack(archive: &mut Vec<u8>, number: u32, path: &[u8], file: &File) {
    let (kind, body): (u32, &[u8]) = match &file.kind {
        Kind::Bytes(bytes) => (0o100_000, bytes),
        Kind::Link(target) => (0o120_000, target),
        Kind::Directory => (0o040_000, &[]),
        Kind::Pipe => (0o010_000, &[]),
        Kind::Device => (0o020_000, &[]),
    };
    let device = if matches!(file.kind, Kind::Device) { (1, 3) } else { (0, 0) };
    header(archive, number, kind | file.mode, (file.uid, file.gid), body.len(), device, path);
    archive.extend_from_slice(body);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

fn pack_device(archive: &mut Vec<u8>, path: &[u8], major: u32, minor: u32) {
    header(archive, 0, 0o020_600, (0, 0), 0, (major, minor), path);
}

fn header(archive: &mut Vec<u8>, number: u32, mode: u32, owner: (u32, u32), size: usize, device: (u32, u32), path: &[u8]) {
    let size = u32::try_from(size).unwrap();
    let length = u32::try_from(path.len() + 1).unwrap();
    archive.extend_from_slice(b"070701");
    for field in [number, mode, owner.0, owner.1, 1, 0, size, 0, 0, device.0, device.1, length, 0] {
        archive.extend_from_slice(format!("{field:08x}").as_bytes());
    }
    archive.extend_from_slice(path);
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
}
