//! Dockerfiles, as BuildKit's own parser reads them (`frontend/dockerfile/parser`), with the place of every part.

mod directive;
mod heredoc;
mod instruction;
mod lines;
#[cfg(test)]
mod tests;
mod text;
mod words;

use std::ops::Range;

pub use text::Text;

/// A Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// The parser directives at its top, in order.
    pub directives: Vec<Directive>,
    /// What it does, in order.
    pub instructions: Vec<Instruction>,
    /// The bytes of every comment, from its `#` to the end of its line; directives and comments inside instructions too.
    pub comments: Vec<Range<usize>>,
    /// What BuildKit would refuse the file for. The rest was read nevertheless.
    pub problems: Vec<Problem>,
}

impl Dockerfile {
    /// Reads a Dockerfile. Whatever the text is, it takes memory and time in proportion to its length.
    pub fn parse(text: &str) -> Self {
        lines::read(text)
    }

    /// The value of a directive, if it is there: of `syntax`, `escape` or `check`.
    pub fn directive(&self, name: &str) -> Option<&Directive> {
        self.directives.iter().find(|directive| directive.name == name)
    }
}

/// `# NAME=value` at the top of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// `syntax`, `escape` or `check`.
    pub name: String,
    /// What it is set to.
    pub value: String,
    /// The bytes, from the `#` to the end of the line.
    pub span: Range<usize>,
}

/// What BuildKit would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, as a sentence without its full stop.
    pub message: String,
    /// Where, in bytes.
    pub span: Range<usize>,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Which.
    pub keyword: Keyword,
    /// The bytes of the keyword.
    pub keyword_span: Range<usize>,
    /// The bytes from the keyword to the end of its last line, heredocs and comments in between included.
    pub span: Range<usize>,
    /// The first line and the last, from 1, as BuildKit counts them.
    pub lines: (usize, usize),
    /// `--platform=linux/amd64` and the like, in order.
    pub flags: Vec<Flag>,
    /// All that follows the flags, joined.
    pub text: Text,
    /// The same in parts.
    pub arguments: Arguments,
    /// The here-documents that follow, in order; those behind `ONBUILD` are its trigger's.
    pub heredocs: Vec<Heredoc>,
}

impl Instruction {
    /// The flag of this name, without its dashes.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }

    /// The words of a JSON array.
    pub fn json(&self) -> Option<&[Text]> {
        if let Arguments::Json(words) = &self.arguments { Some(words) } else { None }
    }

    /// What the shell is given to run: the line with its here-documents; the here-document alone where nothing else is on the
    /// line, in which case it may begin with `#!`. `None` where no shell is asked.
    pub fn script(&self) -> Option<Text> {
        if self.keyword != Keyword::Run || self.json().is_some() {
            return None;
        }
        heredoc::script(&self.text, &self.heredocs)
    }
}

/// The keyword of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are the Dockerfile's own words")]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    StopSignal,
    User,
    Volume,
    Workdir,
    /// None of BuildKit's.
    Unknown,
}

/// `--name=value` or `--name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Without the dashes.
    pub name: String,
    /// What follows the `=`, without quotes.
    pub value: Option<Text>,
    /// The bytes, from the first dash.
    pub span: Range<usize>,
}

/// What an instruction is given. Variables stand unexpanded in all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// A JSON array of strings.
    Json(Vec<Text>),
    /// Words between blanks: of ADD, COPY, EXPOSE, FROM and VOLUME.
    Words(Vec<Text>),
    /// Names with values: of ARG, ENV and LABEL.
    Pairs(Vec<Pair>),
    /// ONBUILD's instruction.
    Trigger(Box<Instruction>),
    /// A line: a command for the shell, a directory, a user.
    Line,
}

/// `NAME=value`, or `NAME` alone in an ARG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The name.
    pub name: Text,
    /// The value with its quotes and escapes, as it is written.
    pub value: Option<Text>,
}

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// What ends it, without quotes.
    pub name: String,
    /// Whether BuildKit or the shell expands variables in it: its name is not quoted.
    pub is_expanded: bool,
    /// `<<-`: tabs at the start of lines do not count.
    pub is_chomped: bool,
    /// The file descriptor before `<<`; 0 where none is written.
    pub descriptor: u32,
    /// The bytes of its lines, without the one that ends it.
    pub content: Text,
    /// The bytes of the line that ends it.
    pub terminator: Range<usize>,
}
