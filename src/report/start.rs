//! Which start of an image a finding is about.

use crate::base::escape;
use crate::check::Verdict;
use crate::exec::{Hop, Outcome, Trace};
use crate::finding::{Finding, GuestLocus};

use super::{ImageReport, TargetReport};

/// The start that a finding is about: that of its image and nodes which ends badly at its path, in its layer.
pub(super) fn start_of<'a>(
    found: &Finding,
    place: &GuestLocus,
    target: &'a TargetReport,
) -> Option<(&'a ImageReport, &'a Verdict)> {
    let nodes: Vec<&str> = place.node.as_deref()?.split(", ").collect();
    let images = target.images.iter().filter(|image| place.is_of(&image.image));
    let mut starts = images.flat_map(|image| image.verdicts.iter().map(move |verdict| (image, verdict)));
    starts.find(|(_, verdict)| {
        let node = escape(&verdict.node.name).to_string();
        verdict.selected && nodes.contains(&node.as_str()) && is_about(found, place, &verdict.trace)
    })
}

fn is_about(found: &Finding, place: &GuestLocus, trace: &Trace) -> bool {
    let rule = &found.rule;
    let deciding = trace.deciding();
    let is_its_end = match &trace.outcome {
        Outcome::Runs => false,
        Outcome::Emulated { .. } => rule.name == "emulated",
        Outcome::Unsure { because } => rule.name == "cannot-tell" || rule.name == because.name(),
        Outcome::Refused { cause }
        | Outcome::Fails { cause, .. }
        | Outcome::Dies { cause, .. }
        | Outcome::Exits { cause, .. } => deciding.is_some() || rule.causes.iter().any(|name| name == cause.name()),
    };
    is_its_end && deciding.map(Hop::place) == place.path && deciding.and_then(|hop| hop.layer) == place.layer
}
