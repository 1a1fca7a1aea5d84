//! What would happen: from an image's config to what the kernel answers. No I/O, no prose.

mod elf;
mod fate;
mod isa;
mod kernel;
mod launch;
mod loader;
mod message;
mod mips;
mod names;
mod predict;
mod process;
mod property;
mod release;
mod shell;
#[cfg(test)]
mod tests;
mod wrappers;

use crate::base::GuestPath;
use crate::format::content::{Archive, Text};
use crate::format::elf::{Endian, Machine};
use crate::image::Errno;
use crate::node::Property;

pub use elf::libc_in;
pub use isa::CpuFault;
pub use launch::{DEFAULT_PATH, Launch, LaunchError, Overrides, launch};
pub use loader::{Library, LibraryFault, LibraryProblem, MissingVersion};
pub use message::{crun_message, message};
pub use predict::{predict, predict_path};
pub use release::KernelFault;

/// The story of one start: each file that is opened to be executed, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The files, in the order in which they are opened. The last is the one that decides.
    pub hops: Vec<Hop>,
    /// The libraries that the dynamic loader brings into the last program that is started, where it is a loader that is known.
    pub libraries: Vec<Library>,
    /// How it ends.
    pub outcome: Outcome,
    /// Who tells of it.
    pub voice: Voice,
    /// Why another way, which a script may take as well, could not be followed. What is said of the end is true of all others.
    pub unfollowed: Option<&'static str>,
}

/// Who prints what is seen of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Voice {
    /// The container runtime, whose exec it was, in words that follow from the outcome; or nobody, where nothing failed.
    Runtime,
    /// A program that was started before: a shell, a wrapper, a loader. `None` where its words are not known.
    Program(Option<String>),
}

impl Trace {
    /// A start of which nothing can be told.
    pub fn unsure(because: Doubt) -> Self {
        Self::without_hops(Outcome::Unsure { because })
    }

    /// A start that the runtime refuses before it looks for a file.
    pub fn refused(cause: Cause) -> Self {
        Self::without_hops(Outcome::Refused { cause })
    }

    /// A start that ends before a file is opened.
    pub fn without_hops(outcome: Outcome) -> Self {
        Self::new(Vec::new(), outcome)
    }

    /// A start of which no libraries are known.
    pub fn new(hops: Vec<Hop>, outcome: Outcome) -> Self {
        Self { hops, libraries: Vec::new(), outcome, voice: Voice::Runtime, unfollowed: None }
    }

    /// The file that is to be mended: the last that was found. What is missing has no layer and no build step, but the file that
    /// names it has: of an interpreter, a loader or a library the one before, of a program the script or wrapper that starts it.
    pub fn deciding(&self) -> Option<&Hop> {
        let is_program = self.hops.last().is_some_and(|hop| hop.role == Role::Program);
        let names_it = |hop: &&Hop| hop.found.is_some() && (!is_program || hop.role == Role::Program);
        self.hops.iter().rev().find(names_it).or(self.hops.last())
    }
}

impl Hop {
    /// Where it lies, or where it was looked for.
    pub fn place(&self) -> GuestPath {
        self.found.clone().unwrap_or_else(|| GuestPath::new(&self.path))
    }
}

/// One file on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The path as the previous hop names it.
    pub path: Vec<u8>,
    /// Where it really lies; `None` if it leads nowhere.
    pub found: Option<GuestPath>,
    /// The layer that brought it, counted from 0 at the bottom.
    pub layer: Option<usize>,
    /// The symbolic links that led from the one to the other, in order.
    pub links: Vec<GuestPath>,
    /// Its part in the story.
    pub role: Role,
    /// What the file is, in a few words of the field: `ELF x86_64 executable, dynamically linked`, `script`; `None` if nothing was found.
    pub what: Option<String>,
}

/// A hop's part in the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What the container runtime execs.
    Program,
    /// The interpreter that a `#!` line names.
    ScriptInterpreter,
    /// The dynamic loader that an ELF file names (`PT_INTERP`).
    Loader,
    /// A shared library that the dynamic loader loads or looks for.
    Library,
    /// The emulator that binfmt_misc puts before the program.
    Emulator,
}

/// How a start ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The kernel starts it.
    Runs,
    /// An emulator starts it.
    Emulated {
        /// The handler's name.
        by: String,
    },
    /// The container runtime refuses before it looks for a file: there is no command, or no such user.
    Refused {
        /// Because of this.
        cause: Cause,
    },
    /// execve (or what the runtime does before it) fails.
    Fails {
        /// With this errno.
        errno: Errno,
        /// Because of this.
        cause: Cause,
    },
    /// The kernel starts it, and it dies at once.
    Dies {
        /// Of this signal's number.
        signal: u8,
        /// Because of this.
        cause: Cause,
    },
    /// The kernel starts it, and it exits at once with a word of its own.
    Exits {
        /// With this code.
        code: u8,
        /// Because of this.
        cause: Cause,
    },
    /// It cannot be told.
    Unsure {
        /// Because of this.
        because: Doubt,
    },
}

