use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::format::compress::{self, Ratio};
use crate::format::oci::Descriptor;
use crate::format::tar::{Member, MemberKind, Members, Tar, TarError};

use super::files::{io as io_error, not_an_image};
use super::{Root, Store, StoreError, shown};

const BUFFER: usize = 64 << 10;

/// How many of the paths that could not be read are named.
const NAMED: usize = 3;

/// Characters of an overlong path that are shown, of its start and of its end.
const SHOWN: usize = 60;

/// A target without documents.
pub(super) enum TreeStore {
    /// A directory that is a root file system.
    Directory(PathBuf),
    /// A root file system in one tar archive, as `docker export` writes it; perhaps compressed.
    Tar(PathBuf),
    /// A single file.
    File(PathBuf),
}

impl TreeStore {
    fn no_blob(&self, descriptor: &Descriptor) -> StoreError {
        let (Self::Directory(path) | Self::Tar(path) | Self::File(path)) = self;
        StoreError::Missing { what: descriptor.name(), place: shown(path) }
    }
}

impl Store for TreeStore {
    fn root(&self) -> Result<Root, StoreError> {
        match self {
            Self::Directory(_) | Self::Tar(_) => Ok(Root::Tree),
            Self::File(path) => Ok(Root::File(format!("/{}", file_name(path)))),
        }
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError> {
        Err(self.no_blob(descriptor))
    }

    fn blob(&self, layer: &Descriptor) -> Result<Box<dyn Read + Send + '_>, StoreError> {
        Err(self.no_blob(layer))
    }

