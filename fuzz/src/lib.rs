//! What is fuzzed: one function a target, each of which takes any bytes and must neither panic, nor hang, nor grow.
//!
//! `tests/corpus.rs` runs every input that is kept in `fuzz/corpus/`; `cargo +nightly fuzz run TARGET` looks for more.

#![allow(missing_docs, unreachable_pub, clippy::indexing_slicing, reason = "nobody but the fuzzer and the tests uses it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is what is looked for")]

mod image;
mod recipe;
mod shown;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use enoexec::base::{Digest, GuestPath, escape};
use enoexec::exec::predict_path;
use enoexec::format::content::Classifier;
use enoexec::format::elf::LoaderFacts;
use enoexec::format::oci::{ArchiveEntry, Config, Document, LegacyImage};
use enoexec::format::toc::{Place, Toc};
use enoexec::image::{Credentials, LayerIndex, Limits, Rootfs};
use enoexec::node::Node;

pub use image::{exec, image};
pub use text::{build_file, dockerfile, kubernetes, node, shell, triage};

/// The target of this name.
pub fn target(name: &str) -> Option<fn(&[u8])> {
    Some(match name {
        "content" => content,
        "layer" => layer,
        "cached_index" => cached_index,
        "documents" => documents,
        "toc" => toc,
        "image" => image,
        "exec" => exec,
        "shell" => shell,
        "dockerfile" => dockerfile,
        "build_file" => build_file,
        "kubernetes" => kubernetes,
        "triage" => triage,
        "node" => node,
        _ => return None,
    })
}

/// What a file is: ELF, Mach-O, PE, scripts, and all that is known by its first bytes.
pub fn content(data: &[u8]) {
    let read = |sizes: usize| {
        let mut classifier = Classifier::new(data.len() as u64, true);
        data.chunks(sizes).for_each(|piece| classifier.feed(piece));
        classifier.finish()
    };
    let facts = read(data.len().max(1));
    assert_eq!(facts, read(61), "the pieces in which a file comes change nothing");
    shown::plain(&facts.content.summary());
    let _ = LoaderFacts::read(data);
}

/// A layer as it is stored; its index, kept and read again; and lookups in it.
pub fn layer(data: &[u8]) {
    let limits = Limits { bytes: 16 << 20, entries: 20_000, diff_id: true, ..Limits::default() };
    let index = LayerIndex::scan(data, &limits);
    let kept = index.encode().expect("it is small");
    assert_eq!(LayerIndex::decode(&kept).as_ref(), Some(&index));
    look_up(index);
}

/// A file of the cache.
pub fn cached_index(data: &[u8]) {
    let index = LayerIndex::decode(data).or_else(|| LayerIndex::decode(&sealed(data)));
    index.into_iter().for_each(look_up);
}

/// The digest in such a file is no obstacle to whoever writes one.
fn sealed(index: &[u8]) -> Vec<u8> {
    let packed = zstd::encode_all(index, 1).expect("memory");
    let empty = LayerIndex::default().encode().expect("it is small");
    let magic = empty.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    [magic, Digest::of(&packed).hex().as_bytes(), &packed].concat()
}

fn look_up(index: LayerIndex) {
    let paths: Vec<GuestPath> = index.entries.iter().take(200).map(|entry| entry.path.clone()).collect();
    let index = Arc::new(index);
    let rootfs = Rootfs::stack(vec![index.clone(), index]);
    let (root, who) = (GuestPath::root(), Credentials::default());
    let user = Credentials { uid: 1000, gid: 1000, dac_override: false, ..Credentials::default() };
    let Ok(node) = Node::parse("arm64") else { return };
    for path in paths {
        for who in [&who, &user] {
            if let Ok(found) = rootfs.resolve(&root, path.as_bytes(), who) {
                let real = rootfs.resolve(&root, found.path.as_bytes(), &Credentials::default());
                assert!(
                    real.is_ok_and(|again| again.path == found.path),
                    "{path:?} leads to {:?}, which leads elsewhere",
                    found.path
                );
            }
            let _ = predict_path(&rootfs, path.as_bytes(), b"/", who, &node);
        }
    }
    assert!(rootfs.iter().all(|found| rootfs.get(&found.path).is_some()));
}

/// A layer's table of contents, which its manifest vouches for, and pieces of the layer; or the footer that leads to a table.
pub fn toc(data: &[u8]) {
    const SIZE: u64 = 1 << 20;
    let packed = zstd::encode_all(data, 1).expect("memory");
    let chunked = |name: &str, value: String| (format!("io.github.containers.zstd-chunked.{name}"), value);
    let position = format!("1000:{}:{}:1", packed.len(), data.len());
    let chunked =
        BTreeMap::from([chunked("manifest-checksum", Digest::of(&packed).to_string()), chunked("manifest-position", position)]);
    if let Ok(toc) = Place::of(&chunked, SIZE).and_then(|place| Toc::parse(&packed, &place)) {
        for piece in toc.files.values().flatten().take(100) {
            assert!(piece.stored.start <= piece.stored.end && piece.stored.end <= SIZE, "{piece:?} is in the layer");
            let _ = piece.unpack(data);
        }
    }
    let estargz = BTreeMap::from([("containerd.io/snapshot/stargz/toc.digest".to_owned(), Digest::of(data).to_string())]);
    if let Ok(place) = Place::of(&estargz, SIZE).and_then(|place| place.behind(data)) {
        assert!(place.at().end <= SIZE);
        let _ = Toc::parse(data, &place);
    }
}

/// The documents of an image, each on its own.
pub fn documents(data: &[u8]) {
    let _ = (ArchiveEntry::parse_all(data), LegacyImage::parse(data));
    for media_type in ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.v2+json", ""] {
        if let Err(error) = Document::parse(data, media_type) {
            shown::plain(&escape(&error.to_string()).to_string());
        }
    }
    if let Ok(config) = Config::parse(data) {
        let _ = config.steps(3);
    }
}
