//! Applies the edits of findings, each only if the file is better for it.

use std::collections::BTreeSet;

use crate::finding::{Edit, Finding};
use crate::format::dockerfile::Dockerfile;

/// How often a file is judged anew before the rest of its fixes is left for the next run.
const ROUNDS: usize = 64;

/// A file that was mended.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    /// What it says now.
    pub text: String,
    /// What was mended.
    pub applied: Vec<Finding>,
    /// What was not, and why.
    pub refused: Vec<Refused>,
}

/// A fix that was not made.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// What it would have mended.
    pub finding: Finding,
    /// Why it was not made.
    pub because: &'static str,
}

/// Makes the edits of the findings with these fingerprints. `judge` says what is wrong with a text: an edit stays only if the
/// file then still reads as well as before, its finding is gone, and no other has come.
pub fn fix(text: &str, wanted: &BTreeSet<String>, judge: &dyn Fn(&str) -> Vec<Finding>) -> Fixed {
    let mut fixed = Fixed { text: text.to_owned(), applied: Vec::new(), refused: Vec::new() };
    let mut findings = judge(text);
    let mut one_by_one = false;
    for _ in 0..ROUNDS {
        let open: Vec<&Finding> = findings.iter().filter(|finding| is_open(finding, wanted, &fixed.refused)).collect();
        let chosen = if one_by_one { open.into_iter().take(1).collect() } else { disjoint(&open) };
        if chosen.is_empty() {
            return fixed;
        }
        let edited = apply(&fixed.text, &chosen);
        let after = judge(&edited);
        if is_better(&fixed.text, &findings, &edited, &after, &chosen) {
            fixed.applied.extend(chosen.into_iter().cloned());
            fixed.text = edited;
            findings = after;
        } else if let [finding] = chosen.as_slice() {
            let because = "the file would not be right afterwards either";
            fixed.refused.push(Refused { finding: (*finding).clone(), because });
        } else {
            one_by_one = true;
        }
    }
    let left = findings.iter().filter(|finding| is_open(finding, wanted, &fixed.refused)).cloned();
    let left: Vec<Refused> =
        left.map(|finding| Refused { finding, because: "there are too many in one file; run again" }).collect();
    fixed.refused.extend(left);
    fixed
}

fn is_open(finding: &Finding, wanted: &BTreeSet<String>, refused: &[Refused]) -> bool {
    let is_refused = |refused: &Refused| refused.finding.edits == finding.edits && refused.finding.rule == finding.rule;
    !finding.edits.is_empty() && wanted.contains(&finding.fingerprint()) && !refused.iter().any(is_refused)
}

/// As many findings, from the first on, as have edits that do not touch one another. What two of them do alike is done once.
fn disjoint<'a>(findings: &[&'a Finding]) -> Vec<&'a Finding> {
    let mut chosen: Vec<&Finding> = Vec::new();
    for finding in findings {
        let taken = || chosen.iter().flat_map(|chosen| &chosen.edits);
        if finding.edits.iter().all(|edit| taken().all(|taken| taken == edit || !touches(taken, edit))) {
            chosen.push(finding);
        }
    }
    chosen
}

fn touches(left: &Edit, right: &Edit) -> bool {
    left.span.start <= right.span.end && right.span.start <= left.span.end
}

/// Right to left, so that the places of those that are still to come stay what they are.
fn apply(text: &str, findings: &[&Finding]) -> String {
    let mut edits: Vec<&Edit> = findings.iter().flat_map(|finding| &finding.edits).collect();
    edits.sort_by_key(|edit| std::cmp::Reverse((edit.span.start, edit.span.end)));
    edits.dedup();
    let mut text = text.to_owned();
    for edit in edits {
        if text.get(edit.span.clone()).is_some() {
            text.replace_range(edit.span.clone(), &in_line_ends_of(&text, &edit.replacement));
        }
    }
    text
}

/// A replacement with the line ends that the file has.
fn in_line_ends_of(text: &str, replacement: &str) -> String {
    if text.contains("\r\n") { replacement.replace("\r\n", "\n").replace('\n', "\r\n") } else { replacement.to_owned() }
}

/// Whether the chosen findings are gone, no others have come in their place, and all that could be read still can.
fn is_better(before: &str, findings: &[Finding], after: &str, left: &[Finding], chosen: &[&Finding]) -> bool {
    let count = |findings: &[Finding], rule: &str| findings.iter().filter(|finding| finding.rule.id == rule).count();
    let rules: BTreeSet<&str> = findings.iter().chain(left).map(|finding| finding.rule.id.as_str()).collect();
    let mended = |rule: &str| chosen.iter().filter(|finding| finding.rule.id == rule).count();
    let is_less = |rule: &&str| count(left, rule).saturating_add(mended(rule)) <= count(findings, rule);
    let problems = |text: &str| Dockerfile::parse(text).problems.len();
    rules.iter().all(is_less) && problems(after) <= problems(before)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::fix;
    use crate::finding::{Confidence, Edit, Finding, Locus, TextLocus, rule};

    /// A finding for each `bad` of a text, which becomes `good`.
    fn judge(text: &str) -> Vec<Finding> {
        let finding = |(start, word): (usize, &str)| {
            let rule = rule("wrong-machine").unwrap();
            let span = start..start + word.len();
            Finding {
                rule,
                severity: rule.severity,
                confidence: Confidence::High,
                message: String::new(),
                locus: Locus::Text(TextLocus::new("Dockerfile", text, span.clone())),
                evidence: Vec::new(),
                fix: None,
                edits: vec![Edit { span, replacement: word.replace("bad", "good") }],
            }
        };
        text.match_indices("bad").chain(text.match_indices("worse")).map(finding).collect()
    }

    fn wanted(text: &str) -> BTreeSet<String> {
        judge(text).iter().map(Finding::fingerprint).collect()
    }

    #[test]
    fn what_helps_is_done_and_what_does_not_is_left_and_said() {
        let text = "FROM bad\r\nRUN worse bad\r\n";
        let fixed = fix(text, &wanted(text), &judge);
        assert_eq!(fixed.text, "FROM good\r\nRUN worse good\r\n");
        assert_eq!((fixed.applied.len(), fixed.refused.len()), (2, 1), "{fixed:?}");
    }

    #[test]
    fn only_what_is_wanted_is_mended() {
        let text = "FROM bad\n";
        assert_eq!(fix(text, &BTreeSet::new(), &judge).text, text);
    }

    #[test]
    fn a_file_that_would_read_worse_is_left() {
        let judge = |text: &str| {
            let mut found = judge(text);
            found.iter_mut().for_each(|finding| finding.edits[0].replacement = "\nNONE".to_owned());
            found
        };
        let text = "FROM bad\n";
        let fixed = fix(text, &wanted(text), &judge);
        assert_eq!((fixed.text.as_str(), fixed.refused.len()), (text, 1));
    }

    #[test]
    fn line_ends_are_those_of_the_file() {
        let judge = |text: &str| {
            let mut found = judge(text);
            found.iter_mut().for_each(|finding| finding.edits[0].replacement = "x\nRUN y".to_owned());
            found
        };
        let text = "FROM bad\r\n";
        assert_eq!(fix(text, &wanted(text), &judge).text, "FROM x\r\nRUN y\r\n");
    }
}
