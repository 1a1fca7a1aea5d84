//! A container's start, followed from program to program: what the runtime execs, what that becomes, and so on to the end.

mod packages;
mod shells;

use crate::base::{GuestPath, escape};
use crate::format::content::Content;
use crate::image::{Credentials, EntryKind, Errno, Rootfs};
use crate::node::Node;

use super::kernel::Execution;
use super::predict::search;
use super::shell::{self, End, Setting, Started, Value};
use super::wrappers::{self, Fallback, Wrapper};
use super::{Cause, Doubt, Hop, Libc, Library, Outcome, Role, Trace, Voice, launch};
use shells::{Asked, ShellKind, What};

/// Programs that are followed one behind the other.
const MAX_PROGRAMS: usize = 24;
/// Programs that are looked at in all, branches too.
const MAX_LOOKS: usize = 120;

/// What is about to be executed.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub(super) argv: Vec<Value>,
    pub(super) env: Vec<Vec<u8>>,
    pub(super) cwd: GuestPath,
    pub(super) who: Credentials,
}

impl Process {
    fn path(&self) -> &[u8] {
        self.env.iter().find_map(|variable| variable.strip_prefix(b"PATH=")).unwrap_or_default()
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
    let mut follower = Follower { rootfs, node, looks: 0 };
    follower.follow(process, Caller::Runtime, 0)
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
    let process = Process { argv: started.argv.clone(), env: started.env.clone(), cwd: started.cwd.clone(), who: who.clone() };
    start(rootfs, node, &process)
}

/// execve of a process, looked for in PATH where its name has no slash. `None` where the name is not known.
fn start(rootfs: &Rootfs, node: &Node, process: &Process) -> Option<Trace> {
    let name = process.argv.first()?.as_deref()?;
    let mut execution = Execution::new(rootfs, &process.cwd, &process.who, node).given(name, &process.env);
    let outcome = if name.contains(&b'/') { execution.start(name) } else { search(&mut execution, name, process.path()) };
    Some(execution.into_trace(outcome))
}

struct Follower<'a> {
    rootfs: &'a Rootfs,
    node: &'a Node,
    looks: usize,
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
        if let Some(kind) = ShellKind::of(&applet, is_busybox).or_else(|| ShellKind::of(&invoked, is_busybox)) {
            return self.shell(kind, &argv0, arguments, process, depth);
        }
        let row = wrappers::wrapper(&applet).or_else(|| wrappers::wrapper(&invoked));
        if let Some(row) = row {
            let libc = self.libc(&running.real);
            return self.wrapped(row, Caller::Wrapper { row, argv0, is_busybox, libc }, arguments, process);
        }
        match wrappers::interpreter(&applet).or_else(|| wrappers::interpreter(&invoked)) {
            Some(row) => self.interpreted(row, &argv0, arguments, process),
            None => Next::Nothing,
        }
    }

    /// A package manager that runs a script of package.json.
    fn packaged(&self, manager: &str, words: &[Value], process: &Process) -> Option<Next> {
        if !wrappers::is_package_manager(manager) {
            return wrappers::is_supervisor(manager).then(|| unsure(SUPERVISOR));
        }
        let Some(script) = packages::script(self.rootfs, &process.cwd, manager, words) else { return Some(unsure(SUPERVISOR)) };
        let path = [b"PATH=", script.path.as_slice(), b":", process.path()].concat();
        let others = process.env.iter().filter(|variable| !variable.starts_with(b"PATH=")).cloned();
        let argv = [b"sh".to_vec(), b"-c".to_vec(), script.text].map(Some).to_vec();
        let next = Process { argv, env: others.chain([path]).collect(), cwd: script.directory, who: process.who.clone() };
        Some(Next::Process(Box::new(next), Caller::Other))
    }

    /// The C library of a program: that of its loader; without one, glibc is taken for granted nowhere.
    fn libc(&self, path: &GuestPath) -> Option<Libc> {
        let EntryKind::File { facts, .. } = &self.rootfs.get(path)?.entry.kind else { return None };
        let Content::Elf(elf) = &facts.content else { return None };
        elf.interpreter.as_ref().map(|interpreter| super::elf::libc_of(interpreter.path()))
    }

    fn wrapped(&self, row: &'static Wrapper, caller: Caller, arguments: &[Value], process: &Process) -> Next {
        let words = row.unpacked(arguments);
        let Some(split) = words.as_ref().and_then(|words| row.split(words)) else {
            return unsure("its words are not understood");
        };
        if split.program.is_empty() {
            return Next::Nothing;
        }
        let mut next = Process { argv: split.program.to_vec(), ..process.clone() };
        if split.clears {
            next.env.clear();
        }
        for assignment in split.assignments {
            let name = assignment.split_inclusive(|byte| *byte == b'=').next().unwrap_or_default();
            next.env.retain(|variable| !variable.starts_with(name));
            next.env.push(assignment.to_vec());
        }
        if let Some(user) = row.user.and_then(|place| split.own.get(place)) {
            let Some(user) = user else { return unsure(NOT_KNOWN) };
            match launch::credentials(&String::from_utf8_lossy(user), self.rootfs) {
                Ok(who) => next.who = who,
                Err(cause) => return Next::End(Outcome::Refused { cause }, Voice::Program(None)),
            }
        }
        Next::Process(Box::new(next), caller)
    }

    /// A language's interpreter: its file is there, or it says that it is not.
    fn interpreted(&self, row: &wrappers::Interpreter, argv0: &[u8], arguments: &[Value], process: &Process) -> Next {
        let Some(file) = row.file(arguments) else { return Next::Nothing };
        let place = arguments.iter().position(|word| word.as_deref() == Some(file)).unwrap_or_default();
        let manager = String::from_utf8_lossy(file.rsplit(|byte| *byte == b'/').next().unwrap_or_default()).into_owned();
        let words = arguments.get(place.saturating_add(1)..).unwrap_or_default();
        if let Some(next) = self.packaged(&manager, words, process) {
            return next;
        }
        let is_there = |path: &[u8]| self.rootfs.resolve(&process.cwd, path, &process.who).is_ok();
        let ended = |ending: &String| [file, ending.as_bytes()].concat();
        if is_there(file)
            || row.endings.iter().any(|ending| is_there(&ended(ending)))
            || self.rootfs.is_partial()
            || self.rootfs.is_one_file()
        {
            return Next::Nothing;
        }
        let whole = if file.starts_with(b"/") { file.to_vec() } else { process.cwd.join(file).as_bytes().to_vec() };
        let text = row.says.replace("{argv0}", &shown(argv0)).replace("{name}", &shown(file)).replace("{whole}", &shown(&whole));
        let cause = Cause::ProgramMissing { file: GuestPath::new(whole) };
        Next::End(Outcome::Exits { code: row.exits, cause }, Voice::Program(Some(text)))
    }

    fn shell(&mut self, kind: ShellKind, argv0: &[u8], arguments: &[Value], process: &Process, depth: usize) -> Next {
        let Some(asked) = Asked::read(arguments) else { return unsure(NOT_KNOWN) };
        let (text, name, words) = match &asked.what {
            What::Nothing => return Next::Nothing,
            What::Text(text) => {
                let name = asked.words.first().cloned().flatten().unwrap_or_else(|| argv0.to_vec());
                (text.clone(), name, asked.words.get(1..).unwrap_or_default().to_vec())
            }
            What::File(file) => match self.script(kind, argv0, file, process) {
                Ok(text) => (text, file.clone(), asked.words.clone()),
                Err(next) => return *next,
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
            argv: started.argv.clone(),
            env: started.env.clone(),
            cwd: started.cwd.clone(),
            who: process.who.clone(),
        };
        match ending.end {
            End::Unsure(why) => unsure(why),
            End::Exit(Some(0) | None) => Next::Nothing,
            End::Exit(Some(_)) => unsure("the script exits with an error before it starts a program"),
            End::Start(started) if ending.others.is_empty() && !asked.is_login => {
                Next::Process(Box::new(becomes(&started)), caller(&started))
            }
            End::Start(started) => {
                // It depends: what is true on every way is true.
                let mut ways = ending.others.iter().filter_map(|end| match end {
                    End::Start(other) => Some(other),
                    _ => None,
                });
                let main = self.follow(becomes(&started), caller(&started), depth + 1).outcome;
                let all_run = main == Outcome::Runs
                    && ways.all(|other| self.follow(becomes(other), caller(other), depth + 1).outcome == Outcome::Runs);
                if all_run { Next::Process(Box::new(becomes(&started)), caller(&started)) } else { unsure(BRANCHES) }
            }
        }
    }

    fn script(&self, kind: ShellKind, argv0: &[u8], file: &[u8], process: &Process) -> Result<Vec<u8>, Box<Next>> {
        let Ok(found) = self.rootfs.resolve(&process.cwd, file, &process.who) else {
            if self.rootfs.is_partial() || self.rootfs.is_one_file() {
                return Err(Box::new(unsure("the script may be in what could not be read")));
            }
            let whole = if file.starts_with(b"/") { GuestPath::new(file) } else { process.cwd.join(file) };
            let cause = Cause::ProgramMissing { file: whole };
            let (code, text) = kind.cannot_open(&shown(argv0), &shown(file));
            return Err(Box::new(Next::End(Outcome::Exits { code, cause }, Voice::Program(text))));
        };
        match &found.entry.kind {
            EntryKind::File { body: Some(body), .. } => Ok(body.to_vec()),
            _ => Err(Box::new(unsure("the script is too large to be followed, or no text"))),
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
            Caller::Wrapper { row, libc, .. } => row.fallback == Fallback::Libc && *libc == Some(Libc::Glibc),
            Caller::Shell { .. } => true,
        };
        let argv = [b"/bin/sh".to_vec()].into_iter().map(Some).chain(process.argv.clone()).collect();
        takes_over.then(|| Process { argv, ..process.clone() })
    }
}

const NOT_KNOWN: &str = "which program it starts depends on a value that is not known";
const SUPERVISOR: &str = "it starts other programs by rules of its own";
const BRANCHES: &str = "it depends on a branch that only a running container decides";

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
        Trace { hops: self.hops, libraries: self.libraries, outcome, voice }
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
