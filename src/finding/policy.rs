//! What of all that was found is reported: the one place where findings are held back.

use std::collections::BTreeSet;

use crate::base::{Date, matches};

use super::{Confidence, Finding, Locus, Scope, Severity, Suppression, rule};

/// What the user chose to be told.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Findings that are less sure than this are not reported.
    pub min_confidence: Confidence,
    /// What someone chose to live with.
    pub suppressions: Vec<Suppression>,
    /// The fingerprints of what was there before, which is not reported again.
    pub baseline: BTreeSet<String>,
    /// The day, which ends suppressions.
    pub today: Date,
}

/// What a run looked at, which tells the suppressions that were of no use from those that had no chance.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// How the ids of the rules begin that could have spoken: `EX1`, `EX2`.
    pub families: &'static [&'static str],
    /// The targets that were looked at, as they were named.
    pub targets: Vec<String>,
}

/// What is reported, and how much is not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// What is reported.
    pub findings: Vec<Finding>,
    /// How many findings are held back because someone chose to live with them.
    pub ignored: usize,
    /// How many are held back because they were there before.
    pub known: usize,
}

impl Policy {
    /// A policy that holds nothing back.
    pub fn everything(today: Date) -> Self {
        Self { min_confidence: Confidence::Low, suppressions: Vec::new(), baseline: BTreeSet::new(), today }
    }

    /// Holds back what is not to be reported, and reports suppressions that are of no use any more.
    pub fn apply(&self, findings: Vec<Finding>, looked: &Looked) -> Judged {
        let mut judged = Judged::default();
        let mut used = vec![false; self.suppressions.len()];
        for finding in findings {
            let mut is_ignored = false;
            for (used, suppression) in used.iter_mut().zip(&self.suppressions) {
                if suppression.covers(&finding) {
                    *used = true;
                    is_ignored |= !suppression.is_expired(self.today);
                }
            }
            if is_ignored {
                judged.ignored = judged.ignored.saturating_add(1);
            } else if finding.confidence >= self.min_confidence {
                judged.findings.push(finding);
            }
        }
        let of_no_use =
            self.suppressions.iter().zip(used).filter_map(|(suppression, used)| self.of_no_use(suppression, used, looked));
        judged.findings.extend(of_no_use);
        let before = judged.findings.len();
        judged.findings.retain(|finding| !self.baseline.contains(&finding.fingerprint()));
        judged.known = before.saturating_sub(judged.findings.len());
        judged
    }

    fn of_no_use(&self, suppression: &Suppression, used: bool, looked: &Looked) -> Option<Finding> {
        let (id, reason) = (&suppression.rule.id, &suppression.reason);
        if !used && !looked.covers(suppression) {
            return None;
        }
        if suppression.is_expired(self.today) {
            let last = suppression.expires.map(|last| last.to_string()).unwrap_or_default();
            let message = format!("{id} was to be ignored until {last} ({})", crate::base::escape(reason));
            let fix = "mend what it was about, or write down a new reason and a later day";
            return about(suppression, "expired-ignore", message, fix);
        }
        if used {
            return None;
        }
        let message = format!("{id} is ignored here ({}), but nothing of the kind was found", crate::base::escape(reason));
        about(suppression, "unused-ignore", message, "take it out, so that it does not hide the next one")
    }
}

impl Looked {
    /// Whether the suppression's rule could have spoken where the suppression holds.
    fn covers(&self, suppression: &Suppression) -> bool {
        let could_speak = self.families.iter().any(|family| suppression.rule.id.starts_with(family));
        let was_there = match &suppression.scope {
            Scope::Matching { target: Some(pattern), .. } => {
                self.targets.iter().any(|target| matches(pattern, target.as_bytes()))
            }
            Scope::Matching { target: None, .. } | Scope::Lines(_) | Scope::Object { .. } => true,
        };
        could_speak && was_there
    }
}

