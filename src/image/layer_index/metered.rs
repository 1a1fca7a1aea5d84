use std::io::{self, Read};

use crate::base::{Algorithm, Hasher};

use super::Measured;

/// A stream that is counted, and hashed where asked, as it passes; it remembers how it ended.
pub(super) struct Metered<R> {
    inner: R,
    size: u64,
    hasher: Option<Hasher>,
    limit: u64,
    end: Option<End>,
}

/// How a stream ended.
pub(super) enum End {
    /// It was read to its end.
    Complete,
    /// It is longer than the limit, of which this is told.
    TooLong(String),
    /// Reading failed.
    Failed(io::Error),
}

impl<R: Read> Metered<R> {
    pub(super) fn new(inner: R, hash: Option<Algorithm>, limit: u64) -> Self {
        Self { inner, size: 0, hasher: hash.map(Hasher::new), limit, end: None }
    }

    /// The whole stream's size and digest (`None` unless it was read to its end), and how it ended.
    pub(super) fn finish(self) -> (Option<Measured>, Option<End>) {
        let is_complete = matches!(self.end, Some(End::Complete));
        let measured = is_complete.then(|| Measured { size: self.size, digest: self.hasher.map(Hasher::finish) });
        (measured, self.end)
    }

    pub(super) fn is_too_long(&self) -> bool {
        matches!(self.end, Some(End::TooLong(_)))
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.end {
            Some(End::Complete) => return Ok(0),
            Some(End::TooLong(_) | End::Failed(_)) => return Err(io::ErrorKind::Other.into()),
            None => {}
        }
        match self.inner.read(buffer) {
            Ok(0) if !buffer.is_empty() => self.end = Some(End::Complete),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                self.end = Some(End::TooLong(error.to_string()));
                return Err(error);
            }
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.end = Some(End::Failed(error));
                return Err(told);
            }
            Ok(count) => {
                self.size = self.size.saturating_add(count as u64);
                if self.size > self.limit {
                    self.end = Some(End::TooLong(format!("more than {} bytes", self.limit)));
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                if let Some(hasher) = &mut self.hasher {
                    hasher.update(buffer.get(..count).unwrap_or_default());
                }
                return Ok(count);
            }
        }
        Ok(0)
    }
}
