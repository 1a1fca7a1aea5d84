//! What of a Dockerfile could not be read.

use crate::base::escape;
use crate::finding::Finding;

use super::Subject;

/// A finding for each thing that BuildKit would refuse the file for. The rest of the file is judged nevertheless.
pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let finding = |problem: &crate::format::dockerfile::Problem| {
        let words = subject.file.text.get(problem.span.clone()).unwrap_or_default();
        let words = words.lines().next().unwrap_or_default();
        let message = match words {
            "" => problem.message.clone(),
            words => format!("{}: `{}`", problem.message, escape(words)),
        };
        subject.finding("unreadable-instruction", problem.span.clone(), message)
    };
    subject.dockerfile.problems.iter().filter_map(finding).collect()
}
