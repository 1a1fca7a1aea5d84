//! Layers with a table of contents, at a registry that gives parts of them, gives none, or lies.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use enoexec::base::Digest;
use enoexec::format::compress::{Ratio, decompress};
use serde_json::{Value, json};

use crate::client::{Image, enoexec, image, report};
use crate::server::{Reply, Request, Server};
use crate::toc::{Made, chunked, estargz};

/// The image with its layers in another form.
struct Remade {
    blobs: HashMap<String, Vec<u8>>,
    manifest: String,
    /// Where the tables begin, by layer.
    tables: Vec<u64>,
}

fn remade(image: &Image, make: fn(&[u8], usize) -> Made) -> Arc<Remade> {
    let mut manifest: Value = serde_json::from_slice(&image.blob(&image.manifest.to_string()).unwrap()).unwrap();
    let mut blobs = HashMap::from([(image.config.clone(), image.blob(&image.config).unwrap())]);
    let mut tables = Vec::new();
    for layer in manifest["layers"].as_array_mut().unwrap() {
        let stored = image.blob(layer["digest"].as_str().unwrap()).unwrap();
        let mut tar = Vec::new();
        decompress(stored.as_slice(), Ratio::default()).unwrap().1.read_to_end(&mut tar).unwrap();
        let (bytes, annotations, table) = make(&tar, 500);
        let digest = Digest::of(&bytes).to_string();
        *layer = json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": bytes.len(), "annotations": annotations});
        blobs.insert(digest, bytes);
        tables.push(table);
    }
    let bytes = manifest.to_string().into_bytes();
    let digest = Digest::of(&bytes).to_string();
    blobs.insert(digest.clone(), bytes);
    Arc::new(Remade { blobs, manifest: digest, tables })
}

/// What a registry answers that gives parts, each as `spoil` leaves it.
fn answer(image: &Remade, request: &Request, spoil: fn(&mut Vec<u8>, bool)) -> Reply {
    let name = request.path.rsplit('/').next().unwrap();
    let digest = if name.contains(':') { name } else { &image.manifest };
    let Some(bytes) = image.blobs.get(digest) else { return Reply::new(if request.path == "/v2/" { 200 } else { 404 }, "{}") };
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((first, last)) = range else { return Reply::new(200, bytes.clone()).with("Content-Type", media_type) };
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let mut part = bytes[first..=last].to_vec();
    spoil(&mut part, image.tables.iter().any(|table| first as u64 >= *table && last as u64 > *table));
    Reply::new(206, part).with("Content-Range", &format!("bytes {first}-{last}/{}", bytes.len()))
}

/// The nodes' verdicts, and what was read.
fn looked(image: &Arc<Remade>, spoil: fn(&mut Vec<u8>, bool), gives_parts: bool) -> (Value, Value) {
    let own = Arc::clone(image);
    let server = Server::start(move |request| {
        let mut request = request.clone();
        if !gives_parts {
            request.headers.remove("range");
        }
        answer(&own, &request, spoil)
    });
    let run = enoexec(&["check", "--format=json", "--no-cache", "--entrypoint-only", &format!("{}/app", server.address)]);
    let mut report = report(&run.output);
    let image = &mut report["targets"][0]["images"][0];
    (image["nodes"].take(), image["fetched"].take())
}

fn as_it_is(_: &mut Vec<u8>, _: bool) {}

#[test]
fn only_the_table_and_the_starts_files_are_fetched() {
    let image = image(60_000);
    let expected = image.report_from_disk()["targets"][0]["images"][0]["nodes"].take();
    for make in [estargz, chunked] {
        let (nodes, fetched) = looked(&remade(&image, make), as_it_is, true);
        assert_eq!(nodes, expected);
        assert_eq!(fetched["table_layers"], json!([0, 1]), "{fetched}");
        assert!(fetched["bytes"].as_u64().unwrap() * 2 < fetched["size"].as_u64().unwrap(), "{fetched}");
    }
}

#[test]
fn what_cannot_be_verified_is_read_as_a_whole() {
    let image = image(5_000);
    let expected = image.report_from_disk()["targets"][0]["images"][0]["nodes"].take();
    let spoiled_files: fn(&mut Vec<u8>, bool) = |part, is_table| {
        if !is_table {
            part.iter_mut().for_each(|byte| *byte ^= 1);
        }
    };
    for make in [estargz, chunked] {
        let image = remade(&image, make);
        let all_spoiled: fn(&mut Vec<u8>, bool) = |part, _| part.iter_mut().for_each(|byte| *byte ^= 1);
        for (spoil, gives_parts, tables) in
            [(as_it_is as _, false, json!([])), (all_spoiled, true, json!([])), (spoiled_files, true, json!([1]))]
        {
            let (nodes, fetched) = looked(&image, spoil, gives_parts);
            assert_eq!((&nodes, &fetched["table_layers"]), (&expected, &tables), "{fetched}");
        }
    }
}
