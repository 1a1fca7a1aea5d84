//! ELF files written field by field, so that each field can be wrong.

use enoexec::format::elf::Endian;

/// An architecture's smallest program.
#[derive(Clone, Copy)]
pub struct Architecture {
    pub name: &'static str,
    pub machine: u16,
    pub wide: bool,
    pub endian: Endian,
    pub flags: u32,
    /// Machine code of `exit(0)`.
    pub code: &'static [u8],
}

use Endian::{Big, Little};

const fn architecture(
    name: &'static str,
    machine: u16,
    wide: bool,
    endian: Endian,
    flags: u32,
    code: &'static [u8],
) -> Architecture {
    Architecture { name, machine, wide, endian, flags, code }
}

pub const ARCHITECTURES: &[Architecture] = &[
    architecture("amd64", 62, true, Little, 0, &[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]),
    architecture("386", 3, false, Little, 0, &[0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80]),
    architecture("arm64", 183, true, Little, 0, &[0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 1, 0, 0, 0xd4]),
    architecture("arm", 40, false, Little, 0x0500_0400, &[1, 0x70, 0xa0, 0xe3, 0, 0, 0xa0, 0xe3, 0, 0, 0, 0xef]),
    architecture("ppc64le", 21, true, Little, 2, &[1, 0, 0, 0x38, 0, 0, 0x60, 0x38, 2, 0, 0, 0x44]),
    architecture("s390x", 22, true, Big, 0, &[0xa7, 0x29, 0, 0, 0x0a, 1]),
    architecture("riscv64", 243, true, Little, 5, &[0x93, 0x08, 0xd0, 0x05, 0x13, 5, 0, 0, 0x73, 0, 0, 0]),
    // Not among the kernels that are asked, but among the files that they are asked about.
    architecture("ppc64", 21, true, Big, 1, &[0x38, 0, 0, 1, 0x38, 0x60, 0, 0, 0x44, 0, 0, 2]),
    architecture("ppc", 20, false, Big, 0, &[0x38, 0, 0, 1, 0x38, 0x60, 0, 0, 0x44, 0, 0, 2]),
    architecture("s390", 22, false, Big, 0, &[0xa7, 0x28, 0, 0, 0x0a, 1]),
    architecture("mips64le", 8, true, Little, 0x8000_0007, &[0]),
    architecture("mips", 8, false, Big, 0x7000_1007, &[0]),
    architecture("loong64", 258, true, Little, 0x43, &[0]),
    architecture("riscv32", 243, false, Little, 5, &[0]),
    architecture("x32", 62, false, Little, 0, &[0xb8, 60, 0, 0, 0x40, 0x31, 0xff, 0x0f, 0x05]),
    architecture("sparc64", 43, true, Big, 0, &[0]),
];

/// The architecture of this name.
pub fn of(name: &str) -> Architecture {
    *ARCHITECTURES.iter().find(|architecture| architecture.name == name).unwrap()
}

/// A program header.
#[derive(Clone, Copy, Default)]
pub struct Segment {
    pub kind: u32,
    pub flags: u32,
    pub offset: u64,
    pub address: u64,
    pub file_size: u64,
    pub memory_size: u64,
    pub align: u64,
}

pub const PT_LOAD: u32 = 1;
pub const PT_INTERP: u32 = 3;
pub const PT_GNU_PROPERTY: u32 = 0x6474_e553;

/// A file to be written.
#[derive(Clone)]
pub struct Program {
    pub architecture: Architecture,
    /// `ET_EXEC` or another.
    pub kind: u16,
    pub base: u64,
    /// With its NUL, if it has one.
    pub interpreter: Option<Vec<u8>>,
    /// Further segments, and what their content is; their offsets are filled in.
    pub notes: Vec<(Segment, Vec<u8>)>,
}

impl Program {
    pub fn new(architecture: Architecture) -> Self {
        let base = if architecture.wide { 0x1000_0000 } else { 0x40_0000 };
        Self { architecture, kind: 2, base, interpreter: None, notes: Vec::new() }
    }

    /// Position-independent, as dynamic loaders are.
    pub fn shared(architecture: Architecture) -> Self {
        Self { kind: 3, base: 0, ..Self::new(architecture) }
    }

    pub fn interpreter(self, path: impl AsRef<[u8]>) -> Self {
        Self { interpreter: Some([path.as_ref(), b"\0"].concat()), ..self }
    }

    pub fn header_size(&self) -> usize {
        if self.architecture.wide { 64 } else { 52 }
    }

    pub fn entry_size(&self) -> usize {
        if self.architecture.wide { 56 } else { 32 }
    }

