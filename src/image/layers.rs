use std::collections::HashMap;
use std::sync::Arc;

use crate::base::{Digest, Progress, Watched, parallel_map, parallel_map_on};
use crate::format::oci::{Descriptor, MediaKind};
use crate::format::tar::{Member, Members, TarError};
use crate::store::{Cache, Store, StoreError};

use super::table::Table;
use super::{Damage, DamageKind, Image, Layer, LayerIndex, LayerSource, Limits, Rootfs};

/// The name under which the one layer of a root file system or a single file is kept.
const TREE: &str = "";

/// Layers that are transferred at once: enough to fill a line, and few enough for a registry not to mind.
const TRANSFERS: usize = 4;

/// How layers are read.
pub struct Reading<'a> {
    /// Within which bounds.
    pub limits: Limits,
    /// What is known of layers from earlier runs; of use only where reading one is a transfer.
    pub cache: Option<&'a Cache>,
    /// Who is told how far it is.
    pub progress: &'a dyn Progress,
}

/// The indexes of all layers that a run has read, each layer once, however many images share it.
#[derive(Debug, Default)]
pub struct Layers {
    pub(super) known: HashMap<String, Known>,
}

/// A layer that has been read.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) index: Arc<LayerIndex>,
    /// Bytes that the store gave for it.
    pub(super) fetched: u64,
    /// Where it was not read itself.
    pub(super) table: Option<Table>,
}

impl Layers {
    /// Starts with layers that were scanned while an archive streamed by.
    pub fn scanned(layers: Vec<(String, Arc<LayerIndex>)>) -> Self {
        let known =
            |index: Arc<LayerIndex>| Known { fetched: index.stored.as_ref().map_or(0, |stored| stored.size), index, table: None };
        Self { known: layers.into_iter().map(|(name, index)| (name, known(index))).collect() }
    }

    /// Reads every layer of `images` that was not read before: several at once, the largest first.
    pub fn read(&mut self, store: &dyn Store, images: &[&Image], reading: &Reading<'_>) {
        let mut missing: Vec<&LayerSource> = Vec::new();
        for source in images.iter().flat_map(|image| &image.layers).map(|layer| &layer.source) {
            if !self.known.contains_key(&name(source)) && !missing.iter().any(|seen| name(seen) == name(source)) {
                missing.push(source);
            }
        }
        self.read_all(store, missing, reading);
    }

    pub(super) fn read_all(&mut self, store: &dyn Store, mut sources: Vec<&LayerSource>, reading: &Reading<'_>) {
        sources.sort_by_key(|source| std::cmp::Reverse(size(source)));
        for source in &sources {
            reading.progress.begin(&what(source), size(source));
        }
        let work = |source: &&LayerSource| scan(store, source, reading);
        let read = if store.is_remote() { parallel_map_on(TRANSFERS, &sources, work) } else { parallel_map(&sources, work) };
        self.known.extend(sources.into_iter().map(name).zip(read));
    }

    pub(super) fn is_known(&self, layer: &Layer) -> bool {
        self.known.contains_key(&name(&layer.source))
    }

    /// How many of the layers, from the bottom, are below one that was not read.
    pub(super) fn unread(&self, image: &Image) -> usize {
        image.layers.iter().rposition(|layer| !self.is_known(layer)).map_or(0, |highest| highest.saturating_add(1))
    }

    /// The root file system of `image` as far as its layers have been read from the top, and what is wrong with those.
    pub fn stack(&self, image: &Image) -> (Rootfs, Vec<Damage>) {
        let mut indexes = Vec::new();
        let mut damage = Vec::new();
        let unread = self.unread(image);
        for (place, layer) in image.layers.iter().enumerate() {
            let known = self.known.get(&name(&layer.source)).filter(|_| place >= unread);
            let index = known.map(|known| Arc::clone(&known.index)).unwrap_or_default();
            let wrong = mismatches(&index, &layer.source, layer.diff_id.as_ref());
            let wrong = wrong.into_iter().map(|kind| Damage { subject: String::new(), layer: None, kind });
            damage.extend(index.damage.iter().cloned().chain(wrong).map(|damage| placed(damage, place, &layer.source)));
            indexes.push(index);
        }
        let rootfs = Rootfs::stack_on_unread(unread, indexes);
        let is_one_file = image.layers.iter().any(|layer| layer.source == LayerSource::File);
        (if is_one_file { rootfs.of_one_file() } else { rootfs }, damage)
    }
}

