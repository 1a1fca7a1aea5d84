//! Words: quotes, expansions and what stands between them.

use std::ops::Range;

use tree_sitter::Node;

use super::read::{MAX_DEPTH, Reader, children, index_of};
use super::{Operation, Piece, Word};

impl Reader<'_> {
    pub(super) fn pattern(&mut self, node: Node<'_>) -> Word {
        match node.kind() {
            "extglob_pattern" | "regex" => Word(unquoted(self.text(node), node.start_byte())),
            _ => self.word(node),
        }
    }

    pub(super) fn word(&mut self, node: Node<'_>) -> Word {
        let mut pieces = Vec::new();
        self.pieces(node, false, &mut pieces);
        Word(pieces)
    }

    /// A word as it is where double quotes or a here-document are around it.
    pub(super) fn word_in_quotes(&mut self, node: Node<'_>) -> Word {
        let mut pieces = Vec::new();
        self.pieces(node, true, &mut pieces);
        Word(pieces)
    }

    fn pieces(&mut self, node: Node<'_>, quoted: bool, pieces: &mut Vec<Piece>) {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            pieces.push(Piece::Unread);
        } else {
            self.piece(node, quoted, pieces);
        }
        self.depth -= 1;
    }

    fn piece(&mut self, node: Node<'_>, quoted: bool, pieces: &mut Vec<Piece>) {
        let text = self.text(node);
        match node.kind() {
            "command_name" => children(node).for_each(|child| self.pieces(child, quoted, pieces)),
            "concatenation" => self.parts(node, quoted, pieces),
            "variable_assignment" => match self.assignment(node) {
                Some((name, value)) => {
                    let place = node.start_byte()..node.start_byte() + name.len() + 1;
                    pieces.push(Piece::Text { text: [name.as_bytes(), b"="].concat(), quoted: true, place });
                    pieces.extend(value.0);
                }
                None => pieces.push(Piece::Unread),
            },
            "string" => {
                let before = pieces.len();
                self.parts(node, true, pieces);
                if pieces.len() == before {
                    // An empty string is a word too.
                    pieces.push(Piece::Text { text: Vec::new(), quoted: true, place: node.byte_range() });
                }
            }
            "string_content" => pieces.push(Piece::Text { text: unescaped(text), quoted: true, place: node.byte_range() }),
            "raw_string" => {
                let inside = text.strip_prefix(b"'").and_then(|text| text.strip_suffix(b"'")).unwrap_or(text);
                pieces.push(Piece::Text { text: inside.to_vec(), quoted: true, place: inner(node, text, inside) });
            }
            "simple_expansion" => {
                let name = String::from_utf8_lossy(text.get(1..).unwrap_or_default()).into_owned();
                pieces.push(Piece::Parameter { name, operation: None, quoted, place: node.byte_range() });
            }
            "expansion" => pieces.push(self.expansion(node, quoted)),
            "command_substitution" => {
                pieces.push(Piece::Output { statements: self.statements(node), quoted, place: node.byte_range() });
            }
            "ansi_c_string" if !text.contains(&b'\\') => {
                let inside = text.strip_prefix(b"$'").and_then(|text| text.strip_suffix(b"'")).unwrap_or(text);
                pieces.push(Piece::Text { text: inside.to_vec(), quoted: true, place: inner(node, text, inside) });
            }
            "arithmetic_expansion"
            | "process_substitution"
            | "brace_expression"
            | "ansi_c_string"
            | "translated_string"
            | "array"
            | "ERROR" => pieces.push(Piece::Unread),
            _ => pieces.extend(unquoted(text, node.start_byte())),
        }
    }

    /// The children of a word, and the blanks between them, which a string keeps.
    fn parts(&mut self, node: Node<'_>, quoted: bool, pieces: &mut Vec<Piece>) {
        let mut end: Option<usize> = None;
        for child in children(node) {
            let place = end.unwrap_or(child.start_byte())..child.start_byte();
            let gap = self.text.get(place.clone()).filter(|gap| quoted && !gap.is_empty());
            pieces.extend(gap.map(|gap| Piece::Text { text: gap.to_vec(), quoted, place }));
            end = Some(child.end_byte());
            match child.kind() {
                "\"" => {}
                "$" => pieces.push(Piece::Text { text: b"$".to_vec(), quoted, place: child.byte_range() }),
                _ => self.pieces(child, quoted, pieces),
            }
        }
    }

    /// `${…}`: the name, and the operators with what stands between them.
    fn expansion(&mut self, node: Node<'_>, quoted: bool) -> Piece {
        let (mut name, mut operator, mut operands) = (None, String::new(), Vec::new());
        for child in children(node) {
            match child.kind() {
                "${" | "}" => {}
                "variable_name" | "special_variable_name" if name.is_none() => {
                    if operator == "#" {
                        operator = "length".to_owned();
                    }
                    name = Some(self.name(child));
                }
                // The first of an array is its value, where it is taken for a variable.
                "subscript" if name.is_none() && self.text(child).ends_with(b"[0]") => {
                    let text = self.name(child);
                    name = Some(text.trim_end_matches("[0]").to_owned());
                }
                "subscript" => return Piece::Unread,
                _ if node.field_name_for_child(index_of(node, child)) == Some("operator") => {
                    // `${!NAME:-word}` has two operators, one on each side of the name.
                    if operator.is_empty() || operator == "!" && operands.is_empty() && name.is_some() {
                        operator += &self.name(child);
                    } else {
                        operands.push(Word::default());
                    }
                }
                _ => {
                    let word = self.pattern(child);
                    match operands.last_mut() {
                        Some(last) => last.0.extend(word.0),
                        None => operands.push(word),
                    }
                }
            }
        }
        let Some(name) = name else { return Piece::Unread };
        let operation = (!operator.is_empty()).then_some(Operation { operator, operands });
        Piece::Parameter { name, operation, quoted, place: node.byte_range() }
    }
}

