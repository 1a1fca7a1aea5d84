//! What of an image was not read, and whether an answer would hang on it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::base::GuestPath;
use crate::image::EntryKind;

use super::{Place, Rootfs, Slot};

/// What a [`Rootfs`] was asked for and could not know: nothing that it said since can be relied on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lack {
    /// What lies at a path is decided by a layer that was not read.
    pub layer: bool,
    /// Files that are there, but of whose bytes nothing is known: the layer, counted from 0 at the bottom, and the place among its
    /// entries.
    pub files: BTreeSet<(usize, usize)>,
}

/// What is known of the layers that were not read, which lie below all that were.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// How many there are.
    layers: usize,
    /// Paths that a layer above deletes, with all that lies below.
    deleted: BTreeSet<GuestPath>,
    /// Directories in which only what layers above brought is to be seen.
    opaque: BTreeSet<GuestPath>,
    /// Whether an entry of a layer that was read may go elsewhere: it lies in a directory that none of them lists, and that may be
    /// a link in those below.
    is_adrift: bool,
    /// What was asked for.
    lack: Mutex<Lack>,
}

impl Unread {
    pub(super) fn new(layers: usize) -> Self {
        Self { layers, ..Self::default() }
    }

    fn note(&self, note: impl FnOnce(&mut Lack)) {
        note(&mut self.lack.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn is_hidden(&self, path: &GuestPath) -> bool {
        self.deleted.contains(path)
            || ancestors(path).any(|directory| self.deleted.contains(&directory) || self.opaque.contains(&directory))
    }
}

/// The directories that a path lies in, the nearest first.
fn ancestors(path: &GuestPath) -> impl Iterator<Item = GuestPath> {
    std::iter::successors(path.parent(), GuestPath::parent)
}

impl Rootfs {
    /// What it was asked for and does not know, if anything: then it is to be read, and the question asked again.
    pub fn lack(&self) -> Option<Lack> {
        let lack = self.unread.lack.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (lack != Lack::default()).then_some(lack)
    }

    /// Notes that someone asks what lies at `path`.
    pub(super) fn asked(&self, path: &GuestPath) {
        let place = self.places.get(path);
        if self.unread.layers > 0 && !self.is_settled(path, place) {
            self.unread.note(|lack| lack.layer = true);
        }
        if let Some((layer, slot)) = place.and_then(|place| self.unread_file(*place)) {
            self.unread.note(|lack| lack.files.extend([(layer, slot)]));
        }
    }

    /// Notes that someone asks for all that there is, or whether all of it is known.
    pub(super) fn asked_for_all(&self) {
        if self.unread.layers > 0 {
            self.unread.note(|lack| lack.layer = true);
        }
    }

    /// Notes that someone asks for the permission bits of a directory, which only the layer that lists it says.
    pub(super) fn asked_for_mode(&self, path: &GuestPath) {
        if self.unread.layers > 0 && !self.is_listed(path) {
            self.unread.note(|lack| lack.layer = true);
        }
    }

    fn unread_file(&self, place: Place) -> Option<(usize, usize)> {
        let Slot::Entry(slot) = place.slot else { return None };
        let is_unread = matches!(self.entry(place)?.kind, EntryKind::Unread { .. });
        is_unread.then_some((place.layer, slot))
    }

    /// Whether no layer below can change what lies at `path`.
    fn is_settled(&self, path: &GuestPath, place: Option<&Place>) -> bool {
        // That the root is a directory is certain, whoever lists it.
        let is_settled = match place {
            Some(_) => path.is_root() || self.is_listed(path) && self.lies_in_directories(path),
            None => {
                let has_no_inside = |above: &GuestPath| self.is_file_or_link(above) && self.lies_in_directories(above);
                self.unread.is_hidden(path) || ancestors(path).any(|above| has_no_inside(&above))
            }
        };
        is_settled && !self.unread.is_adrift
    }

    /// Whether a layer that was read has an entry for `path`.
    fn is_listed(&self, path: &GuestPath) -> bool {
        matches!(self.places.get(path), Some(Place { slot: Slot::Entry(_), .. }))
    }

    /// Whether the layers that were read list all directories on the way, so that none of them is a link.
    fn lies_in_directories(&self, path: &GuestPath) -> bool {
        ancestors(path).all(|directory| directory.is_root() || self.is_listed(&directory) && !self.is_file_or_link(&directory))
    }

    fn is_file_or_link(&self, path: &GuestPath) -> bool {
        self.entry_at(path.as_bytes()).is_some_and(|entry| entry.kind != EntryKind::Directory)
    }

    /// Called where a layer has something to say of what lies in `directory`, which is where it really goes as far as is known.
    pub(super) fn settle_in(&mut self, directory: &GuestPath) {
        if self.unread.layers > 0 {
            let is_known = directory.is_root() || self.is_listed(directory) && self.lies_in_directories(directory);
            self.unread.is_adrift |= !is_known;
        }
    }

    /// Called for a hard link: its target must be one that no layer below can change.
    pub(super) fn settle_link(&mut self, target: &GuestPath) {
        if self.unread.layers > 0 {
            let place = self.places.get(target);
            self.unread.is_adrift |= place.is_none() || !self.is_settled(target, place);
        }
    }

    /// Called for a whiteout: nothing of the layers below shows at `path`, or (of an opaque directory) in it.
    pub(super) fn hide(&mut self, path: GuestPath, is_opaque: bool) {
        if self.unread.layers > 0 {
            if is_opaque {
                self.settle_in(&path);
                self.unread.opaque.insert(path);
            } else {
                self.settle_in(&path.parent().unwrap_or_else(GuestPath::root));
                self.unread.deleted.insert(path);
            }
        }
    }

    /// Called where a directory takes the place of what was there: what layers below have in a directory of this name is gone.
    pub(super) fn replace(&mut self, path: &GuestPath) {
        if self.unread.layers > 0 && self.is_file_or_link(path) {
            self.unread.opaque.insert(path.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use crate::base::GuestPath;
    use crate::image::{Credentials, Entry, EntryKind, Errno, LayerIndex, Rootfs};

    fn layer(entries: &[(&str, EntryKind)], whiteouts: &[&str], opaque: &[&str]) -> Arc<LayerIndex> {
        let entry =
            |(path, kind): &(&str, EntryKind)| Entry { path: (*path).into(), mode: 0o755, uid: 0, gid: 0, kind: kind.clone() };
        let mut entries: Vec<Entry> = entries.iter().map(entry).collect();
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        let paths = |paths: &[&str]| paths.iter().map(|path| (*path).into()).collect();
        Arc::new(LayerIndex { entries, whiteouts: paths(whiteouts), opaque: paths(opaque), ..LayerIndex::default() })
    }

    /// Whether the answer hangs on a layer below.
    fn hangs(layer: &Arc<LayerIndex>, path: &str) -> bool {
        let rootfs = Rootfs::stack_on_unread(1, vec![Arc::default(), Arc::clone(layer)]);
        let _ = rootfs.resolve(&GuestPath::root(), path.as_bytes(), &Credentials::default());
        rootfs.lack().is_some()
    }

    #[test]
    fn what_is_listed_deleted_or_opaque_hangs_on_nothing_below() {
        use EntryKind::{Directory, Special};
        let link = EntryKind::Symlink(Box::from(*b"app"));
        let listed = [("/app", Special), ("/d", Directory), ("/d/x", Special), ("/l", link), ("/o", Directory)];
        let layer = layer(&listed, &["/gone"], &["/o"]);
        for (path, expected) in [
            ("/app", false),
            ("/app/inside", false),
            ("/d/x", false),
            ("/d/x/inside", false),
            ("/d/y", true),
            ("/l", false),
            ("/gone", false),
            ("/gone/inside", false),
            ("/o/x", false),
            ("/other", true),
        ] {
            assert_eq!(hangs(&layer, path), expected, "{path}");
        }
    }

    #[test]
    fn a_directory_that_no_layer_lists_may_be_a_link_below() {
        let layer = layer(&[("/lib/x.so", EntryKind::Special), ("/app", EntryKind::Special)], &[], &[]);
        assert!(hangs(&layer, "/lib/x.so"));
        // The file may lie anywhere, also there.
        assert!(hangs(&layer, "/app"));
    }

    #[test]
    fn a_file_of_which_only_its_name_is_known_is_asked_for() {
        let rootfs = Rootfs::stack(vec![layer(&[("/a", EntryKind::Special), ("/b", EntryKind::Unread { size: 1 })], &[], &[])]);
        let _ = rootfs.get(&"/a".into());
        assert_eq!(rootfs.lack(), None);
        let _ = rootfs.get(&"/b".into());
        assert_eq!(rootfs.lack().unwrap().files, [(0, 1)].into());
    }

    #[test]
    fn permission_bits_are_those_of_whoever_lists_the_root() {
        let below = Arc::new(LayerIndex {
            entries: vec![Entry { path: GuestPath::root(), mode: 0o700, uid: 0, gid: 0, kind: EntryKind::Directory }],
            ..LayerIndex::default()
        });
        let layers = vec![below, layer(&[("/app", EntryKind::Special)], &[], &[])];
        let user = Credentials { uid: 1, gid: 1, groups: Vec::new(), dac_override: false };
        let partly = Rootfs::stack_on_unread(1, layers.clone());
        assert!(partly.resolve(&GuestPath::root(), b"/app", &user).is_ok() && partly.lack().is_some());
        assert_eq!(Rootfs::stack(layers).resolve(&GuestPath::root(), b"/app", &user).err(), Some(Errno::EACCES));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        /// An answer that hangs on nothing is the one that the whole image gives.
        #[test]
        fn a_part_never_says_other_than_the_whole(
            layers in prop::collection::vec(any_layer(), 2..4),
            questions in prop::collection::vec(any_path(), 1..4),
            is_root in any::<bool>(),
        ) {
            let who = Credentials { uid: u32::from(!is_root), gid: 7, groups: Vec::new(), dac_override: is_root };
            for question in questions {
                let answer = |rootfs: &Rootfs| {
                    let found = rootfs.resolve(&GuestPath::root(), question.as_bytes(), &who);
                    let found = found.map(|found| (found.path.clone(), found.layer, found.entry.clone(), found.links));
                    let at = rootfs.get(&GuestPath::new(&question)).map(|found| (found.layer, found.entry.clone()));
                    (found, at)
                };
                let whole = answer(&Rootfs::stack(layers.clone()));
                for unread in 0..layers.len() {
                    let partly = Rootfs::stack_on_unread(unread, layers.clone());
                    let part = answer(&partly);
                    if partly.lack().is_none() {
                        prop_assert_eq!(&part, &whole, "{} of {:?} with {} unread", question, layers, unread);
                    } else {
                        prop_assert!(unread > 0);
                    }
                }
            }
        }
    }

    fn any_path() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec!["a", "b", "c"]);
        prop::collection::vec(name, 1..3).prop_map(|names| format!("/{}", names.join("/")))
    }

    fn any_layer() -> impl Strategy<Value = Arc<LayerIndex>> {
        let kind = prop_oneof![
            3 => Just(EntryKind::Directory),
            3 => Just(EntryKind::Special),
            2 => any_path().prop_map(|target| EntryKind::Symlink(target.into_bytes().into())),
            1 => any_path().prop_map(|target| EntryKind::Symlink(target.trim_start_matches('/').as_bytes().into())),
            1 => any_path().prop_map(|target| EntryKind::Hardlink(GuestPath::new(target))),
        ];
        let mode = prop::sample::select(vec![0o755, 0o700]);
        let entries = prop::collection::btree_map(any_path(), (kind, mode), 1..6);
        let paths = || prop::collection::vec(any_path().prop_map(GuestPath::new), 0..2);
        // Layers list the directories in which their files lie, or they do not.
        (entries, paths(), paths(), any::<bool>()).prop_map(|(mut entries, whiteouts, opaque, lists_directories)| {
            let directories: Vec<String> = entries.keys().flat_map(|path| parents(path)).collect();
            for directory in directories {
                if lists_directories {
                    entries.insert(directory, (EntryKind::Directory, 0o755));
                } else if entries.get(&directory).is_some_and(|(kind, _)| *kind != EntryKind::Directory) {
                    // A layer that holds both a file and something below it cannot be unpacked.
                    entries.remove(&directory);
                }
            }
            let entry = |(path, (kind, mode)): (String, (EntryKind, u32))| Entry {
                path: path.as_str().into(),
                mode,
                uid: 0,
                gid: 0,
                kind,
            };
            let mut entries: Vec<Entry> = entries.into_iter().map(entry).collect();
            entries.sort_by(|one, other| one.path.cmp(&other.path));
            Arc::new(LayerIndex { entries, whiteouts, opaque, ..LayerIndex::default() })
        })
    }

    fn parents(path: &str) -> Vec<String> {
        let ends = path.match_indices('/').map(|(end, _)| end).filter(|end| *end > 0);
        ends.map(|end| path[..end].to_owned()).collect()
    }
}
