use std::io::{self, BufRead, BufReader, Read};

use crate::base::{Algorithm, GuestPath};
use crate::format::compress::decompress;
use crate::format::content::{Classifier, Content};
use crate::format::elf::LoaderFacts;
use crate::format::tar::{Member, MemberKind, Members, Tar, TarError};

use super::metered::{End, Metered};
use super::{Damage, Entry, EntryKind, LayerIndex, Limits, Measured, Wish};
use crate::image::DamageKind;

/// 64 KiB before and 256 KiB after decompression were the fastest pair that was measured.
const STORED_BUFFER: usize = 64 << 10;
const DRAIN_BUFFER: usize = 256 << 10;

/// Names and bodies count towards [`Limits::entries`] too: so many bytes of them as one entry.
const BYTES_AN_ENTRY: usize = 256;

pub(super) fn scan(layer: impl Read + Send, limits: &Limits) -> LayerIndex {
    let mut stored = BufReader::with_capacity(STORED_BUFFER, Metered::new(layer, limits.stored_digest, u64::MAX));
    let mut builder = Builder::new(limits);
    let unpacked = unpack(&mut stored, &mut builder);
    if builder.met_limit {
        return builder.finish();
    }
    // Behind what was decompressed there may be more, and the digest is over all of it.
    let _ = drain(&mut stored);
    let (measured, end) = stored.into_inner().finish();
    if let Some(End::Failed(error)) = end {
        // Whatever went wrong above, this is why.
        builder.index.damage.retain(|damage| !damage.kind.hides_files());
        builder.damage(DamageKind::Missing(error.to_string()));
    }
    let mut index = builder.finish();
    (index.stored, index.unpacked) = (measured, unpacked);
    index
}

pub(super) fn collect(mut members: impl Members, limits: &Limits) -> LayerIndex {
    let mut builder = Builder::new(limits);
    match builder.take_all(&mut members) {
        Ok(()) => {}
        Err(TarError::Read(text)) => builder.damage(DamageKind::Missing(text)),
        Err(error) => builder.damage(DamageKind::Tar(error.to_string())),
    }
    builder.finish()
}

pub(super) fn list(mut members: impl Members, limits: &Limits) -> LayerIndex {
    let mut builder = Builder { lists_only: true, ..Builder::new(limits) };
    // A list that is in memory does not break off.
    let _ = builder.take_all(&mut members);
    builder.finish()
}

pub(super) fn read_file(
    path: &GuestPath,
    size: u64,
    mode: u32,
    members: &mut impl Members,
    limits: &Limits,
) -> Result<EntryKind, TarError> {
    Builder::new(limits).read_file(path, size, mode, members)
}

/// Takes in the members of a stored layer; the answer is the measure of the whole uncompressed stream, if it could be read.
fn unpack(stored: impl BufRead + Send, builder: &mut Builder<'_>) -> Option<Measured> {
    let stream = match decompress(stored, builder.limits.ratio) {
        Ok((_, stream)) => stream,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            builder.damage(DamageKind::UnknownFormat(error.to_string()));
            return None;
        }
        Err(error) => {
            builder.damage(DamageKind::Compression(error.to_string()));
            return None;
        }
    };
    let diff_id = builder.limits.diff_id.then_some(Algorithm::Sha256);
    let mut stream = Metered::new(stream, diff_id, builder.limits.bytes);
    let walked = builder.take_all(&mut Tar::new(&mut stream));
    if !builder.met_limit {
        let _ = drain(&mut stream);
    }
    builder.met_limit |= stream.is_too_long();
    let (measured, end) = stream.finish();
    match (end, walked) {
        (Some(End::TooLong(limit)), _) => builder.damage(DamageKind::Limit(limit)),
        (Some(End::Failed(error)), _) => builder.damage(DamageKind::Compression(error.to_string())),
        (_, Err(error)) => builder.damage(DamageKind::Tar(error.to_string())),
        (_, Ok(())) => {}
    }
    measured
}

/// Reads to the end, through a buffer that suits a decompressor.
fn drain(stream: &mut impl Read) -> io::Result<u64> {
    io::copy(&mut BufReader::with_capacity(DRAIN_BUFFER, stream), &mut io::sink())
}

