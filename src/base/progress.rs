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
