//! `#!` lines, read as the kernel reads them (`fs/binfmt_script.c`, `load_script`).

/// A `#!` line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Script {
    /// What the kernel makes of the line; `None` where it says ENOEXEC (blank, or too long for the buffer).
    pub interpreter: Option<Interpreter>,
}

/// The program that a `#!` line names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Interpreter {
    /// The path as written, such as `/bin/sh`, or `/bin/sh\r` in a file with Windows line ends. Empty where the file ends, or has
    /// a NUL, right after `#!`: the kernel then opens the empty path.
    pub path: Box<[u8]>,
    /// All that follows, as the one argument that the kernel makes of it.
    pub argument: Option<Box<[u8]>>,
}

/// All that the kernel reads of a file before it chooses a format (`BINPRM_BUF_SIZE`, `include/uapi/linux/binfmts.h`; 128 before
/// Linux 5.1).
pub const BUFFER_SIZE: usize = 256;

impl Script {
    /// Reads a file's first bytes as Linux 5.1 and later do; those beyond [`BUFFER_SIZE`] are not looked at. `None` for a file
    /// that does not begin with `#!`.
    pub fn parse(head: &[u8]) -> Option<Self> {
        head.starts_with(b"#!").then(|| {
            let mut buffer = [0; BUFFER_SIZE];
            buffer.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
            Self { interpreter: interpreter(&buffer) }
        })
    }
}

const LAST: usize = BUFFER_SIZE - 1;

