//! A network that breaks in every way: the right report or the right error, in bounded time and memory.

use std::sync::Arc;

use crate::client::{Image, Run, assert_as_from_disk, check, image, registry, report, rules};
use crate::server::{Fate, Reply, Request};

/// Noise in the upper layer: a few pieces of the stream.
const NOISE: usize = 300_000;

/// Faults of the first answers to a path, of which the upper layer's is the one that hurts.
fn first(request: &Request, times: usize, fault: impl FnOnce() -> Reply) -> Option<Reply> {
    (request.before < times).then(fault)
}

#[test]
fn without_faults_it_is_the_report_from_disk() {
    let image = image(NOISE);
    let server = registry(&image, |_| None);
    assert_as_from_disk(&image, &check(&server, &[]), "no fault");
    // A manifest, a config, two layers, and nothing twice.
    assert_eq!(server.seen().len(), 4);
}

/// Wherever a connection is cut, the rest is fetched from there.
#[test]
fn connections_that_are_cut_at_fifty_places() {
    let image = image(NOISE);
    let size = image.blob(&image.layers[1]).unwrap().len();
    let mut state = 88_172_645_463_325_252_u64;
    for round in 0..50 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // The first rounds in the head of the answer, the last ones anywhere.
        let at = usize::try_from(state).unwrap() % if round < 8 { 200 } else { size };
        let (own, knows_ranges) = (Arc::clone(&image), round % 2 == 0);
        let server = registry(&image, move |request| {
            let whole = || own.answer(&Request { headers: Default::default(), ..request.clone() });
            match request.before {
                0 if own.is_layer(request, 1) => Some(whole().but(Fate::Cut(at))),
                _ if !knows_ranges => Some(whole()),
                _ => None,
            }
        });
        let run = check(&server, &[]);
        assert_as_from_disk(&image, &run, &format!("cut after {at}, ranges {knows_ranges}"));
        assert_eq!(server.count(&image.layers[1]), 2);
    }
}

/// Each connection breaks, and each brings some bytes more.
#[test]
fn a_download_in_many_pieces() {
    let image = image(NOISE);
    let own = Arc::clone(&image);
    let server = registry(&image, move |request| own.is_layer(request, 1).then(|| own.answer(request).but(Fate::Cut(100_000))));
    let run = check(&server, &["--retries=9"]);
    assert_as_from_disk(&image, &run, "in pieces");
    assert!(server.count(&image.layers[1]) >= 4);
}

/// What could not be read whole is never clean, and the rest is still judged.
#[test]
fn a_layer_that_never_arrives_whole() {
    let image = image(NOISE);
    let own = Arc::clone(&image);
    let server = registry(&image, move |request| {
        let whole = Request { headers: Default::default(), ..request.clone() };
        own.is_layer(request, 1).then(|| own.answer(&whole).but(Fate::Cut(150_000)))
    });
    let run = check(&server, &[]);
    assert_eq!((run.code(), rules(&run)), (1, vec!["EX207".to_owned(), "EX125".to_owned()]), "{}", run.text());
    let report = report(&run.output);
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("layer 1") && message.contains("broke off after"), "{message}");
    assert_eq!(report["targets"][0]["images"][0]["launch"]["argv"][0], "/app");
}

