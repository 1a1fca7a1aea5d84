use std::io::{self, Cursor, Read, Write};

use proptest::prelude::*;

use crate::base::{Algorithm, Digest, GuestPath};
use crate::format::compress::Ratio;
use crate::format::tar::{Member, Members, TarError};
use crate::image::DamageKind;

use super::{EntryKind, LayerIndex, Limits};

/// A layer written by the `tar` crate; a name may be anything, also what that crate would refuse.
#[derive(Default)]
struct Archive(Vec<u8>);

impl Archive {
    fn add(mut self, path: &[u8], kind: tar::EntryType, link: &str, body: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path);
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_size(body.len() as u64);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(body);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, path: &str, body: &[u8]) -> Self {
        self.add(path.as_bytes(), tar::EntryType::Regular, "", body)
    }

    fn directory(self, path: &str) -> Self {
        self.add(path.as_bytes(), tar::EntryType::Directory, "", b"")
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const ALL: Limits = Limits {
    bytes: 1 << 30,
    ratio: Ratio { times: u64::MAX, from: 0 },
    entries: 1000,
    stored_digest: Some(Algorithm::Sha256),
    diff_id: true,
};

fn scan(layer: &[u8]) -> LayerIndex {
    LayerIndex::scan(Cursor::new(layer.to_vec()), &ALL)
}

fn kinds(index: &LayerIndex) -> Vec<&DamageKind> {
    index.damage.iter().map(|damage| &damage.kind).collect()
}

fn paths(index: &LayerIndex) -> Vec<String> {
    index.entries.iter().map(|entry| entry.path.to_string()).collect()
}

#[test]
fn both_digests_are_over_the_whole_stream_in_every_compression() {
    let layer = [Archive::default().file("a", b"1").end(), b"after the end".to_vec()].concat();
    let packed = [gzip(&layer), vec![0; 3000]].concat();
    for stored in [layer.clone(), packed, zstd::encode_all(layer.as_slice(), 1).unwrap()] {
        let index = scan(&stored);
        let (measured, unpacked) = (index.stored.clone().unwrap(), index.unpacked.clone().unwrap());
        assert_eq!((measured.size, measured.digest), (stored.len() as u64, Some(Digest::of(&stored))));
        assert_eq!((unpacked.size, unpacked.digest), (layer.len() as u64, Some(Digest::of(&layer))));
        assert_eq!((paths(&index), kinds(&index)), (vec!["/a".to_owned()], vec![]));
    }
}

#[test]
fn digests_are_computed_only_where_asked_for() {
    let limits = Limits { stored_digest: None, diff_id: false, ..ALL };
    let index = LayerIndex::scan(&*Archive::default().end(), &limits);
    assert_eq!((index.stored.unwrap().digest, index.unpacked.unwrap().digest), (None, None));
}

#[test]
fn entries_are_sorted_and_of_duplicates_the_last_stands() {
    let layer = Archive::default().file("b", b"old").directory("a/").file("./b", b"newer").file("/a/c", b"").end();
    let index = scan(&layer);
    assert_eq!(paths(&index), ["/a", "/a/c", "/b"]);
    assert!(matches!(index.get(&"/b".into()).unwrap().kind, EntryKind::File { size: 5, .. }));
    assert_eq!(index.get(&"/a".into()).unwrap().mode, 0o755);
}

#[test]
fn whiteouts_are_not_files() {
    let layer = Archive::default()
        .file("usr/.wh.gone", b"")
        .file("etc/.wh..wh..opq", b"")
        .file(".wh..wh..opq", b"")
        .directory(".wh..wh.plnk/")
        .file(".wh..wh.plnk/1.2", b"")
        .file("a/.wh.", b"")
        .file("a/.wh...", b"")
        .file("a/x.wh.y", b"")
        .end();
    let index = scan(&layer);
    assert_eq!(index.whiteouts, [GuestPath::from("/usr/gone")]);
    assert_eq!(index.opaque, [GuestPath::from("/etc"), GuestPath::root()]);
    assert_eq!(paths(&index), ["/a/x.wh.y"]);
}

#[test]
fn an_overlayfs_whiteout_is_a_device() {
    let index = scan(&Archive::default().add(b"gone", tar::EntryType::Char, "", b"").end());
    assert_eq!((index.entries[0].kind.clone(), index.whiteouts), (EntryKind::Special, vec![]));
}

#[test]
fn links_keep_their_targets() {
    let layer = Archive::default()
        .add(b"hard", tar::EntryType::Link, "./usr/bin/x", b"")
        .add(b"soft", tar::EntryType::Symlink, "../usr//x", b"")
        .end();
    let index = scan(&layer);
    assert_eq!(index.entries[0].kind, EntryKind::Hardlink("/usr/bin/x".into()));
    assert_eq!(index.entries[1].kind, EntryKind::Symlink(b"../usr//x".as_slice().into()));
    assert_eq!(kinds(&index), [&DamageKind::EscapingPath; 0]);
}

#[test]
fn paths_stay_inside_the_root_and_it_is_said_once() {
    let layer = Archive::default().file("../../etc/x", b"").file("a/../../y", b"").file("/abs", b"").file("caf\u{e9}", b"").end();
    let index = scan(&layer);
    assert_eq!(paths(&index), ["/abs", "/café", "/etc/x", "/y"]);
    assert_eq!(kinds(&index), [&DamageKind::EscapingPath]);
    assert_eq!(index.damage[0].subject, "../../etc/x");
    let not_utf_8 = scan(&Archive::default().add(b"caf\xe9", tar::EntryType::Regular, "", b"").end());
    assert_eq!(not_utf_8.entries[0].path.as_bytes(), b"/caf\xe9");
}

#[test]
fn account_files_settings_of_php_and_shells_scripts_are_kept_whole() {
    let layer = Archive::default()
        .file("etc/passwd", b"root:x:0:0")
        .file("etc/shadow", b"\0secret")
        .file("entry", b"#!/bin/bash\nexec x")
        .file("own", b"exec x")
        .file("etc/php/8.2/cli/conf.d/20-gd.ini", b"extension=gd.so")
        .file("etc/my.ini", b"\0")
        .file("tool", b"#!/usr/bin/python3\n")
        .file("big", &[&b"#!/bin/sh\n"[..], &[b'#'; 70_000]].concat())
        .end();
    let index = scan(&layer);
    let is_kept = |path: &str| match &index.get(&path.into()).unwrap().kind {
        EntryKind::File { body, size, .. } => body.as_ref().is_some_and(|body| body.len() as u64 == *size),
        _ => panic!("{path}"),
    };
    let kept = ["/etc/passwd", "/entry", "/own", "/etc/php/8.2/cli/conf.d/20-gd.ini"].map(is_kept);
    assert_eq!((kept, ["/etc/shadow", "/tool", "/big", "/etc/my.ini"].map(is_kept)), ([true; 4], [false; 4]));
}

#[test]
fn what_estargz_adds_is_not_the_images() {
    let landmark = || Archive::default().file(".no.prefetch.landmark", b"\x0f").file("a", b"");
    let index = scan(&landmark().file("stargz.index.json", b"{}").end());
    assert_eq!(paths(&index), ["/a"]);
    assert_eq!(scan(&landmark().end()).entries.len(), 2);
    assert_eq!(scan(&Archive::default().file("stargz.index.json", b"{}").file("a", b"").end()).entries.len(), 2);
}

#[test]
fn what_was_read_before_a_break_stays_and_the_stored_digest_too() {
    let body: Vec<u8> = (0..200_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let layer = Archive::default().file("first", b"1").file("second", &body).end();
    let mut packed = gzip(&layer);
    let middle = packed.len() / 2;
    for (broken, is_compression) in [
        (packed[..middle].to_vec(), true),
        (layer[..5000].to_vec(), false),
        (gzip(&layer[..5000]), false),
        ([&layer[..1024], &[b'x'; 600]].concat(), false),
    ] {
        let index = scan(&broken);
        assert_eq!(paths(&index).first().map(String::as_str), Some("/first"));
        assert_eq!(index.stored.clone().unwrap().digest, Some(Digest::of(&broken)));
        assert_eq!(index.unpacked.is_none(), is_compression);
        assert!(
            matches!(kinds(&index)[..], [DamageKind::Compression(_)] if is_compression)
                || matches!(kinds(&index)[..], [DamageKind::Tar(_)] if !is_compression),
            "{:?}",
            index.damage
        );
    }
    let sum = packed.len() - 8;
    packed[sum] ^= 1;
    assert!(matches!(kinds(&scan(&packed))[..], [DamageKind::Compression(_)]));
}

#[test]
fn other_compressions_are_named() {
    let index = scan(b"\xfd7zXZ\0\0\0");
    assert!(matches!(kinds(&index)[..], [DamageKind::UnknownFormat(name)] if name.contains("xz")));
    assert_eq!(index.stored.unwrap().digest, Some(Digest::of(b"\xfd7zXZ\0\0\0")));
}

#[test]
fn a_medium_that_fails_is_told_from_a_broken_layer() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable is out"))
        }
    }
    let packed = gzip(&Archive::default().file("a", b"1").end());
    let index = LayerIndex::scan(packed[..packed.len() - 9].chain(Broken), &ALL);
    assert_eq!(kinds(&index), [&DamageKind::Missing("the cable is out".into())]);
    assert_eq!((paths(&index), index.stored), (vec!["/a".to_owned()], None));
}

