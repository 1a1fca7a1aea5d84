//! What kernels for MIPS check besides (`arch/mips/kernel/elf.c`, `arch_elf_pt_proc` and `arch_check_elf`): how NaNs are encoded, and
//! how floating-point registers are used.

use crate::format::elf::Elf;
use crate::image::Errno;
use crate::node::{Family, Level, Node};

use super::kernel::fails;
use super::{Cause, Doubt, Outcome};

/// `EF_MIPS_NAN2008`: NaNs as IEEE 754-2008 has them, rather than the other way round.
const NAN_2008: u32 = 0x400;
/// `EF_MIPS_ABI2`: n32.
const N32: u32 = 0x20;
/// `EF_MIPS_FP64`: registers of 64 bits, before there was `.MIPS.abiflags` to say so.
const OLD_FP64: u32 = 0x200;

/// Ways to use the floating-point unit: single precision only, none at all, and the modes FR0, FR1 and FRE of its registers.
const ANY: u8 = 0b11111;
const SINGLE: u8 = 0b00001;
const SOFT: u8 = 0b00010;
const FR0: u8 = 0b00100;
const FR1: u8 = 0b01000;
const FRE: u8 = 0b10000;

/// What the kernel says of a program and its dynamic loader; `None` where it takes them.
pub(super) fn check(program: &Elf, loader: Option<&Elf>, node: &Node) -> Option<Outcome> {
    let is_2008 = |elf: &Elf| elf.flags & NAN_2008 != 0;
    let release = node.level.filter(|level| level.family() == Family::Mips).map(Level::step);
    // A kernel takes what its CPU has, unless it was booted with `ieee754=`. Releases 3 and 5 may have either.
    match (is_2008(program), release) {
        (true, Some(1 | 2)) => return Some(refused("its NaNs are those of IEEE 754-2008, which the CPU does not have")),
        (false, Some(6..)) => return Some(refused("its NaNs are those of before IEEE 754-2008, which the CPU does not have")),
        (true, None | Some(3..=5)) | (false, Some(3..=5)) => return unsure("which NaNs the CPU has"),
        _ => {}
    }
    let loader = loader?;
    if is_2008(program) != is_2008(loader) {
        return Some(fails(Errno::ELIBBAD, Cause::LoaderOtherAbi("its NaNs are encoded the other way")));
    }
    if [program, loader].into_iter().any(|elf| elf.bits == Some(32) && elf.flags & (OLD_FP64 | N32) == OLD_FP64) {
        return unsure("an ABI with floating-point registers of 64 bits");
    }
    // Only kernels with CONFIG_MIPS_O32_FP64_SUPPORT compare the two.
    if modes(program) & modes(loader) == 0 { unsure("a loader of another floating-point ABI") } else { None }
}

fn refused(why: &'static str) -> Outcome {
    fails(Errno::ENOEXEC, Cause::MalformedElf(why))
}

fn unsure(what: &'static str) -> Option<Outcome> {
    Some(Outcome::Unsure { because: Doubt::NotModelled(what) })
}

/// In which ways a file's floating-point ABI can be run (`fpu_reqs`, `none_req`; glibc `sysdeps/mips/dl-machine-reject-phdr.h`).
pub(super) fn modes(elf: &Elf) -> u8 {
    let Some(flags) = elf.attributes.as_ref().and_then(|attributes| attributes.mips) else { return ANY & !FR1 };
    match flags.float {
        0 => ANY,
        1 => FR0 | FRE,
        2 => SINGLE,
        3 => SOFT,
        5 => FR0 | FR1 | FRE,
        6 => FR1,
        7 => FR1 | FRE,
        _ => 0,
    }
}

/// Whether glibc for MIPS loads `library` into a process of `loader` and `others` (`sysdeps/mips/dl-machine.h`,
/// `elf_machine_matches_host`; `dl-machine-reject-phdr.h`).
pub(super) fn links<'a>(library: &Elf, loader: &Elf, mut others: impl Iterator<Item = &'a Elf>) -> bool {
    let same = NAN_2008 | if loader.bits == Some(32) { N32 } else { 0 };
    let is_alike = (library.flags ^ loader.flags) & same == 0 && library.flags & OLD_FP64 == 0;
    let both = modes(library) & modes(loader);
    is_alike && both != 0 && others.try_fold(both, |left, other| Some(left & modes(other)).filter(|left| *left != 0)).is_some()
}

#[cfg(test)]
mod tests {
    use super::{N32, NAN_2008, check, links};
    use crate::exec::tests::{elf, parsed};
    use crate::format::elf::{Attributes, Elf, MipsFlags};
    use crate::node::Node;

    const O32: u32 = 0x1000;

    fn file(flags: u32, float: Option<u8>) -> Elf {
        let mips = float.map(|float| MipsFlags { isa: 32, release: 2, float });
        Elf { flags, attributes: Some(Attributes { mips, ..Attributes::default() }), ..parsed(&elf(8, 32, false, None)) }
    }

    #[test]
    fn nans_are_the_cpus() {
        let ends = |program: u32, loader: Option<u32>, node: &str| {
            let loader = loader.map(|flags| file(flags, None));
            let outcome = check(&file(program, None), loader.as_ref(), &Node::parse(node).unwrap());
            outcome.map_or_else(
                || "runs".to_owned(),
                |outcome| outcome.cause().map_or(outcome.name(), |cause| cause.name()).to_owned(),
            )
        };
        assert_eq!(ends(O32, None, "mipsle"), "runs");
        assert_eq!(ends(O32, Some(O32), "mipsle,level=r2"), "runs");
        assert_eq!(ends(O32 | NAN_2008, None, "mipsle,level=r2"), "malformed-elf");
        assert_eq!(ends(O32 | NAN_2008, None, "mipsle,level=r6"), "runs");
        assert_eq!(ends(O32, None, "mipsle,level=r6"), "malformed-elf");
        assert_eq!(ends(O32 | NAN_2008, None, "mipsle"), "unsure");
        assert_eq!(ends(O32, None, "mipsle,level=r5"), "unsure");
        assert_eq!(ends(O32, Some(O32 | NAN_2008), "mipsle"), "loader-other-abi");
    }

    #[test]
    fn libraries_go_with_all_that_is_loaded() {
        let loader = file(O32, Some(5));
        let link = |library: &Elf, others: &[&Elf]| links(library, &loader, others.iter().copied());
        let (double, soft, any) = (file(O32, Some(1)), file(O32, Some(3)), file(O32, Some(0)));
        assert!(link(&double, &[]) && link(&any, &[&double]) && link(&file(O32, None), &[&double]));
        assert!(!link(&soft, &[]), "the loader uses the registers");
        assert!(!link(&file(O32, Some(6)), &[&double]), "FR1 with FR0");
        assert!(!link(&file(O32 | NAN_2008, Some(1)), &[]) && !link(&file(N32, Some(1)), &[]));
    }
}
