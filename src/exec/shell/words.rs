//! Words: expansion, patterns and tests.

use crate::format::shell::{Operation, Piece, Word};
use crate::image::EntryKind;

use super::{Shell, Value};
use crate::format::shell::patterns::{MOST_EDITED, glob_matches, replaced, substring, trimmed};

/// What words expand to.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    pub(super) values: Vec<Value>,
    /// How many more there are is not known.
    pub(super) is_open: bool,
}

impl Fields {
    pub(super) fn known(values: Vec<Value>) -> Self {
        Self { values, is_open: false }
    }
}

/// Fields of one command; more are not told apart from any number.
const MOST_FIELDS: usize = 4096;
/// Bytes of a value that a script puts together.
const MOST_JOINED: usize = 16 << 10;

/// Directories that hold what a running container makes.
const VOLATILE: [&[u8]; 6] = [b"/proc", b"/sys", b"/dev", b"/run", b"/tmp", b"/var/run"];

impl Shell<'_> {
    /// All words of a command, up to the first whose number of fields is not known.
    pub(super) fn fields(&mut self, words: &[Word]) -> Fields {
        let mut fields = Fields::default();
        for word in words {
            if fields.is_open {
                break;
            }
            self.expand(word, &mut fields);
            if fields.values.len() > MOST_FIELDS {
                fields.is_open = true;
            }
        }
        fields
    }

    fn expand(&mut self, word: &Word, fields: &mut Fields) {
        let mut current: Option<Value> = None;
        for piece in &word.0 {
            match piece {
                Piece::Parameter { name, operation: None, quoted: true, .. } if name == "@" => {
                    let Some(arguments) = self.state.arguments.clone() else {
                        fields.values.extend(current.take().map(|_| None));
                        fields.is_open = true;
                        return;
                    };
                    let mut rest = arguments.into_iter();
                    if let Some(first) = rest.next() {
                        join(&mut current, first);
                    }
                    for argument in rest {
                        fields.values.extend(current.replace(argument));
                    }
                }
                Piece::Parameter { name, operation: Some(operation), quoted: true, .. } if name == "@" => {
                    let Some(arguments) = self.some_arguments(operation) else {
                        fields.values.extend(current.take().map(|_| None));
                        fields.is_open = true;
                        return;
                    };
                    fields.values.extend(current.take());
                    fields.values.extend(arguments);
                }
                _ if is_split(piece) => {
                    let split_up = match piece {
                        // Each argument by itself.
                        Piece::Parameter { name, operation: None, .. } if name == "@" || name == "*" => self.known_arguments(),
                        _ => self.value(piece).map(|value| vec![value]),
                    };
                    let Some((values, separators)) = split_up.zip(self.separators()) else {
                        // What stands before it is the beginning of a field whose end is not known.
                        fields.values.extend(current.take().map(|_| None));
                        fields.is_open = true;
                        return;
                    };
                    for (number, value) in values.iter().enumerate() {
                        if number > 0 {
                            fields.values.extend(current.take());
                        }
                        split(value, &separators, &mut current, &mut fields.values);
                    }
                }
                _ => {
                    let value = self.value(piece);
                    let is_pattern = matches!(piece, Piece::Text { text, quoted: false, .. }
                        if text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[')) || text.starts_with(b"~"));
                    join(&mut current, if is_pattern && text_of(piece) != b"[" { None } else { value });
                }
            }
        }
        fields.values.extend(current);
    }

    /// A word as one value, without being split: the right side of an assignment, the word of `case`.
    pub(super) fn single(&mut self, word: &Word) -> Value {
        let mut all = Some(Vec::new());
        for piece in &word.0 {
            let value = match piece {
                Piece::Parameter { name, operation: None, .. } if name == "@" || name == "*" => self.joined_arguments(name),
                _ => self.value(piece),
            };
            all = all.zip(value).and_then(|(all, value)| joined(all, value));
        }
        all
    }

    /// `"${@:2}"`: the arguments from a place on, `$0` being the first.
    fn some_arguments(&self, operation: &Operation) -> Option<Vec<Value>> {
        let [start, rest @ ..] = operation.operands.as_slice() else { return None };
        let number = |word: &Word| String::from_utf8(word.literal()?).ok()?.trim().parse::<usize>().ok();
        let start = number(start).filter(|start| *start > 0 && operation.operator == ":")?;
        let arguments = self.state.arguments.as_ref()?;
        let from = arguments.get(start - 1..).unwrap_or_default();
        let length = match rest.first() {
            Some(length) => number(length)?.min(from.len()),
            None => from.len(),
        };
        from.get(..length).map(<[Value]>::to_vec)
    }

    fn known_arguments(&self) -> Option<Vec<Vec<u8>>> {
        self.state.arguments.clone()?.into_iter().collect()
    }

    /// `$@` and `"$*"` as one value: `$*` has the first character of `IFS` between the arguments.
    fn joined_arguments(&self, name: &str) -> Value {
        let separators = if name == "*" { self.separators()? } else { b" ".to_vec() };
        Some(self.known_arguments()?.join(separators.get(..1).unwrap_or_default()))
    }

    /// `IFS`; where it is not set it is as shells have it at first.
    fn separators(&self) -> Value {
        self.state.variables.get("IFS").cloned().unwrap_or_else(|| Some(super::BLANKS.to_vec()))
    }

    fn value(&mut self, piece: &Piece) -> Value {
        let value = match piece {
            Piece::Text { text, .. } => Some(text.clone()),
            Piece::Parameter { name, operation, .. } => self.parameter(name, operation.as_ref()),
            Piece::Output { statements, .. } => {
                self.depth += 1;
                let output = self.output(statements);
                self.depth -= 1;
                output
            }
            Piece::Unread => None,
        };
        self.spend(value.as_ref().map_or(0, Vec::len));
        value
    }

    /// `$NAME`: its value, and whether it is set.
    fn named(&self, name: &str) -> (Value, Option<bool>) {
        let from_arguments = |value: Option<Value>| match value {
            Some(value) => (value, Some(true)),
            None => (Some(Vec::new()), Some(false)),
        };
        match name {
            "0" => (Some(self.setting.name.clone()), Some(true)),
            "@" | "*" => {
                let is_set = self.state.arguments.as_ref().map(|arguments| !arguments.is_empty());
                (self.joined_arguments(name), is_set)
            }
            "#" => (self.state.arguments.as_ref().map(|arguments| arguments.len().to_string().into_bytes()), Some(true)),
            "BASH_SOURCE" => (Some(self.file.clone().unwrap_or_else(|| self.setting.name.clone())), Some(true)),
            "PWD" => (self.state.cwd.as_ref().map(|cwd| cwd.as_bytes().to_vec()), Some(true)),
            "?" | "$" | "!" | "-" | "_" => (None, Some(true)),
            _ => match name.parse::<usize>() {
                Ok(number) => match &self.state.arguments {
                    Some(arguments) => from_arguments(arguments.get(number.saturating_sub(1)).cloned()),
                    None => (None, None),
                },
                Err(_) => {
                    let is_set = if self.state.variables.contains_key(name) {
                        Some(true)
                    } else {
                        (!self.state.is_tainted).then_some(false)
                    };
                    (self.state.variable(name), is_set)
                }
            },
        }
    }

    fn parameter(&mut self, name: &str, operation: Option<&Operation>) -> Value {
        let Some(Operation { operator, operands }) = operation else { return self.named(name).0 };
        if let Some(operator) = operator.strip_prefix('!') {
            let name = String::from_utf8(self.named(name).0?).ok()?;
            let operation = Operation { operator: operator.to_owned(), operands: operands.clone() };
            return self.parameter(&name, (!operator.is_empty()).then_some(&operation));
        }
        let (value, is_set) = self.named(name);
        let operand = operands.first().cloned().unwrap_or_default();
        let is_list = matches!(name, "@" | "*") && !matches!(operator.as_str(), ":-" | "-" | ":+" | "+");
        if is_list || value.as_ref().is_some_and(|value| value.len() > MOST_EDITED) {
            return None;
        }
        let is_empty = value.as_ref().map(Vec::is_empty);
        match operator.as_str() {
            ":-" | "-" | ":=" | "=" | ":?" | "?" => {
                let is_absent = if operator.starts_with(':') { is_empty } else { is_set.map(|is_set| !is_set) };
                match is_absent {
                    Some(false) => value,
                    Some(true) if operator.ends_with('?') => None,
                    Some(true) => {
                        let other = self.single(&operand);
                        if operator.ends_with('=') {
                            self.assign(name, other.clone());
                        }
                        other
                    }
                    None => None,
                }
            }
            ":+" | "+" => {
                let is_absent = if operator.starts_with(':') { is_empty } else { is_set.map(|is_set| !is_set) };
                match is_absent? {
                    true => Some(Vec::new()),
                    false => self.single(&operand),
                }
            }
            "length" => value.map(|value| String::from_utf8_lossy(&value).chars().count().to_string().into_bytes()),
            "#" | "##" | "%" | "%%" => {
                let pattern = self.pattern(&operand)?;
                Some(trimmed(&value?, &pattern, operator))
            }
            "/" | "//" => {
                let pattern = self.pattern(&operand)?;
                let with = match operands.get(1) {
                    Some(with) => self.single(with)?,
                    None => Vec::new(),
                };
                Some(replaced(&value?, &pattern, &with, operator == "//"))
            }
            ":" => {
                let numbers: Option<Vec<usize>> =
                    operands.iter().map(|word| String::from_utf8(word.literal()?).ok()?.trim().parse().ok()).collect();
                substring(&value?, &numbers?)
            }
            _ => None,
        }
    }

    /// A word as a pattern, in which what was quoted stands for itself.
    fn pattern(&mut self, word: &Word) -> Option<Vec<u8>> {
        word.pattern(|piece| self.value(piece))
    }

    pub(super) fn matches(&mut self, value: &Value, pattern: &Word) -> Option<bool> {
        let pattern = self.pattern(pattern)?;
        if pattern == b"*" {
            return Some(true);
        }
        Some(glob_matches(&pattern, value.as_ref()?))
    }

    /// `test`, `[` and `[[`.
    pub(super) fn test(&mut self, words: &[Word], is_double: bool) -> Option<bool> {
        let mut values = Vec::new();
        let mut pattern_next = false;
        for word in words {
            if pattern_next {
                // Marked as a pattern, which only `[[` takes it for.
                values.push(self.pattern(word));
                pattern_next = false;
                continue;
            }
            if is_double {
                values.push(self.single(word));
            } else {
                let mut fields = Fields::default();
                self.expand(word, &mut fields);
                if fields.is_open {
                    return None;
                }
                values.extend(fields.values);
            }
            pattern_next =
                is_double && matches!(values.last(), Some(Some(last)) if matches!(last.as_slice(), b"==" | b"=" | b"!="));
        }
        self.test_values(&values, is_double)
    }

    pub(super) fn test_values(&self, values: &[Value], is_double: bool) -> Option<bool> {
        let is = |at: usize, text: &[u8]| values.get(at).is_some_and(|value| value.as_deref() == Some(text));
        for (word, joins) in [(&b"||"[..], is_double), (b"-o", !is_double), (b"&&", is_double), (b"-a", !is_double)] {
            let middle = 1..values.len().saturating_sub(1);
            if let Some(at) = middle.into_iter().find(|at| joins && is(*at, word)) {
                let (left, right) = values.split_at(at);
                let right = right.get(1..).unwrap_or_default();
                let (left, right) = (self.test_values(left, is_double), self.test_values(right, is_double));
                let decides = word == b"||" || word == b"-o";
                return match (left, right) {
                    (Some(left), _) if left == decides => Some(decides),
                    (_, Some(right)) if right == decides => Some(decides),
                    (Some(_), Some(_)) => Some(!decides),
                    _ => None,
                };
            }
        }
        match values {
            [] => Some(false),
            [first, rest @ ..] if first.as_deref() == Some(b"!") && !rest.is_empty() => {
                self.test_values(rest, is_double).map(|holds| !holds)
            }
            [first, inner @ .., last] if first.as_deref() == Some(b"(") && last.as_deref() == Some(b")") => {
                self.test_values(inner, is_double)
            }
            [value] => value.as_ref().map(|value| !value.is_empty()),
            [operator, operand] => self.unary(operator.as_deref()?, operand),
            [left, operator, right] => binary(left, operator.as_deref()?, right, is_double),
            _ => None,
        }
    }

    fn unary(&self, operator: &[u8], operand: &Value) -> Option<bool> {
        let value = operand.as_ref()?;
        match operator {
            b"-n" => Some(!value.is_empty()),
            b"-z" => Some(value.is_empty()),
            b"-e" | b"-f" | b"-d" | b"-x" | b"-r" | b"-s" | b"-h" | b"-L" => self.about_file(operator, value),
            _ => None,
        }
    }

    /// What the image says of a file, where no program can have changed it.
    fn about_file(&self, operator: &[u8], path: &[u8]) -> Option<bool> {
        if path.is_empty() {
            return Some(false);
        }
        let cwd = self.state.cwd.as_ref()?;
        let whole = if path.starts_with(b"/") { path.to_vec() } else { cwd.join(path).as_bytes().to_vec() };
        let is_in =
            |directory: &&[u8]| whole.strip_prefix(*directory).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
        if VOLATILE.iter().any(is_in) || self.setting.rootfs.is_partial() {
            return None;
        }
        if matches!(operator, b"-h" | b"-L") {
            let found = self.setting.rootfs.get(&crate::base::GuestPath::new(&whole));
            return (!self.state.has_run).then(|| found.is_some_and(|found| matches!(found.entry.kind, EntryKind::Symlink(_))));
        }
        let Ok(found) = self.setting.rootfs.resolve(cwd, path, self.setting.who) else {
            // Volumes bring files, and programs that ran make them.
            return (!self.state.has_run).then_some(false);
        };
        let is_file = matches!(found.entry.kind, EntryKind::File { .. });
        match operator {
            b"-f" => Some(is_file),
            b"-d" => Some(found.is_directory()),
            b"-x" => Some(found.is_directory() || self.setting.who.may_execute(found.entry)),
            b"-r" => Some(self.setting.who.may_read(found.entry)),
            b"-s" => match &found.entry.kind {
                EntryKind::File { size, .. } if !self.state.has_run => Some(*size > 0),
                _ => None,
            },
            _ => Some(true),
        }
    }
}

fn binary(left: &Value, operator: &[u8], right: &Value, is_double: bool) -> Option<bool> {
    let (left, right) = (left.as_ref()?, right.as_ref()?);
    let number = |text: &Vec<u8>| String::from_utf8_lossy(text).trim().parse::<i64>().ok();
    let equal = || if is_double { glob_matches(right, left) } else { left == right };
    match operator {
        b"=" | b"==" => Some(equal()),
        b"!=" => Some(!equal()),
        b"-eq" => Some(number(left)? == number(right)?),
        b"-ne" => Some(number(left)? != number(right)?),
        b"-gt" => Some(number(left)? > number(right)?),
        b"-ge" => Some(number(left)? >= number(right)?),
        b"-lt" => Some(number(left)? < number(right)?),
        b"-le" => Some(number(left)? <= number(right)?),
        _ => None,
    }
}

fn text_of(piece: &Piece) -> &[u8] {
    match piece {
        Piece::Text { text, .. } => text,
        _ => &[],
    }
}

/// Whether a piece's value is split at blanks.
fn is_split(piece: &Piece) -> bool {
    matches!(piece, Piece::Parameter { quoted: false, .. } | Piece::Output { quoted: false, .. } | Piece::Unread)
}

fn join(current: &mut Option<Value>, value: Value) {
    *current = Some(match current.take() {
        None => value,
        Some(before) => before.zip(value).and_then(|(before, value)| joined(before, value)),
    });
}

/// One value behind the other; what gets too long is not known any more.
fn joined(mut before: Vec<u8>, value: Vec<u8>) -> Value {
    before.extend(value);
    (before.len() <= MOST_JOINED).then_some(before)
}

/// What an unquoted value expands to where `IFS` is as shells have it at first.
pub(in crate::exec) fn unquoted(value: &[u8]) -> Vec<Value> {
    let (mut current, mut fields) = (None, Vec::new());
    split(value, super::BLANKS, &mut current, &mut fields);
    fields.extend(current);
    fields
}

/// Splits an unquoted value at the characters of `IFS` (POSIX, "Field Splitting"); its first part goes on what stands before it.
fn split(value: &[u8], separators: &[u8], current: &mut Option<Value>, fields: &mut Vec<Value>) {
    let separates = |byte: &u8| separators.contains(byte);
    let skip = |bytes: &mut &[u8]| {
        let is_other = |byte: &u8| !(separates(byte) && matches!(byte, b' ' | b'\t' | b'\n'));
        *bytes = bytes.get(bytes.iter().position(is_other).unwrap_or(bytes.len())..).unwrap_or_default();
    };
    let mut rest = value;
    if current.is_none() {
        skip(&mut rest);
    }
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(rest.iter().position(separates).unwrap_or(rest.len()));
        rest = behind;
        if part.is_empty() {
            skip(&mut rest);
            if let Some(behind) = rest.split_first().and_then(|(first, behind)| separates(first).then_some(behind)) {
                rest = behind;
                skip(&mut rest);
            }
            fields.push(current.take().unwrap_or_else(|| Some(Vec::new())));
        } else {
            let is_pattern = part.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['));
            join(current, (!is_pattern).then(|| part.to_vec()));
        }
    }
}