/// A layer's scripts take some hundred KiB.
const MOST_BODIES: usize = 8 << 20;

/// Whether a file that begins so may be a script that a shell reads: its `#!` line has `sh` in it, or there is none and it may be
/// executed, which a shell takes for a script of its own.
fn may_be_shells(start: &[u8], mode: u32) -> bool {
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if start.starts_with(b"#!") {
        return first.windows(2).any(|pair| pair == b"sh");
    }
    mode & 0o111 != 0 && !start.get(..64).unwrap_or(start).contains(&0)
}

/// An index in the making.
struct Builder<'a> {
    limits: &'a Limits,
    index: LayerIndex,
    /// What is kept so far, in the measure of [`Limits::entries`].
    kept: usize,
    /// Bytes of all bodies that are kept.
    bodies: usize,
    met_limit: bool,
    escaped: bool,
    overlong: bool,
    /// Whether files' bytes are left for later.
    lists_only: bool,
    /// The last member, if it was a regular file.
    last_file: Option<GuestPath>,
    /// The last entry and the directory that it lies in.
    last_path: Option<GuestPath>,
    last_folder: Option<GuestPath>,
}

impl<'a> Builder<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            index: LayerIndex::default(),
            kept: 0,
            bodies: 0,
            met_limit: false,
            escaped: false,
            overlong: false,
            lists_only: false,
            last_file: None,
            last_path: None,
            last_folder: None,
        }
    }

    fn damage(&mut self, kind: DamageKind) {
        self.index.damage.push(Damage { subject: String::new(), layer: None, kind });
    }

    fn take_all(&mut self, members: &mut impl Members) -> Result<(), TarError> {
        while let Some(member) = members.next_member()? {
            if self.kept >= self.limits.entries {
                self.met_limit = true;
                self.damage(DamageKind::Limit(format!("more than {} entries", self.limits.entries)));
                break;
            }
            self.last_file = None;
            self.take(member, members)?;
        }
        Ok(())
    }

    fn take(&mut self, member: Member, members: &mut impl Members) -> Result<(), TarError> {
        self.note_escape(&member.path);
        let path = GuestPath::new(&member.path);
        if is_overlong(&path) {
            self.note_overlong(&path);
            return Ok(());
        }
        if self.take_marker(&path) || path.is_root() && member.kind != MemberKind::Directory {
            return Ok(());
        }
        self.keep_path(&path);
        let kind = match member.kind {
            MemberKind::File if self.lists_only => EntryKind::Unread { size: member.size },
            MemberKind::File => self.read_file(&path, member.size, member.mode, members)?,
            MemberKind::Hardlink(target) => {
                self.note_escape(&target);
                self.keep(target.len());
                EntryKind::Hardlink(GuestPath::new(target))
            }
            MemberKind::Symlink(target) => {
                self.keep(target.len());
                EntryKind::Symlink(target.into_boxed_slice())
            }
            MemberKind::Directory => EntryKind::Directory,
            MemberKind::CharacterDevice(..) | MemberKind::BlockDevice | MemberKind::Fifo => EntryKind::Special,
            MemberKind::Other(_) => return Ok(()),
        };
        self.last_file = matches!(kind, EntryKind::File { .. }).then(|| path.clone());
        self.index.entries.push(Entry { path, mode: member.mode, uid: member.uid, gid: member.gid, kind });
        Ok(())
    }

    /// Takes in a name that is a message of the layer, not a file (OCI image specification, `layer.md`, "Whiteouts"): whether it
    /// was one. Names that begin with `.wh..wh.` are AUFS' own, but for the opaque marker.
    fn take_marker(&mut self, path: &GuestPath) -> bool {
        let directory = || path.parent().unwrap_or_else(GuestPath::root);
        match path.name().strip_prefix(b".wh.") {
            Some(b".wh..opq") => self.index.opaque.push(directory()),
            Some(name) if matches!(name, b"" | b"." | b"..") || name.starts_with(b".wh.") => {}
            Some(name) => self.index.whiteouts.push(directory().join(name)),
            None => return path.components().any(|component| component.starts_with(b".wh..wh.")),
        }
        self.keep(path.as_bytes().len());
        true
    }

    fn read_file(&mut self, path: &GuestPath, size: u64, mode: u32, members: &mut impl Members) -> Result<EntryKind, TarError> {
        let mut classifier = Classifier::new(size, mode & 0o111 != 0);
        let wish = Limits::wish(path, size);
        let mut body = (wish != Wish::Nothing && self.bodies < MOST_BODIES).then(Vec::new);
        while classifier.wants_more() || body.is_some() {
            let piece = members.body()?;
            if piece.is_empty() {
                break;
            }
            if wish == Wish::Script && body.as_ref().is_some_and(Vec::is_empty) && !may_be_shells(piece, mode) {
                body = None;
            }
            if classifier.wants_more() {
                classifier.feed(piece);
            }
            if let Some(body) = &mut body {
                body.extend_from_slice(piece);
            }
        }
        let mut facts = Box::new(classifier.finish());
        if let (Wish::Loader, Content::Elf(elf), Some(bytes)) = (wish, &mut facts.content, &body) {
            elf.loader = LoaderFacts::read(bytes).map(Box::new);
        }
        let body = body.filter(|_| match &facts.content {
            Content::Script(_) | Content::Text(_) => true,
            _ => wish == Wish::Keep,
        });
        let kept = body.as_ref().map_or(0, Vec::len);
        self.bodies = self.bodies.saturating_add(kept);
        self.keep(kept);
        Ok(EntryKind::File { size, facts, body: body.map(Vec::into_boxed_slice) })
    }

    /// Records, once a layer, that a path would leave the root if `..` did not stop there.
    fn note_escape(&mut self, raw: &[u8]) {
        if !self.escaped && escapes(raw) {
            self.escaped = true;
            let subject = String::from_utf8_lossy(raw).into_owned();
            self.index.damage.push(Damage { subject, layer: None, kind: DamageKind::EscapingPath });
        }
    }

    /// Records, once a layer, a name with which nothing can be unpacked.
    fn note_overlong(&mut self, path: &GuestPath) {
        if !self.overlong {
            self.overlong = true;
            self.damage(DamageKind::NameTooLong(path.as_bytes().len()));
        }
    }

    /// Counts a path, and every directory on the way, which whoever stacks the layers makes; unless the last entry was that
    /// directory or lies in it.
    fn keep_path(&mut self, path: &GuestPath) {
        let length = path.as_bytes().len();
        let folder = path.parent();
        let is_made = folder.is_some() && folder == self.last_folder || folder == self.last_path;
        self.keep(if is_made { length } else { length.max(path.components().count().saturating_mul(length) / 4) });
        (self.last_folder, self.last_path) = (folder, Some(path.clone()));
    }

    fn keep(&mut self, bytes: usize) {
        self.kept = self.kept.saturating_add(bytes.div_ceil(BYTES_AN_ENTRY));
    }

    fn finish(mut self) -> LayerIndex {
        // A stable sort leaves duplicates in the order of the stream, and the last of them stands.
        self.index.entries.sort_by(|left, right| left.path.cmp(&right.path));
        self.index.entries.dedup_by(|later, earlier| {
            let is_duplicate = later.path == earlier.path;
            if is_duplicate {
                std::mem::swap(later, earlier);
            }
            is_duplicate
        });
        // eStargz: its table of contents is the last member, and the landmarks are its own too.
        if self.last_file.is_some_and(|last| last.as_bytes() == b"/stargz.index.json") {
            let own = [&b"/stargz.index.json"[..], b"/.prefetch.landmark", b"/.no.prefetch.landmark"];
            self.index.entries.retain(|entry| !own.contains(&entry.path.as_bytes()));
        }
        self.index.entries.shrink_to_fit();
        self.index
    }
}

/// Whether Linux has no such path (`include/uapi/linux/limits.h`: `PATH_MAX` with its NUL, `NAME_MAX`).
fn is_overlong(path: &GuestPath) -> bool {
    path.as_bytes().len() >= 4096 || path.components().any(|component| component.len() > 255)
}

/// Whether `..` in `raw` would climb above where it starts.
fn escapes(raw: &[u8]) -> bool {
    let mut depth = 0_usize;
    raw.split(|byte| *byte == b'/').any(|component| {
        match component {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(parent) => depth = parent,
                None => return true,
            },
            _ => depth = depth.saturating_add(1),
        }
        false
    })
}
