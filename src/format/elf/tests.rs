//! Files made by hand, of every class and byte order, and those of this machine.

use proptest::prelude::*;

use super::{Elf, ElfDamage, ElfKind, Endian, Machine, Reader};
use crate::format::content::{Classifier, Content};

/// Writes an ELF file: headers, then the parts where it is told to put them.
#[derive(Debug, Clone)]
struct Builder {
    bits: u8,
    endian: Endian,
    machine: u16,
    kind: u16,
    flags: u32,
    table: usize,
    interpreter: Option<(usize, &'static [u8])>,
    needed: &'static [&'static str],
    soname: Option<&'static str>,
    runpath: Option<&'static str>,
    flags_1: u64,
    dynamic: Option<usize>,
    strings: usize,
    size: usize,
}

const BASE: u64 = 0x40_0000;

impl Builder {
    fn new(bits: u8, endian: Endian, machine: u16) -> Self {
        let table = if bits == 64 { 64 } else { 52 };
        Self {
            bits,
            endian,
            machine,
            kind: 3,
            flags: 0,
            table,
            interpreter: None,
            needed: &[],
            soname: None,
            runpath: None,
            flags_1: 0,
            dynamic: None,
            strings: 600,
            size: 8192,
        }
    }

    fn amd64() -> Self {
        Self::new(64, Endian::Little, 62)
    }

    /// A program with two libraries, its strings at 600 and its dynamic section at 5000.
    fn linked() -> Self {
        Self {
            interpreter: Some((400, b"/lib/ld.so\0")),
            needed: &["libm.so.6", "libc.so.6"],
            runpath: Some("$ORIGIN/lib"),
            flags_1: 0x0800_0000,
            dynamic: Some(5000),
            ..Self::amd64()
        }
    }

    fn number(&self, value: u64, width: usize) -> Vec<u8> {
        match self.endian {
            Endian::Little => value.to_le_bytes()[..width].to_vec(),
            Endian::Big => value.to_be_bytes()[8 - width..].to_vec(),
        }
    }

    fn word(&self, value: u64) -> Vec<u8> {
        self.number(value, usize::from(self.bits / 8))
    }

    fn half(&self, value: u32) -> Vec<u8> {
        self.number(value.into(), 4)
    }

    fn short(&self, value: u16) -> Vec<u8> {
        self.number(value.into(), 2)
    }

    fn segment(&self, kind: u32, offset: usize, size: usize) -> Vec<u8> {
        let (offset, size) = (offset as u64, size as u64);
        let place =
            [self.word(offset), self.word(BASE + offset), self.word(BASE + offset), self.word(size), self.word(size)].concat();
        if self.bits == 64 {
            [self.half(kind), self.half(5), place, self.word(0x1000)].concat()
        } else {
            [self.half(kind), place, self.half(5), self.word(0x1000)].concat()
        }
    }

    fn build(&self) -> Vec<u8> {
        let mut strings = vec![0];
        let mut dynamic = Vec::new();
        let named = self.needed.iter().map(|name| (1, *name));
        for (tag, text) in named.chain(self.soname.map(|name| (14, name))).chain(self.runpath.map(|path| (29, path))) {
            dynamic.extend([self.word(tag), self.word(strings.len() as u64)].concat());
            strings.extend([text.as_bytes(), b"\0"].concat());
        }
        for (tag, value) in [(5, BASE + self.strings as u64), (10, strings.len() as u64), (0x6fff_fffb, self.flags_1), (0, 0)] {
            dynamic.extend([self.word(tag), self.word(value)].concat());
        }

        let mut segments = vec![self.segment(1, 0, self.size)];
        let mut parts = Vec::new();
        if let Some((offset, path)) = self.interpreter {
            segments.push(self.segment(3, offset, path.len()));
            parts.push((offset, path.to_vec()));
        }
        if let Some(offset) = self.dynamic {
            segments.push(self.segment(2, offset, dynamic.len()));
            parts.extend([(offset, dynamic), (self.strings, strings)]);
        }
        let (header_size, entry_size) = if self.bits == 64 { (64, 56) } else { (52, 32) };
        let class = if self.bits == 64 { 2 } else { 1 };
        let data = if self.endian == Endian::Little { 1 } else { 2 };
        let ident = [0x7f, b'E', b'L', b'F', class, data, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0].to_vec();
        let header = [
            ident,
            self.short(self.kind),
            self.short(self.machine),
            self.half(1),
            self.word(BASE),
            self.word(self.table as u64),
            self.word(0),
            self.half(self.flags),
            self.short(header_size),
            self.short(entry_size),
            self.short(segments.len() as u16),
            vec![0; 6],
        ]
        .concat();
        assert_eq!(header.len(), usize::from(header_size));

        let mut file = vec![0; self.size];
        parts.extend([(0, header), (self.table, segments.concat())]);
        for (offset, bytes) in parts {
            file[offset..offset + bytes.len()].copy_from_slice(&bytes);
        }
        file
    }

