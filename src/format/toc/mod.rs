//! Tables of contents of layers that can be read in parts: eStargz (stargz-snapshotter, `docs/estargz.md`) and zstd:chunked
//! (containers/storage, `pkg/chunked`). Both end in a table of every file, with the place and the digest of each of its pieces.

mod place;
mod wire;

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::ops::Range;

pub use place::Place;

use super::compress::{Ratio, decompress};
use super::tar::{Member, MemberKind, Members, Tar, TarError};
use crate::base::{Digest, GuestPath};
use wire::{Entry, Table};

/// A table that takes more than this, in bytes, stored or unpacked, is not read: hundreds of thousands of files fit.
const MOST: u64 = 64 << 20;

/// A piece that is larger than this, in bytes, is not read: it has to be verified before it is used. Those of eStargz have 4 MiB, those
/// of zstd:chunked some 64 KiB.
const MOST_PIECE: u64 = 64 << 20;

/// What a layer holds, as its table says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toc {
    /// The members, in the order of the layer.
    pub members: Vec<Member>,
    /// Of each regular file, where its bytes are; of a name that comes twice, the last stands.
    pub files: BTreeMap<GuestPath, Vec<Piece>>,
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it is stored in the blob.
    pub stored: Range<u64>,
    /// Bytes to pass over once it is unpacked.
    pub skip: u64,
    /// Bytes of the file.
    pub size: u64,
    /// Of those bytes.
    pub digest: Digest,
}

/// Why a table cannot be used. The layer can still be read as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TocError {
    /// Nothing that can be verified leads to a table.
    #[error("has no table of contents that its manifest vouches for")]
    Absent,
    /// It is not what the manifest says.
    #[error("has a table of contents that is not the one its manifest names")]
    Digest,
    /// It is too large.
    #[error("has a table of contents or a piece of more than {MOST} bytes")]
    TooLarge,
    /// It is no table, or one that contradicts itself.
    #[error("has a broken table of contents: {0}")]
    Broken(String),
}

impl Toc {
    /// Reads a table from the bytes at `place`, which they must be in every bit.
    ///
    /// # Errors
    /// It is not the one that the place vouches for, or none.
    pub fn parse(bytes: &[u8], place: &Place) -> Result<Self, TocError> {
        let json = match place {
            Place::Estargz { digest, .. } => {
                let json = index_of(bytes)?;
                if digest.algorithm().digest(&json) != *digest {
                    return Err(TocError::Digest);
                }
                json
            }
            Place::Chunked { digest, .. } => {
                if digest.algorithm().digest(bytes) != *digest {
                    return Err(TocError::Digest);
                }
                unpacked(bytes)?
            }
        };
        let table: Table = serde_json::from_slice(&json).map_err(|error| broken(&error))?;
        Self::of(table.entries, place.end_of_files())
    }

    fn of(entries: Vec<Entry>, end: u64) -> Result<Self, TocError> {
        let mut ends: Vec<u64> = entries.iter().filter(|entry| entry.has_bytes()).map(|entry| entry.offset).collect();
        ends.push(end);
        ends.sort_unstable();
        ends.dedup();
        // A piece ends where the next begins, if the table does not say it.
        let after = |offset: u64| ends.get(ends.partition_point(|other| *other <= offset)).copied().unwrap_or(end);
        let mut toc = Self::default();
        let mut entries = entries.into_iter().peekable();
        while let Some(entry) = entries.next() {
            let Some(kind) = entry.kind() else { continue };
            let mut own = vec![entry];
            while let Some(more) = entries.next_if(Entry::is_chunk) {
                own.push(more);
            }
            let Some(first) = own.first() else { continue };
            let member = first.member(kind);
            if member.kind == MemberKind::File {
                toc.files.insert(GuestPath::new(&member.path), pieces(&own, member.size, &after, end)?);
            }
            toc.members.push(member);
        }
        Ok(toc)
    }
}

/// The pieces of one file, which must add up to it.
fn pieces(entries: &[Entry], size: u64, after: &dyn Fn(u64) -> u64, end: u64) -> Result<Vec<Piece>, TocError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for (place, entry) in entries.iter().enumerate().filter(|_| size > 0) {
        let rest = size.saturating_sub(at);
        let length = if entry.chunk_size == 0 { rest } else { entry.chunk_size };
        let own = if entries.len() == 1 { entry.digest.as_deref() } else { None };
        let digest = entry.chunk_digest.as_deref().filter(|digest| !digest.is_empty()).or(own);
        let digest = digest.and_then(|digest| digest.parse().ok());
        let next = entries.get(place.saturating_add(1)).map(|next| next.offset);
        let last = if entries.first().is_some_and(|first| first.end_offset > 0) { entries.first() } else { None };
        let stored = entry.offset..next.or(last.map(|first| first.end_offset)).unwrap_or_else(|| after(entry.offset));
        let is_sound = entry.chunk_offset == at && length <= rest && stored.start < stored.end && stored.end <= end;
        // What has no digest is left to whoever reads the whole layer. Holes are stored as zeros, and have one.
        let (Some(digest), true) = (digest, is_sound) else {
            return Err(broken(&format!("{} is not made of its pieces", crate::base::escape(&entry.name))));
        };
        if length > MOST_PIECE || stored.end.saturating_sub(stored.start) > MOST_PIECE {
            return Err(TocError::TooLarge);
        }
        pieces.push(Piece { stored, skip: entry.inner_offset, size: length, digest });
        at = at.saturating_add(length);
    }
    if at == size { Ok(pieces) } else { Err(broken(&"a file is not made of its pieces")) }
}

impl Piece {
    /// The piece's bytes, out of those that are stored.
    ///
    /// # Errors
    /// They are not the ones that the table names.
    pub fn unpack(&self, stored: impl Read + Send) -> io::Result<Vec<u8>> {
        let (_, mut stream) = decompress(BufReader::new(stored), Ratio::default())?;
        io::copy(&mut stream.by_ref().take(self.skip.min(MOST_PIECE)), &mut io::sink())?;
        let mut bytes = Vec::new();
        stream.take(self.size).read_to_end(&mut bytes)?;
        let is_right = self.digest.algorithm().digest(&bytes) == self.digest;
        if is_right { Ok(bytes) } else { Err(io::Error::other("a piece is not the one that the table of contents names")) }
    }
}

/// eStargz: the JSON lies in a tar of one file, which is compressed as a whole.
fn index_of(bytes: &[u8]) -> Result<Vec<u8>, TocError> {
    let (_, stream) = decompress(bytes, Ratio::default()).map_err(|error| broken(&error))?;
    let mut tar = Tar::new(stream.take(MOST));
    let failed = |error: TarError| broken(&error);
    let member = tar.next_member().map_err(failed)?;
    if member.is_none_or(|member| member.path != b"stargz.index.json") {
        return Err(broken(&"it is not called stargz.index.json"));
    }
    let mut json = Vec::new();
    loop {
        let piece = tar.body().map_err(failed)?;
        if piece.is_empty() {
            return Ok(json);
        }
        json.extend_from_slice(piece);
    }
}

fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, TocError> {
    let (_, stream) = decompress(bytes, Ratio::default()).map_err(|error| broken(&error))?;
    let mut json = Vec::new();
    stream.take(MOST.saturating_add(1)).read_to_end(&mut json).map_err(|error| broken(&error))?;
    if json.len() as u64 > MOST { Err(TocError::TooLarge) } else { Ok(json) }
}

fn broken(what: &dyn ToString) -> TocError {
    TocError::Broken(crate::base::escape(&what.to_string()).to_string())
}

#[cfg(test)]
mod tests;
