//! One finding: what, where, the story, the proof, the help.

use anstyle::Style;

use crate::base::escape;
use crate::check::Verdict;
use crate::exec::Voice;
use crate::finding::{Confidence, Finding, GuestLocus, Locus};
use crate::report::start::start_of;
use crate::report::words::build_step;
use crate::report::{ImageReport, TargetReport};

use super::style::{BOLD, HELP, LOCUS, columns, of_severity, shortened, wrapped};
use super::{HumanOptions, story};

/// A finding as lines.
pub(super) fn lines(found: &Finding, target: Option<&TargetReport>, options: HumanOptions) -> Vec<String> {
    let place = found.locus.guest();
    let about = target.zip(place);
    let start = about.and_then(|(target, place)| start_of(found, place, target));
    let image = start.map(|(image, _)| image).or_else(|| about.and_then(|(target, place)| only_image(place, target)));
    let style = of_severity(found.severity);
    let location = match &found.locus {
        Locus::Guest(place) => location(found, place, image, start.is_some(), options),
        Locus::Text(place) => format!("  {LOCUS}-->{LOCUS:#} {}:{}:{}", escape(&place.file), place.line, place.column),
        Locus::Object(place) => format!("  {LOCUS}-->{LOCUS:#} {} {}", escape(&place.group_kind), escape(&place.name)),
    };
    let mut lines =
        vec![format!("{style}{}[{}]{style:#}{BOLD}: {}{BOLD:#}", found.severity, found.rule.id, found.message), location];
    let hops = start.map(|(image, verdict)| story::story(&image.image, &verdict.trace, options.columns().saturating_sub(5)));
    lines.extend(story::in_gutter(&hops.unwrap_or_default()));
    let notes = notes(found, start.map(|(_, verdict)| verdict), options);
    if lines.len() == 2 && !notes.is_empty() {
        lines.push(format!("   {LOCUS}|{LOCUS:#}"));
    }
    lines.extend(notes);
    lines
}

/// `  --> app.tar (linux/arm64), layer 3, step 7: COPY app /app`
fn location(found: &Finding, place: &GuestLocus, image: Option<&ImageReport>, has_story: bool, options: HumanOptions) -> String {
    let names = image.iter().flat_map(|image| &image.image.names).map(|name| escape(name).to_string());
    let told: Vec<String> = place.image.iter().cloned().chain(names).collect();
    let mut text = escape(&place.target).to_string();
    if !told.is_empty() {
        text.push_str(&format!(" ({})", told.join(", ")));
    }
    if let Some(path) =
        place.path.as_ref().map(ToString::to_string).filter(|path| !has_story && !found.message.contains(path.as_str()))
    {
        text.push_str(&format!(", {path}"));
    }
    if let Some(layer) = place.layer.filter(|_| image.is_none_or(|image| !image.image.is_bare())) {
        text.push_str(&format!(", layer {layer}"));
        let step = image.and_then(|image| image.image.layers.get(layer)).and_then(|layer| layer.step.as_ref());
        if let Some(step) = step {
            text.push_str(&format!(", step {}", step.number));
        }
    }
    if let Some(step) = place.step.as_deref().map(build_step).filter(|step| !step.is_empty()) {
        let room = options.columns().saturating_sub(columns(&text)).saturating_sub(8).max(24);
        text.push_str(&format!(": {}", shortened(&step, room)));
    }
    format!("  {LOCUS}-->{LOCUS:#} {text}")
}

/// What stands below the story, each behind a `=`.
pub(super) fn notes(found: &Finding, verdict: Option<&Verdict>, options: HumanOptions) -> Vec<String> {
    let mut lines = Vec::new();
    let mut note = |style: Style, name: &str, text: &str| {
        let indent = columns(name).saturating_add(7);
        for (number, line) in wrapped(text, options.columns().saturating_sub(indent).max(40)).iter().enumerate() {
            lines.push(match number {
                0 => format!("   {LOCUS}={LOCUS:#} {style}{name}{style:#}: {line}"),
                _ => format!("{:indent$}{line}", ""),
            });
        }
    };
    let by_runtime = verdict.is_some_and(|verdict| verdict.trace.voice == Voice::Runtime);
    for line in verdict.and_then(|verdict| verdict.message.as_deref()).unwrap_or_default().lines() {
        note(BOLD, if by_runtime { "runtime prints" } else { "prints" }, &escape(line).to_string());
    }
    if let Some(message) = verdict.and_then(|verdict| verdict.crun_message.as_deref()).filter(|_| options.verbose && by_runtime) {
        note(BOLD, "crun prints", &escape(message).to_string());
    }
    // The story has told what the evidence of a start says.
    // A text shows the first line beside the place.
    let shown = usize::from(found.locus.text().is_some());
    for line in found.evidence.iter().filter(|_| verdict.is_none()).skip(shown) {
        note(BOLD, "note", line);
    }
    if found.confidence != Confidence::High {
        note(BOLD, "note", if found.confidence == Confidence::Medium { "likely, not certain" } else { "a guess" });
    }
    if let Some(fix) = &found.fix {
        note(HELP, "help", fix);
    }
    if options.verbose {
        note(BOLD, "fingerprint", &found.fingerprint());
    }
    lines
}

/// The image of a place, where no other of the target looks like it.
fn only_image<'a>(place: &GuestLocus, target: &'a TargetReport) -> Option<&'a ImageReport> {
    let mut images = target.images.iter().filter(|image| place.image.is_some() && place.is_of(&image.image));
    images.next().filter(|_| images.next().is_none())
}