    fn tree(&self) -> Result<Tree, StoreError> {
        let source = match self {
            Self::Directory(path) => Source::Directory(Walk::new(path)?),
            Self::File(path) => {
                let body = Body::open(path).map_err(|error| io_error(path, &error))?;
                let metadata = fs::metadata(path).map_err(|error| io_error(path, &error))?;
                Source::File(Some(member(file_name(path).into_bytes(), MemberKind::File, &metadata)), body)
            }
            Self::Tar(path) => {
                let file = File::open(path).map_err(|error| io_error(path, &error))?;
                let stream = compress::decompress(BufReader::with_capacity(BUFFER, file), Ratio::default());
                let (_, stream) = stream.map_err(|error| not_an_image(path, error.to_string()))?;
                Source::Tar(Tar::new(stream))
            }
        };
        Ok(Tree(source))
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The members of a root file system, unpacked in a directory or packed as one tar; or of a single file.
pub struct Tree(Source);

enum Source {
    Directory(Walk),
    Tar(Tar<Box<dyn Read + Send>>),
    File(Option<Member>, Body),
}

impl Members for Tree {
    fn next_member(&mut self) -> Result<Option<Member>, TarError> {
        match &mut self.0 {
            Source::Directory(walk) => walk.next_member(),
            Source::Tar(tar) => tar.next_member(),
            Source::File(member, _) => Ok(member.take()),
        }
    }

    fn body(&mut self) -> Result<&[u8], TarError> {
        match &mut self.0 {
            Source::Directory(walk) => Ok(walk.body()),
            Source::Tar(tar) => tar.body(),
            Source::File(_, body) => body.next().map_err(|error| TarError::Read(error.to_string())),
        }
    }
}

/// Walks a directory in the order of the names. A link is a member like any other, and never followed.
///
/// What cannot be read does not end the walk: it is told as the error at the end, when everything else has been seen.
struct Walk {
    root: PathBuf,
    device: u64,
    entries: walkdir::IntoIter,
    /// The current member, if it is a regular file.
    file: Option<(PathBuf, Body)>,
    unreadable: Vec<String>,
    unreadable_count: usize,
}

impl Walk {
    fn new(root: &Path) -> Result<Self, StoreError> {
        let look = fs::read_dir(root).and_then(|_| fs::metadata(root));
        let device = look.map_err(|error| io_error(root, &error))?.dev();
        let entries = WalkDir::new(root).min_depth(1).sort_by_file_name().into_iter();
        Ok(Self { root: root.to_owned(), device, entries, file: None, unreadable: Vec::new(), unreadable_count: 0 })
    }

    fn next_member(&mut self) -> Result<Option<Member>, TarError> {
        self.file = None;
        while let Some(entry) = self.entries.next() {
            let member = entry.map_err(|error| (error.path().map(Path::to_owned).unwrap_or_default(), reason(&error)));
            match member.and_then(|entry| self.look(&entry)) {
                Ok(Some(member)) => return Ok(Some(member)),
                Ok(None) => {}
                Err((path, text)) => self.note(&path, &text),
            }
        }
        self.end()
    }

    /// `None` for what is neither a file, a directory, a link nor a device.
    fn look(&mut self, entry: &DirEntry) -> Result<Option<Member>, (PathBuf, String)> {
        let failed = |error: &dyn ToString| (entry.path().to_owned(), error.to_string());
        let metadata = entry.metadata().map_err(|error| failed(&reason(&error)))?;
        let Some(mut kind) = kind(&metadata) else { return Ok(None) };
        match &mut kind {
            MemberKind::File => {
                // Looked at first, so this is no pipe, which would be waited for.
                let body = Body::open(entry.path()).map_err(|error| failed(&error))?;
                self.file = Some((entry.path().to_owned(), body));
            }
            MemberKind::Symlink(target) => {
                let read = fs::read_link(entry.path()).map_err(|error| failed(&error))?;
                *target = read.as_os_str().as_bytes().to_vec();
            }
            MemberKind::Directory if self.is_kernels(entry, &metadata) => self.entries.skip_current_dir(),
            _ => {}
        }
        let path = entry.path().strip_prefix(&self.root).unwrap_or(entry.path());
        Ok(Some(member(path.as_os_str().as_bytes().to_vec(), kind, &metadata)))
    }

    /// Whether this is `/proc`, `/sys` or `/dev` of a running system, whose files are not the image's.
    fn is_kernels(&self, entry: &DirEntry, metadata: &Metadata) -> bool {
        let is_named = ["proc", "sys", "dev"].iter().any(|name| entry.file_name() == *name);
        entry.depth() == 1 && is_named && metadata.dev() != self.device
    }

    fn body(&mut self) -> &[u8] {
        // Two steps, because the borrow of a piece lasts until the caller is done with it.
        let failed = match &mut self.file {
            None => None,
            Some((path, body)) => body.fill().err().map(|error| (path.clone(), error.to_string())),
        };
        if let Some((path, text)) = failed {
            self.file = None;
            self.note(&path, &text);
        }
        self.file.as_ref().map(|(_, body)| body.piece()).unwrap_or_default()
    }

    fn note(&mut self, path: &Path, text: &str) {
        self.unreadable_count = self.unreadable_count.saturating_add(1);
        if self.unreadable.len() < NAMED {
            self.unreadable.push(format!("{}: {text}", readable(&shown(path))));
        }
    }

    fn end(&mut self) -> Result<Option<Member>, TarError> {
        let named = std::mem::take(&mut self.unreadable);
        if named.is_empty() {
            return Ok(None);
        }
        let more = self.unreadable_count.saturating_sub(named.len());
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        Err(TarError::Read(format!("{}{more}", named.join(", "))))
    }
}

/// What the system said, without the path that walkdir puts before it.
fn reason(error: &walkdir::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The start and the end of a path that is longer than anyone reads.
fn readable(path: &str) -> String {
    let count = path.chars().count();
    if count <= 2 * SHOWN {
        return path.to_owned();
    }
    let (start, end): (String, String) = (path.chars().take(SHOWN).collect(), path.chars().skip(count - SHOWN).collect());
    format!("{start}…{end}")
}

fn kind(metadata: &Metadata) -> Option<MemberKind> {
    use std::os::unix::fs::FileTypeExt;
    let file_type = metadata.file_type();
    if file_type.is_file() {
        Some(MemberKind::File)
    } else if file_type.is_dir() {
        Some(MemberKind::Directory)
    } else if file_type.is_symlink() {
        Some(MemberKind::Symlink(Vec::new()))
    } else if file_type.is_char_device() {
        let (major, minor) = device_numbers(metadata.rdev());
        Some(MemberKind::CharacterDevice(major, minor))
    } else if file_type.is_block_device() {
        Some(MemberKind::BlockDevice)
    } else {
        // A socket is as little a program as a pipe is.
        (file_type.is_fifo() || file_type.is_socket()).then_some(MemberKind::Fifo)
    }
}

/// Major and minor number (glibc's `bits/sysmacros.h`).
fn device_numbers(device: u64) -> (u32, u32) {
    let major = (device >> 8) & 0xfff | (device >> 32) & 0xffff_f000;
    let minor = device & 0xff | (device >> 12) & 0xffff_ff00;
    (u32::try_from(major).unwrap_or(u32::MAX), u32::try_from(minor).unwrap_or(u32::MAX))
}

fn member(path: Vec<u8>, kind: MemberKind, metadata: &Metadata) -> Member {
    let size = if kind == MemberKind::File { metadata.len() } else { 0 };
    Member { path, kind, mode: metadata.mode() & 0o7777, uid: metadata.uid(), gid: metadata.gid(), size }
}

/// A file that is read in pieces.
struct Body {
    file: File,
    buffer: Vec<u8>,
}

impl Body {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, buffer: Vec::new() })
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.clear();
        self.file.by_ref().take(BUFFER as u64).read_to_end(&mut self.buffer).map(drop)
    }

