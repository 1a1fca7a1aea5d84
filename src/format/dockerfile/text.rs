use std::ops::Range;

/// A text that stands in the file in pieces, because continuations, comments or quotes were taken out between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    text: String,
    /// In order, and never empty but in [`Text::default`].
    pieces: Vec<Piece>,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// Where it begins in the text.
    at: usize,
    /// Its bytes in the file: as many as in the text, unless it is an escape.
    span: Range<usize>,
}

impl Text {
    /// An empty text at a place of the file.
    pub(super) fn at(place: usize) -> Self {
        Self { text: String::new(), pieces: vec![Piece { at: 0, span: place..place }] }
    }

    /// Adds `text`, which stands at `span` of the file.
    pub(super) fn push(&mut self, text: &str, span: Range<usize>) {
        if text.is_empty() {
            return;
        }
        let (at, length) = (self.text.len(), text.len());
        self.text.push_str(text);
        // What goes on where the last piece ends needs no piece of its own.
        match self.pieces.last_mut() {
            Some(last)
                if last.span.end == span.start && span.len() == length && last.span.len() == at.saturating_sub(last.at) =>
            {
                last.span.end = span.end;
            }
            Some(last) if last.at == at => *last = Piece { at, span },
            _ => self.pieces.push(Piece { at, span }),
        }
    }

    /// Adds another text of the same file.
    pub(super) fn append(&mut self, other: &Self) {
        for (place, piece) in other.pieces.iter().enumerate() {
            self.push(other.text.get(other.range_of(place)).unwrap_or_default(), piece.span.clone());
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bytes of the file from its beginning to its end.
    pub fn span(&self) -> Range<usize> {
        self.in_file(0..self.text.len())
    }

    /// Where bytes of the text stand in the file; what was taken out between them is included.
    pub fn in_file(&self, range: Range<usize>) -> Range<usize> {
        let start = self.place_of(range.start).0;
        match range.end.checked_sub(1).filter(|last| *last >= range.start) {
            Some(last) => start..self.place_of(last).1.max(start),
            None => start..start,
        }
    }

    /// Whether bytes of the text stand in the file just so, with nothing in between.
    pub fn is_verbatim(&self, range: Range<usize>) -> bool {
        let touched = |place: &usize| {
            let own = self.range_of(*place);
            own.start < range.end && range.start < own.end
        };
        let mut pieces = (0..self.pieces.len()).filter(touched);
        let first = pieces.next();
        let is_plain =
            first.is_none_or(|place| self.pieces.get(place).is_some_and(|it| it.span.len() == self.range_of(place).len()));
        is_plain && pieces.next().is_none()
    }

    /// A part of it.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let mut part = Self::at(self.place_of(range.start).0);
        let first = self.pieces.partition_point(|piece| piece.at <= range.start).saturating_sub(1);
        for (place, piece) in self.pieces.iter().enumerate().skip(first).take_while(|(_, piece)| piece.at < range.end) {
            let own = self.range_of(place);
            let shared = own.start.max(range.start)..own.end.min(range.end);
            let span = if piece.span.len() == own.len() { self.in_file(shared.clone()) } else { piece.span.clone() };
            part.push(self.text.get(shared).unwrap_or_default(), span);
        }
        part
    }

    /// Without white space at both ends.
    pub(super) fn trimmed(&self) -> Self {
        let start = self.text.len().saturating_sub(self.text.trim_start().len());
        self.slice(start..start.saturating_add(self.text.trim().len()))
    }

    /// The bytes of a piece in the text.
    fn range_of(&self, place: usize) -> Range<usize> {
        let start = self.pieces.get(place).map_or(0, |piece| piece.at);
        start..self.pieces.get(place.saturating_add(1)).map_or(self.text.len(), |next| next.at)
    }

    /// Where a byte of the text begins and ends in the file.
    fn place_of(&self, byte: usize) -> (usize, usize) {
        let place = self.pieces.partition_point(|piece| piece.at <= byte).saturating_sub(1);
        let Some(piece) = self.pieces.get(place) else { return (0, 0) };
        if piece.span.len() != self.range_of(place).len() {
            return if byte >= self.text.len() { (piece.span.end, piece.span.end) } else { (piece.span.start, piece.span.end) };
        }
        let start = piece.span.start.saturating_add(byte.saturating_sub(piece.at)).min(piece.span.end);
        (start, start.saturating_add(1).min(piece.span.end))
    }
}
