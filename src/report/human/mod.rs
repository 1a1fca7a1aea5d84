//! The report for people: in rustc's manner, the story of the start with the failing hop underlined.

mod facts;
mod finding;
mod status;
mod story;
mod style;
mod tables;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, Write};

use crate::base::escape;
use crate::finding::Finding;
use crate::image::{Skip, Skipped};

use super::words::{self, label};
use super::{ImageReport, Report, TargetReport};
pub(super) use style::{BOLD, DIM, ERROR, HELP, INFO, LOCUS, WARNING, columns, shortened, wrapped};

/// How much to show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HumanOptions {
    /// Only findings.
    pub quiet: bool,
    /// More details: every hop of what runs, machines by layer, skipped entries, fingerprints.
    pub verbose: bool,
    /// Facts without verdict (`inspect`).
    pub facts: bool,
    /// Columns to fit build steps and texts into; 100 where not given.
    pub width: Option<u16>,
}

impl HumanOptions {
    pub(super) fn columns(self) -> usize {
        usize::from(self.width.unwrap_or(100)).max(60)
    }
}

/// Lines that belong together.
struct Block {
    lines: Vec<String>,
    /// Stands next to another such block without a blank line between them.
    is_tight: bool,
}

/// Writes the report with ANSI styles; `app/` strips them where they are not wanted.
///
/// # Errors
/// `out` cannot be written to.
pub fn human(report: &Report, options: HumanOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut blocks: Vec<Block> = Vec::new();
    for (place, target) in report.targets.iter().enumerate() {
        let earlier = report.targets.get(..place).unwrap_or_default();
        let is_repeated = earlier.iter().any(|earlier| earlier.target == target.target);
        let findings = report.findings.iter().filter(|found| !is_repeated && target_of(found) == target.target);
        blocks.extend(target_blocks(target, &findings.collect::<Vec<_>>(), options));
    }
    let is_astray = |found: &&Finding| report.targets.iter().all(|target| target.target != target_of(found));
    blocks.extend(report.findings.iter().filter(is_astray).map(|found| loose(astray(found, report, options))));
    if !options.quiet && !options.facts {
        blocks.push(Block { lines: summary(report), is_tight: true });
    }
    write_blocks(&blocks, out)
}

/// The target that a finding is of; nothing where it is of no image.
fn target_of(found: &Finding) -> &str {
    found.locus.guest().map(|place| place.target.as_str()).unwrap_or_default()
}

/// A finding that is of no target: in a text or in an object.
fn astray(found: &Finding, report: &Report, options: HumanOptions) -> Vec<String> {
    let place = found.locus.text();
    match place.and_then(|place| Some((place, report.files.iter().find(|file| file.name == place.file)?))) {
        Some((place, file)) => text::lines(found, place, &file.text, options),
        None => finding::lines(found, None, options),
    }
}

fn loose(lines: Vec<String>) -> Block {
    Block { lines, is_tight: false }
}

fn write_blocks(blocks: &[Block], out: &mut dyn Write) -> io::Result<()> {
    let mut before: Option<&Block> = None;
    for block in blocks.iter().filter(|block| !block.lines.is_empty()) {
        if before.is_some_and(|before| !(before.is_tight && block.is_tight)) {
            writeln!(out)?;
        }
        block.lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        before = Some(block);
    }
    Ok(())
}

fn target_blocks(target: &TargetReport, findings: &[&Finding], options: HumanOptions) -> Vec<Block> {
    if let Some(error) = &target.error {
        return vec![loose(vec![could_not_look(&target.target, error)])];
    }
    let mut blocks: Vec<Block> = findings.iter().map(|found| loose(finding::lines(found, Some(target), options))).collect();
    if options.facts {
        blocks.extend(facts::blocks(target, options).into_iter().map(loose));
        blocks.push(loose(target.skipped.iter().map(skipped).collect()));
    } else if !options.quiet {
        blocks.push(Block { lines: status::lines(target, findings, options), is_tight: true });
        blocks.push(loose(tables::matrix(target)));
        if options.verbose {
            blocks.extend(target.images.iter().map(|image| loose(titled(image, options))));
            blocks.push(loose(target.skipped.iter().map(skipped).collect()));
        }
    }
    blocks
}

fn titled(image: &ImageReport, options: HumanOptions) -> Vec<String> {
    let table = tables::layers(image, options.columns());
    std::iter::once(format!("{LOCUS}{}{LOCUS:#}", label(&image.image))).chain(table).collect()
}

fn could_not_look(target: &str, error: &str) -> String {
    let (target, error) = (escape(target).to_string(), escape(error).to_string());
    // Most errors name the file themselves, without the prefix.
    let file = target.split_once(':').map_or(target.as_str(), |(_, file)| file);
    let said = if target == "-" || error.contains(file) { error } else { format!("{target}: {error}") };
    format!("{ERROR}error{ERROR:#}{BOLD}: {said}{BOLD:#}")
}

fn skipped(entry: &Skipped) -> String {
    let why = match &entry.why {
        Skip::Attestation => "an attestation of another entry".to_owned(),
        Skip::Artifact(kind) => format!("no image but {}", escape(kind)),
        Skip::Referrer { kind, subject } => format!("no image but {} about {subject}", escape(kind)),
        Skip::SchemaOne => "an image of schema 1, which no runtime pulls any more".to_owned(),
        Skip::Absent(platform) => format!("the image for {platform}, which is not in this target"),
    };
    format!("{DIM}skipped {}: {why}{DIM:#}", escape(&entry.name))
}

fn summary(report: &Report) -> Vec<String> {
    let images: usize = report.targets.iter().map(|target| target.images.len()).sum();
    // What is alone needs no sum.
    let is_alone = report.targets.len() <= 1 && images <= 1 && report.files.is_empty();
    if report.findings.is_empty() && is_alone && report.ignored + report.known == 0 {
        return Vec::new();
    }
    let mut lines = vec![format!("{BOLD}{}{BOLD:#}", words::sum(report))];
    if let Some(worst) = report.findings.iter().max_by_key(|found| found.severity) {
        let first = report.findings.iter().find(|found| found.severity == worst.severity).unwrap_or(worst);
        lines.push(format!("{DIM}more about it: enoexec explain {}{DIM:#}", first.rule.id));
    }
    lines
}
