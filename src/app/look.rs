//! `enoexec check` and `enoexec inspect`.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use crate::exec::Overrides;
use crate::finding::Looked;
use crate::pipeline::{self, Request};
use crate::report::{HumanOptions, Report};
use crate::store::Target;

use super::arguments::{Check, Common, Inspect, Look, Output};
use super::config::Config;
use super::terminal::Terminal;
use super::{Exit, Failure, was_looked_at};

/// The gate.
pub(super) fn check(arguments: Check, common: &Common, config: &Config, terminal: &Terminal) -> Result<Exit, Failure> {
    let gate = arguments.gate;
    let (output, request) = request(arguments.look)?;
    let report = pipeline::check(&request, terminal);
    let seen = report.targets.iter().filter(|target| target.error.is_none());
    // What holds back a finding about another file than those of the start had no chance to be of use.
    let families: &[&str] = if request.entrypoint_only { &[] } else { &["EX1", "EX2"] };
    let looked = Looked { families, targets: seen.map(|target| target.target.clone()).collect() };
    let report = gate.judge(report, &looked, Vec::new(), config)?;
    output.write(&report, human_options(common, false), terminal)?;
    Ok(Exit::of(&report, was_looked_at(&report)))
}

/// The facts.
pub(super) fn inspect(arguments: Inspect, common: &Common, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut exec: Vec<Vec<u8>> = arguments.exec.into_iter().map(OsString::into_vec).collect();
    if let Some(path) = &arguments.exec_from {
        let lines = read_lines(path).map_err(|error| Failure::Look(format!("{}: {error}", path.display())))?;
        exec.extend(lines);
    }
    let (output, request) = request(arguments.look)?;
    let request = Request { exec, files: arguments.files, ..request };
    let report = Report { findings: Vec::new(), ..pipeline::check(&request, terminal) };
    output.write(&report, human_options(common, true), terminal)?;
    // `check` has findings of these; here the exit code is all that says it to a program.
    let is_partial = report.targets.iter().flat_map(|target| &target.images).any(|image| image.partial);
    Ok(if was_looked_at(&report) && !is_partial { Exit::Clean } else { Exit::CouldNotLook })
}

pub(super) fn human_options(common: &Common, facts: bool) -> HumanOptions {
    HumanOptions { quiet: common.quiet, verbose: common.verbose, facts, width: super::terminal::width() }
}

fn request(look: Look) -> Result<(Output, Request), Failure> {
    let targets = look.targets.into_iter().map(target).collect::<Result<Vec<_>, _>>()?;
    let network = look.registries.network(&targets)?;
    let overrides = Overrides {
        entrypoint: look.entrypoint,
        cmd: look.cmd,
        user: look.user,
        working_dir: look.workdir,
        env: look.environment,
        noexec: look.noexec,
        drops_dac_override: look.cap_drop.iter().any(|name| drops_dac_override(name)),
    };
    let request = Request {
        targets,
        platforms: look.platforms,
        nodes: super::node::resolve(look.nodes)?,
        overrides,
        limits: look.limits.limits(look.verify_diffids),
        entrypoint_only: look.entrypoint_only,
        cache: look.cache.open(&network)?,
        network,
        ..Request::default()
    };
    Ok((look.output, request))
}

/// Whether `--cap-drop` of this name takes CAP_DAC_OVERRIDE away; names are written as Docker and Kubernetes have them.
fn drops_dac_override(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    matches!(name.strip_prefix("CAP_").unwrap_or(&name), "ALL" | "DAC_OVERRIDE")
}

pub(super) fn target(text: OsString) -> Result<Target, Failure> {
    let text = text.into_string().map_err(|text| Failure::Usage(format!("{} is not UTF-8", text.display())))?;
    text.parse().map_err(|error: crate::store::TargetError| Failure::Usage(error.to_string()))
}

fn read_lines(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.read_to_end(&mut bytes)?;
    }
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    Ok(if bytes.is_empty() { Vec::new() } else { text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect() })
}