    fn read(&self) -> Elf {
        let file = self.build();
        read(&file, file.len())
    }
}

/// Feeds `file` in chunks of `step`, as a scan would.
fn classify(file: &[u8], size: u64, step: usize) -> Content {
    let mut classifier = Classifier::new(size, true);
    for chunk in file.chunks(step.max(1)) {
        classifier.feed(chunk);
    }
    classifier.finish().content
}

fn read(file: &[u8], step: usize) -> Elf {
    match classify(file, file.len() as u64, step) {
        Content::Elf(elf) => *elf,
        other => panic!("no ELF: {other:?}"),
    }
}

fn texts(list: &[Box<[u8]>]) -> Vec<&str> {
    list.iter().map(|text| std::str::from_utf8(text).unwrap()).collect()
}

#[test]
fn every_class_and_byte_order_is_read() {
    for (bits, endian, machine, flags) in [
        (64, Endian::Little, 62, 0),
        (32, Endian::Little, 3, 0),
        (32, Endian::Little, 40, 0x0500_0400),
        (64, Endian::Big, 22, 0),
        (32, Endian::Big, 8, 0x7000_1007),
        (64, Endian::Little, 243, 5),
    ] {
        let elf = Builder { bits, endian, machine, flags, table: if bits == 64 { 64 } else { 52 }, ..Builder::linked() }.read();
        assert_eq!((elf.bits, elf.endian, elf.machine, elf.flags), (Some(bits), Some(endian), Machine(machine), flags));
        assert_eq!(elf.kind, ElfKind::Executable);
        assert_eq!((elf.segments.len(), elf.os_abi), (3, 3));
        assert_eq!((elf.segments[0].kind, elf.segments[0].flags, elf.segments[0].align), (1, 5, 0x1000));
        assert_eq!((elf.segments[0].address, elf.segments[0].file_size, elf.segments[0].memory_size), (BASE, 8192, 8192));
        assert_eq!(elf.interpreter.unwrap().path(), b"/lib/ld.so");
        let dynamic = elf.dynamic.unwrap();
        assert_eq!(texts(&dynamic.needed), ["libm.so.6", "libc.so.6"]);
        assert_eq!(dynamic.runpath.as_deref(), Some(b"$ORIGIN/lib".as_slice()));
        assert!(!dynamic.incomplete);
        assert_eq!(elf.damage, None);
    }
}

#[test]
fn the_kind_follows_type_interpreter_and_dynamic_section() {
    let kind = |builder: Builder| builder.read().kind;
    let pie = 0x0800_0000;
    let interpreter = Some((400, b"/lib/ld.so\0".as_slice()));
    let dynamic = Some(5000);
    assert_eq!(kind(Builder { kind: 2, ..Builder::amd64() }), ElfKind::Executable);
    assert_eq!(kind(Builder { interpreter, dynamic, ..Builder::amd64() }), ElfKind::Executable, "an old linker's PIE");
    assert_eq!(kind(Builder { interpreter, dynamic, flags_1: pie, ..Builder::amd64() }), ElfKind::Executable);
    assert_eq!(kind(Builder { dynamic, flags_1: pie, ..Builder::amd64() }), ElfKind::StaticPie);
    assert_eq!(kind(Builder { dynamic, ..Builder::amd64() }), ElfKind::SharedLibrary);
    let soname = Some("libc.so.6");
    assert_eq!(kind(Builder { interpreter, dynamic, soname, ..Builder::amd64() }), ElfKind::SharedLibrary, "libc.so.6");
    assert_eq!(kind(Builder { interpreter, dynamic, soname, flags_1: pie, ..Builder::amd64() }), ElfKind::Executable);
    assert_eq!(kind(Builder { kind: 1, ..Builder::amd64() }), ElfKind::Relocatable);
    assert_eq!(kind(Builder { kind: 4, ..Builder::amd64() }), ElfKind::Core);
    assert_eq!(kind(Builder { kind: 0xfe00, ..Builder::amd64() }), ElfKind::Other(0xfe00));
}

