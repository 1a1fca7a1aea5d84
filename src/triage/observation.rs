//! From a subject's symptoms to the lines that tell of a failed start.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::log;

use super::signatures::{Match, Signatures};
use super::{Container, State, Subject};

/// A line that tells of a failed start.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Where it was found: `standard input`, `log of app`.
    pub source: String,
    /// The line's number there, counted from 1.
    pub line: usize,
    /// The line as it was found.
    pub raw: String,
    /// The container that it is of, where there are several.
    pub container: Option<String>,
    pub(super) text: String,
    pub(super) matched: Match,
}

/// What was observed.
#[derive(Debug, Default)]
pub(super) struct Observed {
    pub(super) observations: Vec<Observation>,
    /// All of the text, for clues.
    pub(super) whole: String,
}

impl Observation {
    /// Who prints such a line: `runc`, `bash`, …
    pub fn program(&self) -> &str {
        &self.matched.signature.program
    }

    /// The versions that print it in these words, where they tell: `runc 1.1 or later`.
    pub fn versions(&self) -> &[String] {
        &self.matched.versions
    }

    /// The line without its wrapping, from where it tells of the failure.
    pub fn telling(&self) -> &str {
        self.text.get(self.matched.start..).unwrap_or(&self.text)
    }

    pub(super) fn captured(&self, name: &str) -> Option<&str> {
        self.matched.captured.get(name).map(String::as_str)
    }

    /// The file that it is about.
    pub(super) fn path(&self) -> Option<&str> {
        self.captured("path").or_else(|| self.captured("user"))
    }
}

/// A line of a text, and what it tells.
struct Read {
    container: Option<String>,
    source: String,
    line: log::Line,
    matched: Option<Match>,
}

/// Reads all that is known of the subject.
pub(super) fn observe(subject: &Subject, signatures: &'static Signatures) -> Observed {
    let lines: Vec<(Option<String>, String, log::Line)> = texts(subject)
        .into_iter()
        .flat_map(|(container, source, text)| {
            log::lines(&text).into_iter().map(move |line| (container.clone(), source.clone(), line))
        })
        .collect();
    let whole = lines.iter().map(|(_, _, line)| line.text.as_str()).collect::<Vec<_>>().join("\n");
    let read: Vec<Read> = lines
        .into_iter()
        .map(|(container, source, line)| {
            let matched = signatures.read(&line.text, &whole);
            Read { container, source, line, matched }
        })
        .collect();
    let speakers = speakers(&read, signatures);
    let mut seen = BTreeSet::new();
    let mut observations: Vec<Observation> = read
        .into_iter()
        .filter_map(|Read { container, source, line: log::Line { number, raw, text }, matched }| {
            let matched = matched?;
            let is_outspoken = matched.signature.alone && (speakers.contains(&None) || speakers.contains(&container));
            // A crash loop says the same over and over.
            let key = (matched.signature.id.clone(), matched.captured.clone(), container.clone());
            let is_new = !is_outspoken && seen.insert(key);
            is_new.then_some(Observation { source, line: number, raw, container, text, matched })
        })
        .collect();
    lend_paths(&mut observations);
    if whole.lines().any(|line| signatures.is_innocent(line)) {
        observations.retain(|observation| !observation.matched.signature.weak);
    }
    Observed { observations, whole }
}

/// The texts of a subject, with their containers and sources.
fn texts(subject: &Subject) -> Vec<(Option<String>, String, String)> {
    let whole = subject.symptoms.iter().map(|symptom| (None, symptom.source.clone(), symptom.text.clone()));
    let parts = subject
        .containers
        .iter()
        .flat_map(|container| of_container(container).map(|(source, text)| (Some(container.name.clone()), source, text)));
    whole.chain(parts).collect()
}

/// The containers of which more is told than how they are; `None` for what is told of the whole.
fn speakers(read: &[Read], signatures: &Signatures) -> BTreeSet<Option<String>> {
    let speaks = |read: &&Read| match &read.matched {
        Some(matched) => !matched.signature.alone,
        None => !signatures.is_status(read.line.text.trim()),
    };
    read.iter().filter(speaks).map(|read| read.container.clone()).collect()
}

/// A line that names no file is about the file of another line that tells of the same error.
fn lend_paths(observations: &mut [Observation]) {
    let known: BTreeMap<(Option<String>, String), String> = observations
        .iter()
        .filter_map(|observation| {
            let errno = observation.matched.errno.clone()?;
            Some(((observation.container.clone(), errno), observation.path()?.to_owned()))
        })
        .collect();
    for observation in observations.iter_mut().filter(|observation| observation.path().is_none()) {
        let key = (observation.container.clone(), observation.matched.errno.clone().unwrap_or_default());
        if let Some(path) = known.get(&key) {
            observation.matched.captured.insert("path".to_owned(), path.clone());
        }
    }
}

/// A container's symptoms, and what its states say.
fn of_container(container: &Container) -> impl Iterator<Item = (String, String)> {
    let states = [("state", &container.state), ("last state", &container.last_state)];
    let states = states.into_iter().filter_map(|(name, state)| Some((name, state.as_ref()?)));
    let states = states.map(|(name, state)| (format!("{name} of {}", container.name), told(state)));
    let symptoms = container.symptoms.iter().map(|symptom| (symptom.source.clone(), symptom.text.clone()));
    symptoms.chain(states)
}

fn told(state: &State) -> String {
    let code = state.exit_code.map(|code| format!("exit code: {code}"));
    [state.message.clone(), state.reason.clone(), code].into_iter().flatten().collect::<Vec<_>>().join("\n")
}
