//! A container's start, followed from program to program: what the runtime execs, what that becomes, and so on to the end.

mod login;
mod packages;
mod s6_overlay;
mod scripts;
mod shells;
mod wrapped;

use crate::base::{GuestPath, escape};
use crate::format::content::Content;
use crate::image::{Credentials, EntryKind, Errno, Rootfs};
use crate::node::Node;

use super::kernel::Execution;
use super::predict::search;
use super::shell::{Started, Value};
use super::wrappers::{self, Fallback, Wrapper};
use super::{Cause, Doubt, Hop, Libc, Library, Outcome, Role, Trace, Voice};
use shells::ShellKind;

/// Programs that are followed one behind the other.
const MAX_PROGRAMS: usize = 24;
/// Programs that are looked at in all, branches too.
const MAX_LOOKS: usize = 120;

/// What is about to be executed.
#[derive(Debug, Clone)]
pub(super) struct Process {
    /// What is executed, where that is not the first word.
    pub(super) file: Option<Vec<u8>>,
    pub(super) argv: Vec<Value>,
    pub(super) env: Vec<Vec<u8>>,
    pub(super) cwd: GuestPath,
    pub(super) who: Credentials,
}

impl Process {
    fn path(&self) -> &[u8] {
        self.variable("PATH")
    }

    /// A variable's value; of one that is not set, nothing.
    fn variable(&self, name: &str) -> &[u8] {
        let found = self.env.iter().find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        found.unwrap_or_default()
    }
}

/// Who executes it.
#[derive(Debug, Clone)]
enum Caller {
    Runtime,
    /// A program whose words are not known.
    Other,
    Wrapper {
        row: &'static Wrapper,
        argv0: Vec<u8>,
        is_busybox: bool,
        libc: Option<Libc>,
    },
    Shell {
        kind: ShellKind,
        script: Vec<u8>,
        line: usize,
        is_exec: bool,
        is_text: bool,
    },
}

/// A program that runs now.
struct Running {
    /// As it was named, and where it really lies.
    invoked: Vec<u8>,
    real: GuestPath,
    argv: Vec<Value>,
}

/// What a program does next.
enum Next {
    /// It is what the container runs.
    Nothing,
    Process(Box<Process>, Caller),
    End(Outcome, Voice),
}

/// Follows a start to its end.
pub(super) fn follow(rootfs: &Rootfs, node: &Node, process: Process) -> Trace {
    let mut follower = Follower { rootfs, node, looks: 0, unfollowed: None };
    let trace = follower.follow(process, Caller::Runtime, 0);
    let is_good = matches!(trace.outcome, Outcome::Runs | Outcome::Emulated { .. });
    Trace { unfollowed: follower.unfollowed.filter(|_| is_good), ..trace }
}

/// Whether execve of what a shell starts surely fails.
pub(super) fn surely_fails(rootfs: &Rootfs, node: &Node, who: &Credentials, started: &Started) -> bool {
    let Some(trace) = one(rootfs, node, who, started) else { return false };
    match trace.outcome {
        Outcome::Fails { errno: Errno::ENOEXEC, cause: Cause::NoShebang(_) | Cause::EmptyFile | Cause::BadShebang } => false,
        Outcome::Fails { .. } => true,
        _ => false,
    }
}

/// Where PATH or a path leads to a program, if there is one; `None` where it cannot be told.
pub(super) fn where_is(rootfs: &Rootfs, node: &Node, who: &Credentials, started: &Started) -> Option<Option<Vec<u8>>> {
    let trace = one(rootfs, node, who, started)?;
    match trace.outcome {
        Outcome::Fails { cause: Cause::NotInPath { .. } | Cause::Missing | Cause::DanglingLink(_), .. } => Some(None),
        Outcome::Unsure { .. } => None,
        _ => Some(Some(trace.hops.first()?.path.clone())),
    }
}

fn one(rootfs: &Rootfs, node: &Node, who: &Credentials, started: &Started) -> Option<Trace> {
    let process =
        Process { file: None, argv: started.argv.clone(), env: started.env.clone(), cwd: started.cwd.clone(), who: who.clone() };
    start(rootfs, node, &process)
}

/// execve of a process, looked for in PATH where its name has no slash. `None` where the name is not known.
fn start(rootfs: &Rootfs, node: &Node, process: &Process) -> Option<Trace> {
    let name = process.file.as_deref().or(process.argv.first()?.as_deref())?;
    let mut execution = Execution::new(rootfs, &process.cwd, &process.who, node).given(name, &process.env);
    let outcome = if name.contains(&b'/') { execution.start(name) } else { search(&mut execution, name, process.path()) };
    Some(execution.into_trace(outcome))
}

struct Follower<'a> {
    rootfs: &'a Rootfs,
    node: &'a Node,
    looks: usize,
    /// Why a way that a script may take could not be followed, though others could.
    unfollowed: Option<&'static str>,
}