#[test]
fn a_layer_is_held_against_its_descriptor_by_the_descriptors_own_function() {
    let layer = Archive::default().file("a", b"1").end();
    let named = Algorithm::Sha512.digest(&layer);
    let index = LayerIndex::scan(layer.as_slice(), &ALL.verifying(Some(&named)));
    assert_eq!(index.stored.unwrap().digest, Some(named));
    let unnamed = LayerIndex::scan(layer.as_slice(), &Limits { diff_id: false, ..ALL }.verifying(None));
    assert_eq!((unnamed.stored.unwrap().digest, unnamed.unpacked.unwrap().digest), (None, Some(Digest::of(&layer))));
}

#[test]
fn limits_stop_the_scan_and_no_digest_is_claimed() {
    let many = (0..50).fold(Archive::default(), |archive, number| archive.file(&format!("f{number}"), b"")).end();
    let index = LayerIndex::scan(&*gzip(&many), &Limits { entries: 10, ..ALL });
    assert!(matches!(kinds(&index)[..], [DamageKind::Limit(what)] if what == "more than 10 entries"));
    assert_eq!((index.entries.len(), index.stored, index.unpacked), (10, None, None));
    let bomb = gzip(&Archive::default().file("zeros", &vec![0; 4 << 20]).end());
    let index = LayerIndex::scan(&*bomb, &Limits { bytes: 1 << 20, ..ALL });
    assert!(matches!(kinds(&index)[..], [DamageKind::Limit(what)] if what == "more than 1048576 bytes"));
    assert_eq!((index.stored, index.unpacked), (None, None));
}

