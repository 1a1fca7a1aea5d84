//! Reads an ELF file in one forward pass. The head names the program headers, those name the interpreter and the dynamic
//! section, and that names strings which linkers mostly put before it. So bytes in which the strings may lie are kept, up to
//! a bound, until the dynamic section has passed.

use std::ops::Range;

use goblin::elf::header::{EM_ARM, EM_MIPS, EM_RISCV, ET_DYN, ET_EXEC};
use goblin::elf::program_header::{PF_W, PT_DYNAMIC, PT_INTERP, PT_LOAD, PT_NOTE};

use super::capture::Window;
use super::dynamic::{Captured, Entries};
use super::header::{HEADER_SIZE, Header, bits, endian};
use super::notes::{self, Notes};
use super::{Attributes, Elf, ElfDamage, ElfInterpreter, ElfKind, LoaderFacts, Machine, Segment, go, text};

/// `PATH_MAX`: the kernel reads no longer interpreter (`fs/binfmt_elf.c`, `load_elf_binary`).
const MAX_INTERPRETER: u64 = 4096;
/// goblin 0.10 does not name it.
const PT_GNU_PROPERTY: u32 = 0x6474_e553;
/// The kernel refuses longer ones (`fs/binfmt_elf.c`, `parse_elf_properties`).
const MAX_PROPERTY: u64 = 1024;
/// `PT_RISCV_ATTRIBUTES`.
const PT_RISCV_ATTRIBUTES: u32 = 0x7000_0003;
/// `PT_MIPS_ABIFLAGS`.
const PT_MIPS_ABIFLAGS: u32 = 0x7000_0003;
/// Notes are some dozens of bytes, in one or two segments.
const MAX_NOTES: u64 = 4096;
const MAX_NOTE_SEGMENTS: usize = 4;
/// How much behind the last segment may be compilers' names and Arm's attributes.
const MAX_ATTRIBUTES: u64 = 16 * 1024;
/// A real dynamic section has a few dozen entries of 16 bytes.
const MAX_DYNAMIC: u64 = 64 * 1024;
/// How much is kept of where strings may lie. Almost all of them lie in a file's first 64 KiB; in node and LLVM, which export
/// thousands of symbols, 2 to 7 MiB in.
const MAX_STRINGS: u64 = 8 * 1024 * 1024;

/// Takes an ELF file's bytes as they pass.
#[derive(Debug)]
pub(in crate::format) struct Reader {
    head: Vec<u8>,
    size: u64,
    position: u64,
    first: [u8; HEADER_SIZE],
    header: Header,
    table: Window,
    segments: Option<Segments>,
}

/// What the program headers lead to, once they are read.
#[derive(Debug)]
struct Segments {
    list: Vec<Segment>,
    interpreter: Option<Window>,
    property: Option<Window>,
    notes: Vec<Window>,
    go: Option<go::Search>,
    refusal: Option<text::Search>,
    attributes: Option<Window>,
    dynamic: Option<Window>,
    captured: Captured,
    entries: Option<Entries>,
}

impl Reader {
    /// A reader of a file of `size` bytes that begins with `head`.
    pub(in crate::format) fn new(head: Vec<u8>, size: u64) -> Self {
        let mut first = [0; HEADER_SIZE];
        first.iter_mut().zip(&head).for_each(|(to, from)| *to = *from);
        let header = Header::parse(&first);
        let table = Window::new(header.table_to_read(), &head);
        let mut reader = Self { position: head.len() as u64, head, size, first, header, table, segments: None };
        reader.advance();
        reader
    }

    /// The file's first bytes, as given.
    pub(in crate::format) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether more bytes could tell more.
    pub(in crate::format) fn wants_more(&self) -> bool {
        match &self.segments {
            None => self.table.wants(self.position, self.size),
            Some(segments) => segments.want(self.position, self.size),
        }
    }

