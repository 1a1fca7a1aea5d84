//! The kernel's part: what execve says of one file (`fs/exec.c`, `fs/binfmt_misc.c`, `fs/binfmt_script.c`).

use crate::base::GuestPath;
use crate::format::content::{Content, FileFacts};
use crate::format::elf::Elf;
use crate::image::{Credentials, EntryKind, Errno, Found, Rootfs};
use crate::node::{Node, Property};

use super::elf;
use super::isa;
use super::loader::{self, Library, LibraryFault, LibraryProblem, Linked};
use super::release;
use super::{Cause, Doubt, Hop, Outcome, PassedOver, Role, Trace};

/// Interpreters that the kernel follows one behind the other (`fs/exec.c`, `exec_binprm`).
const MOST_INTERPRETERS: usize = 5;

/// What one execve has come by so far.
#[derive(Default)]
struct Chain {
    /// The first handler of binfmt_misc that took over.
    emulator: Option<String>,
    /// A handler with flag `O` has the program as an open file.
    handed_over: bool,
    /// Something was handed over, which happens only once (`exec_binprm`, `bprm->executable`).
    is_spent: bool,
}

impl Chain {
    /// Called at each further interpreter.
    fn hands_on(&mut self) -> bool {
        let again = self.handed_over && self.is_spent;
        self.is_spent = self.handed_over;
        !again
    }

    fn explained(&self, outcome: Outcome, role: Role) -> Outcome {
        match (outcome, role, &self.emulator) {
            (Outcome::Fails { errno: Errno::ENOENT, .. }, Role::Emulator, Some(handler)) => {
                fails(Errno::ENOENT, Cause::EmulatorMissing { handler: handler.clone() })
            }
            (outcome, ..) => outcome,
        }
    }
}

/// One execve under way.
pub(super) struct Execution<'a> {
    pub(super) rootfs: &'a Rootfs,
    pub(super) node: &'a Node,
    cwd: &'a GuestPath,
    who: &'a Credentials,
    /// `argv[0]` and the environment, which the kernel only hands on.
    name: Option<&'a [u8]>,
    env: &'a [Vec<u8>],
    hops: Vec<Hop>,
    libraries: Vec<Library>,
}

impl<'a> Execution<'a> {
    pub(super) fn new(rootfs: &'a Rootfs, cwd: &'a GuestPath, who: &'a Credentials, node: &'a Node) -> Self {
        Self { rootfs, node, cwd, who, name: None, env: &[], hops: Vec::new(), libraries: Vec::new() }
    }

    /// With what the program is given.
    pub(super) fn given(self, name: &'a [u8], env: &'a [Vec<u8>]) -> Self {
        Self { name: Some(name), env, ..self }
    }

    pub(super) fn into_trace(self, outcome: Outcome) -> Trace {
        Trace { libraries: self.libraries, ..Trace::new(self.hops, outcome) }
    }

    /// What a search in PATH makes of a candidate: nothing is there, it is passed over, or (`Some(None)`) it is taken.
    pub(super) fn look_up(&self, path: &[u8]) -> Option<Option<PassedOver>> {
        let found = self.rootfs.resolve(self.cwd, path, self.who).ok()?;
        let mode = Some(found.entry.mode).filter(|_| !found.is_directory());
        let is_taken = mode.is_some() && self.who.may_execute(found.entry) && !self.rootfs.is_noexec(&found.path);
        Some((!is_taken).then_some(PassedOver { path: GuestPath::new(path), mode }))
    }

    /// execve of `path`.
    pub(super) fn start(&mut self, path: &[u8]) -> Outcome {
        if self.node.platform.os != "linux" || self.node.code().is_none() {
            return Outcome::Unsure { because: Doubt::NotModelled("the node's platform") };
        }
        let mut chain = Chain::default();
        let outcome = self.follow(path, &mut chain);
        match (outcome, chain.emulator) {
            (Outcome::Runs, Some(by)) => Outcome::Emulated { by },
            (outcome, _) => outcome,
        }
    }

