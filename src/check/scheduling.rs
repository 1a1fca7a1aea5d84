//! On which machines of a cluster a pod may land: the filters of kube-scheduler that a manifest states (`NodeName`, `NodeAffinity`,
//! `TaintToleration` in `pkg/scheduler/framework/plugins`), without those that change from hour to hour.

use crate::base::escape;
use crate::format::kube::{ClusterNode, NodeRequirement, PodSpec, Taint, Toleration};

/// The label that every node has, and that keeps pods from machines of other architectures.
pub(super) const ARCHITECTURE: &str = "kubernetes.io/arch";
const SYSTEM: &str = "kubernetes.io/os";
const HOST: &str = "kubernetes.io/hostname";

/// Why a pod does not land on a machine; `None` where it may.
pub fn keeps_away(pod: &PodSpec, machine: &ClusterNode) -> Option<String> {
    if let Some(name) = &pod.node_name {
        return (*name != machine.meta.name).then(|| format!("nodeName is {}", escape(name)));
    }
    let wrong = pod.node_selector.iter().find(|(key, value)| label(machine, key) != Some(value));
    if let Some((key, value)) = wrong {
        return Some(format!("nodeSelector {}={}", escape(key), escape(value)));
    }
    if !pod.node_terms.is_empty() && !pod.node_terms.iter().any(|term| holds_all(term, machine)) {
        return Some("node affinity".to_owned());
    }
    let taint = machine.taints.iter().find(|taint| repels(taint, pod))?;
    Some(format!(
        "taint {}{}",
        escape(&taint.key),
        if taint.value.is_empty() { String::new() } else { format!("={}", escape(&taint.value)) }
    ))
}

/// A label of a machine; those that kubelets set are there even if a file leaves them out.
fn label<'a>(machine: &'a ClusterNode, key: &str) -> Option<&'a String> {
    let own = machine.meta.labels.iter().find(|(own, _)| own == key).map(|(_, value)| value);
    own.or(match key {
        ARCHITECTURE => machine.architecture.as_ref(),
        SYSTEM => machine.operating_system.as_ref(),
        HOST => Some(&machine.meta.name),
        _ => None,
    })
}

/// A term without requirements holds of nothing.
fn holds_all(term: &[NodeRequirement], machine: &ClusterNode) -> bool {
    !term.is_empty() && term.iter().all(|requirement| holds(requirement, machine))
}

fn holds(requirement: &NodeRequirement, machine: &ClusterNode) -> bool {
    let own = if requirement.is_field { Some(&machine.meta.name) } else { label(machine, &requirement.key) };
    let is_among = || own.is_some_and(|own| requirement.values.contains(own));
    let numbers = || {
        let wanted: i64 = requirement.values.first()?.parse().ok()?;
        Some((own?.parse::<i64>().ok()?, wanted))
    };
    match requirement.operator.as_str() {
        "In" => is_among(),
        "NotIn" => !is_among(),
        "Exists" => own.is_some(),
        "DoesNotExist" => own.is_none(),
        "Gt" => numbers().is_some_and(|(own, wanted)| own > wanted),
        "Lt" => numbers().is_some_and(|(own, wanted)| own < wanted),
        _ => false,
    }
}

fn repels(taint: &Taint, pod: &PodSpec) -> bool {
    // What Kubernetes itself taints with is about the state of a machine, which passes (`node.kubernetes.io/not-ready`).
    let is_passing = taint.key.starts_with("node.kubernetes.io/") || taint.key.starts_with("node.cloudprovider.kubernetes.io/");
    // GKE taints its Arm nodes so, and lets pods pass that ask for the architecture.
    let is_asked_for = taint.key == ARCHITECTURE && asks_for(pod, &taint.value);
    let is_hard = matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    is_hard && !is_passing && !is_asked_for && !pod.tolerations.iter().any(|toleration| tolerates(toleration, taint))
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let has_effect = toleration.effect.is_empty() || toleration.effect == taint.effect;
    let is_any = toleration.operator == "Exists";
    let has_key = toleration.key == taint.key || toleration.key.is_empty() && is_any;
    has_effect && has_key && (is_any || toleration.value == taint.value)
}

