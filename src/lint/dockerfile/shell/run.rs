//! Statements.

use std::rc::Rc;

use crate::format::shell::{Kind, Statement, Word};

use super::super::naming::speaks_of_architecture;
use super::super::value::Value;
use super::{Action, Certainty, Event, Shell};

const MAX_STEPS: usize = 5_000;
/// Statements, functions and substitutions one in the other; a list of commands is as deep as it is long.
const MAX_DEPTH: usize = 300;
/// More events than this are not kept.
const MAX_EVENTS: usize = 2_000;
/// Loops over more words are not unrolled.
const MAX_WORDS: usize = 64;

/// What a statement leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flow {
    /// The next one.
    Next(Status),
    /// Out of a function.
    Return(Status),
    /// Out of a loop, or to its next round.
    Leave,
    /// The end of the script, with its success where that is known.
    Exit(Option<bool>),
}

/// Whether a command succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// It is known. `varies`: on another architecture it may be otherwise.
    Known(bool),
    /// As [`Self::Known`], and on another architecture it may be otherwise.
    Chosen(bool),
    /// It is a program that a build expects to succeed. `speaks`: its words speak of architectures.
    Assumed { speaks: bool },
    /// It is not known.
    Unknown { varies: bool },
}

impl Status {
    pub(super) fn of(known: Option<bool>, varies: bool) -> Self {
        match known {
            Some(success) if varies => Self::Chosen(success),
            Some(success) => Self::Known(success),
            None => Self::Unknown { varies },
        }
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Known(success) => Self::Known(!success),
            Self::Chosen(success) => Self::Chosen(!success),
            Self::Assumed { speaks } => Self::Unknown { varies: speaks },
            Self::Unknown { .. } => self,
        }
    }

    /// What is known where it is one or the other.
    fn or(self, other: Self, varies: bool) -> Self {
        let succeeds = |status| !matches!(status, Self::Known(false) | Self::Chosen(false) | Self::Unknown { .. });
        match (self, other) {
            (mine, theirs) if mine == theirs => mine,
            (mine, theirs) if succeeds(mine) && succeeds(theirs) => Self::Assumed { speaks: mine.varies() || theirs.varies() },
            _ => Self::Unknown { varies },
        }
    }

    fn varies(self) -> bool {
        match self {
            Self::Known(_) => false,
            Self::Chosen(_) => true,
            Self::Assumed { speaks } => speaks,
            Self::Unknown { varies } => varies,
        }
    }
}

/// Where a statement stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Its failure is looked at, so that `set -e` does not end the script.
    pub(super) is_judged: bool,
}

const JUDGED: Place = Place { is_judged: true };

