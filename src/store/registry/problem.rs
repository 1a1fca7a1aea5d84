//! Why a registry did not give what was asked for, and what to do about it.

use std::time::Duration;

use oci_client::errors::{OciEnvelope, OciErrorCode};

use super::line::Reply;
use super::reference::{DOCKER_HUB, Reference};
use super::retry::Failure;
use crate::base::escape;
use crate::store::http::{Fault, FaultKind};

/// Bytes of an error document that are read.
const DOCUMENT_LIMIT: u64 = 64 << 10;

/// What went wrong with a request.
#[derive(Debug)]
pub(super) enum Problem {
    /// There was no answer.
    Fault(Fault),
    /// An answer that says no.
    Status(Refusal),
    /// No token could be had; what from, and why.
    Token(String, Box<Self>),
    /// Something on this side, said in full.
    Own(String),
}

/// An answer that says no.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: Option<OciErrorCode>,
    /// The registry's own words, escaped.
    pub(super) words: String,
    retry_after: Option<Duration>,
    /// Credentials that were tried, and how.
    pub(super) tried: Vec<String>,
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Problem {
    /// Reads the rest of an answer that says no.
    pub(super) fn of_reply(reply: Reply) -> Self {
        let retry_after = match reply.failure() {
            Failure::Status(_, asked) => asked,
            Failure::Fault(_) => None,
        };
        let status = reply.answer.status;
        let body = reply.answer.body.whole(DOCUMENT_LIMIT).ok().flatten().unwrap_or_default();
        let error = serde_json::from_slice::<OciEnvelope>(&body).ok().and_then(|envelope| envelope.errors.into_iter().next());
        let words = error.as_ref().map(|error| shorten(&error.message)).unwrap_or_default();
        Self::Status(Refusal { status, code: error.map(|error| error.code), words, retry_after, tried: Vec::new() })
    }

    /// Whether a token server does not know the credentials.
    pub(super) fn is_refused_login(&self) -> bool {
        let Self::Token(_, problem) = self else { return false };
        matches!(&**problem, Self::Status(Refusal { status: 400 | 401 | 403, .. }))
    }

    /// The same, saying which credentials were tried.
    pub(super) fn having_tried(mut self, tried: Vec<String>) -> Self {
        match &mut self {
            Self::Status(refusal) => refusal.tried = tried,
            Self::Token(_, problem) => {
                if let Self::Status(refusal) = &mut **problem {
                    refusal.tried = tried;
                }
            }
            Self::Fault(_) | Self::Own(_) => {}
        }
        self
    }

    /// In one line, without advice: for what went wrong in the midst of a pull.
    pub(super) fn brief(&self) -> String {
        match self {
            Self::Fault(fault) => fault.to_string(),
            Self::Status(refusal) => refusal.brief(),
            Self::Token(server, problem) => format!("no token from {server}: {}", problem.brief()),
            Self::Own(text) => text.clone(),
        }
    }

    /// In full: what, where, and what to do. `was_short` says that the user named no registry, and may have meant something local.
    pub(super) fn explain(&self, host: &str, reference: &Reference, was_short: bool) -> String {
        match self {
            Self::Fault(fault) => unreachable(host, fault, reference, was_short),
            Self::Status(refusal) => refusal.explain(host, reference, was_short),
            Self::Token(server, problem) => match &**problem {
                Self::Status(refusal) => {
                    format!("the token server {server} of {}", refusal.explain(host, reference, was_short))
                }
                Self::Fault(fault) => {
                    format!("{host} asks for a token, but {}", unreachable(server, fault, reference, was_short))
                }
                other => format!("{host} asks for a token of {server}: {}", other.brief()),
            },
            Self::Own(text) => text.clone(),
        }
    }
}

impl Refusal {
    fn brief(&self) -> String {
        let words = [self.code.as_ref().map(code_name).unwrap_or_default(), self.words.clone()];
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let status = format!("HTTP {}", self.status);
        if words.is_empty() { status } else { format!("{status} ({})", words.join(": ")) }
    }

    fn explain(&self, host: &str, reference: &Reference, was_short: bool) -> String {
        let brief = self.brief();
        match self.status {
            429 => format!("{host} has had too many requests: {brief}. {}", self.patience(host)),
            401 | 403 => {
                let tried = if self.tried.is_empty() {
                    "no credentials were found".to_owned()
                } else {
                    format!("tried {}", self.tried.join(", then "))
                };
                let login = if host == DOCKER_HUB { "docker login".to_owned() } else { format!("docker login {host}") };
                format!(
                    "{host} does not let {} be pulled: {brief}; {tried}. Log in with `{login}` (podman's and skopeo's login do too), or \
                     check the name: registries also answer so where there is no such repository{}",
                    reference.repository,
                    local_image(reference, was_short)
                )
            }
            404 => {
                let what = match self.code {
                    Some(OciErrorCode::NameUnknown) => format!("no repository {}", reference.repository),
                    _ => format!("no image {}", versioned(reference)),
                };
                format!("{host} has {what}: {brief}. Check the name and the tag{}", local_image(reference, was_short))
            }
            500.. => format!("{host} fails: {brief}. Try again later; --retries and --timeout say how long to insist"),
            // What servers say that want a client's certificate and got none.
            400 => format!(
                "{host} refuses: {brief}. If it wants a certificate of yours, put it into /etc/containers/certs.d/{host}/ as client.cert \
                 and client.key"
            ),
            _ => format!("{host} refuses: {brief}"),
        }
    }

