//! A finding, as the JSON report has it.

use serde::Serialize;

use crate::base::escape;
use crate::finding::{Edit, Finding, Locus};

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct FindingDocument {
    rule: String,
    name: String,
    severity: String,
    confidence: String,
    message: String,
    locus: LocusDocument,
    evidence: Vec<String>,
    fix: Option<String>,
    /// The fix as changes to the file, where they are certain.
    edits: Vec<EditDocument>,
    fingerprint: String,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum LocusDocument {
    /// In a text file. Lines and columns count from 1; the end is exclusive.
    Text { file: String, line: usize, column: usize, end_line: usize, end_column: usize },
    /// In an image.
    Guest {
        target: String,
        /// The image's platform or digest.
        image: Option<String>,
        /// The image's first name, where the target names its images.
        name: Option<String>,
        layer: Option<usize>,
        /// The build step that made the layer.
        step: Option<String>,
        path: Option<String>,
        node: Option<String>,
    },
    /// In a Kubernetes object.
    Object { group_kind: String, namespace: Option<String>, name: String, pointer: String },
}

/// Bytes of the finding's file, and what is to stand there instead.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EditDocument {
    start: usize,
    end: usize,
    replacement: String,
}

impl FindingDocument {
    pub(super) fn new(finding: &Finding) -> Self {
        let edit =
            |edit: &Edit| EditDocument { start: edit.span.start, end: edit.span.end, replacement: edit.replacement.clone() };
        Self {
            rule: finding.rule.id.clone(),
            name: finding.rule.name.clone(),
            severity: finding.severity.to_string(),
            confidence: finding.confidence.to_string(),
            message: finding.message.clone(),
            locus: locus(&finding.locus),
            evidence: finding.evidence.clone(),
            fix: finding.fix.clone(),
            edits: finding.edits.iter().map(edit).collect(),
            fingerprint: finding.fingerprint(),
        }
    }
}

fn locus(locus: &Locus) -> LocusDocument {
    match locus {
        Locus::Text(place) => LocusDocument::Text {
            file: escape(&place.file).to_string(),
            line: place.line,
            column: place.column,
            end_line: place.end_line,
            end_column: place.end_column,
        },
        Locus::Guest(place) => LocusDocument::Guest {
            target: place.target.clone(),
            image: place.image.clone(),
            name: place.name.as_ref().map(|name| escape(name).to_string()),
            layer: place.layer,
            step: place.step.as_ref().map(|step| escape(step).to_string()),
            path: place.path.as_ref().map(ToString::to_string),
            node: place.node.clone(),
        },
        Locus::Object(place) => LocusDocument::Object {
            group_kind: place.group_kind.clone(),
            namespace: place.namespace.clone(),
            name: place.name.clone(),
            pointer: place.pointer.clone(),
        },
    }
}
