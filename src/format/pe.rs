//! Windows executables.

use goblin::pe::header::{
    COFF_MACHINE_ARM, COFF_MACHINE_ARM64, COFF_MACHINE_ARMNT, COFF_MACHINE_EBC, COFF_MACHINE_IA64, COFF_MACHINE_LOONGARCH32,
    COFF_MACHINE_LOONGARCH64, COFF_MACHINE_POWERPC, COFF_MACHINE_RISCV32, COFF_MACHINE_RISCV64, COFF_MACHINE_THUMB,
    COFF_MACHINE_X86, COFF_MACHINE_X86_64, CoffHeader,
};

/// A PE file's facts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pe {
    /// The `Machine` field; `None` for a plain DOS program without a PE header.
    pub machine: Option<u16>,
}

/// Where the DOS header says where the PE header lies (`e_lfanew`).
const POINTER: usize = 0x3c;

impl Pe {
    /// Reads the first bytes of a file that begins with `MZ`. Its PE header is looked for within `head` only: linkers write it
    /// in the first few hundred bytes.
    pub(super) fn parse(head: &[u8]) -> Self {
        Self { machine: coff_machine(head) }
    }

    /// The machine's name, such as `x86_64`, `aarch64`; `None` where it is not known.
    pub fn name(&self) -> Option<&'static str> {
        self.machine.and_then(name)
    }
}

fn coff_machine(head: &[u8]) -> Option<u16> {
    let pointer = u32::from_le_bytes(*head.get(POINTER..)?.first_chunk()?);
    let header = head.get(usize::try_from(pointer).ok()?..)?.strip_prefix(b"PE\0\0")?;
    CoffHeader::parse(header, &mut 0).ok().map(|header| header.machine)
}

fn name(machine: u16) -> Option<&'static str> {
    Some(match machine {
        COFF_MACHINE_X86_64 => "x86_64",
        COFF_MACHINE_ARM64 => "aarch64",
        COFF_MACHINE_X86 => "i386",
        COFF_MACHINE_ARM | COFF_MACHINE_THUMB | COFF_MACHINE_ARMNT => "arm",
        COFF_MACHINE_RISCV32 => "riscv32",
        COFF_MACHINE_RISCV64 => "riscv64",
        COFF_MACHINE_LOONGARCH32 => "loongarch32",
        COFF_MACHINE_LOONGARCH64 => "loongarch64",
        COFF_MACHINE_IA64 => "ia64",
        COFF_MACHINE_POWERPC => "ppc",
        COFF_MACHINE_EBC => "ebc",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::Pe;
    use proptest::prelude::*;

    fn file(pointer: u32, machine: u16) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c..0x40].copy_from_slice(&pointer.to_le_bytes());
        let at = pointer as usize;
        bytes[at..at + 4].copy_from_slice(b"PE\0\0");
        bytes[at + 4..at + 6].copy_from_slice(&machine.to_le_bytes());
        bytes
    }

    #[test]
    fn the_machine_is_the_coff_headers() {
        assert_eq!(Pe::parse(&file(0x80, 0x8664)).name(), Some("x86_64"));
        assert_eq!(Pe::parse(&file(0x110, 0xaa64)).name(), Some("aarch64"));
        assert_eq!(Pe::parse(&file(0x40, 0x14c)).name(), Some("i386"));
        assert_eq!(Pe::parse(&file(0x80, 0x7777)).name(), None);
    }

    #[test]
    fn without_a_pe_header_it_is_a_dos_program() {
        let dos = Pe { machine: None };
        assert_eq!(Pe::parse(b"MZ"), dos);
        assert_eq!(Pe::parse(&[b"MZ".as_slice(), &[0xff; 200]].concat()), dos);
        assert_eq!(Pe::parse(&file(0x80, 0x8664)[..0x88]), dos);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            Pe::parse(&bytes);
        }
    }
}
