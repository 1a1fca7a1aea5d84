//! Shell scripts as trees: what POSIX shells and bash read. The grammar is tree-sitter's; these types are what matters of it.

pub mod patterns;
mod read;
mod redirects;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

/// A script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What it runs, in order.
    pub statements: Vec<Statement>,
    /// Whether all of it could be read; what could not is [`Kind::Unread`] where it stands.
    pub is_whole: bool,
}

impl Script {
    /// Reads a script. Whatever the bytes are, it takes memory and time in proportion to their number.
    pub fn read(text: &[u8]) -> Self {
        read::script(text)
    }
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes.
    pub place: Range<usize>,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Whether `&` follows.
    pub in_background: bool,
}

/// The kinds of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A program, a builtin or a function with its words; or assignments alone.
    Command(Command),
    /// `[ … ]` or `[[ … ]]`: the words between.
    Test {
        /// In order, operators too.
        words: Vec<Word>,
        /// `[[`.
        is_double: bool,
    },
    /// `a && b`.
    And(Box<Statement>, Box<Statement>),
    /// `a || b`.
    Or(Box<Statement>, Box<Statement>),
    /// `! a`.
    Not(Box<Statement>),
    /// `a | b`.
    Pipeline(Vec<Statement>),
    /// `if`: conditions with what they lead to, in order, and what is left.
    If(Vec<(Vec<Statement>, Vec<Statement>)>, Vec<Statement>),
    /// `case WORD in`: patterns with what they lead to.
    Case(Word, Vec<(Vec<Word>, Vec<Statement>)>),
    /// `for NAME in WORDS`; without words, over the arguments.
    For(String, Option<Vec<Word>>, Vec<Statement>),
    /// `while`: condition and body. `until` is a `while` whose condition does not hold.
    Loop(Vec<Statement>, Vec<Statement>),
    /// `name() { … }`.
    Function(String, Box<Statement>),
    /// `{ … }`.
    Group(Vec<Statement>),
    /// `( … )`.
    Subshell(Vec<Statement>),
    /// What could not be read, or is of no shell that is known here.
    Unread,
}

/// A simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// `NAME=value` before it.
    pub assignments: Vec<(String, Word)>,
    /// Its words, the name first. An assignment that is an argument (`export A=b`) is one word.
    pub words: Vec<Word>,
    /// Where its input comes from and its output goes, in order.
    pub redirects: Vec<Redirect>,
}

/// `> file`, `< file`, `<< END`, `<<< word`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// `>`, `>>`, `<<`, `&>` and so on, without a descriptor.
    pub operator: String,
    /// The descriptor before it, where one is written.
    pub descriptor: Option<String>,
    /// The file or the word; of a here-document its text.
    pub target: Word,
}

/// A word, in pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word(pub Vec<Piece>);

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text, without its quotes and backslashes.
    Text {
        /// The bytes.
        text: Vec<u8>,
        /// Whether it was quoted, so that `*` in it is a star.
        quoted: bool,
        /// Where it stands in the script, in bytes; without its quotes where that is one stretch.
        place: Range<usize>,
    },
    /// `$NAME`, `${NAME}`, `${NAME:-word}` and so on.
    Parameter {
        /// The name, a digit or one of `@*#?$!-`.
        name: String,
        /// What is done with the value.
        operation: Option<Operation>,
        /// Whether it stands in double quotes.
        quoted: bool,
        /// Where it stands in the script, in bytes.
        place: Range<usize>,
    },
    /// `$( … )`.
    Output {
        /// What prints it.
        statements: Vec<Statement>,
        /// Whether it stands in double quotes.
        quoted: bool,
        /// Where it stands in the script, in bytes.
        place: Range<usize>,
    },
    /// Arithmetic, processes, and what could not be read.
    Unread,
}

/// What `${NAME…}` does with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// `:-`, `#`, `%%`, `/`, `:`; `length` for `${#NAME}`; anything else too.
    pub operator: String,
    /// What follows, in the parts that further operators make.
    pub operands: Vec<Word>,
}

impl Word {
    /// The word as a pattern for [`glob_matches`], in which what was quoted stands for itself; `value` expands each piece. `None` where
    /// one cannot be expanded.
    pub fn pattern(&self, mut value: impl FnMut(&Piece) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let mut pattern = Vec::new();
        for piece in &self.0 {
            let value = value(piece)?;
            let quoted = match piece {
                Piece::Text { quoted, .. } | Piece::Parameter { quoted, .. } | Piece::Output { quoted, .. } => *quoted,
                Piece::Unread => return None,
            };
            for byte in value {
                if quoted && matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\') {
                    pattern.push(b'\\');
                }
                pattern.push(byte);
            }
        }
        Some(pattern)
    }

    /// The text of a word in which nothing is expanded.
    pub fn literal(&self) -> Option<Vec<u8>> {
        let text = |piece: &Piece| match piece {
            Piece::Text { text, .. } => Some(text.clone()),
            _ => None,
        };
        self.0.iter().map(text).collect::<Option<Vec<_>>>().map(|texts| texts.concat())
    }
}
