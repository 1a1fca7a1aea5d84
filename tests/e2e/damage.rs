//! Bad input: a clear answer that names what is wrong, in time, and whatever else can be said.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

use crate::image::{GZIP_LAYER, Image, Layer, blob_path, data, digest, gzip, link, program};
use crate::lab::{Lab, shell};
use crate::packages::debian_file;
use crate::run::{check, check_stdin, check_with, inspect};

const NEEDS: &str = "apt-get, dpkg-deb, GNU tar and Debian packages";

fn busybox() -> Vec<u8> {
    debian_file("amd64", "busybox-static", "bin/busybox")
}

/// One layer with the program, one with something else on top.
fn image() -> Image {
    let files = [program("/app", busybox())];
    Image::on("linux/amd64")
        .copy("COPY app /app", &files)
        .copy("COPY motd /etc", &[data("/etc/motd", "hi")])
        .entrypoint(&["/app"])
}

/// The blob of a layer in the layout of `image()`.
fn layer_blob(layout: &std::path::Path, number: usize) -> PathBuf {
    blob_path(layout, &image().layers()[number].digest())
}

#[test]
fn nothing_at_the_path() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    check(lab.path("no-such.tar")).ends(3).says("no-such.tar");
}

#[test]
fn an_archive_that_ends_early() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    image().write(&lab, "layout");
    shell(&lab.path("."), "tar -C layout -cf whole.tar oci-layout index.json blobs");
    let whole = fs::read(lab.path("whole.tar")).unwrap();
    for length in [0, 1, 100, 511, 512, 1000, 1536, 3000, whole.len() / 2, whole.len() - 11_000] {
        let cut = lab.write("cut.tar", &whole[..length.min(whole.len())]);
        let run = check(&cut);
        assert!(run.code == 1 || run.code == 3, "{length}: {}", run.shown());
        run.ends(run.code).says("cut.tar");
        let piped = check_stdin(&cut);
        assert!(piped.code == 1 || piped.code == 3, "{length}: {}", piped.shown());
        piped.ends(piped.code);
    }
}

#[test]
fn a_layer_with_a_flipped_byte() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let layout = image().write(&lab, "layout");
    let blob = layer_blob(&layout, 0);
    let whole = fs::read(&blob).unwrap();
    for place in [0, 3, 12, whole.len() / 3, whole.len() / 2, whole.len() - 5] {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x10;
        fs::write(&blob, bytes).unwrap();
        let run = check(&layout);
        run.ends(1).says(&image().layers()[0].digest());
        assert_ne!(run.verdict()["outcome"], "fails", "a guess about {place}: {}", run.shown());
    }
}

#[test]
fn a_layer_with_bytes_of_another() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let layout = image().write(&lab, "layout");
    let other = gzip(&crate::image::tar_of(&[data("/etc/motd", "other")]));
    fs::write(layer_blob(&layout, 1), &other).unwrap();
    let run = check(&layout);
    run.ends(1);
    let names_both = |finding: &Value| {
        [digest(&other), image().layers()[1].digest()].iter().all(|one| finding["message"].to_string().contains(one))
    };
    assert!(run.findings().iter().any(|finding| finding["name"] == "digest-mismatch" && names_both(finding)), "{}", run.shown());
    assert_eq!(run.images()[0]["machines"][0]["machine"], "x86_64", "{}", run.shown());
}

#[test]
fn a_layer_that_the_config_does_not_know() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let mut layer = Layer::copy("COPY app /app", &[program("/app", busybox())]);
    layer.diff_id = digest(b"another");
    let layout = Image::on("linux/amd64").layer(layer).entrypoint(&["/app"]).write(&lab, "layout");
    let run = check_with(&["--verify-diffids", layout.to_str().unwrap()]);
    run.ends(1).finding("diff-id-mismatch").says(&digest(b"another"));
    assert_eq!(run.verdict()["outcome"], "runs", "{}", run.shown());
}

