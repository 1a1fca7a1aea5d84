mod metered;
mod scan;
mod stored;
#[cfg(test)]
mod tests;

use std::io::Read;

use serde::{Deserialize, Serialize};

use crate::base::{Algorithm, Digest, GuestPath};
use crate::format::compress::Ratio;
use crate::format::content::FileFacts;
use crate::format::tar::{Members, TarError};

use super::Damage;

/// What one layer holds: every path with its metadata, and what each regular file is. A pure function of the layer's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerIndex {
    /// Sorted by path; one entry a path: of duplicates, the last stands (as it would after unpacking).
    pub entries: Vec<Entry>,
    /// Paths that this layer deletes from those below (`.wh.NAME`).
    pub whiteouts: Vec<GuestPath>,
    /// Directories whose content below is hidden (`.wh..wh..opq`).
    pub opaque: Vec<GuestPath>,
    /// What could not be read, or is wrong.
    pub damage: Vec<Damage>,
    /// The bytes as stored.
    pub stored: Option<Measured>,
    /// The bytes uncompressed; the digest, which is the DiffID, only where [`Limits::diff_id`] asked for it.
    pub unpacked: Option<Measured>,
}

/// A stream's length and digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Bytes.
    pub size: u64,
    /// SHA-256, where it was computed.
    pub digest: Option<Digest>,
}

/// One path of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where.
    pub path: GuestPath,
    /// Permission bits with setuid, setgid and sticky: `0o7777`.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// What.
    pub kind: EntryKind,
}

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Bytes.
        size: u64,
        /// What its bytes are.
        facts: Box<FileFacts>,
        /// All of the bytes, of the few small files that later steps read: what says who users are and where libraries lie, and shells' scripts.
        #[serde(with = "serde_bytes")]
        body: Option<Box<[u8]>>,
    },
    /// Another name of a file in this layer or one below.
    Hardlink(GuestPath),
    /// A symbolic link; the target as written.
    Symlink(#[serde(with = "serde_bytes")] Box<[u8]>),
    /// A device, a pipe or a socket.
    Special,
    /// A regular file that a table of contents lists, and of which nothing else was read.
    Unread {
        /// Bytes, as the table says.
        size: u64,
    },
}

/// Bounds of a scan, and what it is asked to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Uncompressed bytes of a layer that are read at most.
    pub bytes: u64,
    /// How many times its stored bytes a layer may unpack to.
    pub ratio: Ratio,
    /// Entries of a layer that are kept at most.
    pub entries: usize,
    /// By which function to compute the stored bytes' digest, if at all: that of the descriptor.
    pub stored_digest: Option<Algorithm>,
    /// Whether to compute the DiffID.
    pub diff_id: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 30,
            ratio: Ratio::default(),
            entries: 2_000_000,
            stored_digest: Some(Algorithm::Sha256),
            diff_id: false,
        }
    }
}

impl Limits {
    /// The same, computing what the bytes can be held against: the descriptor's digest, or without one the DiffID.
    #[must_use]
    pub fn verifying(&self, digest: Option<&Digest>) -> Self {
        Self { stored_digest: digest.map(Digest::algorithm), diff_id: self.diff_id || digest.is_none(), ..*self }
    }

    /// What is done with the bytes of a file of this name.
    fn wish(path: &GuestPath, size: u64) -> Wish {
        let (whole, name) = (path.as_bytes(), path.name());
        let in_etc = |prefix: &[u8], suffix: &[u8]| {
            whole.strip_prefix(b"/etc/").is_some_and(|name| name.starts_with(prefix) && name.ends_with(suffix))
        };
        let is_setting = matches!(whole, b"/etc/passwd" | b"/etc/group" | b"/etc/ld.so.preload") || in_etc(b"ld-musl-", b".path");
        match size {
            _ if is_setting && size <= 256 << 10 => Wish::Keep,
            _ if name == b"package.json" && size <= 64 << 10 && !path.components().any(|folder| folder == b"node_modules") => {
                Wish::Keep
            }
            // Which extensions PHP loads, and how it was told.
            _ if name.ends_with(b".ini") && size <= 128 << 10 && path.components().any(|part| part.starts_with(b"php")) => {
                Wish::Keep
            }
            _ if whole == b"/etc/ld.so.cache" && size <= 4 << 20 => Wish::Keep,
            _ if is_loader_name(name) && size <= 4 << 20 => Wish::Loader,
            _ if size <= 64 << 10 && [&b".sh"[..], b".bash", b".env"].iter().any(|suffix| name.ends_with(suffix)) => Wish::Keep,
            _ if size <= 64 << 10 => Wish::Script,
            _ => Wish::Nothing,
        }
    }
}

/// What is done with a file's bytes besides classifying them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// They are kept.
    Keep,
    /// They are kept if they are a shell's script.
    Script,
    /// They are asked what the dynamic loader says of itself.
    Loader,
    Nothing,
}

/// `ld-linux-x86-64.so.2`, `ld-2.31.so`, `ld64.so.1`, `ld.so.1`, `ld-musl-x86_64.so.1`, and musl's `libc.so`, to which that is a link.
fn is_loader_name(name: &[u8]) -> bool {
    let is_library = || name.windows(3).any(|bytes| bytes == b".so");
    name == b"libc.so" || [&b"ld-"[..], b"ld.so", b"ld64."].iter().any(|prefix| name.starts_with(prefix)) && is_library()
}

impl LayerIndex {
    /// Reads a layer as it is stored: decompresses, walks the tar, classifies every regular file. One pass, to the end (or the
    /// digest would not be one), in constant memory but for the index itself. Infallible: what is broken is in `damage`, whose
    /// `subject` is empty where it is the layer itself: only the caller knows the layer's name and place, and fills them in.
    ///
    /// Where a limit is met the rest is not read, so `stored` and `unpacked` are `None`.
    pub fn scan(layer: impl Read + Send, limits: &Limits) -> Self {
        scan::scan(layer, limits)
    }

    /// Makes an index of members that are not a stored stream: a directory, a single file. Damage as in [`Self::scan`].
    pub fn collect(members: impl Members, limits: &Limits) -> Self {
        scan::collect(members, limits)
    }

    /// Makes an index of what a table of contents lists: every regular file is [`EntryKind::Unread`].
    pub fn list(members: impl Members, limits: &Limits) -> Self {
        scan::list(members, limits)
    }

    /// Tells what the file in the place `slot` of the entries is, if it is unread; `bytes` has its body.
    ///
    /// # Errors
    /// The body breaks off, or is not what was promised. The file stays unread.
    pub fn fill(&mut self, slot: usize, bytes: &mut impl Members, limits: &Limits) -> Result<(), TarError> {
        let Some(entry) = self.entries.get_mut(slot) else { return Ok(()) };
        if let EntryKind::Unread { size } = entry.kind {
            entry.kind = scan::read_file(&entry.path, size, entry.mode, bytes, limits)?;
        }
        Ok(())
    }

    /// The entry at exactly `path`.
    pub fn get(&self, path: &GuestPath) -> Option<&Entry> {
        let index = self.entries.binary_search_by(|entry| entry.path.cmp(path)).ok()?;
        self.entries.get(index)
    }
}
