//! Showing a registry who one is: what it asks for, with which credentials, and again when that has run out.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;
use serde::Deserialize;

use super::challenge::Challenge;
use super::credentials::{Credential, Found, Keyring};
use super::line::Line;
use super::problem::Problem;
use super::routes::Route;
use crate::base::escape;
use crate::store::http::{Request, Secret};

/// A token's document is small.
const TOKEN_LIMIT: u64 = 1 << 20;

/// Tokens are renewed so long before they run out: a layer's request may be a while on its way.
const LEEWAY: Duration = Duration::from_secs(10);

/// A token that does not say how long it is good for is good for this long (Docker's `registry/spec/auth/token.md`).
const DEFAULT_LIFE: u64 = 60;

/// Who one is at one repository of one registry. Shared by the threads that pull its layers.
pub(super) struct Login {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    who: Who,
    /// What the registry asked for last.
    asked: Vec<Challenge>,
    pass: Pass,
    /// Whether the registry has taken a pass of these credentials.
    worked: bool,
    /// Credentials that were refused, and how.
    refused: Vec<String>,
}

#[derive(Default, Clone)]
enum Who {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    Stored(Found),
    Anonymous,
}

/// What goes into the `Authorization` header, with a number by which a renewed one is told from the one before.
#[derive(Debug, Clone, Default)]
pub(super) struct Pass {
    pub(super) header: Option<Secret>,
    number: u64,
    until: Option<Instant>,
}

/// What a login needs to know of its registry.
#[derive(Clone, Copy)]
pub(super) struct Gate<'a> {
    pub(super) line: &'a Line<'a>,
    pub(super) keyring: &'a Keyring,
    pub(super) route: &'a Route,
    /// Of the registry's API.
    pub(super) base: &'a Url,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Login {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default() }
    }

    /// What to send now. A token that is about to run out is renewed first.
    pub(super) fn pass(&self, gate: Gate<'_>) -> Result<Pass, Problem> {
        let mut state = self.lock();
        if state.pass.until.is_some_and(|until| Instant::now() >= until) {
            state.obtain(gate)?;
        }
        Ok(state.pass.clone())
    }

    /// The registry took a pass.
    pub(super) fn worked(&self, pass: &Pass) {
        let mut state = self.lock();
        state.worked |= state.pass.number == pass.number;
    }

    /// The registry refused a pass with 401 and asks for something. `Ok(false)`: nothing more can be shown.
    pub(super) fn refused(&self, gate: Gate<'_>, pass: &Pass, asked: Vec<Challenge>) -> Result<bool, Problem> {
        let mut state = self.lock();
        // Another thread was faster.
        if state.pass.number != pass.number {
            return Ok(true);
        }
        if !asked.is_empty() {
            state.asked = asked;
        }
        if state.asked.is_empty() {
            return Ok(false);
        }
        // One of credentials that never worked was not good enough; otherwise it has run out.
        if pass.header.is_some() && !state.worked && !state.step_back(gate, "refused") {
            return Ok(false);
        }
        state.obtain(gate)
    }

    /// The registry forbids (403): anonymously it may allow, as ghcr.io does for public images after a token was revoked.
    pub(super) fn forbidden(&self, gate: Gate<'_>, pass: &Pass) -> Result<bool, Problem> {
        let mut state = self.lock();
        if state.pass.number != pass.number {
            return Ok(true);
        }
        if !state.step_back(gate, "forbidden") {
            return Ok(false);
        }
        state.obtain(gate)
    }

    /// The credentials that were tried, and how it went.
    pub(super) fn tried(&self) -> Vec<String> {
        let state = self.lock();
        let mut tried = state.refused.clone();
        match &state.who {
            Who::Stored(found) => tried.push(found.origin.clone()),
            Who::Anonymous => tried.push("anonymously".to_owned()),
            Who::Unknown => {}
        }
        tried
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// From stored credentials to none; `false` if there were none.
    fn step_back(&mut self, gate: Gate<'_>, how: &str) -> bool {
        let Who::Stored(found) = &self.who else { return false };
        gate.line.progress.note(&format!("{}: {how} with {}; trying anonymously", gate.route.host, found.origin));
        self.refused.push(format!("{} ({how})", found.origin));
        (self.who, self.worked) = (Who::Anonymous, false);
        self.pass = Pass { number: self.pass.number.saturating_add(1), ..Pass::default() };
        true
    }

    /// Makes a new pass for what the registry asked. `Ok(false)`: there is nothing to show.
    fn obtain(&mut self, gate: Gate<'_>) -> Result<bool, Problem> {
        if matches!(self.who, Who::Unknown) {
            self.who = look_up(gate)?;
        }
        loop {
            match self.shown(gate) {
                Ok(Some((header, until))) => {
                    let number = self.pass.number.saturating_add(1);
                    self.pass = Pass { header: Some(header), number, until };
                    return Ok(true);
                }
                // An anonymous Basic is no header at all, which was refused already.
                Ok(None) => return Ok(false),
                Err(problem) => {
                    if !problem.is_refused_login() || !self.step_back(gate, "refused by the token server") {
                        return Err(problem);
                    }
                }
            }
        }
    }

    /// The header for the best challenge that can be met.
    fn shown(&self, gate: Gate<'_>) -> Result<Option<(Secret, Option<Instant>)>, Problem> {
        let credential = match &self.who {
            Who::Stored(found) => Some(&found.credential),
            Who::Anonymous | Who::Unknown => None,
        };
        for challenge in &self.asked {
            match (challenge, credential) {
                (Challenge::Bearer { realm, service, scope }, _) => {
                    let token = token(gate, realm, service.as_deref(), scope.as_deref(), credential);
                    let (token, life) = token.map_err(|problem| Problem::Token(server_name(realm), Box::new(problem)))?;
                    let until = Instant::now().checked_add(life.saturating_sub(LEEWAY).max(life / 2));
                    return Ok(Some((Secret::new(format!("Bearer {}", token.expose())), until)));
                }
                (Challenge::Basic, Some(Credential::Password { user, password })) => {
                    return Ok(Some((Credential::basic(user, password), None)));
                }
                (Challenge::Basic, _) => {}
            }
        }
        Ok(None)
    }
}

