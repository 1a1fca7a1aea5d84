//! Which documents are asked for, and what is said of those that are odd.

use std::sync::Arc;

use serde_json::json;

use crate::client::{check, enoexec, image, registry, report, rules};
use crate::server::{Reply, Server};
use enoexec::base::Digest;

#[test]
fn a_manifest_that_differs_from_its_digest_is_found_out() {
    let image = image(1000);
    let (own, digest) = (Arc::clone(&image), image.manifest.clone());
    let server = registry(&image, move |request| {
        request.path.contains("/manifests/").then(|| {
            let mut reply = own.answer(request);
            reply.body.push(b'\n');
            reply
        })
    });
    let run = enoexec(&["check", "--format=json", &format!("{}/acme/app@{digest}", server.address)]);
    assert_eq!(run.code(), 1);
    assert!(rules(&run).contains(&"EX205".to_owned()), "{}", run.text());
}

#[test]
fn a_digest_decides_and_the_tag_is_not_asked_for() {
    let image = image(1000);
    let server = registry(&image, |_| None);
    let run = enoexec(&["check", "--format=json", &format!("{}/acme/app:9@{}", server.address, image.manifest)]);
    assert_eq!(run.code(), 0, "{}", run.text());
    assert_eq!(server.count("/manifests/9"), 0);
    assert_eq!(report(&run.output)["targets"][0]["digest"], json!(image.manifest));
}

fn serving(documents: Vec<(&'static str, serde_json::Value)>) -> Server {
    let documents: Vec<(&str, String)> = documents.into_iter().map(|(kind, document)| (kind, document.to_string())).collect();
    Server::start(move |request| {
        let is_it = |text: &String| request.path.ends_with(&Digest::of(text.as_bytes()).to_string());
        let found = documents.iter().find(|(_, text)| is_it(text)).or(documents.first().filter(|_| request.path.ends_with("/1")));
        match found {
            Some((kind, text)) => Reply::new(200, text.clone()).with("Content-Type", kind),
            None => Reply::new(404, ""),
        }
    })
}

#[test]
fn what_is_no_image_is_named_for_what_it_is() {
    let empty = json!({"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": Digest::of(b"{}"), "size": 2});
    let chart =
        json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": empty, "layers": []});
    let run = check(&serving(vec![("application/vnd.oci.image.manifest.v1+json", chart)]), &[]);
    assert_eq!(rules(&run), ["EX211"], "{}", run.text());
    let old = json!({"schemaVersion": 1, "name": "acme/app", "fsLayers": [], "history": []});
    let run = check(&serving(vec![("application/vnd.docker.distribution.manifest.v1+prettyjws", old)]), &[]);
    assert_eq!(rules(&run), ["EX212"], "{}", run.text());
}

#[test]
fn a_registry_is_not_asked_where_that_is_forbidden() {
    let image = image(1000);
    let server = registry(&image, |_| None);
    let run = check(&server, &["--offline"]);
    assert!(run.code() == 3 && run.text().contains("--offline"), "{}", run.text());
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("registries.conf");
    std::fs::write(&conf, format!("[[registry]]\nlocation = \"{}\"\nblocked = true\n", server.address)).unwrap();
    let target = format!("{}/acme/app:1", server.address);
    let run = crate::client::enoexec_with(&["check", &target], |command| {
        command.env("CONTAINERS_REGISTRIES_CONF", &conf);
    });
    assert!(run.code() == 3 && run.text().contains("blocked by"), "{}", run.text());
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn mirrors_are_asked_first_and_the_registry_when_they_fail() {
    let image = image(1000);
    let (registry_itself, mirror, broken) =
        (registry(&image, |_| None), registry(&image, |_| None), Server::start(|_| Reply::new(500, "")));
    let name = |server: &Server| format!("--mirror={}={}/cache", registry_itself.address, server.address);
    let run = check(&registry_itself, &[&name(&broken), &name(&mirror)]);
    assert_eq!(run.code(), 0, "{}", run.text());
    assert_eq!((registry_itself.seen().len(), mirror.count("/v2/cache/acme/app/")), (0, 4));
    let run = check(&registry_itself, &[&name(&broken)]);
    assert_eq!(run.code(), 0, "{}", run.text());
    assert_eq!(registry_itself.seen().len(), 4);
}

/// The proxy of the environment is asked for the whole URL; it is not asked for this machine's own addresses.
#[test]
fn proxies_of_the_environment() {
    let image = image(1000);
    let own = Arc::clone(&image);
    let proxy = Server::start(move |request| match request.path.strip_prefix("http://registry.example:5000") {
        Some(path) => own.answer(&crate::server::Request { path: path.to_owned(), ..request.clone() }),
        None => Reply::new(405, ""),
    });
    let url = format!("http://{}", proxy.address);
    let words =
        ["check", "--format=json", "--retries=0", "--insecure-registry=registry.example", "registry.example:5000/acme/app:1"];
    let set = |command: &mut std::process::Command| {
        command.env("HTTP_PROXY", &url).env("HTTPS_PROXY", &url);
    };
    let run = crate::client::enoexec_with(&words, set);
    assert_eq!(run.code(), 0, "{}", run.text());
    let seen = proxy.seen().len();
    let local = registry(&image, |_| None);
    let run = crate::client::enoexec_with(&["check", "--format=json", &format!("{}/acme/app:1", local.address)], set);
    assert_eq!((run.code(), proxy.seen().len()), (0, seen), "{}", run.text());
}
