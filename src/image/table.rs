//! Layers that are read in parts, by their tables of contents.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

use crate::base::{Progress, Watched};
use crate::format::oci::Descriptor;
use crate::format::tar::{Member, Members, TarError};
use crate::format::toc::{Piece, Place, Toc};
use crate::store::Store;

use super::{LayerIndex, Limits, Reading};

/// A layer of which the table of contents has been read.
#[derive(Debug)]
pub(super) struct Table {
    toc: Toc,
}

impl Table {
    /// Reads a layer's table of contents: an index of the layer in which no file's content is known. The bytes that it took are
    /// counted in `fetched`. The error says why the layer has to be read as a whole.
    pub(super) fn read(
        store: &dyn Store,
        layer: &Descriptor,
        limits: &Limits,
        fetched: &mut u64,
    ) -> Result<(Self, LayerIndex), String> {
        let size = layer.size.ok_or("has no size")?;
        let mut place = Place::of(&layer.annotations, size).map_err(|error| error.to_string())?;
        if place.is_footer() {
            let footer = part(store, layer, place.at(), fetched)?;
            place = place.behind(&footer).map_err(|error| error.to_string())?;
        }
        let bytes = part(store, layer, place.at(), fetched)?;
        let toc = Toc::parse(&bytes, &place).map_err(|error| error.to_string())?;
        let index = LayerIndex::list(Listed(toc.members.iter()), limits);
        Ok((Self { toc }, index))
    }

    /// Reads one file of the layer, as far as it takes to tell what it is.
    pub(super) fn fill(
        &self,
        store: &dyn Store,
        layer: &Descriptor,
        index: &mut LayerIndex,
        slot: usize,
        reading: &Reading<'_>,
    ) -> (u64, Result<(), String>) {
        let (limits, progress) = (&reading.limits, reading.progress);
        let pieces = index.entries.get(slot).and_then(|entry| self.toc.files.get(&entry.path));
        let pieces: VecDeque<&Piece> = pieces.into_iter().flatten().collect();
        let mut file = File { store, layer, progress, pieces, stream: None, piece: Vec::new(), passed: 0 };
        let filled = index.fill(slot, &mut file, limits).map_err(|error| error.to_string());
        (file.passed.saturating_add(file.stream.map_or(0, |stream| stream.passed())), filled)
    }
}

/// The bytes of a part of a layer.
fn part(store: &dyn Store, layer: &Descriptor, range: Range<u64>, fetched: &mut u64) -> Result<Vec<u8>, String> {
    let length = range.end.saturating_sub(range.start);
    let stream = open(store, layer, range)?;
    let mut bytes = Vec::new();
    let read = stream.take(length).read_to_end(&mut bytes);
    *fetched = fetched.saturating_add(bytes.len() as u64);
    read.map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn open<'a>(store: &'a dyn Store, layer: &Descriptor, range: Range<u64>) -> Result<Box<dyn Read + Send + 'a>, String> {
    store.part(layer, range).map_err(|error| error.to_string())?.ok_or_else(|| "cannot be had in parts".to_owned())
}

/// What the table lists; the files' bytes are elsewhere.
struct Listed<'a>(std::slice::Iter<'a, Member>);

impl Members for Listed<'_> {
    fn next_member(&mut self) -> Result<Option<Member>, TarError> {
        Ok(self.0.next().cloned())
    }

    fn body(&mut self) -> Result<&[u8], TarError> {
        Ok(&[])
    }
}

/// The bytes of one file, piece by piece, each verified before it is given. They are stored one behind the other, so that one request
/// is enough, which ends where nothing more is wanted.
struct File<'a> {
    store: &'a dyn Store,
    layer: &'a Descriptor,
    progress: &'a dyn Progress,
    pieces: VecDeque<&'a Piece>,
    stream: Option<Watched<'a, Box<dyn Read + Send + 'a>>>,
    piece: Vec<u8>,
    /// Bytes that came over connections before the one at hand.
    passed: u64,
}

impl File<'_> {
    fn next(&mut self) -> io::Result<Vec<u8>> {
        let Some(piece) = self.pieces.pop_front() else { return Ok(Vec::new()) };
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                // The pieces that follow without a gap come with it.
                let mut end = piece.stored.end;
                for next in &self.pieces {
                    if next.stored.start != end {
                        break;
                    }
                    end = next.stored.end;
                }
                let part = open(self.store, self.layer, piece.stored.start..end).map_err(io::Error::other)?;
                Watched::new(part, self.progress)
            }
        };
        let length = piece.stored.end.saturating_sub(piece.stored.start);
        let mut stored = stream.by_ref().take(length);
        let unpacked = piece.unpack(&mut stored);
        io::copy(&mut stored, &mut io::sink())?;
        let follows = self.pieces.front().is_some_and(|next| next.stored.start == piece.stored.end);
        if follows {
            self.stream = Some(stream);
        } else {
            self.passed = self.passed.saturating_add(stream.passed());
        }
        unpacked
    }
}

impl Members for File<'_> {
    fn next_member(&mut self) -> Result<Option<Member>, TarError> {
        Ok(None)
    }

    fn body(&mut self) -> Result<&[u8], TarError> {
        self.piece = self.next().map_err(|error| TarError::Read(error.to_string()))?;
        Ok(&self.piece)
    }
}
