//! `# enoexec: ignore[RULE] reason` on a line, or on lines of its own above it.

use crate::base::escape;
use crate::finding::{Finding, InlineIgnore, Scope, Suppression, TextLocus};

use super::BuildFile;

/// What the comments of a file ask to ignore, and a finding for each that cannot be understood.
pub(super) fn suppressions(file: BuildFile<'_>) -> (Vec<Suppression>, Vec<Finding>) {
    let (mut suppressions, mut misread) = (Vec::new(), Vec::new());
    let mut start = 0;
    for line in file.text.split_inclusive('\n') {
        let hash = line.find('#').filter(|hash| line.get(*hash..).is_some_and(|comment| comment.contains("enoexec:")));
        if let Some(hash) = hash {
            let comment = line.get(hash..).unwrap_or_default().trim_end();
            let begin = start + hash;
            let span = begin..begin + comment.len();
            let written = TextLocus::new(file.name, file.text, span.clone());
            match InlineIgnore::parse(comment.trim_start_matches('#')) {
                None => {}
                Some(Ok(ignore)) => {
                    let is_alone = line.trim_start().starts_with('#');
                    let last = if is_alone { next_line(file.text, written.line) } else { written.line };
                    suppressions.extend(ignore.over(&Scope::Lines(written.line..=last), &written));
                }
                Some(Err(error)) => {
                    misread.extend(file.finding("invalid-ignore", span, format!("nothing is ignored: {}", escape(&error))));
                }
            }
        }
        start += line.len();
    }
    (suppressions, misread)
}

/// The first line behind this one that is neither blank nor a comment.
fn next_line(text: &str, line: usize) -> usize {
    let rest = text.lines().enumerate().skip(line);
    let says = |text: &str| !text.trim().is_empty() && !text.trim_start().starts_with('#');
    rest.into_iter().find(|(_, text)| says(text)).map_or(line, |(number, _)| number.saturating_add(1))
}
