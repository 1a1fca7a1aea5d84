use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::{Algorithm, Hasher};

use super::{Limits, Measured};

/// A stream that is counted, and hashed where asked, as it passes; it remembers how it ended.
pub(super) struct Metered<R> {
    inner: R,
    size: u64,
    /// The size, for whoever reads from this stream through others.
    count: Count,
    hasher: Option<Hasher>,
    bound: Option<Bound>,
    end: Option<End>,
}

/// How many bytes of a stream have passed by now.
pub(super) type Count = Arc<AtomicU64>;

/// How long an uncompressed stream may become.
pub(super) struct Bound {
    pub(super) limits: Limits,
    /// What has passed of the stored stream.
    pub(super) stored: Count,
}

impl Bound {
    /// The limit that a stream of this size is over.
    fn met(&self, size: u64) -> Option<String> {
        let Limits { bytes, ratio, ratio_from, .. } = self.limits;
        if size > bytes {
            return Some(format!("more than {bytes} bytes"));
        }
        let stored = self.stored.load(Ordering::Relaxed);
        (size > ratio_from && stored.saturating_mul(ratio) < size)
            .then(|| format!("more than {ratio} times as many bytes as are stored"))
    }
}

/// How a stream ended.
pub(super) enum End {
    /// It was read to its end.
    Complete,
    /// It is longer than this limit.
    TooLong(String),
    /// Reading failed.
    Failed(io::Error),
}

impl<R: Read> Metered<R> {
    pub(super) fn new(inner: R, hash: Option<Algorithm>, bound: Option<Bound>) -> Self {
        Self { inner, size: 0, count: Count::default(), hasher: hash.map(Hasher::new), bound, end: None }
    }

    pub(super) fn count(&self) -> Count {
        self.count.clone()
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
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.end = Some(End::Failed(error));
                return Err(told);
            }
            Ok(count) => {
                self.size = self.size.saturating_add(count as u64);
                self.count.store(self.size, Ordering::Relaxed);
                if let Some(limit) = self.bound.as_ref().and_then(|bound| bound.met(self.size)) {
                    self.end = Some(End::TooLong(limit));
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
