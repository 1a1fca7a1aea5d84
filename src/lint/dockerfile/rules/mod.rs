//! The rules. Each judges what the builds do and says what is wrong on one platform; the same said of several is one finding.

mod builder;
mod declared;
mod judged;
mod places;
mod platforms;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::Subject;
use super::build::{Build, Use, What};
use super::fixes;
use super::shell::{Action, Certainty};
use super::value::Value;
use crate::base::Platform;
use crate::finding::{Confidence, Finding, Severity};

/// What is wrong on one platform.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    /// The rule's name.
    pub(super) rule: &'static str,
    /// The bytes to point at.
    pub(super) span: Range<usize>,
    /// What it says of the platform, as the rest of a sentence that begins with `on linux/arm64`.
    pub(super) says: String,
    /// What the place becomes there.
    pub(super) value: Option<String>,
    pub(super) severity: Option<Severity>,
    pub(super) certainty: Certainty,
    /// What to do.
    pub(super) help: Option<String>,
    /// What the fix needs to know.
    pub(super) fixable: fixes::Fixable,
}

impl Hit {
    fn new(rule: &'static str, span: Range<usize>, says: impl Into<String>) -> Self {
        let fixable = fixes::Fixable::No;
        Self { rule, span, says: says.into(), value: None, severity: None, certainty: Certainty::Surely, help: None, fixable }
    }

    fn with_value(self, value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..self }
    }

    fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    fn at(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }
}

/// All findings.
pub(super) fn findings(subject: &Subject<'_>, builds: &[Build]) -> Vec<Finding> {
    let mut found: BTreeMap<(usize, usize, &str), (Vec<Platform>, Hit)> = BTreeMap::new();
    // Where the builder's machine matters, it is taken to be what most are.
    let builder = Platform::linux("amd64", None);
    for build in builds {
        let all = [
            words::hits(build, &builder),
            builder::hits(build, &builder),
            platforms::hits(subject, build),
            declared::hits(subject, build),
            places::hits(build),
        ]
        .concat();
        for hit in all {
            let key = (hit.span.start, hit.span.end, hit.rule);
            let entry = found.entry(key).or_insert_with(|| (Vec::new(), hit.clone()));
            if !entry.0.contains(&build.platform) {
                entry.0.push(build.platform.clone());
            }
            entry.1.certainty = entry.1.certainty.min(hit.certainty);
        }
    }
    let found: Vec<(Vec<Platform>, Hit)> = found.into_values().collect();
    let edits = fixes::edits(subject, builds, found.iter().map(|(_, hit)| hit));
    let findings = found.into_iter().zip(edits).filter_map(|((platforms, hit), edits)| {
        // What is right on none of the platforms is meant for one that nobody has named.
        let is_unnamed = platforms.len() > 1 && platforms.len() == builds.len() && is_about_architecture(hit.rule);
        let found = finding(subject, &platforms, hit)?;
        let severity = if is_unnamed { Severity::Info } else { found.severity };
        Some(Finding { severity, edits, ..found })
    });
    findings.collect()
}

fn finding(subject: &Subject<'_>, platforms: &[Platform], hit: Hit) -> Option<Finding> {
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    let message = format!("on {} {}", names.join(" and "), hit.says);
    let mut finding = subject.finding(hit.rule, hit.span.clone(), message)?;
    finding.severity = hit.severity.unwrap_or(finding.severity);
    finding.confidence = if hit.certainty == Certainty::Surely { Confidence::High } else { Confidence::Medium };
    finding.evidence = hit.value.into_iter().collect();
    finding.fix = hit.help;
    Some(finding)
}

/// Whether a rule holds an architecture that is named against the one that is built for.
fn is_about_architecture(rule: &str) -> bool {
    matches!(
        rule,
        "foreign-download"
            | "foreign-package"
            | "hidden-packages"
            | "foreign-path"
            | "foreign-base-image"
            | "foreign-file"
            | "foreign-argument"
            | "fixed-build-target"
    )
}

/// What a build fetches in some of its instructions: addresses, in the order of the file; `Err` with what is known of it for each that is
/// not wholly known or may not be fetched.
pub(super) fn addresses(build: &Build, is_asked: impl Fn(&Use) -> bool) -> Vec<Result<String, String>> {
    build.uses.iter().filter(|used| is_asked(used)).flat_map(fetched).collect()
}

fn fetched(used: &Use) -> Vec<Result<String, String>> {
    let is_sure = used.certainty == Certainty::Surely;
    let known = |value: &Value| value.text().filter(|_| is_sure).ok_or_else(|| value.masked());
    match &used.what {
        What::Shell(Action::Run { words, .. }) if judged::is_fetcher(&judged::program(words)) => {
            let is_option =
                |word: Option<&Value>| word.is_some_and(|word| judged::takes_no_address(&judged::program(words), &word.masked()));
            let may_be_one = |(index, word): &(usize, &Value)| {
                let before = index.checked_sub(1).and_then(|before| words.get(before));
                word.masked().contains("://") || word.text().is_none() && !word.masked().starts_with('-') && !is_option(before)
            };
            words.iter().enumerate().filter(may_be_one).map(|(_, word)| known(word)).collect()
        }
        What::Shell(Action::Run { words, .. }) if judged::may_fetch(words) => {
            vec![Err(words.iter().map(Value::masked).collect::<Vec<_>>().join(" "))]
        }
        What::Shell(Action::Unread) => vec![Err(String::new())],
        What::Copy { source: value, .. } | What::Env { value, .. } if value.masked().contains("://") => vec![known(value)],
        _ => Vec::new(),
    }
}
