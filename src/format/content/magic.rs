//! The kinds that a file's first bytes tell, ELF aside.

use super::{Archive, Content, Text};
use crate::format::macho::MachO;
use crate::format::pe::Pe;
use crate::format::script::{self, Script};

/// More of a file than this is never needed to tell its kind.
pub(super) const HEAD: usize = 4096;
/// The longest magic number that is tested for first.
pub(super) const MAGIC: usize = 17;
/// A tar's magic number lies at 257, and what follows it differs from writer to writer.
const TAR: usize = 262;

/// How many of the file's first bytes decide its kind, told from at least the first [`MAGIC`] of them. It may ask again when it
/// has them.
pub(super) fn bytes_to_decide(head: &[u8]) -> usize {
    if head.starts_with(b"#!") {
        script::BUFFER_SIZE
    } else if head.starts_with(b"MZ") || is_elf(head) || is_macho_or_java(head) {
        HEAD
    } else if fixed(head).is_some() {
        MAGIC
    } else if may_be_text(head) {
        HEAD
    } else {
        TAR
    }
}

/// Whether an ELF file begins so.
pub(super) fn is_elf(head: &[u8]) -> bool {
    head.starts_with(b"\x7fELF")
}

fn is_macho_or_java(head: &[u8]) -> bool {
    head.starts_with(b"\xca\xfe\xba\xbe") || MachO::parse(head).is_some()
}

fn may_be_text(head: &[u8]) -> bool {
    utf16(head).is_some() || !head.contains(&0)
}

/// The kind of a file that begins with `head` and is no ELF; `whole`: there is nothing behind `head`.
pub(super) fn classify(head: &[u8], whole: bool) -> Content {
    if head.is_empty() {
        return Content::Empty;
    }
    if let Some(script) = Script::parse(head) {
        return Content::Script(script);
    }
    if let Some(content) = fixed(head).or_else(|| executable_elsewhere(head)).or_else(|| text(head, whole)) {
        return content;
    }
    match head.get(257..TAR) {
        Some(b"ustar") => Content::Archive(Archive::Tar),
        // Such as a DOS program; a text may begin with the same two letters.
        _ if head.starts_with(b"MZ") => Content::Pe(Pe::parse(head)),
        _ => Content::Data,
    }
}

/// Kinds that the first [`MAGIC`] bytes tell beyond doubt.
fn fixed(head: &[u8]) -> Option<Content> {
    Some(match head {
        _ if head.starts_with(b"!<arch>\n__.PKGDEF") => Content::Archive(Archive::GoPackage),
        _ if head.starts_with(b"!<arch>\n") || head.starts_with(b"!<thin>\n") => Content::Archive(Archive::Ar),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => Content::Archive(Archive::Zip),
        [0x1f, 0x8b, ..] => Content::Archive(Archive::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Content::Archive(Archive::Zstd),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Content::Archive(Archive::Xz),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Content::Archive(Archive::Bzip2),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Content::Archive(Archive::Bzip2),
        [0, b'a', b's', b'm', ..] => Content::Wasm,
        [b'B', b'C', 0xc0, 0xde, ..] | [0xde, 0xc0, 0x17, 0x0b, ..] => Content::Bitcode,
        _ => return None,
    })
}

fn executable_elsewhere(head: &[u8]) -> Option<Content> {
    if let Some(file) = MachO::parse(head) {
        return Some(Content::MachO(file));
    }
    match head {
        // `minor_version`, then `major_version`: 45 is Java 1.0.2 (JVM specification, 4.1).
        [0xca, 0xfe, 0xba, 0xbe, _, _, major @ ..] => {
            major.first_chunk().is_some_and(|major| u16::from_be_bytes(*major) >= 45).then_some(Content::JavaClass)
        }
        [b'M', b'Z', ..] => Some(Pe::parse(head)).filter(|pe| pe.machine.is_some()).map(Content::Pe),
        _ => None,
    }
}

fn text(head: &[u8], whole: bool) -> Option<Content> {
    if let Some(valid) = utf16(head) {
        return valid.then_some(Content::Text(Text::Utf16));
    }
    let (marked, text) = match utf8(head, whole)?.strip_prefix('\u{feff}') {
        Some(text) => (true, text),
        None => (false, utf8(head, whole)?),
    };
    let inner = text.trim_start_matches(|character: char| character.is_ascii_whitespace() || character == '\x0b');
    Some(match text {
        _ if text.starts_with("version https://git-lfs.github.com/spec/v1") => Content::GitLfsPointer,
        _ if starts_with_tag(inner, "<!doctype html") || starts_with_tag(inner, "<html") => Content::Html,
        _ if marked && inner.starts_with("#!") => Content::Text(Text::ByteOrderMarkThenShebang),
        _ if inner.starts_with("#!") => Content::Text(Text::BlankThenShebang),
        _ => Content::Text(Text::Plain),
    })
}

fn starts_with_tag(text: &str, tag: &str) -> bool {
    text.as_bytes().get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
}

/// The head as text: UTF-8 without NUL. Where more follows, its last character may be cut.
fn utf8(head: &[u8], whole: bool) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && !whole => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    (!text.contains('\0')).then_some(text)
}

/// Whether what follows a UTF-16 byte order mark is text in that order; `None` where there is no such mark.
fn utf16(head: &[u8]) -> Option<bool> {
    let number: fn([u8; 2]) -> u16 = match head {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units = head.chunks_exact(2).filter_map(|pair| pair.first_chunk()).map(|pair| number(*pair));
    let mut text = char::decode_utf16(units.clone());
    // The last unit may be half a pair.
    let count = units.count();
    let valid = text.by_ref().take(count.saturating_sub(1)).all(|unit| unit.is_ok_and(|character| character != '\0'));
    Some(valid && count > 1)
}
