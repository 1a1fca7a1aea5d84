use std::io::Read;

use super::header::{number, slice};
use super::input::Input;
use super::{TarError, pax};

/// How many bytes of a map are read at most, as in Go's `archive/tar` (`maxSpecialFileSize`).
const MAP_LIMIT: usize = 1 << 20;

/// Extents of one file at most: a number takes two bytes at least in any text form of a map.
const EXTENTS_LIMIT: usize = MAP_LIMIT / 4;

/// Zeros of holes that are given out of one stream at most, bytes: seconds of work, and more than any real layer has.
pub(super) const HOLES_LIMIT: u64 = 256 << 30;

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// A stored piece of a sparse file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Extent {
    /// Offset, length, offset, length, …
    pub(super) fn pairs(numbers: &[u64]) -> Option<Vec<Self>> {
        let (pairs, []) = numbers.as_chunks::<2>() else { return None };
        Some(pairs.iter().map(|[offset, length]| Self { offset: *offset, length: *length }).collect())
    }
}

/// Where a member's stored bytes lie in the file, and how far the file was read.
pub(super) struct Layout {
    size: u64,
    position: u64,
    /// The extents that are not read yet, first to last.
    extents: std::vec::IntoIter<Extent>,
}

/// What comes next of a file.
pub(super) enum Piece {
    End,
    Hole(&'static [u8]),
    /// At most so many stored bytes.
    Data(u64),
}

impl Layout {
    /// A file without holes.
    pub(super) fn dense(size: u64) -> Self {
        Self { size, position: 0, extents: vec![Extent { offset: 0, length: size }].into_iter() }
    }

    /// Checks that `map` is in order, without overlap, inside the file, and names as many bytes as are stored.
    pub(super) fn new(map: Vec<Extent>, size: u64, stored: u64, offset: u64) -> Result<Self, TarError> {
        let mut end = 0_u64;
        let mut sum = 0_u64;
        let fits = map.len() <= EXTENTS_LIMIT
            && map.iter().all(|extent| {
                let in_order = extent.offset >= end;
                end = extent.offset.saturating_add(extent.length);
                sum = sum.saturating_add(extent.length);
                in_order && end <= size
            });
        if fits && sum == stored && size <= i64::MAX.unsigned_abs() {
            Ok(Self { size, position: 0, extents: map.into_iter() })
        } else {
            Err(TarError::Field { field: "sparse map", offset })
        }
    }

    /// The size that a reader of the file sees.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// What comes next. A piece of a hole counts as taken, of data only by [`Self::took`].
    /// Holes are counted down from `holes`, so that no archive keeps its reader busy for ever.
    pub(super) fn next(&mut self, holes: &mut u64, offset: u64) -> Result<Piece, TarError> {
        while let Some(extent) = self.extents.as_slice().first() {
            let end = extent.offset.saturating_add(extent.length);
            if self.position < extent.offset {
                return self.hole(extent.offset, holes, offset);
            }
            if self.position < end {
                return Ok(Piece::Data(end.saturating_sub(self.position)));
            }
            self.extents.next();
        }
        if self.position < self.size { self.hole(self.size, holes, offset) } else { Ok(Piece::End) }
    }

    fn hole(&mut self, end: u64, holes: &mut u64, offset: u64) -> Result<Piece, TarError> {
        let length = usize::try_from(end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let zeros = ZEROS.get(..length).unwrap_or(&ZEROS);
        let too_many = TarError::Field { field: "size of a sparse file", offset };
        *holes = holes.checked_sub(zeros.len() as u64).ok_or(too_many)?;
        self.took(zeros.len() as u64);
        Ok(Piece::Hole(zeros))
    }

    pub(super) fn took(&mut self, count: u64) {
        self.position = self.position.saturating_add(count);
    }
}

/// GNU's format before PAX: four extents in the header, further ones in blocks that follow it (GNU tar, `tar.h`, `sparse_header`).
pub(super) fn old_gnu<R: Read>(input: &mut Input<R>, header: &[u8], stored: u64, offset: u64) -> Result<Layout, TarError> {
    let bad = || TarError::Field { field: "sparse map", offset };
    let positive = |field: &[u8]| number(field).and_then(|value| u64::try_from(value).ok());
    let mut map = Vec::new();
    let mut read = |table: &[u8]| {
        for entry in table.as_chunks::<24>().0 {
            // The first entry without a number ends the table.
            if entry.first() == Some(&0) {
                break;
            }
            map.push(Extent { offset: positive(slice(entry, 0, 12))?, length: positive(slice(entry, 12, 12))? });
        }
        (map.len() <= EXTENTS_LIMIT).then_some(())
    };
    read(slice(header, 386, 96)).ok_or_else(bad)?;
    let mut is_extended = slice(header, 482, 1) != [0];
    let mut blocks = 0;
    while is_extended {
        blocks += 1;
        let block = input.block()?.ok_or(TarError::Truncated { path: "a tar header".to_owned(), missing: super::BLOCK })?;
        read(slice(&block, 0, 504)).filter(|()| blocks <= MAP_LIMIT / 512).ok_or_else(bad)?;
        is_extended = slice(&block, 504, 1) != [0];
    }
    let size = positive(slice(header, 483, 12)).ok_or_else(bad)?;
    Layout::new(map, size, stored, offset)
}

/// Reads the map of format 1.0: decimal lines in whole blocks, first the number of extents.
#[derive(Default)]
pub(super) struct MapReader {
    text: Vec<u8>,
    lines: usize,
}

impl MapReader {
    pub(super) fn feed(&mut self, block: &[u8]) {
        self.lines = self.lines.saturating_add(block.iter().filter(|byte| **byte == b'\n').count());
        self.text.extend_from_slice(block);
    }

    /// The map, once all of its lines are there.
    pub(super) fn complete(&self, offset: u64) -> Result<Option<Vec<Extent>>, TarError> {
        let bad = || TarError::Field { field: "sparse map", offset };
        let mut lines = self.text.split(|byte| *byte == b'\n');
        if self.lines == 0 {
            return if self.text.is_empty() { Ok(None) } else { Err(bad()) };
        }
        let count = lines.next().and_then(pax::decimal).and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count <= EXTENTS_LIMIT).ok_or_else(bad)?.saturating_mul(2);
        if self.lines <= count {
            return if self.text.len() > MAP_LIMIT { Err(bad()) } else { Ok(None) };
        }
        let numbers: Vec<u64> = lines.take(count).map(pax::decimal).collect::<Option<_>>().ok_or_else(bad)?;
        Extent::pairs(&numbers).map(Some).ok_or_else(bad)
    }
}
