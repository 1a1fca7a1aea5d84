//! Variables in a Dockerfile's own words, as BuildKit expands them (`frontend/dockerfile/shell/lex.go`).

use std::ops::Range;

use crate::format::dockerfile::Text;
use crate::format::shell::patterns::{MOST_EDITED, replaced, trimmed};

use super::value::Value;

/// `${a:-${b:-…}}` is not followed deeper than this.
const MAX_DEPTH: usize = 8;

/// Says what a variable is, given its name and the bytes of the file that name it; nothing where it is not set.
pub(super) type Lookup<'a> = dyn FnMut(&str, Range<usize>) -> Option<Value> + 'a;

/// A word without its quotes and with its variables' values.
pub(super) fn expand(word: &Text, escape: char, lookup: &mut Lookup<'_>) -> Value {
    Expander { word, escape, lookup, depth: 0 }.all(0..word.as_str().len())
}

struct Expander<'a, 'b> {
    word: &'a Text,
    escape: char,
    lookup: &'a mut Lookup<'b>,
    depth: usize,
}

impl Expander<'_, '_> {
    fn all(&mut self, range: Range<usize>) -> Value {
        let word = self.word;
        let text = word.as_str().get(range.clone()).unwrap_or_default();
        let mut value = Value::default();
        let mut quote = None;
        let mut plain = range.start;
        let mut skip = 0;
        for (offset, letter) in text.char_indices() {
            let at = range.start.saturating_add(offset);
            if at < skip {
                continue;
            }
            let next = at.saturating_add(letter.len_utf8());
            let after = word.as_str().get(next..range.end).and_then(|rest| rest.chars().next());
            let resume = match (letter, quote) {
                ('\'', None) | ('"', None) => {
                    quote = Some(letter);
                    next
                }
                (_, Some(open)) if letter == open => {
                    quote = None;
                    next
                }
                (_, Some('\'')) => continue,
                (_, _)
                    if letter == self.escape
                        && after.is_some_and(|after| quote.is_none() || matches!(after, '"' | '$') || after == letter) =>
                {
                    // The letter behind it stands for itself.
                    value.push(&self.literal(plain..at));
                    plain = next;
                    skip = next.saturating_add(after.map_or(0, char::len_utf8));
                    continue;
                }
                ('$', _) => match self.variable(at, range.end) {
                    Some((end, expanded)) => {
                        value.push(&self.literal(plain..at));
                        value.push(&expanded);
                        (plain, skip) = (end, end);
                        continue;
                    }
                    None => continue,
                },
                _ => continue,
            };
            value.push(&self.literal(plain..at));
            (plain, skip) = (resume, resume);
        }
        value.push(&self.literal(plain..range.end));
        value
    }

    fn literal(&self, range: Range<usize>) -> Value {
        let text = self.word.as_str().get(range.clone()).unwrap_or_default();
        if text.is_empty() { Value::default() } else { Value::written(text, self.word.in_file(range)) }
    }

    /// The variable at a `$`: where it ends, and its value.
    fn variable(&mut self, at: usize, limit: usize) -> Option<(usize, Value)> {
        let rest = self.word.as_str().get(at.saturating_add(1)..limit)?;
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if !rest.starts_with('{') {
            let length = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
            let name = rest.get(..length).filter(|name| !name.is_empty())?;
            let end = at.saturating_add(1).saturating_add(length);
            let place = self.word.in_file(at..end);
            return Some((end, (self.lookup)(name, place).unwrap_or_default()));
        }
        let inside = rest.get(1..)?;
        let length = inside.find(|letter| !is_name(letter)).unwrap_or(inside.len());
        let name = inside.get(..length).filter(|name| !name.is_empty())?;
        let close = closing(inside)?;
        let end = at.saturating_add(3).saturating_add(close);
        let place = self.word.in_file(at..end);
        let named = (self.lookup)(name, place);
        let operator = inside.get(length..close)?;
        if operator.is_empty() {
            return Some((end, named.unwrap_or_default()));
        }
        let start = at.saturating_add(2).saturating_add(length);
        self.depth += 1;
        let value = if self.depth > MAX_DEPTH { Value::unknown(false) } else { self.modified(named, operator, start) };
        self.depth -= 1;
        Some((end, value))
    }

