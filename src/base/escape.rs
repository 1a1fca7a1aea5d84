use std::borrow::Cow;
use std::fmt;

/// Shows bytes that someone else chose (names, labels, log lines) so that a terminal or a report cannot be steered by them.
///
/// Printable characters pass. Control characters, bidirectional overrides, invisible characters and bytes that are not UTF-8
/// become `\n`, `\t`, `\r`, `\xNN` or `\u{NNNN}`. A backslash passes as it is: the text is for reading, not for parsing.
#[derive(Clone, Copy)]
pub struct Escaped<'a>(&'a [u8]);

/// Wraps `bytes` for display. See [`Escaped`].
pub fn escape<T: AsRef<[u8]> + ?Sized>(bytes: &T) -> Escaped<'_> {
    Escaped(bytes.as_ref())
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\n' => formatter.write_str("\\n")?,
                    '\r' => formatter.write_str("\\r")?,
                    '\t' => formatter.write_str("\\t")?,
                    c if u32::from(c) < 0x80 && c.is_control() => write!(formatter, "\\x{:02x}", u32::from(c))?,
                    c if steers(c) => write!(formatter, "\\u{{{:x}}}", u32::from(c))?,
                    c => formatter.write_char(c)?,
                }
            }
            for byte in chunk.invalid() {
                write!(formatter, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// The text with a visible character of as many bytes in the place of every one beyond ASCII that would steer whoever shows it, so
/// that places in it stay where they are.
pub fn masked(text: &str) -> Cow<'_, str> {
    let is_wide = |character: char| !character.is_ascii() && steers(character);
    if !text.contains(is_wide) {
        return Cow::Borrowed(text);
    }
    let mask = |character: char| match character.len_utf8() {
        _ if !is_wide(character) => character,
        2 => '\u{b7}',
        3 => char::REPLACEMENT_CHARACTER,
        _ => '\u{1fbc4}',
    };
    Cow::Owned(text.chars().map(mask).collect())
}

fn steers(character: char) -> bool {
    character.is_control() || is_invisible(character)
}

/// Characters that change how their neighbours look, or do not look like anything (Unicode's bidirectional controls,
/// zero-width and line separators, the byte order mark, language tags), or that XML cannot hold.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{escape, masked};

    #[test]
    fn a_masked_text_is_as_long_and_steers_nothing() {
        for text in ["a\u{80}b", "a\u{9b}31mb", "\u{202e}x", "\u{200b}", "\u{e0041}y", "plain caf\u{e9}\n\t"] {
            let shown = masked(text);
            assert_eq!(shown.len(), text.len(), "{shown}");
            assert!(shown.chars().all(|c| c.is_ascii() || !super::steers(c)), "{shown}");
        }
        assert_eq!(masked("caf\u{e9}"), "caf\u{e9}");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(escape("\u{1b}[31mred\n").to_string(), "\\x1b[31mred\\n");
        assert_eq!(escape(b"caf\xc3\xa9 \xff").to_string(), "café \\xff");
        assert_eq!(escape("a\u{202e}b\u{9b}").to_string(), "a\\u{202e}b\\u{9b}");
    }
}
