//! What is reported and what fails the run: thresholds, what is ignored, and the baseline.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::base::{Date, escape};
use crate::finding::{Finding, Judged, Looked, Policy, Suppression};
use crate::report::Report;

use super::Failure;
use super::arguments::Gate;
use super::config::Config;

/// A baseline that is larger than this is none.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Findings that were there before: the file of `--baseline`.
#[derive(Serialize, Deserialize)]
struct Baseline {
    schema_version: u32,
    findings: Vec<Known>,
}

/// One of them. Only the fingerprint counts; the rest is for those who read the file.
#[derive(Serialize, Deserialize)]
struct Known {
    fingerprint: String,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    message: String,
}

impl Gate {
    /// Holds back of a report what is not to be reported. `suppressions` are those of the files that were looked at, beside the configuration's.
    pub(super) fn judge(
        &self,
        report: Report,
        looked: &Looked,
        suppressions: Vec<Suppression>,
        config: &Config,
    ) -> Result<Report, Failure> {
        let baseline = self.baseline.as_deref().map(read).transpose()?.unwrap_or_default();
        let policy = Policy {
            min_confidence: self.min_confidence.into(),
            suppressions: config.suppressions.iter().cloned().chain(suppressions).collect(),
            baseline: if self.write_baseline.is_some() { BTreeSet::new() } else { baseline },
            today: Date::of(SystemTime::now()),
        };
        let Judged { mut findings, ignored, mut known } = policy.apply(report.findings, looked);
        if let Some(path) = &self.write_baseline {
            write(path, &findings)?;
            known = known.saturating_add(findings.len());
            findings.clear();
        }
        Ok(Report { findings, ignored, known, fails_at: self.fail_on.severity(), ..report })
    }
}

fn read(path: &Path) -> Result<BTreeSet<String>, Failure> {
    let wrong = |why: String| Failure::Usage(format!("{}: {why}", escape(&path.to_string_lossy().into_owned())));
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
    read.map_err(|error| wrong(format!("{error}; `--write-baseline` makes one")))?;
    let baseline: Baseline = serde_json::from_str(&text).map_err(|error| wrong(format!("not a baseline: {error}")))?;
    if baseline.schema_version != 1 {
        return Err(wrong(format!("a baseline of version {}, which this version cannot read", baseline.schema_version)));
    }
    Ok(baseline.findings.into_iter().map(|known| known.fingerprint).collect())
}

/// Writes each fingerprint once, in order, so that a new baseline differs from the old one only where something changed.
fn write(path: &Path, findings: &[Finding]) -> Result<(), Failure> {
    let known = |finding: &Finding| Known {
        fingerprint: finding.fingerprint(),
        rule: finding.rule.id.clone(),
        message: escape(&finding.message).to_string(),
    };
    let known: BTreeMap<String, Known> = findings.iter().map(|finding| (finding.fingerprint(), known(finding))).collect();
    let baseline = Baseline { schema_version: 1, findings: known.into_values().collect() };
    let failed = |error: std::io::Error| Failure::Look(format!("{}: {error}", escape(&path.to_string_lossy().into_owned())));
    let text = serde_json::to_string_pretty(&baseline).map_err(|error| failed(error.into()))?;
    std::fs::write(path, text + "\n").map_err(failed)
}
