//! Which images there are, by the documents at the top of a layout or an archive.

use std::collections::{BTreeMap, HashSet};

use crate::base::{Digest, escape};
use crate::format::oci::{ArchiveEntry, Descriptor, Document, DocumentError, Index, LEGACY_CONFIG, LegacyImage};
use crate::format::oci::{Manifest, MediaKind};

use super::files::{Files, blob_digest, blob_name, not_an_image, read};
use super::{NamedManifest, Root, StoreError, shown};

/// Index entries that are looked at, and how deep, to find out what an archive holds: far more than any image has.
const ENTRIES_LIMIT: usize = 1000;
const DEPTH_LIMIT: usize = 4;

/// Where an index entry's name may stand (image-spec `annotations.md`; containerd's `images/annotations.go`).
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// Reads what `files` name; `choice` is a tag or a digest.
///
/// Docker has written both `index.json` and `manifest.json` since version 25. The index knows more (digests, platforms), so it is
/// used where it accounts for all that `manifest.json` lists. It does not always: Docker has left out images and layers there
/// (moby#51389, moby#47065). Then `manifest.json` decides, and what only the index has is added.
pub(super) fn root(files: &dyn Files, choice: Option<&str>) -> Result<Root, StoreError> {
    let index = optional(files, "index.json", |bytes| match Document::parse(bytes, "")? {
        Document::Index(index) => Ok(index),
        _ => Err(DocumentError::Unknown("not an index".to_owned())),
    })?;
    let listed = optional(files, "manifest.json", ArchiveEntry::parse_all)?;
    if let Some(choice) = choice {
        let named = listed.iter().flatten().filter(|entry| entry.repo_tags.iter().any(|tag| tag == choice));
        let named: Vec<NamedManifest> = named.map(|entry| archive_image(files, entry)).collect();
        return match index {
            _ if !named.is_empty() => Ok(Root::Images(named)),
            Some(index) => choose(files, &index, choice).map(Root::Index),
            None => Err(no_such(files, choice, listed.iter().flatten().flat_map(|entry| entry.repo_tags.clone()).collect())),
        };
    }
    match (index, listed) {
        (Some(index), None) => Ok(Root::Index(index)),
        (Some(index), Some(listed)) => {
            let leaves = leaves(files, &index);
            let is_known = |entry: &ArchiveEntry| leaves.iter().any(|leaf| accounts_for(files, leaf, entry));
            Ok(if listed.iter().all(is_known) { Root::Index(index) } else { Root::Images(union(files, &listed, leaves)) })
        }
        (None, Some(listed)) => Ok(Root::Images(listed.iter().map(|entry| archive_image(files, entry)).collect())),
        (None, None) => match optional(files, "repositories", repositories)? {
            Some(images) => Ok(Root::Images(legacy_images(files, &images)?)),
            None => Err(nothing(files)),
        },
    }
}

fn nothing(files: &dyn Files) -> StoreError {
    let problem = match files.broken() {
        Some(error) => format!("{error}; no index.json, manifest.json or repositories comes before that"),
        None => "holds no image: no index.json, manifest.json or repositories".to_owned(),
    };
    not_an_image(files.place(), problem)
}

fn optional<T>(
    files: &dyn Files,
    name: &str,
    parse: impl FnOnce(&[u8]) -> Result<T, DocumentError>,
) -> Result<Option<T>, StoreError> {
    if files.find(name).is_none() {
        return Ok(None);
    }
    let document = parse(&read(files, name)?);
    document.map(Some).map_err(|error| not_an_image(files.place(), format!("holds no readable {name}: it is {error}")))
}

/// An entry's name, as a user would type it.
pub fn entry_name(entry: &Descriptor) -> Option<&str> {
    NAMES.iter().find_map(|key| entry.annotations.get(*key)).map(String::as_str).filter(|name| !name.is_empty())
}

fn choose(files: &dyn Files, index: &Index, choice: &str) -> Result<Index, StoreError> {
    let manifests = match choice.parse::<Digest>() {
        Ok(digest) => chosen_by_digest(files, index, &digest).into_iter().collect(),
        Err(_) => {
            let is_called =
                |entry: &&Descriptor| NAMES.iter().any(|key| entry.annotations.get(*key).is_some_and(|name| name == choice));
            index.manifests.iter().filter(is_called).cloned().collect::<Vec<_>>()
        }
    };
    if manifests.is_empty() {
        return Err(no_such(files, choice, index.manifests.iter().map(label).collect()));
    }
    Ok(Index { manifests, ..index.clone() })
}

fn no_such(files: &dyn Files, wanted: &str, mut available: Vec<String>) -> StoreError {
    available.dedup();
    let available = if available.is_empty() { "none".to_owned() } else { escape(&available.join(", ")).to_string() };
    StoreError::NoSuchReference { place: shown(files.place()), wanted: escape(wanted).to_string(), available }
}

fn label(entry: &Descriptor) -> String {
    entry_name(entry).map_or_else(|| entry.name(), |name| escape(name).to_string())
}

/// The entry of this digest at any depth, or else the blob itself.
fn chosen_by_digest(files: &dyn Files, index: &Index, digest: &Digest) -> Option<Descriptor> {
    let mut found = None;
    visit(files, index, &mut |entry, _| {
        if found.is_none() && entry.digest.as_ref() == Some(digest) {
            found = Some(entry.clone());
        }
    });
    found.or_else(|| {
        files.find(&blob_name(digest))?;
        Some(Descriptor { digest: Some(digest.clone()), ..Descriptor::default() })
    })
}

/// A manifest that an index leads to.
struct Leaf {
    name: Option<String>,
    manifest: Manifest,
}