#[test]
fn a_layer_that_unpacks_to_too_many_times_its_bytes_is_not_read_on() {
    let bomb = gzip(&Archive::default().file("zeros", &vec![0; 4 << 20]).end());
    let strict = Limits { ratio: Ratio { times: 100, from: 1 << 20 }, ..ALL };
    let index = LayerIndex::scan(&*bomb, &strict);
    assert!(matches!(kinds(&index)[..], [DamageKind::Limit(what)] if what.starts_with("more than 100 times")));
    assert_eq!((index.stored, index.unpacked), (None, None));
}

#[test]
fn long_names_count_as_several_entries() {
    let mut archive = tar::Builder::new(Vec::new());
    for number in 0..20 {
        let path = format!("{number}{}", "/name".repeat(800));
        archive.append_data(&mut tar::Header::new_gnu(), path, io::empty()).unwrap();
    }
    let index = LayerIndex::scan(&*archive.into_inner().unwrap(), &Limits { entries: 20_000, ..ALL });
    assert!(matches!(kinds(&index)[..], [DamageKind::Limit(_)]));
}

#[test]
fn names_that_linux_cannot_have_are_left_out_and_told_once() {
    let mut archive = tar::Builder::new(Vec::new());
    let long = "x".repeat(256);
    for path in [long.clone(), format!("a/{long}/b"), "dd/".repeat(1400), "x".repeat(255)] {
        archive.append_data(&mut tar::Header::new_gnu(), path, io::empty()).unwrap();
    }
    let index = LayerIndex::scan(&*archive.into_inner().unwrap(), &ALL);
    assert_eq!(kinds(&index), [&DamageKind::NameTooLong(257)]);
    assert_eq!(paths(&index), [format!("/{}", "x".repeat(255))]);
}

#[test]
fn other_sources_of_members_make_an_index_too() {
    struct Fails(Option<Member>);
    impl Members for Fails {
        fn next_member(&mut self) -> Result<Option<Member>, TarError> {
            self.0.take().map(Some).ok_or(TarError::Read("permission denied".into()))
        }
        fn body(&mut self) -> Result<&[u8], TarError> {
            Ok(&[])
        }
    }
    let kind = crate::format::tar::MemberKind::Directory;
    let index =
        LayerIndex::collect(Fails(Some(Member { path: b"a".to_vec(), kind, mode: 0o700, uid: 1, gid: 2, size: 0 })), &ALL);
    assert_eq!((paths(&index), index.stored.as_ref()), (vec!["/a".to_owned()], None));
    assert_eq!(kinds(&index), [&DamageKind::Missing("permission denied".into())]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn never_panics(bytes: Vec<u8>, compression in 0..3) {
        let stored = match compression {
            0 => bytes,
            1 => gzip(&bytes),
            _ => zstd::encode_all(bytes.as_slice(), 1).unwrap(),
        };
        let index = scan(&stored);
        prop_assert_eq!(index.stored.unwrap().digest, Some(Digest::of(&stored)));
    }

    #[test]
    fn a_flipped_byte_never_panics(at in 0..2048_usize, flip in 1..=255_u8) {
        let mut layer = Archive::default().file("etc/passwd", b"root").file("b", b"#!/bin/sh").end();
        layer[at] ^= flip;
        let index = scan(&layer);
        prop_assert_eq!(index.unpacked.unwrap().digest, Some(Digest::of(&layer)));
    }
}
