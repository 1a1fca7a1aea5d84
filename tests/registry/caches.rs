//! A cache at a server, also one that lies, breaks or is not there: the report is always that of the layers themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::client::{Image, Run, assert_as_from_disk, enoexec_with, image, registry};
use crate::server::{Fate, Reply, Request, Server};

type Files = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// What becomes of a file.
type Lie = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// What nginx and the like answer.
fn keep(files: &Files, request: &Request) -> Reply {
    let mut files = files.lock().unwrap();
    match request.method.as_str() {
        "PUT" => {
            files.insert(request.path.clone(), request.body.clone());
            Reply::new(201, "")
        }
        _ => files.get(&request.path).map_or_else(|| Reply::new(404, "none"), |bytes| Reply::new(200, bytes.clone())),
    }
}

fn cache(files: &Files) -> Server {
    let files = Arc::clone(files);
    Server::start(move |request| keep(&files, request))
}

fn check(registry: &Server, cache: &str) -> Run {
    let words = ["check", "-v", "--format=json", "--retries=0", "--timeout=2", &format!("{}/acme/app:1", registry.address)];
    enoexec_with(&words, |command| {
        command.env_remove("ENOEXEC_NO_CACHE").env("ENOEXEC_CACHE", cache);
    })
}

/// How often layers were asked for.
fn pulls(image: &Image, registry: &Server) -> usize {
    image.layers.iter().map(|layer| registry.count(layer)).sum()
}

#[test]
fn what_one_machine_has_read_another_need_not() {
    let image = image(1000);
    let (at, files) = (registry(&image, |_| None), Files::default());
    let server = cache(&files);
    let url = format!("http://alice:wonderland@{}/team", server.address);
    for round in 0..2 {
        let run = check(&at, &url);
        assert_as_from_disk(&image, &run, "a cache at a server");
        assert!(!run.text().contains("wonderland"), "{}", run.text());
        assert_eq!((pulls(&image, &at), files.lock().unwrap().len()), (2, 2), "round {round}");
    }
    let seen = server.seen();
    let named = |request: &Request| request.path.starts_with("/team/layers/") && request.path.contains("/sha256-");
    // "alice:wonderland"
    let is_known = |request: &Request| request.header("authorization") == Some("Basic YWxpY2U6d29uZGVybGFuZA==");
    assert!(seen.iter().all(|request| named(request) && is_known(request)), "{seen:?}");
    assert_eq!(seen.iter().filter(|request| request.method == "PUT").count(), 2);
}

#[test]
fn what_is_made_up_is_not_believed() {
    let image = image(1000);
    let (at, files) = (registry(&image, |_| None), Files::default());
    assert_as_from_disk(&image, &check(&at, &format!("http://{}", cache(&files).address)), "first");
    let good = files.lock().unwrap().clone();
    let others: Vec<Vec<u8>> = good.values().cloned().collect();
    let lies: Vec<(&str, Lie)> = vec![
        ("nothing", Box::new(|_| Vec::new())),
        ("a page", Box::new(|_| b"<html>log in</html>".to_vec())),
        ("cut off", Box::new(|bytes| bytes[..bytes.len() - 1].to_vec())),
        ("changed", Box::new(|bytes| [&bytes[..bytes.len() - 1], &[bytes[bytes.len() - 1] ^ 1]].concat())),
        ("another's", Box::new(move |bytes| others.iter().find(|other| other.as_slice() != bytes).unwrap().clone())),
    ];
    for (what, lie) in lies {
        *files.lock().unwrap() = good.iter().map(|(path, bytes)| (path.clone(), lie(bytes))).collect();
        let before = pulls(&image, &at);
        let run = check(&at, &format!("http://{}", cache(&files).address));
        assert_as_from_disk(&image, &run, what);
        assert_eq!(pulls(&image, &at), before + 2, "{what}");
        // And it is put right.
        assert_eq!(*files.lock().unwrap(), good, "{what}");
    }
}

/// A server that fails costs a moment, never the answer, and is left alone after that.
#[test]
fn what_fails_is_said_and_not_asked_again() {
    let image = image(1000);
    let at = registry(&image, |_| None);
    let answers: Vec<(&str, Reply)> = vec![
        ("HTTP 500", Reply::new(500, "x")),
        ("HTTP 403", Reply::new(403, "").but(Fate::Endless)),
        ("HTTP 301", Reply::new(301, "").with("Location", "/elsewhere")),
        ("more than 8388608 bytes", Reply::new(200, "").with("Content-Length", "104857600")),
        ("more than 8388608 bytes", Reply::new(200, "").but(Fate::Endless)),
        ("nothing came in time", Reply::new(200, "").but(Fate::Silent)),
        ("nothing came in time", Reply::new(200, "x".repeat(1000)).but(Fate::Drip)),
    ];
    for (said, answer) in answers {
        let server = Server::start(move |_| answer.clone());
        let run = check(&at, &format!("http://{}", server.address));
        assert_as_from_disk(&image, &run, said);
        assert!(run.text().contains("is not asked so again: ") && run.text().contains(said), "{said}: {}", run.text());
        // Two layers are read at once, so that both may have been asked for before it failed.
        assert!(server.seen().len() <= 4, "{said}: {:?}", server.seen());
    }
    let run = check(&at, "http://127.0.0.1:1/");
    assert_as_from_disk(&image, &run, "nobody there");
    assert!(run.text().contains("is not asked so again"), "{}", run.text());
}

/// Many machines may read what one may write.
#[test]
fn a_server_that_takes_nothing_still_gives() {
    let image = image(1000);
    let (at, files) = (registry(&image, |_| None), Files::default());
    assert_as_from_disk(&image, &check(&at, &format!("http://{}", cache(&files).address)), "first");
    let dropped = files.lock().unwrap().keys().next().unwrap().clone();
    files.lock().unwrap().remove(&dropped);
    let server = Server::start(move |request| if request.method == "PUT" { Reply::new(405, "") } else { keep(&files, request) });
    let run = check(&at, &format!("http://{}", server.address));
    assert_as_from_disk(&image, &run, "read only");
    assert_eq!(pulls(&image, &at), 3);
    assert!(run.text().contains("HTTP 405"), "{}", run.text());
}
