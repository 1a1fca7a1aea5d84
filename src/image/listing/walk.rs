//! From an index down to its images, through indexes in indexes.

use crate::base::{Digest, Platform};
use crate::format::oci::{Descriptor, Document, Index, Manifest, MediaKind};
use crate::image::{Damage, DamageKind};
use crate::store::{Store, StoreError, entry_name};

use super::manifest::{self, damaged, document, unreadable};
use super::{Image, Listing, Skip, Skipped};

/// How deep indexes may lie in indexes; real ones reach two.
const DEPTH_LIMIT: usize = 4;

/// Entries that are looked at; the largest real indexes have some hundred.
const ENTRIES_LIMIT: usize = 1000;

/// BuildKit's mark of an attestation (its `docs/attestations/attestation-storage.md`).
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

pub(super) fn walk(store: &dyn Store, index: &Index, listing: &mut Listing) {
    let mut walk = Walk { store, listing, entries: 0, above: Vec::new() };
    walk.index(index, &Place::default());
}

struct Walk<'a> {
    store: &'a dyn Store,
    listing: &'a mut Listing,
    /// Entries looked at so far.
    entries: usize,
    /// The indexes that the current one lies in.
    above: Vec<Digest>,
}

/// What an entry inherits from those above it.
#[derive(Debug, Clone, Default)]
struct Place {
    name: Option<String>,
    platform: Option<Platform>,
}

impl Place {
    fn below(&self, entry: &Descriptor) -> Self {
        Self {
            name: self.name.clone().or_else(|| entry_name(entry).map(str::to_owned)),
            platform: entry.platform.clone().or_else(|| self.platform.clone()),
        }
    }
}

impl Walk<'_> {
    fn index(&mut self, index: &Index, place: &Place) {
        let mut absent = Vec::new();
        let mut others = false;
        for entry in &index.manifests {
            if self.entries >= ENTRIES_LIMIT {
                let kind = DamageKind::Limit(format!("more than {ENTRIES_LIMIT} entries"));
                let damage = Damage { subject: "the index".to_owned(), layer: None, kind };
                if !self.listing.damage.contains(&damage) {
                    self.listing.damage.push(damage);
                }
                break;
            }
            self.entries = self.entries.saturating_add(1);
            match self.entry(entry, &place.below(entry)) {
                Ok(is_image) => others |= is_image,
                Err(error) => absent.push((entry, error)),
            }
        }
        for (entry, error) in absent {
            self.absent(entry, &place.below(entry), &error, others);
        }
    }

    /// Whether there was an image, or an index; the error says that the entry's document is not there.
    fn entry(&mut self, entry: &Descriptor, place: &Place) -> Result<bool, StoreError> {
        let annotated = entry.annotations.get(REFERENCE_TYPE);
        if annotated.is_some_and(|reference| reference == "attestation-manifest") {
            self.skip(entry, Skip::Attestation);
            return Ok(false);
        }
        match entry.kind() {
            MediaKind::SchemaOne => {
                self.skip(entry, Skip::SchemaOne);
                return Ok(false);
            }
            MediaKind::Index | MediaKind::Manifest => {}
            // A type that nobody gave may be any.
            _ if entry.media_type.is_empty() => {}
            _ => {
                let artifact = entry.artifact_type.as_ref().unwrap_or(&entry.media_type);
                self.skip(entry, Skip::Artifact(artifact.clone()));
                return Ok(false);
            }
        }
        let is_known = place.platform.as_ref().is_some_and(|platform| !platform.is_unknown());
        if self.store.is_remote() && is_known && entry.kind() == MediaKind::Manifest {
            self.add(Image { unread: Some(Box::new(entry.clone())), ..image(entry, place) }, |image| image);
            return Ok(true);
        }
        let (bytes, damage) = match document(self.store, entry) {
            Ok(read) => read,
            Err(error @ StoreError::Missing { .. }) => return Err(error),
            Err(error) => {
                self.broken(entry, place, vec![unreadable(entry, &error)]);
                return Ok(true);
            }
        };
        self.document(entry, place, Document::parse(&bytes, &entry.media_type), damage);
        Ok(true)
    }

    fn document(
        &mut self,
        entry: &Descriptor,
        place: &Place,
        document: Result<Document, crate::format::oci::DocumentError>,
        mut damage: Vec<Damage>,
    ) {
        match document {
            Ok(Document::Index(index)) => self.nested(entry, place, &index, damage),
            Ok(Document::Manifest(manifest)) => self.manifest(entry, place, &manifest, damage),
            Ok(Document::SchemaOne) => self.skip(entry, Skip::SchemaOne),
            Err(error) => {
                damage.push(damaged(entry, DamageKind::Document(format!("is {error}"))));
                self.broken(entry, place, damage);
            }
        }
    }

    fn nested(&mut self, entry: &Descriptor, place: &Place, index: &Index, damage: Vec<Damage>) {
        self.listing.damage.extend(damage);
        if let Some(artifact) = &index.artifact_type {
            self.skip(entry, Skip::Artifact(artifact.clone()));
            return;
        }
        let Some(digest) = &entry.digest else { return };
        let kind = if self.above.contains(digest) {
            "contains itself".to_owned()
        } else if self.above.len() >= DEPTH_LIMIT {
            format!("lies more than {DEPTH_LIMIT} indexes deep")
        } else {
            self.above.push(digest.clone());
            self.index(index, place);
            self.above.pop();
            return;
        };
        self.listing.damage.push(damaged(entry, DamageKind::Document(kind)));
    }

    fn manifest(&mut self, entry: &Descriptor, place: &Place, manifest: &Manifest, damage: Vec<Damage>) {
        if let Some(why) = no_image(entry, manifest) {
            self.listing.damage.extend(damage);
            self.skip(entry, why);
            return;
        }
        let store = self.store;
        self.add(image(entry, place), |image| manifest::read(store, manifest, Image { damage, ..image }));
    }

    /// Takes in an image; `read` is called where it is not the same as one before, under one more name.
    fn add(&mut self, image: Image, read: impl FnOnce(Image) -> Image) {
        let is_same = |other: &&mut Image| other.digest == image.digest && other.declared == image.declared;
        match self.listing.images.iter_mut().find(is_same) {
            Some(other) => {
                let name = image.names.into_iter().filter(|name| !other.names.contains(name)).collect::<Vec<_>>();
                other.names.extend(name);
            }
            None => self.listing.images.push(read(image)),
        }
    }

    /// An image of which only the index speaks.
    fn broken(&mut self, entry: &Descriptor, place: &Place, damage: Vec<Damage>) {
        self.listing.images.push(Image { damage, ..image(entry, place) });
    }

    fn absent(&mut self, entry: &Descriptor, place: &Place, error: &StoreError, others: bool) {
        match &entry.platform {
            Some(platform) if others && !platform.is_unknown() => self.skip(entry, Skip::Absent(platform.clone())),
            Some(platform) if others && platform.is_unknown() => self.skip(entry, Skip::Attestation),
            _ => self.broken(entry, place, vec![unreadable(entry, error)]),
        }
    }

    fn skip(&mut self, entry: &Descriptor, why: Skip) {
        let skipped = Skipped { name: entry.name(), why };
        if !self.listing.skipped.contains(&skipped) {
            self.listing.skipped.push(skipped);
        }
    }
}

