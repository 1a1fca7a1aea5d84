//! One repository at one registry, or at a mirror of it: requests to its API (distribution-spec, "Pull").

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;

use super::challenge::challenges;
use super::credentials::Keyring;
use super::line::{Line, Reply};
use super::login::{Gate, Login};
use super::problem::Problem;
use super::reference::address;
use super::retry::{Failure, Policy};
use super::routes::{Route, is_local};
use crate::base::Digest;
use crate::store::http::{Answer, Fault, FaultKind, Request};

/// Refusals of one request after which something else is shown: no pass, one that has run out, one that is not good enough.
const REFUSALS: usize = 4;

/// A document as it came.
pub(super) struct Document {
    /// What the registry says that it is.
    pub(super) media_type: String,
    /// The digest that the registry says it has.
    pub(super) digest: Option<Digest>,
    /// The bytes, or how many there are (at least) where they are too many.
    pub(super) bytes: Result<Vec<u8>, u64>,
}

/// Speaks to one registry about one repository.
pub(super) struct Endpoint<'a> {
    pub(super) route: Route,
    pub(super) line: Arc<Line<'a>>,
    keyring: &'a Keyring,
    /// How often to insist.
    pub(super) policy: Policy,
    login: Login,
    /// `https` or `http` of the API, in the order in which they are tried; one is left when it is known.
    bases: Mutex<Vec<Url>>,
}

impl<'a> Endpoint<'a> {
    /// `has_authority`: an authority of the user's own makes HTTPS likely on this machine too.
    ///
    /// # Errors
    /// The route is no address.
    pub(super) fn new(
        route: Route,
        line: Arc<Line<'a>>,
        keyring: &'a Keyring,
        policy: Policy,
        has_authority: bool,
    ) -> Result<Self, Problem> {
        let schemes: &[&str] = match (route.insecure, is_local(&route.host)) {
            (false, true) if !has_authority => &["http", "https"],
            (true, _) | (_, true) => &["https", "http"],
            (false, false) => &["https"],
        };
        let base = |scheme: &&str| Url::parse(&format!("{scheme}://{}/", address(&route.host)));
        let bases = schemes.iter().map(base).collect::<Result<_, _>>();
        let bases = Mutex::new(bases.map_err(|_| Problem::Own(format!("{} is no address of a registry", route.host)))?);
        Ok(Self { route, line, keyring, policy, login: Login::new(), bases })
    }

    /// GETs `/v2/REPOSITORY/PATH` from the byte `from` on, up to `until`; the answer is one that says yes.
    pub(super) fn get(&self, path: &str, accept: &'static str, from: u64, until: Option<u64>) -> Result<Answer, Problem> {
        self.ask(path, accept, from, until).map_err(|problem| problem.having_tried(self.login.tried()))
    }

    /// A whole document of at most `limit` bytes, asked for again if it breaks off.
    pub(super) fn document(&self, path: &str, accept: &'static str, limit: u64) -> Result<Document, Problem> {
        let mut tried = 0_u32;
        loop {
            let answer = self.get(path, accept, 0, None)?;
            let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
            let (media_type, digest) = (header("content-type"), header("docker-content-digest").parse().ok());
            let announced = answer.header("content-length").and_then(|length| length.parse().ok());
            if announced.is_some_and(|size: u64| size > limit) {
                return Ok(Document { media_type, digest, bytes: Err(announced.unwrap_or(limit)) });
            }
            match answer.body.whole(limit) {
                Ok(bytes) => return Ok(Document { media_type, digest, bytes: bytes.ok_or(limit.saturating_add(1)) }),
                Err(fault) => {
                    tried = tried.saturating_add(1);
                    let why = format!("{}/{path}: {fault}", self.route.host);
                    if !self.line.wait(self.policy, tried, Failure::Fault(fault.kind), &why) {
                        return Err(fault.into());
                    }
                }
            }
        }
    }

    fn ask(&self, path: &str, accept: &'static str, from: u64, until: Option<u64>) -> Result<Answer, Problem> {
        for _ in 0..=REFUSALS {
            let base = self.base()?;
            let gate = Gate { line: &self.line, keyring: self.keyring, route: &self.route, base: &base };
            let pass = self.login.pass(gate)?;
            let what = format!("{}/{path}", self.route.host);
            let reply = self.line.persist(self.policy, &what, || {
                let request = Request {
                    accept,
                    authorization: pass.header.clone(),
                    from,
                    until,
                    insecure: self.route.insecure,
                    ..Request::get(base.clone())
                };
                self.attempt(&request, path)
            })?;
            let is_again = match reply.answer.status {
                200..300 => {
                    self.login.worked(&pass);
                    return Ok(reply.answer);
                }
                401 if !reply.is_foreign => {
                    self.login.refused(gate, &pass, challenges(reply.answer.headers("www-authenticate")))?
                }
                403 if !reply.is_foreign => self.login.forbidden(gate, &pass)?,
                _ => false,
            };
            if !is_again {
                return Err(Problem::of_reply(reply));
            }
        }
        Err(Problem::Own(format!("{} asks for credentials over and over", self.route.host)))
    }

    fn base(&self) -> Result<Url, Problem> {
        let bases = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        bases.first().cloned().ok_or_else(|| Problem::Own(format!("{} has no address", self.route.host)))
    }

    /// One attempt; while it is not known which scheme is spoken there, with each.
    fn attempt(&self, request: &Request, path: &str) -> Result<Reply, Fault> {
        let bases = self.bases.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut first = None;
        for base in &bases {
            let url =
                base.join(&format!("v2/{}/{path}", self.route.repository)).map_err(|error| Fault::unusable(error.to_string()))?;
            let outcome = self.line.follow(Request { url, ..request.clone() });
            // Servers that want TLS answer plain HTTP with 400, or hang up; those that know none answer TLS with gibberish.
            let is_wrong_scheme = match &outcome {
                Ok(reply) => reply.answer.status == 400,
                Err(fault) => matches!(fault.kind, FaultKind::Tls | FaultKind::Broken | FaultKind::Refused),
            };
            if bases.len() == 1 || !is_wrong_scheme {
                if outcome.is_ok() {
                    *self.bases.lock().unwrap_or_else(PoisonError::into_inner) = vec![base.clone()];
                }
                return outcome;
            }
            first.get_or_insert(outcome);
        }
        first.unwrap_or_else(|| Err(Fault::unusable("there is no address to ask")))
    }
}
