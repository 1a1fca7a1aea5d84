use std::collections::BTreeMap;

use crate::base::{Digest, Platform, escape};

use super::wire::{self, AnyDescriptor, AnyDocument};

/// Points at a blob: what it is, its digest, its size (image-spec `descriptor.md`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// What the blob is, as claimed.
    pub media_type: String,
    /// The digest of the blob's bytes as stored. Absent only in Docker's own archives, which name blobs by path.
    pub digest: Option<Digest>,
    /// The blob's size as stored, bytes. Absent only in Docker's own archives.
    pub size: Option<u64>,
    /// The path in an archive that names blobs by path.
    pub member: Option<String>,
    /// In an index: what the image is for.
    pub platform: Option<Platform>,
    /// Free text by key.
    pub annotations: BTreeMap<String, String>,
    /// In an index: the type of an artifact that is no image.
    pub artifact_type: Option<String>,
    /// Where a foreign layer can be had instead.
    pub urls: Vec<String>,
    /// The blob itself, where it is embedded.
    pub data: Option<Vec<u8>>,
}

impl Descriptor {
    /// How the blob is called in messages: its digest, or its path in the archive.
    pub fn name(&self) -> String {
        match (&self.digest, &self.member) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(member)) => crate::base::escape(member).to_string(),
            (None, None) => "unnamed blob".to_owned(),
        }
    }

    /// What the media type says about how to treat the blob.
    pub fn kind(&self) -> MediaKind {
        MediaKind::of(&self.media_type)
    }
}

/// Families of media types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// An OCI index or a Docker manifest list.
    Index,
    /// An OCI manifest or a Docker manifest, schema 2.
    Manifest,
    /// Docker's schema 1, withdrawn by every registry since 2021 and no longer pulled by any runtime.
    SchemaOne,
    /// An image config.
    Config,
    /// A layer: a tar, compressed somehow.
    Layer,
    /// A layer that may not be distributed, kept elsewhere.
    ForeignLayer,
    /// An encrypted layer.
    EncryptedLayer,
    /// Anything else: a chart, a model, a signature.
    Other,
}

impl MediaKind {
    /// The family of a media type; parameters and letter case do not matter.
    pub fn of(media_type: &str) -> Self {
        let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json" => {
                Self::Index
            }
            "application/vnd.oci.image.manifest.v1+json" | "application/vnd.docker.distribution.manifest.v2+json" => {
                Self::Manifest
            }
            "application/vnd.docker.distribution.manifest.v1+json"
            | "application/vnd.docker.distribution.manifest.v1+prettyjws" => Self::SchemaOne,
            "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json" | LEGACY_CONFIG => {
                Self::Config
            }
            // `+encrypted` is ocicrypt's; before it may stand any layer's type.
            name if name.ends_with("+encrypted") => Self::EncryptedLayer,
            name if name.contains("image.layer.nondistributable.") || name.contains("image.rootfs.foreign.") => {
                Self::ForeignLayer
            }
            name if name.contains(".image.layer.") || name.contains(".image.rootfs.") => Self::Layer,
            _ => Self::Other,
        }
    }
}

/// The media type that Docker gives the configs of archives from before manifest.json existed, which know of no DiffIDs
/// (docker/image-spec `v1.md`).
pub const LEGACY_CONFIG: &str = "application/vnd.docker.image.v1+json";

/// An image index: one entry per platform, and artifacts beside them (image-spec `image-index.md`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// The entries, in order; order decides between equals.
    pub manifests: Vec<Descriptor>,
    /// The type of artifact that the whole index is, if it is one.
    pub artifact_type: Option<String>,
    /// Free text by key.
    pub annotations: BTreeMap<String, String>,
}

/// An image manifest: one config, some layers (image-spec `manifest.md`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The config's descriptor; its media type tells images from artifacts. Absent where the manifest is broken.
    pub config: Option<Descriptor>,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// The type of artifact, if it is one.
    pub artifact_type: Option<String>,
    /// What the manifest is about, for referrers such as signatures.
    pub subject: Option<Descriptor>,
    /// Free text by key.
    pub annotations: BTreeMap<String, String>,
}

