//! Credential helpers: programs that are asked on standard input and answer on standard output (Docker's
//! `docker-credential-helpers`).

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::Credential;
use crate::base::escape;

/// An answer is a small JSON document.
const ANSWER_LIMIT: u64 = 1 << 20;

/// Some ask a cloud first, or a person to unlock a keychain.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// Asks the helper `name` who to be at `server`; `None` if it knows nobody.
///
/// # Errors
/// There is no such program, it does not answer in time, or it fails. The text goes on after its name, and quotes nothing of
/// what may be a secret.
pub(super) fn ask(name: &str, server: &str) -> Result<Option<Credential>, String> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return Err("is no name of a helper".to_owned());
    }
    let mut command = Command::new(format!("docker-credential-{name}"));
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "is not in PATH".to_owned(),
        _ => format!("cannot be started: {error}"),
    })?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read has its answer ready.
        let _ = input.write_all(server.as_bytes());
    }
    let (give, taken) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        // The thread is not waited for: a grandchild may keep the pipe open for ever.
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = output.take(ANSWER_LIMIT).read_to_end(&mut bytes);
            drop(give.send(bytes));
        });
    }
    let answer = taken.recv_timeout(PATIENCE);
    if answer.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let answer = answer.map_err(|_| format!("does not answer within {} seconds", PATIENCE.as_secs()))?;
    if status.success() { understood(&answer) } else { refused(&answer) }
}

fn understood(answer: &[u8]) -> Result<Option<Credential>, String> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| "gives no answer that can be understood".to_owned())?;
    Ok(Credential::pair(answer.username, answer.secret))
}

/// Helpers say on standard output why they fail; that they know nobody is no failure (`credentials/error.go` there).
fn refused(answer: &[u8]) -> Result<Option<Credential>, String> {
    let text = String::from_utf8_lossy(answer);
    let text = text.trim();
    if text.contains("credentials not found") || text.contains("no credentials server URL") {
        return Ok(None);
    }
    let line: String = text.lines().next().unwrap_or("without a word").chars().take(200).collect();
    Err(format!("fails: {}", escape(&line)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Credential, Secret};
    use super::{ask, refused, understood};

    #[test]
    fn answers() {
        let password = understood(br#"{"ServerURL": "x", "Username": "AWS", "Secret": "s"}"#).unwrap();
        assert_eq!(password, Some(Credential::Password { user: "AWS".into(), password: Secret::new("s") }));
        let token = understood(br#"{"Username": "<token>", "Secret": "s"}"#).unwrap();
        assert_eq!(token, Some(Credential::Identity(Secret::new("s"))));
        assert_eq!(understood(br#"{"Username": "", "Secret": ""}"#), Ok(None));
        assert_eq!(refused(b"credentials not found in native keychain\n"), Ok(None));
        assert_eq!(refused(b"exit \x1b[0m\n"), Err("fails: exit \\x1b[0m".into()));
    }

    #[test]
    fn a_name_is_no_path() {
        for name in ["", "../x", "a/b", "a b", "a;b"] {
            assert_eq!(ask(name, "x"), Err("is no name of a helper".into()));
        }
        let absent = ask("enoexec-no-such-helper", "x");
        assert_eq!(absent, Err("is not in PATH".into()));
    }

    proptest! {
        #[test]
        fn no_answer_is_quoted(secret in "[a-z]{8}") {
            let answer = format!("{{\"Secret\": \"{secret}\", ");
            prop_assert!(!understood(answer.as_bytes()).unwrap_err().contains(&secret));
        }
    }
}