    fn piece(&self) -> &[u8] {
        &self.buffer
    }

    fn next(&mut self) -> io::Result<&[u8]> {
        self.fill()?;
        Ok(self.piece())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{Tree, TreeStore};
    use crate::format::tar::{MemberKind, Members, TarError};
    use crate::store::{Root, Store};

    /// The members with their bytes, and how the walk ended.
    type Walked = (Vec<(String, MemberKind, Vec<u8>)>, Result<(), TarError>);

    fn all(mut tree: Tree) -> Walked {
        let mut members = Vec::new();
        loop {
            match tree.next_member() {
                Err(error) => return (members, Err(error)),
                Ok(None) => return (members, Ok(())),
                Ok(Some(member)) => {
                    let mut bytes = Vec::new();
                    while let Some(piece) = tree.body().ok().filter(|piece| !piece.is_empty()) {
                        bytes.extend_from_slice(piece);
                    }
                    members.push((String::from_utf8(member.path).unwrap(), member.kind, bytes));
                }
            }
        }
    }

    fn walk(root: &Path) -> Walked {
        all(TreeStore::Directory(root.to_owned()).tree().unwrap())
    }

    #[test]
    fn links_are_members_and_not_followed_out_of_the_root() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("root");
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        fs::create_dir(scratch.path().join("outside")).unwrap();
        fs::write(scratch.path().join("outside/secret"), "x").unwrap();
        symlink("../outside", root.join("away")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let large = vec![7; 200_000];
        fs::write(root.join("usr/bin/app"), &large).unwrap();
        let (members, end) = walk(&root);
        let expected = [
            ("away", MemberKind::Symlink(b"../outside".to_vec()), vec![]),
            ("loop", MemberKind::Symlink(b"loop".to_vec()), vec![]),
            ("usr", MemberKind::Directory, vec![]),
            ("usr/bin", MemberKind::Directory, vec![]),
            ("usr/bin/app", MemberKind::File, large),
        ];
        assert_eq!((members, end), (expected.map(|(path, kind, body)| (path.to_owned(), kind, body)).to_vec(), Ok(())));
    }

    #[test]
    fn a_pipe_and_a_socket_are_not_read() {
        let root = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(root.path().join("pipe")).status().unwrap().success());
        let (members, end) = walk(root.path());
        assert!(members.iter().all(|(_, kind, body)| *kind == MemberKind::Fifo && body.is_empty()), "{members:?}");
        assert_eq!((members.len(), end), (2, Ok(())));
    }

    #[test]
    fn what_cannot_be_read_is_told_at_the_end_and_the_rest_is_there() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("root");
        let step = "d".repeat(250);
        let shelf = root.join(&step).join(&step);
        fs::create_dir_all(&shelf).unwrap();
        fs::write(root.join("zz"), "last").unwrap();
        // Moved as a whole, the directories get a path that is longer than PATH_MAX: not even root can open them by it.
        let deep = scratch.path().join("deep");
        fs::create_dir_all((0..15).fold(deep.clone(), |path, _| path.join(&step))).unwrap();
        fs::rename(&deep, shelf.join("deep")).unwrap();
        let (members, end) = walk(&root);
        assert_eq!(members.last().map(|(path, _, body)| (path.as_str(), body.as_slice())), Some(("zz", &b"last"[..])));
        assert!(members.len() > 10, "what lies above can be read");
        let says = |text: &str| text.contains("…") && text.contains(": File name too long") && text.len() < 1000;
        assert!(matches!(&end, Err(TarError::Read(text)) if says(text)), "{end:?}");
    }

    #[test]
    fn a_single_file_is_one_member_under_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        symlink(&path, folder.path().join("link")).unwrap();
        let store = TreeStore::File(folder.path().join("link"));
        assert_eq!(store.root(), Ok(Root::File("/link".into())));
        let (members, end) = all(store.tree().unwrap());
        assert_eq!((members, end), (vec![("link".into(), MemberKind::File, b"#!/bin/sh\n".to_vec())], Ok(())));
    }

    #[test]
    fn device_numbers_are_taken_apart() {
        assert_eq!(super::device_numbers(0x0103), (1, 3));
        assert_eq!(super::device_numbers(0), (0, 0));
    }
}
