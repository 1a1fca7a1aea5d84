use crate::format::yaml;

use super::{Meta, list, text};

/// What a pod is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodStatus {
    /// `Pending`, `Running`, `Failed`, ….
    pub phase: Option<String>,
    /// Why, in a word.
    pub reason: Option<String>,
    /// Why, in words.
    pub message: Option<String>,
    /// Its containers, also those that run first and those that were added.
    pub containers: Vec<ContainerStatus>,
}

/// What a container is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerStatus {
    /// Its name.
    pub name: String,
    /// The image as it was pulled, with its digest.
    pub image_id: Option<String>,
    /// How often it was started again.
    pub restarts: u64,
    /// How it is.
    pub state: Option<Condition>,
    /// How it was before it was started again.
    pub last_state: Option<Condition>,
}

/// How a container is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// `waiting`, `running`, `terminated`.
    pub kind: String,
    /// `CrashLoopBackOff`, `StartError`, ….
    pub reason: Option<String>,
    /// In words.
    pub message: Option<String>,
    /// What it exited with.
    pub exit_code: Option<i32>,
}

/// Something that happened to an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The event's own names.
    pub meta: Meta,
    /// Kind of the object that it is about.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// `app` where it is about `spec.containers{app}`.
    pub container: Option<String>,
    /// `Failed`, `BackOff`, ….
    pub reason: String,
    /// In words.
    pub message: String,
    /// When it was last seen (RFC 3339).
    pub time: Option<String>,
}

impl PodStatus {
    pub(super) fn read(node: &yaml::Node) -> Self {
        let lists = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];
        let containers = lists.iter().flat_map(|key| list(node, key)).filter_map(container);
        Self {
            phase: text(node, &["phase"]),
            reason: text(node, &["reason"]),
            message: text(node, &["message"]),
            containers: containers.collect(),
        }
    }

    /// The status of a container.
    pub fn container(&self, name: &str) -> Option<&ContainerStatus> {
        self.containers.iter().find(|container| container.name == name)
    }
}

fn container(node: &yaml::Node) -> Option<ContainerStatus> {
    Some(ContainerStatus {
        name: text(node, &["name"])?,
        image_id: text(node, &["imageID"]).filter(|id| !id.is_empty()),
        restarts: text(node, &["restartCount"]).and_then(|count| count.parse().ok()).unwrap_or(0),
        state: node.get("state").and_then(condition),
        last_state: node.get("lastState").and_then(condition),
    })
}

fn condition(node: &yaml::Node) -> Option<Condition> {
    let kind = ["waiting", "running", "terminated"].into_iter().find(|kind| node.get(kind).is_some())?;
    let of = |key: &str| text(node, &[kind, key]).filter(|text| !text.is_empty());
    let exit_code = of("exitCode").and_then(|code| code.parse().ok());
    Some(Condition { kind: kind.to_owned(), reason: of("reason"), message: of("message"), exit_code })
}

impl Event {
    pub(super) fn read(node: &yaml::Node, meta: Meta) -> Self {
        // events.k8s.io/v1 calls the object `regarding` and the text `note`.
        let of = |key: &str| text(node, &["involvedObject", key]).or_else(|| text(node, &["regarding", key]));
        let field = of("fieldPath").unwrap_or_default();
        let container = field.split_once('{').and_then(|(_, name)| name.strip_suffix('}')).map(ToOwned::to_owned);
        let times = ["lastTimestamp", "eventTime", "deprecatedLastTimestamp", "firstTimestamp"];
        Self {
            meta,
            kind: of("kind").unwrap_or_default(),
            name: of("name").unwrap_or_default(),
            namespace: of("namespace"),
            container,
            reason: text(node, &["reason"]).unwrap_or_default(),
            message: text(node, &["message"]).or_else(|| text(node, &["note"])).unwrap_or_default(),
            time: times.iter().find_map(|key| text(node, &[key])),
        }
    }
}