#[test]
fn a_summary_names_class_and_byte_order_only_where_they_are_unusual() {
    assert_eq!(Builder::linked().read().summary(), "ELF x86_64 executable, dynamically linked");
    assert_eq!(Builder { kind: 2, ..Builder::amd64() }.read().summary(), "ELF x86_64 executable, statically linked");
    let big_mips = Builder::new(32, Endian::Big, 8);
    assert_eq!(big_mips.read().summary(), "ELF 32-bit big-endian mips shared library");
    let static_pie = Builder { dynamic: Some(5000), flags_1: 0x0800_0000, machine: 183, ..Builder::amd64() };
    assert_eq!(static_pie.read().summary(), "ELF aarch64 static-pie executable");
    let x32 = Builder { kind: 1, ..Builder::new(32, Endian::Little, 62) };
    assert_eq!(x32.read().summary(), "ELF 32-bit x86_64 object file");
    assert_eq!(
        Builder { machine: 0x7777, ..Builder::amd64() }.read().summary(),
        "ELF 64-bit little-endian machine 0x7777 shared library"
    );
}

#[test]
fn strings_are_found_before_and_behind_the_dynamic_section() {
    for (strings, dynamic, size) in [(600, 5000, 8192), (700_000, 5000, 800_000), (600, 2_000_000, 2_100_000), (7000, 6000, 8192)]
    {
        let elf = Builder { strings, dynamic: Some(dynamic), size, ..Builder::linked() }.read();
        let found = elf.dynamic.unwrap();
        assert_eq!((texts(&found.needed), found.incomplete), (vec!["libm.so.6", "libc.so.6"], false), "{strings} {dynamic}");
    }
}

#[test]
fn strings_out_of_reach_leave_the_list_incomplete() {
    let elf = Builder { strings: 9_000_000, dynamic: Some(9_500_000), size: 9_600_000, ..Builder::linked() }.read();
    let found = elf.dynamic.unwrap();
    assert_eq!((found.needed.len(), found.incomplete), (0, true));
    assert_eq!(elf.kind, ElfKind::Executable);
}

#[test]
fn program_headers_far_into_the_file_are_read_when_they_pass() {
    let builder = Builder { table: 6000, interpreter: Some((400, b"/lib/ld.so\0")), dynamic: Some(7000), ..Builder::linked() };
    let elf = builder.read();
    assert_eq!(elf.interpreter.as_ref().unwrap().path(), b"/lib/ld.so");
    assert_eq!(texts(&elf.dynamic.as_ref().unwrap().needed), ["libm.so.6", "libc.so.6"]);
    assert_eq!(elf.header.len(), 64 + 3 * 56);
    assert_eq!(elf.header[64..], builder.build()[6000..6000 + 3 * 56]);
}

#[test]
fn what_lies_before_late_program_headers_is_unknown_not_absent() {
    let elf =
        Builder { table: 6000, interpreter: Some((5000, b"/lib/ld.so\0")), dynamic: Some(5500), ..Builder::linked() }.read();
    assert!(elf.has_interpreter());
    assert_eq!((elf.interpreter.as_ref(), elf.dynamic.as_ref()), (None, None));
    assert_eq!(elf.kind, ElfKind::Executable);
}

#[test]
fn a_large_static_program_is_done_after_its_head() {
    let file = Builder { kind: 2, size: 100_000, ..Builder::amd64() }.build();
    let mut classifier = Classifier::new(file.len() as u64, true);
    classifier.feed(&file[..4096]);
    assert!(!classifier.wants_more());
    assert!(matches!(classifier.finish().content, Content::Elf(elf) if elf.damage.is_none()));
}

