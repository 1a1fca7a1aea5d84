//! What becomes of a container on each node of a cluster, as the JSON report has it.

use serde::Serialize;

use crate::base::escape;
use crate::check::{Landing, Placement};
use crate::exec::{Cause, Outcome};
use crate::node::Node;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct PlacementDocument {
    kind: String,
    namespace: Option<String>,
    name: String,
    container: String,
    image: String,
    nodes: Vec<LandingDocument>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct LandingDocument {
    node: String,
    platform: String,
    /// `kept-away`, `nothing-to-pull`, `not-looked-at`, or `lands`.
    landing: &'static str,
    /// Why it does not land there, or could not be looked at.
    because: Option<String>,
    /// Where it lands: `runs`, `emulated`, `fails`, `dies` or `unsure`.
    outcome: Option<&'static str>,
    cause: Option<&'static str>,
    /// The line that the container runtime would print.
    message: Option<String>,
}

impl PlacementDocument {
    pub(super) fn new(placement: &Placement, machines: &[Node]) -> Self {
        let shown = |text: &str| escape(text).to_string();
        Self {
            kind: shown(&placement.meta.kind),
            namespace: placement.meta.namespace.as_deref().map(shown),
            name: shown(&placement.meta.name),
            container: shown(&placement.container),
            image: shown(&placement.image),
            nodes: machines.iter().zip(&placement.landings).map(|(node, landing)| on(node, landing)).collect(),
        }
    }
}

fn on(node: &Node, landing: &Landing) -> LandingDocument {
    let (name, because, start) = match landing {
        Landing::KeptAway(why) => ("kept-away", Some(why), None),
        Landing::NothingToPull => ("nothing-to-pull", None, None),
        Landing::NotLooked(why) => ("not-looked-at", Some(why), None),
        Landing::Starts(outcome, message) => ("lands", None, Some((outcome, message))),
    };
    LandingDocument {
        node: escape(&node.name).to_string(),
        platform: node.platform.to_string(),
        landing: name,
        because: because.map(|why| escape(why).to_string()),
        outcome: start.map(|(outcome, _)| outcome.name()),
        cause: start.and_then(|(outcome, _)| cause(outcome)),
        message: start.and_then(|(_, message)| message.as_ref()).map(|message| escape(message).to_string()),
    }
}

/// Such as `wrong-machine`; of what is unsure, why.
fn cause(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Unsure { because } => Some(because.name()),
        outcome => outcome.cause().map(Cause::name),
    }
}
