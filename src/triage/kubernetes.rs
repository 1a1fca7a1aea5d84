//! From what kubectl and docker print to what crashed.

use crate::format::inspect::{Bound, Inspected, inspected};
use crate::format::kube::{self, Event, Object, VolumeKind};
use crate::node::Node;

use super::subject::{Container, Mount, State, Subject, Symptom};

/// What crashed, by the objects of a text: what `kubectl get` prints in JSON or YAML (pods, what makes them, events, nodes), what
/// `kubectl describe pod` prints, or what `docker inspect` and `podman inspect` print. What is failing comes first. Nothing where
/// the text is none of these.
pub fn subjects(text: &str) -> Vec<Subject> {
    let mut subjects = if text.contains("apiVersion") {
        of_objects(&kube::objects(text).objects)
    } else if text.contains("\"State\"") {
        inspected(text).iter().map(of_inspected).collect()
    } else {
        kube::describe(text).iter().map(|described| of_pod(&described.pod, &described.events)).collect()
    };
    subjects.sort_by_key(|subject| !subject.is_failing());
    subjects
}

impl Container {
    /// Whether it does not run as it should.
    pub fn is_failing(&self) -> bool {
        let starts = ["ContainerCreating", "PodInitializing", "Completed"];
        let is_bad = |state: &State| {
            state.exit_code.is_some_and(|code| code != 0)
                || state.kind == "waiting" && state.reason.as_deref().is_some_and(|reason| !starts.contains(&reason))
        };
        [&self.state, &self.last_state].into_iter().flatten().any(is_bad)
    }

    /// The image that its node has, with its digest; or the one that the node cannot pull, as it was asked for.
    pub fn reference(&self) -> Option<&str> {
        let waits = |state: &State| matches!(state.reason.as_deref(), Some("ErrImagePull" | "ImagePullBackOff"));
        let is_wanted = self.state.as_ref().is_some_and(waits) && !self.image.is_empty();
        self.image_id.as_deref().or_else(|| is_wanted.then_some(self.image.as_str()))
    }
}

/// The pods with their events and nodes; without pods, what makes them; without these, what the events are about.
fn of_objects(objects: &[Object]) -> Vec<Subject> {
    let events: Vec<Event> =
        objects.iter().filter_map(|object| if let Object::Event(event) = object { Some(*event.clone()) } else { None }).collect();
    let pods = objects.iter().filter_map(|object| if let Object::Pod(pod) = object { Some(pod) } else { None });
    let mut subjects: Vec<Subject> = pods.map(|pod| of_pod(pod, &events)).collect();
    if subjects.is_empty() {
        let workload = |object: &Object| if let Object::Workload(workload) = object { Some(of_workload(workload)) } else { None };
        subjects.extend(objects.iter().filter_map(workload));
    }
    for event in events.iter().filter(|event| event.kind == "Pod") {
        if !subjects.iter().any(|subject| is_about(event, &subject.name, subject.namespace.as_deref())) {
            let mut pod = kube::Pod::default();
            pod.meta.kind.clone_from(&event.kind);
            pod.meta.name.clone_from(&event.name);
            pod.meta.namespace.clone_from(&event.namespace);
            subjects.push(of_pod(&pod, &events));
        }
    }
    for object in objects {
        if let Object::Node(node) = object {
            let here = |subject: &&mut Subject| subject.node_name.as_ref() == Some(&node.meta.name);
            subjects.iter_mut().filter(here).for_each(|subject| subject.node = Some(Node::of_kubernetes(node)));
        }
    }
    subjects
}

fn is_about(event: &Event, name: &str, namespace: Option<&str>) -> bool {
    event.name == name && (namespace.is_none() || event.namespace.is_none() || event.namespace.as_deref() == namespace)
}