pub(super) fn name(source: &LayerSource) -> String {
    match source {
        LayerSource::Blob(descriptor) => descriptor.name(),
        LayerSource::Tree | LayerSource::File => TREE.to_owned(),
    }
}

/// A layer for people.
fn what(source: &LayerSource) -> String {
    match source {
        LayerSource::Blob(descriptor) => descriptor.name(),
        LayerSource::Tree => "the root file system".to_owned(),
        LayerSource::File => "the file".to_owned(),
    }
}

/// A scan does not know which layer it reads: its damage is given the layer's place, and its name where it has no subject.
fn placed(damage: Damage, place: usize, source: &LayerSource) -> Damage {
    let subject = if damage.subject.is_empty() { what(source) } else { damage.subject };
    let layer = matches!(source, LayerSource::Blob(_)).then_some(place);
    Damage { subject, layer, ..damage }
}

pub(super) fn size(source: &LayerSource) -> Option<u64> {
    match source {
        LayerSource::Blob(descriptor) => descriptor.size,
        LayerSource::Tree | LayerSource::File => None,
    }
}

fn scan(store: &dyn Store, source: &LayerSource, reading: &Reading<'_>) -> Known {
    let without_transfer = |index: LayerIndex| Known { index: Arc::new(index), fetched: 0, table: None };
    match source {
        LayerSource::Tree | LayerSource::File => without_transfer(match store.tree() {
            Ok(members) => LayerIndex::collect(WatchedMembers { members, progress: reading.progress }, &reading.limits),
            Err(error) => unreadable(&error),
        }),
        LayerSource::Blob(descriptor) if descriptor.kind() == MediaKind::EncryptedLayer => {
            without_transfer(damaged(DamageKind::Encrypted))
        }
        LayerSource::Blob(descriptor) => match (&descriptor.digest, reading.cache.filter(|_| store.is_remote())) {
            (Some(digest), Some(cache)) => match reading.recall(cache, digest) {
                Some(index) => without_transfer(index),
                None => {
                    let known = scan_blob(store, descriptor, reading);
                    reading.keep(cache, digest, &known.index);
                    known
                }
            },
            _ => scan_blob(store, descriptor, reading),
        },
    }
}

fn scan_blob(store: &dyn Store, descriptor: &Descriptor, reading: &Reading<'_>) -> Known {
    let limits = reading.limits.verifying(descriptor.digest.as_ref());
    let (index, fetched) = match store.blob(descriptor) {
        Ok(blob) => {
            let mut blob = Watched::new(blob, reading.progress);
            (LayerIndex::scan(&mut blob, &limits), blob.passed())
        }
        Err(_) if descriptor.kind() == MediaKind::ForeignLayer => (damaged(DamageKind::Foreign(descriptor.urls.clone())), 0),
        Err(error) => (unreadable(&error), 0),
    };
    Known { index: Arc::new(index), fetched, table: None }
}

impl Reading<'_> {
    /// What an earlier run found out about a layer, if it is all that this run wants to know.
    pub(super) fn recall(&self, cache: &Cache, digest: &Digest) -> Option<LayerIndex> {
        let kept = cache.get(LayerIndex::STORED_FORM, digest).unwrap_or_else(|error| {
            self.progress.note(&error.to_string());
            None
        });
        let index = LayerIndex::decode(&kept?)?;
        let is_enough = is_whole(&index, digest) && (!self.limits.diff_id || has_diff_id(&index));
        is_enough.then(|| self.progress.note(&format!("{digest} is known from the cache")))?;
        self.progress.advance(index.stored.as_ref().map_or(0, |stored| stored.size));
        Some(index)
    }

    /// Keeps what was found out, unless a better answer may be had another time.
    fn keep(&self, cache: &Cache, digest: &Digest, index: &LayerIndex) {
        let bytes = if is_whole(index, digest) { index.encode() } else { None };
        if let Some(Err(error)) = bytes.map(|bytes| cache.put(LayerIndex::STORED_FORM, digest, bytes)) {
            self.progress.note(&format!("not kept: {error}"));
        }
    }
}

/// Whether it was made of all the bytes that the digest stands for.
fn is_whole(index: &LayerIndex, digest: &Digest) -> bool {
    let is_of = index.stored.as_ref().and_then(|stored| stored.digest.as_ref()) == Some(digest);
    is_of && !index.damage.iter().any(|damage| damage.kind.hides_files())
}

fn has_diff_id(index: &LayerIndex) -> bool {
    index.unpacked.as_ref().is_some_and(|unpacked| unpacked.digest.is_some())
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

/// Tells how many bytes of the members' bodies have been read.
struct WatchedMembers<'a, M> {
    members: M,
    progress: &'a dyn Progress,
}

