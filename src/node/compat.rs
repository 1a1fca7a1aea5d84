//! Second instruction sets.

/// A second instruction set that a 64-bit kernel runs (`arch/*/include/asm/elf.h`, `compat_elf_check_arch`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compat {
    /// i386 on amd64 (CONFIG_IA32_EMULATION).
    I386,
    /// The x32 ABI on amd64.
    X32,
    /// 32-bit Arm on arm64 (CONFIG_COMPAT, and a CPU that has AArch32).
    Arm,
    /// 31-bit on s390x.
    S390,
    /// 32-bit PowerPC on ppc64.
    Ppc,
    /// o32 on mips64.
    O32,
    /// n32 on mips64.
    N32,
    /// rv32 on riscv64.
    Riscv32,
}

impl Compat {
    /// The names of the ABIs, as Linux' configuration and its users call them.
    const NAMES: [(Self, &str); 8] = [
        (Self::I386, "i386"),
        (Self::X32, "x32"),
        (Self::Arm, "arm"),
        (Self::S390, "s390"),
        (Self::Ppc, "ppc"),
        (Self::O32, "o32"),
        (Self::N32, "n32"),
        (Self::Riscv32, "riscv32"),
    ];

    /// The ABI of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, own)| *own == name).map(|(compat, _)| *compat)
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(compat, _)| *compat == self).map(|(_, name)| *name).unwrap_or_default()
    }
}
