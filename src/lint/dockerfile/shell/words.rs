//! Words and what they expand to.

use std::ops::Range;

use crate::format::shell::patterns::{MOST_EDITED, glob_matches, replaced, substring, trimmed};
use crate::format::shell::{Operation, Piece, Word};

use super::super::arguments::is_automatic;
use super::super::naming::speaks_of_architecture;
use super::super::value::Value;
use super::{Action, Shell};

impl Shell<'_> {
    /// All words of a command. What is not known stays one field.
    pub(super) fn fields(&mut self, words: &[Word]) -> Vec<Value> {
        let mut fields = Vec::new();
        for word in words {
            self.expand(word, &mut fields);
        }
        fields
    }

    fn expand(&mut self, word: &Word, fields: &mut Vec<Value>) {
        let mut current: Option<Value> = None;
        for piece in &word.0 {
            match piece {
                Piece::Parameter { name, operation: None, .. } if name == "@" || name == "*" => {
                    let mut arguments = self.state.arguments.clone().into_iter();
                    if let Some(first) = arguments.next() {
                        current = Some(current.take().unwrap_or_default().then(&first));
                    }
                    for argument in arguments {
                        fields.extend(current.replace(argument));
                    }
                }
                Piece::Parameter { quoted: false, .. } | Piece::Output { quoted: false, .. } => {
                    let value = self.piece(piece);
                    split(&value, &mut current, fields);
                }
                _ => {
                    let value = self.piece(piece);
                    current = Some(current.take().unwrap_or_default().then(&value));
                }
            }
        }
        fields.extend(current);
    }

    /// A word as one value, without being split.
    pub(super) fn single(&mut self, word: &Word) -> Value {
        let mut all = Value::default();
        for piece in &word.0 {
            let value = self.piece(piece);
            all.push(&value);
        }
        all
    }

    fn piece(&mut self, piece: &Piece) -> Value {
        match piece {
            Piece::Text { text, place, .. } => {
                let text = String::from_utf8_lossy(text).into_owned();
                match self.source.place(place.clone()) {
                    Some(origin) => Value::written(text, origin),
                    None => Value::supplied(text, false),
                }
            }
            Piece::Parameter { name, operation, place, .. } => self.parameter(name, operation.as_ref(), place),
            Piece::Output { statements, .. } => self.captured(statements),
            Piece::Unread => Value::unknown(false),
        }
    }

    /// `$NAME`; `None` where nothing here sets it.
    fn named(&mut self, name: &str, place: &Range<usize>) -> Option<Value> {
        match name {
            "@" | "*" => {
                let arguments = self.state.arguments.clone();
                let mut all = Value::default();
                for (index, argument) in arguments.iter().enumerate() {
                    if index > 0 {
                        all.push(&Value::supplied(" ", false));
                    }
                    all.push(argument);
                }
                Some(all)
            }
            "#" => Some(Value::supplied(self.state.arguments.len().to_string(), false)),
            "0" | "?" | "$" | "!" | "-" | "_" => Some(Value::unknown(false)),
            _ => match name.parse::<usize>() {
                Ok(number) => Some(self.state.arguments.get(number.saturating_sub(1)).cloned().unwrap_or_default()),
                Err(_) => self.variable(name, place),
            },
        }
    }

    fn variable(&mut self, name: &str, place: &Range<usize>) -> Option<Value> {
        if let Some(value) = self.state.variables.get(name) {
            return Some(value.clone());
        }
        if matches!(name, "HOSTTYPE" | "MACHTYPE") {
            return Some(Value::unknown(true));
        }
        if !is_automatic(name) {
            return None;
        }
        let place = self.source.place(place.clone());
        self.event(Action::Undeclared { name: name.to_owned() }, place);
        Some(Value::default())
    }

    fn parameter(&mut self, name: &str, operation: Option<&Operation>, place: &Range<usize>) -> Value {
        let named = self.named(name, place);
        let Some(Operation { operator, operands }) = operation else {
            return named.unwrap_or_else(|| Value::unknown(speaks_of_architecture(name)));
        };
        let operand = operands.first().cloned().unwrap_or_default();
        let is_colon = operator.starts_with(':');
        let is_absent = match &named {
            None => Some(true),
            Some(value) if is_colon => value.is_empty(),
            Some(_) => Some(false),
        };
        match operator.as_str() {
            ":-" | "-" | ":=" | "=" | ":?" | "?" => match is_absent {
                Some(true) if operator.ends_with('?') => Value::unknown(false),
                Some(true) => {
                    let other = self.single(&operand);
                    if operator.ends_with('=') {
                        self.assign(name, other.clone());
                    }
                    other
                }
                Some(false) => named.unwrap_or_default(),
                None => Value::unknown(named.is_some_and(|value| value.varies()) || speaks_of_architecture(name)),
            },
            ":+" | "+" => match is_absent {
                Some(true) => Value::default(),
                Some(false) => self.single(&operand),
                None => Value::unknown(named.is_some_and(|value| value.varies())),
            },
            _ => {
                let value = named.unwrap_or_else(|| Value::unknown(speaks_of_architecture(name)));
                self.cut(&value, operator, operands)
            }
        }
    }

    /// `${NAME%…}` and its kin.
    fn cut(&mut self, value: &Value, operator: &str, operands: &[Word]) -> Value {
        let patterns: Vec<Option<Vec<u8>>> = operands.iter().map(|operand| self.pattern(operand)).collect();
        let first = patterns.first().cloned().flatten();
        let text = value.text().filter(|text| text.len() <= MOST_EDITED);
        let (Some(text), true) = (text, patterns.iter().all(Option::is_some)) else { return Value::unknown(value.varies()) };
        let bytes = text.as_bytes();
        let new = match operator {
            "#" | "##" | "%" | "%%" => first.map(|pattern| trimmed(bytes, &pattern, operator)),
            "/" | "//" => {
                let with = operands.get(1).map(|word| self.single(word));
                let with = with.map_or(Some(String::new()), |with| with.text());
                first.zip(with).map(|(pattern, with)| replaced(bytes, &pattern, with.as_bytes(), operator == "//"))
            }
            ":" => {
                let numbers: Option<Vec<usize>> =
                    operands.iter().map(|word| String::from_utf8(word.literal()?).ok()?.trim().parse().ok()).collect();
                numbers.and_then(|numbers| substring(bytes, &numbers))
            }
            ",," => Some(bytes.to_ascii_lowercase()),
            "^^" => Some(bytes.to_ascii_uppercase()),
            "length" => Some(text.chars().count().to_string().into_bytes()),
            _ => None,
        };
        let new = new.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        new.and_then(|new| value.edited(|_| new)).unwrap_or_else(|| Value::unknown(value.varies()))
    }

    /// A word as a pattern, in which what was quoted stands for itself.
    fn pattern(&mut self, word: &Word) -> Option<Vec<u8>> {
        word.pattern(|piece| self.piece(piece).text().map(String::into_bytes))
    }

    pub(super) fn matches(&mut self, value: &Value, pattern: &Word) -> Option<bool> {
        let pattern = self.pattern(pattern)?;
        if pattern == b"*" {
            return Some(true);
        }
        Some(glob_matches(&pattern, value.text()?.as_bytes()))
    }
}

/// Splits an unquoted value at blanks; its first part goes on what stands before it.
fn split(value: &Value, current: &mut Option<Value>, fields: &mut Vec<Value>) {
    let is_blank = |letter: char| matches!(letter, ' ' | '\t' | '\n');
    let masked = value.masked();
    if masked.starts_with(is_blank) {
        fields.extend(current.take());
    }
    let parts = value.split(is_blank);
    let count = parts.len();
    for (index, part) in parts.into_iter().enumerate() {
        *current = Some(current.take().unwrap_or_default().then(&part));
        if index + 1 < count {
            fields.extend(current.take());
        }
    }
    if masked.len() > 1 && masked.ends_with(is_blank) {
        fields.extend(current.take());
    }
}
