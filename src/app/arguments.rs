//! The command line, as clap reads it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::base::{Platform, escape};
use crate::finding::{Confidence, Severity};

use super::cache::{CacheArguments, CacheOptions};
use super::limits::LimitOptions;
use super::node::{NodeArgument, NodeCommand};
use super::preflight::PreflightCommand;
use super::registry::Registries;

/// Says whether what is inside a container image will exec on the node it is meant for.
#[derive(Debug, Parser)]
#[command(name = "enoexec", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub(super) common: Common,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing at or above --fail-on
  1  findings
  2  usage or configuration
  3  could not look (network, credentials, not found, unreadable)";

/// Options of every command.
#[derive(Debug, Default, Args)]
pub(super) struct Common {
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", env = "ENOEXEC_COLOR", value_name = "WHEN")]
    pub(super) color: Color,
    /// Print findings only
    #[arg(short, long, global = true, env = "ENOEXEC_QUIET", conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print more: every hop, skipped entries, what is read
    #[arg(short, long, global = true, env = "ENOEXEC_VERBOSE")]
    pub(super) verbose: bool,
    /// Read settings from this file [default: the nearest enoexec.toml, up to the repository's top]
    #[arg(long, global = true, value_name = "FILE", env = "ENOEXEC_CONFIG", conflicts_with = "no_config")]
    pub(super) config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long, global = true, env = "ENOEXEC_NO_CONFIG")]
    pub(super) no_config: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Will it exec? The gate: every platform of the targets is judged
    #[command(after_help = TARGETS)]
    Check(Check),
    /// Facts and predicted traces of the targets, without a verdict
    #[command(after_help = TARGETS)]
    Inspect(Inspect),
    /// Judge Dockerfiles: what will fetch, build or ship for the wrong architecture
    Lint(Lint),
    /// From a crash to its cause, the proof and the fix: exit code 1 where a cause is found
    #[command(after_help = SYMPTOMS)]
    Triage(Triage),
    /// Every workload on every node that it may land on: will it exec there?
    Preflight(PreflightCommand),
    /// Explain a rule, or an error that someone saw
    Explain {
        /// A rule's id or name, such as EX101, or the text of an error
        #[arg(value_name = "RULE|ERROR TEXT")]
        what: String,
        /// How to print what an error's text can mean
        #[arg(long, value_enum, default_value = "human")]
        format: TriageFormat,
    },
    /// List the rules
    Rules,
    /// What this machine can run, as a node file for --node
    Node(NodeCommand),
    /// Which configuration file holds, and which settings, with the source of each
    Config {
        /// Print every setting that a file may have, with its value and where it comes from: a flag is over a variable, a variable over the file
        #[arg(long)]
        show: bool,
    },
    /// Print what a shell needs to complete this command line
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write those of all commands to a folder
    Man {
        /// The folder
        folder: Option<PathBuf>,
    },
    /// What is known of layers from earlier runs: where it lies, and how to be rid of it
    Cache(CacheArguments),
}

const TARGETS: &str = "\
Targets:
  [docker://]REFERENCE       an image at a registry, such as nginx:1.27 or ghcr.io/acme/api@sha256:…
  PATH                       recognised by its content: archive, OCI layout, program
  docker-archive:FILE[:REF]  what `docker save` and `podman save` write
  oci-archive:FILE[:TAG]     an OCI layout in a tar
  oci:DIR[:TAG|@DIGEST]      an OCI layout
  docker-daemon:REF          an image of Docker on this machine, or where DOCKER_HOST says
  podman:REF                 an image of podman, by the socket of its service
  dir:ROOTFS                 an unpacked root file system
  file:PROGRAM               a single program or script
  -                          an archive on standard input";

const SYMPTOMS: &str = "\
Reads logs of any wrapping: docker, podman, kubectl, containerd, journald, buildx, GitHub Actions; JSON or text, in any language.
  kubectl logs --previous POD | enoexec triage
  kubectl get pod POD -o json | enoexec triage        also YAML, lists, events, `kubectl describe pod`, `docker inspect`
  enoexec triage POD -n NAMESPACE                     asks the cluster through kubectl, and changes nothing
  enoexec triage deploy/NAME --context CONTEXT
  enoexec triage crash.log --image registry.example/shop:1 --node arm64";

/// `enoexec triage`.
#[derive(Debug, Args)]
pub(super) struct Triage {
    /// What was seen: a file, - for standard input, or what crashed in a cluster: POD, deploy/NAME
    #[arg(value_name = "FILE|POD|KIND/NAME", default_value = "-")]
    pub(super) input: OsString,
    /// The pod's namespace (by default that of kubectl's context)
    #[arg(short, long, value_name = "NAMESPACE", env = "ENOEXEC_NAMESPACE")]
    pub(super) namespace: Option<String>,
    /// The context of kubectl that is meant (by default its current one)
    #[arg(long, value_name = "CONTEXT", env = "ENOEXEC_CONTEXT")]
    pub(super) context: Option<String>,
    /// The image that was started, as a TARGET of `check` (repeatable): what crashed is predicted and held against the log
    #[arg(long = "image", value_name = "TARGET", env = "ENOEXEC_IMAGE")]
    pub(super) images: Vec<OsString>,
    /// The node that it ran on, as for `check` (repeatable; by default the pod's own, where that is known)
    #[arg(long = "node", value_name = "NODE", env = "ENOEXEC_NODE", value_parser = NodeArgument::parse)]
    pub(super) nodes: Vec<NodeArgument>,
    /// How to print what was found
    #[arg(long, value_enum, default_value = "human", env = "ENOEXEC_FORMAT")]
    pub(super) format: TriageFormat,
    /// What is remembered.
    #[command(flatten)]
    pub(super) cache: CacheOptions,
    /// How registries are reached.
    #[command(flatten)]
    pub(super) registries: Registries,
}

/// How to print a triage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TriageFormat {
    /// For people.
    Human,
    /// For programs: version 1 of schema/triage-v1.json.
    Json,
}

