use crate::format::yaml;

use super::{list, pairs, text, texts};

/// What a pod is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodSpec {
    /// The node that it is on, or is to be on.
    pub node_name: Option<String>,
    /// Labels that its node must have.
    pub node_selector: Vec<(String, String)>,
    /// One of these must hold of its node, if there are any
    /// (`affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`): all requirements of one.
    pub node_terms: Vec<Vec<NodeRequirement>>,
    /// Taints that do not keep it away.
    pub tolerations: Vec<Toleration>,
    /// `spec.os.name`.
    pub os: Option<String>,
    /// Its containers: those that run first first.
    pub containers: Vec<Container>,
}

/// What a label of a node must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeRequirement {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`.
    pub operator: String,
    /// For `In`, `NotIn`, `Gt`, `Lt`.
    pub values: Vec<String>,
    /// It is about the node's name and not about a label (`matchFields`).
    pub is_field: bool,
}

/// A taint that does not keep a pod away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toleration {
    /// The taint's key; all where it is empty.
    pub key: String,
    /// `Equal` or `Exists`.
    pub operator: String,
    /// For `Equal`.
    pub value: String,
    /// The taint's effect; all where it is empty.
    pub effect: String,
}

/// A container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its part in the pod.
    pub part: ContainerPart,
    /// The image.
    pub image: String,
    /// In the place of the image's Entrypoint.
    pub command: Option<Vec<String>>,
    /// In the place of the image's Cmd.
    pub args: Option<Vec<String>>,
    /// Variables with their values; those whose values come from elsewhere are left out.
    pub env: Vec<(String, String)>,
    /// In the place of the image's WorkingDir.
    pub working_dir: Option<String>,
    /// `runAsUser` and `runAsGroup`, the container's own before the pod's.
    pub user: Option<String>,
    /// The group, likewise.
    pub group: Option<String>,
    /// `securityContext.capabilities.drop`.
    pub cap_drop: Vec<String>,
    /// What is mounted.
    pub mounts: Vec<Mount>,
}

/// A container's part in its pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ContainerPart {
    /// One of `containers`.
    #[default]
    Main,
    /// One of `initContainers`, which runs to its end before the others start.
    Init,
    /// One of `initContainers` that is restarted always, and so runs beside the others.
    Sidecar,
    /// One of `ephemeralContainers`.
    Ephemeral,
}

/// Something that is mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub path: String,
    /// The volume, ConfigMap, Secret, claim or host directory.
    pub name: String,
    /// What kind of volume it is.
    pub kind: VolumeKind,
    /// Only this part of the volume.
    pub sub_path: Option<String>,
    /// `defaultMode`.
    pub mode: Option<u32>,
}

/// A kind of volume.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum VolumeKind {
    /// `configMap`: files of mode 0644 unless it says otherwise.
    ConfigMap,
    /// `secret`: likewise.
    Secret,
    /// `emptyDir`: nothing at first.
    EmptyDir,
    /// `hostPath`: a directory of the host, with its files.
    HostPath,
    /// Any other, or one that the pod does not define.
    #[default]
    Other,
}

impl PodSpec {
    pub(super) fn read(node: &yaml::Node) -> Self {
        let user = |key: &str| text(node, &["securityContext", key]);
        let pod = Pod { volumes: list(node, "volumes"), user: user("runAsUser"), group: user("runAsGroup") };
        let read = |key: &str, part| list(node, key).iter().map(move |container| (container, part)).collect::<Vec<_>>();
        let all = [
            read("initContainers", ContainerPart::Init),
            read("containers", ContainerPart::Main),
            read("ephemeralContainers", ContainerPart::Ephemeral),
        ];
        let required = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];
        let terms = node.at(&required).map(yaml::Node::items).unwrap_or_default();
        Self {
            node_name: text(node, &["nodeName"]),
            node_selector: pairs(node, &["nodeSelector"]),
            node_terms: terms.iter().map(term).collect(),
            tolerations: list(node, "tolerations").iter().map(toleration).collect(),
            os: text(node, &["os", "name"]),
            containers: all.into_iter().flatten().map(|(container, part)| pod.container(container, part)).collect(),
        }
    }
}

