//! Images of this machine's container engines, as `docker save` and `podman save` write them, asked for at the engine's socket and
//! read while they come.

mod place;

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

pub use place::Engines;

use place::{Address, Place};

use super::http::{Answer, Body, Fault, FaultKind, Request, Trust, Wire, is_loopback};
use super::registry::{Network, Reference};
use super::stream::Stream;
use super::{StoreError, shown};
use crate::base::{Progress, escape};

/// An engine packs the whole image before it sends the first byte, which takes minutes for a large one.
const PACKING: Duration = Duration::from_secs(600);

/// Bytes of an error document that are read.
const DOCUMENT_LIMIT: u64 = 64 << 10;

/// What to ask where neither HTTP nor TLS seems to be spoken.
const SPEAKS_TLS: &str =
    "Does it speak TLS? With DOCKER_TLS_VERIFY=1 it is spoken to so, with the certificates in DOCKER_CERT_PATH";

/// Who keeps images on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Docker's daemon.
    Docker,
    /// Podman's service.
    Podman,
    /// containerd, which has no HTTP interface.
    Containerd,
}

impl Engine {
    fn prefix(self) -> &'static str {
        match self {
            Self::Docker => "docker-daemon",
            Self::Podman => "podman",
            Self::Containerd => "containerd",
        }
    }

    /// The way that always works: the engine's own program.
    fn by_hand(self, name: &str) -> String {
        let save = match self {
            Self::Docker => "docker save",
            Self::Podman => "podman save",
            Self::Containerd => "ctr images export -",
        };
        format!("`{save} {} | enoexec check -`", escape(name))
    }
}

/// Asks an engine for an image.
///
/// # Errors
/// The engine cannot be asked, or does not have the image.
pub(super) fn open(engine: Engine, name: &str, network: &Network, progress: &dyn Progress) -> Result<Stream, StoreError> {
    let name = tagged(name).map_err(StoreError::Engine)?;
    let failed = |problem: String| StoreError::Engine(format!("{problem}. Or hand the image over: {}", engine.by_hand(&name)));
    let place = match engine {
        Engine::Docker => network.engines.docker(),
        Engine::Podman => network.engines.podman(),
        Engine::Containerd => Err("containerd has no interface that is asked here".to_owned()),
    };
    let asked = place.and_then(|place| {
        progress.note(&format!("{}:{} is asked for at {place}", engine.prefix(), escape(&name)));
        let line = Line::new(engine, place, network)?;
        let path = line.path(&name)?;
        line.download(&path, &name)
    });
    let input = Box::new(asked.map_err(failed)?);
    Ok(Stream { place: format!("{}:{name}", engine.prefix()).into(), choice: None, input, size: None })
}

/// A name without tag stands for its `latest`, where the engines' interfaces would give all tags. Identifiers stay what they are.
fn tagged(name: &str) -> Result<String, String> {
    let is_id = |text: &str| (12..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id(name.strip_prefix("sha256:").unwrap_or(name)) {
        return Ok(name.to_owned());
    }
    let reference = name.parse::<Reference>().map_err(|error| error.to_string())?;
    let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    Ok(if has_tag || reference.digest.is_some() { name.to_owned() } else { format!("{name}:latest") })
}

/// A way to speak to one engine.
struct Line<'a> {
    engine: Engine,
    place: Place,
    base: Url,
    network: &'a Network,
}

impl<'a> Line<'a> {
    /// Makes sure that somebody may be asked there.
    fn new(engine: Engine, place: Place, network: &'a Network) -> Result<Self, String> {
        let base = match &place.address {
            Address::Socket(path) => {
                UnixStream::connect(path).map_err(|error| no_socket(engine, path, &error))?;
                Url::parse("http://localhost/").map_err(|error| error.to_string())?
            }
            Address::Host(url) if network.offline && !url.host_str().is_some_and(is_loopback) => {
                return Err(format!("{place} is another machine, and --offline forbids to ask it"));
            }
            Address::Host(url) => url.clone(),
        };
        Ok(Self { engine, place, base, network })
    }

    /// GETs a path.
    fn ask(&self, path: &str, silence: Duration) -> Result<(Answer, Wire), String> {
        let trust = match &self.place.certificates {
            Some(folder) => Trust::of_docker_client(folder)?,
            None => Trust::nobody(),
        };
        let socket = match &self.place.address {
            Address::Socket(path) => Some(path.clone()),
            Address::Host(_) => None,
        };
        let timeout = self.network.timeout;
        let wire = Wire::new(trust, timeout).map_err(|error| format!("cannot use the network: {error}"))?.with(socket, silence);
        let mut url = self.base.clone();
        url.set_path(path);
        // Through a socket no certificate is shown, and the machine's authorities need not be read.
        let insecure = self.place.is_insecure || matches!(self.place.address, Address::Socket(_));
        let answer = wire.exchange(Request { insecure, ..Request::get(url) }).map_err(|fault| self.unreachable(&fault))?;
        Ok((answer, wire))
    }

