//! ELF files: what the kernel and the dynamic loader read of them.

mod capture;
mod dynamic;
mod go;
mod header;
mod loader;
mod machine;
mod notes;
mod reader;
#[cfg(test)]
mod tests;
mod text;
mod tiny;
mod versions;

use goblin::elf::dynamic::DF_1_PIE;
use goblin::elf::header::{ET_CORE, ET_DYN, ET_EXEC, ET_REL};
use goblin::elf::program_header::PT_INTERP;

use crate::base::KernelVersion;

pub use loader::{LoaderFacts, LoaderFamily};
pub use machine::{Machine, MachineInfo, Use};
pub(super) use reader::Reader;
pub use tiny::{TINY_PROGRAMS, TinyProgram};

/// An ELF file's facts, read with the file's own class and byte order.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Elf {
    /// `e_machine`.
    pub machine: Machine,
    /// `EI_CLASS`: 32 or 64; `None` where the byte is neither.
    pub bits: Option<u8>,
    /// `EI_DATA`.
    pub endian: Option<Endian>,
    /// `EI_OSABI`.
    pub os_abi: u8,
    /// `e_flags`.
    pub flags: u32,
    /// What kind of file it is.
    pub kind: ElfKind,
    /// The file header and program headers as bytes, for the kernel's model, which reads them with its own class and byte
    /// order: the first 64 bytes, with zeros where the file is shorter, then the table at `e_phoff` (at most 65,536 bytes of it).
    #[serde(with = "serde_bytes")]
    pub header: Box<[u8]>,
    /// The program headers, at most [`Elf::MAX_SEGMENTS`].
    pub segments: Vec<Segment>,
    /// The first `PT_INTERP`. `None` where there is none, and for the odd file that has it before its program headers, where one
    /// forward pass has gone by it; [`Elf::has_interpreter`] tells the two apart.
    pub interpreter: Option<ElfInterpreter>,
    /// The bytes of the last `PT_GNU_PROPERTY`, at most 1,024; short where they lie beyond the end of the file.
    #[serde(with = "serde_bytes")]
    pub property: Option<Box<[u8]>>,
    /// The oldest kernel that the file's C library takes (`NT_GNU_ABI_TAG`).
    pub oldest_kernel: Option<KernelVersion>,
    /// Whether the file itself refuses older ones, as what is linked statically with glibc before 2.36 does.
    pub refuses_old_kernels: bool,
    /// What Go's linker wrote down of the build.
    pub go: Option<Box<GoBuild>>,
    /// What the CPU must have, as compilers for Arm, RISC-V and MIPS write it down.
    pub attributes: Option<Attributes>,
    /// What the dynamic section says; `None` where there is none or it could not be read.
    pub dynamic: Option<Dynamic>,
    /// What it says of itself, if it is a dynamic loader.
    pub loader: Option<Box<LoaderFacts>>,
    /// What is wrong with the file, if anything.
    pub damage: Option<ElfDamage>,
}

impl Elf {
    /// More program headers than this are not read: the kernel refuses tables of over 65,536 bytes (`fs/binfmt_elf.c`,
    /// `load_elf_phdrs`), which is 1,170 of ELF64's.
    pub const MAX_SEGMENTS: usize = 2048;

    /// The program header table, as bytes; short where it lies beyond the end of the file.
    pub fn table(&self) -> &[u8] {
        self.header.get(64..).unwrap_or_default()
    }

    /// How an Arm file passes floating-point numbers (`EF_ARM_ABI_FLOAT_*`); `None` where it does not say, as old ones and Go's do not.
    pub fn float_abi(&self) -> Option<FloatAbi> {
        // The flags mean this from version 5 of the EABI on.
        let flags = Some(self.flags).filter(|flags| self.machine == Machine::ARM && flags >> 24 == 5)?;
        match flags & 0x600 {
            0x400 => Some(FloatAbi::Hard),
            0x200 => Some(FloatAbi::Soft),
            _ => None,
        }
    }

    /// Whether there is a `PT_INTERP`, read or not.
    pub fn has_interpreter(&self) -> bool {
        self.segments.iter().any(|segment| segment.kind == PT_INTERP)
    }