/// Reads an image that was left for later; `Err` says that it is none, and why.
pub(super) fn complete(store: &dyn Store, image: &Image, entry: &Descriptor) -> Result<Image, Skip> {
    let image = Image { unread: None, ..image.clone() };
    let (bytes, mut damage) = match document(store, entry) {
        Ok(read) => read,
        Err(error) => return Ok(Image { damage: vec![unreadable(entry, &error)], ..image }),
    };
    let problem = match Document::parse(&bytes, &entry.media_type) {
        Ok(Document::Manifest(manifest)) => {
            return match no_image(entry, &manifest) {
                Some(why) => Err(why),
                None => Ok(manifest::read(store, &manifest, Image { damage, ..image })),
            };
        }
        Ok(Document::SchemaOne) => return Err(Skip::SchemaOne),
        Ok(Document::Index(_)) => "an index, where its entry promises a manifest".to_owned(),
        Err(error) => error.to_string(),
    };
    damage.push(damaged(entry, DamageKind::Document(problem)));
    Ok(Image { damage, ..image })
}

fn image(entry: &Descriptor, place: &Place) -> Image {
    Image {
        names: place.name.clone().into_iter().collect(),
        digest: entry.digest.clone(),
        declared: place.platform.clone().filter(|platform| !platform.is_unknown()),
        ..Image::default()
    }
}

/// Why a manifest is none of an image, if so. Runtimes go by the config's media type; signatures and attestations borrow that of
/// images, and are known by having no layer that is one.
fn no_image(entry: &Descriptor, manifest: &Manifest) -> Option<Skip> {
    let subject = manifest.subject.as_ref().and_then(|subject| subject.digest.clone());
    match (not_started(entry, manifest)?, subject) {
        (Skip::Artifact(kind), Some(subject)) => Some(Skip::Referrer { kind, subject }),
        (why, _) => Some(why),
    }
}

/// Why no runtime would start it; nothing where one would.
fn not_started(entry: &Descriptor, manifest: &Manifest) -> Option<Skip> {
    let in_toto = |layer: &Descriptor| layer.media_type.starts_with("application/vnd.in-toto");
    if !manifest.layers.is_empty() && manifest.layers.iter().all(in_toto) {
        return Some(Skip::Attestation);
    }
    let config = manifest.config.as_ref()?;
    let named = manifest.artifact_type.as_ref().or(entry.artifact_type.as_ref());
    // Docker's registry wrote configs as octet streams at first.
    let is_config = config.kind() == MediaKind::Config || matches!(config.media_type.as_str(), "" | "application/octet-stream");
    if !is_config {
        return Some(Skip::Artifact(named.unwrap_or(&config.media_type).clone()));
    }
    let is_other = |layer: &Descriptor| layer.kind() == MediaKind::Other && !layer.media_type.is_empty();
    match manifest.layers.first() {
        Some(first) if manifest.layers.iter().all(is_other) => Some(Skip::Artifact(named.unwrap_or(&first.media_type).clone())),
        _ => None,
    }
}
