//! A cluster, asked through `kubectl`, so that every login that kubectl has works. Only `get` and `logs`: nothing is ever changed.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::thread;

use crate::base::{Progress, escape};

use super::StoreError;

/// The most that is read of one answer, in bytes: a list of the pods of a large namespace.
const LARGEST: u64 = 64 << 20;

/// The end of a log tells of a crash.
const LAST_LINES: &str = "--tail=200";

/// Which cluster, and where in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cluster {
    /// kubectl's context; its current one where none is named.
    pub context: Option<String>,
    /// The namespace; the context's own where none is named.
    pub namespace: Option<String>,
}

impl Cluster {
    /// An object: `kubectl get KIND NAME -o json`.
    ///
    /// # Errors
    /// kubectl is not there, or does not get it; with its own words.
    pub fn get(&self, kind: &str, name: &str, progress: &dyn Progress) -> Result<String, StoreError> {
        self.ask(&["get", kind, name, "-o", "json"], progress)
    }

    /// Objects: `kubectl get KIND -o json`, narrowed by `--selector=…` or `--field-selector=…`.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub fn list(&self, kind: &str, selector: Option<&str>, progress: &dyn Progress) -> Result<String, StoreError> {
        let mut words = vec!["get", kind, "-o", "json"];
        words.extend(selector);
        self.ask(&words, progress)
    }

    /// The end of a container's log; with `previous` that of the run before.
    ///
    /// # Errors
    /// As for [`Self::get`]; there also is none where the container never ran.
    pub fn log(&self, pod: &str, container: &str, previous: bool, progress: &dyn Progress) -> Result<String, StoreError> {
        let container = format!("--container={container}");
        let mut words = vec!["logs", pod, &container, LAST_LINES];
        words.extend(previous.then_some("--previous"));
        self.ask(&words, progress)
    }

    fn ask(&self, words: &[&str], progress: &dyn Progress) -> Result<String, StoreError> {
        let mut all: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        all.extend(self.namespace.iter().flat_map(|namespace| ["-n".to_owned(), namespace.clone()]));
        all.extend(self.context.iter().map(|context| format!("--context={context}")));
        let call = format!("kubectl {}", all.join(" "));
        progress.note(&call);
        // Names come from the command line and from the cluster, and must not turn into options.
        let options = ["-o", "-n", "--selector=", "--field-selector=", "--container=", "--tail=", "--previous"];
        let is_plain = |word: &&str| !word.starts_with('-') || options.iter().any(|option| word.starts_with(option));
        let failed = |said: &str| StoreError::Kubectl { call: escape(&call).to_string(), said: escape(said.trim()).to_string() };
        // Against a server that does not answer; kubectl's default is to wait for ever.
        all.push("--request-timeout=30s".to_owned());
        if let Some(word) = words.iter().find(|word| !is_plain(word)) {
            return Err(failed(&format!("`{word}` is no name of an object")));
        }
        match run(&all) {
            Ok((true, out, _)) => Ok(out),
            Ok((false, _, said)) => Err(failed(&complaint(&said))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(failed(
                "there is no kubectl in PATH; install it, or hand its output over: `kubectl get pod … -o json | enoexec triage -`",
            )),
            Err(error) => Err(failed(&error.to_string())),
        }
    }
}

/// What kubectl says, without what its library logs of every attempt (`E1125 10:57:10.376590   21442 memcache.go:265] …`).
fn complaint(said: &str) -> String {
    let is_logged = |line: &str| {
        let (level, rest) = line.split_at_checked(1).unwrap_or_default();
        ["E", "W", "I"].contains(&level) && rest.bytes().take_while(u8::is_ascii_digit).count() == 4 && line.contains("] ")
    };
    let lines: Vec<&str> = said.lines().filter(|line| !is_logged(line)).collect();
    if lines.is_empty() { said.to_owned() } else { lines.join("\n") }
}

/// Runs kubectl: whether it succeeded, what it printed, and what it complained of.
fn run(words: &[String]) -> io::Result<(bool, String, String)> {
    let mut command = Command::new("kubectl");
    let mut child = command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let errors = child.stderr.take().map(|pipe| thread::spawn(move || read(pipe, 64 << 10)));
    let out = child.stdout.take().map_or(Ok(Vec::new()), |pipe| read(pipe, LARGEST));
    if out.is_err() {
        child.kill()?;
    }
    let errors = errors.and_then(|thread| thread.join().ok()).unwrap_or(Ok(Vec::new())).unwrap_or_default();
    let status = child.wait()?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((status.success(), text(out?), text(errors)))
}

fn read(pipe: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(io::Error::other("the answer is too long")) } else { Ok(bytes) }
}
