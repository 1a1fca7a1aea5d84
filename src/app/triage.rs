//! `enoexec triage`, and `enoexec explain` of an error's text.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use crate::pipeline::{self, Case};
use crate::report::{self, TriageReport};
use crate::store::{Cluster, Target};
use crate::triage::{self, Subject, Symptom};

use super::arguments::{Common, Triage, TriageFormat};
use super::look;
use super::terminal::Terminal;
use super::{Exit, Failure};

/// Bytes of a log that are looked at; what comes after them is left out.
const LIMIT: u64 = 256 << 20;

/// From a crash to its cause.
pub(super) fn run(arguments: Triage, common: &Common, terminal: &Terminal) -> Result<Exit, Failure> {
    let subjects = worth_a_look(subjects(&arguments, terminal)?);
    let named: Vec<Target> = arguments.images.into_iter().map(look::target).collect::<Result<_, _>>()?;
    let nodes = super::node::resolve(arguments.nodes)?;
    let network = arguments.registries.network(&named)?;
    let cache = arguments.cache.open(&network)?;
    let triage = |subject: Subject| {
        let images = if named.is_empty() { pulled(&subject) } else { named.clone() };
        let case = Case { subject, images, nodes: nodes.clone(), cache: cache.clone(), network: network.clone() };
        pipeline::triage(case, terminal)
    };
    let reports: Vec<TriageReport> = subjects.into_iter().flat_map(Subject::by_container).map(triage).collect();
    write(&reports, arguments.format, common, terminal)?;
    let is_blind = !named.is_empty() && reports.iter().any(|report| report.errors().next().is_some());
    Ok(match reports.iter().any(TriageReport::has_cause) {
        _ if is_blind => Exit::CouldNotLook,
        true => Exit::Findings,
        false => Exit::Clean,
    })
}

/// What fails, one of each workload, whose pods fail alike; or the first, where nothing does.
fn worth_a_look(subjects: Vec<Subject>) -> Vec<Subject> {
    let mut owners = Vec::new();
    let mut kept: Vec<Subject> = Vec::new();
    for subject in subjects {
        let is_new = subject.owner.as_ref().is_none_or(|owner| !owners.contains(owner));
        owners.extend(subject.owner.clone());
        if kept.is_empty() || is_new && (subject.is_failing() || !subject.symptoms.is_empty()) {
            kept.push(subject);
        }
    }
    kept
}

/// The images that containers were really started from, or that their node does not get, where a registry can be asked for them.
fn pulled(subject: &Subject) -> Vec<Target> {
    let failing = subject.containers.iter().filter(|container| container.is_failing());
    // Of what was never pulled only the node could tell whether there is one for it.
    let known = failing.filter(|container| container.image_id.is_some() || subject.node.is_some());
    let mut images: Vec<Target> =
        known.filter_map(|container| format!("docker://{}", container.reference()?).parse().ok()).collect();
    images.dedup();
    images
}

/// What an error's text can mean, by itself.
pub(super) fn explain(text: &str, format: TriageFormat, common: &Common, terminal: &Terminal) -> Result<Exit, Failure> {
    let symptom = Symptom { source: "the text".to_owned(), text: text.to_owned() };
    let case = Case { subject: Subject { symptoms: vec![symptom], ..Subject::default() }, ..Case::default() };
    write(&[pipeline::triage(case, terminal)], format, common, terminal)?;
    Ok(Exit::Clean)
}

fn write(reports: &[TriageReport], format: TriageFormat, common: &Common, terminal: &Terminal) -> Result<(), Failure> {
    terminal.finish();
    let mut out = BufWriter::new(terminal.stdout());
    let written = match format {
        TriageFormat::Human => {
            let options = look::human_options(common, false);
            reports.iter().try_for_each(|report| report::triage_human(report, options, &mut out))
        }
        TriageFormat::Json => report::triage_json(reports, &mut out),
    };
    written.and_then(|()| out.flush()).or_else(super::broken_pipe)?;
    Ok(())
}

/// By what it is: a file, standard input, or the name of something in a cluster.
fn subjects(arguments: &Triage, terminal: &Terminal) -> Result<Vec<Subject>, Failure> {
    let input = &arguments.input;
    let cluster = Cluster { context: arguments.context.clone(), namespace: arguments.namespace.clone() };
    let is_cluster = cluster != Cluster::default();
    match input.to_str() {
        Some(name) if name != "-" && (is_cluster || !Path::new(input).exists() && is_name(name)) => {
            pipeline::subjects(&cluster, name, terminal).map_err(|error| Failure::Look(error.to_string()))
        }
        _ => read_subjects(input),
    }
}

/// `api-7d9c5b6f4-x2x4z`, `deploy/api`: what no file is called that is not there.
fn is_name(text: &str) -> bool {
    let (kind, name) = text.split_once('/').unwrap_or(("pod", text));
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let ends = [".log", ".txt", ".json", ".yaml", ".yml", ".out", ".err"];
    !name.is_empty()
        && is_plain(kind)
        && is_plain(name)
        && !name.starts_with(['.', '-'])
        && !ends.iter().any(|end| name.ends_with(end))
}

fn read_subjects(input: &OsStr) -> Result<Vec<Subject>, Failure> {
    let is_stdin = input == "-";
    let source = if is_stdin { "standard input".to_owned() } else { input.display().to_string() };
    let text = read(input, is_stdin).map_err(|error| Failure::Look(format!("{}: {error}", crate::base::escape(&source))))?;
    let found = triage::subjects(&text);
    if !found.is_empty() {
        return Ok(found);
    }
    Ok(vec![Subject { symptoms: vec![Symptom { source, text }], ..Subject::default() }])
}

fn read(input: &OsStr, is_stdin: bool) -> io::Result<String> {
    let mut bytes = Vec::new();
    if is_stdin {
        io::stdin().lock().take(LIMIT).read_to_end(&mut bytes)?;
    } else {
        File::open(input)?.take(LIMIT).read_to_end(&mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
