//! How programs are laid out in memory.

use super::{EDGES, Maker};
use crate::elf::{Architecture, PT_GNU_PROPERTY, PT_INTERP, PT_LOAD, Program, Segment, number, patch, segment_fields};

impl Maker {
    /// `PT_LOAD` with every field at its edges.
    pub(super) fn segments(&mut self) {
        for own in self.own() {
            let whole = Program::new(own).write();
            let shared = Program::shared(own).write();
            let header = Program::new(own).header_size();
            for (at, size) in segment_fields(own.wide) {
                for edge in EDGES {
                    if self.random.one_in(2) {
                        let mut file = if self.random.one_in(2) { whole.clone() } else { shared.clone() };
                        patch(&mut file, header + at, size, *edge, own.endian);
                        self.world.program(file);
                    }
                }
            }
            for kind in [
                0x6474_e550,
                0x6474_e551,
                0x6474_e552,
                0x6474_e554,
                0x7000_0000,
                0x7000_0001,
                0x7000_0002,
                0x7000_0003,
                0x7fff_ffff,
            ] {
                for size in [0, 4, 8, 24] {
                    let note = (Segment { kind, ..Segment::default() }, vec![self.random.below(256).try_into().unwrap(); size]);
                    self.world.program(Program { notes: vec![note], ..Program::new(own) }.write());
                }
            }
        }
    }

    /// Two segments, code and data, as far apart as linkers for pages of 4, 16 and 64 KiB put them.
    pub(super) fn pages(&mut self) {
        for own in self.own() {
            for step in [0x200, 0x800, 0x1000, 0x2000, 0x4000, 0x8000, 0x10000] {
                for (code_first, code_flags, data_flags) in
                    [(true, 5, 6), (true, 5, 4), (false, 5, 4), (false, 5, 6), (true, 7, 6), (true, 4, 6)]
                {
                    for interpreter in [false, true] {
                        self.two_segments(own, step, code_first, code_flags, data_flags, interpreter);
                    }
                }
            }
        }
    }

    fn two_segments(
        &mut self,
        own: Architecture,
        step: u64,
        code_first: bool,
        code_flags: u32,
        data_flags: u32,
        interpreted: bool,
    ) {
        let program = Program::new(own);
        let count = if interpreted { 4 } else { 3 };
        let start = (program.header_size() + count * program.entry_size()) as u64;
        let path = b"/i/good\0";
        let entry = (start + path.len() as u64).next_multiple_of(8);
        let mut body = path.to_vec();
        body.resize(usize::try_from(entry - start).unwrap(), 0);
        body.extend_from_slice(own.code);
        let end = entry + own.code.len() as u64;
        // The data's place in the file: right behind the code, or a step on, with an address a step on in either case.
        let offset = if self.random.one_in(2) { end } else { end.next_multiple_of(step) };
        body.resize(usize::try_from(offset - start).unwrap() + 16, 7);
        let address = program.base + offset + step;
        let code = Segment {
            kind: PT_LOAD,
            flags: code_flags,
            offset: 0,
            address: program.base,
            file_size: end,
            memory_size: end,
            align: step,
        };
        let data = Segment { kind: PT_LOAD, flags: data_flags, offset, address, file_size: 16, memory_size: 16, align: step };
        let stack = Segment { kind: 0x6474_e551, flags: 6, align: 16, ..Segment::default() };
        let mut segments = if code_first { vec![code, data] } else { vec![data, code] };
        segments.push(stack);
        if interpreted {
            let size = path.len() as u64;
            segments.insert(
                0,
                Segment { kind: PT_INTERP, flags: 4, offset: start, file_size: size, memory_size: size, ..Segment::default() },
            );
        }
        self.world.program(program.assemble(program.base + entry, &segments, &body));
    }

    /// `PT_GNU_PROPERTY`, which some kernels parse, in the program and in its interpreter.
    pub(super) fn properties(&mut self) {
        for own in self.own() {
            for round in 0..45 {
                let note = self.property(own, round);
                let size = *self.random.pick(&[0, 0, 0, 1, 8, 15, 16, 17, 1024, 1025, 4096, 1 << 40]);
                let segment = Segment { kind: PT_GNU_PROPERTY, file_size: size, ..Segment::default() };
                let notes = vec![(segment, note)];
                if round % 3 == 0 {
                    let path = format!("i/{}property{round}", own.name);
                    self.world.bytes(&path, Program { notes, ..Program::shared(own) }.write());
                    self.world.program(Program::new(own).interpreter(format!("/{path}")).write());
                } else {
                    let program = Program { notes, ..Program::new(own) };
                    self.world.program(if round % 5 == 0 { program.interpreter("/i/good").write() } else { program.write() });
                }
            }
        }
    }

    /// A note of type `NT_GNU_PROPERTY_TYPE_0`, right at first and then wrong in some way.
    fn property(&mut self, own: Architecture, round: usize) -> Vec<u8> {
        let mut properties = Vec::new();
        let count = if round == 0 { 1 } else { self.random.below(4) };
        let mut kind = 0xc000_0000_u64;
        for _ in 0..count {
            let size = if round == 0 { 4 } else { *self.random.pick(&[0, 3, 4, 4, 4, 8, 12, 100]) };
            kind = if self.random.one_in(6) { kind } else { kind + 1 };
            number(&mut properties, if self.random.one_in(2) { 0xc000_0000 } else { kind }, 4, own.endian);
            number(&mut properties, size as u64, 4, own.endian);
            properties.resize(properties.len() + if size == 100 { 8 } else { size }, 1);
            let align = if own.wide { 8 } else { 4 };
            if !self.random.one_in(8) {
                properties.resize(properties.len().next_multiple_of(align), 0);
            }
        }
        let mut note = Vec::new();
        let named = if round > 0 && self.random.one_in(8) { 5 } else { 4 };
        let described = properties.len() as u64 + if round > 0 && self.random.one_in(8) { 8 } else { 0 };
        number(&mut note, named, 4, own.endian);
        number(&mut note, described, 4, own.endian);
        number(&mut note, if round > 0 && self.random.one_in(8) { 4 } else { 5 }, 4, own.endian);
        note.extend_from_slice(if round > 0 && self.random.one_in(8) { b"GNX\0" } else { b"GNU\0" });
        note.extend_from_slice(&properties);
        if round > 0 && self.random.one_in(10) {
            note.truncate(self.random.below(note.len()));
        }
        note
    }
}