    /// File header, program headers, interpreter, notes, code.
    pub fn write(&self) -> Vec<u8> {
        let count = 1 + usize::from(self.interpreter.is_some()) + self.notes.len();
        let mut body = Vec::new();
        let start = self.header_size() + count * self.entry_size();
        let mut segments = Vec::new();
        if let Some(path) = &self.interpreter {
            segments.push(self.place(PT_INTERP, start, path.len()));
            body.extend_from_slice(path);
            body.resize(body.len().next_multiple_of(8), 0);
        }
        for (segment, bytes) in &self.notes {
            let placed = self.place(segment.kind, start + body.len(), bytes.len());
            segments
                .push(Segment { file_size: if segment.file_size > 0 { segment.file_size } else { placed.file_size }, ..placed });
            body.extend_from_slice(bytes);
            body.resize(body.len().next_multiple_of(8), 0);
        }
        let entry = (start + body.len()).next_multiple_of(8);
        body.resize(entry - start, 0);
        body.extend_from_slice(self.architecture.code);
        let whole = self.place(PT_LOAD, 0, start + body.len());
        segments.push(Segment { flags: 5, align: 0x10000, ..whole });
        self.assemble(self.base + entry as u64, &segments, &body)
    }

    fn place(&self, kind: u32, offset: usize, size: usize) -> Segment {
        let (offset, size) = (offset as u64, size as u64);
        Segment { kind, flags: 4, offset, address: self.base + offset, file_size: size, memory_size: size, align: 8 }
    }

    /// The file with these program headers.
    pub fn assemble(&self, entry: u64, segments: &[Segment], body: &[u8]) -> Vec<u8> {
        let Architecture { machine, wide, endian, flags, .. } = self.architecture;
        let mut file = vec![0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, if endian == Little { 1 } else { 2 }, 1];
        file.resize(16, 0);
        let mut put = |value: u64, size: usize| number(&mut file, value, size, endian);
        let word = if wide { 8 } else { 4 };
        for (value, size) in [
            (self.kind.into(), 2),
            (machine.into(), 2),
            (1, 4),
            (entry, word),
            (self.header_size() as u64, word),
            (0, word),
            (flags.into(), 4),
            (self.header_size() as u64, 2),
            (self.entry_size() as u64, 2),
            (segments.len() as u64, 2),
            (0, 2),
            (0, 2),
            (0, 2),
        ] {
            put(value, size);
        }
        for segment in segments {
            let Segment { kind, flags, offset, address, file_size, memory_size, align } = *segment;
            put(kind.into(), 4);
            if wide {
                put(flags.into(), 4);
            }
            for value in [offset, address, address, file_size, memory_size] {
                put(value, word);
            }
            if !wide {
                put(flags.into(), 4);
            }
            put(align, word);
        }
        file.extend_from_slice(body);
        file
    }
}

/// Appends a number.
pub fn number(file: &mut Vec<u8>, value: u64, size: usize, endian: Endian) {
    match endian {
        Little => file.extend_from_slice(&value.to_le_bytes()[..size]),
        Big => file.extend_from_slice(&value.to_be_bytes()[8 - size..]),
    }
}

/// The fields of the file header: name, offset and size.
pub fn header_fields(wide: bool) -> Vec<(&'static str, usize, usize)> {
    let mut at = 16;
    let word = if wide { 8 } else { 4 };
    let sizes = [
        ("e_type", 2),
        ("e_machine", 2),
        ("e_version", 4),
        ("e_entry", word),
        ("e_phoff", word),
        ("e_shoff", word),
        ("e_flags", 4),
        ("e_ehsize", 2),
        ("e_phentsize", 2),
        ("e_phnum", 2),
        ("e_shentsize", 2),
        ("e_shnum", 2),
        ("e_shstrndx", 2),
    ];
    let fields = sizes.iter().map(|(name, size)| {
        at += size;
        (*name, at - size, *size)
    });
    fields.collect()
}

/// The fields of a program header, from its start.
pub fn segment_fields(wide: bool) -> Vec<(usize, usize)> {
    if wide {
        vec![(0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 8), (48, 8)]
    } else {
        (0..8).map(|field| (field * 4, 4)).collect()
    }
}

/// Overwrites a number.
pub fn patch(file: &mut [u8], at: usize, size: usize, value: u64, endian: Endian) {
    let mut bytes = Vec::new();
    number(&mut bytes, value, size, endian);
    for (to, from) in file.iter_mut().skip(at).zip(bytes) {
        *to = from;
    }
}
