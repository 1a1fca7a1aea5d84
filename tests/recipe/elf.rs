//! Tiny valid ELF files: a header, PT_LOAD, and PT_INTERP and PT_DYNAMIC where asked for.

/// What the file says of itself.
#[derive(Default)]
pub struct ElfRecipe {
    pub machine: u16,
    pub wide: bool,
    pub big: bool,
    pub kind: u16,
    pub flags: u32,
    pub interp: Option<String>,
    pub needed: Vec<String>,
    pub pie: bool,
    pub soname: Option<String>,
    pub rpath: Option<String>,
    pub runpath: Option<String>,
    /// `LIBRARY:VERSION` each.
    pub needs: Vec<String>,
    /// Versions.
    pub defines: Vec<String>,
    /// The oldest kernel that it takes, `3.2`, in a note.
    pub oldest_kernel: Option<String>,
    /// `glibc`, `glibc-v3`, `glibc-2.31` or `musl`: the texts by which a dynamic loader is known.
    pub loader: Option<String>,
}

/// `e_machine`, 64 bits, big endian.
pub fn machine(name: &str) -> (u16, bool, bool) {
    match name {
        "x86_64" => (62, true, false),
        "i386" => (3, false, false),
        "aarch64" => (183, true, false),
        "arm" => (40, false, false),
        "ppc64" => (21, true, true),
        "ppc" => (20, false, true),
        "s390" => (22, true, true),
        "riscv" => (243, true, false),
        "loongarch" => (258, true, false),
        "mips" => (8, false, true),
        "mips64" => (8, true, true),
        other => panic!("no machine is called {other}"),
    }
}

struct Writer {
    bytes: Vec<u8>,
    wide: bool,
    big: bool,
}

impl Writer {
    fn number(&mut self, value: u64, size: usize) {
        let bytes = value.to_le_bytes();
        let mut bytes = bytes[..size].to_vec();
        if self.big {
            bytes.reverse();
        }
        self.bytes.extend(bytes);
    }

    fn word(&mut self, value: u64) {
        self.number(value, if self.wide { 8 } else { 4 });
    }

    fn segment(&mut self, kind: u64, flags: u64, offset: u64, size: u64) {
        self.number(kind, 4);
        if self.wide {
            self.number(flags, 4);
        }
        self.word(offset);
        self.word(BASE + offset);
        self.word(BASE + offset);
        self.word(size);
        self.word(size);
        if !self.wide {
            self.number(flags, 4);
        }
        self.word(if kind == 1 { 0x10000 } else { 1 });
    }
}

const BASE: u64 = 0x10000;

