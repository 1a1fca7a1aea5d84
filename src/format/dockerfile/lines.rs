use std::ops::Range;

use super::directive::Directives;
use super::{Arguments, Dockerfile, Heredoc, Problem, Text, heredoc, instruction};

/// A line of the file, without its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// Where it begins.
    pub(super) start: usize,
    /// Where the next one begins.
    pub(super) next: usize,
}

impl Line<'_> {
    /// Where its text ends.
    pub(super) fn end(&self) -> usize {
        self.start.saturating_add(self.text.len())
    }

    fn is_comment(&self) -> bool {
        self.text.trim_start().starts_with('#')
    }
}

/// Reads a Dockerfile.
pub(super) fn read(text: &str) -> Dockerfile {
    let mut reader = Reader { text, place: 0, line: 0, escape: '\\', file: Dockerfile::default() };
    if text.starts_with('\u{feff}') {
        reader.place = '\u{feff}'.len_utf8();
    }
    let mut directives = Directives::default();
    while let Some(line) = reader.next_line() {
        match directives.read(&line) {
            Ok(Some(directive)) => reader.obey(directive),
            Ok(None) => {}
            Err(message) => reader.file.problems.push(Problem { message, span: line.start..line.end() }),
        }
        if !reader.take_comment(&line) && !line.text.trim().is_empty() {
            reader.instruction(line);
        }
    }
    if reader.file.instructions.is_empty() {
        reader.file.problems.push(Problem { message: "the file has no instructions".to_owned(), span: 0..0 });
    }
    reader.file
}

/// Goes through the file line by line.
struct Reader<'a> {
    text: &'a str,
    /// Where the next line begins.
    place: usize,
    /// Lines read so far.
    line: usize,
    /// What continues a line and escapes a character.
    escape: char,
    file: Dockerfile,
}

impl<'a> Reader<'a> {
    fn next_line(&mut self) -> Option<Line<'a>> {
        let rest = self.text.get(self.place..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').map_or(rest.len(), |newline| newline.saturating_add(1));
        let start = self.place;
        self.place = start.saturating_add(length);
        self.line = self.line.saturating_add(1);
        Some(Line { text: rest.get(..length).unwrap_or_default().trim_end_matches(['\r', '\n']), start, next: self.place })
    }

    fn obey(&mut self, directive: super::Directive) {
        if directive.name == "escape" {
            match directive.value.as_str() {
                "`" => self.escape = '`',
                "\\" => self.escape = '\\',
                _ => {
                    let message = "the escape character is neither ` nor \\".to_owned();
                    self.file.problems.push(Problem { message, span: directive.span.clone() });
                }
            }
        }
        self.file.directives.push(directive);
    }

    fn take_comment(&mut self, line: &Line<'_>) -> bool {
        if line.is_comment() {
            let blank = line.text.len().saturating_sub(line.text.trim_start().len());
            self.file.comments.push(line.start.saturating_add(blank)..line.end());
        }
        line.is_comment()
    }

    /// Reads the instruction that begins with this line.
    fn instruction(&mut self, first: Line<'a>) {
        let first_line = self.line;
        let blank = first.text.len().saturating_sub(first.text.trim_start().len());
        let start = first.start.saturating_add(blank);
        let (line, mut end) = self.joined(Line { text: first.text.trim_start(), start, ..first });

        let mut read = instruction::read(&line, self.escape, &mut self.file.problems);
        if instruction::may_have_heredocs(&read) {
            let mut heredocs = Vec::new();
            for opening in heredoc::openings(line.as_str()) {
                let place = line.in_file(opening.range.clone());
                let (heredoc, last) = self.heredoc(opening, place);
                end = last;
                heredocs.push(heredoc);
            }
            match &mut read.arguments {
                Arguments::Trigger(trigger) => trigger.heredocs = heredocs,
                _ => read.heredocs = heredocs,
            }
        }
        read.span = start..end;
        read.lines = (first_line, self.line);
        self.file.instructions.push(read);
    }

    /// The line with what continues it, and where it ends.
    fn joined(&mut self, first: Line<'a>) -> (Text, usize) {
        let mut text = Text::at(first.start);
        let mut line = first;
        loop {
            let (content, is_continued) = uncontinued(line.text, self.escape);
            text.push(content, line.start..line.start.saturating_add(content.len()));
            if !is_continued {
                return (text, line.end());
            }
            line = loop {
                let Some(next) = self.next_line() else { return (text, line.end()) };
                if !self.take_comment(&next) && !next.text.trim().is_empty() {
                    break next;
                }
            };
        }
    }

    fn heredoc(&mut self, opening: heredoc::Opening, place: Range<usize>) -> (Heredoc, usize) {
        let mut content = Text::at(self.place);
        loop {
            let Some(line) = self.next_line() else {
                let message = format!("the here-document is not ended by a line `{}`", crate::base::escape(&opening.name));
                self.file.problems.push(Problem { message, span: place });
                let end = self.text.trim_end_matches(['\r', '\n']).len().max(content.span().start);
                return (opening.with(content, end..end), end);
            };
            let text = if opening.is_chomped { line.text.trim_start_matches('\t') } else { line.text };
            if text == opening.name {
                return (opening.with(content, line.start..line.end()), line.end());
            }
            content.push(self.text.get(line.start..line.next).unwrap_or_default(), line.start..line.next);
        }
    }
}

/// A line without the character that continues it, and whether there is one. One that is itself escaped does not count.
fn uncontinued(line: &str, escape: char) -> (&str, bool) {
    match line.trim_end_matches([' ', '\t']).strip_suffix(escape) {
        Some(content) if !content.ends_with(escape) => (content, true),
        _ => (line, false),
    }
}