fn leaves(files: &dyn Files, index: &Index) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    visit(files, index, &mut |entry, document| {
        if let Some(Document::Manifest(manifest)) = document {
            leaves.push(Leaf { name: entry_name(entry).map(str::to_owned), manifest: *manifest });
        }
    });
    leaves
}

/// Shows every entry, and the document behind it if it is there and can be read, indexes in indexes included.
fn visit(files: &dyn Files, index: &Index, see: &mut dyn FnMut(&Descriptor, Option<Document>)) {
    let mut seen = HashSet::new();
    let mut pending: Vec<(Descriptor, usize)> = index.manifests.iter().rev().map(|entry| (entry.clone(), 1)).collect();
    while let Some((entry, depth)) = pending.pop() {
        let Some(digest) = &entry.digest else { continue };
        if seen.len() >= ENTRIES_LIMIT {
            break;
        }
        let is_new = seen.insert(digest.clone());
        let bytes = read(files, &blob_name(digest)).ok();
        let document = bytes.and_then(|bytes| Document::parse(&bytes, &entry.media_type).ok());
        if let Some(Document::Index(nested)) = &document
            && is_new
            && depth < DEPTH_LIMIT
        {
            pending.extend(nested.manifests.iter().rev().map(|entry| (entry.clone(), depth + 1)));
        }
        see(&entry, document);
    }
}

/// Whether a manifest of the index is the image that `manifest.json` lists, with all of its layers there.
fn accounts_for(files: &dyn Files, leaf: &Leaf, entry: &ArchiveEntry) -> bool {
    let config = leaf.manifest.config.as_ref().and_then(|config| config.digest.as_ref());
    let is_there = |layer: &Descriptor| layer.digest.as_ref().is_some_and(|digest| files.find(&blob_name(digest)).is_some());
    config.is_some()
        && config == files.find(&entry.config).and_then(|name| blob_digest(&name)).as_ref()
        && leaf.manifest.layers.len() == entry.layers.len()
        && leaf.manifest.layers.iter().all(is_there)
}

fn union(files: &dyn Files, listed: &[ArchiveEntry], leaves: Vec<Leaf>) -> Vec<NamedManifest> {
    let mut images: Vec<NamedManifest> = listed.iter().map(|entry| archive_image(files, entry)).collect();
    for Leaf { name, manifest } in leaves {
        let Some(config) = manifest.config.as_ref().filter(|config| config.kind() == MediaKind::Config) else { continue };
        let is_listed = |image: &NamedManifest| image.manifest.config.as_ref().is_some_and(|other| other.digest == config.digest);
        if !images.iter().any(is_listed) {
            images.push(NamedManifest { tags: name.into_iter().collect(), manifest });
        }
    }
    images
}

fn archive_image(files: &dyn Files, entry: &ArchiveEntry) -> NamedManifest {
    let layers = entry.layers.iter().map(|layer| member(files, layer, DOCKER_LAYER)).collect();
    let mut config = member(files, &entry.config, DOCKER_CONFIG);
    if config.digest.is_none() {
        config.digest = config.member.as_deref().and_then(image_id);
    }
    let config = Some(config);
    NamedManifest { tags: entry.repo_tags.clone(), manifest: Manifest { config, layers, ..Manifest::default() } }
}

/// The digest that the name of a config promises in archives of before Docker 25: an image's identifier is its config's digest.
fn image_id(member: &str) -> Option<Digest> {
    format!("sha256:{}", member.strip_suffix(".json")?).parse().ok()
}

/// A descriptor of a member; by the name under which it really lies, so that a layer with two names is one layer.
fn member(files: &dyn Files, name: &str, media_type: &str) -> Descriptor {
    let name = files.find(name).unwrap_or_else(|| name.to_owned());
    Descriptor { media_type: media_type.to_owned(), digest: blob_digest(&name), member: Some(name), ..Descriptor::default() }
}

/// `repositories`: the identifier of an image by repository and tag (docker/image-spec `v1.md`).
type Repositories = BTreeMap<String, BTreeMap<String, String>>;

fn repositories(bytes: &[u8]) -> Result<Repositories, DocumentError> {
    serde_json::from_slice(bytes).map_err(|error| DocumentError::Json(escape(&error.to_string()).to_string()))
}

fn legacy_images(files: &dyn Files, repositories: &Repositories) -> Result<Vec<NamedManifest>, StoreError> {
    let mut tags: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (repository, images) in repositories {
        for (tag, id) in images {
            tags.entry(id).or_default().push(format!("{repository}:{tag}"));
        }
    }
    tags.into_iter().map(|(id, tags)| Ok(NamedManifest { tags, manifest: legacy_manifest(files, id)? })).collect()
}

/// The chain of parents, from an image down to its lowest layer.
fn legacy_manifest(files: &dyn Files, id: &str) -> Result<Manifest, StoreError> {
    let mut layers = Vec::new();
    let mut seen = HashSet::new();
    let mut next = Some(id.to_owned());
    while let Some(id) = next.filter(|id| !id.is_empty()) {
        if !seen.insert(id.clone()) || seen.len() > ENTRIES_LIMIT {
            return Err(not_an_image(files.place(), format!("the parents of layer {} have no end", escape(&id))));
        }
        layers.push(member(files, &format!("{id}/layer.tar"), DOCKER_LAYER));
        next = optional(files, &format!("{id}/json"), LegacyImage::parse)?.and_then(|image| image.parent);
    }
    layers.reverse();
    let config = Some(member(files, &format!("{id}/json"), LEGACY_CONFIG));
    Ok(Manifest { config, layers, ..Manifest::default() })
}
