use std::ops::Range;

/// Stands for what is not known in [`Value::masked`]; no architecture's name contains it.
pub(super) const HOLE: char = '\u{fffd}';
/// Longer values are cut off: nothing that is looked for is that long.
const MAX_LENGTH: usize = 16 << 10;
/// More parts than this are not kept apart.
const MAX_PARTS: usize = 400;

/// A text as a build computes it: stretches whose bytes in the Dockerfile are known, and holes where the text is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    parts: Vec<Part>,
}

/// A stretch of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// `None` where it is not known.
    text: Option<String>,
    /// The bytes of the Dockerfile that say it, where some do.
    origin: Option<Range<usize>>,
    /// Whether it would differ on another architecture, or may.
    varies: bool,
    /// Whether it is the default of an argument, which whoever builds may change.
    is_default: bool,
}

impl Value {
    /// A text that stands in the Dockerfile.
    pub(super) fn written(text: impl Into<String>, origin: Range<usize>) -> Self {
        Self::of(Part { text: Some(text.into()), origin: Some(origin), varies: false, is_default: false })
    }

    /// A text that a program or the builder supplies.
    pub(super) fn supplied(text: impl Into<String>, varies: bool) -> Self {
        Self::of(Part { text: Some(text.into()), origin: None, varies, is_default: false })
    }

    /// A text that is not known.
    pub(super) fn unknown(varies: bool) -> Self {
        Self { parts: vec![Part { text: None, origin: None, varies, is_default: false }] }
    }

    fn of(part: Part) -> Self {
        let parts = if part.text.as_ref().is_some_and(String::is_empty) && !part.varies { Vec::new() } else { vec![part] };
        Self { parts }
    }

    /// Puts `other` behind it.
    pub(super) fn push(&mut self, other: &Self) {
        if self.length() > MAX_LENGTH || self.parts.len() > MAX_PARTS {
            return;
        }
        self.parts.extend(other.parts.iter().cloned());
    }

    /// Both, in this order.
    pub(super) fn then(mut self, other: &Self) -> Self {
        self.push(other);
        self
    }

    fn length(&self) -> usize {
        self.parts.iter().map(|part| part.text.as_ref().map_or(1, String::len)).sum()
    }

    /// The whole text, if all of it is known.
    pub(super) fn text(&self) -> Option<String> {
        self.parts.iter().map(|part| part.text.as_deref()).collect()
    }

    /// The text with [`HOLE`] for each part that is not known.
    pub(super) fn masked(&self) -> String {
        self.parts.iter().map(|part| part.text.clone().unwrap_or_else(|| HOLE.to_string())).collect()
    }