    /// A few words for people: `ELF x86_64 executable, dynamically linked`, `ELF 32-bit big-endian mips shared library`. Class
    /// and byte order are named only where they are not the machine's usual ones.
    pub fn summary(&self) -> String {
        let info = self.machine.info();
        let mut words = vec!["ELF".to_owned()];
        if let Some(bits) = self.bits.filter(|bits| info.and_then(|info| info.bits) != Some(*bits)) {
            words.push(format!("{bits}-bit"));
        }
        if let Some(endian) = self.endian.filter(|endian| info.and_then(|info| info.endian) != Some(*endian)) {
            words.push(format!("{}-endian", endian.name()));
        }
        words.push(self.machine.to_string());
        words.push(match self.kind {
            ElfKind::Executable if self.has_interpreter() => "executable, dynamically linked".to_owned(),
            ElfKind::Executable => "executable, statically linked".to_owned(),
            ElfKind::StaticPie => "static-pie executable".to_owned(),
            ElfKind::SharedLibrary => "shared library".to_owned(),
            ElfKind::Relocatable => "object file".to_owned(),
            ElfKind::Core => "core file".to_owned(),
            ElfKind::Other(kind) => format!("file of type {kind:#x}"),
        });
        words.join(" ")
    }
}

/// How floating-point arguments are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatAbi {
    /// In registers of the floating-point unit: Debian's armhf.
    Hard,
    /// In those of the CPU: armel.
    Soft,
}

/// Byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    /// `little` or `big`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Little => "little",
            Self::Big => "big",
        }
    }
}

/// What an ELF file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum ElfKind {
    /// `ET_EXEC`, or `ET_DYN` with a `PT_INTERP` (a position-independent executable), unless it has a `DT_SONAME` and lacks
    /// `DF_1_PIE`: libraries such as libc.so.6 have a `PT_INTERP` too, so that they can be started to print their version.
    Executable,
    /// `ET_DYN` without `PT_INTERP` that says `DF_1_PIE`: a static position-independent executable.
    StaticPie,
    /// `ET_DYN` otherwise.
    SharedLibrary,
    /// `ET_REL`: an object file or a kernel module.
    Relocatable,
    /// `ET_CORE`.
    Core,
    /// Anything else, with `e_type`.
    Other(u16),
}

impl ElfKind {
    /// Tells the kind from `e_type`, whether there is a `PT_INTERP`, and the dynamic section.
    fn new(e_type: u16, has_interpreter: bool, dynamic: &dynamic::Entries) -> Self {
        let says_pie = dynamic.flags_1 & DF_1_PIE != 0;
        match e_type {
            ET_EXEC => Self::Executable,
            ET_DYN if has_interpreter && (says_pie || dynamic.soname.is_none()) => Self::Executable,
            ET_DYN if says_pie && !has_interpreter => Self::StaticPie,
            ET_DYN => Self::SharedLibrary,
            ET_REL => Self::Relocatable,
            ET_CORE => Self::Core,
            other => Self::Other(other),
        }
    }

    /// As the JSON report spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Executable => "executable",
            Self::StaticPie => "static-pie",
            Self::SharedLibrary => "shared-library",
            Self::Relocatable => "relocatable",
            Self::Core => "core",
            Self::Other(_) => "other",
        }
    }
}

/// A program header. Fields as in elf(5), widened to 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Segment {
    /// `p_type`.
    pub kind: u32,
    /// `p_flags`: 1 execute, 2 write, 4 read.
    pub flags: u32,
    /// `p_offset`, bytes.
    pub offset: u64,
    /// `p_vaddr`.
    pub address: u64,
    /// `p_filesz`, bytes.
    pub file_size: u64,
    /// `p_memsz`, bytes.
    pub memory_size: u64,
    /// `p_align`, bytes.
    pub align: u64,
}

