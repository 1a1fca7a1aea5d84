//! Layers with a table of contents, as lazily pulling runtimes have them.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a wrong layer ends the test")]

use std::io::Write;

use enoexec::base::Digest;
use serde_json::{Value, json};

/// A layer's bytes, what its descriptor says of them, and where the table is.
pub type Made = (Vec<u8>, Value, u64);

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Stores each file's bytes in pieces, and what is between them; the entries of the table with their places.
fn stored(tar: &[u8], piece: usize, pack: fn(&[u8]) -> Vec<u8>) -> (Vec<u8>, Vec<Value>) {
    let (mut out, mut entries, mut at) = (Vec::new(), Vec::new(), 0);
    for entry in tar::Archive::new(tar).entries().unwrap() {
        let entry = entry.unwrap();
        let (name, header) = (entry.path().unwrap().display().to_string(), entry.header());
        let kind = match header.entry_type() {
            tar::EntryType::Directory => "dir",
            tar::EntryType::Symlink => "symlink",
            tar::EntryType::Link => "hardlink",
            _ => "reg",
        };
        let mut listed = json!({"type": kind, "name": name, "mode": header.mode().unwrap(), "size": entry.size()});
        if let Some(link) = entry.link_name().unwrap() {
            listed["linkName"] = link.display().to_string().into();
        }
        let start = usize::try_from(entry.raw_file_position()).unwrap();
        let bytes = &tar[start..start + usize::try_from(entry.size()).unwrap()];
        if bytes.is_empty() {
            entries.push(listed);
            continue;
        }
        out.extend(pack(&tar[at..start]));
        at = start + bytes.len();
        listed["digest"] = Digest::of(bytes).to_string().into();
        let mut own = vec![listed];
        for (place, part) in bytes.chunks(piece).enumerate() {
            let more = json!({"offset": out.len(), "chunkOffset": place * piece, "chunkSize": part.len(), "chunkDigest": Digest::of(part)});
            if place > 0 {
                own.push(json!({"type": "chunk", "name": name}));
            }
            own.last_mut().unwrap().as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            out.extend(pack(part));
        }
        own[0]["endOffset"] = out.len().into();
        entries.extend(own);
    }
    out.extend(pack(&tar[at..]));
    (out, entries)
}

/// stargz-snapshotter's `docs/estargz.md`.
pub fn estargz(tar: &[u8], piece: usize) -> Made {
    let (mut out, mut entries) = stored(tar, piece, gzip);
    for entry in &mut entries {
        entry.as_object_mut().unwrap().remove("endOffset");
    }
    let json = json!({"version": 1, "entries": entries}).to_string().into_bytes();
    let mut table = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(json.len() as u64);
    table.append_data(&mut header, "stargz.index.json", json.as_slice()).unwrap();
    let place = out.len();
    out.extend(gzip(&table.into_inner().unwrap()));
    out.extend([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0]);
    out.extend(format!("SG\x16\0{place:016x}STARGZ").into_bytes());
    out.extend([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    (out, json!({"containerd.io/snapshot/stargz/toc.digest": Digest::of(&json)}), place as u64)
}

/// containers/storage, `pkg/chunked`: the table lies in a frame that decoders pass over.
pub fn chunked(tar: &[u8], piece: usize) -> Made {
    let (mut out, entries) = stored(tar, piece, |bytes| zstd::encode_all(bytes, 1).unwrap());
    let json = json!({"version": 1, "entries": entries}).to_string().into_bytes();
    let table = zstd::encode_all(json.as_slice(), 1).unwrap();
    out.extend([0x50, 0x2a, 0x4d, 0x18]);
    out.extend(u32::try_from(table.len()).unwrap().to_le_bytes());
    let (place, name) = (out.len(), |name: &str| format!("io.github.containers.zstd-chunked.{name}"));
    let position = format!("{place}:{}:{}:1", table.len(), json.len());
    let annotations = json!({name("manifest-checksum"): Digest::of(&table), name("manifest-position"): position});
    out.extend(table);
    (out, annotations, place as u64)
}
