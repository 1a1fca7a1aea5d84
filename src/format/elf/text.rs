//! One text that is looked for in a file as it passes.

/// Looks for a text in a file's first bytes, however they are cut into chunks.
#[derive(Debug)]
pub(super) struct Search {
    text: &'static [u8],
    end: u64,
    /// The last bytes seen, in which the text may have begun.
    carried: Vec<u8>,
    is_found: bool,
}

impl Search {
    /// Looks for `text` before `end`, in a file that begins with `head`.
    pub(super) fn new(text: &'static [u8], end: u64, head: &[u8]) -> Self {
        let mut search = Self { text, end, carried: Vec::new(), is_found: false };
        search.take(head);
        search
    }

    /// Whether bytes from `position` on can still tell more, in a file of `size` bytes.
    pub(super) fn wants(&self, position: u64, size: u64) -> bool {
        !self.is_found && position < self.end.min(size)
    }

    /// Takes the next bytes.
    pub(super) fn take(&mut self, chunk: &[u8]) {
        if self.is_found {
            return;
        }
        let most = self.text.len().saturating_sub(1);
        let start = chunk.get(..most).unwrap_or(chunk);
        self.carried.extend_from_slice(start);
        let is_in = |bytes: &[u8]| memchr::memmem::find(bytes, self.text).is_some();
        self.is_found = is_in(&self.carried) || is_in(chunk);
        self.carried.extend_from_slice(chunk.get(start.len()..).map(|rest| last(rest, most)).unwrap_or_default());
        self.carried.drain(..self.carried.len().saturating_sub(most));
    }

    pub(super) fn is_found(&self) -> bool {
        self.is_found
    }
}

fn last(bytes: &[u8], count: usize) -> &[u8] {
    bytes.get(bytes.len().saturating_sub(count)..).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[test]
    fn a_text_is_found_however_the_bytes_are_cut() {
        let file = b"one too many: kernel too old, it says";
        for (text, expected) in [(b"kernel too old".as_slice(), true), (b"kernel too new", false), (b"says", true), (b"o", true)]
        {
            for step in 1..=file.len() {
                let mut search = Search::new(text, file.len() as u64, &file[..step.min(3)]);
                for chunk in file[step.min(3)..].chunks(step) {
                    search.take(chunk);
                }
                assert_eq!(search.is_found(), expected, "{text:?} in chunks of {step}");
            }
        }
        assert!(!Search::new(b"x", 10, b"").wants(10, 20) && Search::new(b"x", 10, b"").wants(9, 20));
    }
}
