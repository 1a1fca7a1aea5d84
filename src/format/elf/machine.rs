use std::fmt;
use std::sync::LazyLock;

use super::Endian;

/// `e_machine`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Machine(pub u16);

/// What a machine type is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// Linux runs, or ran, on it.
    Linux,
    /// Code for something else than the CPU: BPF, a GPU, a controller's firmware.
    Device,
}

/// One row of `rules/data/machines.toml`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineInfo {
    /// `e_machine`.
    pub id: u16,
    /// The name that this project and most tools use: `x86_64`, `aarch64`, `arm`, …
    pub name: String,
    /// What it is for.
    #[serde(rename = "use")]
    pub purpose: Use,
    /// 32 or 64, where almost all files of this machine are of that class.
    pub bits: Option<u8>,
    /// The byte order, where almost all files of this machine have that one.
    pub endian: Option<Endian>,
    /// A line for people, such as `64-bit x86 (AMD64, Intel 64)`.
    pub title: String,
}

impl Machine {
    /// 32-bit x86.
    pub const I386: Self = Self(3);
    /// 32-bit x86, an old sibling that x86 kernels accept as well.
    pub const I486: Self = Self(6);
    /// MIPS of any size.
    pub const MIPS: Self = Self(8);
    /// 32-bit PowerPC.
    pub const PPC: Self = Self(20);
    /// 64-bit PowerPC.
    pub const PPC64: Self = Self(21);
    /// IBM Z.
    pub const S390: Self = Self(22);
    /// IBM Z, as numbered before 2001.
    pub const S390_OLD: Self = Self(0xA390);
    /// 32-bit Arm.
    pub const ARM: Self = Self(40);
    /// 64-bit x86.
    pub const X86_64: Self = Self(62);
    /// 64-bit Arm.
    pub const AARCH64: Self = Self(183);
    /// RISC-V of any size.
    pub const RISCV: Self = Self(243);
    /// LoongArch of any size.
    pub const LOONGARCH: Self = Self(258);

    /// The table's row for this machine, if it is known.
    pub fn info(self) -> Option<&'static MachineInfo> {
        let place = MACHINES.binary_search_by_key(&self.0, |machine| machine.id).ok()?;
        MACHINES.get(place)
    }
}

/// The table, by `id`. Its text is part of the program and a test reads it, so the empty table never happens.
static MACHINES: LazyLock<Vec<MachineInfo>> = LazyLock::new(|| {
    let mut machines = parse(include_str!("../../../rules/data/machines.toml")).unwrap_or_default();
    machines.sort_unstable_by_key(|machine| machine.id);
    machines
});

fn parse(text: &str) -> Result<Vec<MachineInfo>, toml::de::Error> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        machine: Vec<MachineInfo>,
    }
    toml::from_str(text).map(|table: Table| table.machine)
}

impl fmt::Display for Machine {
    /// The machine's name, or `machine 0x1234` for one that is not in the table.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.info() {
            Some(info) => formatter.write_str(&info.name),
            None => write!(formatter, "machine {:#x}", self.0),
        }
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Machine({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Endian, MACHINES, Machine, Use, parse};

    #[test]
    fn the_table_parses_and_names_each_machine_once() {
        let machines = parse(include_str!("../../../rules/data/machines.toml")).unwrap();
        let ids: BTreeSet<u16> = machines.iter().map(|machine| machine.id).collect();
        let names: BTreeSet<&str> = machines.iter().map(|machine| machine.name.as_str()).collect();
        assert_eq!((ids.len(), names.len()), (machines.len(), machines.len()));
        assert_eq!(MACHINES.len(), machines.len());
        assert!(machines.iter().all(|machine| matches!(machine.bits, None | Some(32 | 64))));
    }

    #[test]
    fn known_numbers_have_their_names() {
        for (id, name) in
            [(62, "x86_64"), (3, "i386"), (183, "aarch64"), (40, "arm"), (243, "riscv"), (21, "ppc64"), (22, "s390")]
        {
            let info = Machine(id).info().unwrap();
            assert_eq!((info.name.as_str(), info.purpose), (name, Use::Linux));
        }
        for (id, name) in [(247, "bpf"), (224, "amdgpu"), (190, "cuda"), (83, "avr"), (94, "xtensa")] {
            let info = Machine(id).info().unwrap();
            assert_eq!((info.name.as_str(), info.purpose), (name, Use::Device));
        }
        assert_eq!(Machine(22).info().unwrap().endian, Some(Endian::Big));
    }

    #[test]
    fn an_unknown_number_is_shown_as_such() {
        assert_eq!(Machine(0xfedc).to_string(), "machine 0xfedc");
        assert_eq!(Machine(62).to_string(), "x86_64");
    }

    /// goblin has the numbers from another hand.
    #[test]
    fn the_numbers_agree_with_goblins() {
        use goblin::elf::header::*;
        for (id, name) in [
            (EM_SPARC, "sparc"),
            (EM_386, "i386"),
            (EM_68K, "m68k"),
            (EM_MIPS, "mips"),
            (EM_PARISC, "parisc"),
            (EM_PPC, "ppc"),
            (EM_PPC64, "ppc64"),
            (EM_S390, "s390"),
            (EM_ARM, "arm"),
            (EM_SH, "sh"),
            (EM_SPARCV9, "sparcv9"),
            (EM_IA_64, "ia64"),
            (EM_X86_64, "x86_64"),
            (EM_CRIS, "cris"),
            (EM_AVR, "avr"),
            (EM_OPENRISC, "openrisc"),
            (EM_XTENSA, "xtensa"),
            (EM_MSP430, "msp430"),
            (EM_BLACKFIN, "blackfin"),
            (EM_TI_PRU, "pru"),
            (EM_AARCH64, "aarch64"),
            (EM_MICROBLAZE, "microblaze"),
            (EM_CUDA, "cuda"),
            (EM_TILEGX, "tilegx"),
            (EM_AMDGPU, "amdgpu"),
            (EM_RISCV, "riscv"),
            (EM_BPF, "bpf"),
            (EM_LOONGARCH, "loongarch"),
        ] {
            assert_eq!(Machine(id).to_string(), name);
        }
    }
}
