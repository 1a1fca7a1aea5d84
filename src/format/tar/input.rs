use std::io::{ErrorKind, Read, Seek, SeekFrom};

use super::TarError;
use super::header::BLOCK;

/// 64 KiB before and 256 KiB after decompression were the fastest pair that was measured.
const BUFFER: usize = 256 << 10;

/// A stream with a buffer and a position.
pub(super) struct Input<R> {
    inner: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    offset: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, buffer: vec![0; BUFFER].into_boxed_slice(), start: 0, end: 0, offset: 0 }
    }

    /// Bytes given out so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Makes sure that there are bytes in the buffer, unless the stream has ended; how many.
    pub(super) fn fill(&mut self) -> Result<usize, TarError> {
        while self.start >= self.end {
            match self.inner.read(&mut self.buffer) {
                Ok(0) => return Ok(0),
                Ok(count) => (self.start, self.end) = (0, count.min(self.buffer.len())),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(TarError::Read(error.to_string())),
            }
        }
        Ok(self.end.saturating_sub(self.start))
    }

    /// Up to `limit` next bytes; empty only at the stream's end or for a limit of 0.
    pub(super) fn piece(&mut self, limit: u64) -> Result<&[u8], TarError> {
        if limit == 0 {
            return Ok(&[]);
        }
        let available = self.fill()?;
        let count = usize::try_from(limit).unwrap_or(usize::MAX).min(available);
        let piece = self.buffer.get(self.start..self.start.saturating_add(count)).unwrap_or_default();
        self.start = self.start.saturating_add(piece.len());
        self.offset = self.offset.saturating_add(piece.len() as u64);
        Ok(piece)
    }

    /// Passes over `count` bytes; how many there were.
    pub(super) fn skip(&mut self, count: u64) -> Result<u64, TarError> {
        let mut left = count;
        while left > 0 {
            let passed = self.piece(left)?.len() as u64;
            if passed == 0 {
                break;
            }
            left = left.saturating_sub(passed);
        }
        Ok(count.saturating_sub(left))
    }

    /// The next block, or `None` at the stream's end.
    pub(super) fn block(&mut self) -> Result<Option<[u8; BLOCK as usize]>, TarError> {
        let mut block = [0; BLOCK as usize];
        let mut rest = block.as_mut_slice();
        while !rest.is_empty() {
            let missing = rest.len() as u64;
            let piece = self.piece(missing)?;
            let Some((filled, empty)) = rest.split_at_mut_checked(piece.len()) else { break };
            if filled.is_empty() {
                return match missing {
                    BLOCK => Ok(None),
                    _ => Err(TarError::Truncated { path: "a tar header".to_owned(), missing }),
                };
            }
            filled.copy_from_slice(piece);
            rest = empty;
        }
        Ok(Some(block))
    }
}

impl<R: Read + Seek> Input<R> {
    /// Passes over `count` bytes without reading what is not in the buffer; also past the stream's end.
    pub(super) fn seek(&mut self, count: u64) -> Result<(), TarError> {
        let buffered = self.end.saturating_sub(self.start).min(usize::try_from(count).unwrap_or(usize::MAX));
        self.start = self.start.saturating_add(buffered);
        let rest = count.saturating_sub(buffered as u64);
        if rest > 0 {
            let distance = i64::try_from(rest).map_err(|error| TarError::Read(error.to_string()))?;
            self.inner.seek(SeekFrom::Current(distance)).map_err(|error| TarError::Read(error.to_string()))?;
        }
        self.offset = self.offset.saturating_add(count);
        Ok(())
    }
}
