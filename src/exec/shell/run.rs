//! Statements.

use std::rc::Rc;

use crate::base::GuestPath;
use crate::format::shell::{Command, Kind, Statement, Word};

use super::words::Fields;
use super::{End, Shell, Started, State, Value};
use crate::exec::process;

const MAX_STEPS: usize = 20_000;
const MAX_DEPTH: usize = 40;
/// Loops of more rounds are not followed round by round.
const MAX_ROUNDS: usize = 64;

/// What a statement leads to.
pub(super) enum Flow {
    /// The next one, with this one's success where it is known.
    Next(Option<bool>),
    /// Out of a function or a sourced file.
    Return(Option<bool>),
    /// The end.
    End(End),
}

/// Where a statement stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Nothing follows, so that its command is what the shell waits for.
    is_last: bool,
    /// Its failure is looked at, so that `set -e` does not end the script.
    is_judged: bool,
}

const MIDDLE: Place = Place { is_last: false, is_judged: false };
pub(super) const JUDGED: Place = Place { is_last: false, is_judged: true };

impl Shell<'_> {
    pub(super) fn script(&mut self, statements: &[Statement]) -> End {
        match self.returning(|shell| shell.all(statements, Place { is_last: true, is_judged: false })) {
            Flow::End(end) => end,
            Flow::Next(status) | Flow::Return(status) => End::Exit(status.map(|success| u8::from(!success))),
        }
    }

    pub(super) fn all(&mut self, statements: &[Statement], place: Place) -> Flow {
        let mut status = Some(true);
        for (index, statement) in statements.iter().enumerate() {
            let is_last = place.is_last && index + 1 == statements.len();
            match self.statement(statement, Place { is_last, ..place }) {
                Flow::Next(next) => status = next,
                other => return other,
            }
            let rest = statements.get(index + 1..).unwrap_or_default();
            if let Some(other) = self.other_arguments.take_if(|_| !rest.is_empty()) {
                let elsewhere = |shell: &mut Self| {
                    shell.state = *other;
                    shell.all(rest, place)
                };
                return self.fork(elsewhere, |shell| shell.all(rest, place));
            }
        }
        Flow::Next(status)
    }

    fn statement(&mut self, statement: &Statement, place: Place) -> Flow {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.depth > MAX_DEPTH {
            return Flow::End(End::Unsure("the script does too much to follow"));
        }
        self.settle();
        if statement.in_background {
            self.state.has_run = true;
            return Flow::Next(Some(true));
        }
        let flow = self.kind(statement, place);
        if let Flow::Next(status) = &flow {
            self.state.status = *status;
        }
        flow
    }

    fn kind(&mut self, statement: &Statement, place: Place) -> Flow {
        match &statement.kind {
            Kind::Command(command) => self.command(command, statement.line, place),
            Kind::Test { words, is_double } => {
                let status = self.test(words, *is_double);
                self.checked(status, place)
            }
            Kind::And(left, right) => self.either(left, right, true, place),
            Kind::Or(left, right) => self.either(left, right, false, place),
            Kind::Not(inner) => match self.statement(inner, JUDGED) {
                Flow::Next(status) => Flow::Next(status.map(|success| !success)),
                other => other,
            },
            Kind::If(branches, otherwise) => self.branches(branches, otherwise, place),
            Kind::Case(word, items) => self.case(word, items, place),
            Kind::For(name, words, body) => self.repeated(name, words.as_deref(), body),
            Kind::Loop(condition, body) => self.looped(condition, body),
            Kind::Function(name, body) => {
                let function = (Rc::new((**body).clone()), self.file.clone());
                self.state.functions.insert(name.clone(), function);
                Flow::Next(Some(true))
            }
            Kind::Group(inner) => self.all(inner, place),
            Kind::Subshell(inner) => self.subshell(inner, place),
            Kind::Pipeline(_) => {
                self.state.has_run = true;
                if place.is_last { Flow::End(End::Unsure("its last command is a pipeline")) } else { Flow::Next(None) }
            }
            Kind::Unread => Flow::End(End::Unsure("a part of the script could not be read")),
        }
    }

    /// What `set -e` makes of a status.
    fn checked(&mut self, status: Option<bool>, place: Place) -> Flow {
        if status == Some(false) && self.state.stops_on_error && !place.is_judged {
            return Flow::End(End::Exit(Some(1)));
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
            Some(success) if success == wanted => self.statement(right, place),
            Some(success) => Flow::Next(Some(success)),
            None => self.fork(
                |shell| shell.knowing(wanted).statement(right, Place { is_judged: true, ..place }),
                // Where the left side ends the list, its status is known.
                |_| Flow::Next(Some(!wanted)),
            ),
        }
    }

    fn branches(&mut self, branches: &[(Vec<Statement>, Vec<Statement>)], otherwise: &[Statement], place: Place) -> Flow {
        let Some(((condition, body), rest)) = branches.split_first() else { return self.all(otherwise, place) };
        match self.all(condition, JUDGED) {
            Flow::Next(Some(true)) => self.all(body, place),
            Flow::Next(Some(false)) => self.branches(rest, otherwise, place),
            Flow::Next(None) => self.fork(
                |shell| shell.knowing(true).all(body, place),
                |shell| shell.knowing(false).branches(rest, otherwise, place),
            ),
            other => other,
        }
    }

    /// On a branch that is taken only if the last command succeeded, or only if it did not.
    fn knowing(&mut self, success: bool) -> &mut Self {
        self.state.status = Some(success);
        self
    }

    fn case(&mut self, word: &Word, items: &[(Vec<Word>, Vec<Statement>)], place: Place) -> Flow {
        let value = self.single(word);
        self.items(&value, items, place)
    }

    fn items(&mut self, value: &Value, items: &[(Vec<Word>, Vec<Statement>)], place: Place) -> Flow {
        let Some(((patterns, body), rest)) = items.split_first() else { return Flow::Next(Some(true)) };
        let matches: Vec<Option<bool>> = patterns.iter().map(|pattern| self.matches(value, pattern)).collect();
        if matches.contains(&Some(true)) {
            self.all(body, place)
        } else if matches.contains(&None) {
            self.fork(|shell| shell.all(body, place), |shell| shell.items(value, rest, place))
        } else {
            self.items(value, rest, place)
        }
    }

    fn repeated(&mut self, name: &str, words: Option<&[Word]>, body: &[Statement]) -> Flow {
        let values = match words {
            Some(words) => self.fields(words),
            None => self.state.arguments.clone().map_or(Fields::default(), Fields::known),
        };
        if values.is_open || values.values.len() > MAX_ROUNDS || leaves_loops(body) {
            self.state.variables.insert(name.to_owned(), None);
            self.maybe(body);
            return Flow::Next(None);
        }
        let mut status = Some(true);
        for value in values.values {
            self.state.variables.insert(name.to_owned(), value);
            match self.all(body, MIDDLE) {
                Flow::Next(next) => status = next,
                other => return other,
            }
        }
        Flow::Next(status)
    }

    /// `while`: round by round, as long as the condition's status is known.
    fn looped(&mut self, condition: &[Statement], body: &[Statement]) -> Flow {
        let mut status = Some(true);
        let rounds = if leaves_loops(body) { 0 } else { MAX_ROUNDS };
        for _ in 0..rounds {
            self.spend(self.state.size());
            let before = self.state.clone();
            match self.all(condition, JUDGED) {
                Flow::Next(Some(true)) => {}
                Flow::Next(Some(false)) => return Flow::Next(status),
                Flow::Next(None) => break,
                other => return other,
            }
            match self.all(body, MIDDLE) {
                Flow::Next(next) => status = next,
                other => return other,
            }
            // Nothing has changed, so that it goes on for ever, and what stands behind it is never run.
            if self.state == before {
                return Flow::End(End::Exit(None));
            }
        }
        self.maybe(condition);
        self.maybe(body);
        Flow::Next(None)
    }

    fn subshell(&mut self, inner: &[Statement], place: Place) -> Flow {
        let before = self.state.clone();
        let flow = self.returning(|shell| shell.all(inner, place));
        self.state = State { has_run: true, ..before };
        match flow {
            Flow::End(End::Exit(code)) if !place.is_last => Flow::Next(code.map(|code| code == 0)),
            Flow::End(End::Start(_)) if !place.is_last => Flow::Next(None),
            other => other,
        }
    }

    fn command(&mut self, command: &Command, line: usize, place: Place) -> Flow {
        let declares = command.words.first().and_then(Word::literal);
        if let Some(b"export" | b"readonly" | b"declare" | b"typeset" | b"local") = declares.as_deref() {
            return self.declare(&command.words);
        }
        let fields = self.fields(&command.words);
        let assigned: Vec<(String, Value)> =
            command.assignments.iter().map(|(name, word)| (name.clone(), self.single(word))).collect();
        if fields.values.is_empty() {
            if fields.is_open {
                return Flow::End(End::Unsure("which command it runs depends on a value that is not known"));
            }
            let mut status = Some(true);
            for (name, value) in assigned {
                if value.is_none() {
                    status = None;
                }
                self.assign(&name, value);
            }
            return Flow::Next(status);
        }
        let Some(Some(name)) = fields.values.first().cloned() else {
            return self.unknown_command(place);
        };
        let name_text = String::from_utf8_lossy(&name).into_owned();
        if let Some((body, file)) = self.state.functions.get(&name_text).cloned() {
            let outer = std::mem::replace(&mut self.file, file);
            let flow = self.call(&body, &fields, place);
            self.file = outer;
            return flow;
        }
        if let Some(flow) = self.builtin(&name_text, &fields, line, place) {
            return flow;
        }
        let start = self.started(&fields, &assigned, line, false);
        // It may be a function of a file that could not be read.
        if self.state.is_tainted && start.as_ref().is_none_or(|start| self.surely_fails(start)) {
            return self.unknown_command(place);
        }
        self.external(start, place)
    }

    fn surely_fails(&self, start: &Started) -> bool {
        process::surely_fails(self.setting.rootfs, self.setting.node, self.setting.who, start)
    }

    fn unknown_command(&mut self, place: Place) -> Flow {
        self.state.has_run = true;
        if place.is_last {
            return Flow::End(End::Unsure("which command it runs depends on a value that is not known"));
        }
        Flow::Next(None)
    }

    /// A program with what it is given.
    pub(super) fn started(&self, fields: &Fields, assigned: &[(String, Value)], line: usize, is_exec: bool) -> Option<Started> {
        let mut state = self.state.clone();
        for (name, value) in assigned {
            state.variables.insert(name.clone(), value.clone());
            state.exported.insert(name.clone());
        }
        let is_path = fields.values.first()?.as_ref()?.contains(&b'/');
        if !is_path && state.variables.get("PATH").is_some_and(Option::is_none) {
            return None;
        }
        let mut argv = fields.values.clone();
        if fields.is_open {
            argv.push(None);
        }
        Some(Started { argv, env: state.environment(), cwd: self.state.cwd.clone()?, line, file: self.file.clone(), is_exec })
    }

    /// A program that is no builtin: the last one is what the shell waits for, and so is one that fails under `set -e`.
    pub(super) fn external(&mut self, start: Option<Started>, place: Place) -> Flow {
        let Some(start) = start else {
            self.state.has_run = true;
            return if place.is_last {
                Flow::End(End::Unsure("where its last command lies is not known"))
            } else {
                Flow::Next(None)
            };
        };
        if place.is_last {
            return Flow::End(End::Start(start));
        }
        let fails = self.surely_fails(&start);
        if fails && self.state.stops_on_error && !place.is_judged && !self.state.has_run {
            return Flow::End(End::Start(start));
        }
        self.state.has_run = true;
        Flow::Next(if fails { Some(false) } else { None })
    }

    fn call(&mut self, body: &Statement, fields: &Fields, place: Place) -> Flow {
        self.depth += 1;
        let arguments = (!fields.is_open).then(|| fields.values.get(1..).unwrap_or_default().to_vec());
        let outer = std::mem::replace(&mut self.state.arguments, arguments);
        let flow = self.returning(|shell| shell.statement(body, place));
        self.state.arguments = outer;
        self.depth -= 1;
        flow
    }

    /// A file's statements, in this shell.
    pub(super) fn source(&mut self, path: &[u8], place: Place) -> Flow {
        let Some(cwd) = self.state.cwd.clone() else { return self.unread_source() };
        let Ok(found) = self.setting.rootfs.resolve(&cwd, path, self.setting.who) else {
            return if self.state.has_run { self.unread_source() } else { Flow::Next(Some(false)) };
        };
        let crate::image::EntryKind::File { body: Some(body), .. } = &found.entry.kind else { return self.unread_source() };
        let script = crate::format::shell::Script::read(body);
        self.depth += 1;
        let outer = self.file.replace(path.to_vec());
        let flow = self.returning(|shell| shell.all(&script.statements, Place { is_last: false, ..place }));
        self.file = outer;
        self.depth -= 1;
        flow
    }

    fn unread_source(&mut self) -> Flow {
        self.state.taint();
        Flow::Next(None)
    }

    pub(super) fn assign(&mut self, name: &str, value: Value) {
        self.state.variables.insert(name.to_owned(), value);
    }

    pub(super) fn directory(&self, path: &[u8]) -> Option<GuestPath> {
        let found = self.setting.rootfs.resolve(self.state.cwd.as_ref()?, path, self.setting.who).ok()?;
        found.is_directory().then_some(found.path)
    }
}

impl Place {
    pub(super) fn is_last(self) -> bool {
        self.is_last
    }
}

/// Whether a loop's body says `break` or `continue`, at any depth.
fn leaves_loops(body: &[Statement]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        Kind::Command(command) => {
            let name = command.words.first().and_then(Word::literal);
            name.is_some_and(|name| matches!(name.as_slice(), b"break" | b"continue"))
        }
        Kind::And(left, right) | Kind::Or(left, right) => {
            leaves_loops(std::slice::from_ref(left)) || leaves_loops(std::slice::from_ref(right))
        }
        Kind::Not(inner) | Kind::Function(_, inner) => leaves_loops(std::slice::from_ref(inner)),
        Kind::If(branches, otherwise) => {
            branches.iter().any(|(condition, body)| leaves_loops(condition) || leaves_loops(body)) || leaves_loops(otherwise)
        }
        Kind::Case(_, items) => items.iter().any(|(_, body)| leaves_loops(body)),
        Kind::For(_, _, body) | Kind::Loop(_, body) | Kind::Group(body) | Kind::Subshell(body) | Kind::Pipeline(body) => {
            leaves_loops(body)
        }
        Kind::Test { .. } | Kind::Unread => false,
    })
}
