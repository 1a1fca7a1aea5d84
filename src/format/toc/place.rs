use std::collections::BTreeMap;
use std::ops::Range;

use super::{MOST, TocError};
use crate::base::Digest;

/// The digest of eStargz's table, unpacked (stargz-snapshotter `estargz/types.go`, `TOCJSONDigestAnnotation`).
const ESTARGZ_DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";

/// How the annotations begin that have the digest of zstd:chunked's table, as it is stored, and its place (containers/storage
/// `pkg/chunked/internal/minimal`); the second, in releases until 2023.
const CHUNKED: [&str; 2] = ["io.github.containers.zstd-chunked.", "io.containers.zstd-chunked."];

/// Bytes of eStargz's footer: an empty gzip member whose extra field says where the table is.
const FOOTER: u64 = 51;

/// Where a layer's table of contents is, and what vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A footer says where it begins.
    Estargz {
        /// Of the table, unpacked.
        digest: Digest,
        /// Where it is; first the footer.
        at: Range<u64>,
    },
    /// The manifest says where it is.
    Chunked {
        /// Of the table as it is stored.
        digest: Digest,
        /// Where it is.
        at: Range<u64>,
    },
}

impl Place {
    /// What a layer's annotations say of its table; `size` is the layer's, in bytes.
    ///
    /// # Errors
    /// They say nothing, or nothing that can be.
    pub fn of(annotations: &BTreeMap<String, String>, size: u64) -> Result<Self, TocError> {
        let digest = |name: &str| annotations.get(name).and_then(|digest| digest.parse::<Digest>().ok());
        let chunked = CHUNKED.iter().find_map(|prefix| {
            digest(&format!("{prefix}manifest-checksum")).zip(annotations.get(&format!("{prefix}manifest-position")))
        });
        if let Some((digest, place)) = chunked {
            let mut numbers = place.split(':').map(|number| number.parse::<u64>().ok());
            // Offset, length, length unpacked, and the form, of which there is one.
            let (Some(Some(offset)), Some(Some(length)), Some(Some(_)), Some(Some(1))) =
                (numbers.next(), numbers.next(), numbers.next(), numbers.next())
            else {
                return Err(TocError::Absent);
            };
            let at = within(offset, offset.checked_add(length), size)?;
            return Ok(Self::Chunked { digest, at });
        }
        let digest = digest(ESTARGZ_DIGEST).ok_or(TocError::Absent)?;
        let footer = size.checked_sub(FOOTER).ok_or(TocError::Absent)?;
        Ok(Self::Estargz { digest, at: footer..size })
    }

    /// Where the table is, or the footer that says it.
    pub fn at(&self) -> Range<u64> {
        let (Self::Estargz { at, .. } | Self::Chunked { at, .. }) = self;
        at.clone()
    }

    /// Whether what is there is a footer.
    pub fn is_footer(&self) -> bool {
        matches!(self, Self::Estargz { at, .. } if at.end.saturating_sub(at.start) == FOOTER)
    }

    /// Where the table is, told by the footer.
    ///
    /// # Errors
    /// It is no footer, or leads out of the layer.
    pub fn behind(self, footer: &[u8]) -> Result<Self, TocError> {
        let Self::Estargz { digest, at } = self else { return Ok(self) };
        // RFC 1952, 2.3.1.1: the extra field `SG` of 22 bytes, which are 16 hexadecimal digits and a word.
        let extra = footer.get(12..).and_then(|extra| extra.strip_prefix(b"SG\x16\0")).ok_or(TocError::Absent)?;
        let (digits, rest) = extra.split_at_checked(16).ok_or(TocError::Absent)?;
        let digits = std::str::from_utf8(digits).ok().filter(|_| rest.starts_with(b"STARGZ"));
        let offset = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or(TocError::Absent)?;
        let at = within(offset, Some(at.start), at.start)?;
        Ok(Self::Estargz { digest, at })
    }

    /// Where the files' bytes end at the latest.
    pub(super) fn end_of_files(&self) -> u64 {
        self.at().start
    }
}

fn within(start: u64, end: Option<u64>, size: u64) -> Result<Range<u64>, TocError> {
    let end = end.filter(|end| *end <= size && start < *end).ok_or(TocError::Absent)?;
    if end.saturating_sub(start) > MOST { Err(TocError::TooLarge) } else { Ok(start..end) }
}
