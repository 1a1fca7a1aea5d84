use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use super::{Heredoc, Text};

/// `<<NAME` on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    /// What ends the here-document, without quotes.
    pub(super) name: String,
    /// `<<-`.
    pub(super) is_chomped: bool,
    is_expanded: bool,
    descriptor: u32,
    /// The bytes of the line that it takes.
    pub(super) range: Range<usize>,
}

impl Opening {
    pub(super) fn with(self, content: Text, terminator: Range<usize>) -> Heredoc {
        let Self { name, is_chomped, is_expanded, descriptor, .. } = self;
        Heredoc { name, is_expanded, is_chomped, descriptor, content, terminator }
    }
}

/// What the shell is given for a command and its here-documents.
pub(super) fn script(command: &Text, heredocs: &[Heredoc]) -> Option<Text> {
    let Some(first) = heredocs.first() else { return Some(command.clone()) };
    if opening(command.as_str(), 0..command.as_str().len()).is_some() {
        return Some(if first.is_chomped { chomped(&first.content) } else { first.content.clone() });
    }
    let mut script = command.clone();
    for heredoc in heredocs {
        let start = heredoc.content.span().start;
        script.push("\n", start..start);
        script.append(&heredoc.content);
        script.push(&heredoc.name, heredoc.terminator.clone());
    }
    Some(script)
}

/// Without the tabs at the start of lines.
fn chomped(content: &Text) -> Text {
    let mut text = content.slice(0..0);
    let mut place = 0_usize;
    for line in content.as_str().split_inclusive('\n') {
        let end = place.saturating_add(line.len());
        text.append(&content.slice(end.saturating_sub(line.trim_start_matches('\t').len())..end));
        place = end;
    }
    text
}

/// The here-documents that a line asks for, as BuildKit sees them: whole words `<<NAME`. A line whose quotes or `${…}` do not end
/// has none.
pub(super) fn openings(line: &str) -> Vec<Opening> {
    if !line.contains("<<") {
        return Vec::new();
    }
    let words = Lexer::new(line).words().unwrap_or_default();
    words.into_iter().filter_map(|range| opening(line, range)).collect()
}

/// Reads a word as `[FD]<<[-]NAME`.
fn opening(line: &str, range: Range<usize>) -> Option<Opening> {
    let word = line.get(range.clone())?;
    let rest = word.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let descriptor = word.strip_suffix(rest).unwrap_or_default().parse().unwrap_or(0);
    let rest = rest.strip_prefix("<<")?;
    let is_chomped = rest.starts_with('-');
    let name = rest.strip_prefix('-').unwrap_or(rest).trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
    if name.is_empty() || name.contains('<') || Lexer::new(name).words()?.len() != 1 {
        return None;
    }
    let (unquoted, is_expanded) = unquoted(name);
    (!unquoted.is_empty()).then_some(Opening { name: unquoted, is_chomped, is_expanded, descriptor, range })
}

/// A name without quotes and escapes, and whether there were no quotes.
fn unquoted(name: &str) -> (String, bool) {
    let mut plain = String::new();
    let mut quote: Option<char> = None;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (Some('"'), '\\') => {
                let escaped = characters.next_if(|next| matches!(next, '"' | '$' | '\\'));
                plain.push(escaped.unwrap_or('\\'));
            }
            (None, '\\') => plain.extend(characters.next()),
            _ => plain.push(character),
        }
    }
    (plain, !name.contains(['\'', '"']))
}

/// Splits a line into words as BuildKit does to find here-documents: quotes, escapes and `${…}` keep words together, and so does
/// `<<` with the blanks behind it. `None` in an answer: a quote or a `${` is not ended, or is of a form that BuildKit refuses.
struct Lexer<'a> {
    line: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

impl<'a> Lexer<'a> {
    fn new(line: &'a str) -> Self {
        Self { line, rest: line.char_indices().peekable() }
    }

    fn words(mut self) -> Option<Vec<Range<usize>>> {
        let mut words = Vec::new();
        let mut start: Option<usize> = None;
        while let Some((place, character)) = self.rest.peek().copied() {
            if character.is_whitespace() {
                words.extend(start.take().map(|start| start..place));
                self.rest.next();
            } else {
                start = start.or(Some(place));
                self.piece(character, 0)?;
            }
        }
        words.extend(start.map(|start| start..self.line.len()));
        Some(words)
    }

    /// Goes past the next piece, which begins with `character`.
    fn piece(&mut self, character: char, depth: usize) -> Option<()> {
        self.rest.next();
        match character {
            '\\' => drop(self.rest.next()),
            '\'' => drop(self.rest.find(|(_, next)| *next == '\'')?),
            '"' => self.double_quotes(depth)?,
            '$' => self.dollar(depth)?,
            '<' if self.next_is('<') => {
                self.rest.next();
                while self.rest.next_if(|(_, next)| matches!(next, '\t' | '\r' | ' ')).is_some() {}
            }
            _ => {}
        }
        Some(())
    }

    fn next_is(&mut self, character: char) -> bool {
        self.rest.peek().is_some_and(|(_, next)| *next == character)
    }

    fn double_quotes(&mut self, depth: usize) -> Option<()> {
        loop {
            match self.rest.next()?.1 {
                '"' => return Some(()),
                '$' => self.dollar(depth)?,
                '\\' => drop(self.rest.next_if(|(_, next)| matches!(next, '"' | '$' | '\\'))),
                _ => {}
            }
        }
    }

    /// Goes past what follows a `$`.
    fn dollar(&mut self, depth: usize) -> Option<()> {
        if !self.next_is('{') {
            // Whatever name follows has no character that means something here, but for these.
            self.rest.next_if(|(_, next)| *next == '$');
            return Some(());
        }
        self.rest.next();
        if matches!(self.rest.peek()?.1, '{' | '}' | ':') || depth > MAX_DEPTH {
            return None;
        }
        self.name();
        match self.rest.next()?.1 {
            '}' => return Some(()),
            ':' if matches!(self.rest.next()?.1, '#' | '%') => return None,
            ':' | '+' | '-' | '?' | '#' | '%' => {}
            '/' => {
                self.rest.next_if(|(_, next)| *next == '/');
                self.until('/', depth)?;
            }
            _ => return None,
        }
        self.until('}', depth)
    }

    /// Goes past the name of a variable: digits, one special character, or letters, digits and `_`.
    fn name(&mut self) {
        if self.rest.next_if(|(_, next)| matches!(next, '@' | '*' | '#' | '?' | '-' | '$' | '!')).is_some() {
            return;
        }
        let is_number = self.rest.peek().is_some_and(|(_, next)| next.is_numeric());
        let belongs = |next: char| if is_number { next.is_numeric() } else { next.is_alphanumeric() || next == '_' };
        while self.rest.next_if(|(_, next)| belongs(*next)).is_some() {}
    }

    fn until(&mut self, stop: char, depth: usize) -> Option<()> {
        loop {
            let (_, character) = self.rest.peek().copied()?;
            if character == stop {
                self.rest.next();
                return Some(());
            }
            self.piece(character, depth.saturating_add(1))?;
        }
    }
}

/// How deep `${…}` may stand in one another.
const MAX_DEPTH: usize = 100;
