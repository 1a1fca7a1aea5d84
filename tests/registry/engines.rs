//! A stand-in for Docker's daemon: a socket that serves what `docker save` writes.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Run, anonymous, enoexec, enoexec_with, report, rules};
use crate::recipe::Recipe;
use crate::server::{Fate, Reply, Request, Server};

/// An archive with a finding in it, in a folder of its own.
fn saved() -> (TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let recipe = "config = \"linux/arm64\"\nentrypoint = [\"/app\"]\n[[layer]]\nfiles = [{path = \"/app\", elf = \"x86_64\"}]\n\
                  [[layer]]\nfiles = [{path = \"/other\", elf = \"aarch64\"}]\n";
    let file = folder.path().join("saved.tar");
    Recipe::from_toml(&toml::from_str(recipe).unwrap()).write_docker_archive(&file);
    let bytes = std::fs::read(file).unwrap();
    (folder, bytes)
}

/// What a daemon answers that has one image.
fn daemon(image: &'static str, archive: Vec<u8>) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| match request.path.as_str() {
        "/_ping" => Reply::new(200, "OK").with("Api-Version", "1.51"),
        path if path == format!("/v1.51/images/{image}/get") => Reply::new(200, archive.clone()),
        _ => Reply::new(404, r#"{"message": "No such image"}"#),
    }
}

fn check(target: &str, host: &str) -> Run {
    enoexec_with(&["check", "--format=json", "--timeout=2", target], |command| {
        command.env("DOCKER_HOST", host);
    })
}

fn error(run: &Run) -> String {
    assert_eq!(run.code(), 3, "{}", run.text());
    report(&run.output)["targets"][0]["error"].as_str().unwrap().to_owned()
}

fn as_saved(folder: &Path) -> Value {
    anonymous(report(
        &enoexec(&["check", "--format=json", &format!("docker-archive:{}", folder.join("saved.tar").display())]).output,
    ))
}

#[test]
fn the_report_is_that_of_the_saved_archive() {
    let (folder, archive) = saved();
    let socket = folder.path().join("docker.sock");
    let near = Server::at_socket(&socket, daemon("acme/app:1", archive.clone()));
    let far = Server::start(daemon("acme/app:1", archive));
    for (server, host) in [(&near, format!("unix://{}", socket.display())), (&far, format!("tcp://{}", far.address))] {
        let run = check("docker-daemon:acme/app:1", &host);
        assert_eq!(run.code(), 1, "{}", run.text());
        assert_eq!(anonymous(report(&run.output)), as_saved(folder.path()), "{host}");
        assert_eq!(report(&run.output)["targets"][0]["target"], json!("docker-daemon:acme/app:1"));
        let paths: Vec<String> = server.seen().into_iter().map(|request| request.path).collect();
        assert_eq!(paths, ["/_ping", "/v1.51/images/acme/app:1/get"]);
    }
}

/// Nothing but the report is left when it is over.
#[test]
fn nothing_is_written() {
    let (folder, archive) = saved();
    let server = Server::start(daemon("app:latest", archive));
    let scratch = folder.path().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let run = enoexec_with(&["check", "docker-daemon:app"], |command: &mut Command| {
        command.env("DOCKER_HOST", format!("tcp://{}", server.address)).env_remove("ENOEXEC_NO_CACHE");
        command.env("TMPDIR", &scratch).env("XDG_CACHE_HOME", &scratch).current_dir(&scratch);
    });
    assert_eq!(run.code(), 1, "{}", run.text());
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
}

#[test]
fn a_daemon_without_a_version_is_asked_without_one() {
    let (_folder, archive) = saved();
    let server = Server::start(move |request| match request.path.as_str() {
        "/_ping" => Reply::new(200, "OK").with("Api-Version", "one/../.."),
        "/images/app:1/get" => Reply::new(200, archive.clone()),
        _ => Reply::new(404, ""),
    });
    assert_eq!(check("docker-daemon:app:1", &format!("tcp://{}", server.address)).code(), 1);
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let (folder, archive) = saved();
    let path = |name: &str| folder.path().join(name);
    let absent = error(&check("docker-daemon:app:1", &format!("unix://{}", path("absent").display())));
    assert!(absent.contains("there is no such socket") && absent.contains("`docker save app:1 | enoexec check -`"), "{absent}");
    drop(UnixListener::bind(path("left")).unwrap());
    let left = error(&check("docker-daemon:app:1", &format!("unix://{}", path("left").display())));
    assert!(left.contains("nobody listens there") && left.contains("Is Docker running?"), "{left}");

    let server = Server::start(daemon("other:1", archive));
    let host = format!("tcp://{}", server.address);
    let none = error(&check("docker-daemon:app:1", &host));
    assert!(none.contains("has no image app:1: HTTP 404 (No such image)") && none.contains("`docker images`"), "{none}");
    let podman = enoexec_with(&["check", "--format=json", "podman:other:1"], |command| {
        command.env("CONTAINER_HOST", &host);
    });
    assert!(error(&podman).contains("is not podman"), "{}", podman.text());
    let name = error(&check("docker-daemon:A B", &host));
    assert!(name.contains("A B"), "{name}");
    let far = enoexec_with(&["check", "--format=json", "--offline", "docker-daemon:app:1"], |command| {
        command.env("DOCKER_HOST", "tcp://engine.example:2375");
    });
    assert!(error(&far).contains("--offline"), "{}", far.text());
}

/// Words of a daemon are its own: bounded, escaped, and never an answer that never ends.
#[test]
fn a_daemon_that_lies_is_borne() {
    let answers: [(Reply, &str); 4] = [
        (Reply::new(500, r#"{"message": "\u001b[2Jreference does not exist"}"#), r"HTTP 500 (\x1b[2Jreference does not exist)"),
        (Reply::new(500, "x".repeat(10_000)).but(Fate::Endless), "HTTP 500"),
        (Reply::new(403, "y".repeat(10_000)), "HTTP 403 (yyy"),
        (Reply::new(302, "").with("Location", "http://elsewhere.example/"), "HTTP 302"),
    ];
    for (answer, said) in answers {
        let server = Server::start(move |request| match request.path.as_str() {
            "/_ping" => Reply::new(200, "OK").with("Api-Version", "1.51"),
            _ => answer.clone(),
        });
        let error = error(&check("docker-daemon:app:1", &format!("tcp://{}", server.address)));
        assert!(error.contains(said) && error.len() < 800, "{error}");
    }
    let silent = Server::start(|_| Reply::new(200, "").but(Fate::Silent));
    let error = error(&check("docker-daemon:app:1", &format!("tcp://{}", silent.address)));
    assert!(error.contains("--timeout"), "{error}");
}

/// What came before it broke off is judged, and the rest is not taken to be clean.
#[test]
fn an_archive_that_breaks_off_is_not_clean() {
    let (_folder, archive) = saved();
    let cut = archive.len() * 3 / 4;
    let server = Server::start(move |request| match request.path.as_str() {
        "/_ping" => Reply::new(200, "OK").with("Api-Version", "1.51"),
        _ => Reply::new(200, archive.clone()).but(Fate::Cut(cut)),
    });
    let run = check("docker-daemon:app:1", &format!("tcp://{}", server.address));
    assert_ne!(run.code(), 0, "{}", run.text());
    let is_told = run.code() == 3 || rules(&run).iter().any(|rule| rule == "EX205");
    assert!(is_told, "{}", run.text());
}
