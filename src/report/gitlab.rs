//! GitLab's code quality report.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;

use crate::base::{Digest, escape};
use crate::finding::{Finding, Severity};

use super::anchor::Repository;
use super::{Report, words};

/// One finding, as GitLab reads it.
#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// Writes the findings as an array.
///
/// # Errors
/// `out` cannot be written to.
pub fn gitlab(report: &Report, repository: &Repository, out: &mut dyn Write) -> io::Result<()> {
    let mut seen = BTreeSet::new();
    let issues: Vec<Issue> = report.findings.iter().map(|finding| issue(finding, repository, &mut seen)).collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}

fn issue(finding: &Finding, repository: &Repository, seen: &mut BTreeSet<String>) -> Issue {
    let anchor = repository.anchor(&finding.locus);
    // GitLab shows neither the rule nor anything but this one line.
    let mut description = format!("{} {}: {}", finding.rule.id, finding.rule.name, escape(&finding.message));
    if finding.locus.text().is_none() {
        description.push_str(&format!(" (in {})", words::place(&finding.locus)));
    }
    Issue {
        description,
        check_name: &finding.rule.id,
        fingerprint: unique(finding.fingerprint(), seen),
        severity: match finding.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Info => "info",
        },
        location: Location { path: anchor.file, lines: Lines { begin: anchor.region.line, end: anchor.region.end_line } },
    }
}

/// GitLab drops findings whose fingerprint it has seen in the file: those that are alike are numbered by hashing once more.
fn unique(mut fingerprint: String, seen: &mut BTreeSet<String>) -> String {
    while !seen.insert(fingerprint.clone()) {
        fingerprint = Digest::of(fingerprint.as_bytes()).hex().chars().take(16).collect();
    }
    fingerprint
}

#[cfg(test)]
mod tests {
    use snapbox::{IntoData, assert_data_eq, str};

    use super::gitlab;
    use crate::report::{Report, Repository, sample};

    fn printed(report: &Report) -> String {
        let mut out = Vec::new();
        gitlab(report, &Repository::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn findings_become_issues() {
        assert_data_eq!(printed(&sample::every_locus()), str![[r#"
[
  {
    "description": "EX101 wrong-machine: /bin/sh is built for x86_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it (in app.tar (linux/arm64, app:latest), layer 3: COPY --from=build /out/dash /usr/bin/dash)",
    "check_name": "EX101",
    "fingerprint": "08b7ad609e04a5e7",
    "severity": "major",
    "location": {
      "path": "app.tar",
      "lines": {
        "begin": 1,
        "end": 1
      }
    }
  },
  {
    "description": "EX131 foreign-library: /usr/lib/python3/dist-packages/numpy.so is a Python library for x86_64, but the image is for linux/arm64 (in app.tar (linux/arm64, app:latest), layer 1: RUN pip install numpy)",
    "check_name": "EX131",
    "fingerprint": "5ae1b58623cd08b5",
    "severity": "minor",
    "location": {
      "path": "app.tar",
      "lines": {
        "begin": 1,
        "end": 1
      }
    }
  },
  {
    "description": "EX125 cannot-tell: the download is for amd64, whatever the platform",
    "check_name": "EX125",
    "fingerprint": "c3f0daca14df36d8",
    "severity": "minor",
    "location": {
      "path": "docker/Dockerfile",
      "lines": {
        "begin": 2,
        "end": 2
      }
    }
  },
  {
    "description": "EX203 no-matching-manifest: shop/web has no image for 3 of 5 nodes that the pod may land on (in apps/Deployment prod/web /spec/template/spec/containers/0/image)",
    "check_name": "EX203",
    "fingerprint": "a7a1960bedfaad18",
    "severity": "major",
    "location": {
      "path": "apps/Deployment/prod/web",
      "lines": {
        "begin": 1,
        "end": 1
      }
    }
  }
]

"#]].raw());
    }

    #[test]
    fn findings_that_are_alike_are_told_apart() {
        let mut report = sample::every_locus();
        report.findings = vec![report.findings[0].clone(); 3];
        let issues: Vec<serde_json::Value> = serde_json::from_str(&printed(&report)).unwrap();
        let prints: std::collections::BTreeSet<&str> =
            issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(prints.len(), 3);
        assert!(prints.contains(report.findings[0].fingerprint().as_str()), "the first keeps its own");
    }
}
