//! What is shown: one renderer a file, each writing to a `Write`.

mod anchor;
mod diff;
mod explain;
mod facts;
mod github;
mod gitlab;
mod html;
mod human;
mod json;
mod junit;
mod markdown;
mod placements;
mod rule_page;
#[cfg(test)]
mod sample;
mod sarif;
mod start;
mod triage;
mod words;

use crate::base::Digest;
use crate::check::{Placement, Verdict};
use crate::exec::{Launch, Trace};
use crate::finding::{self, Finding, Severity, Suppression};
use crate::image::{Fetched, Image, Skipped};
use crate::node::Node;
use crate::store::SourceFile;

pub use anchor::{Dockerfile, Repository};
pub use diff::unified_diff;
pub use explain::{explain, rules_table};
pub use facts::{files, machines};
pub use github::github;
pub use gitlab::gitlab;
pub use html::html;
pub use human::{HumanOptions, human};
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use placements::placements;
pub use rule_page::rule_page;
pub use sarif::sarif;
pub use triage::{TriageReport, looks, triage_human, triage_json};

/// Everything that a run found out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// One a target, in the order of the command line.
    pub targets: Vec<TargetReport>,
    /// The text files that were looked at, in order.
    pub files: Vec<SourceFile>,
    /// The machines of a cluster, by name.
    pub machines: Vec<Node>,
    /// What becomes of each container on each of these machines.
    pub placements: Vec<Placement>,
    /// What is wrong, worst first within a target.
    pub findings: Vec<Finding>,
    /// The least severity of a finding that fails the run, if any does.
    pub fails_at: Option<Severity>,
    /// How many findings are held back because someone chose to live with them.
    pub ignored: usize,
    /// How many are held back because they were there before.
    pub known: usize,
    /// What the files ask to ignore.
    pub suppressions: Vec<Suppression>,
}

/// What was found out about one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetReport {
    /// As the user named it.
    pub target: String,
    /// The digest of what it names.
    pub digest: Option<Digest>,
    /// Why it could not be looked at.
    pub error: Option<String>,
    /// The images in it.
    pub images: Vec<ImageReport>,
    /// What in it is no image.
    pub skipped: Vec<Skipped>,
}

/// What was found out about one image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageReport {
    /// Its documents.
    pub image: Image,
    /// Its ELF, PE and Mach-O files, counted by machine and layer.
    pub machines: Vec<MachineCount>,
    /// How it would be started, as far as that can be told.
    pub launch: Option<Launch>,
    /// What each node would make of it.
    pub verdicts: Vec<Verdict>,
    /// The paths of `--exec`, with what each node would make of them.
    pub exec: Vec<ExecReport>,
    /// Every file that is code, for `--files`.
    pub files: Option<Vec<FileReport>>,
    /// Whether some layer could not be read whole.
    pub partial: bool,
    /// Where only the start was looked at: how much was read for it.
    pub fetched: Option<Fetched>,
}

/// How many files there are for one machine in one layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MachineCount {
    /// `x86_64`, `aarch64`, …; `darwin-arm64` and `windows-x86_64` for the other systems' files.
    pub machine: String,
    /// 32 or 64.
    pub bits: Option<u8>,
    /// `little` or `big`.
    pub endian: Option<&'static str>,
    /// The layer, counted from 0 at the bottom.
    pub layer: usize,
    /// All files.
    pub files: usize,
    /// Those with an execute bit that are programs.
    pub executables: usize,
}

/// What a node would make of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecReport {
    /// As given.
    pub path: Vec<u8>,
    /// The node.
    pub node: String,
    /// How it goes.
    pub trace: Trace,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Where; escaped.
    pub path: String,
    /// The layer, counted from 0 at the bottom.
    pub layer: usize,
    /// `elf`, `script`, `pe`, `mach-o`, …
    pub kind: &'static str,
    /// `e_machine`'s name, or the other formats'.
    pub machine: Option<String>,
    /// 32 or 64.
    pub bits: Option<u8>,
    /// `little` or `big`.
    pub endian: Option<&'static str>,
    /// An ELF file's kind.
    pub elf_type: Option<&'static str>,
    /// The interpreter of a script or of an ELF file; escaped.
    pub interp: Option<String>,
    /// The libraries that it needs; escaped.
    pub needed: Vec<String>,
}

/// How many findings there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// The rest.
    pub infos: usize,
}

impl Report {
    /// Whether some finding fails the run.
    pub fn fails(&self) -> bool {
        self.findings.iter().any(|found| finding::fails(found.severity, self.fails_at))
    }

    /// Counts the findings by severity.
    pub fn summary(&self) -> Summary {
        let count = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        Summary { errors: count(Severity::Error), warnings: count(Severity::Warning), infos: count(Severity::Info) }
    }
}
