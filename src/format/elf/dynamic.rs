use std::ops::Range;

use goblin::elf::dynamic::{
    DT_FLAGS_1, DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRSZ, DT_STRTAB, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED,
    DT_VERNEEDNUM,
};
use goblin::elf::program_header::PT_LOAD;

use super::capture::Window;
use super::header::Layout;
use super::versions::{self, Strings};
use super::{Dynamic, Segment};

/// The dynamic section's entries that matter here, strings as offsets into the string table.
#[derive(Debug, Default)]
pub(super) struct Entries {
    needed: Vec<u64>,
    pub(super) soname: Option<u64>,
    rpath: Option<u64>,
    runpath: Option<u64>,
    pub(super) flags_1: u64,
    /// `DT_STRTAB`: an address, not a place in the file.
    table: Option<u64>,
    table_size: Option<u64>,
    /// `DT_VERNEED` and `DT_VERDEF`: where, and how many.
    needs: Counted,
    defines: Counted,
    /// Whether `DT_NULL` was found, so that no entry is missing.
    whole: bool,
}

/// A list in memory.
#[derive(Debug, Default, Clone, Copy)]
struct Counted {
    address: Option<u64>,
    count: u64,
}

/// What was captured of the file for the dynamic section's lists.
#[derive(Debug, Default)]
pub(super) struct Captured {
    pub(super) strings: Option<Window>,
    pub(super) needs: Option<Window>,
    pub(super) defines: Option<Window>,
}

/// A library with thousands of versions is not known.
const MAX_VERSIONS: u64 = 128 * 1024;

/// No name or search path of a real file is longer: `PATH_MAX`.
const MAX_STRING: u64 = 4096;

impl Entries {
    pub(super) fn parse(layout: Layout, section: &[u8]) -> Self {
        let mut entries = Self::default();
        for entry in section.chunks_exact(2 * layout.word()) {
            let number = |at: usize| layout.number(entry, at, layout.word()).unwrap_or_default();
            let value = number(layout.word());
            match number(0) {
                DT_NULL => {
                    entries.whole = true;
                    break;
                }
                DT_NEEDED => entries.needed.push(value),
                DT_SONAME => entries.soname = Some(value),
                DT_RPATH => entries.rpath = Some(value),
                DT_RUNPATH => entries.runpath = Some(value),
                DT_FLAGS_1 => entries.flags_1 = value,
                DT_STRTAB => entries.table = Some(value),
                DT_STRSZ => entries.table_size = Some(value),
                DT_VERNEED => entries.needs.address = Some(value),
                DT_VERNEEDNUM => entries.needs.count = value,
                DT_VERDEF => entries.defines.address = Some(value),
                DT_VERDEFNUM => entries.defines.count = value,
                _ => {}
            }
        }
        entries
    }

    fn strings(&self) -> impl Iterator<Item = u64> {
        self.needed.iter().copied().chain([self.soname, self.rpath, self.runpath].into_iter().flatten())
    }

    /// Where in the file the strings lie that the entries name. `None` where they name none, or nothing says where.
    pub(super) fn place(&self, segments: &[Segment]) -> Option<Range<u64>> {
        let table = offset(segments, self.table?)?;
        let size = self.table_size.unwrap_or(u64::MAX);
        if self.needs.address.or(self.defines.address).is_some() {
            // Versions' names lie anywhere in it.
            return Some(table..table.saturating_add(size));
        }
        let (first, last) = (self.strings().min()?, self.strings().max()?);
        Some(table.checked_add(first)?..table.saturating_add(last.saturating_add(MAX_STRING).min(size)))
    }

    /// Where in the file `DT_VERNEED`'s and `DT_VERDEF`'s lists lie.
    pub(super) fn version_places(&self, segments: &[Segment]) -> [Option<Range<u64>>; 2] {
        [self.needs, self.defines].map(|list| {
            let start = offset(segments, list.address?)?;
            Some(start..start.saturating_add(list.count.saturating_mul(1024).min(MAX_VERSIONS)))
        })
    }

    /// Looks the strings up in what was captured of the file. A string that was not captured to its end makes the result
    /// incomplete, never wrong.
    pub(super) fn resolve(&self, layout: Layout, segments: &[Segment], captured: &Captured) -> Dynamic {
        let table = self.table.and_then(|address| offset(segments, address));
        let find = |offset: u64| {
            let place = table.and_then(|table| table.checked_add(offset))?;
            terminated(captured.strings.as_ref()?.from(place))
        };
        let mut incomplete = !self.whole;
        let mut text = |offset: u64| {
            let found = find(offset);
            incomplete |= found.is_none();
            found
        };
        let needed = self.needed.iter().filter_map(|offset| text(*offset)).collect();
        let soname = self.soname.and_then(&mut text);
        let rpath = self.rpath.and_then(&mut text);
        let runpath = self.runpath.and_then(&mut text);
        let strings = Strings(&find);
        let needs = captured.needs.as_ref().map(|list| versions::needs(layout, list, self.needs.count, &strings));
        let defines = captured.defines.as_ref().map(|list| versions::definitions(layout, list, self.defines.count, &strings));
        incomplete |= needs == Some(None) || defines == Some(None);
        Dynamic {
            needed,
            soname,
            rpath,
            runpath,
            flags_1: self.flags_1,
            needs: needs.flatten().unwrap_or_default(),
            defines: defines.flatten(),
            incomplete,
        }
    }
}

/// Where in the file the byte at `address` lies.
fn offset(segments: &[Segment], address: u64) -> Option<u64> {
    let holds = |segment: &&Segment| {
        segment.kind == PT_LOAD && address.checked_sub(segment.address).is_some_and(|offset| offset < segment.file_size)
    };
    let segment = segments.iter().find(holds)?;
    segment.offset.checked_add(address - segment.address)
}

/// The C string at the start of `bytes`, if its end is there.
fn terminated(bytes: &[u8]) -> Option<Box<[u8]>> {
    let length = bytes.iter().take(MAX_STRING as usize).position(|byte| *byte == 0)?;
    bytes.get(..length).map(Into::into)
}
