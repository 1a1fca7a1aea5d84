//! Handlers of binfmt_misc: programs that the kernel starts in the place of others (`fs/binfmt_misc.c`).

use crate::format::elf::Endian;

use super::Code;

/// A registered handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    /// The name it was registered under, such as `qemu-aarch64`.
    pub name: String,
    /// Which files it takes.
    pub matching: Matching,
    /// The emulator's path.
    pub interpreter: Vec<u8>,
    /// Flag `F`: opened at registration, so that it works in any root.
    pub fixed: bool,
    /// The dynamic loader of an emulator that was opened at registration, if it has one: that is looked for in the root all the same.
    pub loader: Option<Vec<u8>>,
    /// Flag `O`, or `C`, which implies it: the program is handed over as an open file.
    pub hands_over: bool,
}

/// Which files a handler takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matching {
    /// By bytes at a fixed place.
    Magic {
        /// Where in a file the magic stands, bytes.
        offset: usize,
        /// The bytes to match.
        magic: Vec<u8>,
        /// Which bits of them count; empty for all.
        mask: Vec<u8>,
    },
    /// By what stands behind the last dot of the path.
    Extension(Vec<u8>),
}

/// What the kernel shows handlers of a file (`BINPRM_BUF_SIZE`).
const BUFFER_SIZE: usize = 256;

impl Handler {
    /// Whether a file with these first bytes, executed by this path, is handed to the emulator. The kernel compares a buffer of
    /// 256 bytes, padded with zeros (`search_binfmt_handler`).
    pub fn matches(&self, head: &[u8], path: &[u8]) -> bool {
        match &self.matching {
            Matching::Magic { offset, magic, mask } => {
                let file = head.iter().copied().chain(std::iter::repeat(0)).skip(*offset);
                let mask = mask.iter().copied().chain(std::iter::repeat(0xff));
                magic.iter().zip(file).zip(mask).all(|((magic, byte), mask)| (magic ^ byte) & mask == 0)
            }
            Matching::Extension(extension) => {
                let dot = path.iter().rposition(|byte| *byte == b'.');
                dot.and_then(|dot| path.get(dot.saturating_add(1)..)).is_some_and(|behind| behind == extension.as_slice())
            }
        }
    }

    /// Reads a line as it is written to `/proc/sys/fs/binfmt_misc/register`: `:name:M:offset:magic:mask:interpreter:flags`, or with
    /// `E` and an extension in the place of the magic; whatever character comes first separates (`create_entry`). `None` where the
    /// kernel would refuse it.
    pub fn registered(line: &[u8]) -> Option<Self> {
        let (separator, fields) = line.split_first()?;
        let fields: Vec<&[u8]> = fields.split(|byte| byte == separator).collect();
        let [name, kind, offset, magic, mask, interpreter, flags] = fields.as_slice() else { return None };
        let name = std::str::from_utf8(name).ok().filter(|name| !matches!(*name, "" | "." | "..") && !name.contains('/'))?;
        let flags = flags.strip_suffix(b"\n").unwrap_or(flags);
        if interpreter.is_empty() || !flags.iter().all(|flag| b"POCF".contains(flag)) {
            return None;
        }
        let matching = match *kind {
            b"M" => magic_at(offset, magic, mask)?,
            b"E" if !magic.is_empty() && !magic.contains(&b'/') => Matching::Extension(magic.to_vec()),
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            matching,
            interpreter: interpreter.to_vec(),
            fixed: flags.contains(&b'F'),
            loader: None,
            hands_over: flags.iter().any(|flag| b"OC".contains(flag)),
        })
    }

    /// Reads what the kernel shows of a handler in `/proc/sys/fs/binfmt_misc/NAME` (`entry_status`); `None` for one that is disabled.
    pub fn shown(name: &str, text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next() != Some("enabled") {
            return None;
        }
        let (mut interpreter, mut flags, mut extension) = (None, "", None);
        let (mut offset, mut magic, mut mask) = (0, Vec::new(), Vec::new());
        for line in lines {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("interpreter", path) => interpreter = Some(path.as_bytes().to_vec()),
                ("flags:", letters) => flags = letters,
                ("extension", text) => extension = Some(text.strip_prefix('.').unwrap_or(text)),
                ("offset", number) => offset = number.parse().ok()?,
                ("magic", digits) => magic = hexadecimal(digits)?,
                ("mask", digits) => mask = hexadecimal(digits)?,
                _ => {}
            }
        }
        let matching = match extension {
            Some(extension) => Matching::Extension(extension.as_bytes().to_vec()),
            None if magic.is_empty() => return None,
            None => Matching::Magic { offset, magic, mask },
        };
        let (fixed, hands_over) = (flags.contains('F'), flags.contains(['O', 'C']));
        Some(Self { name: name.to_owned(), matching, interpreter: interpreter?, fixed, loader: None, hands_over })
    }

    /// The line that registers it, as [`Handler::registered`] reads it. Flags that make no difference to what is started are left
    /// out.
    pub fn line(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
        let interpreter = String::from_utf8_lossy(&self.interpreter);
        let flags = [(self.hands_over, 'O'), (self.fixed, 'F')].into_iter().filter_map(|(is_set, flag)| is_set.then_some(flag));
        let flags: String = flags.collect();
        let fields = match &self.matching {
            Matching::Magic { offset, magic, mask } => {
                [self.name.clone(), "M".into(), offset.to_string(), hex(magic), hex(mask), interpreter.into(), flags]
            }
            Matching::Extension(extension) => {
                let extension = String::from_utf8_lossy(extension).into_owned();
                [self.name.clone(), "E".into(), String::new(), extension, String::new(), interpreter.into(), flags]
            }
        };
        // Whatever comes first separates.
        let is_free = |separator: &&str| !fields.iter().any(|field| field.contains(separator));
        let separator = [":", ",", ";", "|", "!"].iter().find(|separator| is_free(separator)).copied().unwrap_or(":");
        format!("{separator}{}", fields.join(separator))
    }

    /// qemu's handler for an instruction set, as the packages of emulators register it: class, byte order and version count, the
    /// ABI does not, and of the type either kind of program (tonistiigi/binfmt, `cmd/binfmt/config.go`).
    pub fn qemu(architecture: &str, code: Code) -> Self {
        let little = code.endian == Endian::Little;
        let half = |number: u16| if little { number.to_le_bytes() } else { number.to_be_bytes() };
        let mut magic = vec![0x7f, b'E', b'L', b'F', if code.bits == 64 { 2 } else { 1 }, if little { 1 } else { 2 }, 1];
        magic.resize(16, 0);
        magic.extend(half(2).into_iter().chain(half(code.machine.0)));
        let mut mask = vec![0xff; 20];
        let either_type = half(0xfffe);
        for (place, value) in [(7, 0), (16, either_type[0]), (17, either_type[1])] {
            if let Some(byte) = mask.get_mut(place) {
                *byte = value;
            }
        }
        let name = format!("qemu-{}", emulator(architecture));
        let interpreter = format!("/usr/bin/{name}").into_bytes();
        let matching = Matching::Magic { offset: 0, magic, mask };
        Self { name, matching, interpreter, fixed: true, loader: None, hands_over: true }
    }
}