#[test]
fn a_directory_that_is_no_layout() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    fs::create_dir(lab.path("empty")).unwrap();
    check(format!("oci:{}", lab.path("empty").display())).ends(3).says("empty");
}

#[test]
fn an_empty_tar() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let empty = lab.write("empty.tar", [0; 10_240]);
    check(&empty).ends(3).says("empty.tar");
    check_stdin(&empty).ends(3);
}

#[test]
fn a_tar_that_holds_no_image() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    lab.write("README", "hello");
    shell(&lab.path("."), "tar -cf other.tar README");
    check(lab.path("other.tar")).ends(3).says("other.tar");
}

#[test]
fn text_in_place_of_json() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let layout = image().write(&lab, "layout");
    let entry: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let manifest = blob_path(&layout, entry["manifests"][0]["digest"].as_str().unwrap());
    let parsed: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let config = blob_path(&layout, parsed["config"]["digest"].as_str().unwrap());
    for file in [config, manifest, layout.join("index.json")] {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        fs::write(&file, "<html>502 Bad Gateway</html>").unwrap();
        let run = check(&layout);
        assert!(run.code == 1 || run.code == 3, "{name}: {}", run.shown());
        run.ends(run.code).says(&name);
    }
}

#[test]
fn a_layer_missing_from_the_layout() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let layout = image().write(&lab, "layout");
    fs::remove_file(layer_blob(&layout, 1)).unwrap();
    let run = check(&layout);
    run.ends(1).says(&image().layers()[1].digest()).finding("unreadable-layer");
    // The other layer was read all the same.
    assert_eq!(run.images()[0]["machines"][0]["machine"], "x86_64", "{}", run.shown());
    // Where nothing is judged, the exit code is what says that not everything was seen.
    inspect(&[&layout.to_string_lossy()]).ends(3);
}

#[test]
fn ten_thousand_nested_directories() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let mut tar = tar::Builder::new(Vec::new());
    let mut path = String::new();
    for depth in 1..=10_000 {
        path.push_str("d/");
        // Every one with its long name would be a layer of 100 MB: one in ten will do.
        if depth % 10 == 0 {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(0o755);
            header.set_size(0);
            tar.append_data(&mut header, &path, std::io::empty()).unwrap();
        }
    }
    let layer = Layer::of_tar("RUN mkdir -p", &tar.into_inner().unwrap());
    let run = check(image().layer(layer).write(&lab, "layout"));
    run.ends(run.code);
    assert_eq!(run.verdict()["outcome"], "runs", "{}", run.shown());
}

#[test]
fn links_in_a_circle_as_entrypoint() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let circle = [link("/loop", "/pool"), link("/pool", "loop")];
    let run = check(image().copy("COPY links /", &circle).entrypoint(&["/loop"]).write(&lab, "layout"));
    run.ends(1).finding("not-found").says("/loop");
    assert_eq!(run.verdict()["errno"], "ELOOP", "{}", run.shown());
}

#[test]
fn a_sparse_entry_of_64_gibibytes() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    shell(&lab.path("."), "truncate -s 64G huge");
    for format in ["gnu", "pax"] {
        let tar = lab.path(&format!("{format}.tar"));
        shell(&lab.path("."), &format!("tar --sparse --format={format} -cf {format}.tar huge"));
        let layer = Layer::of_tar("RUN truncate -s 64G huge", &fs::read(&tar).unwrap());
        check(image().layer(layer).write(&lab, format)).is_clean().ends(0);
    }
}

#[test]
fn four_gibibytes_of_zeros_in_four_megabytes() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    const CHUNK: usize = 64 << 20;
    const TIMES: usize = 64;
    let mut header = tar::Header::new_gnu();
    header.set_path("zeros").unwrap();
    header.set_size((CHUNK * TIMES) as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut zeros = GzEncoder::new(Vec::new(), Compression::best());
    zeros.write_all(&vec![0; CHUNK]).unwrap();
    let zeros = zeros.finish().unwrap();
    let layer = [gzip(header.as_bytes()), zeros.repeat(TIMES), gzip(&[0; 1024])].concat();
    let layer = Layer::stored("COPY zeros /", GZIP_LAYER, &digest(b""), layer);
    let run = check(image().layer(layer).write(&lab, "layout"));
    run.ends(run.code);
    assert_eq!(run.verdict()["outcome"], "runs", "{}", run.shown());
}

