//! The chain of a start, hop by hop.

use std::io::{self, Write};

use crate::base::escape;
use crate::exec::{Hop, Outcome, Trace};
use crate::image::Image;
use crate::report::words;

use super::markup::text;

/// The colour of an outcome.
pub(super) fn class(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Runs => "ok",
        Outcome::Emulated { .. } => "warn",
        Outcome::Unsure { .. } => "unsure",
        Outcome::Refused { .. } | Outcome::Fails { .. } | Outcome::Dies { .. } | Outcome::Exits { .. } => "bad",
    }
}

/// Writes the hops as a list, the last one with what ends the start.
pub(super) fn write(image: &Image, trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    if trace.hops.is_empty() {
        return Ok(());
    }
    writeln!(out, r#"<ol class="chain">"#)?;
    for (place, hop) in trace.hops.iter().enumerate() {
        let is_last = place.saturating_add(1) == trace.hops.len();
        let class = if is_last { class(&trace.outcome) } else { "on" };
        write!(out, r#"<li class="{class}"><span class="path">{}</span>"#, text(&escape(&hop.path).to_string()))?;
        if let Some(end) = words::leads_to(hop, trace) {
            write!(out, r#" <span class="leads">→ {}</span>"#, text(&end))?;
        }
        write!(out, r#"<span class="what">{}</span>"#, text(words::what(hop, trace)))?;
        if let Some(origin) = origin(image, hop) {
            write!(out, r#"<span class="origin">{}</span>"#, text(&origin))?;
        }
        if let Some(ending) = words::ending(&trace.outcome).filter(|_| is_last) {
            write!(out, r#"<strong class="ending">{}</strong>"#, text(&ending))?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ol>")
}

/// `layer 3: COPY app /app`
fn origin(image: &Image, hop: &Hop) -> Option<String> {
    let number = hop.layer.filter(|_| !image.is_bare())?;
    let step = image.layers.get(number).and_then(|layer| layer.step.as_ref()).map(|step| words::build_step(&step.created_by));
    Some(match step.filter(|step| !step.is_empty()) {
        Some(step) => format!("layer {number}: {step}"),
        None => format!("layer {number}"),
    })
}
