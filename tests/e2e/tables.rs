//! `--entrypoint-only` on real images at Docker's own registry: the same start as from the whole image, and how little it takes.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;

use enoexec::format::compress::{Ratio, decompress};
use serde_json::{Value, json};

use crate::image::{Image, blob_path, digest};
use crate::lab::{Lab, shell};
use crate::registries::registry;
use crate::run::check_with;
use crate::toc::estargz;

const NEEDS: &str = "docker-registry, skopeo, apt-get, dpkg-deb and Debian packages";

/// What stargz-snapshotter's writer takes for a piece.
const PIECE: usize = 4 << 20;

/// A shell, its tools and a language.
fn debian() -> Image {
    let groups: [&[&str]; 2] = [&["libc-bin", "dash", "bash", "coreutils", "perl-base", "zlib1g"], &["python3-minimal", "jq"]];
    Image::debian("amd64", &groups)
}

fn document(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Makes the layers of a layout eStargz.
fn make_estargz(layout: &Path) {
    let keep = |bytes: &[u8]| {
        fs::write(blob_path(layout, &digest(bytes)), bytes).unwrap();
        json!({"digest": digest(bytes), "size": bytes.len()})
    };
    let mut index = document(&layout.join("index.json"));
    let entry = &mut index["manifests"][0];
    let mut manifest = document(&blob_path(layout, entry["digest"].as_str().unwrap()));
    for layer in manifest["layers"].as_array_mut().unwrap() {
        let stored = BufReader::new(File::open(blob_path(layout, layer["digest"].as_str().unwrap())).unwrap());
        let mut tar = Vec::new();
        decompress(stored, Ratio::default()).unwrap().1.read_to_end(&mut tar).unwrap();
        let (bytes, annotations, _) = estargz(&tar, PIECE);
        let kept = keep(&bytes);
        layer.as_object_mut().unwrap().extend(kept.as_object().unwrap().clone());
        layer["annotations"] = annotations;
    }
    let kept = keep(manifest.to_string().as_bytes());
    entry.as_object_mut().unwrap().extend(kept.as_object().unwrap().clone());
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
}

#[test]
fn a_table_of_contents_spares_most_of_an_image() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let at = registry(&lab.path("."), "");
    let push = |from: &str, name: &str, how: &str| {
        let copy = "skopeo --insecure-policy copy -q --dest-tls-verify=false";
        shell(&lab.path("."), &format!("{copy} {how} oci:{from}:latest docker://{}/{name}", at.address));
        format!("{}/{name}", at.address)
    };
    debian().write(&lab, "image");
    let chunked = push("image", "chunked:1", "--dest-compress-format zstd:chunked");
    let plain = push("image", "plain:1", "");
    make_estargz(&lab.path("image"));
    let estargz = push("image", "estargz:1", "");
    for program in ["python3", "/bin/bash", "/usr/bin/jq", "/no/such"] {
        let start = ["--no-cache", "--entrypoint", program];
        let whole = check_with(&[&start[..], &[&plain]].concat());
        for (form, target) in [("zstd:chunked", &chunked), ("eStargz", &estargz)] {
            let part = check_with(&[&start[..], &["--entrypoint-only", target]].concat());
            assert_eq!(part.verdict()["outcome"], whole.verdict()["outcome"], "{}", part.shown());
            assert_eq!(part.verdict()["hops"], whole.verdict()["hops"], "{}", part.shown());
            let fetched = &part.images()[0]["fetched"];
            let (bytes, size) = (fetched["bytes"].as_u64().unwrap(), fetched["size"].as_u64().unwrap());
            println!("{form}: {program} takes {bytes} of {size} bytes ({:.2} %)", bytes as f64 * 100.0 / size as f64);
            assert!(bytes * 4 < size, "{}", part.shown());
        }
    }
}
