//! What a shell does with a script: which commands it surely runs, and which program it becomes in the end. Where that depends
//! on what only a running container has, the answer is that it cannot be told, and why.

mod branches;
mod builtins;
mod run;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::base::GuestPath;
use crate::format::shell::{Script, Statement};
use crate::image::{Credentials, Rootfs};
use crate::node::Node;

pub(super) use words::unquoted;

/// A word of a command: `None` where its value is not known.
pub(super) type Value = Option<Vec<u8>>;

/// What a shell is given.
#[derive(Debug, Clone)]
pub(super) struct Setting<'a> {
    pub(super) rootfs: &'a Rootfs,
    pub(super) node: &'a Node,
    pub(super) who: &'a Credentials,
    /// `$0`.
    pub(super) name: Vec<u8>,
    /// `$1` and on.
    pub(super) arguments: Vec<Value>,
    pub(super) env: Vec<Vec<u8>>,
    pub(super) cwd: GuestPath,
    /// `-e`, on the `#!` line or the command line.
    pub(super) stops_on_error: bool,
}

/// How a script ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    /// What surely happens, or happens where no branch that cannot be judged is taken.
    pub(super) end: End,
    /// What happens instead on branches that cannot be judged.
    pub(super) others: Vec<End>,
}

/// One way to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// It becomes a program, or its last command is one, or its first that fails is.
    Start(Started),
    /// It exits with this code, if that is known.
    Exit(Option<u8>),
    /// It cannot be told, because of this.
    Unsure(&'static str),
}

impl End {
    /// The program that it becomes, if it becomes one.
    pub(super) fn started(&self) -> Option<&Started> {
        match self {
            Self::Start(started) => Some(started),
            Self::Exit(_) | Self::Unsure(_) => None,
        }
    }
}

/// A program that a shell starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Started {
    pub(super) argv: Vec<Value>,
    pub(super) env: Vec<Vec<u8>>,
    pub(super) cwd: GuestPath,
    /// The line of the script.
    pub(super) line: usize,
    /// The sourced file that the line is of, if it is not the script's own.
    pub(super) file: Option<Vec<u8>>,
    /// Whether `exec` does it.
    pub(super) is_exec: bool,
}

/// Runs a script in mind.
pub(super) fn run(setting: &Setting<'_>, text: &[u8]) -> Ending {
    let script = Script::read(text);
    let mut shell = Shell {
        setting,
        state: State::new(setting),
        others: Vec::new(),
        other_arguments: None,
        returns: Vec::new(),
        steps: 0,
        splits: 0,
        depth: 0,
        file: None,
    };
    let end = shell.script(&script.statements);
    Ending { end, others: shell.others }
}

/// A shell at work.
struct Shell<'a> {
    setting: &'a Setting<'a>,
    state: State,
    others: Vec<End>,
    /// What is true instead after a branch that left other arguments.
    other_arguments: Option<Box<State>>,
    /// What is true, with which status, on branches that have left the function or file that is being run.
    returns: Vec<(State, Option<bool>)>,
    /// Statements run so far and KiB copied for them, in a bound.
    steps: usize,
    /// How often the rest was followed twice, in a bound.
    splits: usize,
    /// Functions, sourced files and substitutions one in the other.
    depth: usize,
    /// The sourced file that is being run.
    file: Option<Vec<u8>>,
}

impl Shell<'_> {
    /// Counts what is copied as work that is done.
    fn spend(&mut self, bytes: usize) {
        self.steps = self.steps.saturating_add(bytes / 1024);
    }
}

/// What changes as a script runs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    /// `None` where it is not known.
    cwd: Option<GuestPath>,
    variables: BTreeMap<String, Value>,
    exported: BTreeSet<String>,
    /// `None` where even their number is not known.
    arguments: Option<Vec<Value>>,
    /// With the sourced file that each is of.
    functions: BTreeMap<String, (Rc<Statement>, Option<Vec<u8>>)>,
    stops_on_error: bool,
    /// `$?`: whether the last command succeeded.
    status: Option<bool>,
    /// Whether a program has run that may have made or removed files.
    has_run: bool,
    /// Whether variables may have changed that are not in the list.
    is_tainted: bool,
}

