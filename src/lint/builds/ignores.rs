//! `# enoexec: ignore[RULE] reason` on a line, or on lines of its own above it.

use crate::finding::{Finding, Scope, Suppression};
use crate::lint::ignores::{MARK, collected, understood};

use super::BuildFile;

/// What the comments of a file ask to ignore, and a finding for each that cannot be understood.
pub(super) fn suppressions(file: BuildFile<'_>) -> (Vec<Suppression>, Vec<Finding>) {
    let mut start = 0_usize;
    let asked = file.text.split_inclusive('\n').filter_map(|line| {
        let begin = start;
        start = start.saturating_add(line.len());
        let hash = line.find('#').filter(|hash| line.get(*hash..).is_some_and(|comment| comment.contains(MARK)))?;
        let comment = begin.saturating_add(hash)..begin.saturating_add(line.trim_end().len());
        let is_alone = line.trim_start().starts_with('#');
        let last = |line: usize| if is_alone { next_line(file.text, line) } else { line };
        Some(understood(file.name, file.text, comment, |written| Scope::Lines(written.line..=last(written.line))))
    });
    collected(asked)
}

/// The first line behind this one that is neither blank nor a comment.
fn next_line(text: &str, line: usize) -> usize {
    let rest = text.lines().enumerate().skip(line);
    let says = |text: &str| !text.trim().is_empty() && !text.trim_start().starts_with('#');
    rest.into_iter().find(|(_, text)| says(text)).map_or(line, |(number, _)| number.saturating_add(1))
}