#[test]
fn answers_that_may_pass_are_asked_for_again() {
    let image = image(1000);
    for status in [429, 500, 502, 503, 504] {
        let server = registry(&image, move |request| first(request, 2, || Reply::new(status, "")));
        assert_as_from_disk(&image, &check(&server, &[]), &status.to_string());
    }
    let server = registry(&image, |request| first(request, 1, || Reply::new(429, "").with("Retry-After", "1")));
    let run = check(&server, &["-v"]);
    assert_as_from_disk(&image, &run, "Retry-After");
    // One pause a request, none shorter than was asked for.
    let pauses: Vec<f64> =
        run.text().split("trying again in ").skip(1).map(|rest| rest.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(pauses.len() == 4 && pauses.iter().all(|pause| *pause >= 1.0), "{pauses:?}");
}

#[test]
fn answers_that_do_not_pass_say_what_to_do() {
    let image = image(1000);
    let limit = r#"{"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit"}]}"#;
    for (reply, words) in [
        (Reply::new(429, limit), &["TOOMANYREQUESTS", "pull rate limit", "--mirror"][..]),
        (Reply::new(429, "").with("Retry-After", "86400"), &["86400 seconds"]),
        (Reply::new(503, "<html>"), &["HTTP 503", "--retries"]),
        (
            Reply::new(404, r#"{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "m\u001b[31m"}]}"#),
            &["MANIFEST_UNKNOWN: m\\x1b[31m", "the tag"],
        ),
        (Reply::new(404, r#"{"errors": [{"code": "NAME_UNKNOWN"}]}"#), &["no repository acme/app"]),
        (Reply::new(401, ""), &["HTTP 401", "docker login"]),
        (Reply::new(403, r#"{"errors": [{"code": "DENIED"}]}"#), &["DENIED", "docker login"]),
        (Reply::new(400, "nonsense"), &["HTTP 400"]),
        (Reply::new(200, "<html>Log in</html>").with("Content-Type", "text/html; charset=utf-8"), &["web page"]),
    ] {
        let context = format!("{reply:?}");
        let server = registry(&image, move |_| Some(reply.clone()));
        let run = check(&server, &[]);
        assert_eq!(run.code(), 3, "{context}: {}", run.text());
        for word in words {
            assert!(report(&run.output)["targets"][0]["error"].as_str().unwrap().contains(word), "{context}: {}", run.text());
        }
    }
}

fn assert_could_not_look(run: &Run, word: &str) {
    let report = report(&run.output);
    let error = report["targets"][0]["error"].as_str().unwrap_or_default();
    assert!(run.code() == 3 && error.contains(word), "{word}: {}", run.text());
}

#[test]
fn silence_and_dripping_end() {
    let image = image(1000);
    for fate in [Fate::Silent, Fate::Drip] {
        let own = Arc::clone(&image);
        let server = registry(&image, move |request| Some(own.answer(request).but(fate)));
        let run = check(&server, &["--retries=0", "--timeout=1"]);
        assert_could_not_look(&run, "--timeout");
    }
    // In the midst of a layer, the rest is judged.
    let own = Arc::clone(&image);
    let server = registry(&image, move |request| own.is_layer(request, 1).then(|| own.answer(request).but(Fate::Drip)));
    let run = check(&server, &["--retries=0", "--timeout=1"]);
    assert_eq!((run.code(), rules(&run)), (1, vec!["EX207".to_owned(), "EX125".to_owned()]), "{}", run.text());
}

#[test]
fn lengths_that_are_not_true() {
    let image = image(NOISE);
    let size = image.blob(&image.layers[1]).unwrap().len();
    // Too short is cut by HTTP itself, and the rest is fetched; too long is a connection that breaks off.
    for (stated, as_if_nothing) in [(size / 2, true), (size + 1000, false), (0, true)] {
        let own = Arc::clone(&image);
        let server = registry(&image, move |request| {
            let lies = own.is_layer(request, 1) && (request.before == 0 || !as_if_nothing);
            lies.then(|| own.answer(request).with("Content-Length", &stated.to_string()))
        });
        let run = check(&server, &[]);
        if as_if_nothing {
            assert_as_from_disk(&image, &run, &stated.to_string());
        } else {
            assert_eq!((run.code(), rules(&run)), (1, vec!["EX207".to_owned(), "EX125".to_owned()]), "{}", run.text());
        }
    }
}

#[test]
fn wrong_bytes_are_found_out() {
    let image = image(NOISE);
    let own = Arc::clone(&image);
    let server = registry(&image, move |request| {
        own.is_layer(request, 1).then(|| {
            let mut reply = own.answer(request);
            let middle = reply.body.len() / 2;
            reply.body[middle] ^= 1;
            reply
        })
    });
    let run = check(&server, &[]);
    assert_eq!(run.code(), 1);
    assert!(rules(&run).contains(&"EX205".to_owned()), "{}", run.text());
}

/// A blob that really is shorter than its manifest says: the registry confirms it, and it is the same finding as from disk.
#[test]
fn a_truncated_gzip_is_found_out() {
    let image = image(NOISE);
    let own = Arc::clone(&image);
    let server = registry(&image, move |request| {
        own.is_layer(request, 1).then(|| {
            let mut whole = own.answer(&Request { headers: Default::default(), ..request.clone() });
            whole.body.truncate(1000);
            whole.ranged(request)
        })
    });
    let run = check(&server, &[]);
    assert_eq!(run.code(), 1);
    let rules = rules(&run);
    assert!(["EX205", "EX207"].iter().all(|rule| rules.iter().any(|found| found == rule)), "{}", run.text());
}

/// Nothing is read far beyond what is promised, nor kept.
#[test]
fn bodies_without_an_end() {
    let image = image(1000);
    for place in 0..3 {
        let own: Arc<Image> = Arc::clone(&image);
        let server = registry(&image, move |request| {
            let is_it = match place {
                0 => request.path.ends_with("/manifests/1"),
                1 => request.path.ends_with(&own.config),
                _ => own.is_layer(request, 1),
            };
            is_it.then(|| own.answer(request).but(Fate::Endless))
        });
        let run = check(&server, &[]);
        let expected = [(3, "more than the"), (1, "more than the"), (1, "more than the")][place];
        assert_eq!(run.code(), expected.0, "{place}: {}", run.text());
        assert!(run.text().contains(expected.1), "{place}: {}", run.text());
    }
}

#[test]
fn a_manifest_of_a_hundred_mebibytes() {
    let image = image(1000);
    let server = registry(&image, |request| request.path.contains("/manifests/").then(|| Reply::new(200, vec![b' '; 100 << 20])));
    assert_could_not_look(&check(&server, &[]), "104857600 bytes");
}

#[test]
fn what_is_no_http() {
    let image = image(1000);
    let own = Arc::clone(&image);
    let server = registry(&image, move |request| first(request, 1, || own.answer(request).with("Bad Header\u{0}", "x")));
    assert_could_not_look(&check(&server, &["--retries=0"]), "broke");
    assert_could_not_look(
        &check(&registry(&image, |_| Some(Reply::new(200, "").with("Content-Length", "-1"))), &["--retries=0"]),
        "broke",
    );
}
