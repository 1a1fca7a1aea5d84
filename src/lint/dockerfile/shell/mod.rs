//! What a shell does with a RUN's script on one architecture: every command that it would run, with the values of its words.
//!
//! Beside [`crate::exec`]'s shell, which follows a start to the one program that it becomes, this one goes down every branch that
//! it cannot judge, says of each command how sure it is, and knows which bytes of the Dockerfile made each value.

mod builtins;
mod commands;
mod conditions;
mod output;
mod programs;
mod run;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::arguments::is_automatic;
use super::machine::Machine;
use super::value::Value;
use crate::format::dockerfile::Text;
use crate::format::shell::{Script, Statement};

pub(super) use output::base_name;

/// How sure it is that a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Certainty {
    /// It runs, unless one before it fails.
    Surely,
    /// It depends on something that is not known.
    Maybe,
    /// It depends on something that is not known, and that asks for the architecture.
    Guarded,
}

/// Something that a script does.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) action: Action,
    pub(super) certainty: Certainty,
    /// The bytes of the Dockerfile.
    pub(super) place: Option<Range<usize>>,
}

/// What it does.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// Runs a program.
    Run {
        /// The name first.
        words: Vec<Value>,
        /// The variables that are set for it or exported by the script.
        variables: Vec<(String, Value)>,
        /// What is piped into it, where that is known.
        input: Option<Value>,
    },
    /// Writes a file.
    Write { path: Value, content: Value },
    /// Uses a platform argument that its stage does not declare.
    Undeclared { name: String },
    /// Something that cannot be read or followed: it may do anything.
    Unread,
}

/// Where a script's text stands in the Dockerfile.
#[derive(Debug)]
pub(super) enum Source {
    /// In an instruction.
    Instruction(Text),
    /// It was computed: written to a file, or evaluated.
    Computed(Value),
}

impl Source {
    fn text(&self) -> String {
        match self {
            Self::Instruction(text) => text.as_str().to_owned(),
            Self::Computed(value) => value.masked(),
        }
    }

    fn place(&self, range: Range<usize>) -> Option<Range<usize>> {
        match self {
            Self::Instruction(text) => Some(text.in_file(range)),
            Self::Computed(value) => value.origin(range),
        }
    }
}

/// What goes on from one RUN to the next, and changes inside.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// Those that are set. Others may come from the base image.
    pub(super) variables: BTreeMap<String, Value>,
    /// The names that scripts have exported.
    exported: BTreeSet<String>,
    /// `$1` and on.
    arguments: Vec<Value>,
    functions: BTreeMap<String, (Rc<Statement>, Rc<Source>)>,
    /// The files that scripts have written, by the last part of their names.
    pub(super) files: BTreeMap<String, Value>,
    stops_on_error: bool,
    /// What was printed, where it is looked at.
    output: Value,
    /// What is piped in.
    input: Option<Value>,
}

/// What a script did.
#[derive(Debug)]
pub(super) struct Outcome {
    /// In order.
    pub(super) events: Vec<Event>,
    /// Whether it surely fails, so that the build ends here.
    pub(super) fails: bool,
}

/// Runs a script in mind. What it sets is gone afterwards; the files that it writes stay.
pub(super) fn run(source: Source, machine: &Machine, before: &mut State) -> Outcome {
    let state = State { stops_on_error: false, ..before.clone() };
    let source = Rc::new(source);
    let mut shell = Shell {
        machine,
        source: Rc::clone(&source),
        state,
        events: Vec::new(),
        certainty: Certainty::Surely,
        ended: Certainty::Surely,
        left: Certainty::Surely,
        chosen: 0,
        capturing: 0,
        steps: 0,
        depth: 0,
    };
    let script = Script::read(source.text().as_bytes());
    let flow = shell.all(&script.statements, run::Place { is_judged: false });
    before.files = shell.state.files;
    let fails = matches!(flow, run::Flow::Exit(Some(false)) | run::Flow::Next(run::Status::Known(false)));
    Outcome { events: shell.events, fails }
}

/// A shell at work.
struct Shell<'a> {
    machine: &'a Machine,
    /// Of the script, the function or the file that is being run.
    source: Rc<Source>,
    state: State,
    events: Vec<Event>,
    certainty: Certainty,
    /// How sure it is that the script has not ended before, with success.
    ended: Certainty,
    /// How sure it is that the function or the loop has not been left before.
    left: Certainty,
    /// How many of the branches around were chosen by the architecture.
    chosen: usize,
    /// How many substitutions or pipes around look at what is printed.
    capturing: usize,
    /// Statements run so far, in a bound.
    steps: usize,
    /// Functions, files and substitutions one in the other.
    depth: usize,
}

/// So many variables, and so many files, are remembered; what else there is, is not known. Every RUN and every branch takes a copy of
/// them, and real files have some dozens.
const MAX_KNOWN: usize = 300;

fn remember(known: &mut BTreeMap<String, Value>, name: &str, value: Value) {
    // One that BuildKit sets is taken for undeclared where it is not known.
    if known.len() < MAX_KNOWN || known.contains_key(name) || is_automatic(name) {
        known.insert(name.to_owned(), value);
    }
}

impl State {
    /// A variable is set.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        remember(&mut self.variables, name, value);
    }

    /// A file is written.
    pub(super) fn write(&mut self, name: &str, content: Value) {
        remember(&mut self.files, name, content);
    }

    /// What is true after either of two branches. `varies`: whether it depends on the architecture which was taken.
    fn merge(&mut self, other: Self, varies: bool) {
        let names: BTreeSet<String> = self.variables.keys().chain(other.variables.keys()).cloned().collect();
        for name in names {
            let merged = match (self.variables.get(&name), other.variables.get(&name)) {
                (Some(mine), Some(theirs)) if mine.is_same(theirs) => continue,
                (mine, theirs) => {
                    let any = |value: Option<&Value>| value.is_some_and(Value::varies);
                    Value::unknown(varies || any(mine) || any(theirs))
                }
            };
            self.variables.insert(name, merged);
        }
        if !self.output.is_same(&other.output) {
            self.output = Value::unknown(varies || self.output.varies() || other.output.varies());
        }
        if self.arguments.len() != other.arguments.len() {
            self.arguments.clear();
        }
        self.exported.extend(other.exported);
        self.functions.extend(other.functions);
        self.files.extend(other.files);
        self.stops_on_error &= other.stops_on_error;
    }
}
