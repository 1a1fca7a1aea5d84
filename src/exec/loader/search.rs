//! What both loaders need: the objects loaded so far, and search paths.

use crate::base::GuestPath;
use crate::format::content::Content;
use crate::format::elf::{Dynamic, Elf};
use crate::image::{EntryKind, Found};

use super::{Library, Start};

/// A program with more libraries than this is not real.
pub(super) const MOST_OBJECTS: usize = 2000;

/// One file in the process.
#[derive(Debug)]
pub(super) struct Object<'a> {
    /// As the loader calls it: the path as it was put together; nothing for the program.
    pub(super) path: Vec<u8>,
    /// Where it really lies.
    pub(super) found: GuestPath,
    pub(super) layer: usize,
    pub(super) elf: &'a Elf,
    /// The names by which it was asked for.
    pub(super) names: Vec<Box<[u8]>>,
    /// Which object asked for it first.
    pub(super) parent: Option<usize>,
}

impl<'a> Object<'a> {
    pub(super) fn program(start: &Start<'a>) -> Self {
        let (found, elf) = (start.path.clone(), start.program);
        Self { path: Vec::new(), found, layer: 0, elf, names: Vec::new(), parent: None }
    }

    pub(super) fn dynamic(&self) -> Option<&'a Dynamic> {
        self.elf.dynamic.as_ref()
    }

    pub(super) fn soname(&self) -> Option<&'a [u8]> {
        self.dynamic()?.soname.as_deref()
    }

    /// As the loader calls it in messages.
    pub(super) fn shown<'b>(&'b self, start: &Start<'b>) -> &'b [u8] {
        if self.path.is_empty() { start.name } else { &self.path }
    }

    /// The directory that `$ORIGIN` stands for: the program's real one, a library's as it was found.
    pub(super) fn origin(&self, cwd: &GuestPath) -> Vec<u8> {
        if self.path.is_empty() {
            return self.found.parent().unwrap_or_else(GuestPath::root).as_bytes().to_vec();
        }
        let whole = if self.path.starts_with(b"/") { self.path.clone() } else { cwd.join(&self.path).as_bytes().to_vec() };
        let end = whole.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
        whole.get(..end.max(1)).unwrap_or_default().to_vec()
    }

    pub(super) fn library(&self) -> Library {
        Library {
            name: self.names.first().cloned().unwrap_or_default(),
            path: Some(self.path.clone().into()),
            found: Some(self.found.clone()),
            layer: Some(self.layer),
        }
    }
}

/// What lies at a path that a library is looked for at.
pub(super) enum Candidate<'a> {
    /// Nothing that this user can read.
    Nothing,
    Directory,
    /// A file that is no ELF, with its size.
    Other(GuestPath, u64),
    Elf(Found<'a>, &'a Elf),
}

pub(super) fn look<'a>(start: &Start<'a>, path: &[u8]) -> Candidate<'a> {
    let Ok(found) = start.rootfs.resolve(start.cwd, path, start.who) else { return Candidate::Nothing };
    if !start.who.may_read(found.entry) {
        return Candidate::Nothing;
    }
    match &found.entry.kind {
        EntryKind::Directory => Candidate::Directory,
        EntryKind::File { facts, size, .. } => match &facts.content {
            Content::Elf(elf) => Candidate::Elf(found, elf),
            _ => Candidate::Other(found.path, *size),
        },
        _ => Candidate::Nothing,
    }
}

/// Replaces `$NAME` and `${NAME}` where `value` knows the name.
pub(super) fn expand(text: &[u8], value: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'$' {
            let braced = tail.strip_prefix(b"{");
            let inside = braced.unwrap_or(tail);
            let length = inside.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            let (name, after) = inside.split_at_checked(length).unwrap_or((inside, &[]));
            let after = if braced.is_some() { after.strip_prefix(b"}") } else { Some(after) };
            if let (Some(value), Some(after)) = (value(name), after) {
                out.extend(value);
                rest = after;
                continue;
            }
        }
        out.push(*first);
        rest = tail;
    }
    out
}

/// A variable's value; the first of a name is the one that loaders see.
pub(super) fn variable<'a>(start: &Start<'a>, name: &[u8]) -> Option<&'a [u8]> {
    if start.is_secure {
        return None;
    }
    let value = |variable: &'a Vec<u8>| variable.strip_prefix(name)?.strip_prefix(b"=");
    start.env.iter().find_map(value).filter(|value| !value.is_empty())
}