/// What `check` and `inspect` share.
#[derive(Debug, Args)]
pub(super) struct Look {
    /// What to look at: see below
    #[arg(required = true, value_name = "TARGET")]
    pub(super) targets: Vec<OsString>,
    /// Only this platform of an index, such as linux/arm64 (repeatable; all by default)
    #[arg(long = "platform", value_name = "PLATFORM", env = "ENOEXEC_PLATFORM")]
    pub(super) platforms: Vec<Platform>,
    /// A node to run on, such as arm64, m8g.large, raspberry-pi-5, amd64,compat32=no, host, or a file with nodes (repeatable; by default a plain node of each image's own platform)
    #[arg(long = "node", value_name = "NODE", env = "ENOEXEC_NODE", value_parser = NodeArgument::parse)]
    pub(super) nodes: Vec<NodeArgument>,
    /// Start this instead of the image's Entrypoint and Cmd (repeatable: one word each)
    #[arg(long, value_name = "WORD", env = "ENOEXEC_ENTRYPOINT")]
    pub(super) entrypoint: Option<Vec<String>>,
    /// Pass these words instead of the image's Cmd (repeatable: one word each)
    #[arg(long, value_name = "WORD", env = "ENOEXEC_CMD", allow_hyphen_values = true)]
    pub(super) cmd: Option<Vec<String>>,
    /// Start as this user[:group]
    #[arg(long, value_name = "USER", env = "ENOEXEC_USER")]
    pub(super) user: Option<String>,
    /// Start without this capability: DAC_OVERRIDE, with which root passes over permission bits, or ALL (repeatable)
    #[arg(long = "cap-drop", value_name = "CAPABILITY", env = "ENOEXEC_CAP_DROP")]
    pub(super) cap_drop: Vec<String>,
    /// Take what lies in this directory as mounted with noexec, as `docker run --tmpfs DIR` does (repeatable)
    #[arg(long, value_name = "DIR", env = "ENOEXEC_NOEXEC")]
    pub(super) noexec: Vec<String>,
    /// Start in this directory
    #[arg(long, value_name = "DIR", env = "ENOEXEC_WORKDIR")]
    pub(super) workdir: Option<String>,
    /// Set this variable (repeatable)
    #[arg(long = "env", value_name = "KEY=VALUE", env = "ENOEXEC_ENV")]
    pub(super) environment: Vec<String>,
    /// Read no more of an image than tells how it starts, from the top layer down, and judge no other file
    #[arg(long, env = "ENOEXEC_ENTRYPOINT_ONLY", conflicts_with = "verify_diffids")]
    pub(super) entrypoint_only: bool,
    /// Compute every layer's DiffID, also where a descriptor's digest stands for the bytes already
    #[arg(long, env = "ENOEXEC_VERIFY_DIFFIDS")]
    pub(super) verify_diffids: bool,
    /// Up to where layers are read.
    #[command(flatten)]
    pub(super) limits: LimitOptions,
    /// Where the report goes.
    #[command(flatten)]
    pub(super) output: Output,
    /// What is known from earlier runs.
    #[command(flatten)]
    pub(super) cache: CacheOptions,
    /// How registries are reached.
    #[command(flatten)]
    pub(super) registries: Registries,
}

/// Where a report goes, and in which forms.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// How to print the report
    #[arg(long, value_enum, default_value = "human", env = "ENOEXEC_FORMAT")]
    pub(super) format: Format,
    /// Write the report to a file too (repeatable)
    #[arg(long = "output", value_name = "FORMAT=PATH", env = "ENOEXEC_OUTPUT", value_parser = parse_output)]
    pub(super) outputs: Vec<(Format, PathBuf)>,
    /// The Dockerfile that the images were built from: sarif, github and gitlab show findings in images at its lines
    #[arg(long, value_name = "FILE", env = "ENOEXEC_DOCKERFILE")]
    pub(super) dockerfile: Option<PathBuf>,
}

