use std::sync::Arc;

use crate::base::GuestPath;
use crate::image::{Entry, EntryKind, LayerIndex};

use super::unread::Unread;
use super::walk::Credentials;
use super::{Place, Rootfs, Slot};

/// Symbolic links that are followed to where an entry of a layer really goes.
const MOST_LINKS: usize = 40;

pub(super) fn stack(layers: Vec<Arc<LayerIndex>>, unread: usize) -> Rootfs {
    let mut rootfs = Rootfs { unread: Unread::new(unread), ..Rootfs::default() };
    rootfs.imply(GuestPath::root(), 0);
    for (number, layer) in layers.into_iter().enumerate() {
        rootfs.layers.push(Arc::clone(&layer));
        let mut hidden = Vec::new();
        if !layer.opaque.is_empty() || !layer.whiteouts.is_empty() {
            rootfs.replace_links(number, &layer);
        }
        // A layer's whiteouts speak of the layers below, wherever in the layer they stand.
        for path in &layer.opaque {
            let path = rootfs.real(path, true);
            rootfs.remove_below(&path);
            hidden.push((path, true));
        }
        for path in &layer.whiteouts {
            let path = rootfs.real(path, false);
            rootfs.remove_below(&path);
            rootfs.places.remove(&path);
            hidden.push((path, false));
        }
        rootfs.apply(number, &layer);
        // Only now are the directories there that the layer itself lists.
        hidden.into_iter().for_each(|(path, is_opaque)| rootfs.hide(path, is_opaque));
    }
    rootfs
}

impl Rootfs {
    /// Puts first what a layer lists in the place of links: its whiteouts do not follow those any more.
    fn replace_links(&mut self, number: usize, layer: &LayerIndex) {
        let mut directory = None;
        for (index, entry) in layer.entries.iter().enumerate() {
            let Some(parent) = entry.path.parent() else { continue };
            let path = self.place_in(parent, entry, &mut directory);
            match &entry.kind {
                _ if !self.is_link(&path) => {}
                EntryKind::Hardlink(_) => _ = self.places.remove(&path),
                kind => self.put(path, Place { layer: number, slot: Slot::Entry(index) }, *kind == EntryKind::Directory),
            }
        }
    }

    /// What lies at a path as it is written.
    pub(super) fn entry_at(&self, path: &[u8]) -> Option<&Entry> {
        self.entry(*self.places.get(path)?)
    }

    fn is_link(&self, path: &GuestPath) -> bool {
        matches!(self.entry_at(path.as_bytes()), Some(Entry { kind: EntryKind::Symlink(_), .. }))
    }

    fn apply(&mut self, number: usize, layer: &LayerIndex) {
        let mut links: Vec<(GuestPath, &GuestPath)> = Vec::new();
        let mut directory = None;
        for (index, entry) in layer.entries.iter().enumerate() {
            let Some(parent) = entry.path.parent() else {
                self.places.insert(GuestPath::root(), Place { layer: number, slot: Slot::Entry(index) });
                continue;
            };
            let is_known = matches!(&directory, Some((known, _)) if *known == parent);
            let path = self.place_in(parent, entry, &mut directory);
            if let Some((_, real)) = directory.as_ref().filter(|_| !is_known) {
                self.settle_in(real);
            }
            match &entry.kind {
                EntryKind::Hardlink(target) => links.push((path, target)),
                kind => self.put(path, Place { layer: number, slot: Slot::Entry(index) }, *kind == EntryKind::Directory),
            }
        }
        self.link(links);
    }

    /// Where an entry really goes. Entries of one directory stand together: where `directory` really is, is worked out once.
    fn place_in(&self, parent: GuestPath, entry: &Entry, directory: &mut Option<(GuestPath, GuestPath)>) -> GuestPath {
        let (known, real) = match directory.take() {
            Some((known, real)) if known == parent => (known, real),
            _ => {
                let real = self.real(&parent, true);
                (parent, real)
            }
        };
        let path = if real == known { entry.path.clone() } else { real.join(entry.path.name()) };
        *directory = Some((known, real));
        path
    }

    /// Gives hard links the places of their targets, which may be hard links themselves.
    fn link(&mut self, mut links: Vec<(GuestPath, &GuestPath)>) {
        // What had these names is gone, whatever the links lead to: a link to another of them means that one, and none of a layer below.
        for (path, _) in &links {
            self.remove_below(path);
            self.places.remove(path);
        }
        loop {
            let before = links.len();
            links.retain(|(path, target)| {
                let target = self.real(target, false);
                let place = self.places.get(&target).copied().filter(|_| target != *path);
                if let Some(place) = place {
                    self.settle_link(&target);
                    self.put(path.clone(), place, false);
                }
                place.is_none()
            });
            if links.is_empty() || links.len() == before {
                break;
            }
        }
        // A link to nothing is nothing.
        links.iter().for_each(|(_, target)| self.settle_link(target));
    }

