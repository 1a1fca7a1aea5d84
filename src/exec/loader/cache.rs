//! `/etc/ld.so.cache` (glibc `sysdeps/generic/dl-cache.h`): which file a name was found at when ldconfig last ran.

use crate::format::elf::{Elf, Endian, FloatAbi, Machine};
use crate::image::Rootfs;

/// `CACHEMAGIC_NEW` and `CACHE_VERSION`.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// `FLAG_ELF_LIBC6`.
const LIBC6: u32 = 3;

/// The file's entries.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cache<'a> {
    bytes: &'a [u8],
    big: bool,
    /// What the loader takes entries to be flagged with, one or the other.
    flags: [u32; 2],
}

impl<'a> Cache<'a> {
    /// Opens the root's cache. Where there is none, or none that can be read, it is empty.
    pub(super) fn open(rootfs: &'a Rootfs, loader: &Elf) -> Self {
        let bytes = rootfs.body("/etc/ld.so.cache").unwrap_or_default();
        Self::read(bytes, loader.endian == Some(Endian::Big), flags(loader))
    }

    fn read(bytes: &'a [u8], big: bool, flags: [u32; 2]) -> Self {
        let number = |at: usize| number(bytes, at, big);
        if bytes.starts_with(MAGIC) {
            return Self { bytes, big, flags };
        }
        // An old cache, of 12 bytes an entry, with the new one behind it, aligned to 8.
        let count = number(12).filter(|_| bytes.starts_with(OLD_MAGIC)).and_then(|count| usize::try_from(count).ok());
        let end = count.and_then(|count| count.checked_mul(12)?.checked_add(16));
        let start = end.map(|end| end.next_multiple_of(8));
        let rest = start.and_then(|start| bytes.get(start..)).filter(|rest| rest.starts_with(MAGIC));
        Self { bytes: rest.unwrap_or_default(), big, flags }
    }

    /// The paths that a library's name has for the loader's machine, best first, without those in directories for better CPUs.
    pub(super) fn find(self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        let wanted = name.to_vec();
        let count = usize::try_from(self.number(20).unwrap_or_default()).unwrap_or_default().min(self.bytes.len() / ENTRY);
        (0..count).filter_map(move |index| {
            let at = HEADER + index * ENTRY;
            let is_plain = self.number(at + 16)? == 0 && self.number(at + 20)? == 0;
            let is_library = self.flags.contains(&self.number(at)?);
            let is_named = is_plain && is_library && self.text(self.number(at + 4)?)? == wanted.as_slice();
            if is_named { self.text(self.number(at + 8)?) } else { None }
        })
    }

    fn number(self, at: usize) -> Option<u32> {
        number(self.bytes, at, self.big)
    }

    fn text(self, at: u32) -> Option<&'a [u8]> {
        let rest = self.bytes.get(usize::try_from(at).ok()?..)?;
        rest.split(|byte| *byte == 0).next()
    }
}

/// Which entries a loader takes for its own (`sysdeps/generic/ldconfig.h`, `FLAG_*`; `dl-cache.h` of each architecture,
/// `_dl_cache_check_flags`).
fn flags(loader: &Elf) -> [u32; 2] {
    let (is_wide, mask) = (loader.bits == Some(64), |mask: u32| loader.flags & mask);
    // `EF_MIPS_NAN2008` and `EF_MIPS_ABI2`.
    let (is_2008, is_n32) = (mask(0x400) != 0, mask(0x20) != 0);
    let machine: u32 = match loader.machine {
        Machine::X86_64 if is_wide => 0x03,
        Machine::X86_64 => 0x08,
        Machine::S390 if is_wide => 0x04,
        Machine::PPC64 => 0x05,
        Machine::MIPS => match (is_wide, is_n32, is_2008) {
            (true, _, false) => 0x07,
            (true, _, true) => 0x0e,
            (_, true, false) => 0x06,
            (_, true, true) => 0x0d,
            (_, _, false) => 0,
            (_, _, true) => 0x0c,
        },
        Machine::AARCH64 => 0x0a,
        // `EF_RISCV_FLOAT_ABI_DOUBLE`, and LoongArch's ABI modifier for the same.
        Machine::RISCV if mask(6) == 4 => 0x10,
        Machine::RISCV => 0x0f,
        Machine::LOONGARCH if mask(7) == 3 => 0x12,
        Machine::LOONGARCH => 0x11,
        Machine::ARM => match loader.float_abi() {
            Some(FloatAbi::Hard) => 0x09,
            Some(FloatAbi::Soft) => 0x0b,
            None => 0,
        },
        _ => 0,
    };
    // What no float ABI is told of goes with both on Arm; where machines have no number of their own, libc5's is as good.
    let other = if machine == 0 {
        1
    } else if loader.machine == Machine::ARM {
        LIBC6
    } else {
        machine << 8 | LIBC6
    };
    [machine << 8 | LIBC6, other]
}

fn number(bytes: &[u8], at: usize, big: bool) -> Option<u32> {
    let field: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if big { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) })
}

#[cfg(test)]
mod tests {
    use super::{Cache, ENTRY, HEADER, MAGIC};

    fn cache(entries: &[(&str, &str, u64)]) -> Vec<u8> {
        let mut file = [MAGIC, &(entries.len() as u32).to_le_bytes()[..]].concat();
        file.resize(HEADER, 0);
        let mut strings = Vec::new();
        for (name, path, hwcap) in entries {
            let at = |strings: &Vec<u8>| ((HEADER + entries.len() * ENTRY + strings.len()) as u32).to_le_bytes();
            let name_at = at(&strings);
            strings.extend([name.as_bytes(), b"\0"].concat());
            let path_at = at(&strings);
            strings.extend([path.as_bytes(), b"\0"].concat());
            file.extend([&0x303u32.to_le_bytes()[..], &name_at, &path_at, &[0; 4], &hwcap.to_le_bytes()].concat());
        }
        [file, strings].concat()
    }

    fn found(file: &[u8], name: &str) -> Vec<String> {
        Cache::read(file, false, [0x303; 2]).find(name.as_bytes()).map(|path| String::from_utf8(path.to_vec()).unwrap()).collect()
    }

    #[test]
    fn names_lead_to_paths_and_better_cpus_are_passed_over() {
        let file = cache(&[
            ("libm.so.6", "/fast/libm.so.6", 1 << 62),
            ("libm.so.6", "/lib/libm.so.6", 0),
            ("libc.so.6", "/lib/libc.so.6", 0),
        ]);
        assert_eq!(found(&file, "libm.so.6"), ["/lib/libm.so.6"]);
        assert_eq!(found(&file, "libc.so.6"), ["/lib/libc.so.6"]);
        assert!(found(&file, "libc").is_empty());
        assert_eq!(Cache::read(&file, false, [0x503; 2]).find(b"libc.so.6").count(), 0, "of another machine");
        let old = [b"ld.so-1.7.0\0".to_vec(), 1u32.to_le_bytes().to_vec(), vec![0; 12 + 4], file.clone()].concat();
        assert_eq!(found(&old, "libc.so.6"), ["/lib/libc.so.6"]);
        for length in 0..file.len() {
            _ = found(&file[..length], "libm.so.6");
        }
    }
}