#[test]
fn an_interpreter_that_is_cut_says_how_long_it_should_be() {
    let file = Builder { interpreter: Some((8180, b"/lib/ld.so\0")), ..Builder::amd64() }.build();
    let elf = read(&file[..8185], 512);
    let interpreter = elf.interpreter.unwrap();
    assert_eq!((interpreter.path(), interpreter.size), (b"/lib/".as_slice(), 11));
    assert_eq!(elf.damage, Some(ElfDamage::SegmentsCut { needed: 8192, size: 8185 }));
}

#[test]
fn a_cut_file_says_where_it_was_cut() {
    let file = Builder::linked().build();
    let damage = |size: usize| read(&file[..size], 100).damage;
    assert_eq!(damage(4), Some(ElfDamage::HeaderCut));
    assert_eq!(damage(63), Some(ElfDamage::HeaderCut));
    assert_eq!(damage(64), Some(ElfDamage::ProgramHeadersCut));
    assert_eq!(damage(64 + 3 * 56 - 1), Some(ElfDamage::ProgramHeadersCut));
    assert_eq!(damage(64 + 3 * 56), Some(ElfDamage::SegmentsCut { needed: 8192, size: 232 }));
    assert_eq!(damage(8192), None);
}

#[test]
fn a_stream_that_ends_early_is_a_cut_file() {
    let file = Builder::linked().build();
    let Content::Elf(elf) = classify(&file[..4500], 8192, 1000) else { panic!("no ELF") };
    assert_eq!(elf.damage, Some(ElfDamage::SegmentsCut { needed: 8192, size: 4500 }));
}

#[test]
fn a_wrong_class_or_byte_order_byte_does_not_hide_what_the_kernel_would_run() {
    for (at, value) in [(4, 1), (4, 0), (5, 0)] {
        let mut file = Builder::linked().build();
        file[at] = value;
        let elf = read(&file, 4096);
        assert_eq!(elf.interpreter.unwrap().path(), b"/lib/ld.so", "byte {at} = {value}");
        assert_eq!(elf.damage, None);
    }
}

#[test]
fn go_puts_section_headers_first_and_strings_anywhere() {
    let builder = Builder { strings: 9_000_000, dynamic: Some(9_500_000), size: 9_600_000, ..Builder::linked() };
    let mut file = builder.build();
    let section = |kind: u32, offset: u64, size: u64, link: u32| {
        [vec![0; 4], builder.half(kind), vec![0; 16], builder.word(offset), builder.word(size), builder.half(link), vec![0; 20]]
            .concat()
    };
    let sections = [section(0, 0, 0, 0), section(3, 9_000_000, 50, 0), section(6, 9_500_000, 128, 1)].concat();
    file[800..800 + sections.len()].copy_from_slice(&sections);
    file[40..48].copy_from_slice(&800u64.to_le_bytes());
    file[58..62].copy_from_slice(&[64, 0, 3, 0]);
    let found = read(&file, 65536).dynamic.unwrap();
    assert_eq!((texts(&found.needed), found.incomplete), (vec!["libm.so.6", "libc.so.6"], false));
}

#[test]
fn a_huge_segment_takes_no_huge_memory() {
    let mut file = Builder { dynamic: Some(5000), ..Builder::linked() }.build();
    file[64 + 2 * 56 + 32..64 + 2 * 56 + 40].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut classifier = Classifier::new(u64::MAX, true);
    classifier.feed(&file);
    let mut fed = 0;
    while classifier.wants_more() {
        classifier.feed(&[0xff; 65536]);
        fed += 65536;
        assert!(fed < 16 << 20, "asks for more and more");
    }
    assert!(matches!(classifier.finish().content, Content::Elf(_)));
}

#[test]
fn the_running_test_is_an_executable() {
    let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    if !file.starts_with(b"\x7fELF") {
        return;
    }
    let elf = read(&file, 65536);
    let theirs = goblin::elf::Elf::parse(&file).unwrap();
    assert_eq!(elf.kind, ElfKind::Executable);
    assert_eq!(elf.machine, Machine(theirs.header.e_machine));
    assert_eq!(elf.segments.len(), theirs.program_headers.len());
    assert_eq!(
        elf.interpreter.map(|interpreter| interpreter.path().to_vec()),
        theirs.interpreter.map(|path| path.as_bytes().to_vec())
    );
    let dynamic = elf.dynamic.unwrap();
    assert!(!dynamic.incomplete);
    assert_eq!(texts(&dynamic.needed), theirs.libraries);
    assert!(dynamic.needed.iter().any(|name| name.starts_with(b"libc.")));
    let text = |offset: usize| theirs.dynstrtab.get_at(offset).unwrap().as_bytes().to_vec();
    let mut versions = Vec::new();
    for file in theirs.verneed.iter().flatten() {
        versions.extend(file.iter().map(|version| (text(file.vn_file), text(version.vna_name))));
    }
    assert!(!versions.is_empty());
    assert_eq!(dynamic.needs.iter().map(|need| (need.file.to_vec(), need.name.to_vec())).collect::<Vec<_>>(), versions);
}

