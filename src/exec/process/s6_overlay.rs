//! s6-overlay, version 3: what its `/init` makes of the words behind it.
//!
//! `/init` becomes `s6-overlay-suexec`, and that `libexec/stage0`, which sets up a supervision tree below `/run`; the tree's
//! `rc.init` brings the services up and then runs the words, as a shell does.

use crate::base::GuestPath;
use crate::exec::shell::{Value, unquoted};
use crate::image::EntryKind;

use super::shells::ShellKind;
use super::{Caller, Follower, NOT_KNOWN, Next, Process, SUPERVISOR, unsure};

/// As whom `rc.init` speaks: the copy that `stage0` makes.
const RUNNING: &[u8] = b"/run/s6/basedir/scripts/rc.init";

impl Follower<'_> {
    /// `s6-overlay-suexec BLOCK… '' STAGE0 WORD…`, as `/init` writes it. A block's words begin with a blank, and an empty word ends
    /// it (execline's `el_semicolon`).
    pub(super) fn s6_overlay(&self, arguments: &[Value], process: &Process) -> Next {
        let words = arguments.iter().position(|word| word.as_deref() == Some(b"")).and_then(|end| arguments.get(end + 1..));
        let Some((Some(stage0), words)) = words.and_then(<[Value]>::split_first) else { return unsure(NOT_KNOWN) };
        if words.is_empty() {
            return unsure(SUPERVISOR);
        }
        let variable = |name: &str| process.variable(name);
        let (Some(keeps), Some(signals)) = (number(variable("S6_KEEP_ENV")), number(variable("S6_CMD_RECEIVE_SIGNALS"))) else {
            return unsure(NOT_KNOWN);
        };
        let Some(line) = self.line_of_words(stage0, signals > 0, process) else { return unsure(SUPERVISOR) };
        let before = unquoted(variable("S6_CMD_ARG0"));
        let mut next = process.clone();
        next.file = None;
        next.argv = before.into_iter().chain(words.iter().cloned()).collect();
        // s6-linux-init starts the tree with an empty environment but for PATH; `with-contenv` brings the container's back.
        next.env.retain(|variable| keeps != 0 || variable.starts_with(b"PATH="));
        let kind = self.system_shell(process);
        Next::Process(Box::new(next), Caller::Shell { kind, script: RUNNING.to_vec(), line, is_exec: false, is_text: false })
    }

    /// The line of `rc.init` that runs the words; there is one for those that get their signals through s6.
    fn line_of_words(&self, stage0: &[u8], with_signals: bool, process: &Process) -> Option<usize> {
        let path = [stage0.strip_suffix(b"libexec/stage0")?, b"etc/s6-linux-init/skel/rc.init"].concat();
        let found = self.rootfs.resolve(&GuestPath::root(), &path, &process.who).ok()?;
        let EntryKind::File { body: Some(body), .. } = &found.entry.kind else { return None };
        let wanted: &[u8] = if with_signals { b"$arg0 \"$@\" &" } else { b"$arg0 \"$@\"" };
        body.split(|byte| *byte == b'\n').position(|line| line.trim_ascii() == wanted).map(|index| index + 1)
    }

    /// What `/bin/sh` is.
    fn system_shell(&self, process: &Process) -> ShellKind {
        let found = self.rootfs.resolve(&GuestPath::root(), b"/bin/sh", &process.who);
        let name = found.map(|found| String::from_utf8_lossy(found.path.name()).into_owned()).unwrap_or_default();
        let is_busybox = name.starts_with("busybox");
        ShellKind::of(if is_busybox { "sh" } else { &name }, is_busybox).unwrap_or(ShellKind::Other)
    }
}

/// As s6-overlay's scripts read their switches: nothing is 0.
fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() { Some(0) } else { std::str::from_utf8(text).ok()?.parse().ok() }
}
