//! Images at a registry, read over the network while they are scanned.
//!
//! Built on oci-client where that serves: it knows what a reference is and what a registry's error document says. Its client is
//! not used. A blob's stream has to survive a token that runs out in its midst, 429 with Retry-After, and a connection that
//! breaks and is resumed where it broke off; a body must end where its descriptor says; all challenges of a 401 count, and not
//! only the first header; and identity tokens are exchanged. None of that can be put around the client from outside, because the
//! answers' heads do not come out of it. So requests are made with the same reqwest below it (`store::http`), in layers that each know one thing:
//!
//! | file | knows |
//! |---|---|
//! | `line` | redirects, and trying again as `retry` says |
//! | `login` | what a 401 asks for (`challenge`), with which `credentials` |
//! | `endpoint` | one repository at one registry or mirror (`routes`) |
//! | `blob` | a blob over several connections |
//! | `problem` | what to tell a person |

mod blob;
mod challenge;
mod credentials;
mod endpoint;
mod line;
mod login;
mod network;
mod problem;
mod reference;
mod retry;
mod routes;

use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub use credentials::{Credential, Given, Keyring};
pub use network::Network;
pub use reference::{Reference, ReferenceError};
pub use routes::Mirror;

use blob::Blob;
use endpoint::Endpoint;
use line::Line;
use problem::Problem;
use retry::Policy;
use routes::{Registries, Route};

use super::{MAX_DOCUMENT, Root, Store, StoreError, Tree};
use crate::base::{Digest, Progress, escape};
use crate::format::oci::{Descriptor, Index, MediaKind};
use crate::store::http::{Trust, Wire};

/// All that a tag may lead to. Schema 1 comes last, so that only a registry that has nothing else gives it.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1, application/vnd.docker.distribution.manifest.v1+json;q=0.1, */*;q=0.1";

/// An image at a registry.
pub(super) struct Registry<'a> {
    reference: Reference,
    /// Whether the user named no registry, and may have meant an image of this machine.
    was_short: bool,
    /// Asked first, in order.
    mirrors: Vec<Endpoint<'a>>,
    endpoint: Endpoint<'a>,
    progress: &'a dyn Progress,
    /// What the reference names.
    root: OnceLock<Found>,
}

/// The document that a reference names.
struct Found {
    descriptor: Descriptor,
    bytes: Vec<u8>,
    /// How many mirrors did not have it: they are asked for nothing more.
    passed: usize,
}

impl<'a> Registry<'a> {
    /// Makes ready to ask for `text`; nothing is asked yet.
    ///
    /// # Errors
    /// It is no reference, or the settings forbid it or are broken.
    pub(super) fn new(text: &str, network: &'a Network, progress: &'a dyn Progress) -> Result<Self, StoreError> {
        let own = StoreError::Registry;
        let reference: Reference = text.parse().map_err(|error: ReferenceError| own(error.to_string()))?;
        if network.offline {
            return Err(own(format!("{reference} is at a registry, and --offline forbids to ask it")));
        }
        let registries = Registries::read(&network.registries, &network.drop_ins).map_err(own)?;
        let routes = routes::routes(&reference, &network.mirrors, &network.insecure, &registries).map_err(own)?;
        let trust = Trust::new(&network.authorities, &network.certificates).map_err(own)?;
        let wire = Wire::new(trust, network.timeout).map_err(|error| own(format!("cannot use the network: {error}")))?;
        let policy = Policy { retries: network.retries };
        let line = Arc::new(Line { wire, policy, progress });
        let endpoint = |route: Route, policy| {
            if let Some(because) = &route.because {
                progress.note(&format!("{reference} is asked for at {}/{}: {because}", route.host, route.repository));
            }
            let has_authority = !network.authorities.is_empty();
            let made = Endpoint::new(route, Arc::clone(&line), &network.keyring, policy, has_authority);
            made.map_err(|problem| own(problem.brief()))
        };
        // A mirror that does not answer has another place behind it.
        let hasty = Policy { retries: policy.retries.min(1) };
        let mirrors = routes.mirrors.into_iter().map(|route| endpoint(route, hasty)).collect::<Result<_, _>>()?;
        let endpoint = endpoint(routes.registry, policy)?;
        let was_short = !text.split_once('/').is_some_and(|(host, _)| host.contains(['.', ':']) || host == "localhost");
        Ok(Self { reference, was_short, mirrors, endpoint, progress, root: OnceLock::new() })
    }

