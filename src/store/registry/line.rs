//! A request that survives the network: redirects are followed, failures that may pass are tried again.

use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::SystemTime;

use reqwest::Url;

use super::retry::{Failure, Policy, retry_after};
use crate::base::{Progress, escape};
use crate::store::http::{Answer, Fault, Request, Wire};

/// Redirects that are followed for one request; real registries need one or two.
const REDIRECTS: usize = 10;

/// What all endpoints share.
pub(super) struct Line<'a> {
    pub(super) wire: Wire,
    pub(super) policy: Policy,
    pub(super) progress: &'a dyn Progress,
}

/// An answer, and whether somebody else gave it than was asked.
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) is_foreign: bool,
}

impl Reply {
    pub(super) fn failure(&self) -> Failure {
        let asked = self.answer.header("retry-after").and_then(|value| retry_after(value, SystemTime::now()));
        Failure::Status(self.answer.status, asked)
    }
}

impl Line<'_> {
    /// Calls `attempt` until it succeeds, fails in a way that will not pass, or has failed too often; then the last failure is
    /// given. `policy` says how often.
    pub(super) fn persist(
        &self,
        policy: Policy,
        what: &str,
        mut attempt: impl FnMut() -> Result<Reply, Fault>,
    ) -> Result<Reply, Fault> {
        let mut tried = 0_u32;
        loop {
            let outcome = attempt();
            let (failure, text) = match &outcome {
                Ok(reply) if reply.answer.is_success() => return outcome,
                Ok(reply) => (reply.failure(), format!("HTTP {}", reply.answer.status)),
                Err(fault) => (Failure::Fault(fault.kind), fault.to_string()),
            };
            tried = tried.saturating_add(1);
            if !self.wait(policy, tried, failure, &format!("{what}: {text}")) {
                return outcome;
            }
        }
    }

    /// Waits as long as the policy says; `false` where it says to give up.
    pub(super) fn wait(&self, policy: Policy, tried: u32, failure: Failure, why: &str) -> bool {
        // A hasher's seed is random, and that is all that a jitter needs.
        let Some(pause) = policy.pause(tried, failure, RandomState::new().hash_one(tried)) else { return false };
        self.progress.note(&format!("{why}; trying again in {:.1} s", pause.as_secs_f64()));
        thread::sleep(pause);
        true
    }

    /// One attempt. Credentials go to the host that was asked, and to no other that it may name.
    pub(super) fn follow(&self, mut request: Request) -> Result<Reply, Fault> {
        let asked = request.url.clone();
        let mut is_foreign = false;
        for _ in 0..REDIRECTS {
            let answer = self.wire.exchange(request.clone())?;
            let Some(next) = redirect(&request, &answer) else { return Ok(Reply { answer, is_foreign }) };
            if next.origin() != asked.origin() {
                is_foreign = true;
                // Also on the way back: whoever is in between could have chosen the way.
                request.authorization = None;
                request.insecure = false;
                self.progress.note(&format!("redirected to {}", next.host_str().map(escape).unwrap_or(escape(""))));
            }
            request.url = next;
        }
        Err(Fault::unusable(format!("more than {REDIRECTS} redirects")))
    }
}

/// Where an answer sends the request. One with a form is never sent elsewhere: it holds a secret.
fn redirect(request: &Request, answer: &Answer) -> Option<Url> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) || request.form.is_some() {
        return None;
    }
    let next = request.url.join(answer.header("location")?).ok()?;
    matches!(next.scheme(), "http" | "https").then_some(next)
}