/// How to print a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Human,
    /// For programs: version 1 of schema/report-v1.json.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// Annotations in a GitHub workflow's log.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML, for any CI system.
    Junit,
    /// Markdown, for a step summary or a comment.
    Markdown,
    /// One page to read and search in a browser, offline.
    Html,
}

/// `enoexec check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// What to look at, and how.
    #[command(flatten)]
    pub(super) look: Look,
    /// What is reported, and what fails the run.
    #[command(flatten)]
    pub(super) gate: Gate,
}

/// What is reported, and what fails the run.
#[derive(Debug, Args)]
pub(super) struct Gate {
    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, default_value = "error", env = "ENOEXEC_FAIL_ON", value_name = "SEVERITY")]
    pub(super) fail_on: FailOn,
    /// Report only what is at least this sure
    #[arg(long, value_enum, default_value = "low", env = "ENOEXEC_MIN_CONFIDENCE", value_name = "CONFIDENCE")]
    pub(super) min_confidence: MinConfidence,
    /// Do not report what this file, of --write-baseline, lists
    #[arg(long, value_name = "FILE", env = "ENOEXEC_BASELINE")]
    pub(super) baseline: Option<PathBuf>,
    /// Write what is found to this file, and report nothing
    #[arg(long, value_name = "FILE", env = "ENOEXEC_WRITE_BASELINE")]
    pub(super) write_baseline: Option<PathBuf>,
}

/// How sure a finding has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MinConfidence {
    /// Guesses too.
    Low,
    /// What is likely.
    Medium,
    /// What is certain.
    High,
}

impl From<MinConfidence> for Confidence {
    fn from(least: MinConfidence) -> Self {
        match least {
            MinConfidence::Low => Self::Low,
            MinConfidence::Medium => Self::Medium,
            MinConfidence::High => Self::High,
        }
    }
}

/// The least severity that fails a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Any finding.
    Info,
    /// Warnings and errors.
    Warning,
    /// Errors.
    Error,
    /// Nothing: report only.
    Never,
}

impl FailOn {
    /// The least severity that fails the gate.
    pub(super) fn severity(self) -> Option<Severity> {
        match self {
            Self::Info => Some(Severity::Info),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
            Self::Never => None,
        }
    }
}

/// `enoexec inspect`.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// What to look at, and how.
    #[command(flatten)]
    pub(super) look: Look,
    /// List every file that is code
    #[arg(long, env = "ENOEXEC_FILES", conflicts_with = "entrypoint_only")]
    pub(super) files: bool,
    /// Predict what execve says of this path inside the image, exactly as it is written (repeatable)
    #[arg(long, value_name = "PATH", env = "ENOEXEC_EXEC")]
    pub(super) exec: Vec<OsString>,
    /// Predict every path of this file, one a line (`-` is standard input)
    #[arg(long, value_name = "FILE", env = "ENOEXEC_EXEC_FROM")]
    pub(super) exec_from: Option<PathBuf>,
}

/// `enoexec lint`.
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// Files, directories to look for Dockerfiles in, or - for standard input [default: .]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Mend the files, where it is certain how
    #[arg(long, env = "ENOEXEC_FIX")]
    pub(super) fix: bool,
    /// Print what --fix would change, as a unified diff
    #[arg(long, env = "ENOEXEC_DIFF", conflicts_with = "fix")]
    pub(super) diff: bool,
    /// Report only what lies in lines that are new since this commit
    #[arg(long, value_name = "REF", env = "ENOEXEC_DIFF_BASE")]
    pub(super) diff_base: Option<String>,
    /// A platform that is built, such as linux/arm64 (repeatable; by default linux/amd64 and linux/arm64)
    #[arg(long = "platform", value_name = "PLATFORM", env = "ENOEXEC_PLATFORM")]
    pub(super) platforms: Vec<Platform>,
    /// The stage that is shipped (by default the last one)
    #[arg(long, value_name = "STAGE", env = "ENOEXEC_TARGET")]
    pub(super) target: Option<String>,
    /// What is reported, and what fails the run.
    #[command(flatten)]
    pub(super) gate: Gate,
    /// Where the report goes.
    #[command(flatten)]
    pub(super) output: Output,
}

fn formats() -> String {
    let names = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    names.map(|value| value.get_name().to_owned()).collect::<Vec<_>>().join(", ")
}

fn parse_output(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("expected FORMAT=PATH, such as json=report.json")?;
    let format =
        Format::from_str(format, true).map_err(|_| format!("no format `{}`: expected one of {}", escape(format), formats()))?;
    Ok((format, PathBuf::from(path)))
}
