use serde::{Deserialize, Deserializer};

use super::{DocumentError, wire};

/// One image of `docker save`'s `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ArchiveEntry {
    /// The config's path in the archive.
    pub config: String,
    /// `name:tag` each.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub repo_tags: Vec<String>,
    /// The layers' paths in the archive, lowest first. Docker writes null for an image without layers.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub layers: Vec<String>,
}

impl ArchiveEntry {
    /// Reads a `manifest.json`.
    ///
    /// # Errors
    /// The bytes are no list of such entries.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, DocumentError> {
        wire::read(bytes)
    }
}

/// `<id>/json` of an archive from before manifest.json existed (Docker below 1.10): config and parent in one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LegacyImage {
    /// The image's own identifier.
    pub id: String,
    /// The image below it.
    #[serde(default)]
    pub parent: Option<String>,
}

impl LegacyImage {
    /// Reads a `<id>/json`.
    ///
    /// # Errors
    /// The bytes are no such document.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        wire::read(bytes)
    }
}

fn null_as_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{ArchiveEntry, LegacyImage};

    #[test]
    fn an_image_without_tags_and_layers_is_read() {
        let entries = ArchiveEntry::parse_all(br#"[{"Config": "c.json", "RepoTags": null, "Layers": null, "Parent": "x"}]"#);
        assert_eq!(entries, Ok(vec![ArchiveEntry { config: "c.json".into(), repo_tags: vec![], layers: vec![] }]));
    }

    #[test]
    fn a_manifest_that_is_no_list_is_refused() {
        for bad in ["{}", "", "[1]", "[{}]", r#"{"schemaVersion": 2}"#] {
            assert!(ArchiveEntry::parse_all(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_legacy_image_names_its_parent() {
        let image = LegacyImage::parse(br#"{"id": "b", "parent": "a", "os": "linux"}"#).unwrap();
        assert_eq!((image.id.as_str(), image.parent.as_deref()), ("b", Some("a")));
    }
}
