//! The JSON report, version 1. These structs are the contract: fields are only ever added.

mod finding;
mod placement;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::Serialize;

use crate::base::escape;
use crate::check::Verdict;
use crate::exec::{Launch, Outcome, Role, Trace};
use crate::image::{Fetched, LayerSource, Skip, Skipped};

use finding::FindingDocument;
use placement::PlacementDocument;

use super::{ExecReport, FileReport, ImageReport, Report, TargetReport};

/// Writes the report as one JSON document.
///
/// # Errors
/// `out` cannot be written to.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report))?;
    writeln!(out)
}

/// The whole report.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document {
    /// Always 1.
    schema_version: u32,
    tool: Tool,
    targets: Vec<Target>,
    /// Of `preflight`: what becomes of each container on each node.
    #[serde(skip_serializing_if = "Option::is_none")]
    placements: Option<Vec<PlacementDocument>>,
    findings: Vec<FindingDocument>,
    summary: Summary,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    /// This program.
    pub(super) const THIS: Self = Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Target {
    /// As the user named it.
    target: String,
    /// Of the index or manifest that it names.
    digest: Option<String>,
    /// Why it could not be looked at.
    error: Option<String>,
    images: Vec<Image>,
    /// What in it is no image.
    skipped: Vec<SkippedEntry>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SkippedEntry {
    name: String,
    /// `attestation`, `artifact`, `referrer` (an artifact about another entry), `schema-1`, or `absent` where the target lacks it.
    why: &'static str,
    /// Of an artifact, what it says it is.
    artifact_type: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Image {
    digest: Option<String>,
    /// Tags, where the target has several.
    names: Vec<String>,
    /// The index entry's platform.
    declared: Option<String>,
    /// The config's platform.
    config: Option<String>,
    layers: Vec<Layer>,
    /// Whether some layer could not be read whole.
    partial: bool,
    /// With `--entrypoint-only`: how much was read. Then `machines` is empty, and no file but those of the start is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    fetched: Option<FetchedDocument>,
    machines: Vec<Machine>,
    launch: Option<LaunchDocument>,
    nodes: Vec<Node>,
    /// With `--exec` and `--exec-from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    exec: Option<Vec<Exec>>,
    /// With `--files`.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<File>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FetchedDocument {
    /// Bytes of the image's layers that were read in this run.
    bytes: u64,
    /// Bytes that its layers have; absent where the documents do not say.
    size: Option<u64>,
    /// The layers that were not looked into, counted from 0 at the bottom.
    unread_layers: Vec<usize>,
    /// The layers of which only the table of contents and the start's files were read. Those are verified by the table's digests, and
    /// the layers' own digests are not.
    table_layers: Vec<usize>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Layer {
    digest: Option<String>,
    diff_id: Option<String>,
    /// The build step that made it.
    created_by: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Machine {
    machine: String,
    bits: Option<u8>,
    endian: Option<&'static str>,
    files: usize,
    executables: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct LaunchDocument {
    argv: Vec<String>,
    cwd: String,
    user: String,
}

/// How a start ends.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct End {
    /// `runs`, `emulated`, `fails`, `dies` or `unsure`.
    outcome: &'static str,
    /// Such as `ENOEXEC`.
    errno: Option<&'static str>,
    signal: Option<u8>,
    /// With which code the process exits, where it is what ends it: 127 where ld.so lacks a library.
    exit_code: Option<u8>,
    /// Such as `wrong-machine`; for `unsure`, why it cannot be told.
    cause: Option<&'static str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Node {
    node: String,
    /// Whether the node would pull this image.
    selected: bool,
    #[serde(flatten)]
    end: End,
    /// The line that the container runtime would print.
    message: Option<String>,
    /// The line that crun would print.
    crun_message: Option<String>,
    /// Why another way, which a script may take as well, could not be followed; nothing where all were.
    unfollowed: Option<&'static str>,
    hops: Vec<Hop>,
    /// What the dynamic loader brings into the last program, in its order.
    libraries: Vec<Library>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Hop {
    /// As the hop before names it.
    path: String,
    /// Where it really lies.
    found: Option<String>,
    /// `program`, `script-interpreter`, `loader`, `library` or `emulator`.
    role: &'static str,
    what: Option<String>,
    layer: Option<usize>,
    /// The symbolic links that were followed.
    links: Vec<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Exec {
    path: String,
    node: String,
    #[serde(flatten)]
    end: End,
    /// What the process itself would print where its loader ends it.
    message: Option<String>,
    /// What the dynamic loader brings in, in its order.
    libraries: Vec<Library>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Library {
    /// As the file that needs it names it.
    name: String,
    /// As the loader calls it; absent where it finds none.
    path: Option<String>,
    layer: Option<usize>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct File {
    path: String,
    layer: usize,
    kind: &'static str,
    machine: Option<String>,
    bits: Option<u8>,
    endian: Option<&'static str>,
    #[serde(rename = "type")]
    elf_type: Option<&'static str>,
    interp: Option<String>,
    needed: Vec<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Summary {
    errors: usize,
    warnings: usize,
    infos: usize,
    /// Findings that are not listed because someone chose to live with them.
    ignored: usize,
    /// Findings that are not listed because the baseline has them.
    known: usize,
}

fn text(value: &impl ToString) -> String {
    value.to_string()
}

fn placements(report: &Report) -> Vec<PlacementDocument> {
    report.placements.iter().map(|placement| PlacementDocument::new(placement, &report.machines)).collect()
}

fn document(report: &Report) -> Document {
    let summary = report.summary();
    Document {
        schema_version: 1,
        tool: Tool::THIS,
        targets: report.targets.iter().map(target).collect(),
        placements: (!report.placements.is_empty()).then(|| placements(report)),
        findings: report.findings.iter().map(FindingDocument::new).collect(),
        summary: Summary {
            errors: summary.errors,
            warnings: summary.warnings,
            infos: summary.infos,
            ignored: report.ignored,
            known: report.known,
        },
    }
}

fn target(target: &TargetReport) -> Target {
    Target {
        target: target.target.clone(),
        digest: target.digest.as_ref().map(text),
        error: target.error.clone(),
        images: target.images.iter().map(image).collect(),
        skipped: target.skipped.iter().map(skipped).collect(),
    }
}

fn skipped(entry: &Skipped) -> SkippedEntry {
    let (why, artifact_type) = match &entry.why {
        Skip::Attestation => ("attestation", None),
        Skip::Artifact(kind) => ("artifact", Some(escape(kind).to_string())),
        Skip::Referrer { kind, .. } => ("referrer", Some(escape(kind).to_string())),
        Skip::SchemaOne => ("schema-1", None),
        Skip::Absent(_) => ("absent", None),
    };
    SkippedEntry { name: escape(&entry.name).to_string(), why, artifact_type }
}

fn image(report: &ImageReport) -> Image {
    let image = &report.image;
    Image {
        digest: image.digest.as_ref().map(text),
        names: image.names.iter().map(|name| escape(name).to_string()).collect(),
        declared: image.declared.as_ref().map(text),
        config: image.config.as_ref().map(|config| text(&config.platform)),
        layers: image.layers.iter().map(layer).collect(),
        partial: report.partial,
        fetched: report.fetched.as_ref().map(fetched),
        machines: machines(report),
        launch: report.launch.as_ref().map(launch),
        nodes: report.verdicts.iter().map(node).collect(),
        exec: Some(report.exec.iter().map(exec).collect()).filter(|exec: &Vec<Exec>| !exec.is_empty()),
        files: report.files.as_ref().map(|files| files.iter().map(file).collect()),
    }
}

fn fetched(fetched: &Fetched) -> FetchedDocument {
    FetchedDocument {
        bytes: fetched.bytes,
        size: fetched.size,
        unread_layers: fetched.unread.clone(),
        table_layers: fetched.by_table.clone(),
    }
}

fn exec(exec: &ExecReport) -> Exec {
    Exec {
        path: escape(&exec.path).to_string(),
        node: exec.node.clone(),
        end: end(&exec.trace),
        message: exec.trace.outcome.said(),
        libraries: exec.trace.libraries.iter().map(library).collect(),
    }
}

fn library(library: &crate::exec::Library) -> Library {
    Library {
        name: escape(&library.name).to_string(),
        path: library.path.as_ref().map(|path| escape(path).to_string()),
        layer: library.layer,
    }
}

fn layer(layer: &crate::image::Layer) -> Layer {
    let digest = match &layer.source {
        LayerSource::Blob(descriptor) => descriptor.digest.as_ref().map(text),
        LayerSource::Tree | LayerSource::File => None,
    };
    let created_by = layer.step.as_ref().map(|step| escape(&step.created_by).to_string());
    Layer { digest, diff_id: layer.diff_id.as_ref().map(text), created_by }
}

/// The counts of all layers together.
fn machines(report: &ImageReport) -> Vec<Machine> {
    let mut sums: Vec<Machine> = Vec::new();
    for count in &report.machines {
        let same = |sum: &&mut Machine| sum.machine == count.machine && sum.bits == count.bits && sum.endian == count.endian;
        match sums.iter_mut().find(same) {
            Some(sum) => {
                sum.files += count.files;
                sum.executables += count.executables;
            }
            None => sums.push(Machine {
                machine: count.machine.clone(),
                bits: count.bits,
                endian: count.endian,
                files: count.files,
                executables: count.executables,
            }),
        }
    }
    sums
}

fn launch(launch: &Launch) -> LaunchDocument {
    LaunchDocument {
        argv: launch.argv.iter().map(|word| escape(word).to_string()).collect(),
        cwd: escape(&launch.cwd).to_string(),
        user: escape(&launch.user_text).to_string(),
    }
}

fn end(trace: &Trace) -> End {
    let outcome = trace.outcome.name();
    let cause = trace.outcome.cause().map(crate::exec::Cause::name);
    match &trace.outcome {
        Outcome::Fails { errno, .. } => End { outcome, errno: Some(errno.name()), signal: None, exit_code: None, cause },
        Outcome::Dies { signal, .. } => End { outcome, errno: None, signal: Some(*signal), exit_code: None, cause },
        Outcome::Exits { code, .. } => End { outcome, errno: None, signal: None, exit_code: Some(*code), cause },
        Outcome::Unsure { because } => End { outcome, errno: None, signal: None, exit_code: None, cause: Some(because.name()) },
        Outcome::Runs | Outcome::Emulated { .. } | Outcome::Refused { .. } => {
            End { outcome, errno: None, signal: None, exit_code: None, cause }
        }
    }
}

fn node(verdict: &Verdict) -> Node {
    let hop = |hop: &crate::exec::Hop| Hop {
        path: escape(&hop.path).to_string(),
        found: hop.found.as_ref().map(text),
        role: role(hop.role),
        what: hop.what.clone(),
        layer: hop.layer,
        links: hop.links.iter().map(text).collect(),
    };
    Node {
        node: verdict.node.name.clone(),
        selected: verdict.selected,
        end: end(&verdict.trace),
        message: verdict.message.clone(),
        crun_message: verdict.crun_message.clone(),
        unfollowed: verdict.trace.unfollowed,
        hops: verdict.trace.hops.iter().map(hop).collect(),
        libraries: verdict.trace.libraries.iter().map(library).collect(),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Program => "program",
        Role::ScriptInterpreter => "script-interpreter",
        Role::Loader => "loader",
        Role::Library => "library",
        Role::Emulator => "emulator",
    }
}

fn file(file: &FileReport) -> File {
    File {
        path: file.path.clone(),
        layer: file.layer,
        kind: file.kind,
        machine: file.machine.clone(),
        bits: file.bits,
        endian: file.endian,
        elf_type: file.elf_type,
        interp: file.interp.clone(),
        needed: file.needed.clone(),
    }
}
