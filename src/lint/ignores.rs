//! `# enoexec: ignore[RULE] reason` on or above an instruction.

use std::ops::Range;

use crate::base::escape;
use crate::finding::{Finding, InlineIgnore, Scope, Suppression, TextFile, TextLocus};
use crate::format::dockerfile::{Instruction, Keyword};

use super::{Subject, finding};

/// How an ignore begins, behind its `#`.
pub(super) const MARK: &str = "enoexec:";

/// What the comments of a file ask to ignore, and a finding for each that cannot be understood.
pub(super) fn suppressions(subject: &Subject<'_>) -> (Vec<Suppression>, Vec<Finding>) {
    let asked = comments(subject).into_iter().map(|span| {
        let scope = |written: &TextLocus| scope(subject, &span, written.line);
        understood(subject.file, span.clone(), scope)
    });
    collected(asked)
}

/// What one comment asks to ignore, in the lines that `scope` names for its own place, or a finding that it cannot be understood.
pub(super) fn understood(
    file: &TextFile<'_>,
    comment: Range<usize>,
    scope: impl FnOnce(&TextLocus) -> Scope,
) -> (Vec<Suppression>, Option<Finding>) {
    let written = file.locus(comment.clone());
    match InlineIgnore::parse(written.text.trim_start_matches('#')) {
        None => (Vec::new(), None),
        Some(Ok(ignore)) => (ignore.over(&scope(&written), &written), None),
        Some(Err(error)) => {
            let message = format!("nothing is ignored: {}", escape(&error));
            (Vec::new(), finding(file, "invalid-ignore", comment, message))
        }
    }
}

/// What all comments of a file ask.
pub(super) fn collected(
    asked: impl IntoIterator<Item = (Vec<Suppression>, Option<Finding>)>,
) -> (Vec<Suppression>, Vec<Finding>) {
    let (mut suppressions, mut misread) = (Vec::new(), Vec::new());
    for (more, finding) in asked {
        suppressions.extend(more);
        misread.extend(finding);
    }
    (suppressions, misread)
}

/// The comments that may ask: the Dockerfile's own, and the shell's in what a RUN is given.
fn comments(subject: &Subject<'_>) -> Vec<Range<usize>> {
    let own = &subject.dockerfile.comments;
    let shells = subject.dockerfile.instructions.iter().filter(|instruction| instruction.keyword == Keyword::Run);
    let is_new = |span: &Range<usize>| {
        let next = own.partition_point(|known| known.end <= span.start);
        !own.get(next).is_some_and(|known| known.contains(&span.start))
    };
    let shells: Vec<Range<usize>> = shells.flat_map(|run| in_shell(subject.file.text, run)).filter(is_new).collect();
    let may_ask = |span: &Range<usize>| subject.file.text.get(span.clone()).is_some_and(|comment| comment.contains(MARK));
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
    let instructions = &subject.dockerfile.instructions;
    let next = instructions.get(instructions.partition_point(|instruction| instruction.span.end < comment.start));
    Scope::Lines(next.map_or(line..=line, |next| next.lines.0..=next.lines.1))
}
