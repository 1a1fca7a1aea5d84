//! What is reported: the rule catalogue, findings, and what of them is held back.

mod catalogue;
mod locus;
mod policy;
mod sources;
mod suppression;
mod text_file;

use std::fmt;
use std::ops::Range;

pub use catalogue::{Example, Rule, catalogue, rule};
pub use locus::{GuestLocus, Locus, ObjectLocus, TextLocus};
pub use policy::{Judged, Looked, Policy, fails};
pub use suppression::{IgnoreEntry, InlineIgnore, Scope, Suppression};
pub use text_file::TextFile;

use crate::base::Digest;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// May break, or breaks something that is not the entrypoint.
    Warning,
    /// Breaks.
    Error,
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A guess worth reading.
    Low,
    /// Likely.
    Medium,
    /// Certain, as far as the image tells.
    High,
}

/// Something that is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad; the rule's own unless the case says otherwise.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One line: what is wrong.
    pub message: String,
    /// Where.
    pub locus: Locus,
    /// What proves it, a line each.
    pub evidence: Vec<String>,
    /// What to do; concrete, or nothing.
    pub fix: Option<String>,
    /// The same as changes to the file, where they are certain; disjoint, in the order of the file.
    pub edits: Vec<Edit>,
}

/// A change to a text that mends what was found there. Certain, or it is not offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which bytes of the file it replaces; empty where it inserts.
    pub span: Range<usize>,
    /// What stands there afterwards.
    pub replacement: String,
}

impl Finding {
    /// The same for the same finding in the next run: over the rule and [`Locus::identity`], not over digests, line numbers or
    /// wording. Sixteen hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let identity = self.locus.identity();
        let parts: Vec<&str> = std::iter::once(self.rule.id.as_str()).chain(identity.iter().map(String::as_str)).collect();
        Digest::of(parts.join("\0").as_bytes()).hex().chars().take(16).collect()
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}