/// `load_script`, step by step. Positions are the kernel's: `end` is where it writes a NUL, so that what stood there is lost.
fn interpreter(buffer: &[u8; BUFFER_SIZE]) -> Option<Interpreter> {
    let at = |position: usize| buffer.get(position).copied().unwrap_or_default();
    let find = |first: usize, last: usize, wanted: fn(u8) -> bool| (first..=last).find(|position| wanted(at(*position)));

    // strnchr() stops at a NUL, so a line end behind one is not seen.
    let newline = find(0, LAST, |byte| byte == b'\n' || byte == 0).filter(|position| at(*position) == b'\n');
    let mut end = match newline {
        Some(position) => position,
        None => {
            // Without a line end the path is known to be whole only if something ends it within the buffer.
            let name = find(2, LAST, is_not_blank)?;
            find(name, LAST, ends_name)?;
            LAST
        }
    };
    while end > 2 && is_blank(at(end - 1)) {
        end -= 1;
    }
    let name = find(2, end, is_not_blank).filter(|name| *name != end)?;
    let separator = find(name, end, ends_name);
    let argument = separator
        .filter(|position| at(*position) != 0)
        .and_then(|separator| find(separator, end, is_not_blank))
        .map(|argument| text(buffer, argument, end));
    Some(Interpreter { path: text(buffer, name, separator.unwrap_or(end)), argument })
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_not_blank(byte: u8) -> bool {
    !is_blank(byte)
}

fn ends_name(byte: u8) -> bool {
    is_blank(byte) || byte == 0
}

/// The C string that begins at `start`, with the kernel's NUL at `end`.
fn text(buffer: &[u8], start: usize, end: usize) -> Box<[u8]> {
    buffer.get(start..end).unwrap_or_default().iter().copied().take_while(|byte| *byte != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::{BUFFER_SIZE, Script};
    use proptest::prelude::*;

    /// `None` for ENOEXEC, else the path and the argument.
    fn line(head: impl AsRef<[u8]>) -> Option<(String, Option<String>)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let interpreter = Script::parse(head.as_ref()).expect("begins with #!").interpreter?;
        Some((text(&interpreter.path), interpreter.argument.as_deref().map(text)))
    }

    fn program(path: &str) -> Option<(String, Option<String>)> {
        Some((path.into(), None))
    }

    fn with(path: &str, argument: &str) -> Option<(String, Option<String>)> {
        Some((path.into(), Some(argument.into())))
    }

    #[test]
    fn only_a_hash_bang_at_the_very_start_makes_a_script() {
        for head in ["", "#", " #!/bin/sh\n", "\n#!/bin/sh\n", "\u{feff}#!/bin/sh\n", "# !/bin/sh\n"] {
            assert_eq!(Script::parse(head.as_bytes()), None, "{head:?}");
        }
    }

    #[test]
    fn splits_a_line_into_a_path_and_one_argument() {
        assert_eq!(line("#!/bin/sh\n"), program("/bin/sh"));
        assert_eq!(line("#! \t/bin/sh \t\n"), program("/bin/sh"));
        assert_eq!(line("#!/usr/bin/env bash\n"), with("/usr/bin/env", "bash"));
        assert_eq!(line("#!/bin/sh\t -e  -u \n"), with("/bin/sh", "-e  -u"));
        assert_eq!(line("#!/bin/sh\necho\n"), program("/bin/sh"));
    }

    #[test]
    fn a_carriage_return_belongs_to_the_word_before_it() {
        assert_eq!(line("#!/bin/sh\r\n"), program("/bin/sh\r"));
        assert_eq!(line("#!/bin/sh -e\r\n"), with("/bin/sh", "-e\r"));
        assert_eq!(line("#!/bin/sh \r\n"), with("/bin/sh", "\r"));
        assert_eq!(line("#!/usr/bin/env bash\r\n"), with("/usr/bin/env", "bash\r"));
    }

    #[test]
    fn only_space_and_tab_separate() {
        assert_eq!(line("#!/bin/sh\x0b-e\x0c-u\n"), program("/bin/sh\x0b-e\x0c-u"));
    }

    #[test]
    fn a_blank_line_is_no_program() {
        assert_eq!(line("#!\n"), None);
        assert_eq!(line("#!  \t\n/bin/sh\n"), None);
    }

    #[test]
    fn an_end_or_a_nul_after_the_mark_is_the_empty_path() {
        assert_eq!(line("#!"), program(""));
        assert_eq!(line("#!  "), program(""));
        assert_eq!(line("#!\0junk\n"), program(""));
    }

    #[test]
    fn a_nul_ends_the_line() {
        assert_eq!(line("#!/bin/sh\0junk\n"), program("/bin/sh"));
        assert_eq!(line("#!/bin/sh -e\0junk\n"), with("/bin/sh", "-e"));
        assert_eq!(line("#!/bin/sh -e \0\n"), with("/bin/sh", "-e "), "blanks before a NUL are not trimmed");
    }

    #[test]
    fn the_newline_has_to_lie_in_the_buffer_or_the_path_may_be_cut() {
        let long = |length: usize| "a".repeat(length);
        assert_eq!(line(format!("#!{}\n", long(253))), program(&long(253)), "newline at 255");
        assert_eq!(line(format!("#!{}\n", long(254))), None, "newline at 256");
        assert_eq!(line(format!("#!{} \n", long(253))), program(&long(253)), "blank at 255");
        assert_eq!(line(format!("#!{}", long(253))), program(&long(253)), "a file of 255 bytes");
        assert_eq!(line(format!("#!{}", long(254))), None, "a file of 256 bytes");
        assert_eq!(line(format!("#!{}{}", " ".repeat(254), "/bin/sh\n")), None, "blanks fill the buffer");
    }

    #[test]
    fn a_long_argument_is_cut_and_the_buffers_last_byte_is_lost() {
        let argument = "b".repeat(300);
        assert_eq!(line(format!("#!/bin/sh {argument}\n")), with("/bin/sh", &argument[..BUFFER_SIZE - 1 - 10]));
        let path = "a".repeat(252);
        assert_eq!(line(format!("#!{path} bcd\n")), program(&path), "an argument that begins at 255 is lost");
    }

    #[test]
    fn a_file_without_a_last_newline_runs() {
        assert_eq!(line("#!/bin/sh"), program("/bin/sh"));
        assert_eq!(line("#!/bin/sh -e"), with("/bin/sh", "-e"));
    }

    proptest! {
        #[test]
        fn only_the_first_256_bytes_matter(tail in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut head = b"#!".to_vec();
            head.extend(&tail);
            let cut = &head[..head.len().min(BUFFER_SIZE)];
            prop_assert_eq!(Script::parse(&head), Script::parse(cut));
        }

        #[test]
        fn a_plain_line_comes_back_as_written(path in "/[a-z/]{1,40}", argument in "[a-z][a-z =-]{0,40}[a-z]") {
            prop_assert_eq!(line(format!("#!{path} {argument}\n")), with(&path, &argument));
        }
    }
}
