//! The image that is measured: this machine's own `/usr`, 1 GiB of it (if it has so much) in four gzip layers, kept under `target/`
//! between runs.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each benchmark uses a part")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark may stop, and prints")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use enoexec::base::{Digest, parallel_map};
use enoexec::image::{LayerIndex, Limits};
use flate2::write::GzEncoder;
use serde_json::json;

/// How many layers it has.
pub const LAYERS: usize = 4;

const LAYER_BYTES: u64 = 256 << 20;

/// The layers' files.
pub fn layers(folder: &Path) -> Vec<PathBuf> {
    let blobs = folder.join("layout/blobs/sha256");
    let list = fs::read_to_string(folder.join("layers")).unwrap();
    list.lines().skip(1).map(|hex| blobs.join(hex)).collect()
}

/// Makes the image unless it is there; its unpacked size.
pub fn prepare(folder: &Path) -> u64 {
    let list = folder.join("layers");
    if !list.exists() {
        let blobs = folder.join("layout/blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        println!("packing /usr, once");
        let made = parallel_map(&share_out(), |files| write_layer(&blobs, files));
        let size: u64 = made.iter().map(|layer| layer.unpacked).sum();
        write_layout(&folder.join("layout"), &made);
        let lines: Vec<String> = made.iter().map(|layer| layer.digest.hex().to_owned()).collect();
        fs::write(&list, format!("{size}\n{}\n", lines.join("\n"))).unwrap();
    }
    fs::read_to_string(&list).unwrap().lines().next().unwrap().parse().unwrap()
}

/// The files of `/usr` in the order of their names, a layer's worth each.
fn share_out() -> Vec<Vec<PathBuf>> {
    let mut shares = vec![Vec::new()];
    let mut size = 0;
    for entry in walkdir::WalkDir::new("/usr").sort_by_file_name().into_iter().filter_map(Result::ok) {
        let is_kept = entry.file_type().is_file() || entry.file_type().is_symlink();
        let Some(metadata) = entry.metadata().ok().filter(|_| is_kept && File::open(entry.path()).is_ok()) else { continue };
        if size >= LAYER_BYTES {
            if shares.len() == LAYERS {
                break;
            }
            shares.push(Vec::new());
            size = 0;
        }
        size += metadata.len();
        shares.last_mut().unwrap().push(entry.into_path());
    }
    shares
}

struct Packed {
    digest: Digest,
    diff_id: Digest,
    size: u64,
    unpacked: u64,
}

fn write_layer(blobs: &Path, files: &[PathBuf]) -> Packed {
    let scratch = tempfile::NamedTempFile::new_in(blobs).unwrap();
    let mut archive = tar::Builder::new(GzEncoder::new(scratch.as_file(), flate2::Compression::new(6)));
    archive.follow_symlinks(false);
    for file in files {
        archive.append_path_with_name(file, file.strip_prefix("/").unwrap()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap().flush().unwrap();
    let limits = Limits { diff_id: true, ..Limits::default() };
    let index = LayerIndex::scan(File::open(scratch.path()).unwrap(), &limits);
    let (stored, unpacked) = (index.stored.unwrap(), index.unpacked.unwrap());
    let (digest, diff_id) = (stored.digest.unwrap(), unpacked.digest.unwrap());
    scratch.persist(blobs.join(digest.hex())).unwrap();
    Packed { digest, diff_id, size: stored.size, unpacked: unpacked.size }
}

/// An OCI layout around the layers, so that other tools can read the image too.
fn write_layout(layout: &Path, layers: &[Packed]) {
    let blob = |media_type: &str, document: serde_json::Value| {
        let bytes = document.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        fs::write(layout.join("blobs/sha256").join(digest.hex()), &bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    };
    let diff_ids: Vec<&Digest> = layers.iter().map(|layer| &layer.diff_id).collect();
    let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let config = blob("application/vnd.oci.image.config.v1+json", config);
    let describe = |layer: &Packed| json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": layer.digest, "size": layer.size});
    let layers: Vec<_> = layers.iter().map(describe).collect();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let mut manifest = blob(media_type, json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers}));
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": "bench"});
    let write =
        |name: &str, document: serde_json::Value| -> io::Result<()> { fs::write(layout.join(name), document.to_string()) };
    write("index.json", json!({"schemaVersion": 2, "manifests": [manifest]})).unwrap();
    write("oci-layout", json!({"imageLayoutVersion": "1.0.0"})).unwrap();
}
