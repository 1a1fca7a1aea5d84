//! Commands that the shell itself runs, and the few programs whose output is known beforehand.

use crate::format::shell::{Kind, Piece, Script, Statement, Word};

use super::run::{Flow, Place};
use super::words::Fields;
use super::{End, Shell, Started, Value};

/// Builtins of POSIX shells and bash that change nothing that matters here, and whose success is not known.
const PASSIVE: &[&str] = &[
    "wait", "hash", "type", "alias", "unalias", "shopt", "jobs", "kill", "let", "times", "ulimit", "fc", "bg", "fg", "caller",
    "disown", "enable", "help", "history", "logout", "complete", "compgen", "bind",
];

impl Shell<'_> {
    /// What a builtin leads to; `None` where the name is none.
    pub(super) fn builtin(&mut self, name: &str, fields: &Fields, line: usize, place: Place) -> Option<Flow> {
        let operands = fields.values.get(1..).unwrap_or_default();
        Some(match name {
            ":" | "true" | "echo" | "printf" | "trap" | "umask" => Flow::Next(Some(true)),
            "false" => Flow::Next(Some(false)),
            "exit" => Flow::End(End::Exit(match operands.first() {
                None => self.state.status.map(|success| u8::from(!success)),
                Some(code) => code.as_ref().and_then(number).map(|code| code as u8),
            })),
            "return" => Flow::Return(match operands.first() {
                None => self.state.status,
                Some(code) => code.as_ref().and_then(number).map(|code| code == 0),
            }),
            "exec" => return self.exec(operands, fields.is_open, line),
            "set" => self.set(operands, fields.is_open),
            "shift" => self.shift(operands),
            "cd" => self.change_directory(operands),
            "unset" => self.unset(operands),
            "read" | "mapfile" | "readarray" | "getopts" => {
                for variable in operands.iter().flatten().chain(&[b"REPLY".to_vec(), b"OPTARG".to_vec(), b"OPTIND".to_vec()]) {
                    self.assign(&String::from_utf8_lossy(variable), None);
                }
                Flow::Next(None)
            }
            "test" => Flow::Next(self.test_values(operands, false)),
            "[" => Flow::Next(self.test_values(operands.split_last().map_or(&[][..], |(_, inner)| inner), false)),
            "." | "source" => match operands.first() {
                Some(Some(path)) => {
                    let path = path.clone();
                    self.source(&path, place)
                }
                _ => {
                    self.state.taint();
                    Flow::Next(None)
                }
            },
            "eval" => self.evaluate(operands, fields.is_open, place),
            "command" => return self.command_builtin(operands, fields, line, place),
            "break" | "continue" => Flow::Next(None),
            name if PASSIVE.contains(&name) => Flow::Next(None),
            _ => return None,
        })
    }

    fn exec(&mut self, operands: &[Value], is_open: bool, line: usize) -> Option<Flow> {
        let mut operands = operands;
        let mut name = None;
        while let Some((Some(first), rest)) = operands.split_first() {
            match first.as_slice() {
                b"--" | b"-c" | b"-l" => operands = rest,
                b"-a" => {
                    name = rest.first().cloned();
                    operands = rest.get(1..).unwrap_or_default();
                }
                _ => break,
            }
        }
        if operands.is_empty() && !is_open {
            return Some(Flow::Next(Some(true)));
        }
        let fields = Fields { values: operands.to_vec(), is_open };
        let unsure = Flow::End(End::Unsure("which program it becomes depends on a value that is not known"));
        if !matches!(operands.first(), Some(Some(_))) || name.is_some() {
            return Some(unsure);
        }
        Some(self.started(&fields, &[], line, true).map_or(unsure, |start| Flow::End(End::Start(start))))
    }

    fn set(&mut self, operands: &[Value], is_open: bool) -> Flow {
        let mut operands = operands;
        while let Some((first, rest)) = operands.split_first() {
            let Some(first) = first else { break };
            match first.as_slice() {
                b"--" => {
                    self.state.arguments = (!is_open).then(|| rest.to_vec());
                    return Flow::Next(Some(true));
                }
                b"-o" | b"+o" => {
                    if rest.first().is_some_and(|name| name.as_deref() == Some(b"errexit")) {
                        self.state.stops_on_error = first.starts_with(b"-");
                    }
                    operands = rest.get(1..).unwrap_or_default();
                }
                flags if flags.len() > 1 && (flags.starts_with(b"-") || flags.starts_with(b"+")) => {
                    if flags.contains(&b'e') {
                        self.state.stops_on_error = flags.starts_with(b"-");
                    }
                    // `-eo pipefail`: the name is the next word.
                    operands = if flags.ends_with(b"o") { rest.get(1..).unwrap_or_default() } else { rest };
                }
                _ => break,
            }
        }
        if !operands.is_empty() || is_open {
            self.state.arguments = (!is_open).then(|| operands.to_vec());
        }
        Flow::Next(Some(true))
    }

    fn shift(&mut self, operands: &[Value]) -> Flow {
        let count = match operands.first() {
            None => Some(1),
            Some(count) => count.as_ref().and_then(number).and_then(|count| usize::try_from(count).ok()),
        };
        let arguments = self.state.arguments.take();
        self.state.arguments = arguments.zip(count).and_then(|(arguments, count)| arguments.get(count..).map(<[Value]>::to_vec));
        Flow::Next(Some(true))
    }

    fn change_directory(&mut self, operands: &[Value]) -> Flow {
        let target = operands.iter().find(|word| !word.as_ref().is_some_and(|word| word.starts_with(b"-")));
        let Some(Some(path)) = target else {
            self.state.cwd = None;
            return Flow::Next(None);
        };
        match self.directory(path) {
            Some(directory) => {
                self.state.cwd = Some(directory);
                Flow::Next(Some(true))
            }
            None if self.state.has_run => {
                self.state.cwd =
                    self.state.cwd.as_ref().map(|cwd| crate::base::GuestPath::new([cwd.as_bytes(), b"/", path].concat()));
                if path.starts_with(b"/") {
                    self.state.cwd = Some(crate::base::GuestPath::new(path));
                }
                Flow::Next(None)
            }
            None => Flow::Next(Some(false)),
        }
    }

    /// `export NAME=value` and its kin: what stands behind the sign is not split.
    pub(super) fn declare(&mut self, words: &[Word]) -> Flow {
        let builtin = words.first().and_then(Word::literal).unwrap_or_default();
        let mut status = Some(true);
        for word in words.get(1..).unwrap_or_default() {
            let (name, value) = match at_sign(word) {
                Some((name, value)) => (self.single(&name), Some(self.single(&value))),
                None => (self.single(word), None),
            };
            let Some(name) = name else {
                // It may be any variable's name.
                self.state.taint();
                continue;
            };
            if name.starts_with(b"-") {
                continue;
            }
            let name = text(&name);
            if builtin == b"export" {
                self.state.exported.insert(name.clone());
            }
            match value {
                Some(value) => {
                    status = status.filter(|_| value.is_some());
                    self.assign(&name, value);
                }
                None if builtin == b"local" => self.assign(&name, Some(Vec::new())),
                None => {}
            }
        }
        Flow::Next(status)
    }

    fn unset(&mut self, operands: &[Value]) -> Flow {
        for name in operands.iter().flatten() {
            let name = String::from_utf8_lossy(name).into_owned();
            self.state.variables.remove(&name);
            self.state.functions.remove(&name);
            if self.state.is_tainted {
                self.state.variables.insert(name, Some(Vec::new()));
            }
        }
        Flow::Next(Some(true))
    }

    fn evaluate(&mut self, operands: &[Value], is_open: bool, place: Place) -> Flow {
        let words: Option<Vec<Vec<u8>>> = operands.iter().cloned().collect();
        let Some(words) = words.filter(|_| !is_open) else {
            self.state.taint();
            return if place.is_last() {
                Flow::End(End::Unsure("it evaluates text that is not known"))
            } else {
                Flow::Next(None)
            };
        };
        let script = Script::read(&words.join(&b' '));
        self.depth += 1;
        let flow = self.all(&script.statements, place);
        self.depth -= 1;
        flow
    }

    /// `command -v NAME` asks; `command NAME` runs it, functions left out.
    fn command_builtin(&mut self, operands: &[Value], fields: &Fields, line: usize, place: Place) -> Option<Flow> {
        match operands.split_first() {
            Some((Some(flag), rest)) if matches!(flag.as_slice(), b"-v" | b"-V") => {
                let Some(Some(name)) = rest.first() else { return Some(Flow::Next(None)) };
                Some(Flow::Next(self.place_of(name).map(|place| place.is_some())))
            }
            Some((Some(flag), rest)) if flag.as_slice() == b"-p" => {
                let fields = Fields { values: rest.to_vec(), is_open: fields.is_open };
                let start = self.started(&fields, &[], line, false);
                Some(self.external(start, place))
            }
            Some((Some(name), _)) => {
                let fields = Fields { values: operands.to_vec(), is_open: fields.is_open };
                let name = String::from_utf8_lossy(name).into_owned();
                if let Some(flow) = self.builtin(&name, &fields, line, place) {
                    return Some(flow);
                }
                let start = self.started(&fields, &[], line, false);
                Some(self.external(start, place))
            }
            _ => Some(Flow::Next(None)),
        }
    }

    /// What `command -v` prints of a command, if there is one.
    fn place_of(&self, name: &[u8]) -> Option<Option<Vec<u8>>> {
        if self.state.functions.contains_key(&String::from_utf8_lossy(name).into_owned()) {
            return Some(Some(name.to_vec()));
        }
        let start = Started {
            argv: vec![Some(name.to_vec())],
            env: self.state.environment(),
            cwd: self.state.cwd.clone()?,
            line: 0,
            file: None,
            is_exec: false,
        };
        let place = super::super::process::where_is(self.setting.rootfs, self.setting.node, self.setting.who, &start)?;
        // What is not there may be a builtin, or made by a program that ran.
        (place.is_some() || !self.state.has_run && !is_builtin(name)).then_some(place)
    }

    /// What a substitution prints, of the few commands of which that is known. The newline at the end is cut off, as shells do.
    pub(super) fn output(&mut self, statements: &[Statement]) -> Value {
        let [Statement { kind: Kind::Command(command), in_background: false, .. }] = statements else { return None };
        let fields = self.fields(&command.words);
        let words: Option<Vec<Vec<u8>>> = fields.values.into_iter().collect();
        let words = words.filter(|_| !fields.is_open)?;
        let texts: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        match texts.as_slice() {
            [b"uname", b"-m"] | [b"arch"] => Some(self.setting.node.uname()?.as_bytes().to_vec()),
            [b"uname"] | [b"uname", b"-s"] => Some(b"Linux".to_vec()),
            [b"dpkg", b"--print-architecture"] => self.package_architecture(b"/usr/bin/dpkg", debian_name),
            [b"apk", b"--print-arch"] => self.package_architecture(b"/sbin/apk", alpine_name),
            [b"id", b"-u"] => Some(self.setting.who.uid.to_string().into_bytes()),
            [b"id", b"-g"] => Some(self.setting.who.gid.to_string().into_bytes()),
            [b"pwd"] => self.state.cwd.as_ref().map(|cwd| cwd.as_bytes().to_vec()),
            [b"echo", words @ ..] if words.first() != Some(&&b"-n"[..]) && words.first() != Some(&&b"-e"[..]) => {
                Some(words.join(&b' '))
            }
            [b"printf", b"%s", word] | [b"printf", b"%s\\n", word] => Some(word.to_vec()),
            [b"command", b"-v", name] => self.place_of(name).map(Option::unwrap_or_default),
            [b"basename", path] => {
                let path = path.strip_suffix(b"/").unwrap_or(path);
                path.rsplit(|byte| *byte == b'/').next().map(<[u8]>::to_vec)
            }
            [b"dirname", path] => Some(match path.iter().rposition(|byte| *byte == b'/') {
                None => b".".to_vec(),
                Some(0) => b"/".to_vec(),
                Some(end) => path.get(..end)?.to_vec(),
            }),
            _ => {
                self.state.has_run = true;
                None
            }
        }
    }

    /// Package managers know only what they themselves were built for.
    fn package_architecture(&self, path: &[u8], name: fn(&str) -> Option<&'static str>) -> Value {
        let found = self.setting.rootfs.resolve(&crate::base::GuestPath::root(), path, self.setting.who).ok()?;
        let crate::image::EntryKind::File { facts, .. } = &found.entry.kind else { return None };
        let crate::format::content::Content::Elf(elf) = &facts.content else { return None };
        let code = self.setting.node.code()?;
        let is_native = crate::node::Code::of(elf) == Some(code);
        is_native.then(|| name(&self.setting.node.platform.architecture)).flatten().map(|name| name.as_bytes().to_vec())
    }
}