    fn patience(&self, host: &str) -> String {
        let wait = self.retry_after.map(|wait| format!("It asks to wait {} seconds. ", wait.as_secs())).unwrap_or_default();
        let login = if host == DOCKER_HUB {
            "Docker Hub counts the pulls of each address: `docker login` raises the limit, "
        } else {
            "Log in (`docker login`) where that raises the limit, "
        };
        format!("{wait}{login}or ask a mirror (--mirror)")
    }
}

fn versioned(reference: &Reference) -> String {
    let separator = if reference.digest.is_some() { '@' } else { ':' };
    format!("{}{separator}{}", reference.repository, reference.version())
}

/// The registry's own word for what is wrong.
fn code_name(code: &OciErrorCode) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(name)) => shorten(&name),
        _ => String::new(),
    }
}

fn shorten(text: &str) -> String {
    let short: String = text.trim().chars().take(200).collect();
    escape(&short).to_string()
}

/// The end of a sentence for who may have meant an image on this machine.
fn local_image(reference: &Reference, was_short: bool) -> String {
    if !was_short {
        return ".".to_owned();
    }
    let name = reference.repository.strip_prefix("library/").unwrap_or(&reference.repository);
    let name = reference.tag.as_ref().map_or_else(|| name.to_owned(), |tag| format!("{name}:{tag}"));
    format!(". If it is an image of this machine: `enoexec check docker-daemon:{name}`, or `podman:{name}`")
}

fn unreachable(host: &str, fault: &Fault, reference: &Reference, was_short: bool) -> String {
    let text = &fault.text;
    match fault.kind {
        FaultKind::Name => format!(
            "cannot find the host {host}: {text}. Check the name, the network, and the proxy (HTTPS_PROXY, NO_PROXY){}",
            local_image(reference, was_short)
        ),
        FaultKind::Refused => format!("nobody answers at {host}: {text}. Check the port, and whether the registry is running"),
        FaultKind::Certificate => format!(
            "{host} shows a certificate that is not believed: {text}. Give its authority with --ca-cert FILE, or pass \
             --insecure-registry {host} to believe anybody"
        ),
        FaultKind::Tls => {
            format!("{host} does not speak HTTPS as it should: {text}. If it speaks plain HTTP, pass --insecure-registry {host}")
        }
        FaultKind::Timeout => {
            format!("{host} does not answer: {text}. Check the network and the proxy; --timeout says how long to wait")
        }
        FaultKind::Broken => format!("the connection to {host} broke: {text}. Try again; --retries says how often to insist"),
        FaultKind::Unusable => format!("{host}: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Problem, Refusal};
    use crate::store::http::FaultKind;

    fn explained(problem: &Problem, name: &str) -> String {
        problem.explain("r.example", &name.parse().unwrap(), true)
    }

    fn status(status: u16, tried: &[&str]) -> Problem {
        let tried = tried.iter().map(|text| (*text).to_owned()).collect();
        Problem::Status(Refusal { status, code: None, words: "why not".into(), retry_after: None, tried })
    }

    #[test]
    fn each_says_what_to_do() {
        for (problem, word) in [
            (status(401, &[]), "docker login r.example"),
            (status(403, &["config.json, entry x"]), "tried config.json, entry x"),
            (status(404, &[]), "`enoexec check docker-daemon:nginx:1`, or `podman:nginx:1`"),
            (status(429, &[]), "--mirror"),
            (status(503, &[]), "--retries"),
            (Problem::Fault(Fault { kind: FaultKind::Certificate, text: "x".into() }), "--ca-cert"),
            (Problem::Fault(Fault { kind: FaultKind::Tls, text: "x".into() }), "--insecure-registry r.example"),
            (Problem::Fault(Fault { kind: FaultKind::Name, text: "x".into() }), "HTTPS_PROXY"),
            (Problem::Fault(Fault { kind: FaultKind::Timeout, text: "x".into() }), "--timeout"),
        ] {
            let text = explained(&problem, "nginx:1");
            assert!(text.contains(word), "{text}");
        }
    }
}
