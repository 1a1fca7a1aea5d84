//! Scripts, paths and permissions, and what is no program.

use super::Maker;
use crate::elf::Program;
use crate::world::{Kind, Who};

impl Maker {
    /// `#!` lines by every rule.
    pub(super) fn scripts(&mut self) {
        let interpreters = self.interpreters.clone();
        for path in &interpreters {
            self.world.program(format!("#!{path}\n"));
            let who = *self.random.pick(&[Who::User, Who::BareRoot]);
            let cwd = *self.random.pick(&["/", "/i", "/w"]);
            let name = format!("c/{}", self.world.cases.len());
            self.world.bytes(&name, format!("#! {path} -x\n"));
            self.world.case_as(who, cwd, format!("/{name}"));
        }
        let lines: &[&[u8]] = &[
            b"",
            b"#",
            b"#!",
            b"#!\n",
            b"#! \n",
            b"#!\t",
            b"#!  ",
            b"#!\0",
            b"#! \0",
            b"#!\0/i/good\n",
            b"#!/i/good",
            b"#!/i/good\0",
            b"#!/i/good\0\n",
            b"#!/i/good\0junk\n",
            b"#!/i/good \n",
            b"#!/i/good\t\t\n",
            b"#! \t /i/good\n",
            b"#!/i/good -a -b\n",
            b"#!/i/good -a\0-b\n",
            b"#!/i/good\r\n",
            b"#!/i/good \r\n",
            b"#!/i/good -a\r\n",
            b"#!/i/carriage\r\n",
            b"#!/i/good\x0b\n",
            b"#!/i/good\x0c\n",
            b"#!\x0b/i/good\n",
            b"#!\r\n",
            b"#!\n/i/good\n",
            b"\n#!/i/good\n",
            b" #!/i/good\n",
            b"\xef\xbb\xbf#!/i/good\n",
            b"# !/i/good\n",
            b"#!i/good\n",
            b"#!good\n",
            b"#!./i/good\n",
            b"#!/i/good/\n",
            b"#!/i//good\n",
            b"!#/i/good\n",
            b"#\0!/i/good\n",
            b":\n",
            b"echo hi\n",
        ];
        for line in lines {
            self.world.program(*line);
        }
        for length in
            [1, 2, 10, 125, 126, 127, 128, 129, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 300]
        {
            for (lead, tail) in [("", "\n"), ("", ""), (" ", "\n"), ("", " x\n"), ("", "\t"), ("", "\0"), ("", " x")] {
                // So many bytes of interpreter, which exists where that is possible.
                let path = if length >= 8 { format!("/{}i/good", "/".repeat(length - 7)) } else { "/".repeat(length) };
                self.world.program(format!("#!{lead}{path}{tail}"));
                self.world.program(format!("#!{}/i/good{tail}", " ".repeat(length)));
                if self.random.one_in(2) {
                    self.world.program(format!("#!/i/good {}{tail}", "x".repeat(length)));
                }
            }
        }
    }

    pub(super) fn random_scripts(&mut self) {
        let words: &[&[u8]] = &[
            b"/i/good",
            b"/i/text",
            b"/nowhere",
            b"/i",
            b" ",
            b"\t",
            b"\n",
            b"\r",
            b"\0",
            b"#",
            b"!",
            b"-x",
            b"/",
            b".",
            b"\x0b",
            b"\xff",
        ];
        for _ in 0..160 {
            let mut line = b"#!".to_vec();
            for _ in 0..1 + self.random.below(6) {
                line.extend_from_slice(self.random.pick::<&[u8]>(words));
            }
            if self.random.one_in(6) {
                let length = 250 + self.random.below(8);
                let filler = *self.random.pick(b" x/\0");
                line.resize(length.max(line.len()), filler);
                line.extend_from_slice(self.random.pick::<&[u8]>(words));
            }
            self.world.program(line);
        }
    }