fn term(node: &yaml::Node) -> Vec<NodeRequirement> {
    let requirement = |node: &yaml::Node, is_field| NodeRequirement {
        key: text(node, &["key"]).unwrap_or_default(),
        operator: text(node, &["operator"]).unwrap_or_default(),
        values: texts(node, &["values"]).unwrap_or_default(),
        is_field,
    };
    let labels = list(node, "matchExpressions").iter().map(|node| requirement(node, false));
    labels.chain(list(node, "matchFields").iter().map(|node| requirement(node, true))).collect()
}

fn toleration(node: &yaml::Node) -> Toleration {
    let of = |key: &str| text(node, &[key]).unwrap_or_default();
    Toleration { key: of("key"), operator: of("operator"), value: of("value"), effect: of("effect") }
}

/// What a pod's containers share.
struct Pod<'a> {
    volumes: &'a [yaml::Node],
    user: Option<String>,
    group: Option<String>,
}

impl Pod<'_> {
    fn container(&self, node: &yaml::Node, part: ContainerPart) -> Container {
        let of = |key: &str| text(node, &[key]);
        let is_restarted = of("restartPolicy").as_deref() == Some("Always");
        let variable = |node: &yaml::Node| {
            let has_source = node.get("valueFrom").is_some();
            let value = text(node, &["value"]).unwrap_or_default();
            Some((text(node, &["name"])?, value)).filter(|_| !has_source)
        };
        let of_security = |key: &str| text(node, &["securityContext", key]);
        Container {
            name: of("name").unwrap_or_default(),
            part: if part == ContainerPart::Init && is_restarted { ContainerPart::Sidecar } else { part },
            image: of("image").unwrap_or_default(),
            command: texts(node, &["command"]).filter(|words| !words.is_empty()),
            args: texts(node, &["args"]).filter(|words| !words.is_empty()),
            env: list(node, "env").iter().filter_map(variable).collect(),
            working_dir: of("workingDir"),
            user: of_security("runAsUser").or_else(|| self.user.clone()),
            group: of_security("runAsGroup").or_else(|| self.group.clone()),
            cap_drop: texts(node, &["securityContext", "capabilities", "drop"]).unwrap_or_default(),
            mounts: list(node, "volumeMounts").iter().filter_map(|mount| self.mount(mount)).collect(),
        }
    }

    fn mount(&self, node: &yaml::Node) -> Option<Mount> {
        let (path, name) = (text(node, &["mountPath"])?, text(node, &["name"]).unwrap_or_default());
        let sub_path = text(node, &["subPath"]).or_else(|| text(node, &["subPathExpr"]));
        let volume = self.volumes.iter().find(|volume| text(volume, &["name"]).as_ref() == Some(&name));
        let kinds = [
            ("configMap", VolumeKind::ConfigMap, "name"),
            ("secret", VolumeKind::Secret, "secretName"),
            ("emptyDir", VolumeKind::EmptyDir, ""),
            ("hostPath", VolumeKind::HostPath, "path"),
            ("persistentVolumeClaim", VolumeKind::Other, "claimName"),
        ];
        let found = volume
            .and_then(|volume| kinds.iter().find_map(|(key, kind, named)| volume.get(key).map(|source| (source, *kind, *named))));
        let Some((source, kind, named)) = found else {
            return Some(Mount { path, name, sub_path, ..Mount::default() });
        };
        // YAML 1.1 writes modes in octal, JSON in decimal.
        let mode = text(source, &["defaultMode"]).and_then(|mode| match mode.strip_prefix('0') {
            Some(octal) => u32::from_str_radix(octal.trim_start_matches('o'), 8).ok(),
            None => mode.parse().ok(),
        });
        Some(Mount { path, name: text(source, &[named]).unwrap_or(name), kind, sub_path, mode })
    }
}
