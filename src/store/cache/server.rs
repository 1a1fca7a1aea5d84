//! A cache at a server: plain HTTP, GET and PUT, as nginx, Caddy, bazel-remote and gateways of object stores have it.
//!
//! It is a help and nothing else: it is asked once, without retries; the first thing that goes wrong is the last that is asked of it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::Url;

use super::{LAYERS, file_name};
use crate::base::{Digest, escape};
use crate::store::Network;
use crate::store::http::{Answer, Fault, Request, Trust, Wire};

/// An index larger than this, in bytes, is neither taken nor given; that of a layer of gigabytes has about one MiB.
const MOST: u64 = 8 << 20;

/// How long the server may take to answer at most: waiting for longer costs more than reading a layer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of an answer's body that are read to keep the connection.
const REST: u64 = 64 << 10;

/// Under one URL.
pub(super) struct Server {
    base: Url,
    wire: Wire,
    /// Whether it has answered each GET, and each PUT, as it should.
    gives: AtomicBool,
    takes: AtomicBool,
}

impl Server {
    /// # Errors
    /// The URL is none, or an authority cannot be read; the text is whole.
    pub(super) fn new(url: &str, network: &Network) -> Result<Self, String> {
        let base = Url::parse(url).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
        // It is not shown: it may hold a password.
        let mut base = base.ok_or("--cache: expected a directory, or a URL such as https://cache.example/enoexec")?;
        base.set_query(None);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let trust = Trust::new(&network.authorities, &network.certificates)?;
        let wire = Wire::new(trust, network.timeout.min(PATIENCE)).map_err(|error| format!("cannot use the network: {error}"))?;
        Ok(Self { base, wire, gives: AtomicBool::new(true), takes: AtomicBool::new(true) })
    }

    pub(super) fn get(&self, form: &str, digest: &Digest) -> Result<Option<Vec<u8>>, String> {
        self.unless_failed(&self.gives, || {
            let answer = self.ask(form, digest, None)?;
            if matches!(answer.status, 404 | 410) {
                let _ = answer.body.whole(REST);
                return Ok(None);
            }
            let answer = successful(answer)?;
            let announced = answer.header("content-length").and_then(|length| length.parse().ok());
            let too_much = || format!("more than {MOST} bytes");
            if announced.is_some_and(|size: u64| size > MOST) {
                return Err(too_much());
            }
            let bytes = answer.body.whole(MOST).map_err(|fault| fault.to_string())?;
            bytes.map(Some).ok_or_else(too_much)
        })
        .map(Option::flatten)
    }

    pub(super) fn put(&self, form: &str, digest: &Digest, bytes: Vec<u8>) -> Result<(), String> {
        if bytes.len() as u64 > MOST {
            return Ok(());
        }
        self.unless_failed(&self.takes, || {
            let answer = successful(self.ask(form, digest, Some(bytes.into()))?)?;
            let _ = answer.body.whole(REST);
            Ok(())
        })
        .map(Option::unwrap_or_default)
    }

    /// Does what has not failed yet.
    fn unless_failed<T>(&self, works: &AtomicBool, act: impl FnOnce() -> Result<T, String>) -> Result<Option<T>, String> {
        if !works.load(Ordering::Relaxed) {
            return Ok(None);
        }
        act().map(Some).map_err(|problem| {
            works.store(false, Ordering::Relaxed);
            format!("the cache at {self} is not asked so again: {problem}")
        })
    }

    fn ask(&self, form: &str, digest: &Digest, file: Option<Bytes>) -> Result<Answer, String> {
        let path = format!("{LAYERS}/{form}/{}", file_name(digest));
        let url = self.base.join(&path).map_err(|error| error.to_string())?;
        self.wire.exchange(Request { file, ..Request::get(url) }).map_err(|fault: Fault| fault.to_string())
    }
}

fn successful(answer: Answer) -> Result<Answer, String> {
    if answer.is_success() { Ok(answer) } else { Err(format!("HTTP {}", answer.status)) }
}

impl fmt::Display for Server {
    /// Without user and password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.base.clone();
        // A URL of HTTP has a host, so both can be taken away.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        escape(url.as_str()).fmt(formatter)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Server({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::Server;
    use crate::store::Network;

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        let server = |url: &str| Server::new(url, &Network::default()).map(|server| format!("{server:?}"));
        assert_eq!(server("https://me:hunter2@cache.example/a?token=hunter2#x").unwrap(), "Server(https://cache.example/a/)");
        for wrong in ["http://", "ftp://hunter2", "https://me:hunter2@"] {
            let error = server(wrong).unwrap_err();
            assert!(error.contains("--cache") && !error.contains("hunter2"), "{error}");
        }
    }
}
