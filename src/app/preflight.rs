//! `enoexec preflight`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::base::escape;
use crate::finding::Looked;
use crate::format::kube;
use crate::pipeline::{self, Machine, Manifests};
use crate::report::{self, Report};
use crate::store::{self, Cluster, Target};

use super::arguments::{Common, Format, Gate, Output};
use super::cache::CacheOptions;
use super::config::Config;
use super::registry::Registries;
use super::terminal::Terminal;
use super::{Exit, Failure, look};

/// `enoexec preflight`.
#[derive(Debug, Args)]
pub(super) struct PreflightCommand {
    /// Manifests, in YAML or JSON, or - for standard input: `helm template … | enoexec preflight -f -` (repeatable)
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true, env = "ENOEXEC_FILENAME")]
    manifests: Vec<PathBuf>,
    /// The nodes: what `kubectl get node -o json` or `enoexec node` prints (repeatable; by default kubectl is asked)
    #[arg(long, value_name = "FILE", env = "ENOEXEC_NODES")]
    nodes: Vec<PathBuf>,
    /// The context of kubectl whose nodes are meant
    #[arg(long, value_name = "CONTEXT", env = "ENOEXEC_CONTEXT", conflicts_with = "nodes")]
    context: Option<String>,
    /// Where an image is to be had that is not in its registry yet, such as shop/api:1=oci-archive:api.tar (repeatable)
    #[arg(long = "image", value_name = "NAME=TARGET", env = "ENOEXEC_IMAGE", value_parser = parse_image)]
    images: Vec<(String, Target)>,
    /// What is reported, and what fails the run.
    #[command(flatten)]
    gate: Gate,
    /// Where the report goes.
    #[command(flatten)]
    output: Output,
    /// What is known from earlier runs.
    #[command(flatten)]
    cache: CacheOptions,
    /// How registries are reached.
    #[command(flatten)]
    registries: Registries,
}

fn parse_image(text: &str) -> Result<(String, Target), String> {
    let (name, target) = text.split_once('=').ok_or("expected NAME=TARGET, such as shop/api:1=oci-archive:api.tar")?;
    Ok((name.to_owned(), target.parse().map_err(|error: store::TargetError| error.to_string())?))
}

/// Judges every workload on every node that it may land on.
pub(super) fn run(arguments: PreflightCommand, common: &Common, config: &Config, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut objects = Vec::new();
    for path in &arguments.manifests {
        objects.extend(manifest(path)?);
    }
    let machines = machines(&arguments, terminal)?;
    let images: BTreeMap<String, Target> = arguments.images.into_iter().collect();
    let network = arguments.registries.network(&images.values().cloned().collect::<Vec<_>>())?;
    let cache = arguments.cache.open(&network)?;
    let asked = Manifests { objects, machines, images, cache, network };
    let found = pipeline::preflight(&asked, terminal);
    let looked = !found.targets.iter().any(|target| target.error.is_some());
    if arguments.output.format == Format::Human && !common.quiet {
        terminal.finish();
        let mut out = terminal.stdout();
        report::placements(&found.placements, &found.machines, &mut out).or_else(super::broken_pipe)?;
        out.flush().or_else(super::broken_pipe)?;
    }
    let targets = asked.images.values().map(ToString::to_string).collect();
    let pipeline::Preflight { machines, placements, findings, .. } = found;
    let report = Report { machines, placements, findings, ..Report::default() };
    let report = arguments.gate.judge(report, &Looked { families: &["EX4"], targets }, Vec::new(), config)?;
    arguments.output.write(&report, look::human_options(common, false), terminal)?;
    Ok(Exit::of(&report, looked))
}

fn manifest(path: &Path) -> Result<Vec<kube::Object>, Failure> {
    let text = store::read_text(path).map_err(|error| Failure::Look(error.to_string()))?;
    let place = path.display();
    let kube::Objects { objects, problem } = kube::objects(&text);
    match problem {
        Some(problem) => Err(Failure::Usage(format!("{place}: {}", escape(&problem.to_string())))),
        None if objects.is_empty() => Err(Failure::Usage(format!("{place}: there is no object of Kubernetes in it"))),
        None => Ok(objects),
    }
}

fn machines(arguments: &PreflightCommand, terminal: &Terminal) -> Result<Vec<Machine>, Failure> {
    let mut machines = Vec::new();
    for path in &arguments.nodes {
        let text = store::read_text(path).map_err(|error| Failure::Look(error.to_string()))?;
        let found = pipeline::machines(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        machines.extend(found);
    }
    if arguments.nodes.is_empty() {
        let cluster = Cluster { context: arguments.context.clone(), namespace: None };
        let text = cluster.list("nodes", None, terminal).map_err(|error| Failure::Look(error.to_string()))?;
        machines = pipeline::machines(&text).map_err(|error| Failure::Look(error.to_string()))?;
    }
    if machines.is_empty() {
        return Err(Failure::Look("there are no nodes".to_owned()));
    }
    Ok(machines)
}