    /// Whether nothing in it is known.
    pub(super) fn is_unknown(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| part.text.is_none())
    }

    /// Whether it is known to be empty; `None` where that depends on what is not known.
    pub(super) fn is_empty(&self) -> Option<bool> {
        if self.parts.iter().any(|part| part.text.as_ref().is_some_and(|text| !text.is_empty())) {
            return Some(false);
        }
        self.parts.iter().all(|part| part.text.is_some()).then_some(true)
    }

    /// Whether any of it would differ on another architecture, or may.
    pub(super) fn varies(&self) -> bool {
        self.parts.iter().any(|part| part.varies)
    }

    /// Whether any of `range` (of [`Self::masked`]) would.
    pub(super) fn varies_in(&self, range: &Range<usize>) -> bool {
        self.within(range).any(|(part, _)| part.varies)
    }

    /// The same text, marked as the default of an argument.
    pub(super) fn into_default(mut self) -> Self {
        self.parts.iter_mut().for_each(|part| part.is_default = true);
        self
    }

    /// Whether any of it is the default of an argument.
    pub(super) fn is_default(&self) -> bool {
        self.parts.iter().any(|part| part.is_default)
    }

    /// The same text, marked as chosen by the architecture.
    pub(super) fn chosen(mut self) -> Self {
        self.parts.iter_mut().for_each(|part| part.varies = true);
        self
    }

    /// The parts that touch `range`, with where each begins.
    fn within(&self, range: &Range<usize>) -> impl Iterator<Item = (&Part, usize)> {
        let mut at = 0_usize;
        let range = range.clone();
        self.parts.iter().filter_map(move |part| {
            let start = at;
            at = start.saturating_add(part.text.as_ref().map_or(HOLE.len_utf8(), String::len));
            (start < range.end && range.start < at).then_some((part, start))
        })
    }

    /// The bytes of the Dockerfile that say `range` of [`Self::masked`]: exact where the text stands there letter for letter,
    /// else all of the stretch that it comes from.
    pub(super) fn origin(&self, range: Range<usize>) -> Option<Range<usize>> {
        let mut origins = self.within(&range).filter_map(|(part, start)| {
            let (origin, length) = (part.origin.clone()?, part.text.as_ref()?.len());
            if origin.len() != length {
                return Some(origin);
            }
            let from = range.start.saturating_sub(start);
            let to = range.end.saturating_sub(start).min(length);
            Some(origin.start.saturating_add(from)..origin.start.saturating_add(to))
        });
        let first = origins.next()?;
        // What was written in pieces of one word is underlined whole; what was put together from afar is not.
        let joined = origins
            .fold(first, |all, next| if next.start >= all.end && next.start < all.end + 8 { all.start..next.end } else { all });
        Some(joined)
    }

    /// What `edit` makes of the text: where it was one stretch and stays a part of it, its place stays known.
    pub(super) fn edited(&self, edit: impl FnOnce(&str) -> String) -> Option<Self> {
        let text = self.text()?;
        let new = edit(&text);
        if new == text {
            return Some(self.clone());
        }
        if let Some(at) = text.find(&new).filter(|_| !new.is_empty()) {
            return Some(self.part(at..at.saturating_add(new.len())));
        }
        let origin = self.parts.iter().find_map(|part| part.origin.clone());
        Some(Self::of(Part { text: Some(new), origin, varies: self.varies(), is_default: self.is_default() }))
    }

    /// A part of it, in bytes of [`Self::masked`].
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        let mut parts = Vec::new();
        for (part, start) in self.within(&range) {
            let Some(text) = &part.text else {
                parts.push(part.clone());
                continue;
            };
            let from = range.start.saturating_sub(start);
            let to = range.end.saturating_sub(start).min(text.len());
            let origin = part.origin.clone().map(|origin| {
                let exact = origin.start.saturating_add(from)..origin.start.saturating_add(to);
                if origin.len() == text.len() { exact } else { origin }
            });
            parts.push(Part { text: text.get(from..to).map(ToOwned::to_owned), origin, varies: part.varies, is_default: false });
        }
        Self { parts }
    }

    /// Splits it at the bytes for which `is_separator` holds; nothing is left between two of them.
    pub(super) fn split(&self, is_separator: impl Fn(char) -> bool) -> Vec<Self> {
        let masked = self.masked();
        let mut fields = Vec::new();
        let mut start = None;
        for (at, letter) in masked.char_indices().chain([(masked.len(), '\0')]) {
            let ends = at == masked.len() || is_separator(letter);
            match (ends, start) {
                (true, Some(from)) => {
                    fields.push(self.part(from..at));
                    start = None;
                }
                (false, None) => start = Some(at),
                _ => {}
            }
        }
        fields
    }

    /// Whether both are the same text.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.masked() == other.masked() && self.text().is_some()
    }

    /// The stretches of [`Self::masked`] that would differ on another architecture, neighbours joined.
    pub(super) fn varying(&self) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut at = 0_usize;
        for part in &self.parts {
            let end = at.saturating_add(part.text.as_ref().map_or(HOLE.len_utf8(), String::len));
            match found.last_mut() {
                Some(last) if part.varies && last.end == at => last.end = end,
                _ if part.varies => found.push(at..end),
                _ => {}
            }
            at = end;
        }
        found
    }
}
