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
        let edits = chosen.iter().flat_map(|finding| &finding.edits);
        let edited = edited(&fixed.text, edits).unwrap_or_else(|| fixed.text.clone());
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
    let mut taken: BTreeSet<(usize, usize, &str)> = BTreeSet::new();
    for finding in findings {
        let is_free = |edit: &Edit| {
            // Those that begin before its end, the last first: their ends go down too.
            let before = taken.range(..(edit.span.end.saturating_add(1), 0, "")).rev();
            before.take_while(|taken| taken.1 >= edit.span.start).all(|taken| *taken == place(edit))
        };
        if finding.edits.iter().all(is_free) {
            chosen.push(finding);
            taken.extend(finding.edits.iter().map(place));
        }
    }
    chosen
}

fn place(edit: &Edit) -> (usize, usize, &str) {
    (edit.span.start, edit.span.end, &edit.replacement)
}

/// A text with changes made; `None` where two of them overlap. What two of them do alike is done once.
pub(super) fn edited<'a>(text: &str, edits: impl Iterator<Item = &'a Edit>) -> Option<String> {
    let edits: BTreeSet<(usize, usize, &str)> = edits.map(place).collect();
    let has_carriage_returns = text.contains("\r\n");
    let mut edited = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end, replacement) in edits {
        edited.push_str(text.get(done..start)?);
        if has_carriage_returns {
            edited.push_str(&replacement.replace("\r\n", "\n").replace('\n', "\r\n"));
        } else {
            edited.push_str(replacement);
        }
        done = end;
    }
    edited.push_str(text.get(done..)?);
    Some(edited)
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
    use crate::finding::{Confidence, Edit, Finding, Locus, TextFile, rule};

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
                locus: Locus::Text(TextFile::new("Dockerfile", text).locus(span.clone())),
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
    fn changes_that_overlap_are_not_made() {
        let edit = |span: std::ops::Range<usize>, text: &str| Edit { span, replacement: text.to_owned() };
        let made = |edits: &[Edit]| super::edited("a\r\nbc", edits.iter());
        assert_eq!(made(&[edit(3..4, "x\ny"), edit(0..1, ""), edit(3..4, "x\ny")]).unwrap(), "\r\nx\r\nyc");
        assert_eq!(made(&[edit(3..5, "x"), edit(4..5, "y")]), None);
        assert_eq!(made(&[edit(6..7, "x")]), None);
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
