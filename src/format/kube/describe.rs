//! What `kubectl describe pod` prints: for people, but in a form that has not changed for years
//! (`k8s.io/kubectl/pkg/describe/describe.go`, `describePod`).

use super::{Condition, Container, ContainerPart, ContainerStatus, Event, Mount, Pod, VolumeKind};

/// A pod as described, with what happened to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// The pod; what a description does not tell is empty.
    pub pod: Pod,
    /// Its events, oldest first.
    pub events: Vec<Event>,
}

/// Reads the pods of a description; none where it is not one.
pub fn describe(text: &str) -> Vec<Described> {
    let mut pods: Vec<Reader> = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        if let Some(name) = line.strip_prefix("Name:") {
            pods.push(Reader::new(name.trim()));
        } else if let Some(reader) = pods.last_mut() {
            reader.line(line);
        }
    }
    pods.into_iter().filter(|reader| !reader.pod.spec.containers.is_empty()).map(Reader::finish).collect()
}

/// Where in a description a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// The pod's own fields.
    Pod,
    /// Containers of this part.
    Containers(ContainerPart),
    /// Volumes.
    Volumes,
    /// Node selectors, which go on over several lines.
    Selectors,
    /// The table of events.
    Events,
    /// Nothing that is looked at.
    Other,
}

/// Reads one pod, line by line.
struct Reader {
    pod: Pod,
    events: Vec<Event>,
    section: Section,
    /// The field of a container that the deeper lines belong to.
    field: String,
    /// Volumes: name in the pod, kind, and what it is made of.
    volumes: Vec<(String, VolumeKind, Option<String>)>,
    /// Where the messages of the table of events begin.
    message_column: usize,
}

impl Reader {
    fn new(name: &str) -> Self {
        let mut pod = Pod::default();
        pod.meta.kind = "Pod".to_owned();
        pod.meta.name = name.to_owned();
        let (events, volumes, field) = (Vec::new(), Vec::new(), String::new());
        Self { pod, events, section: Section::Pod, field, volumes, message_column: 0 }
    }

    fn line(&mut self, line: &str) {
        let indent = line.len().saturating_sub(line.trim_start().len());
        let (key, value) = line.trim_start().split_once(':').unwrap_or((line.trim_start(), ""));
        let value = value.trim();
        if indent == 0 && !line.is_empty() && line.contains(':') {
            self.top(key, value);
            return;
        }
        match self.section {
            Section::Containers(part) => self.container(part, indent, line, key, value),
            Section::Volumes => self.volume(indent, key, value),
            Section::Selectors => self.selector(line.trim()),
            Section::Events => self.event(line),
            Section::Pod | Section::Other => {}
        }
    }

    fn top(&mut self, key: &str, value: &str) {
        self.section = match key {
            "Init Containers" => Section::Containers(ContainerPart::Init),
            "Containers" => Section::Containers(ContainerPart::Main),
            "Ephemeral Containers" => Section::Containers(ContainerPart::Ephemeral),
            "Volumes" => Section::Volumes,
            "Events" => Section::Events,
            "Node-Selectors" => Section::Selectors,
            "Conditions" | "Labels" | "Annotations" | "Tolerations" | "QoS Class" => Section::Other,
            // A message of several lines may have a line of its own that looks like a field.
            _ if matches!(self.section, Section::Containers(_)) => return self.goes_on(&format!("{key}: {value}")),
            _ => Section::Pod,
        };
        match key {
            "Namespace" => self.pod.meta.namespace = Some(value.to_owned()),
            "Node" if value != "<none>" => {
                self.pod.spec.node_name = value.split('/').next().map(ToOwned::to_owned);
            }
            "Controlled By" => self.pod.meta.controller = value.split_once('/').map(|(kind, name)| (kind.into(), name.into())),
            "Status" => self.pod.status.phase = Some(value.to_owned()),
            "Reason" => self.pod.status.reason = Some(value.to_owned()),
            "Message" => self.pod.status.message = Some(value.to_owned()),
            "Node-Selectors" => self.selector(value),
            _ => {}
        }
    }

    fn selector(&mut self, text: &str) {
        if let Some((key, value)) = text.split_once('=') {
            self.pod.spec.node_selector.push((key.to_owned(), value.to_owned()));
        }
    }

    fn container(&mut self, part: ContainerPart, indent: usize, line: &str, key: &str, value: &str) {
        if indent == 2 && line.ends_with(':') {
            self.pod.spec.containers.push(Container { name: key.to_owned(), part, ..Container::default() });
            self.pod.status.containers.push(ContainerStatus { name: key.to_owned(), ..ContainerStatus::default() });
            self.field.clear();
        } else if indent == 4 && line.contains(':') {
            self.field = key.to_owned();
            self.field_of_container(key, value);
        } else if indent >= 6 && self.field != "Message" {
            self.below_field(line.trim_start(), key, value);
        } else {
            self.goes_on(line.trim());
        }
    }