    /// Takes the next bytes.
    pub(in crate::format) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.wants_more() {
            // Each stage begins right where the one before it ends, however the bytes are cut into chunks.
            let step = usize::try_from(self.stage_end().saturating_sub(self.position)).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at_checked(step.max(1)).unwrap_or((bytes, &[]));
            self.take(now);
            bytes = later;
        }
    }

    fn stage_end(&self) -> u64 {
        match &self.segments {
            None => self.table.end(),
            Some(Segments { entries: None, dynamic: Some(dynamic), .. }) => dynamic.end(),
            Some(_) => u64::MAX,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        match &mut self.segments {
            None => self.table.take(self.position, bytes),
            Some(segments) => {
                for window in segments.windows_mut() {
                    window.take(self.position, bytes);
                }
                if let Some(search) = &mut segments.go {
                    search.take(self.position, bytes);
                }
                if let Some(search) = &mut segments.refusal {
                    search.take(bytes);
                }
            }
        }
        self.position = self.position.saturating_add(bytes.len() as u64);
        self.advance();
    }

    /// Goes on to the next stage once what it needs is there.
    fn advance(&mut self) {
        if self.segments.is_none() && !self.table.wants(self.position, self.size) {
            self.read_segments();
        }
        if let Some(segments) = &mut self.segments {
            segments.read_dynamic(&self.header, &self.head, self.position, self.size);
        }
    }

    fn read_segments(&mut self) {
        self.segments = Some(Segments::new(&self.header, self.table.bytes(), &self.head));
    }

    /// The facts of all bytes taken. A file that ended early has the size that it had.
    pub(in crate::format) fn finish(mut self) -> Elf {
        if self.wants_more() {
            self.size = self.position;
            self.advance();
        }
        let segments = self.segments.take().unwrap_or_else(|| Segments::new(&self.header, &[], &[]));
        let damage = self.damage(&segments.list);
        let notes = segments.read_notes(&self.header);
        let attributes = segments.read_attributes(&self.header);
        let Segments { list, interpreter, property, go, refusal, dynamic, captured, entries, .. } = segments;
        let interpreter = interpreter.filter(|window| !window.has_gap(self.position));
        let interpreter_segment = find(&list, PT_INTERP).copied();
        let entries = entries.filter(|_| dynamic.is_some());
        let dynamic = entries.as_ref().map(|entries| entries.resolve(self.header.layout, &list, &captured));
        Elf {
            machine: Machine(self.header.machine),
            bits: bits(&self.first),
            endian: endian(&self.first),
            os_abi: self.first.get(7).copied().unwrap_or_default(),
            flags: self.header.flags,
            kind: ElfKind::new(self.header.kind, interpreter_segment.is_some(), &entries.unwrap_or_default()),
            header: [&self.first, self.table.bytes()].concat().into(),
            interpreter: interpreter.zip(interpreter_segment).map(|(window, Segment { offset, file_size: size, .. })| {
                ElfInterpreter { bytes: window.into_bytes(), offset, size }
            }),
            segments: list,
            property: property.filter(|window| !window.has_gap(self.position)).map(Window::into_bytes),
            oldest_kernel: notes.oldest_kernel,
            refuses_old_kernels: refusal.is_some_and(|search| search.is_found()),
            go: go.and_then(go::Search::finish).map(Box::new),
            attributes,
            dynamic,
            loader: None,
            damage,
        }
    }

    fn damage(&self, segments: &[Segment]) -> Option<ElfDamage> {
        let needed = end(segments);
        let table = self.header.table();
        if self.size < self.header.layout.header_size() {
            Some(ElfDamage::HeaderCut)
        } else if !table.is_empty() && table.end > self.size {
            Some(ElfDamage::ProgramHeadersCut)
        } else {
            (needed > self.size).then_some(ElfDamage::SegmentsCut { needed, size: self.size })
        }
    }
}

impl Segments {
    fn new(header: &Header, table: &[u8], head: &[u8]) -> Self {
        let list = header.segments(table);
        let window = |kind: u32, most: u64| {
            let segment = find(&list, kind).filter(|segment| kind == PT_INTERP || segment.file_size > 0)?;
            Some(Window::new(range(segment.offset, segment.file_size.min(most)), head))
        };
        let interpreter = window(PT_INTERP, MAX_INTERPRETER);
        let property = list.iter().rfind(|segment| segment.kind == PT_GNU_PROPERTY);
        let property = property.map(|note| Window::new(range(note.offset, note.file_size.min(MAX_PROPERTY)), head));
        let dynamic = window(PT_DYNAMIC, MAX_DYNAMIC);
        let strings = dynamic.as_ref().and_then(|_| likely_strings(header, &list, head)).map(|range| Window::new(range, head));
        let notes = list.iter().filter(|segment| segment.kind == PT_NOTE).take(MAX_NOTE_SEGMENTS);
        let notes = notes.map(|note| Window::new(range(note.offset, note.file_size.min(MAX_NOTES)), head)).collect();
        let attributes = match header.machine {
            EM_RISCV => window(PT_RISCV_ATTRIBUTES, MAX_ATTRIBUTES),
            EM_MIPS => window(PT_MIPS_ABIFLAGS, MAX_ATTRIBUTES),
            EM_ARM => Some(Window::new(range(end(&list), MAX_ATTRIBUTES), head)),
            _ => None,
        };
        let captured = Captured { strings, ..Captured::default() };
        let mut segments =
            Self { list, interpreter, property, notes, go: None, refusal: None, attributes, dynamic, captured, entries: None };
        // Go's note is in the file's first page, long before the writable segments.
        let notes = segments.read_notes(header);
        segments.go = notes.is_go.then(|| writable(&segments.list)).flatten().map(go::Search::new);
        // A program that brings its own C library along; with another's, that is asked (`LoaderFacts`).
        let is_static = matches!(header.kind, ET_EXEC | ET_DYN) && segments.interpreter.is_none();
        if is_static && notes.oldest_kernel.is_some() {
            segments.refusal = Some(text::Search::new(LoaderFacts::REFUSAL, end(&segments.list), head));
        }
        segments
    }

