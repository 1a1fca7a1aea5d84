//! Kubernetes manifests: images of one architecture that nothing keeps from nodes of another.

use crate::base::escape;
use crate::finding::{Confidence, Finding};
use crate::format::yaml::{Node, Value};

use super::BuildFile;

/// The labels by which nodes say their architecture (Kubernetes, "Well-Known Labels"; the second is its older name).
const LABELS: [&str; 2] = ["kubernetes.io/arch", "beta.kubernetes.io/arch"];

/// Containers whose image's name says that it is of one architecture, in pods that may go to any node.
pub(super) fn findings(file: BuildFile<'_>, document: &Node) -> Vec<Finding> {
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

fn unpinned(file: BuildFile<'_>, pod: &Node) -> Vec<Finding> {
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

fn one_architecture(file: BuildFile<'_>, container: &Node) -> Option<Finding> {
    let place = container.get("image")?;
    let image = place.text()?;
    let architecture = architecture_of_image(image)?;
    let message = format!("{} is by its name for {architecture} only, but the pod may go to any node", escape(image));
    let mut found = file.finding("unpinned-workload", place.span.clone(), message)?;
    found.confidence = Confidence::Medium;
    found.fix = Some(format!(
        "use an image that is there for every node's platform; until then keep the pod on {architecture} nodes: \
         `nodeSelector: {{kubernetes.io/arch: {architecture}}}`"
    ));
    Some(found)
}

/// The architecture that stands in an image's name or tag; nothing where none does, or several.
fn architecture_of_image(image: &str) -> Option<&'static str> {
    let words = image.split(['/', ':', '-', '_', '@', '.']).filter_map(|word| match word {
        "amd64" | "x86_64" | "x64" => Some("amd64"),
        "arm64" | "aarch64" | "arm64v8" => Some("arm64"),
        "s390x" => Some("s390x"),
        "ppc64le" => Some("ppc64le"),
        "riscv64" => Some("riscv64"),
        _ => None,
    });
    let mut named: Vec<&str> = words.collect();
    named.dedup();
    if let [one] = named.as_slice() { Some(one) } else { None }
}