/// A document that an index entry or a target names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// Several images.
    Index(Index),
    /// One image or artifact.
    Manifest(Box<Manifest>),
    /// Docker's schema 1.
    SchemaOne,
}

/// Why bytes are not the document that they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// JSON of another shape.
    #[error("not valid: {0}")]
    Shape(String),
    /// JSON, but neither an index nor a manifest.
    #[error("neither an image index nor an image manifest (media type `{0}`)")]
    Unknown(String),
}

impl Document {
    /// Reads an index or a manifest; `media_type` is what the descriptor claims and may be empty: the document's own
    /// `mediaType`, and failing that its shape, decide.
    ///
    /// # Errors
    /// The bytes are no such document, or could be both at once: runtimes refuse those, because two of them could see two
    /// different images (CVE-2021-41190).
    pub fn parse(bytes: &[u8], media_type: &str) -> Result<Self, DocumentError> {
        let wire: AnyDocument = wire::read(bytes)?;
        let own = wire.media_type.as_deref().unwrap_or_default();
        let looks_like_index = wire.manifests.is_some();
        let looks_like_manifest = wire.config.is_some() || wire.layers.is_some();
        match MediaKind::of(own) {
            _ if looks_like_index && looks_like_manifest => {}
            MediaKind::Index => return Ok(Self::Index(wire.into())),
            MediaKind::Manifest => return Ok(Self::Manifest(Box::new(wire.into()))),
            MediaKind::SchemaOne => return Ok(Self::SchemaOne),
            _ if wire.schema_version == Some(1) && wire.fs_layers.is_some() => return Ok(Self::SchemaOne),
            _ if !own.is_empty() => {}
            _ if looks_like_index => return Ok(Self::Index(wire.into())),
            _ if looks_like_manifest => return Ok(Self::Manifest(Box::new(wire.into()))),
            _ => {}
        }
        Err(DocumentError::Unknown(escape(if own.is_empty() { media_type } else { own }).to_string()))
    }
}

impl From<AnyDocument> for Index {
    fn from(wire: AnyDocument) -> Self {
        Self {
            manifests: descriptors(wire.manifests),
            artifact_type: wire.artifact_type.filter(|artifact| !artifact.is_empty()),
            annotations: wire::texts(wire.annotations),
        }
    }
}

impl From<AnyDocument> for Manifest {
    fn from(wire: AnyDocument) -> Self {
        Self {
            config: wire.config.map(Descriptor::from),
            layers: descriptors(wire.layers),
            artifact_type: wire.artifact_type.filter(|artifact| !artifact.is_empty()),
            subject: wire.subject.map(Descriptor::from),
            annotations: wire::texts(wire.annotations),
        }
    }
}