#[test]
fn versions_that_a_library_defines_are_those_that_goblin_reads() {
    let places = ["x86_64", "aarch64"].map(|machine| format!("/lib/{machine}-linux-gnu/libc.so.6"));
    let Some(file) = places.iter().find_map(|place| std::fs::read(place).ok()) else { return };
    let theirs = goblin::elf::Elf::parse(&file).unwrap();
    let text = |offset: usize| theirs.dynstrtab.get_at(offset).unwrap().as_bytes().to_vec();
    let named = theirs.verdef.iter().flatten().filter(|version| version.vd_flags & 1 == 0);
    let names: Vec<_> = named.map(|version| text(version.iter().next().unwrap().vda_name)).collect();
    let defines = read(&file, 65536).dynamic.unwrap().defines.unwrap();
    assert_eq!(defines.iter().map(|name| name.to_vec()).collect::<Vec<_>>(), names);
    assert!(names.contains(&b"GLIBC_2.17".to_vec()));
}

fn builders() -> impl Strategy<Value = Builder> {
    let place = || 300usize..8000;
    (any::<bool>(), any::<bool>(), 1u16..5, place(), place(), place(), place()).prop_map(
        |(wide, little, kind, table, interpreter, dynamic, strings)| Builder {
            kind,
            table,
            interpreter: Some((interpreter, b"/lib/ld.so\0")),
            dynamic: Some(dynamic),
            strings,
            needed: &["libm.so.6", "libc.so.6"],
            size: 9000,
            ..Builder::new(if wide { 64 } else { 32 }, if little { Endian::Little } else { Endian::Big }, 62)
        },
    )
}

proptest! {
    #[test]
    fn the_answer_does_not_depend_on_how_the_bytes_are_cut(builder in builders(), step in 1usize..9000, size in 0usize..9000) {
        let file = builder.build();
        let file = &file[..size];
        prop_assert_eq!(classify(file, size as u64, step), classify(file, size as u64, size));
        prop_assert_eq!(classify(file, 9000, step), classify(file, 9000, size));
    }

    #[test]
    fn damaged_files_never_panic(builder in builders(), edits in proptest::collection::vec((0usize..1000, any::<u8>()), 1..8), step in 1usize..9000) {
        let mut file = builder.build();
        for (at, byte) in edits {
            let header = [0, builder.table, builder.dynamic.unwrap()][at % 3];
            file[header + at / 3] = byte;
        }
        prop_assert_eq!(classify(&file, 9000, step), classify(&file, 9000, 9000));
    }

    #[test]
    fn any_bytes_behind_the_magic_number_are_an_elf(tail in proptest::collection::vec(any::<u8>(), 0..6000)) {
        let file = [b"\x7fELF".to_vec(), tail].concat();
        let elf = read(&file, 1000);
        prop_assert!(elf.segments.len() <= Elf::MAX_SEGMENTS);
        prop_assert!(elf.header.len() <= 64 + 65_536);
    }

    #[test]
    fn what_it_captured_is_what_was_there(builder in builders()) {
        let elf = builder.read();
        if let Some(interpreter) = &elf.interpreter {
            let (offset, path) = builder.interpreter.unwrap();
            prop_assert_eq!(&interpreter.bytes[..], &builder.build()[offset..offset + path.len()]);
        }
        prop_assert_eq!(elf.segments.first().map(|segment| segment.kind).is_some(), true);
    }
}

#[test]
fn the_reader_gives_the_head_back() {
    assert_eq!(Reader::new(b"\x7fELF\x02".to_vec(), 5).head(), b"\x7fELF\x02");
}
