//! One HTTP exchange, as plain blocking calls. The only file that knows async: reqwest's futures run on a thread of its own, and
//! a body comes over a bounded channel, so that a slow reader slows the sender down and memory does not grow.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Client, Method, Url, redirect};
use tokio::runtime::{self, Handle};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::fault::Fault;
use super::pace::Pace;
use super::secret::Secret;
use super::tls::Trust;

/// Pieces of a body that wait for their reader; hyper's are at most some 400 KiB.
const PIECES: usize = 8;

/// One request. All are GET, but for those with a form or a file.
#[derive(Debug, Clone)]
pub(in crate::store) struct Request {
    pub(in crate::store) url: Url,
    /// Media types, most wanted first.
    pub(in crate::store) accept: &'static str,
    /// The whole header value.
    pub(in crate::store) authorization: Option<Secret>,
    /// The first byte that is wanted, where not all are.
    pub(in crate::store) from: u64,
    /// The byte behind the last that is wanted, where not all are.
    pub(in crate::store) until: Option<u64>,
    /// A form in the body, which makes it a POST.
    pub(in crate::store) form: Option<Secret>,
    /// Bytes to be kept under the URL, which makes it a PUT.
    pub(in crate::store) file: Option<Bytes>,
    /// Whether whoever answers may show any certificate.
    pub(in crate::store) insecure: bool,
}

impl Request {
    pub(in crate::store) fn get(url: Url) -> Self {
        Self { url, accept: "*/*", authorization: None, from: 0, until: None, form: None, file: None, insecure: false }
    }
}

/// What came back.
pub(in crate::store) struct Answer {
    pub(in crate::store) status: u16,
    pub(in crate::store) headers: HeaderMap,
    pub(in crate::store) body: Body,
}

impl Answer {
    /// A header, where it is there and is text.
    pub(in crate::store) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All values of a header.
    pub(in crate::store) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    pub(in crate::store) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The clients and the thread on which they work. Connections stay open between exchanges.
pub(in crate::store) struct Wire {
    handle: Handle,
    /// Dropped with this, which ends the thread.
    _stop: oneshot::Sender<()>,
    trust: Trust,
    timeout: Duration,
    /// How long whoever answers may be silent.
    silence: Duration,
    /// What all connections go through, whatever host they are for.
    socket: Option<PathBuf>,
    clients: Mutex<BTreeMap<Kind, Client>>,
}

/// Clients differ by what they trust and show, which is by host, and by whether they go through a proxy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    insecure: bool,
    host: String,
}

impl Wire {
    /// `timeout` is how long a connection may take, and how long one may be silent.
    pub(in crate::store) fn new(trust: Trust, timeout: Duration) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new().name("registry".to_owned()).spawn(move || {
            let _ = runtime.block_on(stopped);
            // A look-up of a name that hangs does not keep the program.
            runtime.shutdown_background();
        })?;
        let clients = Mutex::default();
        Ok(Self { handle, _stop: stop, trust, timeout, silence: timeout, socket: None, clients })
    }

    /// Speaks through a socket of this machine, where there is one, and bears so long a silence.
    pub(in crate::store) fn with(self, socket: Option<PathBuf>, silence: Duration) -> Self {
        Self { socket, silence, ..self }
    }

    /// Sends `request` and waits for the answer's head.
    pub(in crate::store) fn exchange(&self, request: Request) -> Result<Answer, Fault> {
        let client = self.client(request.insecure, &request.url)?;
        let request = built(&client, request)?;
        let (give_head, head) = oneshot::channel();
        let (give, pieces) = mpsc::channel(PIECES);
        let work = self.handle.spawn(async move {
            let mut response = match client.execute(request).await {
                Ok(response) => response,
                Err(error) => return drop(give_head.send(Err(Fault::from_client(error)))),
            };
            if give_head.send(Ok((response.status().as_u16(), std::mem::take(response.headers_mut())))).is_err() {
                return;
            }
            loop {
                let piece = response.chunk().await.map_err(Fault::from_client);
                let is_last = !matches!(piece, Ok(Some(_)));
                if give.send(piece).await.is_err() || is_last {
                    return;
                }
            }
        });
        let (status, headers) = head.blocking_recv().map_err(|_| Fault::broken("the connection ended"))??;
        let body = Body { pieces, work: work.abort_handle(), rest: Bytes::new(), pace: Pace::new(self.silence), ended: false };
        Ok(Answer { status, headers, body })
    }

    fn client(&self, insecure: bool, url: &Url) -> Result<Client, Fault> {
        let name = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let kind = Kind { insecure, host };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&kind) {
            return Ok(client.clone());
        }
        // Redirects are followed above, where it is known who may see the credentials. A referer would tell one host of another.
        let builder = Client::builder()
            .tls_backend_preconfigured(self.trust.config(insecure, &kind.host)?)
            .redirect(redirect::Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(self.timeout)
            .read_timeout(self.silence)
            .user_agent(concat!("enoexec/", env!("CARGO_PKG_VERSION")));
        let builder = if is_loopback(name) { builder.no_proxy() } else { builder };
        let builder = match &self.socket {
            Some(path) => builder.unix_socket(path.as_path()),
            None => builder,
        };
        let client = builder.build().map_err(Fault::from_client)?;
        clients.insert(kind, client.clone());
        Ok(client)
    }
}