/// The content of `PT_INTERP`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ElfInterpreter {
    /// The segment's bytes, with their NUL; at most 4,096, which is where the kernel stops too.
    #[serde(with = "serde_bytes")]
    pub bytes: Box<[u8]>,
    /// `p_offset`, bytes.
    pub offset: u64,
    /// `p_filesz`, which may be more than what could be read.
    pub size: u64,
}

impl ElfInterpreter {
    /// The path up to the first NUL.
    pub fn path(&self) -> &[u8] {
        self.bytes.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}

/// What the dynamic section asks of the loader.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Dynamic {
    /// `DT_NEEDED`, in order.
    pub needed: Vec<Box<[u8]>>,
    /// `DT_SONAME`.
    pub soname: Option<Box<[u8]>>,
    /// `DT_RPATH`.
    pub rpath: Option<Box<[u8]>>,
    /// `DT_RUNPATH`.
    pub runpath: Option<Box<[u8]>>,
    /// `DT_FLAGS_1`.
    pub flags_1: u64,
    /// `DT_VERNEED`: the symbol versions that are needed of libraries.
    pub needs: Vec<Version>,
    /// `DT_VERDEF`: the symbol versions that are defined; `None` where there is no such list, so that nothing is checked.
    pub defines: Option<Vec<Box<[u8]>>>,
    /// Whether strings lay beyond what the scan could reach in one pass, so that a list may be short.
    pub incomplete: bool,
}

/// A symbol version that a file needs: `GLIBC_2.38` of `libc.so.6`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Version {
    /// The library's name, as in `DT_NEEDED`.
    pub file: Box<[u8]>,
    /// The version's name.
    pub name: Box<[u8]>,
    /// `VER_FLG_WEAK`: it may be missing.
    pub weak: bool,
}

/// What Go wrote down of a build (Go `runtime/debug`, `BuildInfo`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GoBuild {
    /// Go's own version, such as `go1.22.4`.
    pub version: String,
    /// The settings that begin with `GO`: `GOARCH=amd64`, `GOAMD64=v3`.
    pub settings: Vec<(String, String)>,
}

impl GoBuild {
    /// The value of a setting.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Build attributes: claims of the compiler, which nobody checks before the program runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Attributes {
    /// `Tag_CPU_arch` of Arm's: 4 is v5TE, 6 v6, 10 v7, 14 v8-A.
    pub cpu_arch: Option<u8>,
    /// `Tag_CPU_arch_profile`: `A`, `R`, `M` or `S`.
    pub profile: Option<u8>,
    /// `Tag_FP_arch`: 2 is VFPv2, 3 VFPv3, 4 VFPv3-D16, 5 VFPv4, 6 VFPv4-D16, 7 and 8 v8's.
    pub fp_arch: Option<u8>,
    /// `Tag_Advanced_SIMD_arch`: NEON is used.
    pub simd: bool,
    /// `Tag_ABI_VFP_args`: floating-point arguments pass in VFP registers.
    pub hard_float: bool,
    /// `Tag_RISCV_arch`: `rv64i2p1_m2p0_a2p1_f2p2_d2p2_c2p0`.
    pub riscv: Option<Box<[u8]>>,
    /// `PT_MIPS_ABIFLAGS`.
    pub mips: Option<MipsFlags>,
}

/// What `.MIPS.abiflags` says (binutils `include/elf/mips.h`, `Elf_Internal_ABIFlags_v0`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MipsFlags {
    /// `isa_level`: 1 to 5, 32 or 64.
    pub isa: u8,
    /// `isa_rev`: the release of MIPS32 and MIPS64; 0 before them.
    pub release: u8,
    /// `fp_abi` (`Val_GNU_MIPS_ABI_FP_*`): 0 any, 1 double, 2 single, 3 soft, 5 XX, 6 and 7 registers of 64 bits.
    pub float: u8,
}

/// Why an ELF file is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ElfDamage {
    /// Shorter than a file header.
    HeaderCut,
    /// The program header table lies beyond the end of the file.
    ProgramHeadersCut,
    /// A segment ends beyond the end of the file: a truncated copy or download.
    SegmentsCut {
        /// Bytes that the segments need.
        needed: u64,
        /// Bytes that there are.
        size: u64,
    },
}
