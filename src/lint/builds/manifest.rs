//! Kubernetes manifests: images of one architecture that nothing keeps from nodes of another.

use crate::base::escape;
use crate::finding::{Confidence, Finding, TextFile};
use crate::format::yaml::{Node, Value};

use crate::lint::dockerfile::naming;
use crate::lint::finding;

/// The labels by which nodes say their architecture (Kubernetes, "Well-Known Labels"; the second is its older name).
const LABELS: [&str; 2] = ["kubernetes.io/arch", "beta.kubernetes.io/arch"];

/// Containers whose image's name says that it is of one architecture, in pods that may go to any node.
pub(super) fn findings(file: &TextFile<'_>, document: &Node) -> Vec<Finding> {
    let members = document.get("items").map(Node::items).unwrap_or_default();
    let objects = std::iter::once(document).filter(|_| members.is_empty()).chain(members);
    objects.filter_map(pod).flat_map(|pod| unpinned(file, pod)).collect()
}

/// The pod that an object is or makes.
fn pod(object: &Node) -> Option<&Node> {
    object.get("apiVersion")?;
    match object.get("kind")?.text()? {
        "Pod" => object.get("spec"),
        "CronJob" => object.at(&["spec", "jobTemplate", "spec", "template", "spec"]),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "ReplicationController" => {
            object.at(&["spec", "template", "spec"])
        }
        _ => None,
    }
}

fn unpinned(file: &TextFile<'_>, pod: &Node) -> Vec<Finding> {
    let chooses = ["nodeSelector", "affinity"].iter().filter_map(|key| pod.get(key)).any(names_architecture);
    if chooses || pod.get("nodeName").is_some() {
        return Vec::new();
    }
    let lists = ["initContainers", "containers"].iter().filter_map(|key| pod.get(key)).flat_map(Node::items);
    lists.filter_map(|container| one_architecture(file, container)).collect()
}

/// Whether a label of nodes' architectures stands anywhere in it, as a key or as a value.
fn names_architecture(node: &Node) -> bool {
    match &node.value {
        Value::Scalar { text, .. } => LABELS.contains(&text.as_str()),
        Value::Sequence(items) => items.iter().any(names_architecture),
        Value::Mapping(entries) => entries.iter().any(|(key, value)| names_architecture(key) || names_architecture(value)),
    }
}

fn one_architecture(file: &TextFile<'_>, container: &Node) -> Option<Finding> {
    let place = container.get("image")?;
    let image = place.text()?;
    let architecture = naming::agreed(image)?.architecture;
    let message = format!("{} is by its name for {architecture} only, but the pod may go to any node", escape(image));
    let mut found = finding(file, "unpinned-workload", place.span.clone(), message)?;
    found.confidence = Confidence::Medium;
    found.fix = Some(format!(
        "use an image that is there for every node's platform; until then keep the pod on {architecture} nodes: \
         `nodeSelector: {{kubernetes.io/arch: {architecture}}}`"
    ));
    Some(found)
}