    /// One interpreter after the other, as `exec_binprm` goes on.
    fn follow(&mut self, path: &[u8], chain: &mut Chain) -> Outcome {
        let node = self.node;
        let (mut path, mut role) = (path.to_vec(), Role::Program);
        for depth in 0.. {
            let facts = match self.open(&path, role) {
                Ok(facts) => facts,
                Err(outcome) => return chain.explained(outcome, role),
            };
            if !chain.hands_on() {
                return fails(Errno::ENOEXEC, Cause::InterpreterLoop);
            }
            if depth > MOST_INTERPRETERS {
                return fails(Errno::ELOOP, Cause::InterpreterLoop);
            }
            if let Some(handler) = node.handlers.iter().find(|handler| handler.matches(&facts.head, &path)) {
                chain.emulator.get_or_insert_with(|| handler.name.clone());
                if handler.fixed {
                    let outcome = handler.loader.as_ref().map_or(Outcome::Runs, |loader| elf::load_fixed(self, loader));
                    return chain.explained(outcome, Role::Emulator);
                }
                chain.handed_over |= handler.hands_over;
                (path, role) = (handler.interpreter.clone(), Role::Emulator);
                continue;
            }
            let Content::Script(script) = &facts.content else { return self.run(facts) };
            let Some(interpreter) = &script.interpreter else { return fails(Errno::ENOEXEC, Cause::BadShebang) };
            (path, role) = (interpreter.path.to_vec(), Role::ScriptInterpreter);
        }
        fails(Errno::ELOOP, Cause::InterpreterLoop)
    }

    /// A file that no handler and no `#!` line hands on.
    fn run(&mut self, facts: &'a FileFacts) -> Outcome {
        match &facts.content {
            Content::Elf(program) => match elf::load(self, program) {
                Outcome::Runs => self.link(program),
                outcome => outcome,
            },
            other => fails(Errno::ENOEXEC, not_a_program(other)),
        }
    }

    /// What the C library, the dynamic loader and the CPU make of a program that the kernel has started.
    fn link(&mut self, program: &'a Elf) -> Outcome {
        let (rootfs, node) = (self.rootfs, self.node);
        let refused = self.parts(program).and_then(|(program, loader)| release::check(rootfs, node, program, loader));
        if let Some(outcome) = refused {
            return outcome;
        }
        let linked = self.linked(program).unwrap_or_default();
        self.libraries = linked.libraries;
        let Some(fault) = linked.fault else { return self.on_the_cpu(program) };
        if let Some(because) = self.doubt() {
            return Outcome::Unsure { because };
        }
        self.leave_loader();
        self.show(&fault);
        Outcome::Exits { code: fault.exit_code(), cause: Cause::Library(Box::new(fault)) }
    }

    /// The program that was started, and its dynamic loader.
    fn parts(&self, program: &'a Elf) -> Option<(isa::Part<'_>, Option<isa::Part<'_>>)> {
        let starter = self.hops.iter().rfind(|hop| hop.role != Role::Loader)?;
        let name = self.name.filter(|_| starter.role == Role::Program).unwrap_or(&starter.path);
        let loader = self.hops.last().filter(|hop| hop.role == Role::Loader).and_then(|hop| hop.found.as_ref());
        let loader = loader.and_then(|path| Some(isa::Part { name: path.as_bytes(), path, elf: self.elf_at(path)? }));
        Some((isa::Part { name, path: starter.found.as_ref()?, elf: program }, loader))
    }

