//! Texts of which anyone may be the author.

use std::collections::BTreeSet;

use enoexec::base::Quiet;
use enoexec::exec::Overrides;
use enoexec::finding::Finding;
use enoexec::format::inspect::inspected;
use enoexec::format::kube;
use enoexec::format::shell::{Script, patterns};
use enoexec::lint::{self, Options};
use enoexec::node::Node;
use enoexec::pipeline::{self, Case};
use enoexec::report::Report;
use enoexec::store::{SourceFile, Target};
use enoexec::triage::{self, Subject, Symptom};

use super::shown;

/// The first byte that is NUL parts the input in two texts.
fn parted(data: &[u8]) -> (String, String) {
    let mut parts = data.splitn(2, |byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// Shell scripts, and the patterns of shells.
pub fn shell(data: &[u8]) {
    let _ = Script::read(data);
    let (pattern, text) = parted(data);
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let matches = patterns::glob_matches(pattern, text);
    if matches && !pattern.contains(&b'\\') {
        assert!(patterns::replaced(text, pattern, b"", true).len() <= text.len());
    }
    for operator in ["#", "##", "%", "%%"] {
        assert!(patterns::trimmed(text, pattern, operator).len() <= text.len());
    }
}

/// A Dockerfile: what is wrong with it, and what mends it.
pub fn dockerfile(data: &[u8]) {
    let (text, other) = parted(data);
    let options = Options { target: (!other.is_empty()).then_some(other), ..Options::default() };
    let name = "Dockerfile";
    let findings = judged(name, &text, &options);
    let mended = |finding: &&Finding| !finding.edits.is_empty();
    let wanted: BTreeSet<String> = findings.iter().filter(mended).map(Finding::fingerprint).collect();
    let fixed = lint::fix(&text, &wanted, &|text| lint::lint(name, text, &options).unignored());
    assert!(!fixed.applied.is_empty() || fixed.text == text, "nothing is changed without a reason that is told");
    let after = lint::lint(name, &fixed.text, &options).unignored();
    let before = lint::lint(name, &text, &options).unignored();
    assert!(after.len() <= before.len(), "no fix brings what is wrong");
    for finding in &fixed.applied {
        let gone = after.iter().filter(|left| left.rule.id == finding.rule.id).count();
        let there = before.iter().filter(|left| left.rule.id == finding.rule.id).count();
        assert!(gone < there, "what was mended is gone: {}", finding.message);
    }
}

/// A workflow, a compose file, a bake file, a manifest.
pub fn build_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for name in [".github/workflows/build.yml", "compose.yaml", "docker-bake.hcl", "docker-bake.json", "k8s/app.yaml"] {
        judged(name, &text, &Options::default());
        let _ = lint::platforms_built([(name, &*text)]);
    }
}

/// Lints a text and prints what is found in every form.
fn judged(name: &str, text: &str, options: &Options) -> Vec<Finding> {
    let linted = lint::lint(name, text, options);
    let places = linted.findings.iter().filter_map(|finding| finding.locus.text());
    places.for_each(|place| assert!(text.get(place.span.clone()).is_some(), "the place is one of the text"));
    let file = SourceFile { name: name.to_owned(), text: text.to_owned(), is_exact: true, ..SourceFile::default() };
    let report = Report { findings: linted.findings, suppressions: linted.suppressions, files: vec![file], ..Report::default() };
    shown::everywhere(&report);
    report.findings
}

/// What kubectl and Docker print.
pub fn kubernetes(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = (kube::objects(&text), kube::describe(&text), inspected(&text));
    let _ = pipeline::machines(&text);
    triage::subjects(&text).into_iter().for_each(looked_into);
}

/// A log.
pub fn triage(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let symptom = Symptom { source: "standard input".to_owned(), text };
    looked_into(Subject { symptoms: vec![symptom], ..Subject::default() });
}

fn looked_into(subject: Subject) {
    subject.containers.iter().for_each(|container| drop::<Overrides>(container.overrides()));
    let report = pipeline::triage(Case { subject, ..Case::default() }, &Quiet);
    shown::triaged(&report);
}

/// What names a node or a target.
pub fn node(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Node::read(&text) {
        Ok(nodes) => nodes.iter().for_each(|node| {
            let again = Node::read(&node.to_toml()).expect("a node file that is printed is one");
            assert_eq!(again.first().map(|node| &node.platform), Some(&node.platform));
        }),
        Err(error) => shown::plain(&error.to_string().replace(['\t', '\r'], "")),
    }
    if let Err(error) = Node::parse(&text) {
        shown::plain(&error.to_string());
    }
    if let Err(error) = text.parse::<Target>() {
        shown::plain(&error.to_string());
    }
}
