//! What each [`Cause`] is called, said and mended with.

use crate::base::escape;
use crate::exec::{Cause, Doubt, Libc, LibraryFault, LibraryProblem, PassedOver, Trace};
use crate::format::content::{Archive, Text};

/// What a cause is about: the file, and the nodes as one text.
pub(super) struct Subject<'a> {
    pub(super) path: String,
    /// The hop before, which named the file: the script of an interpreter, the program of a loader.
    pub(super) named_by: Option<String>,
    pub(super) nodes: &'a str,
    /// What goes behind `--platform`.
    pub(super) platform: &'a str,
}

impl<'a> Subject<'a> {
    pub(super) fn new(trace: &Trace, nodes: &'a str, platform: &'a str) -> Self {
        let mut hops = trace.hops.iter().rev();
        let path = hops.next().map_or_else(|| "the command".to_owned(), |hop| escape(&hop.path).to_string());
        Self { path, named_by: hops.next().map(|hop| escape(&hop.path).to_string()), nodes, platform }
    }

    fn namer(&self) -> &str {
        self.named_by.as_deref().unwrap_or("the program")
    }
}

/// Why it cannot be told, as the end of a sentence.
pub fn doubt(because: &Doubt) -> String {
    match because {
        Doubt::LayerUnread => "a layer could not be read whole, and the file may be in it".to_owned(),
        Doubt::Truncated { needed, size } => {
            format!(
                "it was cut off: its segments need {needed} bytes, and it has {size}; it starts, and crashes at what is missing"
            )
        }
        Doubt::OnlyFile => "only this file was given, not the root file system with its interpreter or loader".to_owned(),
        Doubt::Script(why) => (*why).to_owned(),
        Doubt::NoConfig => "there is no config that says what is started".to_owned(),
        Doubt::NotModelled(what) => format!("{} is not modelled for this node", escape(what)),
        Doubt::Node { property, why } => format!("{} decides, and {why}", property.question()),
    }
}

/// The rule that reports a cause.
pub(super) fn rule_name(cause: &Cause) -> &'static str {
    match cause {
        Cause::NoCommand => "no-command",
        Cause::NoSuchUser(_) | Cause::NoSuchGroup(_) => "unknown-user",
        Cause::WorkingDirectory(_) => "working-directory",
        Cause::NotInPath { .. }
        | Cause::Missing
        | Cause::DanglingLink(_)
        | Cause::NotADirectory
        | Cause::LinkLoop
        | Cause::NameTooLong => "not-found",
        Cause::IsDirectory
        | Cause::NotAFile
        | Cause::NotExecutable { .. }
        | Cause::NotReadable { .. }
        | Cause::NoexecMount
        | Cause::SearchDenied => "not-executable",
        Cause::WrongMachine { .. } => "wrong-machine",
        Cause::NoCompat { .. } => "no-compat",
        Cause::NotAProgram(_) => "not-a-program",
        Cause::Truncated { .. } => "truncated",
        Cause::PageSize { .. } => "page-size",
        Cause::MalformedElf(_) => "malformed-elf",
        Cause::EmptyFile => "empty-file",
        Cause::NoShebang(_) | Cause::BadShebang => "no-shebang",
        Cause::MachO { .. } | Cause::Pe { .. } | Cause::Wasm | Cause::JavaClass | Cause::Bitcode => "foreign-format",
        Cause::Archive(_) => "archive-entrypoint",
        Cause::GitLfsPointer => "lfs-pointer",
        Cause::Html => "html-page",
        Cause::UnknownFormat => "unknown-format",
        Cause::CarriageReturn { .. } => "carriage-return",
        Cause::InterpreterMissing | Cause::InterpreterLoop => "interpreter-missing",
        Cause::LoaderMissing { wants: Libc::Glibc, has: Some(Libc::Musl) }
        | Cause::LoaderMissing { wants: Libc::Musl, has: Some(Libc::Glibc) } => "wrong-libc",
        Cause::LoaderMissing { .. } => "loader-missing",
        Cause::LoaderWrongMachine { .. } | Cause::LoaderOtherAbi(_) => "loader-wrong-machine",
        Cause::Library(fault) => match fault.why {
            LibraryProblem::Missing => "library-missing",
            LibraryProblem::WrongMachine { .. } | LibraryProblem::OtherAbi { .. } => "library-wrong-machine",
            LibraryProblem::Broken { .. } => "library-broken",
            LibraryProblem::Versions { .. } => "library-version",
        },
        Cause::Cpu(_) => "cpu-level",
        Cause::Kernel(_) => "kernel-too-old",
        Cause::ProgramMissing { .. } => "program-missing",
        Cause::LoaderBroken => "broken-loader",
        Cause::EmulatorMissing { .. } => "emulator-missing",
    }
}