fn descriptors(wire: Option<Vec<AnyDescriptor>>) -> Vec<Descriptor> {
    wire.unwrap_or_default().into_iter().map(Descriptor::from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Document, DocumentError, MediaKind};
    use crate::base::{Digest, Platform};

    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

    fn digest(text: &str) -> String {
        Digest::of(text.as_bytes()).to_string()
    }

    fn parse(document: &serde_json::Value) -> Result<Document, DocumentError> {
        Document::parse(document.to_string().as_bytes(), "")
    }

    #[test]
    fn buildkits_index_is_read() {
        let document = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "annotations": null, "manifests": [
            {"mediaType": MANIFEST, "digest": digest("a"), "size": 7, "platform": {"architecture": "arm", "os": "linux", "variant": "v7", "os.version": null}},
            {"mediaType": MANIFEST, "digest": digest("b"), "size": 9, "platform": {"architecture": "unknown", "os": "unknown"},
             "annotations": {"vnd.docker.reference.type": "attestation-manifest", "odd": null}, "data": "e30="}]});
        let Ok(Document::Index(index)) = parse(&document) else { panic!("no index") };
        let [image, attestation] = index.manifests.as_slice() else { panic!("not two entries") };
        assert_eq!(image.platform, Some(Platform::linux("arm", Some("v7"))));
        assert_eq!((image.size, image.digest.as_ref().map(ToString::to_string)), (Some(7), Some(digest("a"))));
        assert_eq!(attestation.annotations["vnd.docker.reference.type"], "attestation-manifest");
        assert_eq!(attestation.data.as_deref(), Some(&b"{}"[..]));
    }

    #[test]
    fn without_a_media_type_the_shape_decides() {
        let descriptor = serde_json::json!({"mediaType": "x", "digest": digest("c"), "size": 1});
        assert!(matches!(parse(&serde_json::json!({"manifests": []})), Ok(Document::Index(_))));
        let manifest = serde_json::json!({"schemaVersion": 2, "config": descriptor, "layers": null});
        assert!(matches!(parse(&manifest), Ok(Document::Manifest(manifest)) if manifest.layers.is_empty()));
        assert!(matches!(parse(&serde_json::json!({"schemaVersion": 1, "fsLayers": []})), Ok(Document::SchemaOne)));
    }

    #[test]
    fn a_document_that_could_be_both_is_neither() {
        let descriptor = serde_json::json!({"digest": digest("c"), "size": 1});
        let document = serde_json::json!({"mediaType": MANIFEST, "manifests": [], "config": descriptor, "layers": []});
        assert_eq!(parse(&document), Err(DocumentError::Unknown(MANIFEST.into())));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for bad in ["", "{}", "[]", "null", "{", r#"{"mediaType": "application/json", "layers": []}"#] {
            assert!(Document::parse(bad.as_bytes(), "").is_err(), "{bad}");
        }
        for (digest, size) in [("sha256:../../etc", "1"), (digest("x").as_str(), "-1"), (&digest("x"), "1e40"), ("", "1")] {
            let bad = format!(r#"{{"mediaType": "{INDEX}", "manifests": [{{"digest": "{digest}", "size": {size}}}]}}"#);
            let error = Document::parse(bad.as_bytes(), "");
            assert!(matches!(error, Err(DocumentError::Json(_) | DocumentError::Shape(_))), "{bad}");
        }
    }

    #[test]
    fn media_types_are_told_apart() {
        for (media_type, kind) in [
            (INDEX, MediaKind::Index),
            ("application/vnd.docker.distribution.manifest.list.v2+json", MediaKind::Index),
            ("Application/vnd.OCI.image.manifest.v1+json; charset=utf-8", MediaKind::Manifest),
            ("application/vnd.docker.distribution.manifest.v1+prettyjws", MediaKind::SchemaOne),
            ("application/vnd.docker.container.image.v1+json", MediaKind::Config),
            ("application/vnd.oci.image.layer.v1.tar+zstd", MediaKind::Layer),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", MediaKind::Layer),
            ("application/vnd.oci.image.layer.nydus.blob.v1", MediaKind::Layer),
            ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", MediaKind::EncryptedLayer),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MediaKind::ForeignLayer),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MediaKind::ForeignLayer),
            ("application/vnd.cncf.helm.config.v1+json", MediaKind::Other),
            ("application/vnd.oci.empty.v1+json", MediaKind::Other),
            ("application/vnd.in-toto+json", MediaKind::Other),
            ("", MediaKind::Other),
        ] {
            assert_eq!(MediaKind::of(media_type), kind, "{media_type}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Document::parse(&bytes, "");
        }

        #[test]
        fn a_field_of_any_type_never_panics(field in "manifests|config|layers|mediaType|annotations|subject|schemaVersion",
            value in "null|1|-1|1e99|\"x\"|\\[\\]|\\[null\\]|\\[\\{\\}\\]|\\{\\}|\\{\"digest\":1\\}") {
            let _ = Document::parse(format!("{{\"{field}\":{value}}}").as_bytes(), "");
        }
    }
}
