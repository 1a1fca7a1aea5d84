//! One screen: the verdict, the lines that it rests on, what to do; then what else it may be.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::Style;

use crate::base::escape;
use crate::report::HumanOptions;
use crate::report::human::{BOLD, DIM, ERROR, HELP, INFO, LOCUS, WARNING, columns, shortened, wrapped};
use crate::triage::{Confidence, Hypothesis, Observation, Subject};

use super::TriageReport;

/// How many further causes have room on a screen.
const FURTHER: usize = 6;

/// How many lines are quoted.
const QUOTED: usize = 3;

/// Writes what was found out, with ANSI styles.
///
/// # Errors
/// `out` cannot be written to.
pub fn triage_human(report: &TriageReport, options: HumanOptions, out: &mut dyn Write) -> io::Result<()> {
    let width = options.columns();
    let mut lines: Vec<String> = heading(&report.diagnosis.subject).into_iter().collect();
    for (image, error) in report.errors() {
        let (image, error) = (escape(image).to_string(), escape(error).to_string());
        let said = if error.contains(&image) { error } else { format!("{image}: {error}") };
        lines.push(format!("{WARNING}warning{WARNING:#}{BOLD}: not looked at: {said}{BOLD:#}"));
    }
    let hypotheses = &report.diagnosis.hypotheses;
    let (against, open): (Vec<_>, Vec<_>) =
        hypotheses.iter().partition(|hypothesis| hypothesis.confidence == Confidence::Contradicted);
    match open.split_first() {
        Some((first, others)) => {
            lines.extend(verdict(first, report, width));
            let count = if options.verbose { others.len() } else { FURTHER };
            let others: Vec<&&Hypothesis> = others.iter().take(count).collect();
            if !others.is_empty() && first.confidence != Confidence::Confirmed {
                lines.push(String::new());
                lines.push(format!("{BOLD}or, less likely:{BOLD:#}"));
                // One command may settle several.
                let mut told = BTreeSet::from([report.diagnosis.words(first).settle]);
                lines.extend(others.iter().flat_map(|other| further(other, report, &mut told, width)));
            }
        }
        None if hypotheses.is_empty() => lines.push(nothing(report)),
        None => {}
    }
    if report.is_contradicted() {
        lines.push(String::new());
        lines.extend(contradiction(&against, width));
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Which of several things it is about: a pod, a container.
fn heading(subject: &Subject) -> Option<String> {
    let name = [subject.namespace.as_deref(), Some(subject.name.as_str())].into_iter().flatten().collect::<Vec<_>>().join("/");
    let container = if let [only] = subject.containers.as_slice() { Some(&only.name) } else { None };
    let container = container.filter(|container| **container != subject.name);
    let container = container.map(|container| format!(", container {}", escape(container))).unwrap_or_default();
    let owner = subject.owner.as_ref().map(|owner| format!(" of {}", escape(owner))).unwrap_or_default();
    let node = subject.node_name.as_ref().map(|node| format!(" on {}", escape(node))).unwrap_or_default();
    let kind = subject.kind.to_lowercase();
    (!kind.is_empty()).then(|| format!("{BOLD}{} {}{container}{BOLD:#}{owner}{node}", escape(&kind), escape(&name)))
}

fn nothing(report: &TriageReport) -> String {
    let looked = if report.looks.is_empty() { "" } else { ", and what was looked at runs" };
    format!("no failed start: none of these lines says that something could not be executed{looked}")
}

fn colour(confidence: Confidence) -> Style {
    match confidence {
        Confidence::Confirmed => ERROR,
        Confidence::Likely => WARNING,
        Confidence::Possible | Confidence::Contradicted => INFO,
    }
}

fn id(hypothesis: &Hypothesis) -> &str {
    hypothesis.cause.rule().map_or(hypothesis.cause.name.as_str(), |rule| rule.id.as_str())
}

fn verdict(first: &Hypothesis, report: &TriageReport, width: usize) -> Vec<String> {
    let words = report.diagnosis.words(first);
    let style = colour(first.confidence);
    let mut lines = vec![format!("{style}{}[{}]{style:#}{BOLD}: {}{BOLD:#}", first.confidence.name(), id(first), words.message)];
    lines.extend(quoted(&first.observations, width));
    lines.push(format!("   {LOCUS}|{LOCUS:#}"));
    lines.extend(first.notes.iter().flat_map(|note| noted("note", note, LOCUS, width)));
    if first.confidence != Confidence::Confirmed {
        lines.extend(noted("to be sure", &words.settle, LOCUS, width));
    }
    lines.extend(words.now.iter().flat_map(|now| noted("now", now, HELP, width)));
    lines.extend(noted("for good", &words.fix, HELP, width));
    lines
}

/// A line from where it tells of the failure.
fn told(line: &Observation) -> String {
    let telling = escape(line.telling()).to_string();
    if line.raw.trim_start().starts_with(line.telling()) { telling } else { format!("…{telling}") }
}

/// The lines with their numbers, below the place where they were found.
fn quoted(observations: &[Observation], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut source = None;
    for line in observations.iter().take(QUOTED) {
        if source != Some(&line.source) {
            lines.push(format!(
                "  {LOCUS}-->{LOCUS:#} {}, line {} (printed by {})",
                escape(&line.source),
                line.line,
                if line.versions().is_empty() { line.program().to_owned() } else { line.versions().join(" and ") }
            ));
            lines.push(format!("   {LOCUS}|{LOCUS:#}"));
            source = Some(&line.source);
        }
        let room = width.saturating_sub(8);
        let raw = escape(line.raw.trim()).to_string();
        // Of a long line, what matters is seldom at its beginning.
        let text = if columns(&raw) > room { shortened(&told(line), room) } else { raw };
        lines.push(format!("{LOCUS}{:>3}{LOCUS:#} {LOCUS}|{LOCUS:#} {text}", line.line));
    }
    lines
}

fn noted(label: &str, text: &str, style: Style, width: usize) -> Vec<String> {
    let indent = columns(label).saturating_add(7);
    let parts = wrapped(text, width.saturating_sub(indent));
    let mut parts = parts.into_iter();
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| format!("{}{part}", " ".repeat(indent)));
    std::iter::once(format!("   {LOCUS}={LOCUS:#} {style}{label}{style:#}: {first}")).chain(rest).collect()
}

fn further(other: &Hypothesis, report: &TriageReport, told: &mut BTreeSet<String>, width: usize) -> Vec<String> {
    let words = report.diagnosis.words(other);
    let percent = (other.share * 100.0).round();
    let share = if percent >= 1.0 { format!("{percent:>3}%") } else { "    ".to_owned() };
    let mut lines: Vec<String> = Vec::new();
    for (place, part) in wrapped(&words.message, width.saturating_sub(15)).iter().enumerate() {
        let head = if place == 0 { format!("{share}  {BOLD}{}{BOLD:#}  ", id(other)) } else { " ".repeat(13) };
        lines.push(format!("{head}{part}"));
    }
    if told.insert(words.settle.clone()) {
        lines.push(format!("             {DIM}{}{DIM:#}", shortened(&words.settle, width.saturating_sub(13))));
    }
    lines
}

/// Why the text's causes are none.
fn contradiction(against: &[&Hypothesis], width: usize) -> Vec<String> {
    let names: Vec<&str> = against.iter().map(|hypothesis| hypothesis.cause.name.as_str()).collect();
    let mut lines = vec![format!("{BOLD}contradicted: {}{BOLD:#}", names.join(", "))];
    let because = against.iter().find_map(|hypothesis| hypothesis.notes.last());
    lines.extend(because.iter().flat_map(|note| noted("note", note, LOCUS, width)));
    lines
}
