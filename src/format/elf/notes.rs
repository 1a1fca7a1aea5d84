//! Notes (`PT_NOTE`) and what programs say of the CPU that they were built for.

use super::header::Layout;
use super::{Attributes, MipsFlags};
use crate::base::KernelVersion;

/// `NT_GNU_ABI_TAG`.
const GNU_ABI_TAG: u64 = 1;
/// `ELF_NOTE_GOBUILDID_TAG` (Go `cmd/link/internal/ld/elf.go`).
const GO_BUILD_ID: u64 = 4;

/// The size of version 0 of `.MIPS.abiflags`, the only one.
const MIPS_FLAGS: usize = 24;

/// What the notes of one segment say.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// The oldest kernel that the program's C library takes.
    pub(super) oldest_kernel: Option<KernelVersion>,
    /// Whether Go's linker wrote the file.
    pub(super) is_go: bool,
}

/// Reads notes one behind the other.
pub(super) fn read(layout: Layout, mut bytes: &[u8]) -> Notes {
    let mut notes = Notes::default();
    while let Some(note) = next(layout, &mut bytes) {
        match (note.name, note.kind) {
            (b"GNU\0", GNU_ABI_TAG) => {
                let part = |at: usize| layout.number(note.value, at, 4).and_then(|part| u16::try_from(part).ok());
                // The first word says which system; 0 is Linux.
                if let (Some(0), Some(major), Some(minor)) = (part(0), part(4), part(8)) {
                    notes.oldest_kernel = Some(KernelVersion(major, minor));
                }
            }
            (b"Go\0\0", GO_BUILD_ID) => notes.is_go = true,
            _ => {}
        }
    }
    notes
}

struct Note<'a> {
    kind: u64,
    name: &'a [u8],
    value: &'a [u8],
}

fn next<'a>(layout: Layout, bytes: &mut &'a [u8]) -> Option<Note<'a>> {
    let length = |at: usize| layout.number(bytes, at, 4).and_then(|length| usize::try_from(length).ok());
    let (name_length, value_length, kind) = (length(0)?, length(4)?, layout.number(bytes, 8, 4)?);
    let (name, rest) = bytes.get(12..)?.split_at_checked(name_length)?;
    let (value, rest) = rest.get(padding(name_length)..)?.split_at_checked(value_length)?;
    *bytes = rest.get(padding(value_length)..).unwrap_or_default();
    Some(Note { kind, name, value })
}

fn padding(length: usize) -> usize {
    length.wrapping_neg() % 4
}

/// Reads `.ARM.attributes` (ABI for the Arm Architecture, "Addenda", build attributes), looked for in what follows the last
/// segment: the section has no segment of its own, and its header lies at the end of the file.
pub(super) fn arm(tail: &[u8]) -> Option<Attributes> {
    let vendor = b"aeabi\0\x01";
    // A version letter and the length of the vendor's part stand before its name.
    let start = tail.windows(vendor.len()).position(|bytes| bytes == vendor)?;
    if start < 5 || tail.get(start - 5) != Some(&b'A') {
        return None;
    }
    let rest = tail.get(start + vendor.len()..)?;
    let size = usize::try_from(u32::from_le_bytes(rest.get(..4)?.try_into().ok()?)).ok()?;
    let mut bytes = rest.get(4..size.checked_sub(1)?.min(rest.len()))?;
    let mut attributes = Attributes::default();
    while !bytes.is_empty() {
        let tag = number(&mut bytes)?;
        // Tag_CPU_raw_name, Tag_CPU_name, Tag_compatibility's second part, and odd tags above 32 are texts.
        match tag {
            4 | 5 | 67 => _ = text(&mut bytes)?,
            32 => _ = (number(&mut bytes)?, text(&mut bytes)?),
            6 => attributes.cpu_arch = u8::try_from(number(&mut bytes)?).ok(),
            7 => attributes.profile = u8::try_from(number(&mut bytes)?).ok().filter(|profile| *profile != 0),
            10 => attributes.fp_arch = u8::try_from(number(&mut bytes)?).ok(),
            12 => attributes.simd = number(&mut bytes)? > 0,
            28 => attributes.hard_float = number(&mut bytes)? == 1,
            tag if tag > 32 && tag % 2 == 1 => _ = text(&mut bytes)?,
            _ => _ = number(&mut bytes)?,
        }
    }
    Some(attributes)
}