impl Follower<'_> {
    fn follow(&mut self, process: Process, caller: Caller, depth: usize) -> Trace {
        let (mut process, mut caller) = (process, caller);
        let mut story = Story::default();
        for _ in depth..MAX_PROGRAMS {
            self.looks += 1;
            if self.looks > MAX_LOOKS {
                break;
            }
            let Some(trace) = start(self.rootfs, self.node, &process) else {
                return story.end(Outcome::Unsure { because: Doubt::Script(NOT_KNOWN) }, Voice::Program(None));
            };
            let hops = trace.hops.len();
            let outcome = story.take(trace);
            if !matches!(outcome, Outcome::Runs | Outcome::Emulated { .. }) {
                match self.after_failure(&outcome, &process, &caller) {
                    Some(shell) => {
                        (process, caller) = (shell, Caller::Runtime);
                        story.by_runtime = false;
                        continue;
                    }
                    None => {
                        story.show_missing(hops, &process);
                        let is_runtimes = story.by_runtime && !matches!(outcome, Outcome::Exits { .. });
                        let voice = if is_runtimes { Voice::Runtime } else { said(&outcome, &process, &caller) };
                        return story.end(outcome, voice);
                    }
                }
            }
            story.by_runtime = false;
            // Who is not root has lost root's capabilities at the latest now (capabilities(7), "Transformation of capabilities").
            process.who.dac_override &= process.who.uid == 0;
            let step = story.hops.get(story.hops.len().saturating_sub(hops)..).unwrap_or_default();
            let Some(running) = self.running(step, &process) else { return story.end(Outcome::Runs, Voice::Runtime) };
            let next = self.next(&running, &process, depth);
            if !matches!(next, Next::Nothing) {
                // The loader has done its work, and is of no interest any more.
                story.hops.retain(|hop| hop.role != Role::Loader);
            }
            match next {
                Next::Nothing => return story.end(Outcome::Runs, Voice::Runtime),
                Next::End(outcome, voice) => return story.end(outcome, voice),
                Next::Process(next, by) => (process, caller) = (*next, by),
            }
        }
        story.end(
            Outcome::Unsure { because: Doubt::Script("it starts too many programs one behind the other") },
            Voice::Program(None),
        )
    }

    /// Which program runs at the end of one execve: interpreters get the script's path and its words.
    fn running(&self, hops: &[Hop], process: &Process) -> Option<Running> {
        let first = hops.first()?;
        let mut argv = process.argv.clone();
        let (mut invoked, mut real) = (first.path.clone(), first.found.clone()?);
        for hop in hops.iter().skip(1).filter(|hop| hop.role == Role::ScriptInterpreter) {
            let EntryKind::File { facts, .. } = &self.rootfs.get(&real)?.entry.kind else { return None };
            let Content::Script(script) = &facts.content else { return None };
            let argument = script.interpreter.as_ref()?.argument.as_ref().map(|argument| argument.to_vec());
            let rest = argv.into_iter().skip(1);
            argv = [hop.path.clone()].into_iter().chain(argument).chain([invoked]).map(Some).chain(rest).collect();
            (invoked, real) = (hop.path.clone(), hop.found.clone()?);
        }
        Some(Running { invoked, real, argv })
    }

    fn next(&mut self, running: &Running, process: &Process, depth: usize) -> Next {
        let name =
            |path: &[u8]| String::from_utf8_lossy(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()).into_owned();
        let (real, invoked) = (name(running.real.as_bytes()), name(&running.invoked));
        let argv0 = running.argv.first().cloned().flatten().unwrap_or_default();
        let mut arguments = running.argv.get(1..).unwrap_or_default();
        let is_busybox = real.starts_with("busybox");
        let mut applet = if is_busybox { name(&argv0) } else { real.clone() };
        if applet.starts_with("busybox") {
            let Some((Some(first), rest)) = arguments.split_first() else { return Next::Nothing };
            (applet, arguments) = (String::from_utf8_lossy(first).into_owned(), rest);
        }
        if [&applet, &invoked].iter().any(|name| wrappers::is_supervisor(name)) {
            return unsure(SUPERVISOR);
        }
        if applet == "s6-overlay-suexec" {
            return self.s6_overlay(arguments, process);
        }
        if let Some(kind) = ShellKind::of(&applet, is_busybox).or_else(|| ShellKind::of(&invoked, is_busybox)) {
            return self.shell(kind, &argv0, arguments, process, depth);
        }
        let row = wrappers::wrapper(&applet).or_else(|| wrappers::wrapper(&invoked));
        if wrappers::logs_in(&applet) && row.is_none_or(|row| !row.names_user(arguments)) {
            return self.logged_in(arguments, &argv0, process);
        }
        if let Some(row) = row {
            let libc = self.libc(&running.real);
            return self.wrapped(row, Caller::Wrapper { row, argv0, is_busybox, libc }, arguments, process);
        }
        match wrappers::interpreter(&applet).or_else(|| wrappers::interpreter(&invoked)) {
            Some(row) => self.interpreted(row, &argv0, arguments, process),
            None => Next::Nothing,
        }
    }

    /// Where ENOEXEC is not the end: shells and glibc's execvp run the file as a script.
    fn after_failure(&self, outcome: &Outcome, process: &Process, caller: &Caller) -> Option<Process> {
        let Outcome::Fails { errno: Errno::ENOEXEC, cause: Cause::NoShebang(_) | Cause::EmptyFile | Cause::BadShebang } = outcome
        else {
            return None;
        };
        let takes_over = match caller {
            Caller::Runtime | Caller::Other => false,
            Caller::Wrapper { row, libc, .. } => {
                row.fallback == Fallback::Shell || row.fallback == Fallback::Libc && *libc == Some(Libc::Glibc)
            }
            Caller::Shell { .. } => true,
        };
        let argv = [b"/bin/sh".to_vec()].into_iter().map(Some).chain(process.argv.clone()).collect();
        takes_over.then(|| Process { file: None, argv, ..process.clone() })
    }
}

