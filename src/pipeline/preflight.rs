//! Every workload on every machine on which it may land.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Progress;
use crate::check::{self, Landing, Placement};
use crate::exec::Overrides;
use crate::finding::Finding;
use crate::format::kube::{self, ClusterNode, Container, ContainerPart, Meta, Object, PodSpec};
use crate::node::{Node, NodeError};
use crate::report::{ImageReport, TargetReport};
use crate::store::{Cache, Network, Target};

use super::Request;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// What is to run: pods, and what makes them.
    pub objects: Vec<Object>,
    /// The machines.
    pub machines: Vec<Machine>,
    /// Where images are to be had that are not pulled from their registry: by their name in the manifests.
    pub images: BTreeMap<String, Target>,
    /// What is known of layers from earlier runs.
    pub cache: Option<Arc<Cache>>,
    /// How registries are reached.
    pub network: Network,
}

/// A machine of a cluster.
#[derive(Debug, Clone)]
pub struct Machine {
    /// What it runs.
    pub node: Node,
    /// Its labels and taints.
    pub object: ClusterNode,
}

impl Machine {
    /// A machine with no labels but those that every node has, and no taints.
    pub fn plain(node: Node) -> Self {
        let meta = Meta { kind: "Node".to_owned(), name: node.name.clone(), ..Meta::default() };
        let (architecture, operating_system) = (Some(node.platform.architecture.clone()), Some(node.platform.os.clone()));
        Self { node, object: ClusterNode { meta, architecture, operating_system, ..ClusterNode::default() } }
    }
}

/// The machines of a text: what `kubectl get node` prints in JSON or YAML, or a node file.
///
/// # Errors
/// It is neither.
pub fn machines(text: &str) -> Result<Vec<Machine>, NodeError> {
    let nodes = Node::read(text)?;
    let of = |object| if let Object::Node(node) = object { Some(*node) } else { None };
    let objects: Vec<ClusterNode> = kube::objects(text).objects.into_iter().filter_map(of).collect();
    if objects.len() != nodes.len() {
        return Ok(nodes.into_iter().map(Machine::plain).collect());
    }
    Ok(nodes.into_iter().zip(objects).map(|(node, object)| Machine { node, object }).collect())
}

/// What was found out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preflight {
    /// The machines, by name.
    pub machines: Vec<Node>,
    /// One a container.
    pub placements: Vec<Placement>,
    /// The images that were looked at.
    pub targets: Vec<TargetReport>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Manifests × machines → where each container may land → what becomes of it there → findings.
pub fn preflight(asked: &Manifests, progress: &dyn Progress) -> Preflight {
    let mut found =
        Preflight { machines: asked.machines.iter().map(|machine| machine.node.clone()).collect(), ..Preflight::default() };
    for (meta, pointer, spec) in asked.objects.iter().filter_map(workload) {
        let mut numbers = BTreeMap::new();
        for container in &spec.containers {
            let list = match container.part {
                ContainerPart::Main => "containers",
                ContainerPart::Init | ContainerPart::Sidecar => "initContainers",
                ContainerPart::Ephemeral => continue,
            };
            let number = *numbers.entry(list).and_modify(|number| *number += 1).or_insert(0_usize);
            let away: Vec<Option<String>> =
                asked.machines.iter().map(|machine| check::keeps_away(spec, &machine.object)).collect();
            let (landings, targets) = landings(asked, container, &away, progress);
            found.targets.extend(targets);
            found.placements.push(Placement {
                meta: meta.clone(),
                pointer: pointer.to_owned(),
                spec: spec.clone(),
                place: (list, number),
                container: container.name.clone(),
                image: container.image.clone(),
                landings,
            });
        }
    }
    found.findings = check::judge_placements(&found.placements, &found.machines);
    found
}

fn workload(object: &Object) -> Option<(&Meta, &str, &PodSpec)> {
    match object {
        Object::Pod(pod) => Some((&pod.meta, "/spec", &pod.spec)),
        Object::Workload(workload) => Some((&workload.meta, workload.pointer, &workload.spec)),
        _ => None,
    }
}

/// What becomes of a container on each machine; `away` says why it does not land there.
fn landings(
    asked: &Manifests,
    container: &Container,
    away: &[Option<String>],
    progress: &dyn Progress,
) -> (Vec<Landing>, Vec<TargetReport>) {
    let landable = asked.machines.iter().zip(away).filter(|(_, away)| away.is_none());
    let nodes: Vec<Node> = landable.map(|(machine, _)| machine.node.clone()).collect();
    let looked = if nodes.is_empty() { Ok(Vec::new()) } else { look(asked, container, nodes, progress) };
    let landing = |(machine, away): (&Machine, &Option<String>)| match (away, &looked) {
        (Some(why), _) => Landing::KeptAway(why.clone()),
        (None, Err(error)) => Landing::NotLooked(error.clone()),
        (None, Ok(targets)) => targets
            .iter()
            .find_map(|target| target.error.clone().map(Landing::NotLooked))
            .or_else(|| targets.iter().flat_map(|target| &target.images).find_map(|image| on(image, &machine.node)))
            .unwrap_or(Landing::NothingToPull),
    };
    let landings = asked.machines.iter().zip(away).map(landing).collect();
    (landings, looked.unwrap_or_default())
}

/// What a node makes of an image that it pulls.
fn on(image: &ImageReport, node: &Node) -> Option<Landing> {
    let verdict = image.verdicts.iter().find(|verdict| verdict.selected && verdict.node == *node)?;
    Some(Landing::Starts(Box::new(verdict.trace.outcome.clone()), verdict.message.clone()))
}

fn look(
    asked: &Manifests,
    container: &Container,
    nodes: Vec<Node>,
    progress: &dyn Progress,
) -> Result<Vec<TargetReport>, String> {
    let replaced = asked.images.get(&container.image).or_else(|| asked.images.get("*")).cloned();
    let target = match replaced {
        Some(target) => target,
        None => format!("docker://{}", container.image).parse::<Target>().map_err(|error| error.to_string())?,
    };
    let user = match (&container.user, &container.group) {
        (Some(user), Some(group)) => Some(format!("{user}:{group}")),
        (user, _) => user.clone(),
    };
    let overrides = Overrides {
        entrypoint: container.command.clone(),
        cmd: container.args.clone(),
        user,
        working_dir: container.working_dir.clone(),
        env: container.env.iter().map(|(key, value)| format!("{key}={value}")).collect(),
        drops_dac_override: container.cap_drop.iter().any(|name| matches!(name.as_str(), "ALL" | "DAC_OVERRIDE")),
        ..Overrides::default()
    };
    let request = Request {
        targets: vec![target],
        nodes,
        overrides,
        cache: asked.cache.clone(),
        network: asked.network.clone(),
        ..Request::default()
    };
    Ok(super::check(&request, progress).targets)
}
