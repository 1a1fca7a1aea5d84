use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Engine, Kind, Opened, Root, Store, StoreError, Stream, Streamed, Target, open, read_stream};
use crate::base::{Digest, Quiet};
use crate::format::oci::Descriptor;
use crate::format::tar::Members;

/// What cannot be read, or not whole.
mod refusals;

/// An archive in the making.
struct Archive(tar::Builder<Vec<u8>>);

impl Archive {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn file(mut self, name: &str, bytes: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        self.0.append_data(&mut header, name, bytes).unwrap();
        self
    }

    fn link(mut self, name: &str, kind: tar::EntryType, target: &str) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_entry_type(kind);
        self.0.append_link(&mut header, name, target).unwrap();
        self
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn layer(name: &str) -> Vec<u8> {
    Archive::new().file(name, &vec![b'x'; 2000]).bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn target(kind: Kind) -> Target {
    Target { text: String::new(), kind }
}

fn open_store(kind: Kind) -> Result<Box<dyn Store>, StoreError> {
    match open(&target(kind), Box::leak(Box::default()), &Quiet)? {
        Opened::Store(store) => Ok(store),
        Opened::Stream(_) => panic!("a stream"),
    }
}

fn open_path(path: &Path) -> Result<Box<dyn Store>, StoreError> {
    open_store(Kind::Path(path.to_owned()))
}

fn read_all(bytes: Vec<u8>, choice: Option<&str>) -> Result<Streamed<Vec<u8>>, StoreError> {
    let stream = Stream {
        place: "standard input".into(),
        choice: choice.map(str::to_owned),
        size: Some(bytes.len() as u64),
        input: Box::new(Cursor::new(bytes)),
    };
    read_stream(stream, &Quiet, |_, layer| {
        let mut bytes = Vec::new();
        let _ = layer.read_to_end(&mut bytes);
        bytes
    })
}

fn text<T>(result: Result<T, StoreError>) -> String {
    result.err().expect("an error").to_string()
}

fn images(store: &dyn Store) -> Vec<(Vec<String>, Vec<Descriptor>)> {
    match store.root().unwrap() {
        Root::Images(images) => images.into_iter().map(|image| (image.tags, image.manifest.layers)).collect(),
        other => panic!("{other:?}"),
    }
}

fn blob(store: &dyn Store, descriptor: &Descriptor) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.blob(descriptor).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// As Podman writes it: the second image's layer is a link, and the manifest comes last.
fn docker_archive() -> Vec<u8> {
    let manifest = json!([
        {"Config": "one.json", "RepoTags": ["app:1", "app:latest"], "Layers": ["base.tar", "a/layer.tar"]},
        {"Config": "./two.json", "RepoTags": null, "Layers": ["b/layer.tar"]}]);
    Archive::new()
        .file("base.tar", &layer("base"))
        .link("a/layer.tar", tar::EntryType::Symlink, "../top.tar")
        .file("top.tar", &layer("top"))
        .link("b/layer.tar", tar::EntryType::Link, "base.tar")
        .file("one.json", b"{\"os\": \"linux\"}")
        .file("two.json", b"{}")
        .file("manifest.json", manifest.to_string().as_bytes())
        .bytes()
}

fn assert_is_docker_archive(store: &dyn Store) {
    let images = images(store);
    assert_eq!(images[0].0, ["app:1", "app:latest"]);
    let members = |layers: &[Descriptor]| layers.iter().filter_map(|layer| layer.member.clone()).collect::<Vec<_>>();
    assert_eq!(members(&images[0].1), ["base.tar", "top.tar"], "by the names under which they lie");
    assert_eq!(members(&images[1].1), ["base.tar"], "one layer, whatever its names");
    let Root::Images(roots) = store.root().unwrap() else { panic!() };
    let config = roots[0].manifest.config.as_ref().unwrap();
    assert_eq!((store.document(config).unwrap(), config.digest.clone()), (b"{\"os\": \"linux\"}".to_vec(), None));
}

#[test]
fn a_docker_archive_is_read_with_its_links() {
    let scratch = Scratch::new();
    let store = open_path(&scratch.write("image.tar", &docker_archive())).unwrap();
    assert_is_docker_archive(&*store);
    assert_eq!(blob(&*store, &images(&*store)[0].1[1]), layer("top"));
}

#[test]
fn one_image_of_a_docker_archive_is_chosen_by_its_name() {
    let scratch = Scratch::new();
    for bytes in [docker_archive(), hybrid(&[0, 1], &[0, 1])] {
        let choose = |name: &str| open_store(Kind::DockerArchive(scratch.write("image.tar", &bytes), Some(name.to_owned())));
        let chosen = choose("app:1").unwrap();
        assert_eq!(images(&*chosen).len(), 1);
        assert!(images(&*chosen)[0].0.contains(&"app:1".to_owned()));
        assert!(matches!(choose("other:1").map(drop), Err(StoreError::NoSuchReference { .. })));
    }
    let error = text(open_store(Kind::DockerArchive(scratch.write("image.tar", &docker_archive()), Some("x".into()))));
    assert!(error.ends_with("has no image x; it has app:1, app:latest"), "{error}");
}

#[test]
fn a_docker_archive_is_read_as_it_streams_by_also_compressed() {
    for bytes in [docker_archive(), gzip(&docker_archive()), zstd::encode_all(&*docker_archive(), 1).unwrap()] {
        let streamed = read_all(bytes, None).unwrap();
        assert_is_docker_archive(&*streamed.store);
        assert_eq!(streamed.scanned, [("base.tar".to_owned(), layer("base")), ("top.tar".to_owned(), layer("top"))]);
        let keys: Vec<&String> = streamed.scanned.iter().map(|(name, _)| name).collect();
        for layer in images(&*streamed.store).iter().flat_map(|(_, layers)| layers) {
            assert!(keys.contains(&&layer.name()), "{} was scanned", layer.name());
        }
    }
}

/// The files of a layout of one image, by name; `config` makes the image differ.
fn layout_files(config: &str) -> (Vec<(String, Vec<u8>)>, Value) {
    let mut files = Vec::new();
    let mut add = |media_type: &str, bytes: Vec<u8>| {
        let digest = Digest::of(&bytes);
        let entry = json!({"mediaType": media_type, "digest": digest, "size": bytes.len()});
        files.push((format!("blobs/sha256/{}", digest.hex()), bytes));
        entry
    };
    let config = add("application/vnd.oci.image.config.v1+json", config.as_bytes().to_vec());
    let layer = add("application/vnd.oci.image.layer.v1.tar+gzip", gzip(&layer("file")));
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
    let manifest = add("application/vnd.oci.image.manifest.v1+json", manifest.to_string().into_bytes());
    (files, manifest)
}

fn tagged(mut entry: Value, tag: &str) -> Value {
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    entry
}

/// Two images, tagged `one` and `two`, and both manifests' digests.
fn two_images() -> (Vec<(String, Vec<u8>)>, [String; 2]) {
    let (mut files, one) = layout_files("{\"os\": \"one\"}");
    let (others, two) = layout_files("{\"os\": \"two\"}");
    files.extend(others);
    let digests = [&one, &two].map(|entry| entry["digest"].as_str().unwrap().to_owned());
    let index = json!({"schemaVersion": 2, "manifests": [tagged(one, "one"), tagged(two, "two")]});
    files.push(("oci-layout".into(), br#"{"imageLayoutVersion": "1.0.0"}"#.to_vec()));
    files.push(("index.json".into(), index.to_string().into_bytes()));
    (files, digests)
}

fn archived(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    files.iter().fold(Archive::new(), |archive, (name, bytes)| archive.file(name, bytes)).bytes()
}

fn entries(store: &dyn Store) -> Vec<String> {
    match store.root().unwrap() {
        Root::Index(index) => index.manifests.iter().map(Descriptor::name).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_layout_gives_all_images_or_the_chosen_one() {
    let scratch = Scratch::new();
    let (files, digests) = two_images();
    for (name, bytes) in &files {
        scratch.write(&format!("layout/{name}"), bytes);
    }
    let layout = scratch.path("layout");
    assert_eq!(entries(&*open_path(&layout).unwrap()), digests);
    let archive = scratch.write("archive.tar", &archived(&files));
    for (choice, expected) in [(None, &digests[..]), (Some("two"), &digests[1..]), (Some(digests[0].as_str()), &digests[..1])] {
        let choice = choice.map(str::to_owned);
        assert_eq!(entries(&*open_store(Kind::Oci(layout.clone(), choice.clone())).unwrap()), expected);
        assert_eq!(entries(&*open_store(Kind::OciArchive(archive.clone(), choice.clone())).unwrap()), expected);
        assert_eq!(entries(&*read_all(archived(&files), choice.as_deref()).unwrap().store), expected);
    }
    let error = text(open_store(Kind::Oci(layout, Some("three".into()))));
    assert!(error.ends_with("has no image three; it has one, two"), "{error}");
}

#[test]
fn layers_of_a_layout_are_scanned_under_their_digests() {
    let (files, _) = two_images();
    let streamed = read_all(archived(&files), None).unwrap();
    let digest = Digest::of(&gzip(&layer("file"))).to_string();
    assert!(streamed.scanned.iter().all(|(name, bytes)| *name == digest && *bytes == gzip(&layer("file"))));
    assert!(!streamed.scanned.is_empty());
}

/// What Docker writes since version 25: both an index and a list, of the images of these places.
fn hybrid(in_index: &[usize], in_list: &[usize]) -> Vec<u8> {
    let images: Vec<_> = ["{\"os\": \"one\"}", "{\"os\": \"two\"}"].map(layout_files).into();
    let mut files: Vec<_> = images.iter().flat_map(|(files, _)| files.clone()).collect();
    let manifests: Vec<&Value> = in_index.iter().map(|place| &images[*place].1).collect();
    let listed = |place: &usize| {
        let files = &images[*place].0;
        json!({"Config": files[0].0, "RepoTags": [format!("app:{place}")], "Layers": [files[1].0]})
    };
    let list: Vec<Value> = in_list.iter().map(listed).collect();
    files.push(("index.json".into(), json!({"manifests": manifests}).to_string().into_bytes()));
    files.push(("manifest.json".into(), json!(list).to_string().into_bytes()));
    archived(&files)
}

#[test]
fn the_index_is_preferred_where_it_accounts_for_all() {
    let scratch = Scratch::new();
    let store = open_path(&scratch.write("image.tar", &hybrid(&[0, 1], &[0]))).unwrap();
    assert_eq!(entries(&*store).len(), 2);
}

#[test]
fn no_image_is_lost_where_index_and_list_disagree() {
    let scratch = Scratch::new();
    let store = open_path(&scratch.write("image.tar", &hybrid(&[1], &[0]))).unwrap();
    let images = images(&*store);
    assert_eq!((images.len(), images[0].0.as_slice()), (2, ["app:0".to_owned()].as_slice()));
    let digest = Digest::of(&gzip(&layer("file")));
    assert!(images.iter().all(|(_, layers)| layers[0].digest.as_ref() == Some(&digest)), "digests are kept");
    assert_eq!(blob(&*store, &images[0].1[0]), gzip(&layer("file")));
}

#[test]
fn an_archive_of_repositories_only_is_read_along_its_parents() {
    let json = |id: &str, parent: &str| json!({"id": id, "parent": parent, "os": "linux"}).to_string();
    let archive = Archive::new()
        .file("top/json", json("top", "base").as_bytes())
        .file("top/layer.tar", &layer("top"))
        .file("base/json", json("base", "").as_bytes())
        .file("base/layer.tar", &layer("base"))
        .file("repositories", br#"{"app": {"1": "top", "latest": "top"}}"#);
    let scratch = Scratch::new();
    let store = open_path(&scratch.write("image.tar", &archive.bytes())).unwrap();
    let images = images(&*store);
    assert_eq!(images[0].0, ["app:1", "app:latest"]);
    assert_eq!(images[0].1.iter().map(Descriptor::name).collect::<Vec<_>>(), ["base/layer.tar", "top/layer.tar"]);
    assert_eq!(blob(&*store, &images[0].1[0]), layer("base"));
}

#[test]
fn parents_in_a_circle_are_refused() {
    let archive = Archive::new()
        .file("a/json", br#"{"id": "a", "parent": "b"}"#)
        .file("b/json", br#"{"id": "b", "parent": "a"}"#)
        .file("repositories", br#"{"app": {"1": "a"}}"#);
    assert!(text(read_all(archive.bytes(), None).map(drop)).contains("have no end"));
}

#[test]
fn links_in_a_circle_are_no_file() {
    let archive = Archive::new()
        .link("a", tar::EntryType::Symlink, "b")
        .link("b", tar::EntryType::Symlink, "a")
        .file("c", b"{}")
        .file("manifest.json", br#"[{"Config": "c", "Layers": ["a"]}]"#);
    let streamed = read_all(archive.bytes(), None).unwrap();
    let layers = images(&*streamed.store).remove(0).1;
    assert!(matches!(streamed.store.blob(&layers[0]), Err(StoreError::Missing { .. })));
}

#[test]
fn a_packed_root_file_system_is_a_tree() {
    let scratch = Scratch::new();
    let packed = Archive::new().file(".dockerenv", b"").file("usr/bin/app", b"\x7fELF").bytes();
    for (name, bytes) in [("root.tar", packed.clone()), ("root.tar.gz", gzip(&packed))] {
        let store = open_path(&scratch.write(name, &bytes)).unwrap();
        assert_eq!(store.root(), Ok(Root::Tree));
        let mut tree = store.tree().unwrap();
        let names: Vec<Vec<u8>> = std::iter::from_fn(|| tree.next_member().unwrap()).map(|member| member.path).collect();
        assert_eq!(names, [&b".dockerenv"[..], b"usr/bin/app"]);
    }
    assert!(text(read_all(packed, None).map(drop)).contains("write it to a file"));
}

#[test]
fn a_packed_root_that_does_not_look_so_can_be_named() {
    let scratch = Scratch::new();
    let path = scratch.write("root.tar", &Archive::new().file("app", b"\x7fELF").bytes());
    assert!(open_path(&path).is_err());
    assert_eq!(open_store(Kind::Dir(path)).unwrap().root(), Ok(Root::Tree));
}

#[test]
fn a_file_that_is_no_archive_is_a_program() {
    let scratch = Scratch::new();
    let small_gzip = gzip(b"no tar");
    for bytes in [&b"\x7fELF"[..], b"#!/bin/sh\n", b"", b"{}", &small_gzip, b"\x1f\x8b\x08broken"] {
        let store = open_path(&scratch.write("app", bytes)).unwrap();
        assert_eq!(store.root(), Ok(Root::File("/app".into())), "{bytes:?}");
    }
}

#[test]
fn a_file_that_is_named_like_an_archive_is_no_program() {
    let scratch = Scratch::new();
    for (name, bytes, says) in [
        ("image.tar", &b""[..], "image.tar is no tar archive (empty file)"),
        ("image.tar.gz", b"<html>504</html>", "is no tar archive (HTML page)"),
        ("image.tar.xz", b"\xfd7zXZ\0\0", "(xz-compressed file): `xz -dc"),
    ] {
        let error = text(open_path(&scratch.write(name, bytes)));
        assert!(error.contains(says), "{error}");
    }
    let error = text(read_all(b"\xfd7zXZ\0\0".to_vec(), None).map(drop));
    assert!(error.contains("standard input cannot be read: unsupported compression xz"), "{error}");
}

#[test]
fn a_directory_is_a_layout_or_a_root_or_an_error_that_says_so() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path("root/usr")).unwrap();
    fs::create_dir_all(scratch.path("other/src")).unwrap();
    assert_eq!(open_path(&scratch.path("root")).unwrap().root(), Ok(Root::Tree));
    assert_eq!(open_store(Kind::Dir(scratch.path("other"))).unwrap().root(), Ok(Root::Tree));
    let error = text(open_path(&scratch.path("other")));
    assert!(error.contains("other is no image: a directory is checked as an OCI layout (index.json)"), "{error}");
    assert!(text(open_store(Kind::Oci(scratch.path("other"), None))).contains("no index.json"));
}

#[test]
fn what_is_not_there_is_called_so() {
    let scratch = Scratch::new();
    let absent = scratch.path("absent.tar");
    for kind in [
        Kind::Path(absent.clone()),
        Kind::DockerArchive(absent.clone(), None),
        Kind::Oci(absent.clone(), None),
        Kind::Dir(absent.clone()),
        Kind::File(absent),
    ] {
        let error = text(open_store(kind));
        assert!(error.ends_with("absent.tar: no such file or directory"), "{error}");
    }
}

#[test]
fn embedded_bytes_stand_for_a_blob_that_is_not_there() {
    let scratch = Scratch::new();
    scratch.write("layout/index.json", br#"{"manifests": []}"#);
    let store = open_path(&scratch.path("layout")).unwrap();
    let descriptor = Descriptor { digest: Some(Digest::of(b"{}")), data: Some(b"{}".to_vec()), ..Descriptor::default() };
    assert_eq!(store.document(&descriptor), Ok(b"{}".to_vec()));
    let absent = Descriptor { data: None, ..descriptor };
    assert!(matches!(store.document(&absent), Err(StoreError::Missing { .. })));
}

#[test]
fn engines_that_are_not_asked_are_answered_with_the_command_that_helps() {
    let error = text(open_store(Kind::Daemon(Engine::Containerd, "app".into())));
    assert!(error.contains("`ctr images export - app:latest | enoexec check -`"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_stream_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let _ = read_all(bytes, None);
    }

    #[test]
    fn an_archive_cut_or_changed_anywhere_never_panics(cut in 0_usize..12_000, place in 0_usize..12_000, value: u8) {
        let mut bytes = docker_archive();
        bytes.truncate(cut);
        if let Some(byte) = bytes.get_mut(place) {
            *byte = value;
        }
        let scratch = Scratch::new();
        let path = scratch.write("image.tar", &bytes);
        for store in [open_path(&path).ok(), read_all(bytes, None).ok().map(|streamed| streamed.store)].into_iter().flatten() {
            let _ = store.root().map(|_| store.tree().is_ok());
        }
    }
}