    fn windows_mut(&mut self) -> impl Iterator<Item = &mut Window> {
        let Captured { strings, needs, defines } = &mut self.captured;
        let single =
            [&mut self.interpreter, &mut self.property, &mut self.attributes, &mut self.dynamic, strings, needs, defines];
        single.into_iter().flatten().chain(&mut self.notes)
    }

    fn want(&self, position: u64, size: u64) -> bool {
        let Captured { strings, needs, defines } = &self.captured;
        let strings = strings.as_ref().filter(|_| self.entries.is_some());
        let single =
            [self.interpreter.as_ref(), self.property.as_ref(), self.attributes.as_ref(), self.dynamic.as_ref(), strings];
        let mut windows = single.into_iter().chain([needs.as_ref(), defines.as_ref()]).flatten().chain(&self.notes);
        windows.any(|window| window.wants(position, size))
            || self.go.as_ref().is_some_and(|go| go.wants(position, size))
            || self.refusal.as_ref().is_some_and(|search| search.wants(position, size))
    }

    fn read_notes(&self, header: &Header) -> Notes {
        let read = |notes: &Window| notes::read(header.layout, notes.bytes());
        self.notes.iter().map(read).fold(Notes::default(), |all, notes| Notes {
            oldest_kernel: all.oldest_kernel.or(notes.oldest_kernel),
            is_go: all.is_go || notes.is_go,
        })
    }

    fn read_attributes(&self, header: &Header) -> Option<Attributes> {
        let bytes = self.attributes.as_ref()?.bytes();
        match header.machine {
            EM_ARM => notes::arm(bytes),
            EM_MIPS => Some(Attributes { mips: Some(notes::mips(header.layout, bytes)?), ..Attributes::default() }),
            _ => Some(Attributes { riscv: Some(notes::riscv(bytes)?), ..Attributes::default() }),
        }
    }

    /// Once the dynamic section has passed, says where its strings lie, which ends the guess.
    fn read_dynamic(&mut self, header: &Header, head: &[u8], position: u64, size: u64) {
        let Some(dynamic) = self.dynamic.as_ref().filter(|dynamic| self.entries.is_none() && !dynamic.wants(position, size))
        else {
            return;
        };
        if dynamic.has_gap(position) {
            self.dynamic = None;
            return;
        }
        let entries = Entries::parse(header.layout, dynamic.bytes());
        let guess = self.captured.strings.take();
        let [needs, defines] = entries.version_places(&self.list).map(|place| {
            let mut window = Window::new(place?, head);
            if let Some(guess) = &guess {
                window.take(guess.start(), guess.bytes());
            }
            Some(window)
        });
        let strings = entries.place(&self.list).map(|place| match guess {
            Some(mut guess) if place.start < position => {
                // A window that has taken everything up to here can go on; one with a gap behind it cannot.
                let most = if guess.next() >= position { guess.start().saturating_add(MAX_STRINGS) } else { guess.next() };
                guess.end_at(place.end.min(most));
                guess
            }
            _ => Window::new(place.start..place.end.min(place.start.saturating_add(MAX_STRINGS)), head),
        });
        self.captured = Captured { strings, needs, defines };
        self.entries = Some(entries);
    }
}

fn loaded(segments: &[Segment]) -> impl Iterator<Item = &Segment> {
    segments.iter().filter(|segment| segment.kind == PT_LOAD && segment.file_size > 0)
}

/// Where in the file what is loaded ends.
fn end(segments: &[Segment]) -> u64 {
    loaded(segments).map(|segment| segment.offset.saturating_add(segment.file_size)).max().unwrap_or_default()
}

/// From the first to the last byte of the file that is loaded to be written.
fn writable(segments: &[Segment]) -> Option<Range<u64>> {
    let segments = || loaded(segments).filter(|segment| segment.flags & PF_W != 0);
    let start = segments().map(|segment| segment.offset).min()?;
    Some(start..segments().map(|segment| segment.offset.saturating_add(segment.file_size)).max()?)
}

/// Where the dynamic section's strings may lie, told before it is read: linkers put them into the first segment, and Go's says
/// where in section headers that come early.
fn likely_strings(header: &Header, segments: &[Segment], head: &[u8]) -> Option<Range<u64>> {
    let Range { start, end } = header.dynamic_strings(head).or_else(|| {
        let first = loaded(segments).min_by_key(|segment| segment.offset)?;
        Some(range(first.offset, first.file_size))
    })?;
    Some(start..end.min(start.saturating_add(MAX_STRINGS)))
}

fn find(segments: &[Segment], kind: u32) -> Option<&Segment> {
    segments.iter().find(|segment| segment.kind == kind)
}

fn range(offset: u64, size: u64) -> Range<u64> {
    offset..offset.saturating_add(size)
}
