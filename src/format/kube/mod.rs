//! Kubernetes' objects as kubectl writes them, in JSON and YAML: as far as they decide what is executed, and where.
//!
//! Names are those of the API (`k8s.io/api/core/v1/types.go`). What is missing or of another type than it should be is left out.

mod describe;
mod meta;
mod node;
mod pod;
mod status;

use super::yaml::{self, Problem};

pub use describe::{Described, describe};
pub use meta::Meta;
pub use node::{ClusterNode, Taint};
pub use pod::{Container, ContainerPart, Mount, NodeRequirement, PodSpec, Toleration, VolumeKind};
pub use status::{Condition, ContainerStatus, Event, PodStatus};

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// A pod, as it is in a cluster or in a manifest.
    Pod(Box<Pod>),
    /// What makes pods: a Deployment, a CronJob, ….
    Workload(Box<Workload>),
    /// A machine.
    Node(Box<ClusterNode>),
    /// Something that happened.
    Event(Box<Event>),
    /// Anything else.
    Other(Meta),
}

/// A pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pod {
    /// Its names and labels.
    pub meta: Meta,
    /// What it is to be.
    pub spec: PodSpec,
    /// What it is.
    pub status: PodStatus,
}

/// What makes pods after a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// Its names and labels.
    pub meta: Meta,
    /// What the pods are to be.
    pub spec: PodSpec,
    /// Where the template's `spec` stands, as a JSON pointer.
    pub pointer: &'static str,
    /// The labels by which its pods are found (`spec.selector.matchLabels`).
    pub selector: Vec<(String, String)>,
}

/// The objects of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Objects {
    /// In the order of the text; lists are taken apart.
    pub objects: Vec<Object>,
    /// Why the rest could not be read.
    pub problem: Option<Problem>,
}

/// Reads the objects of a text: one or many documents, each an object or a list of them. What is no object is passed over.
pub fn objects(text: &str) -> Objects {
    let (documents, problem) = yaml::parse(text);
    let objects = documents.iter().flat_map(members).filter_map(object).collect();
    Objects { objects, problem }
}

/// Lists (`kind: List`, `PodList`) hold their members in `items`.
fn members(document: &yaml::Node) -> Vec<&yaml::Node> {
    let is_list = document.get("kind").and_then(yaml::Node::text).is_some_and(|kind| kind.ends_with("List"));
    match document.get("items").filter(|_| is_list) {
        // In a list of one kind the members may leave their own out.
        Some(items) => items.items().iter().collect(),
        None => vec![document],
    }
}

fn object(node: &yaml::Node) -> Option<Object> {
    let meta = Meta::read(node)?;
    Some(match meta.kind.as_str() {
        "Pod" => Object::Pod(Box::new(Pod {
            spec: node.get("spec").map(PodSpec::read).unwrap_or_default(),
            status: node.get("status").map(PodStatus::read).unwrap_or_default(),
            meta,
        })),
        "Node" => Object::Node(Box::new(ClusterNode::read(node, meta))),
        "Event" => Object::Event(Box::new(Event::read(node, meta))),
        kind => match template(kind) {
            Some(pointer) => {
                let path: Vec<&str> = pointer.split('/').skip(1).collect();
                let spec = node.at(&path).map(PodSpec::read).unwrap_or_default();
                let selector = pairs(node, &["spec", "selector", "matchLabels"]);
                Object::Workload(Box::new(Workload { meta, spec, pointer, selector }))
            }
            None => Object::Other(meta),
        },
    })
}

/// Where the pods' `spec` stands in what makes them.
fn template(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" | "Rollout" => {
            "/spec/template/spec"
        }
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        "PodTemplate" => "/template/spec",
        _ => return None,
    })
}

/// The text at the end of a path of keys.
fn text(node: &yaml::Node, path: &[&str]) -> Option<String> {
    node.at(path).and_then(yaml::Node::text).map(ToOwned::to_owned)
}

/// The texts of a list.
fn texts(node: &yaml::Node, path: &[&str]) -> Option<Vec<String>> {
    let list = node.at(path).map(yaml::Node::items)?;
    Some(list.iter().map(|item| item.text().unwrap_or_default().to_owned()).collect())
}

/// The keys and texts of a mapping.
fn pairs(node: &yaml::Node, path: &[&str]) -> Vec<(String, String)> {
    let entries = node.at(path).map(yaml::Node::entries).unwrap_or_default();
    let pair =
        |(key, value): &(yaml::Node, yaml::Node)| Some((key.text()?.to_owned(), value.text().unwrap_or_default().to_owned()));
    entries.iter().filter_map(pair).collect()
}

/// The members of a list.
fn list<'a>(node: &'a yaml::Node, key: &str) -> &'a [yaml::Node] {
    node.get(key).map(yaml::Node::items).unwrap_or_default()
}

#[cfg(test)]
mod tests;