/// Text outside quotes: a backslash quotes the byte behind it, and takes a line's end away.
fn unquoted(text: &[u8], start: usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text.iter().enumerate();
    while let Some((at, byte)) = rest.next() {
        let (end, byte, is_quoted) = match byte {
            b'\\' => match rest.next() {
                Some((_, b'\n')) => continue,
                Some((end, next)) => (end, *next, true),
                None => (at, b'\\', true),
            },
            _ => (at, *byte, false),
        };
        let (at, end) = (start + at, start + end + 1);
        match pieces.last_mut() {
            Some(Piece::Text { text, quoted, place }) if *quoted == is_quoted => {
                text.push(byte);
                place.end = end;
            }
            _ => pieces.push(Piece::Text { text: vec![byte], quoted: is_quoted, place: at..end }),
        }
    }
    if pieces.is_empty() {
        pieces.push(Piece::Text { text: Vec::new(), quoted: false, place: start..start + text.len() });
    }
    pieces
}

/// Where the text between quotes stands.
fn inner(node: Node<'_>, whole: &[u8], inside: &[u8]) -> Range<usize> {
    if whole.len() == inside.len() {
        return node.byte_range();
    }
    let end = node.end_byte().saturating_sub(1);
    end.saturating_sub(inside.len())..end
}

/// Text in double quotes: a backslash counts only before what it would change.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.iter().peekable();
    while let Some(byte) = rest.next() {
        match (byte, rest.peek()) {
            (b'\\', Some(b'$' | b'`' | b'"' | b'\\')) => out.extend(rest.next()),
            (b'\\', Some(b'\n')) => _ = rest.next(),
            _ => out.push(*byte),
        }
    }
    out
}

impl Word {
    /// Puts another word behind it that follows without a blank: the grammar ends a word at the second `$` in it and
    /// takes that for a text.
    pub(super) fn join(&mut self, other: Self) {
        let is_dollar = |piece: &Piece| matches!(piece, Piece::Text { text, quoted: false, .. } if text == b"$");
        let mut rest = other.0.into_iter();
        if self.0.last().is_some_and(is_dollar)
            && let Some(Piece::Text { text, quoted, place }) = rest.next()
        {
            let dollar = self.0.pop();
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let length = text.iter().position(|byte| !is_name(byte)).unwrap_or(text.len());
            let (name, behind) = text.split_at(length);
            let middle = place.start + length;
            match dollar {
                Some(Piece::Text { place: start, .. }) if !name.is_empty() => {
                    let name = String::from_utf8_lossy(name).into_owned();
                    self.0.push(Piece::Parameter { name, operation: None, quoted, place: start.start..middle });
                }
                dollar => self.0.extend(dollar),
            }
            if !behind.is_empty() {
                self.0.push(Piece::Text { text: behind.to_vec(), quoted, place: middle..place.end });
            }
        }
        self.0.extend(rest);
    }
}
