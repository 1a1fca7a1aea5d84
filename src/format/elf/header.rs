//! The file header and the program headers, as elf(5) lays them out.

use std::ops::Range;

use goblin::elf::section_header::SHT_DYNAMIC;

use super::{Elf, Endian, Segment};

/// Which of the two layouts and byte orders a file's structures have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) wide: bool,
    pub(super) endian: Endian,
}

impl Layout {
    /// The number of `width` bytes at `at`; `None` beyond the end.
    pub(super) fn number(self, bytes: &[u8], at: usize, width: usize) -> Option<u64> {
        let field = bytes.get(at..)?.get(..width)?;
        let append = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(match self.endian {
            Endian::Little => field.iter().rev().fold(0, append),
            Endian::Big => field.iter().fold(0, append),
        })
    }

    /// How many bytes an address, an offset or a size takes.
    pub(super) fn word(self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    fn short(self, bytes: &[u8], at: usize) -> u16 {
        self.number(bytes, at, 2).and_then(|value| u16::try_from(value).ok()).unwrap_or_default()
    }

    /// Of two positions, the one for this layout.
    fn pick(self, narrow: usize, wide: usize) -> usize {
        if self.wide { wide } else { narrow }
    }

    /// `EI_CLASS` and `EI_DATA` say it. Kernels for x86 and arm64 look at neither, so a file in which one of these bytes is wrong
    /// may run all the same: `e_phentsize`, which every kernel checks, then tells how the file was written.
    fn of(first: &[u8; HEADER_SIZE]) -> Self {
        let said = Self { wide: bits(first) != Some(32), endian: endian(first).unwrap_or(Endian::Little) };
        let swapped = if said.endian == Endian::Little { Endian::Big } else { Endian::Little };
        let others =
            [Self { endian: swapped, ..said }, Self { wide: !said.wide, ..said }, Self { wide: !said.wide, endian: swapped }];
        let fits = |layout: &Self| layout.short(first, layout.pick(42, 54)) == layout.entry_size();
        [said].into_iter().chain(others).find(fits).unwrap_or(said)
    }

    /// What `e_phentsize` has to be.
    fn entry_size(self) -> u16 {
        if self.wide { 56 } else { 32 }
    }

    /// The size of the file header.
    pub(super) fn header_size(self) -> u64 {
        if self.wide { 64 } else { 52 }
    }
}

/// The file header of 64-bit files; that of 32-bit files is shorter.
pub(super) const HEADER_SIZE: usize = 64;

/// `ELF_MIN_ALIGN` aside, the kernel reads no longer table of program headers (`fs/binfmt_elf.c`, `load_elf_phdrs`).
const MAX_TABLE: u64 = 65_536;

/// `EI_CLASS`.
pub(super) fn bits(first: &[u8; HEADER_SIZE]) -> Option<u8> {
    match first.get(4) {
        Some(1) => Some(32),
        Some(2) => Some(64),
        _ => None,
    }
}

/// `EI_DATA`.
pub(super) fn endian(first: &[u8; HEADER_SIZE]) -> Option<Endian> {
    match first.get(5) {
        Some(1) => Some(Endian::Little),
        Some(2) => Some(Endian::Big),
        _ => None,
    }
}

/// The fields of the file header that lead to all else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) layout: Layout,
    /// `e_type`.
    pub(super) kind: u16,
    pub(super) machine: u16,
    pub(super) flags: u32,
    /// `e_phoff`, `e_phnum` and `e_phentsize`.
    table: Table,
    /// `e_shoff`, `e_shnum` and `e_shentsize`.
    sections: Table,
}

#[derive(Debug, Clone, Copy)]
struct Table {
    offset: u64,
    entries: u16,
    entry_size: u16,
}

impl Table {
    fn range(self) -> Range<u64> {
        let size = u64::from(self.entries) * u64::from(self.entry_size);
        self.offset..self.offset.saturating_add(size)
    }
}

impl Header {
    pub(super) fn parse(first: &[u8; HEADER_SIZE]) -> Self {
        let layout = Layout::of(first);
        let short = |narrow: usize, wide: usize| layout.short(first, layout.pick(narrow, wide));
        let word =
            |narrow: usize, wide: usize| layout.number(first, layout.pick(narrow, wide), layout.word()).unwrap_or_default();
        let flags = layout.number(first, layout.pick(36, 48), 4).and_then(|flags| u32::try_from(flags).ok());
        Self {
            layout,
            kind: layout.short(first, 16),
            machine: layout.short(first, 18),
            flags: flags.unwrap_or_default(),
            table: Table { offset: word(28, 32), entries: short(44, 56), entry_size: short(42, 54) },
            sections: Table { offset: word(32, 40), entries: short(48, 60), entry_size: short(46, 58) },
        }
    }

    /// Where the program headers lie in the file: all of them, however many.
    pub(super) fn table(&self) -> Range<u64> {
        self.table.range()
    }

    /// The part of [`Header::table`] to read.
    pub(super) fn table_to_read(&self) -> Range<u64> {
        let Range { start, end } = self.table();
        start..end.min(start.saturating_add(MAX_TABLE))
    }

    /// Reads the table's bytes.
    pub(super) fn segments(&self, table: &[u8]) -> Vec<Segment> {
        let entry_size = usize::from(self.table.entry_size);
        if self.table.entry_size < self.layout.entry_size() {
            return Vec::new();
        }
        table.chunks_exact(entry_size).take(Elf::MAX_SEGMENTS).filter_map(|entry| segment(self.layout, entry)).collect()
    }

    /// The string table of the dynamic section, by the section headers, if those lie in the file's `head`: Go's linker puts them
    /// there, and the string table megabytes before the dynamic section. Others put them at the end of the file.
    pub(super) fn dynamic_strings(&self, head: &[u8]) -> Option<Range<u64>> {
        let Range { start, end } = self.sections.range();
        let table = head.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?;
        let sections = || table.chunks(usize::from(self.sections.entry_size).max(1));
        let layout = self.layout;
        let dynamic = sections().find(|section| layout.number(section, 4, 4) == Some(SHT_DYNAMIC.into()))?;
        let link = layout.number(dynamic, layout.pick(24, 40), 4)?;
        let strings = sections().nth(usize::try_from(link).ok()?)?;
        let offset = layout.number(strings, layout.pick(16, 24), layout.word())?;
        let size = layout.number(strings, layout.pick(20, 32), layout.word())?;
        Some(offset..offset.checked_add(size)?)
    }
}

fn segment(layout: Layout, entry: &[u8]) -> Option<Segment> {
    let half = |at: usize| layout.number(entry, at, 4).and_then(|value| u32::try_from(value).ok());
    let word = |narrow: usize, wide: usize| layout.number(entry, layout.pick(narrow, wide), layout.word());
    Some(Segment {
        kind: half(0)?,
        flags: half(layout.pick(24, 4))?,
        offset: word(4, 8)?,
        address: word(8, 16)?,
        file_size: word(16, 32)?,
        memory_size: word(20, 40)?,
        align: word(28, 48)?,
    })
}
