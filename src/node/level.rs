//! How far a CPU goes beyond its architecture's baseline.

use std::fmt;

use crate::base::Platform;

/// A step of an architecture's instruction set: x86-64-v3, POWER9, z14, Armv8.2. Steps of one architecture are in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level {
    family: Family,
    /// The step: 3 of x86-64-v3, 9 of POWER9, 14 of z14, 7 of Armv7, 82 of Armv8.2, 22 of RVA22, 6 of MIPS Release 6.
    step: u16,
}

/// Architectures that have steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// The psABI's microarchitecture levels.
    X86,
    /// 32-bit Arm.
    Arm,
    /// 64-bit Arm.
    Arm64,
    /// IBM POWER.
    Power,
    /// IBM Z.
    Z,
    /// RISC-V application profiles.
    Riscv,
    /// Releases of MIPS32 and MIPS64.
    Mips,
}

impl Level {
    /// A level.
    pub fn new(family: Family, step: u16) -> Self {
        Self { family, step }
    }

    /// Its number: see there.
    pub fn step(self) -> u16 {
        self.step
    }

    /// Of which architecture it is.
    pub fn family(self) -> Family {
        self.family
    }

    /// The directories below `glibc-hwcaps` that glibc looks into on such a CPU, best first (`sysdeps/x86_64/dl-hwcaps-subdirs.c`,
    /// `sysdeps/powerpc/powerpc64/le/dl-hwcaps-subdirs.c`, `sysdeps/s390/s390-64/dl-hwcaps-subdirs.c`).
    pub fn glibc_directories(self) -> Vec<String> {
        let (name, steps) = match self.family {
            Family::X86 => ("x86-64-v", 2..=4),
            Family::Power => ("power", 9..=10),
            Family::Z => ("z", 13..=16),
            Family::Arm | Family::Arm64 | Family::Riscv | Family::Mips => return Vec::new(),
        };
        steps.rev().filter(|step| *step <= self.step).map(|step| format!("{name}{step}")).collect()
    }

    /// The level that a platform's variant names: `linux/amd64/v2`, `linux/arm/v6`.
    pub fn of(platform: &Platform) -> Option<Self> {
        Self::parse(platform, platform.normalised().variant.as_deref()?)
    }

    /// Reads a level of this platform's architecture, as image platforms, compilers and vendors write it: `v3`, `x86-64-v3`,
    /// `v8.2`, `power9`, `z14`, `rva22`, `mips64r2`.
    pub fn parse(platform: &Platform, text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let number = |prefixes: &[&str]| {
            let rest = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix))?;
            rest.strip_suffix("u64").unwrap_or(rest).parse::<u16>().ok()
        };
        let (family, step) = match platform.architecture.as_str() {
            "amd64" => (Family::X86, number(&["x86-64-v", "v"]).filter(|step| (1..=4).contains(step))?),
            "arm" => (Family::Arm, number(&["armv", "v"]).filter(|step| (4..=8).contains(step))?),
            "arm64" => {
                let rest = text.strip_prefix("armv").or(text.strip_prefix('v'))?;
                let (major, minor) = rest.split_once('.').unwrap_or((rest, "0"));
                let (major, minor): (u16, u16) = (major.parse().ok()?, minor.parse().ok()?);
                (Family::Arm64, major.checked_mul(10)?.checked_add(minor).filter(|step| (80..100).contains(step))?)
            }
            "ppc64le" | "ppc64" => (Family::Power, number(&["power", "pwr"]).filter(|step| (7..=12).contains(step))?),
            "s390x" => (Family::Z, number(&["z"]).filter(|step| (9..=20).contains(step))?),
            "riscv64" => (Family::Riscv, number(&["rva"]).filter(|step| (20..=30).contains(step))?),
            "mips" | "mipsle" | "mips64" | "mips64le" => {
                let step = number(&["mips release ", "mips32r", "mips64r", "r"]);
                (Family::Mips, step.filter(|step| matches!(step, 1..=3 | 5 | 6))?)
            }
            _ => return None,
        };
        Some(Self { family, step })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step;
        match self.family {
            Family::X86 => write!(out, "x86-64-v{step}"),
            Family::Arm => write!(out, "Armv{step}"),
            Family::Arm64 => write!(out, "Armv{}.{}", step / 10, step % 10),
            Family::Power => write!(out, "POWER{step}"),
            Family::Z => write!(out, "z{step}"),
            Family::Riscv => write!(out, "RVA{step}"),
            Family::Mips => write!(out, "MIPS Release {step}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;
    use crate::base::Platform;

    #[test]
    fn levels_are_written_in_many_ways() {
        for (platform, text, shown) in [
            ("linux/amd64", "v3", "x86-64-v3"),
            ("linux/amd64", "x86-64-v2", "x86-64-v2"),
            ("linux/arm", "v6", "Armv6"),
            ("linux/arm64", "v8.2", "Armv8.2"),
            ("linux/arm64", "v9", "Armv9.0"),
            ("linux/ppc64le", "power9", "POWER9"),
            ("linux/s390x", "z14", "z14"),
            ("linux/riscv64", "rva22u64", "RVA22"),
            ("linux/mips64le", "r6", "MIPS Release 6"),
            ("linux/mipsle", "mips32r2", "MIPS Release 2"),
            ("linux/mipsle", "MIPS Release 2", "MIPS Release 2"),
        ] {
            let platform: Platform = platform.parse().unwrap();
            assert_eq!(Level::parse(&platform, text).unwrap().to_string(), shown);
        }
        for (platform, text) in [
            ("linux/amd64", "v5"),
            ("linux/amd64", "3"),
            ("linux/s390x", "v3"),
            ("linux/386", "v1"),
            ("linux/arm64", "v7"),
            ("linux/mips", "r4"),
        ] {
            assert_eq!(Level::parse(&platform.parse().unwrap(), text), None, "{platform} {text}");
        }
        let level = |text: &str| Level::of(&text.parse().unwrap());
        let directories = level("linux/amd64/v3").map(Level::glibc_directories);
        assert_eq!(directories.as_deref(), Some(&["x86-64-v3".to_owned(), "x86-64-v2".to_owned()][..]));
        assert!(level("linux/arm/v6") < level("linux/arm/v7"));
        assert_eq!(level("linux/amd64"), None);
    }
}
