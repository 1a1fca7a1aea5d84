//! What becomes of a program that execve has accepted: how the kernel maps it (`fs/binfmt_elf.c`, `elf_map`), and what kills it
//! before its first instruction is done. Only what is sure is said to die.

use crate::format::elf::{Elf, ElfDamage, Segment};

use super::{Cause, Doubt, Outcome};

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_GNU_STACK: u32 = 0x6474_e551;
const PF_X: u32 = 1;

const SIGBUS: u8 = 7;
const SIGSEGV: u8 = 11;

/// What is started: the program, or its dynamic loader, which the kernel jumps to instead.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) elf: &'a Elf,
    /// `e_entry`.
    pub(super) entry: u64,
    /// `ET_DYN`.
    pub(super) movable: bool,
}

/// The fate of `program`, and whether it is the program's own doing rather than its loader's.
pub(super) fn of(program: Start<'_>, loader: Option<Start<'_>>, page: u64) -> (Outcome, bool) {
    let dies = |signal, cause| Outcome::Dies { signal, cause };
    if loads(program.elf).next().is_none() {
        let nothing = "it loads nothing";
        let outcome = match loader {
            None => dies(SIGSEGV, Cause::MalformedElf(nothing)),
            Some(_) => Outcome::Unsure { because: Doubt::NotModelled("a program that loads nothing but its loader") },
        };
        return (outcome, true);
    }
    let is_library = program.elf.segments.iter().any(|segment| segment.kind == PT_DYNAMIC);
    if loader.is_none() && program.movable && program.entry == 0 && is_library {
        return (dies(SIGSEGV, Cause::NotAProgram("a shared library without an entry point")), true);
    }
    if let Some(segment) = uneven(program.elf, page) {
        return (dies(SIGSEGV, Cause::PageSize { page, align: alignment(segment, page) }), true);
    }
    if let Some(segment) = loader.and_then(|loader| uneven(loader.elf, page)) {
        return (dies(SIGSEGV, Cause::PageSize { page, align: alignment(segment, page) }), false);
    }
    if let Some(outcome) = first_step(loader.unwrap_or(program), page) {
        return (outcome, loader.is_none());
    }
    let cut = |start: Start<'_>| match start.elf.damage {
        Some(ElfDamage::SegmentsCut { needed, size }) => Some(Outcome::Unsure { because: Doubt::Truncated { needed, size } }),
        _ => None,
    };
    if let Some(outcome) = cut(program) {
        return (outcome, true);
    }
    (loader.and_then(cut).unwrap_or(Outcome::Runs), false)
}

fn loads(elf: &Elf) -> impl DoubleEndedIterator<Item = &Segment> {
    elf.segments.iter().filter(|segment| segment.kind == PT_LOAD)
}

/// A segment that cannot be mapped in pages of this size: its address and its place in the file differ by no whole pages.
fn uneven(elf: &Elf, page: u64) -> Option<&Segment> {
    loads(elf).find(|segment| segment.file_size > 0 && segment.address.wrapping_sub(segment.offset) % page != 0)
}

/// The largest pages that a segment was linked for: what it says (`p_align`), or where that is not true, what can be.
fn alignment(segment: &Segment, page: u64) -> u64 {
    let possible = 1 << segment.address.wrapping_sub(segment.offset).trailing_zeros().min(63);
    if segment.align.is_power_of_two() && segment.align < page { segment.align } else { possible }
}

/// What happens at the first instruction: its page may not be in the file any more, or may not be executable because a later
/// segment's page took its place.
fn first_step(start: Start<'_>, page: u64) -> Option<Outcome> {
    let floor = |address: u64| address & !(page - 1);
    let covers = |segment: &&Segment| {
        let end = segment.address.saturating_add(segment.file_size);
        segment.file_size > 0 && floor(segment.address) <= start.entry && start.entry < end.saturating_add(page - 1) & !(page - 1)
    };
    // Later segments are mapped over earlier ones.
    let segment = loads(start.elf).rfind(covers)?;
    if let Some(ElfDamage::SegmentsCut { needed, size }) = start.elf.damage {
        let place = floor(start.entry).wrapping_sub(floor(segment.address)).wrapping_add(floor(segment.offset));
        if place >= size {
            return Some(Outcome::Dies { signal: SIGBUS, cause: Cause::Truncated { needed, size } });
        }
    }
    let owner =
        loads(start.elf).find(|owner| (owner.address..owner.address.saturating_add(owner.file_size)).contains(&start.entry));
    // Without PT_GNU_STACK some architectures make all that can be read executable (`arch/*/include/asm/elf.h`, `elf_read_implies_exec`).
    let is_strict = start.elf.segments.iter().any(|segment| segment.kind == PT_GNU_STACK && segment.flags & PF_X == 0);
    let was_code = owner.is_some_and(|owner| owner.flags & PF_X != 0);
    (is_strict && was_code && segment.flags & PF_X == 0).then_some(Outcome::Dies {
        signal: SIGSEGV,
        cause: Cause::PageSize { page, align: owner.map_or(page, |owner| alignment(owner, page)) },
    })
}
