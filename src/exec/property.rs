//! `PT_GNU_PROPERTY`, which kernels for arm64 parse before they start a program (`fs/binfmt_elf.c`, `parse_elf_properties`;
//! `arch/arm64/include/asm/elf.h`, `arch_parse_elf_property`).

use crate::format::elf::{Elf, Endian};
use crate::image::Errno;

const PT_GNU_PROPERTY: u32 = 0x6474_e553;
const NT_GNU_PROPERTY_TYPE_0: u32 = 5;
const GNU_PROPERTY_AARCH64_FEATURE_1_AND: u32 = 0xc000_0000;

/// The kernel's buffer for the note (`NOTE_DATA_SZ`), and the note's header with its name, `GNU`.
const LARGEST_NOTE: u64 = 1024;
const NOTE_HEADER: usize = 16;
const PROPERTY_HEADER: usize = 8;

/// Checks the properties of `file`, read with the loader's class (`wide`) and byte order.
pub(super) fn check(file: &Elf, wide: bool, endian: Endian) -> Result<(), Errno> {
    // Of several the kernel takes the last.
    let Some(segment) = file.segments.iter().rfind(|segment| segment.kind == PT_GNU_PROPERTY) else { return Ok(()) };
    if segment.file_size > LARGEST_NOTE {
        return Err(Errno::ENOEXEC);
    }
    let bytes = file.property.as_deref().unwrap_or_default();
    if bytes.len() < NOTE_HEADER {
        return Err(Errno::EIO);
    }
    let note = Note { bytes, endian };
    // The type and its name are compared for as long as the name's own NUL.
    if note.half(0) != Some(4) || note.half(8) != Some(NT_GNU_PROPERTY_TYPE_0) || bytes.get(12..NOTE_HEADER) != Some(b"GNU\0") {
        return Err(Errno::ENOEXEC);
    }
    let described = note.half(4).and_then(|size| usize::try_from(size).ok()).ok_or(Errno::ENOEXEC)?;
    if described > bytes.len().saturating_sub(NOTE_HEADER) {
        return Err(Errno::ENOEXEC);
    }
    note.properties(described.saturating_add(NOTE_HEADER), wide)
}

struct Note<'a> {
    bytes: &'a [u8],
    endian: Endian,
}

impl Note<'_> {
    fn half(&self, at: usize) -> Option<u32> {
        let bytes: [u8; 4] = self.bytes.get(at..)?.first_chunk().copied()?;
        Some(if self.endian == Endian::Big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// `parse_elf_property`, for one after the other: each padded to a word, their types rising.
    fn properties(&self, end: usize, wide: bool) -> Result<(), Errno> {
        let word = if wide { 8 } else { 4 };
        let (mut at, mut last) = (NOTE_HEADER, None);
        while at != end {
            if at > end || at % word != 0 {
                return Err(Errno::EIO);
            }
            let room = end.checked_sub(at.saturating_add(PROPERTY_HEADER)).ok_or(Errno::ENOEXEC)?;
            let (kind, size) = self.half(at).zip(self.half(at.saturating_add(4))).ok_or(Errno::ENOEXEC)?;
            let size = usize::try_from(size).map_err(|_| Errno::ENOEXEC)?;
            if size > room || size.next_multiple_of(word) > room || last.is_some_and(|last| kind <= last) {
                return Err(Errno::ENOEXEC);
            }
            // No property is known for 32-bit Arm.
            if wide && kind == GNU_PROPERTY_AARCH64_FEATURE_1_AND && size != 4 {
                return Err(Errno::ENOEXEC);
            }
            last = Some(kind);
            at = at.saturating_add(PROPERTY_HEADER).saturating_add(size.next_multiple_of(word));
        }
        Ok(())
    }
}
