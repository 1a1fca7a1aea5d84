//! What a file is, told from its bytes as they pass by.

mod classifier;
mod magic;
#[cfg(test)]
mod tests;

pub use classifier::{Classifier, FileFacts};

use super::elf::Elf;
use super::macho::MachO;
use super::pe::Pe;
use super::script::{Interpreter, Script};
use crate::base::escape;

/// What a regular file's bytes are.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Content {
    /// No bytes at all.
    Empty,
    /// Begins with `\x7fELF`.
    Elf(Box<Elf>),
    /// Begins with `#!`.
    Script(Script),
    /// Windows: `MZ` and a PE header.
    Pe(Pe),
    /// macOS: thin or universal.
    MachO(MachO),
    /// `\0asm`.
    Wasm,
    /// `CAFEBABE`, and the version field says Java, not a universal Mach-O.
    JavaClass,
    /// LLVM bitcode.
    Bitcode,
    /// An archive or a compressed file.
    Archive(Archive),
    /// A git-lfs pointer: the text that stands in for a file which was never fetched.
    GitLfsPointer,
    /// An HTML page, such as an error page saved by a download.
    Html,
    /// Text in UTF-8 (or UTF-16, which begins with its byte order mark) without `#!`.
    Text(Text),
    /// Anything else.
    Data,
}

impl Content {
    /// As the JSON report spells it.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Elf(_) => "elf",
            Self::Script(_) => "script",
            Self::Pe(_) => "pe",
            Self::MachO(_) => "mach-o",
            Self::Wasm => "wasm",
            Self::JavaClass => "java-class",
            Self::Bitcode => "bitcode",
            Self::Archive(_) => "archive",
            Self::GitLfsPointer => "git-lfs-pointer",
            Self::Html => "html",
            Self::Text(_) => "text",
            Self::Data => "data",
        }
    }

    /// A few words for people. What comes from the file is escaped.
    pub fn summary(&self) -> String {
        let words = match self {
            Self::Elf(elf) => return elf.summary(),
            Self::Script(script) => return script_summary(script),
            Self::Pe(pe) => return pe_summary(pe),
            Self::MachO(file) => return macho_summary(file),
            Self::Empty => "empty file",
            Self::Wasm => "WebAssembly module",
            Self::JavaClass => "Java class",
            Self::Bitcode => "LLVM bitcode",
            Self::Archive(archive) => archive.summary(),
            Self::GitLfsPointer => "git-lfs pointer",
            Self::Html => "HTML page",
            Self::Text(Text::Plain) => "text without #!",
            Self::Text(Text::ByteOrderMarkThenShebang) => "text with a byte order mark before #!",
            Self::Text(Text::BlankThenShebang) => "text with white space before #!",
            Self::Text(Text::Utf16) => "text in UTF-16",
            Self::Data => "data of an unknown kind",
        };
        words.to_owned()
    }
}

fn script_summary(script: &Script) -> String {
    match &script.interpreter {
        None => "script (#! without a program)".to_owned(),
        Some(Interpreter { path, argument: None }) => format!("script (#!{})", escape(path)),
        Some(Interpreter { path, argument: Some(argument) }) => format!("script (#!{} {})", escape(path), escape(argument)),
    }
}

fn pe_summary(pe: &Pe) -> String {
    match (pe.machine, pe.name()) {
        (None, _) => "DOS executable".to_owned(),
        (Some(_), Some(name)) => format!("Windows executable (PE {name})"),
        (Some(machine), None) => format!("Windows executable (PE machine {machine:#x})"),
    }
}

fn macho_summary(file: &MachO) -> String {
    let kind = if file.universal { "Mach-O universal" } else { "Mach-O" };
    format!("{kind} ({})", file.machines().collect::<Vec<_>>().join(", "))
}

/// Which archive or compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Archive {
    /// `!<arch>`: a static library, or Go's object of a package that is not `main`.
    Ar,
    /// `!<arch>` whose first member is Go's `__.PKGDEF`: what `go build` writes for a package that is not `main`.
    GoPackage,
    /// Zip, jar, wheel.
    Zip,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// xz.
    Xz,
    /// bzip2.
    Bzip2,
    /// A plain tar.
    Tar,
}

impl Archive {
    fn summary(self) -> &'static str {
        match self {
            Self::Ar => "ar archive (static library)",
            Self::GoPackage => "Go package archive",
            Self::Zip => "zip archive",
            Self::Gzip => "gzip-compressed file",
            Self::Zstd => "zstd-compressed file",
            Self::Xz => "xz-compressed file",
            Self::Bzip2 => "bzip2-compressed file",
            Self::Tar => "tar archive",
        }
    }
}

/// How a text without `#!` begins; each form has its own way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Text {
    /// Nothing before the text.
    Plain,
    /// A UTF-8 byte order mark, and `#!` behind it.
    ByteOrderMarkThenShebang,
    /// White space, and `#!` behind it.
    BlankThenShebang,
    /// UTF-16.
    Utf16,
}
