//! What each architecture's kernels run, and what files and directories call it.

use crate::base::Platform;
use crate::format::elf::{Elf, Endian, Machine};

/// An instruction set as an ELF header states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// `e_machine`.
    pub machine: Machine,
    /// 32 or 64.
    pub bits: u8,
    /// Byte order.
    pub endian: Endian,
}

/// Go's name of an architecture, the code that it runs, the 32-bit code that many of its nodes run too, and the other
/// names that files and directories give it.
struct Architecture {
    name: &'static str,
    native: Code,
    sibling: Option<Code>,
    aliases: &'static [&'static str],
}

const fn code(machine: u16, bits: u8, endian: Endian) -> Code {
    Code { machine: Machine(machine), bits, endian }
}

use Endian::{Big, Little};

/// `e_machine` numbers as in `include/uapi/linux/elf-em.h`.
const ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "amd64",
        native: code(62, 64, Little),
        sibling: Some(code(3, 32, Little)),
        aliases: &["amd64", "x86_64", "x86-64", "x64"],
    },
    Architecture {
        name: "386",
        native: code(3, 32, Little),
        sibling: None,
        aliases: &["386", "i386", "i486", "i586", "i686", "ia32", "x86"],
    },
    Architecture {
        name: "arm64",
        native: code(183, 64, Little),
        sibling: Some(code(40, 32, Little)),
        aliases: &["arm64", "aarch64", "arm64v8"],
    },
    Architecture {
        name: "arm",
        native: code(40, 32, Little),
        sibling: None,
        aliases: &["arm", "armhf", "armel", "arm32", "armv5", "armv6", "armv6l", "armv7", "armv7l", "arm32v6", "arm32v7"],
    },
    Architecture {
        name: "ppc64le",
        native: code(21, 64, Little),
        sibling: None,
        aliases: &["ppc64le", "ppc64el", "powerpc64le"],
    },
    Architecture { name: "ppc64", native: code(21, 64, Big), sibling: Some(code(20, 32, Big)), aliases: &["ppc64", "powerpc64"] },
    Architecture { name: "s390x", native: code(22, 64, Big), sibling: Some(code(22, 32, Big)), aliases: &["s390x"] },
    Architecture { name: "riscv64", native: code(243, 64, Little), sibling: None, aliases: &["riscv64", "riscv64gc"] },
    Architecture { name: "loong64", native: code(258, 64, Little), sibling: None, aliases: &["loong64", "loongarch64"] },
    Architecture {
        name: "mips64le",
        native: code(8, 64, Little),
        sibling: Some(code(8, 32, Little)),
        aliases: &["mips64le", "mips64el"],
    },
    Architecture { name: "mips64", native: code(8, 64, Big), sibling: Some(code(8, 32, Big)), aliases: &["mips64"] },
    Architecture { name: "mipsle", native: code(8, 32, Little), sibling: None, aliases: &["mipsle", "mipsel"] },
    Architecture { name: "mips", native: code(8, 32, Big), sibling: None, aliases: &["mips"] },
];

impl Code {
    /// The instruction set of a file, if its header says.
    pub fn of(elf: &Elf) -> Option<Self> {
        Some(Self { machine: elf.machine, bits: elf.bits?, endian: elf.endian? })
    }

    /// The Linux platform whose programs these are.
    pub fn platform(self) -> Option<Platform> {
        let row = ARCHITECTURES.iter().find(|row| row.native == self)?;
        Some(Platform::linux(row.name, None))
    }
}

fn architecture(platform: &Platform) -> Option<&'static Architecture> {
    let name = platform.normalised().architecture;
    ARCHITECTURES.iter().find(|row| row.name == name)
}

/// The code that every node of `platform` runs; `None` for a platform without a row.
pub fn native_code(platform: &Platform) -> Option<Code> {
    architecture(platform).map(|row| row.native)
}

/// The 32-bit code that nodes of `platform` usually run besides.
pub fn sibling_code(platform: &Platform) -> Option<Code> {
    architecture(platform).and_then(|row| row.sibling)
}

/// How files and directories call `platform`'s architecture.
pub fn aliases(platform: &Platform) -> &'static [&'static str] {
    architecture(platform).map(|row| row.aliases).unwrap_or_default()
}

/// All names of architectures, to recognise one in a file's name.
pub fn all_aliases() -> impl Iterator<Item = &'static str> {
    ARCHITECTURES.iter().flat_map(|row| row.aliases.iter().copied())
}

/// Whether two statements of a platform agree; a variant that one of them leaves out agrees with any.
pub fn agree(one: &Platform, other: &Platform) -> bool {
    let (left, right) = (one.normalised(), other.normalised());
    let stated = |platform: &Platform| platform.variant.as_ref().is_some_and(|variant| !variant.is_empty());
    left.os == right.os
        && left.architecture == right.architecture
        && (!stated(one) || !stated(other) || left.variant == right.variant)
}

#[cfg(test)]
mod tests {
    use super::{agree, native_code};

    fn agreed(one: &str, other: &str) -> bool {
        agree(&one.parse().unwrap(), &other.parse().unwrap())
    }

    #[test]
    fn a_variant_left_out_agrees_with_any() {
        assert!(agreed("linux/arm64/v8", "linux/arm64"));
        assert!(agreed("linux/arm/v6", "linux/arm"));
        assert!(agreed("linux/x86_64", "linux/amd64"));
        assert!(!agreed("linux/arm/v6", "linux/arm/v7"));
        assert!(!agreed("linux/arm64", "linux/amd64"));
        assert!(!agreed("windows/amd64", "linux/amd64"));
    }

    #[test]
    fn a_platform_without_a_row_has_no_code() {
        assert!(native_code(&"linux/vax".parse().unwrap()).is_none());
        assert_eq!(native_code(&"linux/aarch64".parse().unwrap()).unwrap().machine.0, 183);
    }
}