    /// Where an image lies, in the version of the interface that the engine says it speaks.
    fn path(&self, name: &str) -> Result<String, String> {
        let (answer, _wire) = self.ask("/_ping", self.network.timeout)?;
        let version = |header: &str| {
            let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let version = answer.header(header)?.split('-').next()?;
            version.split('.').all(is_number).then(|| version.to_owned())
        };
        match (self.engine, version("api-version"), version("libpod-api-version")) {
            (Engine::Podman, _, Some(version)) => Ok(format!("/v{version}/libpod/images/{name}/get")),
            (Engine::Podman, ..) => Err(format!("whoever answers at {} is not podman", self.place)),
            (_, Some(version), _) => Ok(format!("/v{version}/images/{name}/get")),
            (_, None, _) if answer.is_success() => Ok(format!("/images/{name}/get")),
            (_, None, _) => Err(format!("whoever answers at {} is no engine: HTTP {}. {SPEAKS_TLS}", self.place, answer.status)),
        }
    }

    fn download(&self, path: &str, name: &str) -> Result<Download, String> {
        let (answer, wire) = self.ask(path, self.network.timeout.max(PACKING))?;
        if answer.is_success() {
            return Ok(Download { body: answer.body, _wire: wire });
        }
        let status = answer.status;
        let words = answer.body.whole(DOCUMENT_LIMIT).ok().flatten().map(|body| words(&body)).unwrap_or_default();
        let said = if words.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status} ({words})") };
        let program = if self.engine == Engine::Podman { "podman" } else { "docker" };
        Err(match status {
            404 => format!(
                "{} has no image {}: {said}. `{program} images` lists what it has; without {}: it is looked for at its registry",
                self.place,
                escape(name),
                self.engine.prefix()
            ),
            _ => format!("{} does not give {}: {said}", self.place, escape(name)),
        })
    }

    fn unreachable(&self, fault: &Fault) -> String {
        let help = match fault.kind {
            FaultKind::Certificate => "DOCKER_CERT_PATH names the folder with the ca.pem that it is to be believed by",
            FaultKind::Tls | FaultKind::Broken => SPEAKS_TLS,
            FaultKind::Timeout => "--timeout says how long to wait",
            FaultKind::Name | FaultKind::Refused => "Check the name, the port, and whether the engine is running",
            FaultKind::Unusable => "Check how it is written",
        };
        format!("{} cannot be asked: {fault}. {help}", self.place)
    }
}

/// Why a socket cannot be spoken to, and what would help.
fn no_socket(engine: Engine, path: &Path, error: &io::Error) -> String {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "there is no such socket".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
        _ => error.to_string(),
    };
    let help = match (engine, error.kind()) {
        (Engine::Podman, io::ErrorKind::PermissionDenied) => "It is another user's; CONTAINER_HOST names yours",
        (Engine::Podman, _) => {
            "`systemctl --user start podman.socket` starts it, or `podman system service`; CONTAINER_HOST says where else it is"
        }
        (_, io::ErrorKind::PermissionDenied) => "It answers to root and to the group docker",
        _ => "Is Docker running? DOCKER_HOST, or a context of `docker context`, says where else it is",
    };
    format!("{}: {what}. {help}", shown(path))
}

/// What an engine says is wrong: Docker's `message`, which podman has too.
fn words(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Document {
        message: String,
    }
    let message = serde_json::from_slice::<Document>(body).map(|document| document.message);
    let text = message.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned());
    escape(&text.trim().chars().take(200).collect::<String>()).to_string()
}

/// An archive on its way.
struct Download {
    body: Body,
    /// Ends the connection when it is dropped.
    _wire: Wire,
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{tagged, words};

    #[test]
    fn a_name_without_tag_is_its_latest() {
        let digest = format!("app@sha256:{}", "0".repeat(64));
        for (name, meant) in [
            ("app", "app:latest"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("ghcr.io/acme/api:1.4", "ghcr.io/acme/api:1.4"),
            ("0123456789ab", "0123456789ab"),
            ("sha256:0123456789abcdef", "sha256:0123456789abcdef"),
            ("cafe", "cafe:latest"),
            (digest.as_str(), digest.as_str()),
        ] {
            assert_eq!(tagged(name).as_deref(), Ok(meant));
        }
        assert!(tagged("A B").is_err());
    }

    proptest! {
        #[test]
        fn what_an_engine_says_is_short_and_escaped(body: Vec<u8>) {
            let words = words(&body);
            prop_assert!(!words.chars().any(char::is_control) && words.len() < 200 * 12);
        }

        #[test]
        fn a_name_has_a_tag_or_is_refused(name in "[a-z0-9:/@.]{1,30}") {
            if let Ok(meant) = tagged(&name) {
                prop_assert!(meant == name || meant == name + ":latest");
            }
        }
    }
}
