//! Workloads held against the machines of a cluster on which they may land.

use crate::base::escape;
use crate::exec::Outcome;
use crate::finding::{Confidence, Finding, Locus, ObjectLocus, rule};
use crate::format::kube::{Meta, PodSpec};
use crate::node::Node;

use super::scheduling::asks_for;
use super::{doubt, scheduling::ARCHITECTURE};

/// One container of a workload, and what becomes of it on each machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// The object.
    pub meta: Meta,
    /// Where the pods' `spec` stands in it, as a JSON pointer.
    pub pointer: String,
    /// What the pods are to be.
    pub spec: PodSpec,
    /// The container's place in `spec.containers` of its part, and that list's name.
    pub place: (&'static str, usize),
    /// Its name.
    pub container: String,
    /// Its image.
    pub image: String,
    /// One a machine, in the order of the machines.
    pub landings: Vec<Landing>,
}

/// What becomes of a container on one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// It does not land there; why.
    KeptAway(String),
    /// The image has nothing for the machine.
    NothingToPull,
    /// How its start goes, with the line that the runtime would print.
    Starts(Box<Outcome>, Option<String>),
    /// The image could not be looked at; why.
    NotLooked(String),
}

impl Landing {
    /// Whether it lands and does not run.
    fn fails(&self) -> bool {
        match self {
            Self::NothingToPull => true,
            Self::Starts(outcome, _) => !matches!(**outcome, Outcome::Runs | Outcome::Emulated { .. } | Outcome::Unsure { .. }),
            Self::KeptAway(_) | Self::NotLooked(_) => false,
        }
    }

    fn runs(&self) -> bool {
        matches!(self, Self::Starts(outcome, _) if matches!(**outcome, Outcome::Runs))
    }
}

impl Placement {
    fn locus(&self, pointer: String) -> Locus {
        let (group_kind, namespace, name) = (self.meta.group_kind(), self.meta.namespace.clone(), self.meta.name.clone());
        Locus::Object(ObjectLocus { group_kind, namespace, name, pointer })
    }

    /// `deployment/api`.
    pub fn title(&self) -> String {
        format!("{}/{}", escape(&self.meta.kind.to_lowercase()), escape(&self.meta.name))
    }
}

/// What is wrong with where containers may land.
pub fn judge_placements(placements: &[Placement], machines: &[Node]) -> Vec<Finding> {
    placements
        .iter()
        .flat_map(|placement| [wrong_node(placement, machines), nowhere(placement, machines), unsure(placement, machines)])
        .flatten()
        .collect()
}

/// It may land where it does not run.
fn wrong_node(placement: &Placement, machines: &[Node]) -> Option<Finding> {
    let here = || placement.landings.iter().zip(machines);
    let failing: Vec<(&Landing, &Node)> = here().filter(|(landing, _)| landing.fails()).collect();
    let names: Vec<&str> = failing.iter().map(|(_, node)| node.name.as_str()).collect();
    let rule = rule(if failing.is_empty() { return None } else { "wrong-node" })?;
    let message = format!(
        "{} may land on {}, where its container {} does not start",
        placement.title(),
        few(&names),
        escape(&placement.container)
    );
    let evidence = failing.iter().map(|(landing, node)| {
        let platform = &node.platform;
        match landing {
            Landing::NothingToPull => {
                format!("{} ({platform}): the image {} has nothing for it", node.name, escape(&placement.image))
            }
            Landing::Starts(_, Some(message)) => format!("{} ({platform}): {message}", node.name),
            _ => format!("{} ({platform}): it does not start", node.name),
        }
    });
    let (list, number) = placement.place;
    Some(Finding {
        rule,
        severity: rule.severity,
        confidence: Confidence::High,
        message,
        locus: placement.locus(format!("{}/{list}/{number}/image", placement.pointer)),
        evidence: evidence.take(MOST).collect(),
        fix: Some(mend(placement, machines)),
        edits: Vec::new(),
    })
}