    fn field_of_container(&mut self, key: &str, value: &str) {
        let (Some(container), Some(status)) = (self.pod.spec.containers.last_mut(), self.pod.status.containers.last_mut()) else {
            return;
        };
        let condition = || Some(Condition { kind: value.to_lowercase(), ..Condition::default() });
        match key {
            "Image" => container.image = value.to_owned(),
            "Image ID" => status.image_id = Some(value.to_owned()).filter(|id| !id.is_empty()),
            "Command" => container.command = Some(Vec::new()),
            "Args" => container.args = Some(Vec::new()),
            "Restart Count" => status.restarts = value.parse().unwrap_or(0),
            "State" => status.state = condition(),
            "Last State" => status.last_state = condition(),
            _ => {}
        }
    }

    fn below_field(&mut self, line: &str, key: &str, value: &str) {
        let (Some(container), Some(status)) = (self.pod.spec.containers.last_mut(), self.pod.status.containers.last_mut()) else {
            return;
        };
        let condition = match self.field.as_str() {
            "Command" => return container.command.iter_mut().for_each(|words| words.push(line.to_owned())),
            "Args" => return container.args.iter_mut().for_each(|words| words.push(line.to_owned())),
            "Environment" if !value.starts_with('<') => return container.env.push((key.to_owned(), value.to_owned())),
            "Mounts" => return container.mounts.extend(mount(line)),
            "State" => &mut status.state,
            "Last State" => &mut status.last_state,
            _ => return,
        };
        let Some(condition) = condition else { return };
        match key {
            "Reason" => condition.reason = Some(value.to_owned()),
            "Message" => condition.message = Some(value.to_owned()),
            "Exit Code" => condition.exit_code = value.parse().ok(),
            "Started" | "Finished" | "Signal" => {}
            _ => self.goes_on(line),
        }
    }

    /// A further line of the message of a state.
    fn goes_on(&mut self, line: &str) {
        let Some(status) = self.pod.status.containers.last_mut() else { return };
        let condition = match self.field.as_str() {
            "State" => status.state.as_mut(),
            "Last State" => status.last_state.as_mut(),
            _ => None,
        };
        if let Some(message) = condition.and_then(|condition| condition.message.as_mut()) {
            message.push('\n');
            message.push_str(line);
        }
    }

    fn volume(&mut self, indent: usize, key: &str, value: &str) {
        match (indent, key, self.volumes.last_mut()) {
            (2, name, _) => self.volumes.push((name.to_owned(), VolumeKind::Other, None)),
            (_, "Type", Some((_, kind, _))) => {
                *kind = match value.split(' ').next().unwrap_or_default() {
                    "ConfigMap" => VolumeKind::ConfigMap,
                    "Secret" => VolumeKind::Secret,
                    "EmptyDir" => VolumeKind::EmptyDir,
                    "HostPath" => VolumeKind::HostPath,
                    _ => VolumeKind::Other,
                };
            }
            (_, "Name" | "SecretName" | "Path" | "ClaimName", Some((_, _, source))) => *source = Some(value.to_owned()),
            _ => {}
        }
    }

    fn event(&mut self, line: &str) {
        if let Some(column) = line.find("Message").filter(|_| line.trim_start().starts_with("Type")) {
            self.message_column = column;
            return;
        }
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match (words.as_slice(), line.get(self.message_column..)) {
            ([kind, reason, ..], Some(message)) if matches!(*kind, "Normal" | "Warning") && self.message_column > 0 => {
                self.events.push(Event {
                    kind: "Pod".to_owned(),
                    name: self.pod.meta.name.clone(),
                    namespace: self.pod.meta.namespace.clone(),
                    reason: (*reason).to_owned(),
                    message: message.trim().to_owned(),
                    ..Event::default()
                });
            }
            ([first, ..], _) if !first.starts_with("----") => {
                if let Some(event) = self.events.last_mut() {
                    event.message.push('\n');
                    event.message.push_str(line.trim());
                }
            }
            _ => {}
        }
    }

    /// Mounts name the volumes, which are told of behind them.
    fn finish(mut self) -> Described {
        for mount in self.pod.spec.containers.iter_mut().flat_map(|container| &mut container.mounts) {
            if let Some((_, kind, source)) = self.volumes.iter().find(|(name, ..)| *name == mount.name) {
                mount.kind = *kind;
                mount.name = source.clone().unwrap_or_else(|| mount.name.clone());
            }
        }
        Described { pod: self.pod, events: self.events }
    }
}

/// `/app/run.sh from config (rw,path="run.sh")`.
fn mount(line: &str) -> Option<Mount> {
    let (path, rest) = line.split_once(" from ")?;
    let (name, options) = rest.split_once(" (").unwrap_or((rest, ""));
    let sub_path = options.split_once("path=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(path, _)| path.to_owned());
    Some(Mount { path: path.to_owned(), name: name.to_owned(), sub_path, ..Mount::default() })
}
