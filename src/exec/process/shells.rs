//! What shells are asked on their command line, and what they say where a program cannot be started.

use crate::exec::shell::Value;
use crate::image::Errno;

/// The shells, as they differ in what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShellKind {
    Bash,
    Dash,
    Busybox,
    Other,
}

impl ShellKind {
    /// The shell of this name.
    pub(super) fn of(name: &str, is_busybox: bool) -> Option<Self> {
        Some(match name {
            "sh" | "ash" | "hush" if is_busybox => Self::Busybox,
            "bash" | "rbash" => Self::Bash,
            "dash" => Self::Dash,
            "sh" | "ash" | "ksh" | "mksh" | "ksh93" => Self::Other,
            _ => return None,
        })
    }

    /// How it ends where it cannot open the script that it is to read.
    pub(super) fn cannot_open(self, argv0: &str, file: &str, errno: Errno) -> (u8, Option<String>) {
        let error = crate::exec::message::c_text(errno);
        match self {
            Self::Bash => (if errno == Errno::ENOENT { 127 } else { 126 }, Some(format!("{argv0}: {file}: {error}"))),
            Self::Dash => {
                let error = if errno == Errno::ENOENT { "No such file" } else { error.as_str() };
                (2, Some(format!("{argv0}: 0: cannot open {file}: {error}")))
            }
            Self::Busybox => (2, Some(format!("{argv0}: can't open '{file}': {error}"))),
            Self::Other => (127, None),
        }
    }

    /// What shells print (dash `exec.c`, `shellexec`; bash `execute_cmd.c`, `shell_execve`; busybox `shell/ash.c`).
    pub(super) fn complaint(self, script: &str, line: usize, is_exec: bool, name: &str, errno: Errno) -> Option<String> {
        let exec = if is_exec { "exec: " } else { "" };
        let error = crate::exec::message::c_text(errno);
        Some(match (self, errno) {
            (Self::Dash, Errno::ENOENT) => format!("{script}: {line}: {exec}{name}: not found"),
            (Self::Dash, _) => format!("{script}: {line}: {exec}{name}: {error}"),
            (Self::Bash, Errno::ENOEXEC) => format!("{script}: line {line}: {name}: cannot execute binary file: {error}"),
            (Self::Bash, Errno::ENOENT) if name.contains('/') => format!("{script}: line {line}: {name}: {error}"),
            (Self::Bash, Errno::ENOENT) if is_exec => format!("{script}: line {line}: exec: {name}: not found"),
            (Self::Bash, Errno::ENOENT) => format!("{script}: line {line}: {name}: command not found"),
            (Self::Bash, _) => format!("{script}: line {line}: {name}: {error}"),
            _ => return None,
        })
    }
}

/// What a shell is asked to run.
pub(super) struct Asked {
    pub(super) what: What,
    pub(super) words: Vec<Value>,
    pub(super) stops_on_error: bool,
    pub(super) is_login: bool,
}

pub(super) enum What {
    Nothing,
    Text(Vec<u8>),
    File(Vec<u8>),
}

impl Asked {
    /// `sh [-e] [-c TEXT [NAME WORD…] | FILE WORD…]`. `None` where a word that decides is not known.
    pub(super) fn read(mut words: &[Value]) -> Option<Self> {
        let (mut is_text, mut stops_on_error, mut is_login) = (false, false, false);
        while let Some((first, rest)) = words.split_first() {
            let word = first.as_deref()?;
            match word {
                b"--" | b"-" => {
                    words = rest;
                    break;
                }
                b"--rcfile" | b"--init-file" => words = rest.get(1..)?,
                _ if word.starts_with(b"--") => {
                    is_login |= word == b"--login";
                    words = rest;
                }
                _ if word.len() > 1 && (word.starts_with(b"-") || word.starts_with(b"+")) => {
                    is_text |= word.contains(&b'c');
                    is_login |= word.contains(&b'l');
                    stops_on_error |= word.starts_with(b"-") && word.contains(&b'e');
                    words = if word.ends_with(b"o") || word.ends_with(b"O") { rest.get(1..)? } else { rest };
                }
                _ => break,
            }
        }
        let what = match words.split_first() {
            None => What::Nothing,
            Some((first, _)) if is_text => What::Text(first.clone()?),
            Some((first, _)) => What::File(first.clone()?),
        };
        Some(Self { what, words: words.get(1..).unwrap_or_default().to_vec(), stops_on_error, is_login })
    }
}

/// busybox' ash tells no line of a `-c` text, but for `exec`, where it counts from 0. A foreign program it reads as a script, and
/// says something of its own.
pub(super) fn busybox_complaint(
    script: &str,
    line: usize,
    (is_exec, is_text): (bool, bool),
    name: &str,
    errno: Errno,
) -> Option<String> {
    let place = match (is_exec, is_text) {
        (true, true) => format!("exec: line {}: ", line.saturating_sub(1)),
        (true, false) => format!("exec: line {line}: "),
        (false, true) => String::new(),
        (false, false) => format!("line {line}: "),
    };
    match errno {
        Errno::ENOENT => Some(format!("{script}: {place}{name}: not found")),
        Errno::EACCES => Some(format!("{script}: {place}{name}: {}", crate::exec::message::c_text(errno))),
        _ => None,
    }
}
