//! Files that are hard to execute: every rule that the kernel's sources show, on both sides of its edge, and random ones besides.

mod segments;
mod texts;

use enoexec::format::elf::Endian;

use crate::elf::{ARCHITECTURES, Architecture, PT_INTERP, PT_LOAD, Program, Segment, header_fields, of, patch, segment_fields};
use crate::random::Random;
use crate::world::{Kind, Who, World};

/// Numbers at which things break.
const EDGES: &[u64] = &[
    0,
    1,
    2,
    3,
    4,
    5,
    31,
    32,
    33,
    52,
    55,
    56,
    57,
    64,
    72,
    73,
    74,
    127,
    128,
    129,
    255,
    256,
    1023,
    1024,
    1025,
    4095,
    4096,
    4097,
    65_535,
    65_536,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// The world of a kernel of architecture `native`, whose 32-bit sibling is `sibling`. The same seed gives the same world.
pub fn generate(native: &str, sibling: &str, seed: u64) -> World {
    let mut maker = Maker {
        world: World::default(),
        native: of(native),
        sibling: of(sibling),
        random: Random::new(seed),
        interpreters: Vec::new(),
    };
    maker.surroundings();
    maker.interpreters();
    maker.machines();
    maker.headers();
    maker.cut();
    maker.interpreted();
    maker.segments();
    maker.pages();
    maker.properties();
    maker.scripts();
    maker.random_scripts();
    maker.nested_scripts();
    maker.permissions();
    maker.paths();
    maker.not_programs();
    maker.mutations();
    maker.world
}

struct Maker {
    world: World,
    native: Architecture,
    sibling: Architecture,
    random: Random,
    /// Paths of what may be named as an interpreter.
    interpreters: Vec<String>,
}

impl Maker {
    /// Both architectures whose programs the kernel may take.
    fn own(&self) -> [Architecture; 2] {
        [self.native, self.sibling]
    }

    fn surroundings(&mut self) {
        let world = &mut self.world;
        for directory in ["c", "i", "i/dir", "d", "d/sub", "w"] {
            world.directory(directory, 0o755);
        }
        let secret = world.directory("secret", 0o700);
        secret.uid = 0;
        let own = world.directory("own", 0o700);
        (own.uid, own.gid) = (1000, 1000);
        world.directory("group", 0o710).gid = 100;
        world.directory("closed", 0);
    }

    fn interpreters(&mut self) {
        let (native, sibling) = (self.native, self.sibling);
        let foreign = of(if native.name == "s390x" { "amd64" } else { "s390x" });
        let good = Program::shared(native).write();
        let header = Program::shared(native).header_size();
        let mut files: Vec<(String, Vec<u8>)> = vec![
            ("good".into(), good.clone()),
            ("fixed".into(), Program { base: 0x2000_0000, ..Program::new(native) }.write()),
            ("sibling".into(), Program::shared(sibling).write()),
            ("foreign".into(), Program::shared(foreign).write()),
            ("text".into(), b"just some text, which is longer than a file header of any class is, by far\n".to_vec()),
            ("short".into(), b"text".to_vec()),
            ("empty".into(), Vec::new()),
            ("script".into(), b"#!/i/good\nthis script is longer than a file header, so that it is read whole\n".to_vec()),
            ("interpreted".into(), Program::shared(native).interpreter("/nowhere").write()),
            ("none".into(), Program::shared(native).assemble(0x100, &[], &[0; 64])),
            ("unloaded".into(), Program::shared(native).assemble(0x100, &[Segment { kind: 4, ..Segment::default() }], &[0; 64])),
        ];
        for kind in [0_u16, 1, 2, 3, 4, 0xfe00] {
            files.push((format!("type{kind}"), Program { kind, ..Program::shared(native) }.write()));
        }
        let lengths = [1, 4, 16, 20, 51, 52, 53, 63, 64, 65, header + 31, header + 55, header + 56, header + 57, good.len() - 1];
        for length in lengths {
            files.push((format!("cut{length}"), good[..length.min(good.len())].to_vec()));
            let other = Program::shared(sibling).write();
            files.push((format!("cutsibling{length}"), other[..length.min(other.len())].to_vec()));
        }
        for (name, at, size) in header_fields(native.wide) {
            for edge in [0, 1, 33, 57, 74, 2000, 0xffff_ffff_ffff_ffff] {
                if self.random.one_in(3) {
                    let mut file = good.clone();
                    patch(&mut file, at, size, edge, native.endian);
                    files.push((format!("{name}{edge:x}"), file));
                }
            }
        }
        for byte in 4..9 {
            let mut file = good.clone();
            file[byte] ^= 3;
            files.push((format!("ident{byte}"), file));
        }
        for round in 0..25 {
            let file = self.mutated(&good);
            files.push((format!("mutated{round}"), file));
        }
        for (name, bytes) in files {
            self.world.bytes(format!("i/{name}"), bytes);
            self.interpreters.push(format!("/i/{name}"));
        }
        self.unusual_interpreters(&good);
    }

    fn unusual_interpreters(&mut self, good: &[u8]) {
        let world = &mut self.world;
        world.put("i/mode644", Kind::Bytes(good.to_vec()), 0o644);
        world.put("i/mode111", Kind::Bytes(good.to_vec()), 0o111);
        world.put("i/mode001", Kind::Bytes(good.to_vec()), 0o001);
        world.put("i/pipe", Kind::Pipe, 0o755);
        world.put("i/device", Kind::Device, 0o755);
        world.link("i/link", "good");
        world.link("i/dangling", "nowhere");
        world.link("i/loop", "loop");
        world.bytes("secret/good", good);
        world.bytes("i/carriage\r", good);
        world.bytes("w/good", good);
        let others = [
            "/i/mode644",
            "/i/mode111",
            "/i/mode001",
            "/i/pipe",
            "/i/device",
            "/i/link",
            "/i/dangling",
            "/i/loop",
            "/i/dir",
            "/i",
            "/",
            ".",
            "..",
            "/nowhere",
            "/i/good/",
            "/i/good/x",
            "/i/dir/",
            "/secret/good",
            "/../i/./good",
            "//i//good",
            "i/good",
            "good",
            "./i/good",
            "/i/carriage",
        ];
        self.interpreters.extend(others.map(str::to_owned));
        self.interpreters.push(format!("/{}i/good", "/".repeat(3000)));
        self.interpreters.push(format!("/{}", "x".repeat(255)));
        self.interpreters.push(format!("/{}", "x".repeat(256)));
    }

    /// Every machine in every dress.
    fn machines(&mut self) {
        for architecture in ARCHITECTURES {
            self.world.program(Program::new(*architecture).write());
            self.world.program(Program::shared(*architecture).write());
        }
        let numbers: Vec<u16> =
            (0..=300).chain([0x9026, 0xa390, 0x9041, 0x9080, 0xbaab, 0xfeba, 0xffff, 0xf300, 0x3e00]).collect();
        for machine in numbers {
            let flags = self.native.flags;
            self.world.program(Program::new(Architecture { machine, flags, ..self.native }).write());
        }
        let machines =
            [3, 6, 7, 8, 10, 15, 18, 20, 21, 22, 36, 40, 42, 43, 50, 62, 94, 183, 243, 247, 258, 0xa390, self.native.machine];
        for machine in machines {
            for (wide, endian) in [(true, Endian::Little), (true, Endian::Big), (false, Endian::Little), (false, Endian::Big)] {
                for class in 0..=3 {
                    let own = self.own().iter().any(|own| own.machine == machine && own.wide == wide && own.endian == endian);
                    let data = if self.random.one_in(2) { None } else { Some(self.random.below(4)) };
                    if !own && !self.random.one_in(3) {
                        continue;
                    }
                    let flags = *self.random.pick(&[0, 1, 2, 5, 0x20, 0x0500_0000, 0x7000_1007, 0x0500_0400, u32::MAX]);
                    let mut file = Program::new(Architecture { machine, wide, endian, flags, ..self.native }).write();
                    file[4] = class;
                    if let Some(data) = data {
                        file[5] = u8::try_from(data).unwrap();
                    }
                    self.world.program(file);
                }
            }
        }
    }

    /// Every field of the file header at its edges.
    fn headers(&mut self) {
        for own in self.own() {
            for kind in [2, 3] {
                let program = Program { kind, ..if kind == 2 { Program::new(own) } else { Program::shared(own) } };
                let whole = program.interpreter("/i/good").write();
                let alone = Program { kind, ..Program::new(own) }.write();
                for (name, at, size) in header_fields(own.wide) {
                    for edge in EDGES {
                        let matters = matches!(
                            name,
                            "e_type" | "e_phentsize" | "e_phnum" | "e_phoff" | "e_machine" | "e_flags" | "e_entry"
                        );
                        if size == 2 && *edge > 0xffff || !matters && !self.random.one_in(6) || matters && !self.random.one_in(2)
                        {
                            continue;
                        }
                        let mut file = if self.random.one_in(2) { whole.clone() } else { alone.clone() };
                        patch(&mut file, at, size, *edge, own.endian);
                        self.world.program(file);
                    }
                }
                for byte in 0..16 {
                    for value in [0, 1, 2, 3, 65, 0xff] {
                        if self.random.one_in(3) {
                            let mut file = alone.clone();
                            file[byte] = value;
                            self.world.program(file);
                        }
                    }
                }
            }
            for count in [71, 72, 73, 74, 126, 127, 128, 129, 292, 293, 1169, 1170, 1171, 2047, 2048, 2049] {
                self.many_segments(own, count);
            }
        }
    }

    /// A program with so many program headers, all there.
    fn many_segments(&mut self, own: Architecture, count: usize) {
        let program = Program::new(own);
        let size = program.header_size() + count * program.entry_size();
        let entry = size.next_multiple_of(8);
        let mut body = vec![0; entry - size];
        body.extend_from_slice(own.code);
        let whole = (size + body.len()) as u64;
        let load = Segment {
            kind: PT_LOAD,
            flags: 5,
            address: program.base,
            file_size: whole,
            memory_size: whole,
            align: 0x10000,
            offset: 0,
        };
        let mut segments = vec![Segment { kind: 4, align: 4, ..Segment::default() }; count];
        segments[count - 1] = load;
        let file = program.assemble(program.base + entry as u64, &segments, &body);
        self.world.program(file);
    }

    /// Cut at every boundary.
    fn cut(&mut self) {
        for own in self.own() {
            let whole = Program::shared(own).interpreter("/i/good").write();
            let header = Program::new(own).header_size();
            let entry = Program::new(own).entry_size();
            let mut lengths: Vec<usize> = (0..=20).collect();
            for boundary in [header, header + entry, header + 2 * entry, header + 2 * entry + 8, whole.len()] {
                lengths.extend(boundary - 2..=boundary + 2);
            }
            for length in lengths {
                let mut file = whole.clone();
                file.resize(length, 0);
                self.world.program(file);
            }
        }
    }

    /// Programs with an interpreter of every kind, and with a `PT_INTERP` of every kind.
    fn interpreted(&mut self) {
        let interpreters = self.interpreters.clone();
        for path in &interpreters {
            self.world.program(Program::new(self.native).interpreter(path).write());
            if self.random.one_in(4) {
                self.world.program(Program::new(self.sibling).interpreter(path).write());
                let machine = self.random.pick(ARCHITECTURES);
                self.world.program(Program::new(*machine).interpreter(path).write());
            }
            let who = *self.random.pick(&[Who::User, Who::BareRoot]);
            let cwd = *self.random.pick(&["/", "/i", "/w"]);
            let name = format!("c/{}", self.world.cases.len());
            self.world.bytes(&name, Program::new(self.native).interpreter(path).write());
            self.world.case_as(who, cwd, format!("/{name}"));
        }
        let raw: Vec<Vec<u8>> = vec![
            b"".to_vec(),
            b"\0".to_vec(),
            b"\0\0".to_vec(),
            b"/".to_vec(),
            b"/i/good".to_vec(),
            b"/i/good\0\0".to_vec(),
            b"/i/good\0junk".to_vec(),
            b"/i/good\0junk\0".to_vec(),
            b"/i/good\n\0".to_vec(),
            b" /i/good\0".to_vec(),
            [&b"/"[..], &[b'/'; 4086], b"i/good\0"].concat(),
            [&b"/"[..], &[b'/'; 4087], b"i/good\0"].concat(),
            [&b"/"[..], &[b'/'; 4088], b"i/good\0"].concat(),
            [&b"/i/good\0"[..], &[0; 4088]].concat(),
            [&b"/i/good\0"[..], &[0; 4089]].concat(),
        ];
        for own in self.own() {
            for path in &raw {
                self.world.program(Program { interpreter: Some(path.clone()), ..Program::new(own) }.write());
            }
            self.odd_interpreter_segments(own);
        }
    }

    /// `PT_INTERP` with every field at its edges, twice, and behind what it should stand before.
    fn odd_interpreter_segments(&mut self, own: Architecture) {
        let whole = Program::new(own).interpreter("/i/good").write();
        let header = Program::new(own).header_size();
        for (at, size) in segment_fields(own.wide) {
            for edge in EDGES.iter().copied().chain([6, 7, 8, 9, 10, whole.len() as u64 - 1, whole.len() as u64]) {
                if self.random.one_in(4) {
                    let mut file = whole.clone();
                    patch(&mut file, header + at, size, edge, own.endian);
                    self.world.program(file);
                }
            }
        }
        for second in ["/i/good", "/nowhere", "/i/text"] {
            let segment = Segment { kind: PT_INTERP, ..Segment::default() };
            let notes = vec![(segment, [second.as_bytes(), b"\0"].concat())];
            for first in [None, Some("/i/good"), Some("/nowhere"), Some("/i/foreign")] {
                let program = Program { notes: notes.clone(), ..Program::new(own) };
                self.world.program(match first {
                    Some(path) => program.interpreter(path).write(),
                    None => program.write(),
                });
            }
        }
    }
}
