//! The smallest program of each instruction set: it calls exit(0) and does nothing else. Started on a machine, it tells whether the
//! machine runs that instruction set at all.

use super::{Endian, Machine};

/// A program that only exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TinyProgram {
    /// Go's name of the architecture, or Linux' name of the ABI where Go has none: `amd64`, `x32`.
    pub name: &'static str,
    /// `e_machine`.
    pub machine: Machine,
    /// 32 or 64.
    pub bits: u8,
    /// Byte order.
    pub endian: Endian,
    /// `e_flags`: the ABI, where the kernel or an emulator looks at it.
    flags: u32,
    /// The instructions, as their manuals print them: numbers of the machine's byte order.
    code: &'static [Word],
}

/// A piece of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// An instruction of four bytes, in the machine's byte order.
    Four(u32),
    /// Bytes in their order in memory.
    Bytes(&'static [u8]),
}

use Endian::{Big, Little};
use Word::{Bytes, Four};

/// Where the file is mapped: a multiple of every page size, and above what kernels keep free.
const ADDRESS: u64 = 0x40_0000;
/// The largest pages that any Linux has.
const LARGEST_PAGE: u64 = 0x1_0000;

const fn tiny(name: &'static str, machine: Machine, bits: u8, endian: Endian, flags: u32, code: &'static [Word]) -> TinyProgram {
    TinyProgram { name, machine, bits, endian, flags, code }
}

/// One for each architecture of [`crate::base::Platform`], and the second ABIs of some. System calls are those of
/// `include/uapi/asm-generic/unistd.h` (exit is 93) but where an architecture has its own table (`arch/*/kernel/syscalls`).
pub const TINY_PROGRAMS: &[TinyProgram] = &[
    // xor edi, edi; mov eax, 60; syscall
    tiny("amd64", Machine::X86_64, 64, Little, 0, &[Bytes(b"\x31\xff\xb8\x3c\0\0\0\x0f\x05")]),
    // The same, with the bit that marks x32's calls.
    tiny("x32", Machine::X86_64, 32, Little, 0, &[Bytes(b"\x31\xff\xb8\x3c\0\0\x40\x0f\x05")]),
    // xor ebx, ebx; mov eax, 1; int 0x80
    tiny("386", Machine::I386, 32, Little, 0, &[Bytes(b"\x31\xdb\xb8\x01\0\0\0\xcd\x80")]),
    // mov x0, #0; mov x8, #93; svc #0
    tiny("arm64", Machine::AARCH64, 64, Little, 0, &[Four(0xd280_0000), Four(0xd280_0ba8), Four(0xd400_0001)]),
    // mov r0, #0; mov r7, #1; svc 0. EABI version 5, without which kernels of arm64 refuse it.
    tiny("arm", Machine::ARM, 32, Little, 0x0500_0000, &[Four(0xe3a0_0000), Four(0xe3a0_7001), Four(0xef00_0000)]),
    // li r3, 0; li r0, 1; sc. ELFv2, whose entry is code and not a descriptor.
    tiny("ppc64le", Machine::PPC64, 64, Little, 2, &[Four(0x3860_0000), Four(0x3800_0001), Four(0x4400_0002)]),
    tiny("ppc64", Machine::PPC64, 64, Big, 2, &[Four(0x3860_0000), Four(0x3800_0001), Four(0x4400_0002)]),
    tiny("ppc", Machine::PPC, 32, Big, 0, &[Four(0x3860_0000), Four(0x3800_0001), Four(0x4400_0002)]),
    // lghi %r2, 0; svc 1
    tiny("s390x", Machine::S390, 64, Big, 0, &[Bytes(b"\xa7\x29\0\0\x0a\x01")]),
    // lhi %r2, 0; svc 1
    tiny("s390", Machine::S390, 32, Big, 0, &[Bytes(b"\xa7\x28\0\0\x0a\x01")]),
    // li a0, 0; li a7, 93; ecall
    tiny("riscv64", Machine::RISCV, 64, Little, 0, &[Four(0x0000_0513), Four(0x05d0_0893), Four(0x0000_0073)]),
    tiny("riscv32", Machine::RISCV, 32, Little, 0, &[Four(0x0000_0513), Four(0x05d0_0893), Four(0x0000_0073)]),
    // addi.d $a0, $zero, 0; ori $a7, $zero, 93; syscall 0
    tiny("loong64", Machine::LOONGARCH, 64, Little, 0x43, &[Four(0x02c0_0004), Four(0x0381_740b), Four(0x002b_0000)]),
    // li $a0, 0; li $v0, 5058; syscall. mips64r2's n64.
    tiny("mips64le", Machine::MIPS, 64, Little, 0x8000_0000, &[Four(0x2404_0000), Four(0x2402_13c2), Four(0x0000_000c)]),
    tiny("mips64", Machine::MIPS, 64, Big, 0x8000_0000, &[Four(0x2404_0000), Four(0x2402_13c2), Four(0x0000_000c)]),
    // The same with exit's number in o32, 4001, and in n32, 6058.
    tiny("mipsle", Machine::MIPS, 32, Little, 0x7000_1000, &[Four(0x2404_0000), Four(0x2402_0fa1), Four(0x0000_000c)]),
    tiny("mips", Machine::MIPS, 32, Big, 0x7000_1000, &[Four(0x2404_0000), Four(0x2402_0fa1), Four(0x0000_000c)]),
];