/// Whether a pod says that it is for this architecture, alone or among others.
pub(super) fn asks_for(pod: &PodSpec, architecture: &str) -> bool {
    let selects = pod.node_selector.iter().any(|(key, value)| key == ARCHITECTURE && value == architecture);
    let mut requirements = pod.node_terms.iter().flatten();
    let names = |requirement: &NodeRequirement| {
        requirement.key == ARCHITECTURE
            && requirement.operator == "In"
            && requirement.values.iter().any(|value| value == architecture)
    };
    selects || requirements.any(names)
}

#[cfg(test)]
mod tests {
    use super::keeps_away;
    use crate::format::kube::{ClusterNode, Object, PodSpec, objects};

    fn machine(text: &str) -> ClusterNode {
        let text = format!("apiVersion: v1\nkind: Node\nmetadata: {{name: n1, labels: {{pool: a, size: '8'}}}}\n{text}");
        match objects(&text).objects.remove(0) {
            Object::Node(node) => *node,
            other => panic!("{other:?}"),
        }
    }

    fn pod(spec: &str) -> PodSpec {
        match objects(&format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {spec}")).objects.remove(0) {
            Object::Pod(pod) => pod.spec,
            other => panic!("{other:?}"),
        }
    }

    fn affinity(expressions: &str) -> String {
        format!(
            "{{affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: \
             [{{matchExpressions: [{expressions}]}}]}}}}}}}}"
        )
    }

    #[test]
    fn labels_affinity_and_taints_keep_away() {
        let arm = machine("status: {nodeInfo: {architecture: arm64, operatingSystem: linux}}");
        let tainted = machine("spec: {taints: [{key: gpu, value: 'yes', effect: NoSchedule}]}");
        let gke = machine(
            "spec: {taints: [{key: kubernetes.io/arch, value: arm64, effect: NoSchedule}]}\nstatus: {nodeInfo: {architecture: arm64}}",
        );
        let away = |spec: &str, machine: &ClusterNode| keeps_away(&pod(spec), machine);
        for (spec, machine, expected) in [
            ("{}", &arm, None),
            ("{nodeSelector: {kubernetes.io/arch: arm64}}", &arm, None),
            ("{nodeSelector: {kubernetes.io/arch: amd64}}", &arm, Some("nodeSelector kubernetes.io/arch=amd64")),
            ("{nodeName: n2}", &arm, Some("nodeName is n2")),
            ("{nodeName: n1}", &tainted, None),
            (&affinity("{key: pool, operator: In, values: [a, b]}, {key: size, operator: Gt, values: ['4']}"), &arm, None),
            (&affinity("{key: pool, operator: NotIn, values: [a]}"), &arm, Some("node affinity")),
            (&affinity("{key: none, operator: DoesNotExist}"), &arm, None),
            (&affinity(""), &arm, Some("node affinity")),
            ("{}", &tainted, Some("taint gpu=yes")),
            ("{tolerations: [{key: gpu, operator: Exists}]}", &tainted, None),
            ("{tolerations: [{key: gpu, value: 'no'}]}", &tainted, Some("taint gpu=yes")),
            ("{tolerations: [{operator: Exists}]}", &tainted, None),
            ("{}", &gke, Some("taint kubernetes.io/arch=arm64")),
            ("{nodeSelector: {kubernetes.io/arch: arm64}}", &gke, None),
        ] {
            assert_eq!(away(spec, machine).as_deref(), expected, "{spec}");
        }
        let cordoned = machine("spec: {taints: [{key: node.kubernetes.io/unschedulable, effect: NoSchedule}]}");
        assert_eq!(away("{}", &cordoned), None);
    }
}
