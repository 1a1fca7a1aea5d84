use super::*;

#[test]
fn a_pipe_is_not_waited_for() {
    let scratch = Scratch::new();
    let pipe = scratch.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(text(open_path(&pipe)).contains("no regular file"));
    scratch.write("layout/oci-layout", b"{}");
    assert!(std::process::Command::new("mkfifo").arg(scratch.path("layout/index.json")).status().unwrap().success());
    assert!(text(open_path(&scratch.path("layout"))).contains("no index.json"));
}

#[test]
fn an_empty_tar_holds_no_image() {
    let scratch = Scratch::new();
    let error = text(open_path(&scratch.write("empty.tar", &Archive::new().bytes())));
    assert!(error.ends_with("empty.tar holds no image: no index.json, manifest.json or repositories"), "{error}");
    let error = text(read_all(Archive::new().bytes(), None).map(drop));
    assert!(error.starts_with("standard input is empty"), "{error}");
    assert!(text(read_all(Vec::new(), None).map(drop)).contains("is empty"));
}

#[test]
fn a_stream_that_is_no_archive_says_what_was_expected() {
    let error = text(read_all(vec![0x7f; 5000], None).map(drop));
    assert!(error.contains("standard input is no archive of images") && error.contains("docker save"), "{error}");
}

#[test]
fn an_archive_cut_before_its_manifest_says_where() {
    let scratch = Scratch::new();
    let mut bytes = docker_archive();
    bytes.truncate(2600);
    let error = text(open_path(&scratch.write("cut.tar", &bytes)));
    assert!(error.contains("cut.tar ends in the middle of") && error.contains("no index.json, manifest.json"), "{error}");
    let error = text(read_all(bytes, None).map(drop));
    assert!(error.contains("ends in the middle of"), "{error}");
}

#[test]
fn an_archive_cut_behind_its_manifest_has_its_images() {
    let manifest = br#"[{"Config": "c.json", "Layers": ["a.tar", "b.tar"]}]"#;
    let archive = Archive::new().file("manifest.json", manifest).file("c.json", b"{}");
    let mut bytes = archive.file("a.tar", &layer("a")).file("b.tar", &layer("b")).bytes();
    bytes.truncate(3500);
    let scratch = Scratch::new();
    let path = scratch.write("cut.tar", &bytes);
    let streamed = read_all(bytes, None).unwrap();
    let seekable = open_path(&path).unwrap();
    for store in [&*seekable, &*streamed.store] {
        let layers = images(store).remove(0).1;
        let error = text(store.blob(&layers[1]).map(drop));
        assert!(error.contains("b.tar is not in") && error.contains("ends in the middle of a.tar"), "{error}");
    }
    let (name, part) = &streamed.scanned[0];
    assert!(name == "a.tar" && layer("a").starts_with(part) && !part.is_empty());
    assert!(layer("a").starts_with(&blob(&*seekable, &images(&*seekable).remove(0).1[0])));
}

#[test]
fn broken_documents_at_the_top_are_named() {
    for (name, document) in [
        ("index.json", "this is not JSON"),
        ("index.json", "{\"schemaVersion\": 2, \"config\": null, \"layers\": []}"),
        ("manifest.json", "{}"),
        ("repositories", "[]"),
    ] {
        let error = text(read_all(Archive::new().file(name, document.as_bytes()).bytes(), None).map(drop));
        assert!(error.starts_with(&format!("standard input {name} is ")) || error.contains(name), "{error}");
    }
}

#[test]
fn a_document_that_is_too_large_is_not_read() {
    let scratch = Scratch::new();
    let huge = vec![b' '; 9 << 20];
    scratch.write("layout/index.json", &huge);
    assert!(matches!(open_path(&scratch.path("layout")), Err(StoreError::TooLarge { size, .. }) if size == 9 << 20));
}
