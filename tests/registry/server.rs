//! A server of HTTP/1.1 that gives one answer a connection, whole or broken as the test asks.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
    /// How many requests for the same path came before.
    pub before: usize,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A form in the body.
    pub fn form(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The first byte that is asked for.
    pub fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What happens to a body on its way.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    Whole,
    /// The connection ends after so many bytes of head and body together.
    Cut(usize),
    /// A few bytes a second, for ever.
    Drip,
    /// More bytes for ever, of no announced length.
    Endless,
    /// Nothing is answered.
    Silent,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub fate: Fate,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), fate: Fate::Whole }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn but(self, fate: Fate) -> Self {
        Self { fate, ..self }
    }

    /// The part behind `from`, as a registry that knows ranges gives it.
    pub fn ranged(mut self, request: &Request) -> Self {
        let Some(from) = request.from() else { return self };
        let all = self.body.len();
        if from >= all {
            return Self::new(416, "");
        }
        self.status = 206;
        self.body.drain(..from);
        self.with("Content-Range", &format!("bytes {from}-{}/{all}", all - 1))
    }
}

/// A server on the loopback, with all the requests that it has seen.
pub struct Server {
    /// `127.0.0.1:PORT`.
    pub address: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", answer)
    }

    pub fn at(address: &str, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self::serving(address, move || listener.accept().map(|(stream, _)| stream), answer)
    }

    /// At a Unix socket.
    pub fn at_socket(path: &Path, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        Self::serving(path.display().to_string(), move || listener.accept().map(|(stream, _)| stream), answer)
    }

    fn serving<S: Send + 'static>(
        address: String,
        accept: impl Fn() -> std::io::Result<S> + Send + 'static,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self
    where
        for<'a> &'a S: Read + Write,
    {
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        thread::spawn(move || {
            while let Ok(stream) = accept() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                // A client that hangs up is what many tests are about.
                thread::spawn(move || drop(serve(&stream, &log, &*answer)));
            }
        });
        Self { address, seen }
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests there were whose path has this in it.
    pub fn count(&self, part: &str) -> usize {
        self.seen().iter().filter(|request| request.path.contains(part)).count()
    }
}

fn serve<S>(stream: &S, log: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Reply) -> std::io::Result<()>
where
    for<'a> &'a S: Read + Write,
{
    let mut input = BufReader::new(stream);
    let mut line = String::new();
    input.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length: &String| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    let request = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|seen| seen.path == path).count();
        let request = Request { method, path, headers, body, before };
        log.push(request.clone());
        request
    };
    send(stream, &answer(&request))
}

fn send(mut stream: impl Write, reply: &Reply) -> std::io::Result<()> {
    let has_length = reply.headers.iter().any(|(name, _)| name == "Content-Length") || matches!(reply.fate, Fate::Endless);
    let mut bytes = format!("HTTP/1.1 {} x\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        bytes += &format!("{name}: {value}\r\n");
    }
    if !has_length {
        bytes += &format!("Content-Length: {}\r\n", reply.body.len());
    }
    let mut bytes = (bytes + "\r\n").into_bytes();
    bytes.extend(&reply.body);
    match reply.fate {
        Fate::Whole => stream.write_all(&bytes),
        Fate::Cut(at) => stream.write_all(&bytes[..at.min(bytes.len())]),
        Fate::Silent => {
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        Fate::Drip => loop {
            stream.write_all(&bytes[..1])?;
            bytes.rotate_left(1);
            thread::sleep(Duration::from_millis(50));
        },
        Fate::Endless => {
            stream.write_all(&bytes)?;
            loop {
                stream.write_all(&[b' '; 64 << 10])?;
            }
        }
    }
}
