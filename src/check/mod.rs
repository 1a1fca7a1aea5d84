//! From facts to findings: what the index entry, the config, the files and the node say is held against each other.

mod causes;
mod contents;
mod data;
mod images;
mod other_systems;
mod php;
mod placements;
mod scheduling;
mod starts;

use crate::exec::{Launch, LaunchError, Trace};
use crate::finding::{Confidence, Finding, GuestLocus, Locus, Severity, rule};
use crate::image::{Image, Rootfs};
use crate::node::Node;

pub use causes::doubt;
pub use contents::infer_platform;
pub use images::{judge_choice, judge_listing};
pub use placements::{Landing, Placement, judge_placements};
pub use scheduling::keeps_away;

/// One image with everything that is known of it, ready to be judged.
pub struct Case<'a> {
    /// The target as the user named it.
    pub target: &'a str,
    /// The image's documents.
    pub image: &'a Image,
    /// Its files.
    pub rootfs: &'a Rootfs,
    /// How it would be started.
    pub launch: Option<Result<&'a Launch, &'a LaunchError>>,
    /// What each node would make of it.
    pub verdicts: &'a [Verdict],
}

/// What one node would make of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The node.
    pub node: Node,
    /// Whether this is the manifest that the node would pull from the index.
    pub selected: bool,
    /// How the start goes.
    pub trace: Trace,
    /// The line that runc would print.
    pub message: Option<String>,
    /// The line that crun would print.
    pub crun_message: Option<String>,
}

/// Judges one image.
pub fn judge(case: &Case<'_>) -> Vec<Finding> {
    let starts = starts::judge_starts(case);
    let others = contents::judge_contents(case, &starts);
    in_order(images::judge_documents(case).into_iter().chain(others).chain(starts))
}

/// Judges the documents of one image and its start, and no other file: what need not be known for that may not have been read.
pub fn judge_start(case: &Case<'_>) -> Vec<Finding> {
    in_order(images::judge_documents(case).into_iter().chain(starts::judge_starts(case)))
}

fn in_order(findings: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = findings.collect();
    findings.sort_by(|one, other| other.severity.cmp(&one.severity).then_with(|| one.rule.id.cmp(&other.rule.id)));
    findings
}

impl Case<'_> {
    /// The place of the image as a whole.
    fn place(&self) -> GuestLocus {
        let (image, name) = (self.image.identity(), self.image.names.first().cloned());
        GuestLocus { target: self.target.to_owned(), image, name, ..GuestLocus::default() }
    }

    /// The place of something in a layer, with the build step that made it.
    fn place_in_layer(&self, layer: Option<usize>) -> GuestLocus {
        let step = layer.and_then(|number| self.image.layers.get(number)).and_then(|layer| layer.step.as_ref());
        GuestLocus { layer, step: step.map(|step| step.created_by.clone()), ..self.place() }
    }
}

/// A finding of the rule with its own severity and advice; nothing if there is no such rule, which a test excludes.
fn finding(rule_name: &str, locus: GuestLocus, message: String) -> Option<Finding> {
    let rule = rule(rule_name)?;
    let (severity, confidence) = (rule.severity, Confidence::High);
    let locus = Locus::Guest(locus);
    let fix = (severity >= Severity::Warning).then(|| rule.fix.trim().to_owned());
    Some(Finding { rule, severity, confidence, message, locus, evidence: Vec::new(), fix, edits: Vec::new() })
}