/// Variables that shells and runtimes set by themselves.
const UNKNOWN: &str = "HOME HOSTNAME RANDOM SRANDOM SECONDS PPID LINENO SHLVL TERM OLDPWD UID EUID GROUPS OPTIND OPTERR PS1 PS2 PS4 BASH \
    BASHPID BASH_VERSION BASH_VERSINFO BASH_ARGV0 BASH_COMMAND BASH_SUBSHELL BASHOPTS SHELLOPTS FUNCNAME HOSTTYPE MACHTYPE OSTYPE PIPESTATUS \
    DIRSTACK EPOCHSECONDS EPOCHREALTIME COLUMNS LINES SHELL USER LOGNAME";

/// `IFS` as shells have it at first.
const BLANKS: &[u8] = b" \t\n";

impl State {
    fn new(setting: &Setting<'_>) -> Self {
        let mut variables = BTreeMap::new();
        for variable in &setting.env {
            let mut halves = variable.splitn(2, |byte| *byte == b'=');
            if let (Some(name), Some(value)) = (halves.next(), halves.next()) {
                variables.insert(String::from_utf8_lossy(name).into_owned(), Some(value.to_vec()));
            }
        }
        let exported = variables.keys().cloned().collect();
        // These the runtime or the shell sets to what is not known here.
        for name in UNKNOWN.split_whitespace() {
            variables.entry(name.to_owned()).or_insert(None);
        }
        // Shells take no `IFS` from outside.
        variables.insert("IFS".to_owned(), Some(BLANKS.to_vec()));
        Self {
            cwd: Some(setting.cwd.clone()),
            variables,
            exported,
            arguments: Some(setting.arguments.clone()),
            functions: BTreeMap::new(),
            stops_on_error: setting.stops_on_error,
            status: Some(true),
            has_run: false,
            is_tainted: false,
        }
    }

    /// Bytes of all that is known.
    fn size(&self) -> usize {
        let values = self.variables.values().chain(self.arguments.iter().flatten());
        values.map(|value| 64 + value.as_ref().map_or(0, Vec::len)).sum()
    }

    /// What is true after either of two branches.
    fn merge(&mut self, other: Self) {
        let names: BTreeSet<String> = self.variables.keys().chain(other.variables.keys()).cloned().collect();
        for name in names {
            let (mine, theirs) = (self.variable(&name), other.variable(&name));
            let value = if mine == theirs { mine } else { None };
            self.variables.insert(name, value);
        }
        if self.arguments != other.arguments {
            let pair = self.arguments.take().zip(other.arguments).filter(|(mine, theirs)| mine.len() == theirs.len());
            let same = |(mine, theirs): (Value, Value)| if mine == theirs { mine } else { None };
            self.arguments = pair.map(|(mine, theirs)| mine.into_iter().zip(theirs).map(same).collect());
        }
        if self.cwd != other.cwd {
            self.cwd = None;
        }
        self.exported.extend(other.exported);
        self.functions.extend(other.functions);
        if self.status != other.status {
            self.status = None;
        }
        self.stops_on_error &= other.stops_on_error;
        self.has_run |= other.has_run;
        self.is_tainted |= other.is_tainted;
    }

    /// A variable's value; of one that is not set, nothing.
    fn variable(&self, name: &str) -> Value {
        match self.variables.get(name) {
            Some(value) => value.clone(),
            None if self.is_tainted => None,
            None => Some(Vec::new()),
        }
    }

    /// Forgets everything that some code may have changed. `IFS` stays: code that leaves another one behind breaks its user's words.
    fn taint(&mut self) {
        self.variables.iter_mut().filter(|(name, _)| *name != "IFS").for_each(|(_, value)| *value = None);
        self.is_tainted = true;
        self.has_run = true;
    }

    /// What a program gets. What is exported and not known is left out.
    fn environment(&self) -> Vec<Vec<u8>> {
        let known = self.exported.iter().filter_map(|name| Some((name, self.variables.get(name)?.as_ref()?)));
        known.map(|(name, value)| [name.as_bytes(), b"=", value].concat()).collect()
    }
}
