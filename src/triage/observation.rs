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

    pub(super) fn captured(&self, name: &str) -> Option<&str> {
        self.matched.captured.get(name).map(String::as_str)
    }

    /// The file that it is about.
    pub(super) fn path(&self) -> Option<&str> {
        self.captured("path").or_else(|| self.captured("user"))
    }
}

/// Reads all that is known of the subject.
pub(super) fn observe(subject: &Subject, signatures: &'static Signatures) -> Observed {
    let mut texts: Vec<(Option<String>, String, String)> =
        subject.symptoms.iter().map(|symptom| (None, symptom.source.clone(), symptom.text.clone())).collect();
    for container in &subject.containers {
        texts.extend(of_container(container).map(|(source, text)| (Some(container.name.clone()), source, text)));
    }
    let lines: Vec<(Option<String>, String, log::Line)> = texts
        .iter()
        .flat_map(|(container, source, text)| {
            log::lines(text).into_iter().map(move |line| (container.clone(), source.clone(), line))
        })
        .collect();
    let whole = lines.iter().map(|(_, _, line)| line.text.as_str()).collect::<Vec<_>>().join("\n");
    let mut seen = BTreeSet::new();
    let mut observations: Vec<Observation> = lines
        .into_iter()
        .filter_map(|(container, source, log::Line { number, raw, text })| {
            let matched = signatures.read(&text, &whole)?;
            // A crash loop says the same over and over.
            let key = (matched.signature.id.clone(), matched.captured.clone(), container.clone());
            seen.insert(key).then_some(Observation { source, line: number, raw, container, text, matched })
        })
        .collect();
    lend_paths(&mut observations);
    if whole.lines().any(|line| signatures.is_innocent(line)) {
        observations.retain(|observation| !observation.matched.signature.weak);
    }
    Observed { observations, whole }
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
