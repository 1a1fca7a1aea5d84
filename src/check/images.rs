//! Findings of an image's documents: what index, manifest, config and blobs say of each other.

use crate::base::{Platform, escape};
use crate::finding::{Finding, GuestLocus};
use crate::image::{Damage, DamageKind, Image, Listing, Skip, Skipped};
use crate::node::Node;

use super::{Case, finding};
use crate::node::agree;

/// Judges an image's platforms and what is damaged.
pub(super) fn judge_documents(case: &Case<'_>) -> Vec<Finding> {
    let damage = &case.image.damage;
    let judged = damage.iter().filter(|one| !is_told_by_digest(one, damage));
    let damage = judged.filter_map(|damage| damaged(damage, case.place_in_layer(damage.layer)));
    platforms(case).into_iter().chain(damage).collect()
}

fn platforms(case: &Case<'_>) -> Option<Finding> {
    let config = &case.image.config.as_ref()?.platform;
    if config.is_unknown() {
        // A file alone has no platform to state.
        if case.rootfs.is_one_file() {
            return None;
        }
        let message = "the config does not say which platform the image is for".to_owned();
        return finding("missing-platform", case.place(), message);
    }
    let declared = case.image.declared.as_ref().filter(|platform| !platform.is_unknown())?;
    if agree(declared, config) {
        return None;
    }
    let message = format!("the index entry says {declared}, but the image's config says {config}");
    let mut found = finding("config-platform-mismatch", case.place(), message)?;
    found.evidence = vec![
        format!("index entry: {declared} (this is what runtimes choose by)"),
        format!("config: {config} (this is what the builder wrote)"),
    ];
    found.fix =
        Some(format!("build it again for {declared}: `docker buildx build --platform {declared} .`; or correct the entry"));
    Some(found)
}

/// Bytes of another length have another digest: one finding is enough.
fn is_told_by_digest(damage: &Damage, all: &[Damage]) -> bool {
    let is_digest = |other: &&Damage| matches!(other.kind, DamageKind::DigestMismatch { .. });
    matches!(damage.kind, DamageKind::SizeMismatch { .. })
        && all.iter().filter(is_digest).any(|other| (&other.subject, other.layer) == (&damage.subject, damage.layer))
}

fn damaged(damage: &Damage, locus: GuestLocus) -> Option<Finding> {
    let subject = escape(&damage.subject).to_string();
    let subject = match (damage.layer, &damage.kind) {
        (None, _) => subject,
        // These name the layer's digest or the file themselves.
        (Some(layer), DamageKind::DigestMismatch { .. } | DamageKind::Missing(_)) => format!("layer {layer}"),
        (Some(layer), DamageKind::EscapingPath) => format!("layer {layer} holds {subject}, which"),
        (Some(layer), _) => format!("layer {layer} ({subject})"),
    };
    let (rule, what) = match &damage.kind {
        DamageKind::DigestMismatch { expected, actual } => {
            ("digest-mismatch", format!("has the digest {actual}, not {expected} as its descriptor says"))
        }
        DamageKind::SizeMismatch { expected, actual } => {
            ("digest-mismatch", format!("is {actual} bytes long, not {expected} as its descriptor says"))
        }
        DamageKind::DiffIdMismatch { expected, actual } => {
            ("diff-id-mismatch", format!("unpacks to {actual}, but the config names {expected}"))
        }
        DamageKind::Missing(text) => ("unreadable-layer", format!("cannot be read: {}", escape(text))),
        DamageKind::Compression(text) => ("unreadable-layer", format!("cannot be decompressed whole: {}", escape(text))),
        DamageKind::Tar(text) => ("unreadable-layer", format!("is not a whole tar archive: it {}", escape(text))),
        DamageKind::Limit(text) => ("limit-met", format!("was not read to its end: {}", escape(text))),
        DamageKind::NameTooLong(length) => {
            let rule = "a path may have 4,095 bytes on Linux, and each part of it 255";
            ("unreadable-layer", format!("holds a name of {length} bytes, with which no runtime can unpack it: {rule}"))
        }
        DamageKind::Document(text) => ("corrupt-document", escape(text).to_string()),
        DamageKind::LayerCount { layers, diff_ids } => {
            ("corrupt-document", format!("names {diff_ids} layers, but the manifest has {layers}"))
        }
        DamageKind::Encrypted => ("encrypted-layer", "is encrypted".to_owned()),
        DamageKind::Foreign(addresses) => {
            let from = addresses.first().map(|address| format!(", at {}", escape(address))).unwrap_or_default();
            ("foreign-layer", format!("is kept elsewhere{from}"))
        }
        DamageKind::UnknownFormat(name) => {
            ("unsupported-format", format!("is in a format that no runtime reads: {}", escape(name)))
        }
        DamageKind::EscapingPath => ("escaping-path", "leads out of the root directory".to_owned()),
    };
    finding(rule, locus, format!("{subject} {what}"))
}