    /// `${NAME:-word}` and the like; `start` is where the operator stands.
    fn modified(&mut self, named: Option<Value>, operator: &str, start: usize) -> Value {
        let symbols = [":-", ":+", ":?", "##", "%%", "//", "-", "+", "?", "#", "%", "/"];
        let Some(symbol) = symbols.into_iter().find(|symbol| operator.starts_with(symbol)) else { return Value::unknown(false) };
        let operand = start.saturating_add(symbol.len())..start.saturating_add(operator.len());
        let is_absent = match &named {
            None => Some(true),
            Some(value) if symbol.starts_with(':') => value.is_empty(),
            Some(_) => Some(false),
        };
        match symbol {
            ":-" | "-" => match is_absent {
                Some(true) => self.all(operand),
                Some(false) => named.unwrap_or_default(),
                None => Value::unknown(named.is_some_and(|value| value.varies())),
            },
            ":+" | "+" => match is_absent {
                Some(true) => Value::default(),
                Some(false) => self.all(operand),
                None => Value::unknown(named.is_some_and(|value| value.varies())),
            },
            ":?" | "?" => named.unwrap_or_default(),
            _ => self.cut(&named.unwrap_or_default(), symbol, operand),
        }
    }

    fn cut(&mut self, value: &Value, symbol: &str, operand: Range<usize>) -> Value {
        let text = self.all(operand).text();
        let old = value.text().filter(|text| text.len() <= MOST_EDITED);
        let (Some(old), Some(text)) = (old, text) else { return Value::unknown(value.varies()) };
        let new = match text.split_once('/') {
            Some((pattern, with)) if symbol.starts_with('/') => {
                replaced(old.as_bytes(), pattern.as_bytes(), with.as_bytes(), symbol == "//")
            }
            _ if symbol.starts_with('/') => replaced(old.as_bytes(), text.as_bytes(), b"", symbol == "//"),
            _ => trimmed(old.as_bytes(), text.as_bytes(), symbol),
        };
        let new = String::from_utf8_lossy(&new).into_owned();
        value.edited(|_| new).unwrap_or_else(|| Value::unknown(value.varies()))
    }
}

/// The brace that closes a `${` whose inside this is.
fn closing(inside: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in inside.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::expand;
    use crate::format::dockerfile::{Arguments, Dockerfile};
    use crate::lint::dockerfile::value::Value;

    fn expanded(value: &str) -> String {
        let dockerfile = Dockerfile::parse(&format!("FROM scratch\nENV X={value}\n"));
        let Arguments::Pairs(pairs) = &dockerfile.instructions[1].arguments else { panic!("{dockerfile:?}") };
        let mut lookup = |name: &str, _| match name {
            "A" => Some(Value::supplied("one", false)),
            "EMPTY" => Some(Value::default()),
            _ => None,
        };
        expand(pairs[0].value.as_ref().unwrap(), '\\', &mut lookup).masked()
    }

    #[test]
    fn words_are_expanded_as_buildkit_does() {
        for (word, value) in [
            ("a$A.b", "aone.b"),
            ("${A}x", "onex"),
            ("\"$A b\"'$A'", "one b$A"),
            ("\\$A\\\"", "$A\""),
            ("${B:-d}${EMPTY:-e}${EMPTY-f}", "de"),
            ("${A:+y}${B:+z}", "y"),
            ("${A%e}${A#o}${A/n/m}", "onneome"),
            ("${B:-${A:-x}}", "one"),
            ("$", "$"),
        ] {
            assert_eq!(expanded(word), value, "{word}");
        }
    }
}
