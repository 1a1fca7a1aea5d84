//! The chain of hops, as the "source" of a finding.

use crate::base::escape;
use crate::exec::{Hop, Outcome, Trace};
use crate::image::Image;
use crate::report::words::{self, build_step, what};

use super::style::{DIM, ERROR, INFO, LOCUS, WARNING, columns, padded, shortened};

/// Paths longer than this push their own line's columns aside, not those of the others.
const WIDEST_PATH: usize = 48;

/// Fewer columns than this tell nothing of a build step.
const NARROWEST_STEP: usize = 24;

/// A start hop by hop, with the last one underlined if things do not go straight on from there. Empty where no file was opened.
pub(super) fn story(image: &Image, trace: &Trace, width: usize) -> Vec<String> {
    let labels: Vec<String> =
        trace.hops.iter().enumerate().map(|(depth, hop)| format!("{}{}", branch(depth), label(hop, trace))).collect();
    let whats: Vec<&str> = trace.hops.iter().map(|hop| what(hop, trace)).collect();
    let fitting = labels.iter().map(|text| columns(text)).filter(|columns| *columns <= WIDEST_PATH);
    let label_column = fitting.max().unwrap_or(0);
    let what_column = whats.iter().map(|text| columns(text)).max().unwrap_or(0);
    let mut lines: Vec<String> = trace
        .hops
        .iter()
        .zip(labels.iter().zip(&whats))
        .map(|(hop, (label, what))| {
            let is_aligned = columns(label) <= label_column;
            let start = format!("{}  {}", padded(label, label_column), padded(what, if is_aligned { what_column } else { 0 }));
            let origin = origin(image, hop, width.saturating_sub(columns(&start)).saturating_sub(2));
            if origin.is_empty() { start.trim_end().to_owned() } else { format!("{start}  {DIM}{origin}{DIM:#}") }
        })
        .collect();
    lines.extend(underline(trace));
    lines
}

/// Lines behind the gutter of a finding, with room above and below.
pub(super) fn in_gutter(lines: &[String]) -> Vec<String> {
    if lines.is_empty() {
        return Vec::new();
    }
    let bar = format!("   {LOCUS}|{LOCUS:#}");
    let told = lines.iter().map(|line| format!("{bar} {line}"));
    std::iter::once(bar.clone()).chain(told).chain([bar.clone()]).collect()
}

fn branch(depth: usize) -> String {
    match depth.checked_sub(1) {
        None => String::new(),
        Some(above) => format!("{}└─ ", "   ".repeat(above)),
    }
}

/// The path as it is named, and where it leads.
fn label(hop: &Hop, trace: &Trace) -> String {
    let named = escape(&hop.path);
    words::leads_to(hop, trace).map_or_else(|| named.to_string(), |end| format!("{named} → {end}"))
}

/// The layer that brought a file, with its build step where there is room.
fn origin(image: &Image, hop: &Hop, room: usize) -> String {
    let Some(number) = hop.layer.filter(|_| !image.is_bare()) else { return String::new() };
    let layer = format!("layer {number}");
    let step = image.layers.get(number).and_then(|layer| layer.step.as_ref()).map(|step| build_step(&step.created_by));
    match step.filter(|step| !step.is_empty() && room >= columns(&layer).saturating_add(NARROWEST_STEP)) {
        Some(step) => shortened(&format!("{layer}: {step}"), room),
        None => layer,
    }
}

fn underline(trace: &Trace) -> Option<String> {
    let hop = trace.hops.last()?;
    let text = words::ending(&trace.outcome)?;
    let (style, mark) = match &trace.outcome {
        Outcome::Emulated { .. } => (WARNING, "-"),
        Outcome::Unsure { .. } => (INFO, "-"),
        _ => (ERROR, "^"),
    };
    let indent = " ".repeat(columns(&branch(trace.hops.len().saturating_sub(1))));
    let marks = mark.repeat(columns(&label(hop, trace)).max(1));
    Some(format!("{indent}{style}{marks} {text}{style:#}"))
}
