//! SARIF 2.1.0, within what GitHub's code scanning takes: relative addresses, at most 25,000 results, at most 20 tags.

mod model;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value};

use crate::base::escape;
use crate::finding::{Edit, Finding, Locus, Rule, Severity};

use super::anchor::{Anchor, Repository};
use super::{Report, rule_page, words};
use model::{
    ArtifactChange, ArtifactLocation, AutomationDetails, Configuration, DeletedRegion, Driver, Fix, Help, Invocation, Location,
    Log, LogicalLocation, Message, Notification, PhysicalLocation, Region, Replacement, ReportingDescriptor, RuleProperties, Run,
    RunResult, Tool,
};

/// More results than this in a run make GitHub refuse the file.
const MOST_RESULTS: usize = 25_000;

/// More tags than this on a rule make GitHub refuse the file.
const MOST_TAGS: usize = 20;

/// Writes the report as one SARIF log with one run.
///
/// # Errors
/// `out` cannot be written to.
pub fn sarif(report: &Report, repository: &Repository, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &log(report, repository))?;
    writeln!(out)
}

fn log(report: &Report, repository: &Repository) -> Log {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    // Where not all have room, the worst have.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let cut = findings.len().saturating_sub(MOST_RESULTS);
    findings.truncate(MOST_RESULTS);

    let mut rules: Vec<&'static Rule> = findings.iter().map(|finding| finding.rule).collect();
    rules.sort_by_key(|rule| &rule.id);
    rules.dedup_by_key(|rule| &rule.id);
    let places: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(place, rule)| (rule.id.as_str(), place)).collect();
    let mut seen = BTreeMap::new();
    let results = findings.iter().map(|finding| {
        let place = places.get(finding.rule.id.as_str()).copied().unwrap_or_default();
        result(finding, place, repository, &mut seen)
    });
    let run = Run {
        results: results.collect(),
        tool: Tool { driver: driver(&rules) },
        automation_details: AutomationDetails { id: category(report) },
        column_kind: "unicodeCodePoints",
        invocations: [invocation(report, cut)],
    };
    Log { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] }
}

/// What tells the runs of one commit apart: GitHub keeps the results of each category until that category is uploaded again.
fn category(report: &Report) -> String {
    match report.targets.as_slice() {
        [target] => format!("enoexec/{}/", escape(&target.target)),
        _ => "enoexec/".to_owned(),
    }
}

fn driver(rules: &[&'static Rule]) -> Driver {
    Driver {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        semantic_version: env!("CARGO_PKG_VERSION"),
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules: rules.iter().copied().map(descriptor).collect(),
    }
}

fn descriptor(rule: &'static Rule) -> ReportingDescriptor {
    let tags = ["containers", rule.family()].into_iter().chain(rule.causes.iter().map(String::as_str));
    ReportingDescriptor {
        id: &rule.id,
        name: &rule.name,
        short_description: message(&rule.summary),
        full_description: message(&words::paragraph(&rule.why)),
        help: Help { text: words::paragraph(&rule.fix), markdown: rule_page::sections(rule) },
        help_uri: rule.url(),
        default_configuration: Configuration { level: level(rule.severity) },
        properties: RuleProperties { tags: tags.take(MOST_TAGS).collect(), problem_severity: problem(rule.severity) },
    }
}

/// SARIF's names.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// GitHub's names.
fn problem(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "recommendation",
    }
}

fn message(text: &str) -> Message {
    Message { text: text.to_owned() }
}

/// What the run could not look at or could not tell.
fn invocation(report: &Report, cut: usize) -> Invocation {
    let mut notes = Vec::new();
    for target in &report.targets {
        if let Some(error) = &target.error {
            let text = words::could_not_look(&target.target, error);
            notes.push(Notification { level: "error", message: Message { text } });
        }
    }
    if cut > 0 {
        let text = format!("{cut} more findings, the least severe ones, are left out: a run has room for {MOST_RESULTS}");
        notes.push(Notification { level: "warning", message: Message { text } });
    }
    let execution_successful = report.targets.iter().all(|target| target.error.is_none());
    Invocation { execution_successful, tool_execution_notifications: notes }
}