const NOT_KNOWN: &str = "which program it starts depends on a value that is not known";
const SUPERVISOR: &str = "it starts other programs by rules of its own";

fn unsure(why: &'static str) -> Next {
    Next::End(Outcome::Unsure { because: Doubt::Script(why) }, Voice::Program(None))
}

/// All hops so far.
struct Story {
    hops: Vec<Hop>,
    libraries: Vec<Library>,
    emulator: Option<String>,
    by_runtime: bool,
}

impl Default for Story {
    fn default() -> Self {
        Self { hops: Vec::new(), libraries: Vec::new(), emulator: None, by_runtime: true }
    }
}

impl Story {
    fn take(&mut self, trace: Trace) -> Outcome {
        self.hops.extend(trace.hops);
        self.libraries = trace.libraries;
        if let Outcome::Emulated { by } = &trace.outcome {
            self.emulator.get_or_insert_with(|| by.clone());
        }
        trace.outcome
    }

    /// Writes down a program that was found nowhere, where it is not the runtime that looked for it: that has its own words.
    fn show_missing(&mut self, hops: usize, process: &Process) {
        if let (0, false, Some(Some(name))) = (hops, self.by_runtime, process.argv.first()) {
            let path = name.clone();
            self.hops.push(Hop { path, found: None, layer: None, links: Vec::new(), role: Role::Program, what: None });
        }
    }

    fn end(self, outcome: Outcome, voice: Voice) -> Trace {
        let outcome = match (outcome, self.emulator) {
            (Outcome::Runs, Some(by)) => Outcome::Emulated { by },
            (outcome, _) => outcome,
        };
        Trace { libraries: self.libraries, voice, ..Trace::new(self.hops, outcome) }
    }
}

fn shown(bytes: &[u8]) -> String {
    escape(bytes).to_string()
}

/// What the program that could not start another one prints of it.
fn said(outcome: &Outcome, process: &Process, caller: &Caller) -> Voice {
    let (errno, cause) = match outcome {
        Outcome::Fails { errno, cause } => (*errno, cause),
        other => return Voice::Program(other.said()),
    };
    let name = process.argv.first().cloned().flatten().unwrap_or_default();
    // Found in PATH, it may not be executed: that is what execvp and shells remember.
    // gosu's words are Go's, and it tells a search's end as such.
    let denied = !matches!(caller, Caller::Wrapper { row, .. } if row.fallback == Fallback::Never)
        && matches!(cause, Cause::NotInPath { passed_over: Some(super::PassedOver { mode: Some(_), .. }), .. });
    let errno = if denied { Errno::EACCES } else { errno };
    Voice::Program(match caller {
        Caller::Runtime | Caller::Other => None,
        Caller::Wrapper { row, argv0, is_busybox, libc } => {
            // The shell that glibc runs in the file's place reads it as text, and says something of its own.
            let is_masked = errno == Errno::ENOEXEC && row.fallback == Fallback::Libc && *libc != Some(Libc::Musl);
            let says = row.says(*is_busybox);
            let error = super::message::c_text(errno);
            let go = super::message::go_words(&name, errno, cause);
            let text = |says: &str| {
                says.replace("{name}", &shown(&name))
                    .replace("{argv0}", &shown(argv0))
                    .replace("{go}", &go)
                    .replace("{error}", &error)
            };
            says.filter(|_| !is_masked).map(text)
        }
        Caller::Shell { kind: ShellKind::Busybox, script, line, is_exec, is_text } => {
            shells::busybox_complaint(&shown(script), *line, (*is_exec, *is_text), &shown(&name), errno)
        }
        Caller::Shell { kind, script, line, is_exec, .. } => {
            kind.complaint(&shown(script), *line, *is_exec, &shown(&name), errno)
        }
    })
}