    fn put(&mut self, path: GuestPath, place: Place, is_directory: bool) {
        if is_directory {
            if self.is_link(&path) {
                // Behind a link that leads to itself, entries go nowhere; here they must not come back.
                self.remove_below(&path);
            }
            self.replace(&path);
        } else {
            self.remove_below(&path);
        }
        let mut parent = path.parent();
        while let Some(directory) = parent.filter(|directory| !self.places.contains_key(directory)) {
            parent = directory.parent();
            self.imply(directory, place.layer);
        }
        self.places.insert(path, place);
    }

    /// A directory that is there only because something lies in it: made by the unpacker, for root.
    fn imply(&mut self, path: GuestPath, layer: usize) {
        let entry = Entry { path: path.clone(), mode: 0o755, uid: 0, gid: 0, kind: EntryKind::Directory };
        self.places.insert(path, Place { layer, slot: Slot::Implied(self.implied.len()) });
        self.implied.push(entry);
    }

    fn remove_below(&mut self, path: &GuestPath) {
        let doomed: Vec<GuestPath> = self.places_below(path).map(|(path, _)| path.clone()).collect();
        for path in doomed {
            self.places.remove(&path);
        }
    }

    /// Where a layer's path really goes: its directories' symbolic links are followed, and its own too if `whole`. What does
    /// not exist stays as it is written.
    fn real(&self, path: &GuestPath, whole: bool) -> GuestPath {
        let mut rest: Vec<Vec<u8>> = path.components().rev().map(<[u8]>::to_vec).collect();
        let mut real: Vec<u8> = Vec::with_capacity(path.as_bytes().len());
        let mut links = 0;
        while let Some(name) = rest.pop() {
            let directory = real.len();
            real.push(b'/');
            real.extend_from_slice(&name);
            let Some(EntryKind::Symlink(target)) = self.entry_at(&real).map(|entry| &entry.kind) else { continue };
            if !whole && rest.is_empty() || links >= MOST_LINKS {
                continue;
            }
            links += 1;
            real.truncate(if target.starts_with(b"/") { 0 } else { directory });
            let target = GuestPath::new(&real).join(target);
            rest.extend(target.components().rev().map(<[u8]>::to_vec));
            real.clear();
        }
        GuestPath::new(real)
    }
}

