use crate::format::yaml;

use super::{list, pairs, text};

/// What every object has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// `Pod`, `Deployment`, ….
    pub kind: String,
    /// `apps` of `apps/v1`; empty for the core group.
    pub group: String,
    /// Its name; with `generateName`, what the name begins with.
    pub name: String,
    /// Its namespace, if it says one.
    pub namespace: Option<String>,
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// Annotations.
    pub annotations: Vec<(String, String)>,
    /// Kind and name of what made it and keeps it.
    pub controller: Option<(String, String)>,
}

impl Meta {
    pub(super) fn read(node: &yaml::Node) -> Option<Self> {
        let kind = text(node, &["kind"])?;
        let version = text(node, &["apiVersion"]).unwrap_or_default();
        let metadata = node.get("metadata");
        let of = |key: &str| metadata.and_then(|metadata| text(metadata, &[key]));
        let owners = metadata.map(|metadata| list(metadata, "ownerReferences")).unwrap_or_default();
        let controls = |owner: &&yaml::Node| text(owner, &["controller"]).as_deref() == Some("true");
        let owner = owners.iter().find(controls);
        Some(Self {
            kind,
            group: version.split_once('/').map(|(group, _)| group.to_owned()).unwrap_or_default(),
            name: of("name").or_else(|| of("generateName")).unwrap_or_default(),
            namespace: of("namespace"),
            labels: metadata.map(|metadata| pairs(metadata, &["labels"])).unwrap_or_default(),
            annotations: metadata.map(|metadata| pairs(metadata, &["annotations"])).unwrap_or_default(),
            controller: owner.and_then(|owner| Some((text(owner, &["kind"])?, text(owner, &["name"])?))),
        })
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// `apps/Deployment`, `Pod`.
    pub fn group_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}/{}", self.group, self.kind) }
    }
}
