//! Version 1 of `schema/triage-v1.json`. These structs are the contract: fields are only ever added.

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::Serialize;

use crate::base::escape;
use crate::exec::{Cause, Outcome};
use crate::triage::{Container, Diagnosis, Hypothesis, Look, Observation, Subject};

use super::TriageReport;
use crate::report::json::Tool;

/// Writes what was found out as one JSON document.
///
/// # Errors
/// `out` cannot be written to.
pub fn triage_json(reports: &[TriageReport], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(reports))?;
    writeln!(out)
}

/// The whole report: what was found out of the first subject that has a cause, and then of each.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document {
    /// Always 1.
    schema_version: u32,
    tool: Tool,
    #[serde(flatten)]
    first: CaseDocument,
    /// Every pod, container or text that was looked at.
    subjects: Vec<CaseDocument>,
}

/// What was found out of one subject.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CaseDocument {
    /// What crashed, where more than a text was given.
    subject: Option<SubjectDocument>,
    /// The likeliest first; empty where no start failed.
    causes: Vec<CauseDocument>,
    /// What looking into images told.
    looks: Vec<LookDocument>,
    /// Images that could not be looked at.
    errors: Vec<ErrorDocument>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SubjectDocument {
    kind: String,
    namespace: Option<String>,
    name: String,
    owner: Option<String>,
    node: Option<String>,
    containers: Vec<ContainerDocument>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ContainerDocument {
    name: String,
    /// As it was asked for.
    image: String,
    /// As it was pulled, with its digest.
    image_id: Option<String>,
    /// Whether it does not run as it should.
    failing: bool,
    /// What it exited with, now or the last time.
    exit_code: Option<i32>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CauseDocument {
    /// What it is called: the name that predictions have for it, where they have one.
    cause: String,
    /// The name of the rule whose page explains it.
    name: String,
    /// That rule's id.
    rule: Option<String>,
    /// `confirmed`, `likely`, `possible` or `contradicted`.
    confidence: &'static str,
    /// Its part of all that the text says for any cause, 0 to 1.
    share: f64,
    /// One line: what is wrong.
    message: String,
    /// How it may have come about; one where it is known.
    ways: Vec<String>,
    /// The lines that speak for it.
    evidence: Vec<EvidenceDocument>,
    /// What else speaks for it or against it.
    notes: Vec<String>,
    /// The command that tells whether it is this one.
    settle: Option<String>,
    /// What makes it run again tonight.
    now: Option<String>,
    /// What mends it for good.
    fix: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EvidenceDocument {
    /// Where it was found: a file's name, `standard input`, `log of app`.
    source: String,
    /// Counted from 1.
    line: usize,
    text: String,
    /// Who prints such a line.
    program: String,
    /// The versions that print it in these words, where they tell: `runc 1.1 or later`.
    versions: Vec<String>,
    container: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct LookDocument {
    image: String,
    node: String,
    container: Option<String>,
    /// The file, where it is not what the container starts with.
    path: Option<String>,
    /// `runs`, `emulated`, `fails`, `dies` or `unsure`; null where the index has no image for the node.
    outcome: Option<&'static str>,
    cause: Option<&'static str>,
    /// The line that the container runtime would print.
    message: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ErrorDocument {
    image: String,
    error: String,
}

fn document(reports: &[TriageReport]) -> Document {
    let nothing = TriageReport::default();
    let first = reports.iter().find(|report| report.has_cause()).or(reports.first()).unwrap_or(&nothing);
    Document { schema_version: 1, tool: Tool::THIS, first: case(first), subjects: reports.iter().map(case).collect() }
}

fn case(report: &TriageReport) -> CaseDocument {
    let diagnosis = &report.diagnosis;
    CaseDocument {
        subject: subject(&diagnosis.subject),
        causes: diagnosis.hypotheses.iter().map(|hypothesis| cause(hypothesis, diagnosis)).collect(),
        looks: report.looks.iter().map(look).collect(),
        errors: report.errors().map(|(image, error)| ErrorDocument { image: shown(image), error: shown(error) }).collect(),
    }
}

fn shown(text: &str) -> String {
    escape(text).to_string()
}

fn subject(subject: &Subject) -> Option<SubjectDocument> {
    (!subject.kind.is_empty()).then(|| SubjectDocument {
        kind: shown(&subject.kind),
        namespace: subject.namespace.as_deref().map(shown),
        name: shown(&subject.name),
        owner: subject.owner.as_deref().map(shown),
        node: subject.node_name.as_deref().map(shown),
        containers: subject.containers.iter().map(container).collect(),
    })
}

fn container(container: &Container) -> ContainerDocument {
    let states = [&container.state, &container.last_state];
    ContainerDocument {
        name: shown(&container.name),
        image: shown(&container.image),
        image_id: container.image_id.as_deref().map(shown),
        failing: container.is_failing(),
        exit_code: states.into_iter().flatten().find_map(|state| state.exit_code),
    }
}

fn cause(hypothesis: &Hypothesis, diagnosis: &Diagnosis) -> CauseDocument {
    let words = diagnosis.words(hypothesis);
    let rule = hypothesis.cause.rule();
    CauseDocument {
        cause: hypothesis.cause.name.clone(),
        name: rule.map_or_else(|| hypothesis.cause.name.clone(), |rule| rule.name.clone()),
        rule: rule.map(|rule| rule.id.clone()),
        confidence: hypothesis.confidence.name(),
        // Three places are more than it means.
        share: (hypothesis.share * 1000.0).round() / 1000.0,
        message: words.message,
        ways: hypothesis.ways.clone(),
        evidence: hypothesis.observations.iter().map(evidence).collect(),
        notes: hypothesis.notes.clone(),
        settle: Some(words.settle),
        now: words.now,
        fix: words.fix,
    }
}

fn evidence(line: &Observation) -> EvidenceDocument {
    EvidenceDocument {
        source: shown(&line.source),
        line: line.line,
        text: shown(&line.raw),
        program: line.program().to_owned(),
        versions: line.versions().to_vec(),
        container: line.container.as_deref().map(shown),
    }
}

fn look(look: &Look) -> LookDocument {
    let outcome = look.trace.as_ref().map(|trace| &trace.outcome);
    LookDocument {
        image: shown(&look.image),
        node: shown(&look.node),
        container: look.container.as_deref().map(shown),
        path: look.path.as_deref().map(shown),
        outcome: outcome.map(Outcome::name),
        cause: outcome.and_then(|outcome| outcome.cause()).map(Cause::name),
        message: look.messages.first().cloned(),
    }
}
