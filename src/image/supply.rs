//! As little of an image as a question needs: the next layer from the top, or single files of a layer with a table of contents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::format::oci::Descriptor;
use crate::store::Store;

use super::layers::{Known, name, size};
use super::table::Table;
use super::{Image, Lack, LayerSource, Layers, Reading};

/// Files that are asked of a layer at once, beyond which it is read as a whole: there are too many to be had one by one.
const MOST_FILES: usize = 256;

/// How much of an image was read for its start alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Bytes of its layers that the store gave in this run; none of a layer that the cache knew.
    pub bytes: u64,
    /// Bytes that its layers have, as they are stored; `None` where the documents do not say.
    pub size: Option<u64>,
    /// The layers that were not looked into, counted from 0 at the bottom.
    pub unread: Vec<usize>,
    /// The layers of which a table of contents was read, and no file but those of the start. That table and those files are verified;
    /// the layers' own digests are not.
    pub by_table: Vec<usize>,
}

impl Layers {
    /// Reads what an image's root file system could not tell. Each call brings something new.
    pub fn supply(&mut self, store: &dyn Store, image: &Image, lack: &Lack, reading: &Reading<'_>) {
        // What was asked for after a file of which nothing is known may be asked for no more once it is.
        if lack.files.is_empty() {
            if let Some(next) = image.layers.iter().rfind(|layer| !self.is_known(layer)) {
                self.supply_layer(store, &next.source, reading);
            }
            return;
        }
        let mut asked: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (place, slot) in &lack.files {
            asked.entry(*place).or_default().insert(*slot);
        }
        for (place, slots) in asked {
            if let Some(layer) = image.layers.get(place) {
                self.supply_files(store, &layer.source, &slots, reading);
            }
        }
    }

    /// By its table of contents, if it has one and nothing more is known already.
    fn supply_layer(&mut self, store: &dyn Store, source: &LayerSource, reading: &Reading<'_>) {
        let mut fetched = 0;
        if let LayerSource::Blob(descriptor) = source
            && let Some(known) = by_table(store, descriptor, reading, &mut fetched)
        {
            self.known.insert(name(source), known);
            return;
        }
        self.read_whole(store, source, reading, fetched);
    }

    fn supply_files(&mut self, store: &dyn Store, source: &LayerSource, slots: &BTreeSet<usize>, reading: &Reading<'_>) {
        let (Some(known), LayerSource::Blob(descriptor)) = (self.known.get_mut(&name(source)), source) else { return };
        let fetched = match fill(store, descriptor, known, slots, reading) {
            Ok(()) => return,
            Err(why) => {
                reading.progress.note(&format!("{} is read as a whole: {why}", name(source)));
                known.fetched
            }
        };
        self.read_whole(store, source, reading, fetched);
    }

    fn read_whole(&mut self, store: &dyn Store, source: &LayerSource, reading: &Reading<'_>, fetched: u64) {
        self.read_all(store, vec![source], reading);
        if let Some(known) = self.known.get_mut(&name(source)) {
            known.fetched = known.fetched.saturating_add(fetched);
        }
    }

    /// How much of an image was read.
    pub fn fetched(&self, image: &Image) -> Fetched {
        let mut sources: Vec<&LayerSource> = Vec::new();
        for layer in &image.layers {
            if !sources.iter().any(|seen| name(seen) == name(&layer.source)) {
                sources.push(&layer.source);
            }
        }
        let known = |source: &LayerSource| self.known.get(&name(source));
        let is_by_table = |source: &LayerSource| known(source).is_some_and(|known| known.table.is_some());
        let unread = self.unread(image);
        let read = image.layers.iter().enumerate().skip(unread);
        Fetched {
            bytes: sources.iter().filter_map(|source| known(source)).map(|known| known.fetched).sum(),
            size: sources.iter().map(|source| size(source)).sum(),
            unread: (0..unread).collect(),
            by_table: read.filter(|(_, layer)| is_by_table(&layer.source)).map(|(place, _)| place).collect(),
        }
    }
}

/// What a layer's table of contents lists; `None` where it is to be read as a whole, or is known from the cache.
fn by_table(store: &dyn Store, layer: &Descriptor, reading: &Reading<'_>, fetched: &mut u64) -> Option<Known> {
    let cache = reading.cache.filter(|_| store.is_remote());
    if let Some(index) = cache.zip(layer.digest.as_ref()).and_then(|(cache, digest)| reading.recall(cache, digest)) {
        return Some(Known { index: Arc::new(index), fetched: 0, table: None });
    }
    match Table::read(store, layer, &reading.limits, fetched) {
        Ok((table, index)) => {
            reading.progress.note(&format!("{} is read by its table of contents", layer.name()));
            Some(Known { index: Arc::new(index), fetched: *fetched, table: Some(table) })
        }
        Err(why) => {
            reading.progress.note(&format!("{} is read as a whole: it {why}", layer.name()));
            None
        }
    }
}

/// Reads files of a layer of which the table is known.
fn fill(
    store: &dyn Store,
    layer: &Descriptor,
    known: &mut Known,
    slots: &BTreeSet<usize>,
    reading: &Reading<'_>,
) -> Result<(), String> {
    let table = known.table.as_ref().ok_or("it has no table of contents")?;
    if slots.len() > MOST_FILES {
        return Err(format!("{} files of it are needed", slots.len()));
    }
    let index = Arc::make_mut(&mut known.index);
    for slot in slots {
        let (fetched, filled) = table.fill(store, layer, index, *slot, reading);
        known.fetched = known.fetched.saturating_add(fetched);
        filled?;
    }
    Ok(())
}
