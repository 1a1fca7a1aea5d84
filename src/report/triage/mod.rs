//! What `triage` found out, for people and for programs.

mod human;
mod json;

pub use human::triage_human;
pub use json::triage_json;

use crate::base::Platform;
use crate::exec::Cause;
use crate::finding::Finding;
use crate::node::Node;
use crate::triage::{Confidence, Diagnosis, Look};

use super::{ImageReport, Report, TargetReport};

/// Everything that a triage found out.
#[derive(Debug, Clone, Default)]
pub struct TriageReport {
    /// The causes, and what they rest on.
    pub diagnosis: Diagnosis,
    /// What looking into images told.
    pub looks: Vec<Look>,
    /// The images themselves.
    pub looked_at: Report,
}

impl TriageReport {
    /// Whether a start failed, as far as can be told.
    pub fn has_cause(&self) -> bool {
        !self.diagnosis.hypotheses.is_empty()
    }

    /// Why an image could not be looked at, with its name.
    pub fn errors(&self) -> impl Iterator<Item = (&str, &str)> {
        self.looked_at.targets.iter().filter_map(|target| Some((target.target.as_str(), target.error.as_deref()?)))
    }

    /// Whether the images that were looked at do not explain what was seen.
    fn is_contradicted(&self) -> bool {
        let hypotheses = &self.diagnosis.hypotheses;
        let contradicted = hypotheses.iter().any(|hypothesis| hypothesis.confidence == Confidence::Contradicted);
        contradicted && !hypotheses.iter().any(|hypothesis| hypothesis.confidence == Confidence::Confirmed)
    }
}

/// What a report's images tell of a crash on these nodes.
pub fn looks(report: &Report, nodes: &[Node], container: Option<&str>) -> Vec<Look> {
    report.targets.iter().flat_map(|target| of_target(target, &report.findings, nodes, container)).collect()
}

fn of_target(target: &TargetReport, findings: &[Finding], nodes: &[Node], container: Option<&str>) -> Vec<Look> {
    let images = target.images.iter().flat_map(|image| of_image(target, image, findings, container));
    let is_pulled = |node: &Node| {
        let verdicts = target.images.iter().flat_map(|image| &image.verdicts);
        verdicts.into_iter().any(|verdict| verdict.selected && verdict.node.name == node.name)
    };
    let absent = nodes.iter().filter(|node| target.error.is_none() && !is_pulled(node)).map(|node| Look {
        finding: findings.iter().find(|finding| finding.rule.name == "no-matching-manifest").cloned(),
        ..empty(target, &node.name, &node.platform, container)
    });
    images.chain(absent).collect()
}

fn empty(target: &TargetReport, node: &str, platform: &Platform, container: Option<&str>) -> Look {
    Look {
        image: target.target.clone(),
        node: node.to_owned(),
        node_platform: platform.clone(),
        declared: None,
        container: container.map(str::to_owned),
        path: None,
        trace: None,
        messages: Vec::new(),
        finding: None,
    }
}

fn of_image(target: &TargetReport, image: &ImageReport, findings: &[Finding], container: Option<&str>) -> Vec<Look> {
    let selected: Vec<_> = image.verdicts.iter().filter(|verdict| verdict.selected).collect();
    let starts = selected.iter().map(|verdict| {
        let about = |finding: &&Finding| {
            let place = finding.locus.guest();
            let cause = verdict.trace.outcome.cause().map(Cause::name);
            place.is_some_and(|place| place.is_of(&image.image))
                && cause.is_some_and(|cause| {
                    finding.rule.causes.iter().any(|name| name == cause) || finding.rule.name == "wrong-libc"
                })
        };
        Look {
            declared: image.image.platform().cloned(),
            trace: Some(verdict.trace.clone()),
            messages: verdict.message.iter().chain(&verdict.crun_message).cloned().collect(),
            finding: findings.iter().find(about).cloned(),
            ..empty(target, &verdict.node.name, &verdict.node.platform, container)
        }
    });
    let files = image.exec.iter().filter_map(|exec| {
        let verdict = selected.iter().find(|verdict| verdict.node.name == exec.node)?;
        // What the container starts with has been looked at.
        if verdict.trace.hops.iter().any(|hop| hop.path == exec.path) {
            return None;
        }
        Some(Look {
            declared: image.image.platform().cloned(),
            path: Some(String::from_utf8_lossy(&exec.path).into_owned()),
            trace: Some(exec.trace.clone()),
            ..empty(target, &exec.node, &verdict.node.platform, container)
        })
    });
    starts.chain(files).collect()
}