    /// Asks the mirrors, then the registry; the answer, and how many did not have it. The problem is the registry's.
    fn ask<'b, T>(&'b self, ask: impl Fn(&'b Endpoint<'a>) -> Result<T, Problem>) -> Result<(T, usize), Problem> {
        let passed = self.root.get().map_or(0, |found| found.passed);
        for (place, mirror) in self.mirrors.iter().enumerate().skip(passed) {
            match ask(mirror) {
                Ok(answer) => return Ok((answer, place)),
                Err(problem) => self.progress.note(&format!("mirror {}: {}", mirror.route.host, problem.brief())),
            }
        }
        ask(&self.endpoint).map(|answer| (answer, self.mirrors.len()))
    }

    fn find(&self) -> Result<Found, StoreError> {
        let path = format!("manifests/{}", self.reference.version());
        let explain =
            |problem: Problem| StoreError::Registry(problem.explain(&self.endpoint.route.host, &self.reference, self.was_short));
        let (document, passed) = self.ask(|endpoint| endpoint.document(&path, MANIFESTS, MAX_DOCUMENT)).map_err(explain)?;
        let too_large = |size| StoreError::TooLarge { what: self.reference.to_string(), size };
        let bytes = document.bytes.map_err(too_large)?;
        if document.media_type.starts_with("text/html") {
            let host = &self.endpoint.route.host;
            let text = format!(
                "{host} answers with a web page and no manifest: is it a registry, and does a login page or a proxy stand before it?"
            );
            return Err(StoreError::Registry(text));
        }
        let is_manifest =
            matches!(MediaKind::of(&document.media_type), MediaKind::Index | MediaKind::Manifest | MediaKind::SchemaOne);
        let descriptor = Descriptor {
            // Of any other type, the document itself says what it is.
            media_type: if is_manifest { document.media_type } else { String::new() },
            digest: Some(self.reference.digest.clone().or(document.digest).unwrap_or_else(|| Digest::of(&bytes))),
            ..Descriptor::default()
        };
        Ok(Found { descriptor, bytes, passed })
    }

    /// What went wrong with a blob or a document in the midst of a pull.
    fn failed(&self, problem: &Problem) -> StoreError {
        StoreError::Registry(format!("{}/{}: {}", self.endpoint.route.host, self.endpoint.route.repository, problem.brief()))
    }
}

impl Store for Registry<'_> {
    fn root(&self) -> Result<Root, StoreError> {
        let found = match self.root.get() {
            Some(found) => found,
            None => {
                let found = self.find()?;
                self.root.get_or_init(|| found)
            }
        };
        Ok(Root::Index(Index { manifests: vec![found.descriptor.clone()], ..Index::default() }))
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError> {
        if let Some(found) = self.root.get().filter(|found| found.descriptor.digest == descriptor.digest) {
            return Ok(found.bytes.clone());
        }
        let digest = digest_of(descriptor)?;
        if let Some(data) = descriptor.data.as_ref().filter(|data| digest.algorithm().digest(data) == *digest) {
            return Ok(data.clone());
        }
        let is_manifest = matches!(descriptor.kind(), MediaKind::Index | MediaKind::Manifest | MediaKind::SchemaOne);
        let places: &[&str] = match (is_manifest, descriptor.media_type.is_empty()) {
            (true, _) => &["manifests"],
            (false, false) => &["blobs"],
            (false, true) => &["manifests", "blobs"],
        };
        let mut failed = StoreError::Missing { what: descriptor.name(), place: self.reference.path() };
        for place in places {
            match self.ask(|endpoint| endpoint.document(&format!("{place}/{digest}"), MANIFESTS, MAX_DOCUMENT)) {
                Ok((document, _)) => {
                    return document.bytes.map_err(|size| StoreError::TooLarge { what: descriptor.name(), size });
                }
                Err(problem) => failed = self.failed(&problem),
            }
        }
        Err(failed)
    }

    fn blob(&self, layer: &Descriptor) -> Result<Box<dyn Read + Send + '_>, StoreError> {
        let digest = digest_of(layer)?;
        let opened = self.ask(|endpoint| Blob::open(endpoint, digest, layer.size));
        let (blob, _) = opened.map_err(|problem| self.failed(&problem))?;
        Ok(Box::new(blob))
    }

    fn part(&self, layer: &Descriptor, range: Range<u64>) -> Result<Option<Box<dyn Read + Send + '_>>, StoreError> {
        let digest = digest_of(layer)?;
        let opened = self.ask(|endpoint| Blob::part(endpoint, digest, &range));
        let (part, _) = opened.map_err(|problem| self.failed(&problem))?;
        Ok(part.map(|part| Box::new(part) as Box<dyn Read + Send>))
    }

    fn tree(&self) -> Result<Tree, StoreError> {
        Err(StoreError::Registry(format!("{} is an image, not a root file system", self.reference)))
    }

    fn is_remote(&self) -> bool {
        true
    }
}

/// Everything at a registry is called by its digest.
fn digest_of(descriptor: &Descriptor) -> Result<&Digest, StoreError> {
    let unnamed = || StoreError::Registry(format!("{} has no digest", escape(&descriptor.name())));
    descriptor.digest.as_ref().ok_or_else(unnamed)
}