impl Credentials {
    /// Whether this user has one of the permissions `bits` (1 execute or search, 4 read) on `entry`.
    pub(super) fn may(&self, entry: &Entry, bits: u32) -> bool {
        let class = if self.uid == entry.uid {
            6
        } else if self.gid == entry.gid || self.groups.contains(&entry.gid) {
            3
        } else {
            0
        };
        entry.mode >> class & bits == bits
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use crate::base::GuestPath;
    use crate::image::{Entry, EntryKind, LayerIndex, Rootfs};

    fn entry(path: &str, kind: EntryKind) -> Entry {
        Entry { path: path.into(), mode: 0o755, uid: 0, gid: 0, kind }
    }

    fn layer(mut entries: Vec<Entry>) -> LayerIndex {
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        LayerIndex { entries, ..LayerIndex::default() }
    }

    fn stack(layers: Vec<LayerIndex>) -> Rootfs {
        Rootfs::stack(layers.into_iter().map(Arc::new).collect())
    }

    fn paths(rootfs: &Rootfs) -> Vec<String> {
        rootfs.iter().map(|found| format!("{}@{}", found.path, found.layer)).collect()
    }

    fn link(target: &str) -> EntryKind {
        EntryKind::Symlink(target.as_bytes().into())
    }

    #[test]
    fn a_whiteout_hides_what_lies_below_and_not_beside_it() {
        let below =
            layer(vec![entry("/a", EntryKind::Directory), entry("/a/x", EntryKind::Special), entry("/ab", EntryKind::Special)]);
        let above = LayerIndex { whiteouts: vec!["/a".into()], ..layer(vec![entry("/c", EntryKind::Special)]) };
        assert_eq!(paths(&stack(vec![below, above])), ["/@0", "/ab@0", "/c@1"]);
    }

    #[test]
    fn an_opaque_directory_keeps_its_own_layers_files() {
        let below = layer(vec![entry("/d/old", EntryKind::Special)]);
        let above = LayerIndex { opaque: vec!["/d".into()], ..layer(vec![entry("/d/new", EntryKind::Special)]) };
        assert_eq!(paths(&stack(vec![below, above])), ["/@0", "/d@0", "/d/new@1"]);
    }

    #[test]
    fn a_file_takes_the_place_of_a_directory_and_the_reverse() {
        let tree = layer(vec![entry("/d", EntryKind::Directory), entry("/d/x", EntryKind::Special)]);
        let file = layer(vec![entry("/d", EntryKind::Special)]);
        assert_eq!(paths(&stack(vec![tree.clone(), file.clone()])), ["/@0", "/d@1"]);
        assert_eq!(paths(&stack(vec![file, tree])), ["/@0", "/d@1", "/d/x@1"]);
    }

    #[test]
    fn an_entry_behind_a_link_of_a_lower_layer_goes_where_the_link_leads() {
        let base = layer(vec![entry("/lib", link("usr/lib")), entry("/usr/lib", EntryKind::Directory)]);
        let above = layer(vec![entry("/lib/x.so", EntryKind::Special)]);
        assert_eq!(paths(&stack(vec![base.clone(), above])), ["/@0", "/lib@0", "/usr@0", "/usr/lib@0", "/usr/lib/x.so@1"]);
        let replaced = layer(vec![entry("/lib", EntryKind::Directory), entry("/lib/x.so", EntryKind::Special)]);
        assert_eq!(paths(&stack(vec![base, replaced])), ["/@0", "/lib@1", "/lib/x.so@1", "/usr@0", "/usr/lib@0"]);
    }

    #[test]
    fn what_went_through_a_link_to_itself_is_not_in_the_directory_that_takes_its_place() {
        let one = layer(vec![entry("/c", link("/c/b"))]);
        let two = layer(vec![entry("/c/a", EntryKind::Directory)]);
        let three = layer(vec![entry("/c", EntryKind::Directory), entry("/c/d", EntryKind::Special)]);
        assert_eq!(paths(&stack(vec![one, two, three])), ["/@0", "/c@2", "/c/d@2"]);
    }

    #[test]
    fn whiteouts_in_a_directory_do_not_follow_the_link_whose_place_it_takes() {
        let one = layer(vec![entry("/a", link("/b")), entry("/b", EntryKind::Directory), entry("/b/x", EntryKind::Special)]);
        let listed = vec![entry("/a", EntryKind::Directory)];
        let opaque = LayerIndex { opaque: vec!["/a".into()], ..layer(listed.clone()) };
        let whiteout = LayerIndex { whiteouts: vec!["/a/x".into()], ..layer(listed) };
        for above in [opaque, whiteout] {
            assert_eq!(paths(&stack(vec![one.clone(), above])), ["/@0", "/a@1", "/b@0", "/b/x@0"]);
        }
        let through = LayerIndex { whiteouts: vec!["/a/x".into()], ..layer(Vec::new()) };
        assert_eq!(paths(&stack(vec![one, through])), ["/@0", "/a@0", "/b@0"]);
    }

    #[test]
    fn a_hard_link_has_its_targets_entry_whatever_the_order() {
        let hard = |target: &str| EntryKind::Hardlink(target.into());
        let one = layer(vec![
            entry("/a", hard("/b")),
            entry("/b", hard("/z")),
            entry("/z", EntryKind::Special),
            entry("/lost", hard("/none")),
        ]);
        let rootfs = stack(vec![one, layer(vec![entry("/up", hard("/a"))])]);
        assert_eq!(paths(&rootfs), ["/@0", "/a@0", "/b@0", "/up@0", "/z@0"]);
        assert_eq!(rootfs.get(&"/up".into()).unwrap().entry.kind, EntryKind::Special);
    }

    proptest! {
        /// Without links, stacking is the same as changing a map one entry after the other.
        #[test]
        fn stacking_is_applying_one_layer_after_the_other(layers in prop::collection::vec(any_layer(), 1..4)) {
            let mut model: BTreeMap<String, (bool, usize)> = BTreeMap::new();
            for (number, layer) in layers.iter().enumerate() {
                let below = |path: &GuestPath, other: &str| other.starts_with(&format!("{path}/"));
                model.retain(|other, _| !layer.opaque.iter().any(|path| below(path, other)));
                model.retain(|other, _| !layer.whiteouts.iter().any(|path| below(path, other) || path.to_string() == *other));
                for entry in &layer.entries {
                    let is_directory = entry.kind == EntryKind::Directory;
                    model.retain(|other, _| is_directory || !below(&entry.path, other));
                    model.insert(entry.path.to_string(), (is_directory, number));
                }
            }
            let rootfs = stack(layers);
            let listed = |path: &str| rootfs.get(&path.into()).map(|found| (found.is_directory(), found.layer));
            for (path, expected) in &model {
                prop_assert_eq!(listed(path), Some(*expected), "{}", path);
            }
            for found in rootfs.iter() {
                let is_listed = model.contains_key(&found.path.to_string());
                prop_assert!(is_listed || found.is_directory(), "{}", found.path);
            }
        }
    }

    fn any_layer() -> impl Strategy<Value = LayerIndex> {
        let path = prop::collection::vec(prop::sample::select(vec!["a", "b", "ab"]), 1..4)
            .prop_map(|names| GuestPath::new(names.join("/")));
        let entries = prop::collection::btree_map(path.clone(), any::<bool>(), 0..6);
        (entries, prop::collection::vec(path.clone(), 0..2), prop::collection::vec(path, 0..2)).prop_map(
            |(entries, whiteouts, opaque)| {
                // A layer that holds both a file and something below it cannot be unpacked.
                let is_parent = |path: &GuestPath| entries.keys().any(|other| other.is_below(path));
                let kind = |path: &GuestPath, wish: bool| {
                    if wish || is_parent(path) { EntryKind::Directory } else { EntryKind::Special }
                };
                let entries = entries.iter().map(|(path, wish)| Entry {
                    path: path.clone(),
                    mode: 0o755,
                    uid: 0,
                    gid: 0,
                    kind: kind(path, *wish),
                });
                LayerIndex { entries: entries.collect(), whiteouts, opaque, ..LayerIndex::default() }
            },
        )
    }
}