    /// Scripts that run scripts.
    pub(super) fn nested_scripts(&mut self) {
        for (end, last) in
            [("good", "/i/good"), ("text", "/i/text"), ("gone", "/nowhere"), ("foreign", "/i/foreign"), ("dir", "/i")]
        {
            for depth in 1..=8 {
                let before = if depth == 1 { last.to_owned() } else { format!("/d/{end}{}", depth - 1) };
                self.world.bytes(format!("d/{end}{depth}"), format!("#!{before}\n"));
                self.world.case(format!("/d/{end}{depth}"));
            }
        }
        self.world.bytes("d/self", "#!/d/self\n");
        self.world.case("/d/self");
        self.world.bytes("d/one", "#!/d/other\n");
        self.world.bytes("d/other", "#!/d/one\n");
        self.world.case("/d/one");
        self.world.bytes("d/loop", "#!/i/loop\n");
        self.world.case("/d/loop");
    }

    /// Modes, owners, directories and who asks.
    pub(super) fn permissions(&mut self) {
        let native = Program::new(self.native).write();
        let people = [Who::Root, Who::User, Who::BareRoot];
        for (number, mode) in
            [0, 0o1, 0o10, 0o100, 0o111, 0o444, 0o644, 0o655, 0o700, 0o711, 0o744, 0o750, 0o754, 0o755, 0o4755, 0o2644, 0o1777]
                .into_iter()
                .enumerate()
        {
            for (uid, gid) in [(0, 0), (1000, 0), (0, 1000), (0, 100), (1000, 100), (7, 7)] {
                let (bytes, name) = match number % 3 {
                    0 => (native.clone(), format!("d/m{mode:o}-{uid}-{gid}")),
                    1 => (b"#!/i/good\n".to_vec(), format!("d/s{mode:o}-{uid}-{gid}")),
                    _ => (b"text".to_vec(), format!("d/t{mode:o}-{uid}-{gid}")),
                };
                let file = self.world.put(&name, Kind::Bytes(bytes), mode);
                (file.uid, file.gid) = (uid, gid);
                for who in people {
                    self.world.case_as(who, "/", format!("/{name}"));
                }
            }
        }
        for directory in ["secret", "own", "group", "closed", "d/sub"] {
            self.world.bytes(format!("{directory}/program"), native.clone());
            self.world.link(format!("d/to-{}", directory.replace('/', "-")), format!("/{directory}/program"));
            for who in people {
                for path in [
                    format!("/{directory}/program"),
                    format!("/{directory}/nothing"),
                    format!("/{directory}/program/x"),
                    format!("/d/to-{}", directory.replace('/', "-")),
                ] {
                    self.world.case_as(who, "/", path);
                }
                self.world.case_as(who, format!("/{directory}"), "program");
                self.world.case_as(who, format!("/{directory}"), "../i/good");
            }
        }
    }