fn result(finding: &Finding, rule_index: usize, repository: &Repository, seen: &mut BTreeMap<String, usize>) -> RunResult {
    let anchor = repository.anchor(&finding.locus);
    let uri = uri(&anchor.file);
    let fixes = fixes(finding, &uri);
    let mut lines = vec![escape(&finding.message).to_string()];
    if finding.locus.text().is_none() {
        lines.push(format!("in {}", words::place(&finding.locus)));
    }
    lines.extend(words::details(finding));
    RunResult {
        rule_id: &finding.rule.id,
        rule_index,
        level: level(finding.severity),
        message: Message { text: lines.join("\n") },
        locations: [Location {
            physical_location: PhysicalLocation { artifact_location: ArtifactLocation { uri }, region: region(&anchor) },
            logical_locations: logical(&finding.locus).into_iter().collect(),
        }],
        partial_fingerprints: fingerprints(finding, seen),
        fixes,
        properties: properties(finding),
    }
}

/// Ours, and the same under the name that GitHub goes by, which numbers those that are alike.
fn fingerprints(finding: &Finding, seen: &mut BTreeMap<String, usize>) -> Map<String, Value> {
    let fingerprint = finding.fingerprint();
    let times = seen.entry(fingerprint.clone()).or_default();
    *times = times.saturating_add(1);
    let numbered = format!("{fingerprint}:{times}");
    [("enoexec/v1".to_owned(), fingerprint.into()), ("primaryLocationLineHash".to_owned(), numbered.into())].into_iter().collect()
}

fn region(anchor: &Anchor) -> Region {
    let columns = anchor.region.columns;
    Region {
        start_line: anchor.region.line,
        end_line: anchor.region.end_line,
        start_column: columns.map(|(start, _)| start),
        end_column: columns.map(|(_, end)| end),
    }
}

/// Where it really is, for what is not a place in a file of the repository.
fn logical(locus: &Locus) -> Option<LogicalLocation> {
    let (names, kind) = match locus {
        Locus::Text(_) => return None,
        Locus::Guest(place) => {
            let path = place.path.as_ref().map(ToString::to_string);
            (vec![Some(place.target.clone()), place.image.clone(), path], "resource")
        }
        Locus::Object(place) => {
            let names = vec![
                Some(place.group_kind.clone()),
                place.namespace.clone(),
                Some(place.name.clone()),
                Some(place.pointer.clone()),
            ];
            (names, "object")
        }
    };
    let names: Vec<String> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    Some(LogicalLocation { fully_qualified_name: escape(&names.join(" ")).to_string(), kind })
}

fn properties(finding: &Finding) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut set = |name: &str, value: Option<String>| {
        properties.extend(value.map(|value| (name.to_owned(), Value::from(escape(&value).to_string()))));
    };
    set("confidence", Some(finding.confidence.to_string()));
    if let Locus::Guest(place) = &finding.locus {
        set("target", Some(place.target.clone()));
        set("image", place.image.clone());
        set("name", place.name.clone());
        set("layer", place.layer.map(|layer| layer.to_string()));
        set("step", place.step.as_deref().map(words::build_step));
        set("path", place.path.as_ref().map(ToString::to_string));
        set("node", place.node.clone());
    }
    properties
}

fn fixes(finding: &Finding, uri: &str) -> Vec<Fix> {
    if finding.edits.is_empty() || finding.locus.text().is_none() {
        return Vec::new();
    }
    let replacement = |edit: &Edit| Replacement {
        deleted_region: DeletedRegion { byte_offset: edit.span.start, byte_length: edit.span.len() },
        inserted_content: Message { text: edit.replacement.clone() },
    };
    vec![Fix {
        description: Message { text: escape(finding.fix.as_deref().unwrap_or(&finding.rule.summary)).to_string() },
        artifact_changes: [ArtifactChange {
            artifact_location: ArtifactLocation { uri: uri.to_owned() },
            replacements: finding.edits.iter().map(replacement).collect(),
        }],
    }]
}

/// A relative address (RFC 3986): a colon, which would make its first part a scheme, is encoded as well.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