/// One line: what is wrong.
pub(super) fn sentence(cause: &Cause, about: &Subject<'_>) -> String {
    let path = &about.path;
    let lookup = match cause {
        Cause::NoCommand => Some("the image has neither an entrypoint nor a command".to_owned()),
        Cause::NoSuchUser(user) => Some(format!("user `{}` is not in the image's /etc/passwd", escape(user))),
        Cause::NoSuchGroup(group) => Some(format!("group `{}` is not in the image's /etc/group", escape(group))),
        Cause::WorkingDirectory(directory) => {
            Some(format!("the working directory {} is a file or may not be entered", escape(directory)))
        }
        Cause::NotInPath { name, path, passed_over } => Some(match passed_over {
            None => format!("`{}` is in no directory of PATH ({})", escape(name), escape(path)),
            Some(PassedOver { path, mode: None }) => format!("`{}` is only a directory in PATH: {path}", escape(name)),
            Some(PassedOver { path, mode: Some(mode) }) => {
                format!("`{}` is in PATH as {path}, but this user may not execute it (mode {mode:04o})", escape(name))
            }
        }),
        Cause::Missing => Some(format!("{path} does not exist in the image")),
        Cause::DanglingLink(target) => Some(format!("{path} is a symbolic link to {target}, which does not exist in the image")),
        Cause::NotADirectory => Some(format!("a part of {path} is a file, not a directory")),
        Cause::LinkLoop => Some(format!("{path} leads through symbolic links in a circle")),
        Cause::NameTooLong => Some("the command's path is longer than Linux allows".to_owned()),
        Cause::IsDirectory => Some(format!("{path} is a directory, not a program")),
        Cause::NotAFile => Some(format!("{path} is a device, pipe or socket, not a program")),
        Cause::NotExecutable { mode } => Some(format!("{path} may not be executed by this user (mode {mode:04o})")),
        Cause::NotReadable { mode } => Some(format!("{path} is a script that this user may not read (mode {mode:04o})")),
        Cause::NoexecMount => Some(format!("{path} lies in a file system that is mounted noexec")),
        Cause::SearchDenied => Some(format!("this user may not enter a directory on the way to {path}")),
        _ => None,
    };
    lookup.or_else(|| about_code(cause, about)).unwrap_or_else(|| about_form(cause, about))
}

fn about_code(cause: &Cause, about: &Subject<'_>) -> Option<String> {
    let (path, nodes) = (&about.path, about.nodes);
    Some(match cause {
        Cause::WrongMachine { machine, bits, endian } => {
            // Word size and byte order say something only where they are not the machine's usual ones.
            let usual = machine.info();
            let bits = bits.filter(|bits| usual.and_then(|usual| usual.bits) != Some(*bits)).map(|bits| format!("{bits}-bit "));
            let endian = endian.filter(|endian| usual.and_then(|usual| usual.endian) != Some(*endian));
            let endian = endian.map(|endian| format!("{}-endian ", endian.name()));
            let (bits, endian) = (bits.unwrap_or_default(), endian.unwrap_or_default());
            format!("{path} is built for {bits}{endian}{machine}, but {nodes} nodes cannot run it")
        }
        Cause::NoCompat { machine } => {
            format!("{path} is a 32-bit {machine} program, and {nodes} does not run 32-bit programs")
        }
        Cause::NotAProgram(what) => format!("{path} is an ELF file but no program: {}", escape(what)),
        Cause::MalformedElf(field) => format!("{path} is an ELF file that the kernel refuses: {}", escape(field)),
        Cause::PageSize { page, align } => {
            let (page, align) = (page >> 10, align >> 10);
            format!("{path} is linked for memory pages of at most {align} KiB, and {nodes} has pages of {page} KiB")
        }
        Cause::Truncated { needed, size } => {
            format!("{path} was cut off: its segments need {needed} bytes, and it has {size}")
        }
        Cause::LoaderMissing { wants, has } => loader_missing(*wants, *has, about),
        Cause::LoaderWrongMachine { machine } => {
            format!("{path}, the loader that {} names, is built for {machine}, not for {nodes}", about.namer())
        }
        Cause::Library(fault) => about_library(fault, nodes),
        Cause::Cpu(fault) => {
            let (needs, has) = (fault.needs, fault.has);
            format!("{} is built for {needs} CPUs and later, and {nodes} has only {has}", fault.file)
        }
        Cause::Kernel(fault) => {
            let (needs, has) = (fault.needs, fault.has);
            format!("{} takes kernels from {needs} on, and {nodes} has {has}", fault.file)
        }
        Cause::ProgramMissing { file } => format!("{path} is to run {file}, which does not exist in the image"),
        Cause::LoaderOtherAbi(what) => {
            format!("{path}, the loader that {} names, is not for it: {}", about.namer(), escape(what))
        }
        Cause::LoaderBroken => format!("{path}, the loader that {} names, is not a working ELF file", about.namer()),
        Cause::EmulatorMissing { handler } => {
            format!("{path} needs the emulator {}, which the image does not hold", escape(handler))
        }
        Cause::InterpreterMissing => format!("{path}, the interpreter that {} names, does not exist in the image", about.namer()),
        Cause::InterpreterLoop => format!("{path} is the sixth interpreter in a row; the kernel follows five"),
        _ => return None,
    })
}

