//! What crashes in a cluster, by what kubectl says of it.

use crate::base::{Progress, escape};
use crate::format::kube::{self, Object, Pod};
use crate::node::Node;
use crate::store::{Cluster, StoreError};
use crate::triage::{self, Subject, Symptom};

/// Pods of one workload that are looked at: they fail alike, or one on each kind of node.
const PODS: usize = 3;

/// What is known of a pod (`api-7d9c5b6f4-x2x4z`) or of the pods of what makes them (`deploy/api`): the objects, what happened to
/// them, the ends of their logs, and the nodes that they are on. Those that fail come first.
///
/// # Errors
/// kubectl does not get the pod, or there is none. What else it does not get is left out.
pub fn subjects(cluster: &Cluster, wanted: &str, progress: &dyn Progress) -> Result<Vec<Subject>, StoreError> {
    let (kind, name) = wanted.split_once('/').unwrap_or(("pod", wanted));
    let text = cluster.get(kind, name, progress)?;
    let mut pods = Vec::new();
    for object in kube::objects(&text).objects {
        match object {
            Object::Pod(pod) => pods.push(*pod),
            Object::Workload(workload) => pods.extend(made_by(cluster, &workload, progress)?),
            _ => {}
        }
    }
    // A stable sort keeps the order of the cluster otherwise.
    pods.sort_by_key(|pod| !triage::of_pod(pod, &[]).is_failing());
    pods.truncate(PODS);
    if pods.is_empty() {
        let call = format!("kubectl get {} {}", escape(kind), escape(name));
        return Err(StoreError::Kubectl { call, said: "there is no pod of it".to_owned() });
    }
    Ok(pods.iter().map(|pod| observed(cluster, pod, progress)).collect())
}

/// The pods of a workload: those with the labels that it selects. A CronJob selects none: its jobs are named after it.
fn made_by(cluster: &Cluster, workload: &kube::Workload, progress: &dyn Progress) -> Result<Vec<Pod>, StoreError> {
    let labels: Vec<String> = workload.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let selector = if labels.is_empty() { "job-name".to_owned() } else { labels.join(",") };
    let list = cluster.list("pods", Some(&format!("--selector={selector}")), progress)?;
    let of_job = |pod: &Pod| {
        let job = pod.meta.label("job-name").unwrap_or_default();
        !labels.is_empty() || job.strip_prefix(workload.meta.name.as_str()).is_some_and(|rest| rest.starts_with('-'))
    };
    let pod = |object| if let Object::Pod(pod) = object { Some(*pod) } else { None };
    Ok(kube::objects(&list).objects.into_iter().filter_map(pod).filter(of_job).collect())
}

/// A pod with its events, its logs and its node.
fn observed(cluster: &Cluster, pod: &Pod, progress: &dyn Progress) -> Subject {
    let about = format!("--field-selector=involvedObject.name={}", pod.meta.name);
    let events = cluster.list("events", Some(&about), progress).unwrap_or_default();
    let event = |object| if let Object::Event(event) = object { Some(*event) } else { None };
    let mut events: Vec<kube::Event> = kube::objects(&events).objects.into_iter().filter_map(event).collect();
    events.sort_by(|one, other| one.time.cmp(&other.time));
    let mut subject = triage::of_pod(pod, &events);
    for container in &mut subject.containers {
        let restarts = pod.status.container(&container.name).map_or(0, |status| status.restarts);
        // What never ran has no log, and only the run before has ended.
        let previous = (restarts > 0).then(|| cluster.log(&pod.meta.name, &container.name, true, progress)).and_then(Result::ok);
        let log = previous.or_else(|| cluster.log(&pod.meta.name, &container.name, false, progress).ok());
        if let Some(text) = log.filter(|text| !text.trim().is_empty()) {
            container.symptoms.push(Symptom { source: format!("log of {}", container.name), text });
        }
    }
    subject.node = subject.node_name.as_ref().and_then(|name| node(cluster, name, progress));
    subject
}

fn node(cluster: &Cluster, name: &str, progress: &dyn Progress) -> Option<Node> {
    let text = cluster.get("node", name, progress).ok()?;
    kube::objects(&text).objects.iter().find_map(|object| match object {
        Object::Node(node) => Some(Node::of_kubernetes(node)),
        _ => None,
    })
}
