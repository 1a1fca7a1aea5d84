//! Every cause that the exec model knows, from the crash on: what a runtime says of the examples of the rules leads back to them.

#![allow(clippy::unwrap_used, reason = "what cannot be set up ends the test")]

mod recipe;

use std::collections::BTreeSet;
use std::path::Path;

use enoexec::base::Quiet;
use enoexec::check::Verdict;
use enoexec::exec::Outcome;
use enoexec::finding::{Rule, catalogue};
use enoexec::node::Node;
use enoexec::pipeline::{Case, Request, check, triage};
use enoexec::store::Target;
use enoexec::triage::{Confidence, Subject, Symptom};
use recipe::Recipe;

/// What is left of a failed start: the runtime's or the loader's line, or the code alone.
fn remains(verdict: &Verdict) -> Option<String> {
    let code = match verdict.trace.outcome {
        Outcome::Fails { .. } | Outcome::Exits { .. } | Outcome::Refused { .. } => None,
        Outcome::Dies { signal, .. } => Some(format!("exit code: {}", u32::from(signal) + 128)),
        Outcome::Runs | Outcome::Emulated { .. } | Outcome::Unsure { .. } => return None,
    };
    verdict.message.clone().or(code)
}

/// What does not lead back, of one example.
fn astray(rule: &Rule, recipe: &Recipe, folder: &Path, seen: &mut BTreeSet<&'static str>) -> Vec<String> {
    recipe.write_layout(folder);
    let target: Target = format!("oci:{}", folder.display()).parse().unwrap();
    let nodes: Vec<Node> = recipe.nodes.iter().map(|node| Node::parse(node).unwrap()).collect();
    let report = check(&Request { targets: vec![target.clone()], nodes, ..Request::default() }, &Quiet);
    let verdicts = report.targets.iter().flat_map(|target| &target.images).flat_map(|image| &image.verdicts);
    let mut wrong = Vec::new();
    for verdict in verdicts.filter(|verdict| verdict.selected) {
        let (Some(log), Some(cause)) = (remains(verdict), verdict.trace.outcome.cause()) else { continue };
        let symptom = Symptom { source: "log".to_owned(), text: log.clone() };
        let subject = Subject { symptoms: vec![symptom], ..Subject::default() };
        let case = Case { subject, images: vec![target.clone()], nodes: vec![verdict.node.clone()], ..Case::default() };
        let told = triage(case, &Quiet);
        let first = told.diagnosis.hypotheses.first();
        let is_its = |found: &Rule| found.name == rule.name || found.causes.iter().any(|name| name == cause.name());
        if first.is_some_and(|first| first.confidence == Confidence::Confirmed && first.cause.rule().is_some_and(is_its)) {
            seen.insert(cause.name());
        } else {
            let names: Vec<String> = told
                .diagnosis
                .hypotheses
                .iter()
                .take(3)
                .map(|one| format!("{} {}", one.confidence.name(), one.cause.name))
                .collect();
            wrong.push(format!("{} {}: {log:?} on {} is {names:?}", rule.id, cause.name(), verdict.node.name));
        }
    }
    wrong
}

#[test]
fn what_is_said_of_an_example_leads_back_to_its_cause() {
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for rule in catalogue() {
        for image in rule.examples.iter().filter(|example| example.fires).filter_map(|example| example.image.as_ref()) {
            let folder = tempfile::tempdir().unwrap();
            wrong.extend(astray(rule, &Recipe::from_toml(image), folder.path(), &mut seen));
        }
    }
    assert!(wrong.is_empty(), "{} astray\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen.len() >= 30, "{} causes: {seen:?}", seen.len());
}