fn about_library(fault: &LibraryFault, nodes: &str) -> String {
    let (library, by) = (escape(&fault.library), &fault.needed_by);
    match &fault.why {
        LibraryProblem::Missing => format!("{by} needs {library}, which is nowhere that its loader looks"),
        LibraryProblem::WrongMachine { at, machine, class } => {
            let class = class.map(|bits| format!("{bits}-bit ")).unwrap_or_default();
            format!("{by} needs {library}, but {at} is built for {class}{machine}, not for {nodes}")
        }
        LibraryProblem::OtherAbi { at, what } => {
            format!("{by} needs {library}, but {at} does not go with it: {}", escape(what))
        }
        LibraryProblem::Broken { at, text } => format!("{by} needs {library}, but {at} cannot be loaded: {text}"),
        LibraryProblem::Versions { at, missing } => {
            let first = missing.first().map(|version| escape(&version.name).to_string()).unwrap_or_default();
            let more = match missing.len() {
                0 | 1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            format!("{by} needs {first}{more}, which {} does not have: it is too old", escape(at))
        }
    }
}

fn loader_missing(wants: Libc, has: Option<Libc>, about: &Subject<'_>) -> String {
    let (path, program) = (&about.path, about.namer());
    match (wants, has) {
        (Libc::Glibc, Some(Libc::Musl)) => {
            format!("{program} is linked with glibc, but the image has musl: {path} does not exist")
        }
        (Libc::Musl, Some(Libc::Glibc)) => {
            format!("{program} is linked with musl, but the image has glibc: {path} does not exist")
        }
        (_, None) => format!("{program} is dynamically linked, but the image has no C library: {path} does not exist"),
        _ => format!("{path}, the loader that {program} names, does not exist in the image"),
    }
}

fn about_form(cause: &Cause, about: &Subject<'_>) -> String {
    let path = &about.path;
    let what = match cause {
        Cause::EmptyFile => "is empty".to_owned(),
        Cause::NoShebang(Text::Plain) => "is text without a `#!` line".to_owned(),
        Cause::NoShebang(Text::ByteOrderMarkThenShebang) => "has a byte order mark before its `#!`".to_owned(),
        Cause::NoShebang(Text::BlankThenShebang) => "has white space before its `#!`".to_owned(),
        Cause::NoShebang(Text::Utf16) => "is text in UTF-16, which hides its `#!`".to_owned(),
        Cause::BadShebang => "has a `#!` line that names no interpreter".to_owned(),
        Cause::CarriageReturn { interpreter } => {
            let by = about.named_by.as_deref().unwrap_or(path);
            return format!("{by} has Windows line ends: the kernel looks for `{}\\r`", escape(interpreter));
        }
        Cause::MachO { machines } if machines.is_empty() => "is a macOS program".to_owned(),
        Cause::MachO { machines } => format!("is a macOS program ({})", machines.join(", ")),
        Cause::Pe { machine } => format!("is a Windows program ({})", machine.unwrap_or("unknown machine")),
        Cause::Wasm => "is a WebAssembly module".to_owned(),
        Cause::JavaClass => "is Java bytecode".to_owned(),
        Cause::Bitcode => "is LLVM bitcode".to_owned(),
        Cause::Archive(Archive::GoPackage) => "is a Go package archive, not a program: the package is not `main`".to_owned(),
        Cause::Archive(kind) => format!("is an archive or compressed file ({kind:?}), not a program").to_lowercase(),
        Cause::GitLfsPointer => "is a git-lfs pointer: the file itself was never fetched".to_owned(),
        Cause::Html => "is an HTML page, not a program: a download went wrong".to_owned(),
        _ => "is in no format that the kernel runs".to_owned(),
    };
    format!("{path} {what}")
}

/// What to do in this case; `None` where the rule's own advice is all there is.
pub(super) fn remedy(cause: &Cause, about: &Subject<'_>) -> Option<String> {
    let path = &about.path;
    Some(match cause {
        Cause::WrongMachine { .. } | Cause::LoaderWrongMachine { .. } => {
            format!(
                "build for the node: `docker buildx build --platform {} .`, and copy no file from a stage or host of another machine",
                about.platform
            )
        }
        Cause::Library(fault) => library_remedy(fault, about.platform)?,
        Cause::NoCompat { .. } => format!("build a 64-bit program: `docker buildx build --platform {} .`", about.platform),
        Cause::CarriageReturn { .. } => {
            let script = about.named_by.as_deref().unwrap_or(path);
            format!("convert the file: `RUN sed -i 's/\\r$//' {script}`; keep it so with `*.sh text eol=lf` in .gitattributes")
        }
        Cause::NoShebang(Text::Plain) => format!("make `#!/bin/sh` the first line of {path}"),
        Cause::NoShebang(_) => format!("save {path} as UTF-8 without byte order mark, with `#!` as its first two bytes"),
        Cause::NotExecutable { .. } | Cause::NotReadable { .. } => {
            format!("set the mode: `COPY --chmod=755 … {path}`, or `RUN chmod +x {path}`")
        }
        Cause::LoaderMissing { wants: Libc::Glibc, has: Some(Libc::Musl) } => {
            "build on the image's own base (Alpine), use a glibc base such as debian:stable-slim, or `apk add gcompat`".to_owned()
        }
        Cause::LoaderMissing { wants: Libc::Musl, has: Some(Libc::Glibc) } => {
            "build on the image's own base, link statically, or install musl".to_owned()
        }
        Cause::LoaderMissing { .. } => {
            "link statically (`CGO_ENABLED=0 go build`), or use a base image that has the C library".to_owned()
        }
        Cause::MachO { .. } | Cause::Pe { .. } => {
            "build for Linux: `GOOS=linux go build`, or build inside the Dockerfile rather than on the host".to_owned()
        }
        Cause::Archive(Archive::GoPackage) => {
            "build the package that says `package main`: `go build -o app ./cmd/app`".to_owned()
        }
        Cause::GitLfsPointer => "fetch before the build: `git lfs pull`, or `lfs: true` in actions/checkout".to_owned(),
        Cause::Html => "download with `curl --fail --location`, and check the file's digest".to_owned(),
        Cause::EmptyFile => format!("build or copy {path} again: it has no bytes"),
        Cause::NotInPath { name, passed_over: None, .. } => format!(
            "install what brings `{}` in the last stage, or correct the name; `enoexec inspect --files` lists what is there",
            escape(name)
        ),
        Cause::NoCommand => "set ENTRYPOINT or CMD, or give a command".to_owned(),
        _ => return None,
    })
}

fn library_remedy(fault: &LibraryFault, platform: &str) -> Option<String> {
    let library = escape(&fault.library);
    match &fault.why {
        LibraryProblem::Missing => Some(format!(
            "install the package that brings {library} (`apt-file search {library}`, `apk search so:{library}`), or copy it with the program"
        )),
        LibraryProblem::WrongMachine { at, .. } | LibraryProblem::OtherAbi { at, .. } => Some(format!(
            "bring {at} for the node: `docker buildx build --platform {platform} .`, and copy no library from a stage or host of another machine"
        )),
        LibraryProblem::Versions { .. } => Some(
            "build on the base image that it runs on, or on an older one; or run it on a base that is as new as the build's"
                .to_owned(),
        ),
        LibraryProblem::Broken { .. } => None,
    }
}
