//! A layer's index as bytes, so that the layer need not be read again.

use std::io::{self, Read};

use crate::base::Digest;

use super::{Entry, LayerIndex};

/// What a stored index begins with. The number grows with every change of what is stored or of what a scan finds out; the test
/// below notices the first.
const MAGIC: &[u8] = b"enoexec layer index 2\n";

/// Bytes of the digest behind the magic, in hexadecimal.
const DIGEST: usize = 64;

/// An index that takes more than this, in bytes, is read from its layer each time.
const MOST: u64 = 512 << 20;

const LEVEL: i32 = 3;

impl LayerIndex {
    /// Which form of stored index this version reads and writes; a part of its name in a cache. Facts that another version of the
    /// program found out are not taken for this one's.
    pub const STORED_FORM: &str = concat!("3-", env!("CARGO_PKG_VERSION"));

    /// The index as bytes, with a checksum. `None` where it is too large to be worth it.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let bytes = postcard::to_stdvec(self).ok().filter(|bytes| bytes.len() as u64 <= MOST)?;
        let packed = zstd::encode_all(bytes.as_slice(), LEVEL).ok()?;
        Some([MAGIC, Digest::of(&packed).hex().as_bytes(), &packed].concat())
    }

    /// Reads what [`Self::encode`] wrote. `None` for anything else: another version's, cut off, changed, or made up.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (digest, packed) = bytes.strip_prefix(MAGIC)?.split_at_checked(DIGEST)?;
        if Digest::of(packed).hex().as_bytes() != digest {
            return None;
        }
        let unpacked = unpack(packed).ok()?;
        let index: Self = postcard::from_bytes(&unpacked).ok()?;
        index.is_in_order().then_some(index)
    }

    /// Lookups search by halves, so that an order which is not one would hide files.
    fn is_in_order(&self) -> bool {
        let ascend = |pair: &[Entry]| matches!(pair, [one, next] if one.path < next.path);
        self.entries.windows(2).all(ascend)
    }
}

fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    zstd::Decoder::new(packed)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::LayerIndex;
    use crate::base::{Digest, GuestPath};
    use crate::format::content::{Archive, Content, FileFacts, Text};
    use crate::image::{Damage, DamageKind, Entry, EntryKind, Limits, Measured};

    fn entry(path: &str, kind: EntryKind) -> Entry {
        Entry { path: GuestPath::new(path), mode: 0o755, uid: 1000, gid: 0, kind }
    }

    fn file(content: Content, body: Option<&[u8]>) -> EntryKind {
        EntryKind::File { size: 9, facts: Box::new(FileFacts { content, head: Box::from(*b"head") }), body: body.map(Box::from) }
    }

    /// Something of everything, with a real program: this test's own.
    fn sample() -> LayerIndex {
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_path_with_name(std::env::current_exe().unwrap(), "bin/test").unwrap();
        let mut index =
            LayerIndex::scan(archive.into_inner().unwrap().as_slice(), &Limits { diff_id: true, ..Limits::default() });
        index.entries.extend([
            entry("/c", file(Content::Archive(Archive::GoPackage), None)),
            entry("/d", file(Content::Text(Text::Utf16), Some(b"body"))),
            entry("/e", EntryKind::Hardlink(GuestPath::new("/c"))),
            entry("/f", EntryKind::Symlink(Box::from(*b"../\xff"))),
            entry("/g", EntryKind::Special),
        ]);
        index.whiteouts.push(GuestPath::new("/gone"));
        index.opaque.push(GuestPath::new("/dir"));
        index.damage.push(Damage { subject: "..".into(), layer: Some(1), kind: DamageKind::Foreign(vec!["x".into()]) });
        index
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let index = sample();
        assert!(matches!(&index.entries[0].kind, EntryKind::File { facts, .. } if matches!(facts.content, Content::Elf(_))));
        assert_eq!(LayerIndex::decode(&index.encode().unwrap()), Some(index));
    }

    /// Fails where what is stored has changed: then the number in `MAGIC` and in `STORED_FORM` must grow, and this digest with it.
    #[test]
    fn the_form_has_not_changed_unnoticed() {
        let entries = vec![entry("/d", file(Content::Text(Text::Utf16), Some(b"body"))), entry("/g", EntryKind::Special)];
        let stored = Some(Measured { size: 1, digest: Some(Digest::of(b"")) });
        let index = LayerIndex { entries, stored, ..LayerIndex::default() };
        let bytes = postcard::to_stdvec(&index).unwrap();
        assert_eq!(Digest::of(&bytes).short(), "f20f058e4ee0");
    }

    #[test]
    fn an_order_that_is_none_is_refused() {
        let entries = vec![entry("/b", EntryKind::Special), entry("/a", EntryKind::Special)];
        let index = LayerIndex { entries, ..LayerIndex::default() };
        assert_eq!(LayerIndex::decode(&index.encode().unwrap()), None);
    }

    proptest! {
        #[test]
        fn whatever_is_changed_or_cut_is_refused(at in 0usize..10_000, bit in 0u8..8, cut in any::<bool>()) {
            let index = LayerIndex { whiteouts: vec![GuestPath::new("/gone")], ..LayerIndex::default() };
            let mut bytes = index.encode().unwrap();
            let at = at % bytes.len();
            if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
            prop_assert_eq!(LayerIndex::decode(&bytes), None);
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let packed = zstd::encode_all(bytes.as_slice(), 1).unwrap();
            let whole = [super::MAGIC, Digest::of(&packed).hex().as_bytes(), &packed].concat();
            LayerIndex::decode(&whole);
        }
    }
}
