//! Shells: what the text or the script that they are asked to run comes to.

use crate::base::GuestPath;
use crate::exec::shell::{self, End, Setting, Started, Value};
use crate::exec::{Cause, Outcome, Voice};
use crate::image::{EntryKind, Errno};

use super::shells::{Asked, ShellKind, What};
use super::{Caller, Follower, NOT_KNOWN, Next, Process, shown, unsure};

const BRANCHES: &str = "it depends on a branch that only a running container decides";

fn runs(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Runs | Outcome::Emulated { .. })
}

impl Follower<'_> {
    pub(super) fn shell(&mut self, kind: ShellKind, argv0: &[u8], arguments: &[Value], process: &Process, depth: usize) -> Next {
        let Some(asked) = Asked::read(arguments) else { return unsure(NOT_KNOWN) };
        let (text, name, words) = match &asked.what {
            What::Nothing => return Next::Nothing,
            What::Text(text) => {
                let name = asked.words.first().cloned().flatten().unwrap_or_else(|| argv0.to_vec());
                (text.clone(), name, asked.words.get(1..).unwrap_or_default().to_vec())
            }
            What::File(file) => match (self.scripted(file, &asked.words, process), self.script(kind, argv0, file, process)) {
                (Some(next), Ok(_)) => return next,
                (None, Ok(text)) => (text, file.clone(), asked.words.clone()),
                (_, Err(next)) => return *next,
            },
        };
        let setting = Setting {
            rootfs: self.rootfs,
            node: self.node,
            who: &process.who,
            name: name.clone(),
            arguments: words,
            env: process.env.clone(),
            cwd: process.cwd.clone(),
            stops_on_error: asked.stops_on_error,
        };
        let ending = shell::run(&setting, &text);
        let is_text = matches!(asked.what, What::Text(_));
        let caller = |started: &Started| {
            // Only bash names the file that a function comes from.
            let script = started.file.clone().filter(|_| kind == ShellKind::Bash).unwrap_or_else(|| name.clone());
            Caller::Shell { kind, script, line: started.line, is_exec: started.is_exec, is_text }
        };
        let becomes = |started: &Started| Process {
            file: None,
            argv: started.argv.clone(),
            env: started.env.clone(),
            cwd: started.cwd.clone(),
            who: process.who.clone(),
        };
        let unfollowed = ending.others.iter().find_map(|end| match end {
            End::Unsure(why) => Some(*why),
            _ => None,
        });
        self.unfollowed = self.unfollowed.or(unfollowed);
        let others: Vec<&Started> = ending.others.iter().filter_map(End::started).collect();
        match ending.end {
            End::Unsure(why) => unsure(why),
            End::Exit(Some(0) | None) => {
                let ways = others.into_iter().map(|started| (becomes(started), caller(started))).collect();
                if !self.all_run(ways, depth) {
                    self.unfollowed = self.unfollowed.or(Some(BRANCHES));
                }
                Next::Nothing
            }
            End::Exit(Some(_)) => unsure("the script exits with an error before it starts a program"),
            End::Start(started) if ending.others.is_empty() && !asked.is_login => {
                Next::Process(Box::new(becomes(&started)), caller(&started))
            }
            End::Start(started) => {
                let ends_well = |end: &End| matches!(end, End::Exit(Some(0) | None) | End::Unsure(_));
                // What a profile does beforehand is not read, so that with one nothing fails for sure.
                let may_fail = !asked.is_login && !ending.others.iter().any(ends_well);
                let ways = [&started].into_iter().chain(others);
                let ways = ways.map(|started| (becomes(started), caller(started))).collect();
                if self.end_alike(ways, may_fail, depth) {
                    Next::Process(Box::new(becomes(&started)), caller(&started))
                } else {
                    unsure(BRANCHES)
                }
            }
        }
    }

    /// Where it depends on a branch, what is true on every way is true: all run, or (where that may be said) all end badly alike.
    fn end_alike(&mut self, ways: Vec<(Process, Caller)>, may_fail: bool, depth: usize) -> bool {
        let outcomes = self.outcomes(ways, depth);
        let Some((first, rest)) = outcomes.split_first() else { return false };
        outcomes.iter().all(runs) || may_fail && first.cause().is_some() && rest.iter().all(|other| other == first)
    }

    fn all_run(&mut self, ways: Vec<(Process, Caller)>, depth: usize) -> bool {
        self.outcomes(ways, depth).iter().all(runs)
    }

    fn outcomes(&mut self, ways: Vec<(Process, Caller)>, depth: usize) -> Vec<Outcome> {
        ways.into_iter().map(|(process, caller)| self.follow(process, caller, depth + 1).outcome).collect()
    }

    fn script(&self, kind: ShellKind, argv0: &[u8], file: &[u8], process: &Process) -> Result<Vec<u8>, Box<Next>> {
        let cannot_open = |errno, cause| {
            let (code, text) = kind.cannot_open(&shown(argv0), &shown(file), errno);
            Err(Box::new(Next::End(Outcome::Exits { code, cause }, Voice::Program(text))))
        };
        let found = match self.rootfs.resolve(&process.cwd, file, &process.who) {
            Ok(found) => found,
            Err(Errno::ENOENT) if self.rootfs.is_partial() || self.rootfs.is_one_file() => {
                return Err(Box::new(unsure("the script may be in what could not be read")));
            }
            Err(Errno::EACCES) => return cannot_open(Errno::EACCES, Cause::SearchDenied),
            Err(errno) => {
                let whole = if file.starts_with(b"/") { GuestPath::new(file) } else { process.cwd.join(file) };
                return cannot_open(errno, Cause::ProgramMissing { file: whole });
            }
        };
        if !process.who.may_read(found.entry) {
            return cannot_open(Errno::EACCES, Cause::NotReadable { mode: found.entry.mode });
        }
        match &found.entry.kind {
            EntryKind::File { body: Some(body), .. } => Ok(body.to_vec()),
            _ => Err(Box::new(unsure("the script is too large to be followed, or no text"))),
        }
    }
}
