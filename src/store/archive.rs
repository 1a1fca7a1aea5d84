use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::base::GuestPath;
use crate::format::tar::{Member, MemberKind, Members, Tar, TarError};

use super::StoreError;
use super::files::{Files, io, missing, not_an_image};

/// Links that are followed to a member at most, as in the kernel (`MAXSYMLINKS`, `include/linux/namei.h`).
const LINKS_LIMIT: usize = 40;

/// Members that an archive of images has at most: some hundred really.
pub(super) const MEMBERS_LIMIT: usize = 1_000_000;

/// The regular files of an archive by name, with the links that lead to them: Podman and Docker write a layer that two images
/// share once, and a link for the other.
pub(super) struct Catalogue<T> {
    members: HashMap<GuestPath, Found<T>>,
}

enum Found<T> {
    File(T),
    Link(GuestPath),
}

impl<T> Default for Catalogue<T> {
    fn default() -> Self {
        Self { members: HashMap::new() }
    }
}

impl<T> Catalogue<T> {
    /// Takes in a member; `file` is for a regular file. Of duplicates the last stands.
    pub(super) fn insert(&mut self, member: &Member, file: Option<T>) {
        let path = GuestPath::new(&member.path);
        let found = match (&member.kind, file) {
            (MemberKind::Hardlink(target), _) => Found::Link(GuestPath::new(target)),
            (MemberKind::Symlink(target), _) if target.starts_with(b"/") => Found::Link(GuestPath::new(target)),
            (MemberKind::Symlink(target), _) => Found::Link(path.parent().unwrap_or_else(GuestPath::root).join(target)),
            (_, Some(file)) => Found::File(file),
            (_, None) => return,
        };
        self.members.insert(path, found);
    }

    /// The file, and the name under which it really lies.
    pub(super) fn get(&self, name: &str) -> Option<(String, &T)> {
        let mut path = GuestPath::new(name);
        for _ in 0..=LINKS_LIMIT {
            match self.members.get(&path)? {
                Found::File(file) => return Some((member_name(&path), file)),
                Found::Link(target) => path = target.clone(),
            }
        }
        None
    }

    /// Whether this is a file system rather than an archive of images: it has one of the directories that every system has.
    pub(super) fn looks_like_root(&self) -> bool {
        let top = |path: &GuestPath| path.components().next().is_some_and(is_system_directory);
        self.members.keys().any(top)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }
}

/// A member's name without `./` and the like.
pub(super) fn member_name(path: &GuestPath) -> String {
    String::from_utf8_lossy(path.as_bytes()).trim_start_matches('/').to_owned()
}

/// Whether a directory of this name at the top tells of a root file system (Filesystem Hierarchy Standard, chapter 3).
pub(super) fn is_system_directory(name: &[u8]) -> bool {
    matches!(name, b"bin" | b"etc" | b"lib" | b"lib64" | b"sbin" | b"usr")
}

/// Whether a file that begins with `head` (512 bytes, if it has so many) is a tar archive; an empty file is none.
pub(super) fn is_tar(head: &[u8]) -> bool {
    let has_magic = head.get(257..262) == Some(b"ustar");
    has_magic || !head.is_empty() && Tar::new(head).next_member().is_ok()
}

/// A plain tar archive that can be read at any place.
pub(super) struct Archive {
    path: PathBuf,
    members: Catalogue<Range<u64>>,
    broken: Option<TarError>,
}

impl Archive {
    /// Finds the members, without reading their bytes. Where the archive breaks off, those before are found.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(|error| io(path, &error))?;
        let end = file.metadata().map_err(|error| io(path, &error))?.len();
        let mut archive = Self { path: path.to_owned(), members: Catalogue::default(), broken: None };
        let mut tar = Tar::new(file);
        archive.broken = loop {
            let member = match tar.next_member() {
                Ok(Some(member)) => member,
                Ok(None) => break None,
                Err(error) => break Some(error),
            };
            let body = match tar.skip_body() {
                Ok(body) => body,
                Err(error) => break Some(error),
            };
            let missing = body.end.saturating_sub(end);
            // The bytes of a sparse member are not the file's; nobody packs documents or layers so.
            let is_whole = body.end.saturating_sub(body.start) == member.size;
            archive.members.insert(&member, (member.kind == MemberKind::File && is_whole).then_some(body));
            if missing > 0 {
                let path = crate::base::escape(&member.path).to_string();
                break Some(TarError::Truncated { path, missing });
            }
            if archive.members.len() > MEMBERS_LIMIT {
                return Err(not_an_image(path, format!("has more than {MEMBERS_LIMIT} members")));
            }
        };
        Ok(archive)
    }

    pub(super) fn members(&self) -> &Catalogue<Range<u64>> {
        &self.members
    }
}

impl Files for Archive {
    fn find(&self, name: &str) -> Option<String> {
        self.members.get(name).map(|(name, _)| name)
    }

    fn open(&self, name: &str) -> Result<(u64, Box<dyn Read + Send>), StoreError> {
        let (_, body) = self.members.get(name).ok_or_else(|| missing(self, name))?;
        let size = body.end.saturating_sub(body.start);
        let mut file = File::open(&self.path).map_err(|error| io(&self.path, &error))?;
        file.seek(SeekFrom::Start(body.start)).map_err(|error| io(&self.path, &error))?;
        Ok((size, Box::new(file.take(size))))
    }

    fn place(&self) -> &Path {
        &self.path
    }

    fn broken(&self) -> Option<String> {
        self.broken.as_ref().map(ToString::to_string)
    }
}
