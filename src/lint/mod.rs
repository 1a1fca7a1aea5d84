//! Dockerfiles and build files to findings and fixes. Pure: files are read in `store/`.

mod builds;
pub mod dockerfile;
mod fix;
mod ignores;
mod kind;
mod skipped;
mod unread;

use std::ops::Range;

use crate::base::Platform;
use crate::finding::{Confidence, Finding, Locus, Suppression, TextFile, rule};
use crate::format::dockerfile::Dockerfile;

pub use builds::platforms_built;
pub use dockerfile::{is_of_one_architecture, without_architecture};
pub use fix::{Fixed, Refused, fix};
pub use kind::Kind;

/// For what a build is judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The platforms that are built; linux/amd64 and linux/arm64 where none is said.
    pub platforms: Vec<Platform>,
    /// The stage that is shipped; the last one where none is said.
    pub target: Option<String>,
    /// What lies beside a Dockerfile and is named after it and an architecture: `Dockerfile.arm64`, `arm64/Dockerfile`. Those
    /// architectures are not the Dockerfile's own.
    pub siblings: Vec<String>,
}

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Linted {
    /// What is wrong, in the order of the file; what the file asks to ignore is still in it.
    pub findings: Vec<Finding>,
    /// What the file asks to ignore.
    pub suppressions: Vec<Suppression>,
}

impl Linted {
    /// The findings that the file does not ask to ignore.
    pub fn unignored(self) -> Vec<Finding> {
        let Self { mut findings, suppressions } = self;
        findings.retain(|finding| !suppressions.iter().any(|suppression| suppression.covers(finding)));
        findings
    }
}

/// Looks for what is wrong in a file; `name` is how the user knows it. Whatever the text is, it takes memory and time in
/// proportion to its length.
pub fn lint(name: &str, text: &str, options: &Options) -> Linted {
    match Kind::of(name).unwrap_or(Kind::Dockerfile) {
        Kind::Dockerfile => lint_dockerfile(&TextFile::new(name, text), options),
        kind => builds::lint(&TextFile::new(name, text), kind),
    }
}

fn lint_dockerfile(file: &TextFile<'_>, options: &Options) -> Linted {
    let dockerfile = Dockerfile::parse(file.text);
    let subject = Subject { file, dockerfile: &dockerfile, options };
    let (suppressions, misread) = ignores::suppressions(&subject);
    let mut findings = [unread::findings(&subject), misread, dockerfile::findings(&subject)].concat();
    findings.retain(|finding| !skipped::is_skipped(&dockerfile, finding));
    findings.sort_by_key(|finding| finding.locus.text().map(|place| (place.span.start, place.span.end)));
    Linted { findings, suppressions }
}

/// A Dockerfile that is linted.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// All of it.
    pub file: &'a TextFile<'a>,
    /// The same in parts.
    pub dockerfile: &'a Dockerfile,
    /// For what it is judged.
    pub options: &'a Options,
}

impl Subject<'_> {
    /// A finding of a rule, by the rule's name. The first line of the evidence, if there is one, is shown beside the place.
    pub fn finding(&self, rule_name: &str, span: Range<usize>, message: impl Into<String>) -> Option<Finding> {
        finding(self.file, rule_name, span, message.into())
    }
}

/// A finding of a rule, by the rule's name, at a place of a file.
fn finding(file: &TextFile<'_>, rule_name: &str, span: Range<usize>, message: String) -> Option<Finding> {
    let rule = rule(rule_name)?;
    let locus = Locus::Text(file.locus(span));
    let (severity, confidence) = (rule.severity, Confidence::High);
    Some(Finding { rule, severity, confidence, message, locus, evidence: Vec::new(), fix: None, edits: Vec::new() })
}