/// Reads `PT_RISCV_ATTRIBUTES` (RISC-V ELF psABI, "Attributes"): the profile's text, `rv64i2p1_m2p0_…`.
pub(super) fn riscv(segment: &[u8]) -> Option<Box<[u8]>> {
    let vendor = b"riscv\0\x01";
    let start = segment.windows(vendor.len()).position(|bytes| bytes == vendor)?;
    let mut bytes = segment.get(start + vendor.len() + 4..)?;
    while !bytes.is_empty() {
        match number(&mut bytes)? {
            5 => return text(&mut bytes).map(Into::into),
            tag if tag % 2 == 1 => _ = text(&mut bytes)?,
            _ => _ = number(&mut bytes)?,
        }
    }
    None
}

/// Reads `PT_MIPS_ABIFLAGS`; `None` for one that is cut, or of a version that is not known.
pub(super) fn mips(layout: Layout, segment: &[u8]) -> Option<MipsFlags> {
    let byte = |at: usize| segment.get(at).copied();
    let is_known = segment.len() >= MIPS_FLAGS && layout.number(segment, 0, 2) == Some(0);
    Some(MipsFlags { isa: byte(2)?, release: byte(3)?, float: byte(7)? }).filter(|_| is_known)
}

/// ULEB128.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (text, rest) = bytes.split_at(end);
    *bytes = rest.get(1..)?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::{arm, mips, read, riscv};
    use crate::base::KernelVersion;
    use crate::format::elf::Endian;
    use crate::format::elf::header::Layout;

    fn note(name: &[u8], kind: u32, value: &[u8]) -> Vec<u8> {
        let number = |value: usize| (value as u32).to_le_bytes();
        [&number(name.len())[..], &number(value.len()), &kind.to_le_bytes(), name, value].concat()
    }

    #[test]
    fn notes_name_the_oldest_kernel_and_go() {
        let layout = Layout { wide: true, endian: Endian::Little };
        let tag: Vec<u8> = [0u32, 3, 17, 0].iter().flat_map(|part| part.to_le_bytes()).collect();
        let other = note(b"GNU\0", 3, b"build id");
        let notes = read(layout, &[other, note(b"GNU\0", 1, &tag), note(b"Go\0\0", 4, b"id\0\0")].concat());
        assert_eq!((notes.oldest_kernel, notes.is_go), (Some(KernelVersion(3, 17)), true));
        let cut = note(b"GNU\0", 1, &tag);
        assert_eq!(read(layout, &cut[..cut.len() - 6]).oldest_kernel, None);
        assert!(!read(layout, &[0xff; 64]).is_go);
    }

    #[test]
    fn arms_attributes_say_which_cpu() {
        // What Debian's armhf programs have: v7-A, VFPv3-D16, hard float.
        let entries = b"\x057-A\0\x06\x0a\x07A\x08\x01\x09\x02\x0a\x04\x12\x04\x13\x01\x14\x01\x15\x01\x17\x03\x18\x01\x19\x01\x1a\x02\x1c\x01";
        let size = (entries.len() + 5) as u32;
        let section = [b"GCC: (Debian)\0A\0\0\0\0aeabi\0\x01", &size.to_le_bytes()[..], entries, b"behind"].concat();
        let found = arm(&section).unwrap();
        assert_eq!(
            (found.cpu_arch, found.profile, found.fp_arch, found.simd, found.hard_float),
            (Some(10), Some(b'A'), Some(4), false, true)
        );
        assert_eq!(arm(b"no aeabi\0 here"), None);
        for length in 0..section.len() {
            _ = arm(&section[..length]);
        }
    }

    #[test]
    fn mips_flags_name_isa_release_and_float() {
        // What Debian's mips64el programs have: MIPS64 Release 2, double.
        let segment = [&[0, 0, 64, 2, 2, 2, 0, 1][..], &[0; 16]].concat();
        let layout = Layout { wide: true, endian: Endian::Little };
        let found = mips(layout, &segment).unwrap();
        assert_eq!((found.isa, found.release, found.float), (64, 2, 1));
        assert_eq!(mips(layout, &segment[..23]), None);
        assert_eq!(mips(layout, &[&[1][..], &segment[1..]].concat()), None, "a version that is not known");
    }

    #[test]
    fn riscvs_attributes_name_the_profile() {
        let segment = b"A\x2f\0\0\0riscv\0\x01\x25\0\0\0\x04\x10\x05rv64i2p1_m2p0_a2p1_c2p0\0";
        assert_eq!(riscv(segment).as_deref(), Some(b"rv64i2p1_m2p0_a2p1_c2p0".as_slice()));
    }
}
