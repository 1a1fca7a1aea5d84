use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Arc;

use crate::base::{Digest, Progress, parallel_map};
use crate::format::oci::{Descriptor, MediaKind};
use crate::store::{Store, StoreError};

use super::{Damage, DamageKind, Image, LayerIndex, LayerSource, Limits, Rootfs};

/// The name under which the one layer of a root file system or a single file is kept.
const TREE: &str = "";

/// The indexes of all layers that a run has read, each layer once, however many images share it.
#[derive(Debug, Default)]
pub struct Layers {
    indexes: HashMap<String, Arc<LayerIndex>>,
}

impl Layers {
    /// Starts with layers that were scanned while an archive streamed by.
    pub fn scanned(layers: Vec<(String, Arc<LayerIndex>)>) -> Self {
        Self { indexes: layers.into_iter().collect() }
    }

    /// Reads every layer of `images` that was not read before: several at once, the largest first.
    pub fn read(&mut self, store: &dyn Store, images: &[&Image], limits: &Limits, progress: &dyn Progress) {
        let mut missing: Vec<&LayerSource> = Vec::new();
        for source in images.iter().flat_map(|image| &image.layers).map(|layer| &layer.source) {
            if !self.indexes.contains_key(&name(source)) && !missing.iter().any(|seen| name(seen) == name(source)) {
                missing.push(source);
            }
        }
        missing.sort_by_key(|source| std::cmp::Reverse(size(source)));
        for source in &missing {
            progress.begin(&name(source), size(source));
        }
        let indexes = parallel_map(&missing, |source| Arc::new(scan(store, source, limits, progress)));
        self.indexes.extend(missing.into_iter().map(name).zip(indexes));
    }

    /// The root file system of `image`, and what is wrong with its layers. They must have been read.
    pub fn stack(&self, image: &Image) -> (Rootfs, Vec<Damage>) {
        let mut indexes = Vec::new();
        let mut damage = Vec::new();
        for (place, layer) in image.layers.iter().enumerate() {
            let index = self.indexes.get(&name(&layer.source)).cloned().unwrap_or_default();
            let wrong = mismatches(&index, &layer.source, layer.diff_id.as_ref());
            let wrong = wrong.into_iter().map(|kind| Damage { subject: String::new(), layer: None, kind });
            damage.extend(index.damage.iter().cloned().chain(wrong).map(|damage| placed(damage, place, &layer.source)));
            indexes.push(index);
        }
        let rootfs = Rootfs::stack(indexes);
        let is_one_file = image.layers.iter().any(|layer| layer.source == LayerSource::File);
        (if is_one_file { rootfs.of_one_file() } else { rootfs }, damage)
    }
}

fn name(source: &LayerSource) -> String {
    match source {
        LayerSource::Blob(descriptor) => descriptor.name(),
        LayerSource::Tree | LayerSource::File => TREE.to_owned(),
    }
}

/// A scan does not know which layer it reads: its damage is given the layer's place, and its name where it has no subject.
fn placed(damage: Damage, place: usize, source: &LayerSource) -> Damage {
    let subject = if damage.subject.is_empty() { name(source) } else { damage.subject };
    Damage { subject, layer: Some(place), ..damage }
}

fn size(source: &LayerSource) -> Option<u64> {
    match source {
        LayerSource::Blob(descriptor) => descriptor.size,
        LayerSource::Tree | LayerSource::File => None,
    }
}

fn scan(store: &dyn Store, source: &LayerSource, limits: &Limits, progress: &dyn Progress) -> LayerIndex {
    match source {
        LayerSource::Tree | LayerSource::File => match store.tree() {
            Ok(members) => LayerIndex::collect(members, limits),
            Err(error) => unreadable(&error),
        },
        LayerSource::Blob(descriptor) => scan_blob(store, descriptor, limits, progress),
    }
}

fn scan_blob(store: &dyn Store, descriptor: &Descriptor, limits: &Limits, progress: &dyn Progress) -> LayerIndex {
    if descriptor.kind() == MediaKind::EncryptedLayer {
        return damaged(DamageKind::Encrypted);
    }
    let limits = limits.verifying(descriptor.digest.as_ref());
    match store.blob(descriptor) {
        Ok(blob) => LayerIndex::scan(Watched { blob, progress }, &limits),
        Err(_) if descriptor.kind() == MediaKind::ForeignLayer => damaged(DamageKind::Foreign(descriptor.urls.clone())),
        Err(error) => unreadable(&error),
    }
}

fn unreadable(error: &StoreError) -> LayerIndex {
    damaged(DamageKind::Missing(error.to_string()))
}

fn damaged(kind: DamageKind) -> LayerIndex {
    LayerIndex { damage: vec![Damage { subject: String::new(), layer: None, kind }], ..LayerIndex::default() }
}

/// Holds what was measured against what the documents say.
fn mismatches(index: &LayerIndex, source: &LayerSource, diff_id: Option<&Digest>) -> Vec<DamageKind> {
    let mut wrong = Vec::new();
    let LayerSource::Blob(descriptor) = source else { return wrong };
    if let Some(stored) = &index.stored {
        if let Some(expected) = descriptor.size.filter(|size| *size != stored.size) {
            wrong.push(DamageKind::SizeMismatch { expected, actual: stored.size });
        }
        if let Some((expected, actual)) = differing(descriptor.digest.as_ref(), stored.digest.as_ref()) {
            wrong.push(DamageKind::DigestMismatch { expected, actual });
        }
    }
    let unpacked = index.unpacked.as_ref().and_then(|unpacked| unpacked.digest.as_ref());
    if let Some((expected, actual)) = differing(diff_id, unpacked) {
        wrong.push(DamageKind::DiffIdMismatch { expected, actual });
    }
    wrong
}

/// Both digests, if they are of one algorithm and not the same.
fn differing(expected: Option<&Digest>, actual: Option<&Digest>) -> Option<(Digest, Digest)> {
    let (expected, actual) = expected.zip(actual)?;
    (expected.algorithm() == actual.algorithm() && expected != actual).then(|| (expected.clone(), actual.clone()))
}

/// Tells how many bytes have passed.
struct Watched<'a> {
    blob: Box<dyn Read + Send>,
    progress: &'a dyn Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.blob.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}
