//! `# enoexec: ignore[RULE] reason` on or above an instruction.

use std::ops::Range;

use crate::base::escape;
use crate::finding::{Finding, InlineIgnore, Scope, Suppression};
use crate::format::dockerfile::{Instruction, Keyword};

use super::Subject;

/// How an ignore begins, behind its `#`.
const MARK: &str = "enoexec:";

/// What the comments of a file ask to ignore, and a finding for each that cannot be understood.
pub(super) fn suppressions(subject: &Subject<'_>) -> (Vec<Suppression>, Vec<Finding>) {
    let mut suppressions = Vec::new();
    let mut misread = Vec::new();
    for span in comments(subject) {
        let comment = subject.text.get(span.clone()).unwrap_or_default().trim_start_matches('#');
        let written = subject.locus(span.clone());
        match InlineIgnore::parse(comment) {
            None => {}
            Some(Ok(ignore)) => suppressions.extend(ignore.over(&scope(subject, &span, written.line), &written)),
            Some(Err(error)) => {
                let message = format!("nothing is ignored: {}", escape(&error));
                misread.extend(subject.finding("invalid-ignore", span, message));
            }
        }
    }
    (suppressions, misread)
}

/// The comments that may ask: the Dockerfile's own, and the shell's in what a RUN is given.
fn comments(subject: &Subject<'_>) -> Vec<Range<usize>> {
    let own = &subject.dockerfile.comments;
    let shells = subject.dockerfile.instructions.iter().filter(|instruction| instruction.keyword == Keyword::Run);
    let is_new = |span: &Range<usize>| !own.iter().any(|known| known.contains(&span.start));
    let shells: Vec<Range<usize>> = shells.flat_map(|run| in_shell(subject.text, run)).filter(is_new).collect();
    let may_ask = |span: &Range<usize>| subject.text.get(span.clone()).is_some_and(|comment| comment.contains(MARK));
    own.iter().filter(|span| may_ask(span)).cloned().chain(shells).collect()
}

/// From each `#` before [`MARK`] to the end of its line.
fn in_shell(text: &str, run: &Instruction) -> Vec<Range<usize>> {
    let body = text.get(run.span.clone()).unwrap_or_default();
    let asks = body.match_indices(MARK).filter_map(|(place, _)| {
        let hash = body.get(..place)?.trim_end().strip_suffix('#')?.len();
        let end = body.get(place..)?.find('\n').map_or(body.len(), |end| place.saturating_add(end));
        let end = body.get(..end)?.trim_end().len();
        Some(run.span.start.saturating_add(hash)..run.span.start.saturating_add(end))
    });
    asks.collect()
}

/// The lines of the instruction that a comment stands in, or else of the next one.
fn scope(subject: &Subject<'_>, comment: &Range<usize>, line: usize) -> Scope {
    let next = subject.dockerfile.instructions.iter().find(|instruction| instruction.span.end >= comment.start);
    Scope::Lines(next.map_or(line..=line, |next| next.lines.0..=next.lines.1))
}
