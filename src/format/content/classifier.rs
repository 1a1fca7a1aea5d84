use super::Content;
use super::magic::{self, MAGIC};
use crate::format::elf;
use crate::format::script::BUFFER_SIZE;

/// What the scan keeps of one regular file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileFacts {
    /// What the file is.
    pub content: Content,
    /// The first bytes of ELF files, scripts and any other file that has an execute bit, at most 256 of them
    /// (`BINPRM_BUF_SIZE`, `include/uapi/linux/binfmts.h`): all that binfmt handlers see of a file. Empty for other files.
    #[serde(with = "serde_bytes")]
    pub head: Box<[u8]>,
}

/// Classifies one file while its bytes pass. Bytes are given in order, without gaps; it asks for no seek and keeps little: 4 KiB,
/// and of an ELF file with a dynamic section up to 8 MiB more until that section has passed.
///
/// ```
/// use enoexec::format::content::{Classifier, Content};
/// let mut classifier = Classifier::new(10, true);
/// classifier.feed(b"#!/bin/");
/// classifier.feed(b"sh\n");
/// assert!(matches!(classifier.finish().content, Content::Script(_)));
/// ```
#[derive(Debug)]
pub struct Classifier {
    size: u64,
    executable: bool,
    /// How many bytes were taken; the ELF reader counts its own.
    taken: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Gathers the file's first `goal` bytes. Stages end at the same byte however the file is cut into chunks, so that the answer
    /// never depends on the cuts.
    Head { bytes: Vec<u8>, goal: usize },
    /// Reads an ELF file.
    Elf(Box<elf::Reader>),
}

impl Classifier {
    /// A classifier for a file of `size` bytes; `executable`: it has any execute bit.
    pub fn new(size: u64, executable: bool) -> Self {
        Self { size, executable, taken: 0, stage: Stage::Head { bytes: Vec::new(), goal: MAGIC } }
    }

    /// Whether more bytes could change the answer. When false, the rest need not be fed.
    pub fn wants_more(&self) -> bool {
        self.taken < self.size
            && match &self.stage {
                Stage::Head { bytes, goal } => bytes.len() < *goal,
                Stage::Elf(reader) => reader.wants_more(),
            }
    }

    /// Takes the next bytes. Those beyond the file's promised size are not looked at.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while self.wants_more() && !bytes.is_empty() {
            let room = usize::try_from(self.size.saturating_sub(self.taken)).unwrap_or(usize::MAX);
            let wanted = match &self.stage {
                Stage::Head { bytes, goal } => room.min(goal.saturating_sub(bytes.len())),
                Stage::Elf(_) => room,
            };
            let (now, later) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
            self.taken = self.taken.saturating_add(now.len() as u64);
            match &mut self.stage {
                Stage::Head { bytes, .. } => bytes.extend_from_slice(now),
                Stage::Elf(reader) => reader.feed(now),
            }
            bytes = later;
            self.advance();
        }
    }

    /// Asks for more of the head where that could tell more, or goes on to read an ELF file.
    fn advance(&mut self) {
        let Stage::Head { bytes, goal } = &mut self.stage else { return };
        if bytes.len() < *goal {
            return;
        }
        let seen_by_handlers = if self.executable { BUFFER_SIZE } else { 0 };
        *goal = magic::bytes_to_decide(bytes).max(seen_by_handlers).max(*goal);
        if bytes.len() == *goal && magic::is_elf(bytes) {
            self.stage = Stage::Elf(Box::new(elf::Reader::new(std::mem::take(bytes), self.size)));
        }
    }

    /// The verdict on all bytes fed. Fewer bytes than promised are a truncated file, which is an answer too.
    pub fn finish(self) -> FileFacts {
        let reader = match self.stage {
            Stage::Elf(reader) => reader,
            Stage::Head { bytes, .. } if magic::is_elf(&bytes) => Box::new(elf::Reader::new(bytes, self.taken)),
            Stage::Head { bytes, .. } => {
                let content = magic::classify(&bytes, bytes.len() as u64 == self.size);
                let kept = self.executable || matches!(content, Content::Script(_));
                return FileFacts { content, head: if kept { first(&bytes) } else { Box::default() } };
            }
        };
        let head = first(reader.head());
        FileFacts { content: Content::Elf(Box::new(reader.finish())), head }
    }
}

fn first(head: &[u8]) -> Box<[u8]> {
    head.get(..BUFFER_SIZE).unwrap_or(head).into()
}