fn server_name(realm: &str) -> String {
    let host = Url::parse(realm).ok().and_then(|url| url.host_str().map(str::to_owned));
    escape(&host.unwrap_or_else(|| realm.to_owned())).to_string()
}

fn look_up(gate: Gate<'_>) -> Result<Who, Problem> {
    let (host, repository) = (&gate.route.host, &gate.route.repository);
    let search = gate.keyring.find(host, repository).map_err(Problem::Own)?;
    for problem in &search.problems {
        gate.line.progress.note(&format!("credentials for {host}: {problem}"));
    }
    Ok(match search.found {
        Some(found) => {
            gate.line.progress.note(&format!("credentials for {host}: {}", found.origin));
            Who::Stored(found)
        }
        None => {
            gate.line.progress.note(&format!("credentials for {host}: none found, asking anonymously"));
            Who::Anonymous
        }
    })
}

/// Asks the token server (Docker's `registry/spec/auth/token.md` and `oauth.md`).
fn token(
    gate: Gate<'_>,
    realm: &str,
    service: Option<&str>,
    scope: Option<&str>,
    credential: Option<&Credential>,
) -> Result<(Secret, Duration), Problem> {
    let mut url = gate.base.join(realm).map_err(|_| Problem::Own("the address of the token server is none".to_owned()))?;
    if url.scheme() == "http" && gate.base.scheme() == "https" && credential.is_some() {
        let text = format!("{} wants the credentials sent to a token server over plain HTTP: not done", gate.route.host);
        return Err(Problem::Own(text));
    }
    let own_scope = format!("repository:{}:pull", gate.route.repository);
    let scope = scope.unwrap_or(&own_scope);
    let mut request =
        Request { insecure: gate.route.insecure && url.host_str() == gate.base.host_str(), ..Request::get(url.clone()) };
    match credential {
        Some(Credential::Identity(token)) => {
            let fields = [
                ("grant_type", "refresh_token"),
                ("service", service.unwrap_or_default()),
                ("scope", scope),
                ("client_id", "enoexec"),
                ("refresh_token", token.expose()),
            ];
            // A URL's query is a form: its encoder serves for both.
            let mut form = gate.base.clone();
            form.query_pairs_mut().clear().extend_pairs(fields);
            request.form = Some(Secret::new(form.query().unwrap_or_default()));
        }
        other => {
            url.query_pairs_mut().extend_pairs(service.map(|service| ("service", service))).append_pair("scope", scope);
            if let Some(Credential::Password { user, password }) = other {
                url.query_pairs_mut().append_pair("account", user);
                request.authorization = Some(Credential::basic(user, password));
            }
            request.url = url;
        }
    }
    let reply = gate.line.persist(gate.line.policy, "the token server", || gate.line.follow(request.clone()))?;
    if !reply.answer.is_success() {
        return Err(Problem::of_reply(reply));
    }
    let body = reply.answer.body.whole(TOKEN_LIMIT)?;
    let odd = || Problem::Own("its answer is no token".to_owned());
    let document: Token = body.and_then(|body| serde_json::from_slice(&body).ok()).ok_or_else(odd)?;
    let token = document.token.or(document.access_token).filter(|token| !token.is_empty()).ok_or_else(odd)?;
    let life = document.expires_in.unwrap_or(DEFAULT_LIFE).clamp(1, 24 * 3600);
    Ok((Secret::new(token), Duration::from_secs(life)))
}
