//! Whether the node's CPU has the instructions that a program was built with. Said only where the program itself, its loader or
//! its C library makes sure, or cannot do without; what may be chosen at run time is left alone.

use crate::base::{GuestPath, escape};
use crate::format::elf::{Attributes, Elf, Endian, LoaderFamily, Machine};
use crate::node::{Family, Level, Node};

use super::{Cause, Doubt, Outcome};

const SIGILL: u8 = 4;
const X86_64: Machine = Machine(62);
const ARM: Machine = Machine(40);
/// `GNU_PROPERTY_X86_ISA_1_NEEDED`.
const ISA_1_NEEDED: u32 = 0xc000_8002;

/// What a CPU lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuFault {
    /// The file that needs it.
    pub file: GuestPath,
    /// What it needs.
    pub needs: Level,
    /// What the node has.
    pub has: Level,
    /// What is printed; `None` where the CPU just stops.
    pub said: Option<String>,
}

/// A file of the process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    /// As the loader calls it.
    pub(super) name: &'a [u8],
    pub(super) path: &'a GuestPath,
    pub(super) elf: &'a Elf,
}

/// What becomes of a program that is linked: `None` where nothing is known to stop it.
pub(super) fn check(node: &Node, program: Part<'_>, loader: Option<Part<'_>>, libraries: &[Part<'_>]) -> Option<Outcome> {
    let has = node.level?;
    let lacks = |needs: Option<Level>| needs.filter(|needs| *needs > has && is_comparable(*needs, has));
    if let Some((part, needs)) = loader.and_then(|loader| Some((loader, lacks(baseline(loader.elf))?))) {
        let text = part.elf.loader.as_ref().and_then(|facts| facts.baseline.clone());
        return Some(exits(127, part, needs, has, text?));
    }
    if let Some((part, needs)) = loader.and_then(|loader| Some((loader, lacks(claimed(loader.elf))?))) {
        return Some(dies(part, needs, has));
    }
    if let Some(outcome) = on_mips(program, loader, has) {
        return Some(outcome);
    }
    // glibc has checked since 2.33; the last that was loaded comes first (`sysdeps/x86/dl-prop.h`, `dl_isa_level_check`).
    let checks = loader
        .and_then(|loader| loader.elf.loader.as_ref())
        .is_some_and(|facts| facts.family == LoaderFamily::Glibc && facts.version.is_some_and(|version| version >= (2, 33)));
    if checks {
        let mut parts = libraries.iter().rev().chain([&program]);
        if let Some((part, needs)) = parts.find_map(|part| Some((*part, lacks(needed(part.elf))?))) {
            let text = format!("{}: CPU ISA level is lower than required", escape(part.name));
            return Some(exits(127, part, needs, has, text));
        }
    }
    if let Some(needs) = lacks(go_unchecked(program.elf)) {
        return Some(dies(program, needs, has));
    }
    let needs = lacks(go_amd64(program.elf))?;
    let step = needs.to_string().replace("x86-64-", "");
    let text = format!("This program can only be run on AMD64 processors with {step} microarchitecture support.");
    Some(exits(1, program, needs, has, text))
}

/// A MIPS program's release, or its loader's, against the CPU's. Release 6 has dropped instructions of those before.
fn on_mips(program: Part<'_>, loader: Option<Part<'_>>, has: Level) -> Option<Outcome> {
    let part = loader.unwrap_or(program);
    let needs = (part.elf.machine == Machine::MIPS).then(|| mips(part.elf)).flatten()?;
    let newest = Level::new(Family::Mips, 6);
    if needs > has && is_comparable(needs, has) {
        return Some(dies(part, needs, has));
    }
    let what = "code of before MIPS Release 6, which a CPU of that runs only where its kernel emulates it,";
    (needs < newest && has >= newest).then_some(Outcome::Unsure { because: Doubt::NotModelled(what) })
}

fn is_comparable(one: Level, other: Level) -> bool {
    one.family() == other.family()
}

fn exits(code: u8, part: Part<'_>, needs: Level, has: Level, text: String) -> Outcome {
    let fault = CpuFault { file: part.path.clone(), needs, has, said: Some(text) };
    Outcome::Exits { code, cause: Cause::Cpu(Box::new(fault)) }
}

fn dies(part: Part<'_>, needs: Level, has: Level) -> Outcome {
    let fault = CpuFault { file: part.path.clone(), needs, has, said: None };
    Outcome::Dies { signal: SIGILL, cause: Cause::Cpu(Box::new(fault)) }
}

/// What a glibc was built for, by the complaint that it has ready (`sysdeps/x86/dl-get-cpu-features.c`,
/// `sysdeps/powerpc/powerpc64/le/dl-hwcap-check.h`, `sysdeps/s390/s390-64/dl-hwcap-check.h`).
fn baseline(loader: &Elf) -> Option<Level> {
    let text = loader.loader.as_ref()?.baseline.as_deref()?;
    let number = |before: &str| {
        let rest = text.split(before).nth(1)?.trim_start();
        rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
    };
    let x86 = number("x86-64-v").map(|step| Level::new(Family::X86, step));
    let power = || number("POWER").map(|step| Level::new(Family::Power, step));
    let z = || number("(z").map(|step| Level::new(Family::Z, step));
    x86.or_else(power).or_else(z)
}

/// `GNU_PROPERTY_X86_ISA_1_NEEDED`, which linkers write with `-z x86-64-v3`, and compilers with `-mneeded`.
fn needed(elf: &Elf) -> Option<Level> {
    let note = elf.property.as_deref().filter(|_| elf.machine == X86_64)?;
    let number = |at: usize| Some(u32::from_le_bytes(*note.get(at..)?.first_chunk()?));
    let mut at = 16_usize;
    while let (Some(kind), Some(size)) = (number(at), number(at.checked_add(4)?)) {
        if kind == ISA_1_NEEDED {
            let bits = number(at.checked_add(8)?)? & 0xf;
            let highest = bits.checked_ilog2()?;
            return Some(Level::new(Family::X86, u16::try_from(highest).ok()? + 1));
        }
        at = at.checked_add(8)?.checked_add(usize::try_from(size).ok()?.checked_next_multiple_of(8)?)?;
    }
    None
}

/// `GOAMD64`, which Go's runtime checks first of all (`runtime/asm_amd64.s`).
fn go_amd64(elf: &Elf) -> Option<Level> {
    let step = elf.go.as_ref()?.setting("GOAMD64")?.strip_prefix('v')?.parse().ok()?;
    (elf.machine == X86_64 && elf.endian == Some(Endian::Little)).then(|| Level::new(Family::X86, step))
}

/// What Go's compiler took for granted and its runtime, which has such instructions too, does not check before it runs them.
///
/// `GOARM`: 6 needs floating-point hardware, 7 VFPv3. `GOARM64`: of all that comes with Armv8.1 and later only the atomics are used
/// (`,lse`). For both the runtime has a word (`runtime/os_linux_arm.go`, `checkgoarm`; `runtime/asm_arm64.s`), but the instructions
/// come before it. `GOPPC64` names a POWER, `GORISCV64` a profile, of which rva22u64's bit manipulation is used.
fn go_unchecked(elf: &Elf) -> Option<Level> {
    let setting = |key| elf.go.as_ref()?.setting(key);
    match elf.machine {
        ARM => setting("GOARM")?.split(',').next()?.parse().ok().map(|step| Level::new(Family::Arm, step)),
        Machine::AARCH64 => {
            let mut parts = setting("GOARM64")?.split(',');
            let has_atomics = parts.next() != Some("v8.0") || parts.any(|part| part == "lse");
            has_atomics.then(|| Level::new(Family::Arm64, 81))
        }
        Machine::PPC64 => {
            let step = setting("GOPPC64")?.strip_prefix("power")?.parse().ok()?;
            Some(Level::new(Family::Power, step))
        }
        Machine::RISCV => {
            let step: u16 = setting("GORISCV64")?.strip_prefix("rva")?.strip_suffix("u64")?.parse().ok()?;
            Some(Level::new(Family::Riscv, step.min(22)))
        }
        _ => None,
    }
}

/// What the compiler of a dynamic loader claims: the loader runs on every start, and chooses nothing at run time.
fn claimed(loader: &Elf) -> Option<Level> {
    let attributes = loader.attributes.as_ref()?;
    if loader.machine == ARM { arm(attributes) } else { riscv(attributes) }
}

/// `EF_MIPS_ARCH`, which the linker makes the highest of all that it links, or `.MIPS.abiflags`; nothing for MIPS I to V.
fn mips(elf: &Elf) -> Option<Level> {
    let by_flags = match elf.flags >> 28 {
        5 | 6 => 1,
        7 | 8 => 2,
        9 | 10 => 6,
        _ => 0,
    };
    let by_section = elf.attributes.as_ref().and_then(|attributes| attributes.mips).map_or(0, |flags| flags.release);
    let release = by_flags.max(u16::from(by_section));
    (release > 0).then(|| Level::new(Family::Mips, release))
}

/// `Tag_CPU_arch` (ABI for the Arm Architecture, build attributes); profiles other than A are no Linux' CPUs.
fn arm(attributes: &Attributes) -> Option<Level> {
    let step = match attributes.cpu_arch? {
        1 | 2 => 4,
        3..=5 => 5,
        6..=9 => 6,
        10 => 7,
        14 => 8,
        _ => return None,
    };
    Some(Level::new(Family::Arm, step))
}

/// What an RVA20 CPU need not have: vectors (RVA23), and bit manipulation (RVA22).
fn riscv(attributes: &Attributes) -> Option<Level> {
    let text = String::from_utf8_lossy(attributes.riscv.as_deref()?).into_owned();
    let has = |name: &str| text.split('_').skip(1).any(|part| part.starts_with(name));
    let step = if has("v1") {
        23
    } else if has("zba") || has("zbb") || has("zbs") {
        22
    } else {
        20
    };
    Some(Level::new(Family::Riscv, step))
}

#[cfg(test)]
mod tests {
    use super::{Part, check, go_unchecked};
    use crate::base::GuestPath;
    use crate::exec::tests::{elf, parsed};
    use crate::format::elf::GoBuild;
    use crate::node::Node;

    fn needs(machine: u16, bits: u8, setting: &str) -> Option<String> {
        let program = parsed(&elf(machine, bits, false, None));
        let (key, value) = setting.split_once('=').unwrap();
        let go = GoBuild { version: "go1.24.4".into(), settings: vec![(key.into(), value.into())] };
        let program = crate::format::elf::Elf { go: Some(Box::new(go)), ..program };
        go_unchecked(&program).map(|level| level.to_string())
    }

    /// As programs of Go 1.24 ended on emulated CPUs (cortex-a72, power8, power9, rv64 without Zba) and on a kernel of arm64.
    #[test]
    fn gos_settings_say_what_the_cpu_must_have() {
        assert_eq!(needs(183, 64, "GOARM64=v8.0"), None);
        assert_eq!(needs(183, 64, "GOARM64=v8.0,lse").as_deref(), Some("Armv8.1"));
        assert_eq!(needs(183, 64, "GOARM64=v8.1").as_deref(), Some("Armv8.1"));
        assert_eq!(needs(183, 64, "GOARM64=v9.0,crypto").as_deref(), Some("Armv8.1"), "it ran on Armv8.2");
        assert_eq!(needs(21, 64, "GOPPC64=power9").as_deref(), Some("POWER9"));
        assert_eq!(needs(243, 64, "GORISCV64=rva22u64").as_deref(), Some("RVA22"));
        assert_eq!(needs(40, 32, "GOARM=7,softfloat").as_deref(), Some("Armv7"));
        assert_eq!(needs(62, 64, "GOAMD64=v3"), None, "that is checked");
    }

    /// As Debian's dash for mipsel ended on emulated CPUs.
    #[test]
    fn a_mips_program_needs_its_own_release() {
        let path = GuestPath::from("/app");
        let ends = |flags: u32, level: &str| {
            let elf = crate::format::elf::Elf { flags, ..parsed(&elf(8, 32, false, None)) };
            let node = Node::parse(&format!("mipsle,level={level}")).unwrap();
            check(&node, Part { name: b"/app", path: &path, elf: &elf }, None, &[]).map_or("runs", |outcome| outcome.name())
        };
        let [mips_ii, release_1, release_2, release_6] = [0x1000_1000, 0x5000_1000, 0x7000_1000, 0x9000_1000];
        assert_eq!([ends(mips_ii, "r1"), ends(release_1, "r1"), ends(release_2, "r2")], ["runs"; 3]);
        assert_eq!([ends(release_2, "r1"), ends(release_6, "r2"), ends(release_6, "r5")], ["dies"; 3]);
        assert_eq!(ends(release_6, "r6"), "runs");
        assert_eq!(ends(release_2, "r6"), "unsure", "kernels may emulate what Release 6 has dropped");
    }
}
