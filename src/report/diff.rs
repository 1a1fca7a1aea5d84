//! The difference between two texts, as `patch` and `git apply` take it.

use std::io::{self, Write};

use similar::TextDiff;

use crate::base::escape;

/// Writes a unified diff; nothing where the texts are the same.
///
/// # Errors
/// `out` cannot be written to.
pub fn unified_diff(name: &str, before: &str, after: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = escape(name).to_string();
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().header(&format!("a/{name}"), &format!("b/{name}")).to_writer(out)
}