/// The two sides of the first `=` in a word.
fn at_sign(word: &Word) -> Option<(Word, Word)> {
    let (place, at) = word.0.iter().enumerate().find_map(|(place, piece)| match piece {
        Piece::Text { text, .. } => Some((place, text.iter().position(|byte| *byte == b'=')?)),
        _ => None,
    })?;
    let Some(Piece::Text { text, .. }) = word.0.get(place) else { return None };
    let (name, value) = text.split_at_checked(at)?;
    let piece = |text: &[u8]| Piece::Text { text: text.to_vec(), quoted: true, place: 0..0 };
    let before = word.0.get(..place)?.iter().cloned().chain([piece(name)]);
    let behind = [piece(value.get(1..)?)].into_iter().chain(word.0.get(place + 1..)?.iter().cloned());
    Some((Word(before.collect()), Word(behind.collect())))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn is_builtin(name: &[u8]) -> bool {
    const ACTIVE: &[&str] = &[
        ":", "exit", "return", "exec", "set", "shift", "cd", "export", "local", "unset", "read", ".", "source", "eval", "command",
    ];
    std::str::from_utf8(name).is_ok_and(|name| ACTIVE.contains(&name) || PASSIVE.contains(&name))
}

fn number(text: impl AsRef<[u8]>) -> Option<i64> {
    std::str::from_utf8(text.as_ref()).ok()?.trim().parse().ok()
}

/// Debian's name of a platform's architecture; that of 32-bit Arm depends on the package's own ABI.
fn debian_name(architecture: &str) -> Option<&'static str> {
    Some(match architecture {
        "amd64" => "amd64",
        "arm64" => "arm64",
        "386" => "i386",
        "ppc64le" => "ppc64el",
        "s390x" => "s390x",
        "riscv64" => "riscv64",
        "mips64le" => "mips64el",
        "loong64" => "loong64",
        _ => return None,
    })
}

fn alpine_name(architecture: &str) -> Option<&'static str> {
    Some(match architecture {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "386" => "x86",
        "ppc64le" => "ppc64le",
        "s390x" => "s390x",
        "riscv64" => "riscv64",
        "loong64" => "loongarch64",
        _ => return None,
    })
}