impl Shell<'_> {
    pub(super) fn all(&mut self, statements: &[Statement], place: Place) -> Flow {
        let mut status = Status::Known(true);
        for statement in statements {
            match self.statement(statement, place) {
                Flow::Next(next) => status = next,
                other => return other,
            }
        }
        Flow::Next(status)
    }

    pub(super) fn statement(&mut self, statement: &Statement, place: Place) -> Flow {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.depth > MAX_DEPTH || self.events.len() > MAX_EVENTS {
            if !matches!(self.events.last(), Some(Event { action: Action::Unread, .. })) {
                self.event(Action::Unread, None);
            }
            return Flow::Exit(None);
        }
        self.depth += 1;
        let flow = self.kind(statement, place);
        self.depth -= 1;
        flow
    }

    fn kind(&mut self, statement: &Statement, place: Place) -> Flow {
        match &statement.kind {
            Kind::Command(command) => self.command(command, statement, place),
            Kind::Test { words, is_double } => {
                let status = self.test(words, *is_double);
                self.checked(status, place)
            }
            Kind::And(left, right) => self.either(left, right, true, place),
            Kind::Or(left, right) => self.either(left, right, false, place),
            Kind::Not(inner) => match self.statement(inner, JUDGED) {
                Flow::Next(status) => Flow::Next(status.not()),
                other => other,
            },
            Kind::If(branches, otherwise) => self.branches(branches, otherwise, place),
            Kind::Case(word, items) => {
                let value = self.single(word);
                self.items(&value, items, place)
            }
            Kind::For(name, words, body) => self.repeated(name, words.as_deref(), body),
            Kind::Loop(condition, body) => {
                let flow = self.enclosed(|shell| {
                    shell.fork(false, |shell| shell.looped(condition, body), |_| Flow::Next(Status::Known(true)))
                });
                if let Flow::Exit(_) = flow { Flow::Next(Status::Unknown { varies: false }) } else { flow }
            }
            Kind::Function(name, body) => {
                let function = (Rc::new((**body).clone()), Rc::clone(&self.source));
                self.state.functions.insert(name.clone(), function);
                Flow::Next(Status::Known(true))
            }
            Kind::Group(inner) => self.all(inner, place),
            Kind::Subshell(inner) => self.subshell(inner, place),
            Kind::Pipeline(parts) => self.pipeline(parts),
            Kind::Unread => {
                // It may set anything.
                let at = self.source.place(statement.place.clone());
                self.event(Action::Unread, at);
                self.state.variables.values_mut().for_each(|value| *value = Value::unknown(true));
                Flow::Next(Status::Assumed { speaks: false })
            }
        }
    }

    fn looped(&mut self, condition: &[Statement], body: &[Statement]) -> Flow {
        match self.all(condition, JUDGED) {
            Flow::Next(_) => {}
            other => return other,
        }
        match self.all(body, JUDGED) {
            Flow::Leave => Flow::Next(Status::Known(true)),
            other => other,
        }
    }

    /// What `set -e` makes of a status.
    pub(super) fn checked(&mut self, status: Status, place: Place) -> Flow {
        if matches!(status, Status::Known(false) | Status::Chosen(false)) && self.state.stops_on_error && !place.is_judged {
            return Flow::Exit(Some(false));
        }
        Flow::Next(status)
    }

    /// `&&` (`wanted` is success) and `||`.
    fn either(&mut self, left: &Statement, right: &Statement, wanted: bool, place: Place) -> Flow {
        let status = match self.statement(left, JUDGED) {
            Flow::Next(status) => status,
            other => return other,
        };
        match status {
            Status::Known(success) if success == wanted => self.statement(right, place),
            Status::Chosen(success) if success == wanted => self.chosen(|shell| shell.statement(right, place)),
            Status::Known(_) | Status::Chosen(_) => Flow::Next(status),
            // If it fails, so does the build.
            Status::Assumed { .. } if wanted => self.statement(right, place),
            Status::Assumed { .. } | Status::Unknown { .. } => {
                let flow = self.fork(status.varies(), |shell| shell.statement(right, place), |_| Flow::Next(Status::Known(true)));
                match flow {
                    Flow::Next(_) => Flow::Next(Status::Assumed { speaks: status.varies() }),
                    other => other,
                }
            }
        }
    }

    /// What a branch that the architecture chose does.
    fn chosen(&mut self, branch: impl FnOnce(&mut Self) -> Flow) -> Flow {
        self.chosen += 1;
        let flow = branch(self);
        self.chosen -= 1;
        flow
    }

    fn branches(&mut self, branches: &[(Vec<Statement>, Vec<Statement>)], otherwise: &[Statement], place: Place) -> Flow {
        let Some(((condition, body), rest)) = branches.split_first() else { return self.all(otherwise, place) };
        let status = match self.all(condition, JUDGED) {
            Flow::Next(status) => status,
            other => return other,
        };
        match status {
            Status::Known(true) => self.all(body, place),
            Status::Known(false) => self.branches(rest, otherwise, place),
            Status::Chosen(true) => self.chosen(|shell| shell.all(body, place)),
            // What is left over was chosen by nobody: `else` may take more architectures than its author knew.
            Status::Chosen(false) => self.branches(rest, otherwise, place),
            Status::Assumed { .. } | Status::Unknown { .. } => {
                self.fork(status.varies(), |shell| shell.all(body, place), |shell| shell.branches(rest, otherwise, place))
            }
        }
    }

    fn items(&mut self, value: &Value, items: &[(Vec<Word>, Vec<Statement>)], place: Place) -> Flow {
        let Some(((patterns, body), rest)) = items.split_first() else { return Flow::Next(Status::Known(true)) };
        let known = |matches: Option<bool>| matches.filter(|_| !value.is_default());
        let matches: Vec<Option<bool>> = patterns.iter().map(|pattern| self.matches(value, pattern)).map(known).collect();
        let is_any = patterns.iter().any(|pattern| pattern.literal().as_deref() == Some(b"*"));
        let speaks = || patterns.iter().any(|pattern| pattern.literal().is_some_and(|text| says_architecture(&text)));
        if matches.contains(&Some(true)) {
            if value.varies() && !is_any { self.chosen(|shell| shell.all(body, place)) } else { self.all(body, place) }
        } else if matches.contains(&None) {
            let varies = value.varies() || speaks();
            self.fork(varies, |shell| shell.all(body, place), |shell| shell.items(value, rest, place))
        } else {
            self.items(value, rest, place)
        }
    }

    /// Both ways, where it cannot be told which. `varies`: whether it is the architecture that decides.
    pub(super) fn fork(
        &mut self,
        varies: bool,
        left: impl FnOnce(&mut Self) -> Flow,
        right: impl FnOnce(&mut Self) -> Flow,
    ) -> Flow {
        let outside = self.certainty;
        let inside = outside.max(if varies { Certainty::Guarded } else { Certainty::Maybe });
        self.certainty = inside;
        let before = self.state.clone();
        let left = left(self);
        let after_left = std::mem::replace(&mut self.state, before);
        let right = right(self);
        self.certainty = outside;
        match (left, right) {
            (Flow::Next(left), Flow::Next(right)) => {
                self.state.merge(after_left, varies);
                Flow::Next(left.or(right, varies))
            }
            // The end of one way leaves the other.
            (Flow::Next(status), end) => {
                self.state = after_left;
                self.may_be_over(&end, inside);
                Flow::Next(status)
            }
            (end, right) => {
                self.may_be_over(&end, inside);
                right
            }
        }
    }

    /// What follows a way that may have ended here. A failure ends the build, so that nothing follows it.
    fn may_be_over(&mut self, end: &Flow, certainty: Certainty) {
        match end {
            Flow::Exit(Some(false)) | Flow::Next(_) => {}
            Flow::Exit(_) => self.ended = self.ended.max(certainty),
            Flow::Return(_) | Flow::Leave => self.left = self.left.max(certainty),
        }
    }

    /// Runs what a `return` or a `break` inside goes no further than.
    pub(super) fn enclosed(&mut self, body: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let outside = self.left;
        let flow = body(self);
        self.left = outside;
        flow
    }

    /// Runs what an `exit` inside goes no further than.
    pub(super) fn contained(&mut self, body: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let outside = self.ended;
        let flow = self.enclosed(body);
        self.ended = outside;
        flow
    }

    fn repeated(&mut self, name: &str, words: Option<&[Word]>, body: &[Statement]) -> Flow {
        let values = match words {
            Some(words) => self.fields(words),
            None => self.state.arguments.clone(),
        };
        if values.len() > MAX_WORDS {
            self.assign(name, Value::unknown(values.iter().any(Value::varies)));
            return self
                .enclosed(|shell| shell.fork(false, |shell| shell.looped(&[], body), |_| Flow::Next(Status::Known(true))));
        }
        self.enclosed(|shell| {
            let mut status = Status::Known(true);
            for value in values {
                shell.assign(name, value);
                match shell.all(body, Place { is_judged: false }) {
                    Flow::Next(next) => status = next,
                    Flow::Leave => {}
                    other => return other,
                }
            }
            Flow::Next(status)
        })
    }

    fn subshell(&mut self, inner: &[Statement], place: Place) -> Flow {
        let before = self.state.clone();
        let flow = self.contained(|shell| shell.all(inner, place));
        let (output, files) = (std::mem::take(&mut self.state.output), std::mem::take(&mut self.state.files));
        self.state = super::State { output, files, ..before };
        match flow {
            Flow::Exit(Some(success)) => {
                let status = if self.chosen > 0 { Status::Chosen(success) } else { Status::Known(success) };
                self.checked(status, place)
            }
            Flow::Exit(None) => Flow::Next(Status::Unknown { varies: false }),
            other => other,
        }
    }

    /// Each part reads what the one before prints.
    fn pipeline(&mut self, parts: &[Statement]) -> Flow {
        let before = self.state.clone();
        let mut input = None;
        let mut status = Status::Known(true);
        for (index, part) in parts.iter().enumerate() {
            let is_last = index + 1 == parts.len();
            self.state.input = input.take();
            if !is_last {
                self.state.output = Value::default();
                self.capturing += 1;
            }
            let flow = self.contained(|shell| shell.statement(part, JUDGED));
            if is_last {
                status = match flow {
                    Flow::Next(status) | Flow::Return(status) => status,
                    _ => Status::Unknown { varies: false },
                };
            } else {
                self.capturing -= 1;
                input = Some(std::mem::replace(&mut self.state.output, before.output.clone()));
            }
        }
        let (output, files) = (std::mem::take(&mut self.state.output), std::mem::take(&mut self.state.files));
        self.state = super::State { output, files, ..before };
        Flow::Next(status)
    }

    pub(super) fn assign(&mut self, name: &str, value: Value) {
        let value = if self.chosen > 0 { value.chosen() } else { value };
        self.state.set(name, value);
    }
}

pub(super) fn says_architecture(text: &[u8]) -> bool {
    speaks_of_architecture(&String::from_utf8_lossy(text))
}