    /// Paths as they may be written.
    pub(super) fn paths(&mut self) {
        let native = Program::new(self.native).write();
        self.world.bytes("d/p", native.clone());
        self.world.bytes("d/sub/q", native.clone());
        self.world.bytes("d/ space", native.clone());
        self.world.bytes(b"d/\xff\xfe", native.clone());
        self.world.bytes(format!("d/{}", "n".repeat(255)), native);
        self.world.link("d/l0", "p");
        for step in 1..=45 {
            self.world.link(format!("d/l{step}"), format!("l{}", step - 1));
        }
        for (name, target) in [
            ("absolute", "/d/p"),
            ("up", "../d/p"),
            ("far-up", "../../../../../d/p"),
            ("slash", "p/"),
            ("directory", "/d/sub"),
            ("dot", "."),
            ("dangling", "/nowhere"),
            ("circle", "/d/circle2"),
            ("circle2", "circle"),
            ("through", "/d/directory/q"),
            ("file-as-directory", "p/x"),
        ] {
            self.world.link(format!("d/{name}"), target);
        }
        let long = |count: usize| format!("/d{}/p", "/.".repeat(count));
        let mut paths: Vec<Vec<u8>> = [
            "",
            ".",
            "..",
            "/",
            "//",
            "/.",
            "/..",
            "p",
            "./p",
            "/p",
            "d/p",
            "/d/p",
            "//d//p",
            "/d/./p",
            "/d/../d/p",
            "/../d/p",
            "/d/p/",
            "/d/p/.",
            "/d/p/..",
            "/d/p//",
            "/d/sub",
            "/d/sub/",
            "/d/sub/q",
            "/d/sub/../p",
            "/d/nothing/../p",
            "/d/absolute",
            "/d/up",
            "/d/far-up",
            "/d/slash",
            "/d/directory",
            "/d/directory/",
            "/d/directory/q",
            "/d/directory/../p",
            "/d/dot/p",
            "/d/dot/dot/dot/p",
            "/d/dangling",
            "/d/dangling/",
            "/d/dangling/x",
            "/d/circle",
            "/d/circle/x",
            "/d/through",
            "/d/file-as-directory",
            "/d/ space",
            "/nothing",
            "/nothing/p",
            "/d/absolute/",
            "sub/q",
            "sub/../p",
            "../d/p",
            "../../d/p",
            "/i/pipe",
            "/i/device",
            "/i/dir",
            "/d/l45/",
            "p/",
            "p/.",
            "/d/P",
            " /d/p",
            "/d/p ",
        ]
        .map(|path| path.as_bytes().to_vec())
        .to_vec();
        paths.push(b"/d/\xff\xfe".to_vec());
        for count in [38, 39, 40, 41, 42] {
            paths.push(format!("/d/l{count}").into_bytes());
        }
        for length in [254, 255, 256, 257] {
            paths.push(format!("/d/{}", "n".repeat(length)).into_bytes());
            paths.push(format!("/d/{}/p", "n".repeat(length)).into_bytes());
        }
        for count in [100, 2045, 2046, 2047, 2048] {
            paths.push(long(count).into_bytes());
        }
        for slashes in [4091, 4092, 4093, 4094] {
            paths.push(format!("{}d/p", "/".repeat(slashes - 2)).into_bytes());
        }
        for path in paths {
            for cwd in ["/", "/d", "/d/sub"] {
                self.world.case_as(Who::Root, cwd, path.clone());
            }
        }
    }

    /// What is in no format that the kernel knows.
    pub(super) fn not_programs(&mut self) {
        let heads: &[&[u8]] = &[
            b"MZ\x90\0",
            b"\xcf\xfa\xed\xfe\x0c\0\0\x01",
            b"\xca\xfe\xba\xbe\0\0\0\x34",
            b"\0asm\x01\0\0\0",
            b"BC\xc0\xde",
            b"PK\x03\x04",
            b"\x1f\x8b\x08",
            b"!<arch>\n",
            b"version https://git-lfs.github.com/spec/v1\n",
            b"<!DOCTYPE html>",
            b"\x7fELG",
            b"\x7fEL",
            b"\x07\x01\x64\0",
            b"bFLT\0\0\0\x04",
            b"\xff\xfe#\0!\0",
        ];
        for head in heads {
            for length in [head.len(), 64, 300] {
                let mut file = head.to_vec();
                file.resize(length.max(head.len()), 0);
                self.world.program(file);
            }
        }
        for _ in 0..60 {
            let length = self.random.below(400);
            let file: Vec<u8> = (0..length).map(|_| self.random.next().to_le_bytes()[0]).collect();
            self.world.program(file);
        }
    }

    /// Good programs with a few bytes changed.
    pub(super) fn mutations(&mut self) {
        for _ in 0..420 {
            let own = if self.random.one_in(3) { self.sibling } else { self.native };
            let program = if self.random.one_in(2) { Program::new(own) } else { Program::shared(own) };
            let whole =
                if self.random.one_in(2) { program.interpreter(self.random.pick(&self.interpreters).clone()) } else { program }
                    .write();
            let file = self.mutated(&whole);
            self.world.program(file);
        }
    }

    pub(super) fn mutated(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut file = whole.to_vec();
        for _ in 0..1 + self.random.below(4) {
            let at = self.random.below(file.len().min(200));
            file[at] = match self.random.below(4) {
                0 => self.random.next().to_le_bytes()[0],
                1 => file[at] ^ (1 << self.random.below(8)),
                2 => *self.random.pick(&[0, 1, 2, 0x7f, 0x80, 0xff]),
                _ => file[self.random.below(file.len())],
            };
        }
        if self.random.one_in(8) {
            file.truncate(self.random.below(file.len()));
        }
        file
    }
}
