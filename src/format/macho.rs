//! macOS executables.

use goblin::mach::MultiArch;
use goblin::mach::constants::cputype::{
    CPU_SUBTYPE_ARM64_E, CPU_SUBTYPE_MASK, CPU_TYPE_ARM, CPU_TYPE_ARM64, CPU_TYPE_ARM64_32, CPU_TYPE_I386, CPU_TYPE_POWERPC,
    CPU_TYPE_POWERPC64, CPU_TYPE_X86_64,
};

/// A Mach-O file's facts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MachO {
    /// Whether it is a universal file, which holds one program for each of several machines.
    pub universal: bool,
    /// `cputype` and `cpusubtype` of each machine, in the file's order.
    pub cpus: Vec<(u32, u32)>,
}

/// A universal file of more machines than this is none: the same first bytes begin a Java class, whose version number, 45 or
/// more, stands where a universal file counts its machines.
const MAX_MACHINES: u32 = 30;

impl MachO {
    /// The machines by their field names (`x86_64`, `arm64`); `unknown` for one without a name here.
    pub fn machines(&self) -> impl Iterator<Item = &'static str> {
        self.cpus.iter().map(|(cpu, subtype)| name(*cpu, *subtype))
    }

    /// Reads the first bytes of a file; `None` where they are not Mach-O's. 4 KiB are enough for every universal header.
    pub(super) fn parse(head: &[u8]) -> Option<Self> {
        match head.first_chunk()? {
            [0xca, 0xfe, 0xba, 0xbe] => universal(head),
            [0xfe, 0xed, 0xfa, 0xce | 0xcf] => thin(head, u32::from_be_bytes),
            [0xce | 0xcf, 0xfa, 0xed, 0xfe] => thin(head, u32::from_le_bytes),
            _ => None,
        }
    }
}

/// `mach_header` (`mach-o/loader.h`): the magic, then the CPU's type and subtype.
fn thin(head: &[u8], number: fn([u8; 4]) -> u32) -> Option<MachO> {
    let field = |at: usize| head.get(at..)?.first_chunk().copied().map(number);
    Some(MachO { universal: false, cpus: vec![(field(4)?, field(8)?)] })
}

/// `fat_header` (`mach-o/fat.h`): always big-endian, the magic and a count, then a `fat_arch` for each machine.
fn universal(head: &[u8]) -> Option<MachO> {
    let count = u32::from_be_bytes(*head.get(4..)?.first_chunk()?);
    if !(1..=MAX_MACHINES).contains(&count) {
        return None;
    }
    let slices = MultiArch::new(head).ok()?;
    let cpus = slices.iter_arches().map_while(Result::ok).map(|slice| (slice.cputype, slice.cpusubtype));
    Some(MachO { universal: true, cpus: cpus.collect() })
}

fn name(cpu: u32, subtype: u32) -> &'static str {
    match cpu {
        CPU_TYPE_X86_64 => "x86_64",
        CPU_TYPE_ARM64 if subtype & !CPU_SUBTYPE_MASK == CPU_SUBTYPE_ARM64_E => "arm64e",
        CPU_TYPE_ARM64 => "arm64",
        CPU_TYPE_ARM64_32 => "arm64_32",
        CPU_TYPE_ARM => "arm",
        CPU_TYPE_I386 => "i386",
        CPU_TYPE_POWERPC => "ppc",
        CPU_TYPE_POWERPC64 => "ppc64",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::MachO;
    use proptest::prelude::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn machines(bytes: &[u8]) -> Option<(bool, Vec<&'static str>)> {
        MachO::parse(bytes).map(|file| (file.universal, file.machines().collect()))
    }

    #[test]
    fn a_thin_file_names_its_machine_in_either_byte_order() {
        let intel = [0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1, 3, 0, 0, 0];
        assert_eq!(machines(&intel), Some((false, vec!["x86_64"])));
        let apple = [0xcf, 0xfa, 0xed, 0xfe, 12, 0, 0, 1, 2, 0, 0, 0x80];
        assert_eq!(machines(&apple), Some((false, vec!["arm64e"])));
        assert_eq!(machines(&words(&[0xfeed_face, 18, 0])), Some((false, vec!["ppc"])));
    }

    #[test]
    fn a_universal_file_names_each_machine() {
        let file = words(&[0xcafe_babe, 2, 0x0100_0007, 3, 16384, 1000, 14, 0x0100_000c, 0, 32768, 1000, 14]);
        assert_eq!(machines(&file), Some((true, vec!["x86_64", "arm64"])));
    }

    #[test]
    fn a_java_class_is_no_universal_file() {
        assert_eq!(MachO::parse(&words(&[0xcafe_babe, 61, 0x0012_0a00, 0])), None);
        assert_eq!(MachO::parse(&words(&[0xcafe_babe, 0x0003_002d, 0x0012_0a00, 0])), None);
    }

    proptest! {
        #[test]
        fn never_panics_and_lists_few(magic in prop::sample::select(vec![0xcafe_babe, 0xfeed_face, 0xcefa_edfe_u32]),
            tail in proptest::collection::vec(any::<u8>(), 0..900), count in 0u8..40) {
            let mut bytes = words(&[magic, u32::from(count)]);
            bytes.extend(tail);
            if let Some(file) = MachO::parse(&bytes) {
                prop_assert!(file.cpus.len() <= 30);
            }
        }
    }
}
