//! What is reported: the rule catalogue, and findings.

mod catalogue;
mod sources;

use std::fmt;

pub use catalogue::{Example, Rule, catalogue, rule};

use crate::base::{Digest, GuestPath};
use crate::image::Image;

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
}

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locus {
    /// In an image.
    Guest(GuestLocus),
}

/// A place in an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuestLocus {
    /// The target as the user named it.
    pub target: String,
    /// The image's digest or platform, which tells it from its siblings.
    pub image: Option<String>,
    /// The image's first name, where the target names its images.
    pub name: Option<String>,
    /// The layer, counted from 0 at the bottom.
    pub layer: Option<usize>,
    /// The build step that made the layer.
    pub step: Option<String>,
    /// The file.
    pub path: Option<GuestPath>,
    /// The node that it is about.
    pub node: Option<String>,
}

impl GuestLocus {
    /// Whether it lies in this image of the target.
    pub fn is_of(&self, image: &Image) -> bool {
        image.identity() == self.image && image.names.first() == self.name.as_ref()
    }
}

impl Finding {
    /// The same for the same finding in the next run: over the rule, the image's platform, the path and the node, not over
    /// digests or wording. Sixteen hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let Locus::Guest(place) = &self.locus;
        let path = place.path.as_ref().map(ToString::to_string).unwrap_or_default();
        let parts = [
            self.rule.id.as_str(),
            &place.target,
            place.image.as_deref().unwrap_or_default(),
            &path,
            place.node.as_deref().unwrap_or_default(),
        ];
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