fn about(suppression: &Suppression, name: &str, message: String, fix: &str) -> Option<Finding> {
    let rule = rule(name)?;
    Some(Finding {
        rule,
        severity: rule.severity,
        confidence: Confidence::High,
        message,
        locus: Locus::Text(suppression.written.clone()),
        evidence: Vec::new(),
        fix: Some(fix.to_owned()),
        edits: Vec::new(),
    })
}

/// Whether a finding of this severity ends the run with exit code 1: `least` is the least that does, if any does.
pub fn fails(severity: Severity, least: Option<Severity>) -> bool {
    least.is_some_and(|least| severity >= least)
}

#[cfg(test)]
mod tests {
    use super::{Looked, Policy};
    use crate::base::Date;
    use crate::finding::{Confidence, Finding, GuestLocus, IgnoreEntry, Locus, TextLocus, rule};

    const CHECK: &[&str] = &["EX1", "EX2"];

    fn finding(name: &str, target: &str) -> Finding {
        let rule = rule(name).unwrap();
        Finding {
            rule,
            severity: rule.severity,
            confidence: Confidence::Medium,
            message: String::new(),
            locus: Locus::Guest(GuestLocus { target: target.into(), path: Some("/app".into()), ..GuestLocus::default() }),
            evidence: Vec::new(),
            fix: None,
            edits: Vec::new(),
        }
    }

    fn policy(rule: &str, image: &str, expires: Option<&str>) -> Policy {
        let entry = IgnoreEntry {
            rule: rule.into(),
            image: Some(image.into()),
            reason: "so".into(),
            expires: expires.map(Into::into),
            ..IgnoreEntry::default()
        };
        let suppressions = vec![entry.suppression(TextLocus { file: "enoexec.toml".into(), ..TextLocus::default() }).unwrap()];
        Policy { suppressions, ..Policy::everything(today()) }
    }

    fn today() -> Date {
        "2026-11-25".parse().unwrap()
    }

    /// The rules that are reported, and how many findings are ignored.
    fn judged(policy: &Policy, findings: Vec<Finding>) -> (Vec<&str>, usize) {
        let looked = Looked { families: CHECK, targets: vec!["app.tar".into()] };
        let judged = policy.apply(findings, &looked);
        (judged.findings.iter().map(|finding| finding.rule.name.as_str()).collect(), judged.ignored)
    }

    #[test]
    fn an_ignore_holds_until_its_last_day() {
        let found = || vec![finding("wrong-machine", "app.tar")];
        assert_eq!(judged(&policy("EX101", "app.*", None), found()), (vec![], 1));
        assert_eq!(judged(&policy("EX101", "app.*", Some("2026-11-25")), found()), (vec![], 1));
        assert_eq!(judged(&policy("EX101", "app.*", Some("2026-11-24")), found()), (vec!["wrong-machine", "expired-ignore"], 0));
        assert_eq!(judged(&policy("EX101", "web.*", None), found()), (vec!["wrong-machine"], 0));
    }

    #[test]
    fn an_ignore_is_unused_only_where_it_had_a_chance() {
        assert_eq!(judged(&policy("EX101", "app.*", None), vec![]), (vec!["unused-ignore"], 0));
        assert_eq!(judged(&policy("EX101", "web.*", None), vec![]), (vec![], 0), "that image was not looked at");
        assert_eq!(judged(&policy("EX001", "app.*", None), vec![]), (vec![], 0), "check does not raise it");
    }

    #[test]
    fn what_is_less_sure_or_known_is_held_back() {
        let found = vec![finding("wrong-machine", "app.tar"), finding("wrong-libc", "app.tar")];
        let sure = Policy { min_confidence: Confidence::High, ..Policy::everything(today()) };
        assert_eq!(judged(&sure, found.clone()), (vec![], 0));
        let baseline = [found[0].fingerprint()].into();
        let known = Policy { baseline, ..Policy::everything(today()) }.apply(found, &Looked::default());
        assert_eq!((known.known, known.findings.len(), known.findings[0].rule.name.as_str()), (1, 1, "wrong-libc"));
    }
}