/// The file's bytes.
pub fn build(recipe: &ElfRecipe) -> Vec<u8> {
    let (head, entry, unit) = if recipe.wide { (64, 56, 8) } else { (52, 32, 4) };
    let mut strings = vec![0_u8];
    let offsets: Vec<u64> = recipe.needed.iter().map(|name| append(&mut strings, name)).collect();
    let texts = [(14, &recipe.soname), (15, &recipe.rpath), (29, &recipe.runpath)];
    let mut tags: Vec<(u64, u64)> = offsets.iter().map(|at| (1, *at)).collect();
    for (tag, text) in texts {
        tags.extend(text.iter().map(|text| (tag, append(&mut strings, text))));
    }
    let needs: Vec<(u64, u64)> = recipe
        .needs
        .iter()
        .map(|need| need.split_once(':').unwrap())
        .map(|(file, version)| (append(&mut strings, file), append(&mut strings, version)))
        .collect();
    let defines: Vec<u64> = recipe.defines.iter().map(|version| append(&mut strings, version)).collect();
    let dynamic = recipe.kind != 1 && (!tags.is_empty() || recipe.pie || recipe.loader.is_some() || !defines.is_empty());
    let relocatable = recipe.kind == 1;
    let note = recipe.oldest_kernel.as_deref().map(|version| abi_tag(version, recipe.big)).unwrap_or_default();
    let count =
        if relocatable { 0 } else { 1 + u64::from(recipe.interp.is_some()) + u64::from(!note.is_empty()) + u64::from(dynamic) };
    let interp = recipe.interp.as_ref().map_or(Vec::new(), |path| [path.as_bytes(), &[0]].concat());
    let note_at = head + entry * count;
    let interp_at = note_at + note.len() as u64;
    let strings_at = interp_at + interp.len() as u64;
    let needs_at = (strings_at + strings.len() as u64).next_multiple_of(8);
    let defines_at = needs_at + 32 * needs.len() as u64;
    let dynamic_at = (defines_at + 28 * defines.len() as u64).next_multiple_of(8);
    tags.extend([(5, BASE + strings_at), (10, strings.len() as u64)]);
    if !needs.is_empty() {
        tags.extend([(0x6fff_fffe, BASE + needs_at), (0x6fff_ffff, needs.len() as u64)]);
    }
    if !defines.is_empty() {
        tags.extend([(0x6fff_fffc, BASE + defines_at), (0x6fff_fffd, defines.len() as u64)]);
    }
    tags.extend(recipe.pie.then_some((0x6fff_fffb, 0x0800_0000)));
    tags.push((0, 0));
    let tags = if dynamic { tags } else { Vec::new() };
    let end = dynamic_at + tags.len() as u64 * unit * 2;
    let mut out = Writer { bytes: b"\x7fELF".to_vec(), wide: recipe.wide, big: recipe.big };
    out.bytes.extend([1 + u8::from(recipe.wide), 1 + u8::from(recipe.big), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.number(recipe.kind.into(), 2);
    out.number(recipe.machine.into(), 2);
    out.number(1, 4);
    out.word(if relocatable { 0 } else { BASE + head });
    out.word(if relocatable { 0 } else { head });
    out.word(0);
    out.number(recipe.flags.into(), 4);
    for half in [head, if relocatable { 0 } else { entry }, count, 0, 0, 0] {
        out.number(half, 2);
    }
    if !relocatable {
        if recipe.interp.is_some() {
            out.segment(3, 4, interp_at, interp.len() as u64);
        }
        out.segment(1, 5, 0, end);
        if !note.is_empty() {
            out.segment(4, 4, note_at, note.len() as u64);
        }
        if dynamic {
            out.segment(2, 6, dynamic_at, tags.len() as u64 * unit * 2);
        }
    }
    out.bytes.extend(note);
    out.bytes.extend(interp);
    out.bytes.extend(&strings);
    out.bytes.resize(needs_at as usize, 0);
    for (number, (file, version)) in needs.iter().enumerate() {
        let next = if number + 1 < needs.len() { 32 } else { 0 };
        for (value, size) in [(1, 2), (1, 2), (*file, 4), (16, 4), (next, 4), (0, 4), (0, 2), (2, 2), (*version, 4), (0, 4)] {
            out.number(value, size);
        }
    }
    for (number, version) in defines.iter().enumerate() {
        let next = if number + 1 < defines.len() { 28 } else { 0 };
        for (value, size) in [(1, 2), (0, 2), (2, 2), (1, 2), (0, 4), (20, 4), (next, 4), (*version, 4), (0, 4)] {
            out.number(value, size);
        }
    }
    out.bytes.resize(dynamic_at as usize, 0);
    for (tag, value) in tags {
        out.word(tag);
        out.word(value);
    }
    out.bytes.extend(match recipe.loader.as_deref() {
        None => &b""[..],
        Some("glibc") => b"\0/lib/\0/usr/lib/\0\0/etc/ld.so.cache\0glibc-ld.so.cache1.1\0release version 2.36.\0",
        Some("glibc-v3") => {
            b"\0/lib/\0/usr/lib/\0\0/etc/ld.so.cache\0glibc-ld.so.cache1.1\0Fatal glibc error: CPU does not support x86-64-v3\n\0release version 2.36.\0"
        }
        Some("glibc-2.31") => b"\0/lib/\0/usr/lib/\0\0/etc/ld.so.cache\0glibc-ld.so.cache1.1\0FATAL: kernel too old\n\0",
        Some("musl") => b"\0musl libc (any)\nVersion %s\n\0",
        Some(other) => panic!("no loader is called {other}"),
    });
    out.bytes
}

/// `NT_GNU_ABI_TAG`.
fn abi_tag(version: &str, big: bool) -> Vec<u8> {
    let (major, minor) = version.split_once('.').unwrap();
    let numbers = [4_u32, 16, 1, u32::from_ne_bytes(*b"GNU\0"), 0, major.parse().unwrap(), minor.parse().unwrap(), 0];
    let bytes = |(place, number): (usize, &u32)| match (place, big) {
        (3, _) => number.to_ne_bytes(),
        (_, true) => number.to_be_bytes(),
        (_, false) => number.to_le_bytes(),
    };
    numbers.iter().enumerate().flat_map(bytes).collect()
}

fn append(strings: &mut Vec<u8>, name: &str) -> u64 {
    let at = strings.len() as u64;
    strings.extend(name.bytes().chain([0]));
    at
}
