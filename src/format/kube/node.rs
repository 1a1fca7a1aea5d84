use crate::format::yaml;

use super::{Meta, list, text};

/// A machine of a cluster (`Node`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterNode {
    /// Its names and labels.
    pub meta: Meta,
    /// What keeps pods away.
    pub taints: Vec<Taint>,
    /// `status.nodeInfo.architecture`: Go's name.
    pub architecture: Option<String>,
    /// `status.nodeInfo.operatingSystem`: `linux`, `windows`.
    pub operating_system: Option<String>,
    /// `status.nodeInfo.kernelVersion`: what `uname -r` prints.
    pub kernel_version: Option<String>,
    /// `status.nodeInfo.osImage`: `PRETTY_NAME` of os-release.
    pub os_image: Option<String>,
}

/// What keeps pods away that do not tolerate it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value, empty where there is none.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule`, `NoExecute`.
    pub effect: String,
}

impl ClusterNode {
    pub(super) fn read(node: &yaml::Node, meta: Meta) -> Self {
        let info = |key: &str| text(node, &["status", "nodeInfo", key]);
        let taint = |taint: &yaml::Node| {
            Some(Taint {
                key: text(taint, &["key"])?,
                value: text(taint, &["value"]).unwrap_or_default(),
                effect: text(taint, &["effect"]).unwrap_or_default(),
            })
        };
        let taints = node.get("spec").map(|spec| list(spec, "taints")).unwrap_or_default();
        Self {
            meta,
            taints: taints.iter().filter_map(taint).collect(),
            architecture: info("architecture"),
            operating_system: info("operatingSystem"),
            kernel_version: info("kernelVersion"),
            os_image: info("osImage"),
        }
    }
}
