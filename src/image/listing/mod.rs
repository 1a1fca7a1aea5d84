mod manifest;
#[cfg(test)]
mod tests;
mod walk;

use crate::base::{Digest, Platform, parallel_map_on};
use crate::format::oci::{Config, Descriptor, Manifest, RunConfig};
use crate::store::{Root, Store, StoreError};

use super::{Damage, DamageKind};

/// All that a target holds: images, and what is no image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The images, in the order of the index.
    pub images: Vec<Image>,
    /// Entries that are no image, and why.
    pub skipped: Vec<Skipped>,
    /// What is wrong with the indexes themselves.
    pub damage: Vec<Damage>,
    /// The digest of the index, or of the one manifest, that the target names.
    pub digest: Option<Digest>,
}

/// An image: what its documents say. Whatever could not be read is absent, and stands in `damage`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Tags or the like, where the target has several.
    pub names: Vec<String>,
    /// The manifest's digest; absent in a Docker archive and for a root file system.
    pub digest: Option<Digest>,
    /// What the index entry says that the image is for.
    pub declared: Option<Platform>,
    /// The config, if there is one and it could be read.
    pub config: Option<Config>,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
    /// What is wrong with the documents.
    pub damage: Vec<Damage>,
    /// The manifest, where it was left for later: [`Listing::complete`] reads it.
    pub unread: Option<Box<Descriptor>>,
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Where its files come from.
    pub source: LayerSource,
    /// The digest of the uncompressed layer, as the config has it.
    pub diff_id: Option<Digest>,
    /// The build step that made it.
    pub step: Option<BuildStep>,
}

/// Where a layer's files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerSource {
    /// A blob of the store.
    Blob(Box<Descriptor>),
    /// The target itself: a root file system.
    Tree,
    /// The target itself: one file, without the root file system in which it will be started.
    File,
}

/// A build step that made a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildStep {
    /// Its place in the history, counted from 1 over all steps, also those that made no layer.
    pub number: usize,
    /// The command, as the builder wrote it.
    pub created_by: String,
}

/// An entry that is no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its digest or name.
    pub name: String,
    /// Why it is not checked.
    pub why: Skip,
}

/// Why an entry is not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// BuildKit's attestation (provenance, SBOM) of another entry. Says nothing about the image.
    Attestation,
    /// An artifact that no runtime starts: the type that it says it is (a Helm chart, a wasm module, a model, a signature).
    Artifact(String),
    /// An artifact about something else at the same place: a signature, an SBOM.
    Referrer {
        /// The type that it says it is.
        kind: String,
        /// The digest of what it is about.
        subject: Digest,
    },
    /// Docker's schema 1, which no runtime pulls any more.
    SchemaOne,
    /// The image for this platform is not in the target, although others of its index are: `docker save` writes the whole index
    /// with the one image that was pulled.
    Absent(Platform),
}

/// Documents that are transferred at once.
const TRANSFERS: usize = 4;

impl Listing {
    /// Reads the documents of those images at `places` that were left for later. Whether there were any: then the images may be
    /// others than before, because some of them turned out to be none.
    pub fn complete(&mut self, store: &dyn Store, places: &[usize]) -> bool {
        let unread = |place: &usize| Some((*place, self.images.get(*place)?.clone(), *self.images.get(*place)?.unread.clone()?));
        let unread: Vec<(usize, Image, Descriptor)> = places.iter().filter_map(unread).collect();
        let read = parallel_map_on(TRANSFERS, &unread, |(_, image, entry)| walk::complete(store, image, entry));
        let mut none = Vec::new();
        for ((place, _, entry), read) in unread.iter().zip(read) {
            match (read, self.images.get_mut(*place)) {
                (Ok(image), Some(before)) => *before = image,
                (Err(why), _) => {
                    none.push(entry.digest.clone());
                    self.skipped.push(Skipped { name: entry.name(), why });
                }
                (Ok(_), None) => {}
            }
        }
        self.images.retain(|image| image.unread.is_none() || !none.contains(&image.digest));
        !unread.is_empty()
    }
}

/// Reads what a target names, down to the configs: indexes in indexes, manifests, configs; verifies digest and size of each. Where
/// that is a transfer, an image of which its entry says what it is for is left for later, when it is known whether it is wanted.
///
/// # Errors
/// The target could not be read at all. A document that is broken or missing is in the answer, as damage.
pub fn list(store: &dyn Store) -> Result<Listing, StoreError> {
    let mut listing = Listing::default();
    match store.root()? {
        Root::Index(index) => {
            if let [only] = index.manifests.as_slice() {
                listing.digest.clone_from(&only.digest);
            }
            walk::walk(store, &index, &mut listing);
        }
        Root::Images(images) => {
            let several = images.len() > 1;
            for image in images {
                let names = if several && image.tags.is_empty() { unnamed(&image.manifest) } else { image.tags };
                listing.images.push(manifest::read(store, &image.manifest, Image { names, ..Image::default() }));
            }
        }
        Root::Tree => listing.images.push(bare(LayerSource::Tree, None)),
        Root::File(path) => {
            let run = RunConfig { entrypoint: Some(vec![path]), ..RunConfig::default() };
            listing.images.push(bare(LayerSource::File, Some(Config { run, ..Config::default() })));
        }
    }
    if listing == Listing::default() {
        let kind = DamageKind::Document("lists no image".to_owned());
        listing.damage.push(Damage { subject: "the index".to_owned(), layer: None, kind });
    }
    Ok(listing)
}

/// Images of an archive that have no tag are told apart by their configs, as Docker's image identifiers are.
fn unnamed(manifest: &Manifest) -> Vec<String> {
    manifest.config.iter().map(Descriptor::name).collect()
}

/// A root file system or a single file, without documents.
fn bare(source: LayerSource, config: Option<Config>) -> Image {
    let layer = Layer { source, diff_id: None, step: None };
    Image { config, layers: vec![layer], ..Image::default() }
}
