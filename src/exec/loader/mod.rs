//! The dynamic loader's part: which libraries a program gets, from where, and what ld.so prints where it gets them not.

mod cache;
mod glibc;
mod musl;
mod search;

use crate::base::GuestPath;
use crate::format::elf::{Elf, LoaderFamily, Machine};
use crate::image::{Credentials, Rootfs};
use crate::node::Node;

/// What is to be linked: a program that the kernel has started, with its loader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) rootfs: &'a Rootfs,
    pub(super) node: &'a Node,
    /// Where the process is.
    pub(super) cwd: &'a GuestPath,
    pub(super) who: &'a Credentials,
    /// `argv[0]`, which is what the loader calls the program.
    pub(super) name: &'a [u8],
    /// `KEY=value` each.
    pub(super) env: &'a [Vec<u8>],
    /// Where the program really lies.
    pub(super) path: &'a GuestPath,
    pub(super) program: &'a Elf,
    /// `PT_INTERP`, and where that really lies.
    pub(super) loader_name: &'a [u8],
    pub(super) loader_path: &'a GuestPath,
    pub(super) loader: &'a Elf,
    /// Setuid or setgid: the environment says nothing then.
    pub(super) is_secure: bool,
}

/// The libraries that a program gets, and why it gets no further.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Linked {
    /// In the order in which they are loaded, the loader itself left out.
    pub(super) libraries: Vec<Library>,
    /// The first thing that ends the start.
    pub(super) fault: Option<LibraryFault>,
}

/// A library that a file needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// As the file names it.
    pub name: Box<[u8]>,
    /// As the loader calls it; `None` where it finds none.
    pub path: Option<Box<[u8]>>,
    /// Where it really lies.
    pub found: Option<GuestPath>,
    /// The layer that brought it, counted from 0 at the bottom.
    pub layer: Option<usize>,
}

/// Why a dynamic loader gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryFault {
    /// What the loader calls the program.
    pub program: Box<[u8]>,
    /// The library's name, as the file that needs it has it.
    pub library: Box<[u8]>,
    /// The file that needs it.
    pub needed_by: GuestPath,
    /// The same, as the loader calls it.
    pub needed_by_name: Box<[u8]>,
    /// Whose loader it is.
    pub family: LoaderFamily,
    /// What is wrong.
    pub why: LibraryProblem,
}

/// What is wrong with a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LibraryProblem {
    /// It is nowhere.
    Missing,
    /// All that has its name is for another machine.
    WrongMachine {
        /// The first.
        at: GuestPath,
        /// `e_machine`.
        machine: Machine,
        /// 32 or 64, where that (or for musl the byte order) is what the loader minds.
        class: Option<u8>,
    },
    /// All that has its name is for other programs, of an ABI that does not go with this one's.
    OtherAbi {
        /// The first.
        at: GuestPath,
        /// Which, in a few words.
        what: &'static str,
    },
    /// It is there, but no library.
    Broken {
        /// Where.
        at: GuestPath,
        /// The loader's words.
        text: &'static str,
    },
    /// It lacks symbol versions that are needed of it.
    Versions {
        /// Where it lies, as the loader calls it.
        at: Box<[u8]>,
        /// Each, and which file needs it.
        missing: Vec<MissingVersion>,
    },
}

/// A symbol version that a library lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingVersion {
    /// Such as `GLIBC_2.38`.
    pub name: Box<[u8]>,
    /// The file that needs it, as the loader calls it.
    pub needed_by: Box<[u8]>,
}

/// Links a program. `None` where its loader is none that is known.
pub(super) fn link(start: &Start<'_>) -> Option<Linked> {
    let facts = start.loader.loader.as_deref()?;
    Some(match facts.family {
        LoaderFamily::Glibc => glibc::link(start, facts),
        LoaderFamily::Musl => musl::link(start, facts),
    })
}

impl LibraryFault {
    /// With which code the process exits (glibc `elf/dl-error-skeleton.c`, `fatal_error`; `elf/rtld.c`, `version_check_doit`; musl
    /// `ldso/dynlink.c`).
    pub fn exit_code(&self) -> u8 {
        match self.why {
            LibraryProblem::Versions { .. } => 1,
            _ => 127,
        }
    }

    /// What the loader prints; one line, but for versions, which have one each. `None` where that depends on the library's content.
    pub fn message(&self) -> Option<String> {
        let text = |bytes: &[u8]| crate::base::escape(bytes).to_string();
        let (program, library) = (text(&self.program), text(&self.library));
        Some(match (self.family, &self.why) {
            // musl maps what has its own class and byte order, and stumbles over the first relocation that it does not know.
            (LoaderFamily::Musl, LibraryProblem::WrongMachine { class: None, .. }) => return None,
            (LoaderFamily::Musl, why) => {
                let error = match why {
                    LibraryProblem::Missing | LibraryProblem::OtherAbi { .. } | LibraryProblem::Versions { .. } => {
                        "No such file or directory"
                    }
                    LibraryProblem::WrongMachine { .. } => "Exec format error",
                    LibraryProblem::Broken { text, .. } => text,
                };
                format!("Error loading shared library {library}: {error} (needed by {})", text(&self.needed_by_name))
            }
            (LoaderFamily::Glibc, LibraryProblem::Versions { at, missing }) => {
                let line = |version: &MissingVersion| {
                    let (name, by) = (text(&version.name), text(&version.needed_by));
                    format!("{program}: {}: version `{name}' not found (required by {by})", text(at))
                };
                missing.iter().map(line).collect::<Vec<_>>().join("\n")
            }
            (LoaderFamily::Glibc, why) => {
                let loading = format!("{program}: error while loading shared libraries");
                match why {
                    LibraryProblem::WrongMachine { class: Some(class), .. } => {
                        format!("{loading}: {library}: wrong ELF class: ELFCLASS{class}")
                    }
                    LibraryProblem::Broken { at, text } => format!("{loading}: {at}: {text}"),
                    _ => format!("{loading}: {library}: cannot open shared object file: No such file or directory"),
                }
            }
        })
    }
}