/// Why a start fails: typed evidence. The last hop of the trace is the file that it is about. [`Cause::name`] is what rules and reports call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Neither entrypoint nor command.
    NoCommand,
    /// The configured user is not in /etc/passwd.
    NoSuchUser(String),
    /// The configured group is not in /etc/group.
    NoSuchGroup(String),
    /// The working directory is a file, or may not be entered.
    WorkingDirectory(Vec<u8>),
    /// A name without slash that no directory of PATH has.
    NotInPath {
        /// The name.
        name: Vec<u8>,
        /// PATH, as the container has it.
        path: Vec<u8>,
        /// What has the name in a directory of PATH, but may not be executed.
        passed_over: Option<PassedOver>,
    },
    /// Nothing is at the path.
    Missing,
    /// A symbolic link whose target is missing.
    DanglingLink(GuestPath),
    /// A part of the path is no directory.
    NotADirectory,
    /// The path is a directory.
    IsDirectory,
    /// A device, pipe or socket.
    NotAFile,
    /// No execute permission for this user.
    NotExecutable {
        /// The file's mode.
        mode: u32,
    },
    /// A script that this user may execute, but that its interpreter may not read.
    NotReadable {
        /// The file's mode.
        mode: u32,
    },
    /// It lies in a file system that is mounted with `noexec`.
    NoexecMount,
    /// A directory on the way may not be searched by this user.
    SearchDenied,
    /// Symbolic links in a circle, or more than 40.
    LinkLoop,
    /// A name of more than 255 bytes, or a path of 4,096.
    NameTooLong,
    /// ELF for another machine.
    WrongMachine {
        /// `e_machine`.
        machine: Machine,
        /// 32 or 64.
        bits: Option<u8>,
        /// Byte order.
        endian: Option<Endian>,
    },
    /// ELF for the node's 32-bit sibling, which this node does not run.
    NoCompat {
        /// `e_machine`.
        machine: Machine,
    },
    /// ELF of the right machine that is no program: an object file, a core dump.
    NotAProgram(&'static str),
    /// ELF that was cut off: its segments reach beyond its end.
    Truncated {
        /// Bytes that the segments need.
        needed: u64,
        /// Bytes that there are.
        size: u64,
    },
    /// ELF that cannot be mapped in the node's pages.
    PageSize {
        /// Bytes of the node's pages.
        page: u64,
        /// Bytes of the largest pages that the file was linked for.
        align: u64,
    },
    /// ELF whose headers the kernel refuses; which field.
    MalformedElf(&'static str),
    /// No bytes.
    EmptyFile,
    /// Text without `#!`.
    NoShebang(Text),
    /// `#!` and nothing that the kernel accepts behind it.
    BadShebang,
    /// macOS's.
    MachO {
        /// The machines it is for.
        machines: Vec<&'static str>,
    },
    /// Windows'.
    Pe {
        /// The machine it is for.
        machine: Option<&'static str>,
    },
    /// WebAssembly.
    Wasm,
    /// Java bytecode.
    JavaClass,
    /// LLVM bitcode.
    Bitcode,
    /// An archive; for Go the sign that the package was not `main`.
    Archive(Archive),
    /// A git-lfs pointer.
    GitLfsPointer,
    /// An HTML page, such as a download's error page.
    Html,
    /// Bytes that mean nothing to the kernel.
    UnknownFormat,
    /// The `#!` line ends in a carriage return, which becomes part of the interpreter's name.
    CarriageReturn {
        /// The name without it.
        interpreter: Vec<u8>,
    },
    /// The interpreter that a `#!` line names is missing.
    InterpreterMissing,
    /// The dynamic loader is missing.
    LoaderMissing {
        /// Which C library the program was linked with.
        wants: Libc,
        /// Which one the image has.
        has: Option<Libc>,
    },
    /// The dynamic loader is for another machine (ELIBBAD).
    LoaderWrongMachine {
        /// The loader's `e_machine`.
        machine: Machine,
    },
    /// The dynamic loader is no ELF file, or a broken one.
    LoaderBroken,
    /// The dynamic loader is for programs of another kind; which.
    LoaderOtherAbi(&'static str),
    /// The node's CPU lacks instructions.
    Cpu(Box<CpuFault>),
    /// The node's kernel is older than the C library takes.
    Kernel(Box<KernelFault>),
    /// The file that an interpreter is to read is missing.
    ProgramMissing {
        /// Where it was looked for.
        file: GuestPath,
    },
    /// The dynamic loader does not get what the program needs.
    Library(Box<LibraryFault>),
    /// More than five interpreters one behind the other.
    InterpreterLoop,
    /// A binfmt_misc handler without flag F whose emulator the image lacks.
    EmulatorMissing {
        /// The handler's name.
        handler: String,
    },
}

/// What a search in PATH found and did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Where it lies.
    pub path: GuestPath,
    /// Its mode, or nothing for a directory.
    pub mode: Option<u32>,
}

/// A C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Libc {
    /// GNU's.
    Glibc,
    /// musl.
    Musl,
    /// Another, or it cannot be told.
    Other,
}

/// Why it cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// A layer could not be read whole, and the file may be in it.
    LayerUnread,
    /// The file was cut off, but not where it starts.
    Truncated {
        /// Bytes that its segments need.
        needed: u64,
        /// Bytes that there are.
        size: u64,
    },
    /// The target is one file, and what it needs to start is not part of it.
    OnlyFile,
    /// The start goes through a script or a program that cannot be followed further; why.
    Script(&'static str),
    /// There is no config that would say what is started.
    NoConfig,
    /// The file's kind has rules that are not modelled for this node's architecture.
    NotModelled(&'static str),
    /// It hangs on something of the node that is not certain.
    Node {
        /// What.
        property: Property,
        /// Why it is not certain.
        why: String,
    },
}
