//! The layers stacked, and paths walked in what they add up to.

mod stack;
mod unread;
mod walk;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::base::GuestPath;

use super::{Entry, EntryKind, LayerIndex};

pub use unread::Lack;
pub use walk::{Credentials, Errno};

/// The root file system that an image's layers add up to, as overlayfs would show it.
///
/// It may be asked although not all of the image was read: it notes what it was asked for and does not know ([`Self::lack`]).
#[derive(Debug, Default)]
pub struct Rootfs {
    layers: Vec<Arc<LayerIndex>>,
    places: BTreeMap<GuestPath, Place>,
    /// Directories that no layer lists, but that must be there because something lies in them.
    implied: Vec<Entry>,
    is_one_file: bool,
    noexec: Vec<GuestPath>,
    unread: unread::Unread,
}

/// Where an entry is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    layer: usize,
    slot: Slot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// In the layer's entries.
    Entry(usize),
    /// In [`Rootfs::implied`].
    Implied(usize),
}

/// A path that was found.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// Where it really lies, after following links.
    pub path: GuestPath,
    /// What lies there. A hard link is followed: `kind` is never [`EntryKind::Hardlink`].
    pub entry: &'a Entry,
    /// The layer that brought it, counted from 0 at the bottom.
    pub layer: usize,
    /// The symbolic links that were followed, in order.
    pub links: Vec<GuestPath>,
}

impl Rootfs {
    /// Stacks layers, lowest first, as containerd unpacks them one over the other (`pkg/archive/tar.go`, `applyNaive`):
    /// whiteouts, opaque directories, a file in the place of a directory and the reverse, entries that lie behind a symbolic
    /// link of a layer below.
    pub fn stack(layers: Vec<Arc<LayerIndex>>) -> Self {
        stack::stack(layers, 0)
    }

    /// The same, where the lowest `unread` of `layers` were not read: what is given for them counts for nothing.
    pub fn stack_on_unread(unread: usize, mut layers: Vec<Arc<LayerIndex>>) -> Self {
        layers.iter_mut().take(unread).for_each(|layer| *layer = Arc::default());
        stack::stack(layers, unread)
    }

    /// Walks `raw` as the kernel would inside this root (`fs/namei.c`, `path_openat`): relative to `cwd`, through symbolic
    /// links (40 at most), `..`, trailing slashes, with search permission of every directory; follows the last link too.
    ///
    /// # Errors
    /// The errno that the kernel would return.
    pub fn resolve(&self, cwd: &GuestPath, raw: &[u8], who: &Credentials) -> Result<Found<'_>, Errno> {
        walk::resolve(self, cwd, raw, who)
    }

    /// What lies at exactly `path`, without following symbolic links.
    pub fn get(&self, path: &GuestPath) -> Option<Found<'_>> {
        self.asked(path);
        self.places.get_key_value(path).and_then(|(path, place)| self.found(path, *place))
    }

    /// The bytes of the file that `path` leads to, if they were kept (see [`EntryKind::File`]).
    pub fn body(&self, path: &str) -> Option<&[u8]> {
        let found = self.resolve(&GuestPath::root(), path.as_bytes(), &Credentials::default()).ok()?;
        let EntryKind::File { body, .. } = &found.entry.kind else { return None };
        body.as_deref()
    }

    /// Everything that is visible, sorted by path; hard links are followed.
    pub fn iter(&self) -> impl Iterator<Item = Found<'_>> {
        self.asked_for_all();
        self.places.iter().inspect(|(path, _)| self.asked(path)).filter_map(|(path, place)| self.found(path, *place))
    }

    /// What lies under `directory` (at any depth), sorted by path. Asks for names, not for what files hold.
    pub fn below(&self, directory: &GuestPath) -> impl Iterator<Item = Found<'_>> {
        self.asked_for_all();
        self.places_below(directory).filter_map(|(path, place)| self.found(path, *place))
    }

    /// Says that this is no root file system but one file alone: what else there will be when it is started is not known.
    #[must_use]
    pub fn of_one_file(self) -> Self {
        Self { is_one_file: true, ..self }
    }

    /// Whether this is one file alone.
    pub fn is_one_file(&self) -> bool {
        self.is_one_file
    }

    /// Says that what lies in `directories` is mounted with `noexec`.
    #[must_use]
    pub fn with_noexec(self, directories: impl IntoIterator<Item = GuestPath>) -> Self {
        Self { noexec: directories.into_iter().collect(), ..self }
    }

    /// Whether `path`, where something really lies, is mounted with `noexec` (`fs/exec.c`, `path_noexec`).
    pub fn is_noexec(&self, path: &GuestPath) -> bool {
        self.noexec.iter().any(|directory| path.is_below(directory))
    }

    /// Whether some layer could not be read whole, so that a file that is missing here may exist.
    pub fn is_partial(&self) -> bool {
        self.may_be_hidden(None)
    }

    /// Whether what `layer` brought (`None`: what no layer brought) may be hidden by a higher layer that could not be read.
    pub fn may_be_hidden(&self, layer: Option<usize>) -> bool {
        if layer.is_none() {
            self.asked_for_all();
        }
        let above = layer.map_or(0, |layer| layer + 1);
        self.layers.iter().skip(above).any(|layer| layer.damage.iter().any(|damage| damage.kind.hides_files()))
    }

    /// The places below a directory: their paths begin with it and a slash, and `0` is the byte after `/`.
    fn places_below(&self, directory: &GuestPath) -> impl Iterator<Item = (&GuestPath, &Place)> {
        let name = if directory.is_root() { &[] } else { directory.as_bytes() };
        let (first, last) = ([name, b"/"].concat(), [name, b"0"].concat());
        self.places.range::<[u8], _>((Bound::Excluded(first.as_slice()), Bound::Excluded(last.as_slice())))
    }

    fn found(&self, path: &GuestPath, place: Place) -> Option<Found<'_>> {
        let entry = self.entry(place)?;
        Some(Found { path: path.clone(), entry, layer: place.layer, links: Vec::new() })
    }

    fn entry(&self, place: Place) -> Option<&Entry> {
        match place.slot {
            Slot::Entry(index) => self.layers.get(place.layer)?.entries.get(index),
            Slot::Implied(index) => self.implied.get(index),
        }
    }
}

impl Found<'_> {
    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.entry.kind == EntryKind::Directory
    }
}