fn magic_at(offset: &[u8], magic: &[u8], mask: &[u8]) -> Option<Matching> {
    let offset = if offset.is_empty() { 0 } else { std::str::from_utf8(offset).ok()?.parse().ok()? };
    let (magic, mask) = (unescaped(magic)?, unescaped(mask)?);
    let fits = !magic.is_empty() && magic.len().checked_add(offset).is_some_and(|end| end <= BUFFER_SIZE);
    (fits && (mask.is_empty() || mask.len() == magic.len())).then_some(Matching::Magic { offset, magic, mask })
}

/// Resolves `\xHH` (`unquote`, `string_unescape_inplace` with `UNESCAPE_HEX`).
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let hex = rest.strip_prefix(b"\\x").and_then(|behind| behind.first_chunk::<2>());
        let value = hex.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = rest.get(4..)?;
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    Some(bytes)
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.trim().as_bytes().chunks(2).map(byte).collect()
}

fn emulator(architecture: &str) -> &str {
    match architecture {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "386" => "i386",
        "loong64" => "loongarch64",
        "mips64le" => "mips64el",
        "mipsle" => "mipsel",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Handler, Matching};

    #[test]
    fn what_the_kernel_shows_is_read() {
        let text = "enabled\ninterpreter /usr/bin/qemu-x\nflags: POCF\noffset 4\nmagic 0102ff\nmask ff00ff\n";
        let handler = Handler::shown("qemu-x", text).unwrap();
        assert_eq!(handler.matching, Matching::Magic { offset: 4, magic: vec![1, 2, 255], mask: vec![255, 0, 255] });
        assert!(handler.fixed && handler.hands_over && handler.interpreter == b"/usr/bin/qemu-x");
        let handler = Handler::shown("py", "enabled\ninterpreter /usr/bin/python3\nflags: \nextension .py\n").unwrap();
        assert_eq!((handler.matching, handler.fixed), (Matching::Extension(b"py".to_vec()), false));
        assert_eq!(Handler::shown("x", &text.replace("enabled", "disabled")), None);
    }

    proptest! {
        #[test]
        fn a_handlers_line_registers_the_same_handler(
            name in "[a-z:,]{1,8}",
            offset in 0_usize..100,
            bytes in proptest::collection::vec(any::<(u8, u8)>(), 1..40),
            interpreter in "/[a-z:|/]{1,20}",
            (fixed, hands_over) in any::<(bool, bool)>(),
        ) {
            let (magic, mask) = bytes.into_iter().unzip();
            let matching = Matching::Magic { offset, magic, mask };
            let handler = Handler { name, matching, interpreter: interpreter.into_bytes(), fixed, loader: None, hands_over };
            prop_assert_eq!(Handler::registered(handler.line().as_bytes()), Some(handler));
        }
    }

    #[test]
    fn lines_are_read_as_the_kernel_reads_them() {
        let handler = Handler::registered(b":x:M:4:\\x01b\\x03::/bin/x:FC\n").unwrap();
        assert_eq!(handler.matching, Matching::Magic { offset: 4, magic: vec![1, b'b', 3], mask: vec![] });
        assert!(handler.fixed && handler.hands_over);
        assert!(handler.matches(b"....\x01b\x03", b"/a") && !handler.matches(b"....\x01b", b"/a"));
        let handler = Handler::registered(b",py,E,,py,,/usr/bin/python3,").unwrap();
        assert!(handler.matches(b"", b"/a.b.py") && !handler.matches(b"", b"/a.PY") && !handler.matches(b"", b"/apy"));
        for wrong in [
            ":x:M:0:abc::/bin/x",
            ":x:M:0:::/bin/x:",
            ":x:M:254:abc::/bin/x:",
            ":x:M:0:abc:ff:/bin/x:",
            ":a/b:E::x::/x:",
            ":x:E::a::/x:Q",
            "",
        ] {
            assert_eq!(Handler::registered(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
