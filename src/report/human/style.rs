//! Colours, and small forms of words.

use anstyle::{AnsiColor, Style};

use crate::finding::Severity;

pub(in crate::report) const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
pub(in crate::report) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(in crate::report) const INFO: Style = AnsiColor::Cyan.on_default().bold();
pub(in crate::report) const HELP: Style = AnsiColor::Green.on_default().bold();
pub(in crate::report) const LOCUS: Style = AnsiColor::BrightBlue.on_default().bold();
pub(in crate::report) const BOLD: Style = Style::new().bold();
pub(in crate::report) const DIM: Style = Style::new().dimmed();

/// The colour of a severity's name.
pub(super) fn of_severity(severity: Severity) -> Style {
    match severity {
        Severity::Error => ERROR,
        Severity::Warning => WARNING,
        Severity::Info => INFO,
    }
}

/// How many columns a text takes, at one a character: exact for what file names are mostly made of.
pub(in crate::report) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// `text`, filled up with spaces to `width` columns.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text:width$}")
}

/// As much of the start of a text as has room in `width` columns.
pub(in crate::report) fn shortened(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let start: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

/// A text in lines of `width` columns. What stands in backquotes is a command to copy and is never broken, nor is a word.
pub(in crate::report) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in pieces(text) {
        if !line.is_empty() && columns(&line).saturating_add(columns(&word)).saturating_add(1) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

/// Words, with those between a pair of backquotes kept together.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in text.split_whitespace() {
        match pieces.last_mut() {
            Some(last) if is_open => {
                last.push(' ');
                last.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
        is_open ^= word.matches('`').count() % 2 == 1;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{shortened, wrapped};

    #[test]
    fn a_command_to_copy_is_never_broken() {
        let text = "build for the node: `docker buildx build --platform linux/arm64 .`, and copy nothing";
        assert_eq!(
            wrapped(text, 30),
            ["build for the node:", "`docker buildx build --platform linux/arm64 .`,", "and copy nothing"]
        );
    }

    #[test]
    fn a_text_of_several_lines_is_filled_anew() {
        assert_eq!(wrapped("one\ntwo\n three ", 20), ["one two three"]);
        assert_eq!(wrapped("", 20), [""]);
    }

    #[test]
    fn a_long_step_ends_in_an_ellipsis() {
        assert_eq!(shortened("RUN make all", 12), "RUN make all");
        assert_eq!(shortened("RUN make all", 9), "RUN make…");
        assert_eq!(shortened("RUN", 0), "…");
    }
}