impl TinyProgram {
    /// The file: a header, one segment that maps all of it, the code.
    pub fn bytes(&self) -> Vec<u8> {
        let wide = self.bits == 64;
        let (header, entry): (u16, u16) = if wide { (64, 56) } else { (52, 32) };
        let start = u64::from(header) + u64::from(entry);
        let size = start + self.code.iter().map(|word| word.bytes(self.endian).len() as u64).sum::<u64>();
        let mut out = Writer { bytes: Vec::new(), wide, endian: self.endian };

        let class = if wide { 2 } else { 1 };
        let data = if self.endian == Little { 1 } else { 2 };
        out.bytes.extend([0x7f, b'E', b'L', b'F', class, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        // ET_EXEC, e_machine, e_version, e_entry, e_phoff, e_shoff, e_flags.
        out.half(2);
        out.half(self.machine.0);
        out.four(1);
        out.word(ADDRESS + start);
        out.word(u64::from(header));
        out.word(0);
        out.four(self.flags);
        // The sizes of the header and of a program header, how many there are; no section headers.
        for value in [header, entry, 1, 0, 0, 0] {
            out.half(value);
        }
        // PT_LOAD, readable and executable, from the start of the file; the flags stand in different places.
        out.four(1);
        if wide {
            out.four(5);
        }
        for value in [0, ADDRESS, ADDRESS, size, size] {
            out.word(value);
        }
        if !wide {
            out.four(5);
        }
        out.word(LARGEST_PAGE);
        out.bytes.extend(self.code.iter().flat_map(|word| word.bytes(self.endian)));
        out.bytes
    }
}

impl Word {
    fn bytes(self, endian: Endian) -> Vec<u8> {
        match self {
            Bytes(bytes) => bytes.to_vec(),
            Four(value) if endian == Little => value.to_le_bytes().to_vec(),
            Four(value) => value.to_be_bytes().to_vec(),
        }
    }
}

/// Writes numbers in a file's class and byte order.
struct Writer {
    bytes: Vec<u8>,
    wide: bool,
    endian: Endian,
}

impl Writer {
    fn half(&mut self, value: u16) {
        self.bytes.extend(if self.endian == Little { value.to_le_bytes() } else { value.to_be_bytes() });
    }

    fn four(&mut self, value: u32) {
        self.bytes.extend(if self.endian == Little { value.to_le_bytes() } else { value.to_be_bytes() });
    }

    /// An address or a size. Those of 32-bit files are all below 4 GiB here.
    fn word(&mut self, value: u64) {
        match u32::try_from(value) {
            Ok(value) if !self.wide => self.four(value),
            _ => self.bytes.extend(if self.endian == Little { value.to_le_bytes() } else { value.to_be_bytes() }),
        }
    }
}
