//! The table as JSON spells it; both formats have the same fields, and each some of its own.

use serde::Deserialize;

use crate::format::tar::{Member, MemberKind};

#[derive(Deserialize)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Entry {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) name: String,
    link_name: String,
    size: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    dev_major: u32,
    dev_minor: u32,
    /// Where the entry's bytes are stored in the blob.
    pub(super) offset: u64,
    /// Where those of all pieces of the file end; only zstd:chunked says it.
    pub(super) end_offset: u64,
    /// Where in the unpacked bytes the piece begins; only eStargz has it.
    pub(super) inner_offset: u64,
    /// Where in the file the piece begins.
    pub(super) chunk_offset: u64,
    /// How long it is; 0: up to the file's end.
    pub(super) chunk_size: u64,
    pub(super) chunk_digest: Option<String>,
    /// Of the whole file.
    pub(super) digest: Option<String>,
}

impl Entry {
    /// What the entry is; `None` for a further piece, and for what means nothing to a file system.
    pub(super) fn kind(&self) -> Option<MemberKind> {
        Some(match self.kind.as_str() {
            "reg" => MemberKind::File,
            "dir" => MemberKind::Directory,
            "symlink" => MemberKind::Symlink(self.link_name.clone().into_bytes()),
            "hardlink" => MemberKind::Hardlink(self.link_name.clone().into_bytes()),
            "char" => MemberKind::CharacterDevice(self.dev_major, self.dev_minor),
            "block" => MemberKind::BlockDevice,
            "fifo" => MemberKind::Fifo,
            _ => return None,
        })
    }

    pub(super) fn is_chunk(&self) -> bool {
        self.kind == "chunk"
    }

    /// Whether something is stored for it.
    pub(super) fn has_bytes(&self) -> bool {
        self.is_chunk() || self.kind == "reg" && self.size > 0
    }

    pub(super) fn member(&self, kind: MemberKind) -> Member {
        let path = self.name.clone().into_bytes();
        Member { path, kind, mode: self.mode & 0o7777, uid: self.uid, gid: self.gid, size: self.size }
    }
}