/// Judges what a target holds as a whole: damaged indexes, artifacts that are no images, nodes for which there is no manifest.
pub fn judge_listing(target: &str, listing: &Listing, nodes: &[Node]) -> Vec<Finding> {
    let place = || GuestLocus { target: target.to_owned(), ..GuestLocus::default() };
    let damage = listing.damage.iter().filter_map(|damage| damaged(damage, place()));
    let skipped = listing.skipped.iter().filter_map(|entry| skipped(entry, place()));
    let nodes = nodes
        .iter()
        .filter_map(|node| unmatched(listing, &node.platform, GuestLocus { node: Some(node.name.clone()), ..place() }));
    damage.chain(skipped).chain(nodes).collect()
}

fn skipped(entry: &Skipped, locus: GuestLocus) -> Option<Finding> {
    let name = escape(&entry.name);
    match &entry.why {
        Skip::Attestation | Skip::Absent(_) => None,
        Skip::Artifact(kind) => {
            let what = artifact(kind).map(|what| format!(" but {what}")).unwrap_or_default();
            finding("not-an-image", locus, format!("{name} is no container image{what} ({})", escape(kind)))
        }
        Skip::Referrer { kind, subject } => {
            let what = artifact(kind).unwrap_or("an artifact");
            finding("not-an-image", locus, format!("{name} is no container image but {what} ({}) about {subject}", escape(kind)))
        }
        Skip::SchemaOne => finding("schema-one", locus, format!("{name} is a manifest of Docker's schema 1")),
    }
}

/// What artifacts of these types are, by a part of their media types.
const ARTIFACTS: [(&str, &str); 13] = [
    ("helm", "a Helm chart"),
    ("wasm", "a WebAssembly module"),
    ("in-toto", "an attestation"),
    ("spdx", "an SBOM"),
    ("cyclonedx", "an SBOM"),
    ("cosign", "a signature"),
    ("sigstore", "a signature"),
    ("notary", "a signature"),
    ("model", "a model"),
    ("ollama", "a model"),
    (".soci.", "an index for lazy pulling"),
    ("flux", "a bundle of Kubernetes manifests"),
    ("devcontainers", "a dev container feature"),
];

fn artifact(media_type: &str) -> Option<&'static str> {
    ARTIFACTS.iter().find(|(part, _)| media_type.contains(part)).map(|(_, what)| *what)
}

/// Judges whether a target has an image for each of the platforms that were asked for.
pub fn judge_choice(target: &str, listing: &Listing, platforms: &[Platform]) -> Vec<Finding> {
    let is_absent = |platform: &&Platform| !listing.images.iter().any(|image| image.is_for(platform));
    let place = || GuestLocus { target: target.to_owned(), ..GuestLocus::default() };
    platforms.iter().filter(is_absent).filter_map(|platform| unmatched(listing, platform, place())).collect()
}

/// In the words of `docker pull`, for a platform that was asked for and for a node's alike.
fn unmatched(listing: &Listing, platform: &Platform, locus: GuestLocus) -> Option<Finding> {
    let wanted = platform.normalised();
    let printed =
        if wanted.architecture == "arm64" && wanted.variant.is_none() { format!("{wanted}/v8") } else { wanted.to_string() };
    let message = format!("no matching manifest for {printed} in the manifest list entries");
    let mut found = finding("no-matching-manifest", locus, message)?;
    let mut offered: Vec<String> = listing.images.iter().filter_map(Image::platform).map(ToString::to_string).collect();
    if offered.is_empty() {
        found.evidence = vec!["nothing here says which platform it is for".to_owned()];
        found.fix = Some(format!("`--node {wanted}` checks it for that platform all the same"));
        return Some(found);
    }
    found.evidence = vec![format!("the image is there for: {}", offered.join(", "))];
    offered.push(wanted.to_string());
    found.fix = Some(format!("build it for this platform too: `docker buildx build --platform {} .`", offered.join(",")));
    Some(found)
}