/// A pod and what happened to it; of `events` those that are about it.
pub fn of_pod(pod: &kube::Pod, events: &[Event]) -> Subject {
    let symptom = |event: &Event| Symptom { source: format!("event {}", event.reason), text: event.message.clone() };
    let mine: Vec<&Event> =
        events.iter().filter(|event| is_about(event, &pod.meta.name, pod.meta.namespace.as_deref())).collect();
    let has = |name: &String| pod.spec.containers.iter().any(|container| container.name == *name);
    let of_whole = mine.iter().filter(|event| !event.container.as_ref().is_some_and(has));
    let mut symptoms: Vec<Symptom> = of_whole.map(|event| symptom(event)).collect();
    if let Some(message) = &pod.status.message {
        let reason = pod.status.reason.as_deref().unwrap_or("status");
        symptoms.push(Symptom { source: format!("status {reason}"), text: message.clone() });
    }
    let container = |container: &kube::Container| {
        let status = pod.status.container(&container.name);
        let own = mine.iter().filter(|event| event.container.as_ref() == Some(&container.name));
        Container {
            image_id: status.and_then(|status| status.image_id.as_deref()).and_then(pulled),
            state: status.and_then(|status| status.state.as_ref()).map(state),
            last_state: status.and_then(|status| status.last_state.as_ref()).map(state),
            symptoms: own.map(|event| symptom(event)).collect(),
            ..of_container(container)
        }
    };
    Subject {
        kind: "Pod".to_owned(),
        namespace: pod.meta.namespace.clone(),
        name: pod.meta.name.clone(),
        owner: owner(&pod.meta),
        node_name: pod.spec.node_name.clone().filter(|name| !name.is_empty()),
        node: None,
        symptoms,
        containers: pod.spec.containers.iter().map(container).collect(),
    }
}

fn of_workload(workload: &kube::Workload) -> Subject {
    Subject {
        kind: workload.meta.kind.clone(),
        namespace: workload.meta.namespace.clone(),
        name: workload.meta.name.clone(),
        owner: Some(format!("{}/{}", workload.meta.kind.to_lowercase(), workload.meta.name)),
        containers: workload.spec.containers.iter().map(of_container).collect(),
        ..Subject::default()
    }
}

/// What is to be mended, such as `deployment/api`. A ReplicaSet that a Deployment made is named after it and the template's hash.
fn owner(meta: &kube::Meta) -> Option<String> {
    let (kind, name) = meta.controller.as_ref()?;
    let hash = meta.label("pod-template-hash");
    let deployment = hash.and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'));
    Some(match (kind.as_str(), deployment) {
        ("ReplicaSet", Some(deployment)) => format!("deployment/{deployment}"),
        (kind, _) => format!("{}/{name}", kind.to_lowercase()),
    })
}

/// `docker-pullable://repo@sha256:…` and `repo@sha256:…`; the bare id of a config cannot be pulled.
fn pulled(image_id: &str) -> Option<String> {
    let reference = image_id.split_once("://").map_or(image_id, |(_, reference)| reference);
    reference.contains('@').then(|| reference.to_owned())
}