impl<M: Members> Members for WatchedMembers<'_, M> {
    fn next_member(&mut self) -> Result<Option<Member>, TarError> {
        self.members.next_member()
    }

    fn body(&mut self) -> Result<&[u8], TarError> {
        let piece = self.members.body()?;
        self.progress.advance(piece.len() as u64);
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Layers, Reading};
    use crate::base::{Digest, GuestPath, Quiet};
    use crate::format::oci::Descriptor;
    use crate::image::{DamageKind, Image, Layer, LayerIndex, LayerSource, Limits};
    use crate::store::{Cache, Root, Store, StoreError, Tree};

    /// A store across a network, with one layer, that counts how often it is asked for it.
    struct Remote {
        bytes: Vec<u8>,
        transfers: AtomicUsize,
    }

    impl Store for Remote {
        fn root(&self) -> Result<Root, StoreError> {
            Ok(Root::Tree)
        }
        fn document(&self, _: &Descriptor) -> Result<Vec<u8>, StoreError> {
            Ok(Vec::new())
        }
        fn blob(&self, _: &Descriptor) -> Result<Box<dyn Read + Send>, StoreError> {
            self.transfers.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(std::io::Cursor::new(self.bytes.clone())))
        }
        fn tree(&self) -> Result<Tree, StoreError> {
            Err(StoreError::Registry(String::new()))
        }
        fn is_remote(&self) -> bool {
            true
        }
    }

    fn remote() -> (Remote, Image) {
        let mut layer = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        layer.append_data(&mut header, "app", &b"#!"[..]).unwrap();
        let bytes = layer.into_inner().unwrap();
        let digest = Some(Digest::of(&bytes));
        let source = LayerSource::Blob(Box::new(Descriptor { digest, ..Descriptor::default() }));
        let image = Image { layers: vec![Layer { source, diff_id: None, step: None }], ..Image::default() };
        (Remote { bytes, transfers: AtomicUsize::new(0) }, image)
    }

    fn read(store: &Remote, image: &Image, cache: &Cache, diff_id: bool) -> (bool, Vec<DamageKind>, usize) {
        let mut layers = Layers::default();
        let limits = Limits { diff_id, ..Limits::default() };
        layers.read(store, &[image], &Reading { limits, cache: Some(cache), progress: &Quiet });
        let (rootfs, damage) = layers.stack(image);
        let found = rootfs.iter().any(|found| found.path == GuestPath::new("/app"));
        (found, damage.into_iter().map(|damage| damage.kind).collect(), store.transfers.load(Ordering::Relaxed))
    }

    #[test]
    fn what_is_known_is_not_transferred_again() {
        let ((store, image), folder) = (remote(), tempfile::tempdir().unwrap());
        let cache = Cache::new(folder.path().to_owned());
        assert_eq!(read(&store, &image, &cache, false), (true, vec![], 1));
        assert_eq!(read(&store, &image, &cache, false), (true, vec![], 1));
        // The DiffID was not computed, so that is not known.
        assert_eq!(read(&store, &image, &cache, true), (true, vec![], 2));
        assert_eq!(read(&store, &image, &cache, true), (true, vec![], 2));
        assert_eq!(read(&store, &image, &cache, false), (true, vec![], 2));
    }

    #[test]
    fn what_another_layer_is_said_to_hold_is_not_believed() {
        let ((store, image), folder) = (remote(), tempfile::tempdir().unwrap());
        let cache = Cache::new(folder.path().to_owned());
        let LayerSource::Blob(descriptor) = &image.layers[0].source else { panic!() };
        let other = LayerIndex::scan(&b""[..], &Limits::default()).encode().unwrap();
        cache.put(LayerIndex::STORED_FORM, descriptor.digest.as_ref().unwrap(), other).unwrap();
        assert_eq!(read(&store, &image, &cache, false), (true, vec![], 1));
    }

    #[test]
    fn a_layer_that_is_not_whole_is_read_again() {
        let ((mut store, image), folder) = (remote(), tempfile::tempdir().unwrap());
        let cache = Cache::new(folder.path().to_owned());
        store.bytes[600] ^= 1;
        for transfers in 1..3 {
            let (_, damage, seen) = read(&store, &image, &cache, false);
            assert!(matches!(damage[..], [DamageKind::DigestMismatch { .. }]), "{damage:?}");
            assert_eq!(seen, transfers);
        }
        assert_eq!(cache.holding().files, 0);
    }
}
