use std::collections::BTreeMap;
use std::io::Write;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Place, Toc, TocError};
use crate::base::{Digest, GuestPath};
use crate::format::tar::MemberKind;

/// A table of zstd:chunked of these entries, behind 1,000 bytes of files.
fn read(entries: &Value) -> Result<Toc, TocError> {
    let bytes = zstd::encode_all(json!({"version": 1, "entries": entries}).to_string().as_bytes(), 1).unwrap();
    let place = Place::Chunked { digest: Digest::of(&bytes), at: 1000..2000 };
    Toc::parse(&bytes, &place)
}

fn file(more: &Value) -> Value {
    let mut entry =
        json!({"type": "reg", "name": "bin/app", "mode": 493, "size": 10, "digest": Digest::of(b"0123456789"), "offset": 100});
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    entry
}

#[test]
fn members_and_pieces_are_listed() {
    let chunk = |offset: u64, at: u64, size: u64, bytes: &[u8]| json!({"chunkOffset": at, "chunkSize": size, "chunkDigest": Digest::of(bytes), "offset": offset});
    let mut second = chunk(140, 6, 4, b"6789");
    second.as_object_mut().unwrap().extend(json!({"type": "chunk", "name": "bin/app"}).as_object().unwrap().clone());
    let mut first = file(&chunk(100, 0, 6, b"012345"));
    first["endOffset"] = 180.into();
    let toc = read(&json!([{"type": "dir", "name": "bin/", "mode": 493}, first, second, {"type": "symlink", "name": "b", "linkName": "bin"}])).unwrap();
    let kinds: Vec<&MemberKind> = toc.members.iter().map(|member| &member.kind).collect();
    assert_eq!(kinds, [&MemberKind::Directory, &MemberKind::File, &MemberKind::Symlink(b"bin".to_vec())]);
    let pieces = &toc.files[&GuestPath::new("bin/app")];
    assert_eq!(pieces.iter().map(|piece| (piece.stored.clone(), piece.size)).collect::<Vec<_>>(), [(100..140, 6), (140..180, 4)]);
}

#[test]
fn a_piece_ends_where_the_next_file_begins() {
    let toc = read(&json!([file(&json!({})), file(&json!({"name": "z", "offset": 300}))])).unwrap();
    let ends: Vec<u64> = toc.files.values().map(|pieces| pieces[0].stored.end).collect();
    assert_eq!(ends, [300, 1000]);
}

#[test]
fn lies_are_refused() {
    assert!(read(&json!([file(&json!({}))])).is_ok());
    for lie in [
        json!({"offset": 5000}),
        json!({"endOffset": 5000}),
        json!({"endOffset": 50}),
        json!({"chunkSize": 11}),
        json!({"chunkSize": 9}),
        json!({"chunkOffset": 1}),
        json!({"digest": ""}),
        json!({"digest": null}),
        json!({"size": 1_u64 << 40}),
    ] {
        assert!(read(&json!([file(&lie)])).is_err(), "{lie}");
    }
    let bytes = zstd::encode_all(&b"{\"entries\":[]}"[..], 1).unwrap();
    let place = |digest| Place::Chunked { digest, at: 0..9 };
    assert!(Toc::parse(&bytes, &place(Digest::of(&bytes))).is_ok());
    assert_eq!(Toc::parse(&bytes, &place(Digest::of(b""))), Err(TocError::Digest));
}

#[test]
fn a_piece_is_verified() {
    let toc = read(&json!([file(&json!({}))])).unwrap();
    let piece = &toc.files[&GuestPath::new("bin/app")][0];
    let stored = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    assert_eq!(piece.unpack(stored(b"0123456789 and what follows").as_slice()).unwrap(), b"0123456789");
    assert!(piece.unpack(stored(b"0123456788").as_slice()).is_err());
    assert!(piece.unpack(stored(b"012345678").as_slice()).is_err());
    assert!(piece.unpack(&b"0123456789"[..]).is_ok(), "what is stored plainly is compared too");
}

fn footer(digits: &str) -> Vec<u8> {
    let mut footer = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0];
    footer.extend(b"SG\x16\0");
    footer.write_all(digits.as_bytes()).unwrap();
    footer.extend(b"STARGZ\x01\0\0\xff\xff\0\0\0\0\0\0\0\0");
    footer
}

#[test]
fn a_footer_says_where_the_table_is() {
    let annotations = BTreeMap::from([("containerd.io/snapshot/stargz/toc.digest".to_owned(), Digest::of(b"{}").to_string())]);
    let place = Place::of(&annotations, 1051).unwrap();
    assert!(place.is_footer() && place.at() == (1000..1051) && footer("0123456789abcdef").len() == 51);
    let behind = |digits: &str| place.clone().behind(&footer(digits)).map(|place| place.at());
    assert_eq!(behind("00000000000000ff"), Ok(255..1000));
    for wrong in ["00000000000003e8", "ffffffffffffffff", "000000000000000g"] {
        assert!(behind(wrong).is_err(), "{wrong}");
    }
    assert!(Place::of(&annotations, 50).is_err() && Place::of(&BTreeMap::new(), 5000).is_err());
}

#[test]
fn an_annotation_says_where_the_table_is() {
    let name = |name: &str| format!("io.github.containers.zstd-chunked.{name}");
    let place = |position: &str| {
        let digest = (name("manifest-checksum"), Digest::of(b"").to_string());
        Place::of(&BTreeMap::from([digest, (name("manifest-position"), position.to_owned())]), 1000).map(|place| place.at())
    };
    assert_eq!(place("100:50:900:1"), Ok(100..150));
    let older = ["checksum", "position"].map(|name| format!("io.containers.zstd-chunked.manifest-{name}"));
    let older = older.into_iter().zip([Digest::of(b"").to_string(), "100:50:900:1".to_owned()]).collect();
    assert_eq!(Place::of(&older, 1000).map(|place| place.at()), Ok(100..150));
    for wrong in ["100:50:900:2", "100:901:900:1", "100:50", "", "18446744073709551615:2:1:1", "100:0:1:1"] {
        assert!(place(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn any_table_is_read_or_refused(
        sizes in prop::collection::vec((0_u64..20, 0_u64..1200, 0_u64..20, 0_u64..20), 0..6),
        kind in prop::sample::select(vec!["reg", "chunk", "dir", "odd"]),
    ) {
        let entry = |(size, offset, at, length): &(u64, u64, u64, u64)| json!({"type": kind, "name": "a", "size": size, "offset": offset,
            "chunkOffset": at, "chunkSize": length, "digest": Digest::of(b"")});
        if let Ok(toc) = read(&sizes.iter().map(entry).collect()) {
            for pieces in toc.files.values() {
                prop_assert!(pieces.iter().all(|piece| piece.stored.end <= 1000 && piece.stored.start < piece.stored.end));
            }
        }
    }

    #[test]
    fn never_panics(bytes: Vec<u8>) {
        for place in [Place::Chunked { digest: Digest::of(&bytes), at: 0..9 }, Place::Estargz { digest: Digest::of(&bytes), at: 0..9 }] {
            let _ = Toc::parse(&bytes, &place);
            let _ = place.behind(&bytes);
        }
    }
}
