use std::ops::Range;

/// A byte range of a file, kept as the stream passes it. It holds what came without a gap from its start on.
#[derive(Debug)]
pub(super) struct Window {
    start: u64,
    end: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// A window on `range`, filled with what the file's `head` already has of it.
    pub(super) fn new(range: Range<u64>, head: &[u8]) -> Self {
        let mut window = Self { start: range.start, end: range.end.max(range.start), bytes: Vec::new() };
        window.take(0, head);
        window
    }

    /// Takes what it wants of `chunk`, which lies at `position`.
    pub(super) fn take(&mut self, position: u64, chunk: &[u8]) {
        let skip = self.next().checked_sub(position).and_then(|skip| usize::try_from(skip).ok());
        let room = usize::try_from(self.end.saturating_sub(self.next())).unwrap_or(usize::MAX);
        if let Some(wanted) = skip.and_then(|skip| chunk.get(skip..)) {
            self.bytes.extend_from_slice(wanted.get(..room).unwrap_or(wanted));
        }
    }

    /// Where the next byte to take lies.
    pub(super) fn next(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }

    pub(super) fn start(&self) -> u64 {
        self.start
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Ends the window elsewhere. What it holds stays.
    pub(super) fn end_at(&mut self, end: u64) {
        self.end = end;
    }

    /// Whether bytes from `position` on can still fill it, in a file of `size` bytes.
    pub(super) fn wants(&self, position: u64, size: u64) -> bool {
        (position..self.end.min(size)).contains(&self.next())
    }

    /// Whether bytes that it wanted have gone by at `position` without being taken.
    pub(super) fn has_gap(&self, position: u64) -> bool {
        self.next() < position.min(self.end)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it holds from the file's `offset` on.
    pub(super) fn from(&self, offset: u64) -> &[u8] {
        let skip = offset.checked_sub(self.start).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.bytes.get(skip..)).unwrap_or_default()
    }

    pub(super) fn into_bytes(self) -> Box<[u8]> {
        self.bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn keeps_its_range_however_the_bytes_are_cut() {
        let file: Vec<u8> = (0..200).collect();
        for step in [1, 7, 64, 200] {
            let mut window = Window::new(50..120, &file[..60]);
            for (index, chunk) in file[60..].chunks(step).enumerate() {
                window.take(60 + (index * step) as u64, chunk);
            }
            assert_eq!(window.bytes(), &file[50..120]);
            assert_eq!(window.from(100), &file[100..120]);
            assert_eq!(window.from(130), b"");
        }
    }

    #[test]
    fn wants_nothing_once_it_is_full_or_passed() {
        let mut window = Window::new(50..60, b"");
        assert!(window.wants(0, 100) && window.wants(50, 100));
        assert!(!window.wants(51, 100), "its start has gone by");
        assert!(!window.wants(0, 50), "it lies beyond the end");
        window.take(40, &[7; 40]);
        assert!(!window.wants(55, 100));
        assert_eq!(window.bytes(), [7; 10]);
        assert!(Window::new(50..60, b"").has_gap(51) && !Window::new(50..50, b"").has_gap(51));
        assert!(Window::new(5..60, &[7; 10]).has_gap(11) && !Window::new(5..60, &[7; 10]).has_gap(10));
    }
}
