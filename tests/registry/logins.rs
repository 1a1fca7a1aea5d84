//! Credentials: the right ones arrive, at the right place, and nowhere else.

use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::client::{Image, Run, assert_as_from_disk, check, enoexec_with, image, registry};
use crate::server::{Reply, Request, Server};

/// `alice:wonderland`
const ALICE: &str = "Basic YWxpY2U6d29uZGVybGFuZA==";
const SECRET: &str = "wonderland";

fn denied(challenge: &str) -> Reply {
    Reply::new(401, r#"{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}"#)
        .with("WWW-Authenticate", challenge)
}

fn authfile(folder: &Path, key: &str, entry: &serde_json::Value) -> String {
    let path = folder.join("auth.json");
    std::fs::write(&path, serde_json::json!({"auths": {key: entry}}).to_string()).unwrap();
    path.display().to_string()
}

fn alice() -> serde_json::Value {
    serde_json::json!({"auth": "YWxpY2U6d29uZGVybGFuZA=="})
}

/// No output has the password, its encoding, or a token.
fn assert_no_secret(run: &Run) {
    for secret in [SECRET, "YWxpY2U6", "token-", "refresh-"] {
        assert!(!run.text().contains(secret), "{}", run.text());
    }
}

/// A registry that wants `Basic`.
fn guarded(image: &Arc<Image>) -> Server {
    registry(image, |request| (request.header("authorization") != Some(ALICE)).then(|| denied("Basic realm=\"x\"")))
}

#[test]
fn basic_from_a_file_and_from_the_command_line() {
    let (image, folder) = (image(1000), tempfile::tempdir().unwrap());
    let server = guarded(&image);
    let file = authfile(folder.path(), &server.address, &alice());
    let run = check(&server, &["-v", "--authfile", &file]);
    assert_as_from_disk(&image, &run, "--authfile");
    assert!(run.text().contains(&format!("{file}, entry {}, user alice", server.address)), "{}", run.text());
    assert_no_secret(&run);

    let target = format!("{}/acme/app:1", server.address);
    let run = enoexec_with(&["-v", "check", "--format=json", "--username=alice", &target], |command| {
        command.env("ENOEXEC_PASSWORD", SECRET);
    });
    assert_as_from_disk(&image, &run, "--username");
    assert_no_secret(&run);
    let run = enoexec_with(&["check", "--format=json", &target], |command| {
        command.env("DOCKER_AUTH_CONFIG", serde_json::json!({"auths": {server.address.as_str(): alice()}}).to_string());
    });
    assert_as_from_disk(&image, &run, "DOCKER_AUTH_CONFIG");
}

#[test]
fn wrong_and_missing_credentials_say_what_was_tried() {
    let (image, folder) = (image(1000), tempfile::tempdir().unwrap());
    let server = guarded(&image);
    let run = check(&server, &[]);
    assert!(run.code() == 3 && run.text().contains("tried anonymously") && run.text().contains("docker login"), "{}", run.text());
    let file = authfile(folder.path(), &server.address, &serde_json::json!({"username": "bob", "password": "wonderland2"}));
    let run = check(&server, &["--authfile", &file]);
    assert!(run.code() == 3 && run.text().contains("user bob (refused), then anonymously"), "{}", run.text());
    assert_no_secret(&run);
}

#[test]
fn a_helper_is_asked_for_its_host() {
    use std::os::unix::fs::PermissionsExt;
    let (image, folder) = (image(1000), tempfile::tempdir().unwrap());
    let server = guarded(&image);
    let helper = folder.path().join("docker-credential-test");
    let script = format!(
        "#!/bin/sh\nread server\n[ \"$1 $server\" = \"get {}\" ] && echo '{{\"Username\": \"alice\", \"Secret\": \"{SECRET}\"}}'\n",
        server.address
    );
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = folder.path().join("config.json");
    std::fs::write(&config, format!(r#"{{"auths": {{"{0}": {{}}}}, "credsStore": "test"}}"#, server.address)).unwrap();
    let target = format!("{}/acme/app:1", server.address);
    let run = enoexec_with(&["-v", "check", "--format=json", &target], |command| {
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("DOCKER_CONFIG", folder.path());
    });
    assert_as_from_disk(&image, &run, "helper");
    assert!(run.text().contains("helper docker-credential-test, user alice"), "{}", run.text());
    assert_no_secret(&run);
}

/// A registry with a token server; each token is good for so many requests. The two are one server, by path.
fn with_tokens(image: &Arc<Image>, good_for: usize) -> Server {
    let uses: Mutex<Vec<usize>> = Mutex::default();
    registry(image, move |request| {
        let mut uses = uses.lock().unwrap();
        if request.path.starts_with("/token") {
            let is_alice = request.header("authorization") == Some(ALICE) || request.form().contains("refresh_token=refresh-1");
            if !is_alice {
                return Some(Reply::new(401, r#"{"details": "incorrect username or password"}"#));
            }
            uses.push(0);
            return Some(Reply::new(200, format!(r#"{{"access_token": "token-{}", "expires_in": 300}}"#, uses.len() - 1)));
        }
        let shown = request.header("authorization").and_then(|header| header.strip_prefix("Bearer token-"));
        let uses = shown.and_then(|number| uses.get_mut(number.parse::<usize>().unwrap()));
        let is_good = uses.is_some_and(|uses| {
            *uses += 1;
            *uses <= good_for
        });
        let host = request.header("host").unwrap();
        let bearer = format!(r#"Bearer realm="http://{host}/token",service="test",scope="repository:acme/app:pull""#);
        // Two headers, and the better challenge second.
        (!is_good).then(|| denied("Basic realm=\"x\"").with("WWW-Authenticate", &bearer))
    })
}

#[test]
fn a_token_is_fetched_once_for_its_repository() {
    let (image, folder) = (image(1000), tempfile::tempdir().unwrap());
    let server = with_tokens(&image, 100);
    let file = authfile(folder.path(), &server.address, &alice());
    let run = check(&server, &["-v", "--authfile", &file]);
    assert_as_from_disk(&image, &run, "token");
    assert_no_secret(&run);
    let tokens: Vec<Request> = server.seen().into_iter().filter(|request| request.path.starts_with("/token")).collect();
    assert_eq!(tokens.len(), 1);
    assert!(tokens[0].path.contains("scope=repository%3Aacme%2Fapp%3Apull"), "{}", tokens[0].path);
    // The password is for the token server alone.
    assert!(
        server.seen().iter().all(|request| request.path.starts_with("/token") || request.header("authorization") != Some(ALICE))
    );
}

#[test]
fn an_identity_token_is_exchanged() {
    let (image, folder) = (image(1000), tempfile::tempdir().unwrap());
    let server = with_tokens(&image, 100);
    let file = authfile(folder.path(), &server.address, &serde_json::json!({"auth": "", "identitytoken": "refresh-1"}));
    let run = check(&server, &["-v", "--authfile", &file]);
    assert_as_from_disk(&image, &run, "identity token");
    assert_no_secret(&run);
    let post = server.seen().into_iter().find(|request| request.path.starts_with("/token")).unwrap();
    assert!(post.method == "POST" && post.form().contains("grant_type=refresh_token&service=test"), "{post:?}");
}

/// Every token runs out after one request, so that each document and each layer needs a new one.
#[test]
fn a_token_that_runs_out_is_renewed() {
    let (image, folder) = (image(1000), tempfile::tempdir().unwrap());
    let server = with_tokens(&image, 1);
    let file = authfile(folder.path(), &server.address, &alice());
    let run = check(&server, &["--authfile", &file]);
    assert_as_from_disk(&image, &run, "expired token");
    assert_no_secret(&run);
}

#[test]
fn a_token_server_that_does_not_know_the_user() {
    let (image, folder) = (image(1000), tempfile::tempdir().unwrap());
    let server = with_tokens(&image, 100);
    let file = authfile(folder.path(), &server.address, &serde_json::json!({"username": "bob", "password": "wonderland2"}));
    let run = check(&server, &["--authfile", &file]);
    assert!(run.code() == 3 && run.text().contains("token server") && run.text().contains("user bob"), "{}", run.text());
    assert_no_secret(&run);
}

/// ghcr.io forbids a revoked token what it allows anybody.
#[test]
fn what_is_forbidden_may_be_public() {
    let (image, folder) = (image(1000), tempfile::tempdir().unwrap());
    let server = registry(&image, |request| match request.header("authorization") {
        Some("Bearer token-anonymous") => None,
        Some(_) if request.path.starts_with("/token") => Some(Reply::new(403, r#"{"errors": [{"code": "DENIED"}]}"#)),
        None if request.path.starts_with("/token") => Some(Reply::new(200, r#"{"token": "token-anonymous"}"#)),
        _ => Some(denied(&format!("Bearer realm=\"http://{}/token\"", request.header("host").unwrap()))),
    });
    let file = authfile(folder.path(), &server.address, &alice());
    let run = check(&server, &["-v", "--authfile", &file]);
    assert_as_from_disk(&image, &run, "anonymous");
    assert!(run.text().contains("trying anonymously"), "{}", run.text());
    assert_no_secret(&run);
}

#[test]
fn no_credentials_go_to_another_host() {
    let (image, folder) = (image(1000), tempfile::tempdir().unwrap());
    let elsewhere = {
        let image = Arc::clone(&image);
        Server::at("127.0.0.2:0", move |request| image.answer(request))
    };
    let address = elsewhere.address.clone();
    let server = registry(&image, move |request| match request.header("authorization") {
        Some(ALICE) if request.path.contains("/blobs/") => {
            let location = format!("http://{address}{}?signature=token-5", request.path);
            Some(Reply::new(307, "").with("Location", &location))
        }
        Some(ALICE) => None,
        _ => Some(denied("Basic realm=\"x\"")),
    });
    let file = authfile(folder.path(), &server.address, &alice());
    let run = check(&server, &["-v", "--authfile", &file]);
    assert_as_from_disk(&image, &run, "redirect");
    assert_no_secret(&run);
    assert_eq!(elsewhere.seen().len(), 3);
    assert!(
        elsewhere.seen().iter().all(|request| request.header("authorization").is_none() && request.header("referer").is_none())
    );
}

/// A storage that refuses, behind a redirect, does not make the client show more of what it has.
#[test]
fn another_host_that_wants_credentials_gets_none() {
    let (image, folder) = (image(1000), tempfile::tempdir().unwrap());
    let thief = Server::at("127.0.0.2:0", |_| denied("Basic realm=\"x\""));
    let address = thief.address.clone();
    let server = registry(&image, move |request| {
        request.path.contains("/blobs/").then(|| Reply::new(302, "").with("Location", &format!("http://{address}/x")))
    });
    let file = authfile(folder.path(), &thief.address, &alice());
    let run = check(&server, &["--authfile", &file]);
    assert_eq!(run.code(), 1, "{}", run.text());
    assert!(thief.seen().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn redirects_without_end() {
    let image = image(1000);
    let server = registry(&image, |request| Some(Reply::new(302, "").with("Location", &request.path)));
    let run = check(&server, &[]);
    assert!(run.code() == 3 && run.text().contains("redirects"), "{}", run.text());
}