    fn elf_at(&self, path: &GuestPath) -> Option<&'a Elf> {
        match &self.rootfs.get(path)?.entry.kind {
            EntryKind::File { facts, .. } => match &facts.content {
                Content::Elf(elf) => Some(elf),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the node's CPU has what the program, its loader and its libraries were built for.
    fn on_the_cpu(&mut self, program: &'a Elf) -> Outcome {
        let Some((program, loader)) = self.parts(program) else { return Outcome::Runs };
        let library = |library: &'_ Library| Some((library.path.clone()?, library.found.clone()?));
        let paths: Vec<(Box<[u8]>, GuestPath)> = self.libraries.iter().filter_map(library).collect();
        let libraries: Vec<isa::Part<'_>> =
            paths.iter().filter_map(|(name, path)| Some(isa::Part { name, path, elf: self.elf_at(path)? })).collect();
        let lacking = isa::check(self.node, program, loader, &libraries);
        lacking.map_or(Outcome::Runs, |outcome| elf::unless_unsure(self.node, Property::Level, outcome))
    }

    fn linked(&self, program: &'a Elf) -> Option<Linked> {
        let [.., starter, named] = self.hops.as_slice() else { return None };
        let (path, loader_path) = (starter.found.as_ref()?, named.found.as_ref().filter(|_| named.role == Role::Loader)?);
        let EntryKind::File { facts, .. } = &self.rootfs.get(loader_path)?.entry.kind else { return None };
        let Content::Elf(loader) = &facts.content else { return None };
        let entry = self.rootfs.get(path)?.entry;
        loader::link(&loader::Start {
            rootfs: self.rootfs,
            node: self.node,
            cwd: self.cwd,
            who: self.who,
            name: self.name.filter(|_| starter.role == Role::Program).unwrap_or(&starter.path),
            env: self.env,
            path,
            program,
            loader_name: &named.path,
            loader_path,
            loader,
            is_secure: entry.mode & 0o4000 != 0 && entry.uid != self.who.uid
                || entry.mode & 0o2000 != 0 && entry.gid != self.who.gid,
        })
    }

    /// Writes down the file that needs a library, and the library.
    fn show(&mut self, fault: &LibraryFault) {
        let program = self.hops.last().and_then(|hop| hop.found.clone());
        if program.as_ref() != Some(&fault.needed_by)
            && let Some(found) = self.rootfs.get(&fault.needed_by)
        {
            self.hops.push(hop(&fault.needed_by_name, &found, Role::Library));
        }
        match &fault.why {
            LibraryProblem::Missing => {
                let path = fault.library.to_vec();
                self.hops.push(Hop { path, found: None, layer: None, links: Vec::new(), role: Role::Library, what: None });
            }
            LibraryProblem::WrongMachine { at, .. } | LibraryProblem::OtherAbi { at, .. } | LibraryProblem::Broken { at, .. } => {
                if let Some(found) = self.rootfs.get(at) {
                    self.hops.push(hop(&fault.library, &found, Role::Library));
                }
            }
            // What is to be mended is the file that needs too much.
            LibraryProblem::Versions { .. } => {}
        }
    }

    /// Why a file that is missing here may be there when the image runs.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        if self.rootfs.is_one_file() {
            return Some(Doubt::OnlyFile);
        }
        self.rootfs.is_partial().then_some(Doubt::LayerUnread)
    }

