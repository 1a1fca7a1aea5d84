//! Text in HTML.

use std::fmt;

use crate::base::escape;

/// Text as it may stand between tags and in quoted attributes.
pub(super) struct Text<'a>(&'a str);

/// Wraps a text for display. Control characters are spelt out, and nothing in it is markup.
pub(super) fn text(text: &str) -> Text<'_> {
    Text(text)
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        for character in escape(self.0).to_string().chars() {
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                other => formatter.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A line with the commands that stand in backquotes as code.
pub(super) fn with_commands(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text(line).to_string();
    }
    let part = |(place, part): (usize, &&str)| {
        if place % 2 == 1 { format!("<code>{}</code>", text(part)) } else { text(part).to_string() }
    };
    parts.iter().enumerate().map(part).collect()
}
