//! `# enoexec: ignore[RULE] reason` on a line, or on lines of its own above it.

use crate::finding::{Finding, Scope, Suppression, TextFile};
use crate::lint::ignores::{MARK, collected, understood};

/// What the comments of a file ask to ignore, and a finding for each that cannot be understood.
pub(super) fn suppressions(file: &TextFile<'_>) -> (Vec<Suppression>, Vec<Finding>) {
    let lines: Vec<&str> = file.text.split_inclusive('\n').collect();
    let mut begin = file.text.len();
    // What a comment of its own is about: the next line that is neither blank nor a comment.
    let mut next = None;
    let mut asked = Vec::new();
    for (index, line) in lines.iter().enumerate().rev() {
        let number = index.saturating_add(1);
        begin = begin.saturating_sub(line.len());
        let is_alone = line.trim_start().starts_with('#');
        if !is_alone && !line.trim().is_empty() {
            next = Some(number);
        }
        if let Some(hash) = line.find('#').filter(|hash| line.get(*hash..).is_some_and(|comment| comment.contains(MARK))) {
            let comment = begin.saturating_add(hash)..begin.saturating_add(line.trim_end().len());
            let last = next.filter(|_| is_alone).unwrap_or(number);
            asked.push(understood(file, comment, |_| Scope::Lines(number..=last)));
        }
    }
    asked.reverse();
    collected(asked)
}
