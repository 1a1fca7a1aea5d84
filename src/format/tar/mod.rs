//! Tar, as container tools really write it: ustar, PAX, GNU; read once, forward, in constant memory.

mod header;
mod input;
mod pax;
mod sparse;
#[cfg(test)]
mod tests;

use std::io::{Read, Seek};
use std::ops::Range;

use crate::base::escape;

use header::{BLOCK, Header, until_nul};
use input::Input;
use pax::Records;
use sparse::Layout;

/// One member's metadata, with long names and PAX records applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name as written, without any normalising.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: MemberKind,
    /// Permission bits with setuid, setgid and sticky: `0o7777`.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Bytes of a regular file as a reader of it sees them (a sparse file's apparent size).
    pub size: u64,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberKind {
    /// A regular file; its bytes follow.
    File,
    /// Another name of an earlier member, or of a file in a lower layer; as written.
    Hardlink(Vec<u8>),
    /// A symbolic link; the target as written.
    Symlink(Vec<u8>),
    /// A directory.
    Directory,
    /// A character device with its numbers (overlayfs' whiteout is 0:0).
    CharacterDevice(u32, u32),
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
    /// A type flag that means nothing to a file system; skipped.
    Other(u8),
}

/// A source of files one after the other: a tar stream, or a directory that is walked.
pub trait Members {
    /// The next member, or `None` at the end. What was not read of the last one's body is skipped.
    ///
    /// # Errors
    /// What is wrong with the source; no further member follows.
    fn next_member(&mut self) -> Result<Option<Member>, TarError>;

    /// The next piece of the current member's body, empty at its end. Holes of sparse files come as zeros.
    ///
    /// # Errors
    /// The source ended or broke inside the body.
    fn body(&mut self) -> Result<&[u8], TarError>;
}

/// Why a tar stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TarError {
    /// The stream ended inside a header or a body.
    #[error("ends in the middle of {path} ({missing} bytes are missing)")]
    Truncated {
        /// The member's name, escaped.
        path: String,
        /// How much is missing, bytes.
        missing: u64,
    },
    /// A header whose checksum is wrong.
    #[error("has no valid tar header at byte {offset}")]
    Header {
        /// Where, in the uncompressed stream.
        offset: u64,
    },
    /// A header that makes no sense although its checksum is right.
    #[error("has a bad {field} in the tar header at byte {offset}")]
    Field {
        /// Which field or record.
        field: &'static str,
        /// Where, in the uncompressed stream.
        offset: u64,
    },
    /// The decompressor or the medium failed.
    #[error("cannot be read further: {0}")]
    Read(String),
}

/// A PAX header is read whole; Go's `archive/tar` (`maxSpecialFileSize`), which is what unpacks images, draws the line here too.
const RECORDS_LIMIT: u64 = 1 << 20;

/// GNU's long names; sixteen times the kernel's `PATH_MAX`.
const NAME_LIMIT: u64 = 64 << 10;

/// Reads tar from a stream.
///
/// Where archives are read differently by different tools, this follows Go's `archive/tar`, because containerd, Docker, Podman
/// and umoci all unpack with it: links, devices and directories have no body whatever their size field says; global PAX headers
/// apply to nothing; two zero blocks end the archive. It is laxer in one thing: the last member's padding may be missing.
pub struct Tar<R> {
    input: Input<R>,
    /// What of the current member's body is still in the stream, bytes.
    stored: u64,
    /// Zeros after the body, up to the next block.
    padding: u64,
    /// Where the stored bytes belong in the file.
    layout: Layout,
    /// Zeros that may still be given out for holes.
    holes: u64,
    /// The current member, for error messages.
    name: Vec<u8>,
    ended: bool,
}

/// What extension headers say about the member that follows them.
#[derive(Default)]
struct Extensions {
    records: Records,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    any: bool,
}

impl<R: Read> Tar<R> {
    /// Reads members from `input`, which is at the start of a tar stream. Reads in pieces of 256 KiB, so `input` needs no buffer.
    pub fn new(input: R) -> Self {
        Self {
            input: Input::new(input),
            stored: 0,
            padding: 0,
            layout: Layout::dense(0),
            holes: sparse::HOLES_LIMIT,
            name: Vec::new(),
            ended: false,
        }
    }

    fn advance(&mut self) -> Result<Option<Member>, TarError> {
        let mut extensions = Extensions::default();
        loop {
            self.skip_rest()?;
            self.name.clear();
            let offset = self.input.offset();
            let Some(block) = self.next_block(extensions.any)? else { return Ok(None) };
            let header = Header::parse(&block, offset)?;
            (self.stored, self.padding) = (header.size, header.size.wrapping_neg() % BLOCK);
            match header.flag {
                b'x' => extensions.records = Records::parse(&self.whole(RECORDS_LIMIT, "PAX size", offset)?, offset)?,
                b'L' => extensions.long_name = Some(until_nul(&self.whole(NAME_LIMIT, "long name", offset)?).to_vec()),
                b'K' => extensions.long_link = Some(until_nul(&self.whole(NAME_LIMIT, "long link", offset)?).to_vec()),
                // Container runtimes apply nothing of a global header; `git archive` writes one with the commit.
                b'g' => continue,
                _ => return self.member(header, extensions, &block, offset).map(Some),
            }
            extensions.any = true;
        }
    }

    /// The next header, or `None` where the archive ends: at the stream's end or at two zero blocks.
    fn next_block(&mut self, after_extension: bool) -> Result<Option<[u8; BLOCK as usize]>, TarError> {
        let offset = self.input.offset();
        let Some(block) = self.input.block()? else {
            return if after_extension { Err(self.truncated(BLOCK)) } else { Ok(None) };
        };
        if block.iter().any(|byte| *byte != 0) {
            return Ok(Some(block));
        }
        match self.input.block()? {
            Some(second) if second.iter().any(|byte| *byte != 0) => Err(TarError::Header { offset }),
            _ => Ok(None),
        }
    }