fn state(condition: &kube::Condition) -> State {
    State {
        kind: condition.kind.clone(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        exit_code: condition.exit_code,
    }
}

fn of_container(container: &kube::Container) -> Container {
    let user = match (&container.user, &container.group) {
        (Some(user), Some(group)) => Some(format!("{user}:{group}")),
        (user, _) => user.clone(),
    };
    Container {
        name: container.name.clone(),
        kind: container.part,
        image: container.image.clone(),
        command: container.command.clone(),
        args: container.args.clone(),
        env: container.env.iter().map(|(key, value)| format!("{key}={value}")).collect(),
        user,
        working_dir: container.working_dir.clone(),
        cap_drop: container.cap_drop.clone(),
        mounts: container.mounts.iter().map(mount).collect(),
        ..Container::default()
    }
}

fn mount(mount: &kube::Mount) -> Mount {
    let (path, name) = (mount.path.clone(), mount.name.clone());
    Mount { path, volume: mount.kind, name, sub_path: mount.sub_path.clone(), mode: mount.mode, noexec: false }
}

fn of_inspected(inspected: &Inspected) -> Subject {
    let state = State {
        kind: if inspected.exit_code.is_some() { "terminated".to_owned() } else { inspected.status.clone() },
        reason: None,
        message: inspected.error.clone(),
        exit_code: inspected.exit_code,
    };
    let mounts = inspected.mounts.iter().map(|(path, bound)| {
        let (volume, name, noexec) = match bound {
            Bound::Host(source) => (VolumeKind::HostPath, source.clone(), false),
            Bound::Volume(name) => (VolumeKind::Other, name.clone(), false),
            Bound::Tmpfs { exec } => (VolumeKind::EmptyDir, "tmpfs".to_owned(), !exec),
        };
        Mount { path: path.clone(), volume, name, noexec, ..Mount::default() }
    });
    let container = Container {
        name: inspected.name.clone(),
        image: inspected.image.clone(),
        image_id: inspected.image_id.as_deref().and_then(pulled),
        command: Some(inspected.argv.clone()),
        env: inspected.env.clone(),
        user: inspected.user.clone(),
        working_dir: inspected.working_dir.clone(),
        cap_drop: inspected.cap_drop.clone(),
        mounts: mounts.collect(),
        state: Some(state),
        ..Container::default()
    };
    let (kind, name) = ("container".to_owned(), inspected.name.clone());
    Subject { kind, name, containers: vec![container], ..Subject::default() }
}

#[cfg(test)]
mod tests {
    use super::subjects;
    use crate::format::kube::{ContainerPart, VolumeKind};

    const POD: &str = r"
apiVersion: v1
kind: Pod
metadata:
  name: api-7d9c5b6f4-x2x4z
  namespace: shop
  labels: {pod-template-hash: 7d9c5b6f4}
  ownerReferences: [{kind: ReplicaSet, name: api-7d9c5b6f4, controller: true}]
spec:
  nodeName: n1
  containers:
  - {name: api, image: 'shop/api:1', volumeMounts: [{name: s, mountPath: /app}]}
  volumes: [{name: s, configMap: {name: scripts}}]
status:
  containerStatuses:
  - name: api
    imageID: docker-pullable://shop/api@sha256:00
    state: {waiting: {reason: CrashLoopBackOff}}
    lastState: {terminated: {exitCode: 255, reason: Error}}
";

    #[test]
    fn a_pod_its_events_and_its_node_are_one_subject() {
        let event = "apiVersion: v1\nkind: Event\ninvolvedObject: {kind: Pod, name: api-7d9c5b6f4-x2x4z, namespace: shop, \
                     fieldPath: 'spec.containers{api}'}\nreason: BackOff\nmessage: Back-off\nmetadata: {name: e}\n";
        let node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {nodeInfo: {architecture: arm64}}\n";
        let all = subjects(&format!("{POD}---\n{event}---\n{node}"));
        let [subject] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(subject.owner.as_deref(), Some("deployment/api"));
        assert!(subject.is_failing() && subject.node.as_ref().is_some_and(|node| node.platform.architecture == "arm64"));
        let api = &subject.containers[0];
        assert_eq!((api.kind, api.image_id.as_deref()), (ContainerPart::Main, Some("shop/api@sha256:00")));
        assert_eq!((api.symptoms[0].source.as_str(), api.mounts[0].volume), ("event BackOff", VolumeKind::ConfigMap));
    }

    #[test]
    fn events_alone_tell_which_pod_they_are_about() {
        let text = r#"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Event", "reason": "Failed",
            "metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "a"}, "message": "exec format error"}]}"#;
        let all = subjects(text);
        assert_eq!((all.len(), all[0].name.as_str(), all[0].symptoms[0].text.as_str()), (1, "a", "exec format error"));
    }

    #[test]
    fn a_plain_text_is_none_of_these() {
        assert!(subjects("exec /app: exec format error").is_empty());
        assert!(subjects("Name: x\nStatus: y\n").is_empty());
    }
}