fn built(client: &Client, request: Request) -> Result<reqwest::Request, Fault> {
    let method = match (&request.form, &request.file) {
        (Some(_), _) => Method::POST,
        (None, Some(_)) => Method::PUT,
        (None, None) => Method::GET,
    };
    let mut builder = client.request(method, request.url).header(ACCEPT, request.accept);
    if let Some(authorization) = request.authorization {
        let mut value = HeaderValue::from_str(authorization.expose())
            .map_err(|_| Fault::unusable("the credentials hold a character that no HTTP header may have"))?;
        value.set_sensitive(true);
        builder = builder.header(AUTHORIZATION, value);
    }
    if request.from > 0 || request.until.is_some() {
        let last = request.until.map(|until| until.saturating_sub(1).to_string()).unwrap_or_default();
        builder = builder.header(RANGE, format!("bytes={}-{last}", request.from));
    }
    if let Some(form) = request.form {
        builder = builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.expose().to_owned());
    }
    if let Some(file) = request.file {
        builder = builder.header(CONTENT_TYPE, "application/octet-stream").body(file);
    }
    builder.build().map_err(Fault::from_client)
}

/// Whether a host is this machine, to which no proxy leads (as in Go's `net/http`, which every runtime is written in).
pub(in crate::store) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    // RFC 6761, 6.3, for the names.
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    address.map_or(name == "localhost" || name.ends_with(".localhost"), |address| address.is_loopback())
}

/// The bytes of an answer. The error of a read carries a [`Fault`].
pub(in crate::store) struct Body {
    pieces: mpsc::Receiver<Result<Option<Bytes>, Fault>>,
    work: AbortHandle,
    rest: Bytes,
    pace: Pace,
    ended: bool,
}

impl Body {
    /// All bytes, if they are at most `limit`; otherwise `None`, and the rest is not read.
    pub(in crate::store) fn whole(mut self, limit: u64) -> Result<Option<Vec<u8>>, Fault> {
        let mut bytes = Vec::new();
        self.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(Fault::of_read)?;
        Ok((bytes.len() as u64 <= limit).then_some(bytes))
    }

    fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let began = Instant::now();
        let piece = self.pieces.blocking_recv().unwrap_or_else(|| Err(Fault::broken("the connection ended")))?;
        let size = piece.as_ref().map_or(0, Bytes::len);
        if piece.is_some() && !self.pace.bears(began.elapsed(), size as u64) {
            return Err(Fault::too_slow());
        }
        Ok(piece)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() && !self.ended && !buffer.is_empty() {
            match self.next() {
                Ok(Some(piece)) => self.rest = piece,
                Ok(None) => self.ended = true,
                Err(fault) => return Err(io::Error::other(fault)),
            }
        }
        let count = self.rest.as_ref().read(buffer)?;
        drop(self.rest.split_to(count));
        Ok(count)
    }
}

impl Drop for Body {
    /// Closes the connection of a body that was not read to its end.
    fn drop(&mut self) {
        self.work.abort();
    }
}