    /// Opens a file to execute it (`fs/exec.c`, `do_open_execat`), and writes it down as a hop.
    pub(super) fn open(&mut self, path: &[u8], role: Role) -> Result<&'a FileFacts, Outcome> {
        // For the kernel, unlike for open(2), an interpreter without a name is the directory that the process is in.
        let wanted = if path.is_empty() && role != Role::Program { b".".as_slice() } else { path };
        let found = match self.rootfs.resolve(self.cwd, wanted, self.who) {
            Ok(found) => found,
            Err(errno) => {
                let cause = self.why_not_found(errno, wanted, role);
                self.hops.push(Hop { path: path.to_vec(), found: None, layer: None, links: Vec::new(), role, what: None });
                let doubt = self.doubt().filter(|_| errno == Errno::ENOENT);
                return Err(doubt.map_or_else(|| fails(errno, cause), |because| Outcome::Unsure { because }));
            }
        };
        self.hops.push(hop(path, &found, role));
        if self.rootfs.may_be_hidden(Some(found.layer)) {
            return Err(Outcome::Unsure { because: Doubt::LayerUnread });
        }
        match &found.entry.kind {
            EntryKind::Directory => Err(fails(Errno::EACCES, Cause::IsDirectory)),
            EntryKind::File { .. } if self.rootfs.is_noexec(&found.path) => Err(fails(Errno::EACCES, Cause::NoexecMount)),
            EntryKind::File { facts, .. } if self.who.may_execute(found.entry) => Ok(facts),
            EntryKind::File { .. } => Err(fails(Errno::EACCES, Cause::NotExecutable { mode: found.entry.mode })),
            _ => Err(fails(Errno::EACCES, Cause::NotAFile)),
        }
    }

    /// Takes back the hop to the dynamic loader, where what goes wrong is the program's own doing.
    pub(super) fn leave_loader(&mut self) {
        self.hops.pop_if(|hop| hop.role == Role::Loader);
    }

    fn why_not_found(&self, errno: Errno, path: &[u8], role: Role) -> Cause {
        match (errno, role) {
            (Errno::ENOTDIR, _) => Cause::NotADirectory,
            (Errno::EACCES, _) => Cause::SearchDenied,
            (Errno::ELOOP, _) => Cause::LinkLoop,
            (Errno::ENAMETOOLONG, _) => Cause::NameTooLong,
            (_, Role::ScriptInterpreter) => match path.strip_suffix(b"\r") {
                Some(interpreter) => Cause::CarriageReturn { interpreter: interpreter.to_vec() },
                None => Cause::InterpreterMissing,
            },
            _ => self.dangling_link(path).map_or(Cause::Missing, Cause::DanglingLink),
        }
    }

    /// Where the symbolic link at `path` points, if there is one.
    fn dangling_link(&self, path: &[u8]) -> Option<GuestPath> {
        let path = GuestPath::new(if path.starts_with(b"/") { path.to_vec() } else { self.cwd.join(path).as_bytes().to_vec() });
        let directory = self.rootfs.resolve(self.cwd, path.parent()?.as_bytes(), self.who).ok()?;
        let link = self.rootfs.get(&directory.path.join(path.name()))?;
        let EntryKind::Symlink(target) = &link.entry.kind else { return None };
        Some(if target.starts_with(b"/") { GuestPath::new(target) } else { directory.path.join(target) })
    }
}

fn hop(path: &[u8], found: &Found<'_>, role: Role) -> Hop {
    let what = match &found.entry.kind {
        EntryKind::Directory => "directory".to_owned(),
        EntryKind::File { facts, .. } => facts.content.summary(),
        _ => "device, pipe or socket".to_owned(),
    };
    let (found, layer, links) = (Some(found.path.clone()), Some(found.layer), found.links.clone());
    Hop { path: path.to_vec(), found, layer, links, role, what: Some(what) }
}

pub(super) fn fails(errno: Errno, cause: Cause) -> Outcome {
    Outcome::Fails { errno, cause }
}

fn not_a_program(content: &Content) -> Cause {
    match content {
        Content::Empty => Cause::EmptyFile,
        Content::Text(text) => Cause::NoShebang(*text),
        Content::MachO(macho) => Cause::MachO { machines: macho.machines().collect() },
        Content::Pe(pe) => Cause::Pe { machine: pe.name() },
        Content::Wasm => Cause::Wasm,
        Content::JavaClass => Cause::JavaClass,
        Content::Bitcode => Cause::Bitcode,
        Content::Archive(archive) => Cause::Archive(*archive),
        Content::GitLfsPointer => Cause::GitLfsPointer,
        Content::Html => Cause::Html,
        Content::Script(_) | Content::Elf(_) | Content::Data => Cause::UnknownFormat,
    }
}
