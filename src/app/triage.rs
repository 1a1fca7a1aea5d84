//! `enoexec triage`, and `enoexec explain` of an error's text.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};

use crate::pipeline::{self, Case};
use crate::report::{self, TriageReport};
use crate::triage::{Subject, Symptom};

use super::arguments::{Common, Triage, TriageFormat};
use super::look;
use super::terminal::Terminal;
use super::{Exit, Failure};

/// Bytes of a log that are looked at; what comes after them is left out.
const LIMIT: u64 = 256 << 20;

/// From a crash to its cause.
pub(super) fn run(arguments: Triage, common: &Common, terminal: &Terminal) -> Result<Exit, Failure> {
    let images = arguments.images.into_iter().map(look::target).collect::<Result<_, _>>()?;
    let subject = subject(&arguments.input)?;
    let case = Case { subject, images, nodes: arguments.nodes, cache: arguments.cache.open() };
    let report = pipeline::triage(case, terminal);
    write(&report, arguments.format, common, terminal)?;
    if report.errors().next().is_some() {
        return Ok(Exit::CouldNotLook);
    }
    Ok(if report.has_cause() { Exit::Findings } else { Exit::Clean })
}

/// What an error's text can mean, by itself.
pub(super) fn explain(text: &str, format: TriageFormat, common: &Common, terminal: &Terminal) -> Result<Exit, Failure> {
    let symptom = Symptom { source: "the text".to_owned(), text: text.to_owned() };
    let case = Case { subject: Subject { symptoms: vec![symptom], ..Subject::default() }, ..Case::default() };
    write(&pipeline::triage(case, terminal), format, common, terminal)?;
    Ok(Exit::Clean)
}

fn write(report: &TriageReport, format: TriageFormat, common: &Common, terminal: &Terminal) -> Result<(), Failure> {
    terminal.finish();
    let mut out = BufWriter::new(terminal.stdout());
    let written = match format {
        TriageFormat::Human => report::triage_human(report, look::human_options(common, false), &mut out),
        TriageFormat::Json => report::triage_json(report, &mut out),
    };
    written.and_then(|()| out.flush()).or_else(super::broken_pipe)?;
    Ok(())
}

fn subject(input: &OsStr) -> Result<Subject, Failure> {
    let is_stdin = input == "-";
    let source = if is_stdin { "standard input".to_owned() } else { input.display().to_string() };
    let text = read(input, is_stdin).map_err(|error| Failure::Look(format!("{}: {error}", crate::base::escape(&source))))?;
    Ok(Subject { symptoms: vec![Symptom { source, text }], ..Subject::default() })
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