    fn member(&mut self, header: Header, extensions: Extensions, block: &[u8], offset: u64) -> Result<Member, TarError> {
        let Extensions { records, long_name, long_link, .. } = extensions;
        let path = long_name.or(records.path).unwrap_or(header.path);
        let link = long_link.or(records.link).unwrap_or(header.link);
        // A header of 1979 has no flag for directories: the name ends in a slash.
        let is_directory = header.flag == b'5' || header.flag == 0 && path.ends_with(b"/");
        let kind = match header.flag {
            _ if is_directory => MemberKind::Directory,
            0 | b'0' | b'7' | b'S' => MemberKind::File,
            b'1' => MemberKind::Hardlink(link),
            b'2' => MemberKind::Symlink(link),
            b'3' => MemberKind::CharacterDevice(header.major, header.minor),
            b'4' => MemberKind::BlockDevice,
            b'6' => MemberKind::Fifo,
            flag => MemberKind::Other(flag),
        };
        let has_body = matches!(kind, MemberKind::File | MemberKind::Other(_));
        self.stored = if has_body { records.size.unwrap_or(header.size) } else { 0 };
        self.padding = self.stored.wrapping_neg() % BLOCK;
        self.name.clone_from(&path);
        self.layout = match (&kind, header.flag, records.sparse) {
            (MemberKind::File, b'S', _) => sparse::old_gnu(&mut self.input, block, self.stored, offset)?,
            (MemberKind::File, _, Some(sparse)) => self.pax_sparse(sparse, offset)?,
            _ => Layout::dense(self.stored),
        };
        let path = if has_body { records.sparse_name.unwrap_or(path) } else { path };
        let (mode, uid, gid) = (header.mode & 0o7777, records.uid.unwrap_or(header.uid), records.gid.unwrap_or(header.gid));
        Ok(Member { path, kind, mode, uid, gid, size: self.layout.size() })
    }

    /// The layout that PAX records tell; in format 1.0 the map is at the head of the body.
    fn pax_sparse(&mut self, sparse: pax::Sparse, offset: u64) -> Result<Layout, TarError> {
        if !sparse.map_in_body && sparse.map.is_empty() {
            return Ok(Layout::dense(self.stored));
        }
        if !sparse.map_in_body {
            return Layout::new(sparse.map, sparse.size.unwrap_or(self.stored), self.stored, offset);
        }
        let mut reader = sparse::MapReader::default();
        let map = loop {
            if let Some(map) = reader.complete(offset)? {
                break map;
            }
            if self.stored < BLOCK {
                return Err(TarError::Field { field: "sparse map", offset });
            }
            let Some(block) = self.input.block()? else { return Err(self.truncated(self.stored)) };
            self.stored -= BLOCK;
            reader.feed(&block);
        };
        Layout::new(map, sparse.size.unwrap_or(self.stored), self.stored, offset)
    }

    /// The current body, all of it.
    fn whole(&mut self, limit: u64, field: &'static str, offset: u64) -> Result<Vec<u8>, TarError> {
        if self.stored > limit {
            return Err(TarError::Field { field, offset });
        }
        let mut body = Vec::new();
        while self.stored > 0 {
            let piece = self.input.piece(self.stored)?;
            if piece.is_empty() {
                return Err(self.truncated(self.stored));
            }
            self.stored -= piece.len() as u64;
            body.extend_from_slice(piece);
        }
        Ok(body)
    }

    fn skip_rest(&mut self) -> Result<(), TarError> {
        self.stored -= self.input.skip(self.stored)?;
        if self.stored > 0 {
            return Err(self.truncated(self.stored));
        }
        // Some writers leave out the last member's padding.
        self.input.skip(std::mem::take(&mut self.padding))?;
        Ok(())
    }

    fn truncated(&self, missing: u64) -> TarError {
        let path = if self.name.is_empty() { "a tar header".to_owned() } else { escape(&self.name).to_string() };
        TarError::Truncated { path, missing }
    }
}

impl<R: Read + Seek> Tar<R> {
    /// Passes over the current member's body without reading it: where its stored bytes lie in the stream. They are the file's
    /// bytes unless it is sparse, and may lie beyond the stream's end if that is cut off.
    ///
    /// # Errors
    /// The stream cannot be sought in.
    pub fn skip_body(&mut self) -> Result<Range<u64>, TarError> {
        let start = self.input.offset();
        let stored = std::mem::take(&mut self.stored);
        self.input.seek(stored)?;
        self.layout = Layout::dense(0);
        Ok(start..start.saturating_add(stored))
    }
}

impl<R: Read> Members for Tar<R> {
    fn next_member(&mut self) -> Result<Option<Member>, TarError> {
        if self.ended {
            return Ok(None);
        }
        let member = self.advance();
        self.ended = !matches!(member, Ok(Some(_)));
        member
    }

    fn body(&mut self) -> Result<&[u8], TarError> {
        if self.ended {
            return Ok(&[]);
        }
        match self.layout.next(&mut self.holes, self.input.offset())? {
            sparse::Piece::End => Ok(&[]),
            sparse::Piece::Hole(zeros) => Ok(zeros),
            sparse::Piece::Data(length) => {
                let missing = self.stored;
                if self.input.fill()? == 0 {
                    self.ended = true;
                    return Err(self.truncated(missing));
                }
                let piece = self.input.piece(length)?;
                self.stored = missing.saturating_sub(piece.len() as u64);
                self.layout.took(piece.len() as u64);
                Ok(piece)
            }
        }
    }
}