/// It lands nowhere.
fn nowhere(placement: &Placement, machines: &[Node]) -> Option<Finding> {
    let reasons: Vec<String> = placement
        .landings
        .iter()
        .zip(machines)
        .filter_map(|(landing, node)| match landing {
            Landing::KeptAway(why) => Some(format!("{}: {why}", node.name)),
            _ => None,
        })
        .collect();
    let is_first = placement.place.1 == 0 && placement.place.0 == "containers";
    let rule = rule(if machines.is_empty() || !is_first || reasons.len() < machines.len() { return None } else { "no-node" })?;
    Some(Finding {
        rule,
        severity: rule.severity,
        confidence: Confidence::High,
        message: format!("{} can land on no node", placement.title()),
        locus: placement.locus(placement.pointer.clone()),
        evidence: reasons.into_iter().take(MOST).collect(),
        fix: Some(rule.fix.trim().to_owned()),
        edits: Vec::new(),
    })
}

/// It cannot be told, on some machine where it may land.
fn unsure(placement: &Placement, machines: &[Node]) -> Option<Finding> {
    let (because, node) = placement.landings.iter().zip(machines).find_map(|(landing, node)| match landing {
        Landing::Starts(outcome, _) => match &**outcome {
            Outcome::Unsure { because } => Some((doubt(because), node)),
            _ => None,
        },
        Landing::NotLooked(why) => Some((why.clone(), node)),
        _ => None,
    })?;
    let rule = rule("placement-not-known")?;
    let (list, number) = placement.place;
    Some(Finding {
        rule,
        severity: rule.severity,
        confidence: Confidence::High,
        message: format!(
            "it cannot be told whether container {} of {} starts on {}: {because}",
            escape(&placement.container),
            placement.title(),
            node.name
        ),
        locus: placement.locus(format!("{}/{list}/{number}/image", placement.pointer)),
        evidence: Vec::new(),
        fix: None,
        edits: Vec::new(),
    })
}

/// Machines or reasons that are named at most.
const MOST: usize = 5;

fn few(names: &[&str]) -> String {
    let more = names.len().saturating_sub(MOST);
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// What keeps the pods where they run for now, and what is to be done for good.
fn mend(placement: &Placement, machines: &[Node]) -> String {
    let here = || placement.landings.iter().zip(machines);
    let good: std::collections::BTreeSet<&str> =
        here().filter(|(landing, _)| landing.runs()).map(|(_, node)| node.platform.architecture.as_str()).collect();
    let bad: std::collections::BTreeSet<&str> =
        here().filter(|(landing, _)| landing.fails()).map(|(_, node)| node.platform.architecture.as_str()).collect();
    let build =
        format!("build the image for {} too: `docker buildx build --platform {} .`", list(&bad, ", "), platforms(&good, &bad));
    let only: Vec<&&str> = good.difference(&bad).collect();
    match only.as_slice() {
        [architecture] if !asks_for(&placement.spec, architecture) => {
            let field = placement.pointer.split('/').skip(1).collect::<Vec<_>>();
            let selector = format!("{{\"nodeSelector\":{{\"{ARCHITECTURE}\":\"{architecture}\"}}}}");
            let patch = field.iter().rev().fold(selector, |inner, key| format!("{{\"{key}\":{inner}}}"));
            let namespace = placement.meta.namespace.as_ref().map(|name| format!(" -n {}", escape(name))).unwrap_or_default();
            format!("for now: `kubectl patch {}{namespace} --type=merge -p '{patch}'`; for good, {build}", placement.title())
        }
        _ => build,
    }
}

fn list(names: &std::collections::BTreeSet<&str>, between: &str) -> String {
    names.iter().copied().collect::<Vec<_>>().join(between)
}

fn platforms(good: &std::collections::BTreeSet<&str>, bad: &std::collections::BTreeSet<&str>) -> String {
    good.union(bad).map(|architecture| format!("linux/{architecture}")).collect::<Vec<_>>().join(",")
}