/// A gzip stream of one block, over and over: made in no time, whatever it unpacks to.
fn bomb(step: &str, head: &[u8], block: &[u8], times: usize) -> Layer {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(block).unwrap();
    let block = encoder.finish().unwrap();
    Layer::stored(step, GZIP_LAYER, &digest(b""), [gzip(head), block.repeat(times), gzip(&[0; 1024])].concat())
}

fn file_header(path: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_path(path).unwrap();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

#[test]
fn thirty_two_gibibytes_of_zeros_in_thirty_two_megabytes() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    const BLOCK: usize = 64 << 20;
    let layer = bomb("COPY zeros /", file_header("zeros", (BLOCK as u64) << 9).as_bytes(), &vec![0; BLOCK], 512);
    let layout = image().layer(layer).write(&lab, "layout");
    check(&layout).ends(1).finding("limit-met").says("more than 250 times as many bytes as are stored");
    let run = check_with(&[&layout.to_string_lossy(), "--max-layer-size", "16MiB"]);
    run.ends(1).finding("limit-met").says("more than 16777216 bytes");
}

#[test]
fn ten_million_entries() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let names = |number: usize| file_header(&format!("some/folder/with/a/name/file-{number}"), 0);
    let block: Vec<u8> = (0..100_000).flat_map(|number| names(number).as_bytes().to_vec()).collect();
    let layout = image().layer(bomb("COPY many /", b"", &block, 100)).write(&lab, "layout");
    // The default is met in the same way, after twenty times as long.
    let run = check_with(&[&layout.to_string_lossy(), "--max-layer-entries", "100000"]);
    run.ends(1).finding("limit-met").says("more than 100000 entries");
}

#[test]
fn an_encrypted_layer() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let secret: Vec<u8> = digest(b"secret").bytes().cycle().take(5000).collect();
    let layer = Layer::stored("COPY secret /", "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", &digest(b"?"), secret);
    let run = check(image().layer(layer).write(&lab, "layout"));
    run.ends(run.code).finding("encrypted-layer").says("encrypted");
    // What it holds may lie over the entrypoint.
    assert_eq!(run.verdict()["outcome"], "unsure", "{}", run.shown());
}

#[test]
fn a_helm_chart() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let layer = Layer::stored("chart", "application/vnd.cncf.helm.chart.content.v1.tar+gzip", &digest(b"?"), gzip(b"chart"));
    let chart = Image::on("linux/amd64").config_type("application/vnd.cncf.helm.config.v1+json").layer(layer);
    let run = check(chart.write(&lab, "chart"));
    run.ends(run.code).finding("not-an-image").says("helm");
    assert!(run.images().is_empty(), "{}", run.shown());
}

#[test]
fn an_index_that_contains_itself() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let layout = image().write(&lab, "layout");
    let index = "application/vnd.oci.image.index.v1+json";
    // No digest can be its own content's: an index of an index of an index, deeper than any build writes.
    let mut inner = fs::read(layout.join("index.json")).unwrap();
    for _ in 0..64 {
        fs::write(blob_path(&layout, &digest(&inner)), &inner).unwrap();
        let entry = serde_json::json!({ "mediaType": index, "digest": digest(&inner), "size": inner.len() });
        inner = serde_json::json!({ "schemaVersion": 2, "mediaType": index, "manifests": [entry] }).to_string().into_bytes();
    }
    fs::write(layout.join("index.json"), inner).unwrap();
    let run = check(&layout);
    assert!(run.code == 1 || run.code == 3, "{}", run.shown());
    run.ends(run.code);
}
