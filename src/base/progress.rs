use std::io::{self, Read};

/// Who wants to know how far a long work is. Called from several threads.
pub trait Progress: Sync {
    /// A piece of work of `bytes` bytes begins (`None`: size unknown); `what` names it for a person.
    fn begin(&self, what: &str, bytes: Option<u64>);
    /// `bytes` more have been read.
    fn advance(&self, bytes: u64);
    /// A detail for `-v`.
    fn note(&self, message: &str);
}

/// Nobody wants to know.
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
}

/// Bytes that are told of as they pass.
pub struct Watched<'a, R> {
    bytes: R,
    progress: &'a dyn Progress,
    passed: u64,
}

impl<'a, R> Watched<'a, R> {
    /// The same bytes, told to `progress`.
    pub fn new(bytes: R, progress: &'a dyn Progress) -> Self {
        Self { bytes, progress, passed: 0 }
    }

    /// How many have passed.
    pub fn passed(&self) -> u64 {
        self.passed
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.progress.advance(count as u64);
        self.passed = self.passed.saturating_add(count as u64);
        Ok(count)
    }
}
