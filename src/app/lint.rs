//! `enoexec lint`.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::base::escape;
use crate::finding::Looked;
use crate::lint::{Fixed, Options};
use crate::pipeline::{self, LintRequest, Surroundings};
use crate::report::{self, HumanOptions, Report};
use crate::store::{SourceFile, replace_source};

use super::arguments::{Common, Format, Gate, Lint};
use super::config::Config;
use super::terminal::Terminal;
use super::{Exit, Failure, was_looked_at};

/// Judges Dockerfiles; mends them where it is asked to.
pub(super) fn lint(arguments: Lint, common: &Common, config: &Config, terminal: &Terminal) -> Result<Exit, Failure> {
    let Lint { paths, fix, diff, diff_base, platforms, target, gate, output } = arguments;
    let paths = if paths.is_empty() { vec![PathBuf::from(".")] } else { paths };
    if fix && paths.iter().any(|path| path == Path::new("-")) {
        return Err(Failure::Usage("standard input cannot be written to: use --diff instead of --fix".to_owned()));
    }
    let request = LintRequest { paths, options: Options { platforms, target, siblings: Vec::new() }, diff_base };
    let (mut report, surroundings) = look(&request, &gate, config)?;
    if fix {
        let fixed = pipeline::fix(&report, &surroundings, &request.options);
        write(&fixed, terminal)?;
        (report, _) = look(&request, &gate, config)?;
    }
    let human = HumanOptions { quiet: common.quiet, verbose: common.verbose, facts: false, width: super::terminal::width() };
    if diff && output.format == Format::Human {
        output.write_files(&report, human)?;
        show(&pipeline::fix(&report, &surroundings, &request.options), terminal)?;
    } else {
        output.write(&report, human, terminal)?;
    }
    Ok(Exit::of(&report, was_looked_at(&report)))
}

fn look(request: &LintRequest, gate: &Gate, config: &Config) -> Result<(Report, Surroundings), Failure> {
    let (report, surroundings) = pipeline::lint(request).map_err(|error| Failure::Look(error.to_string()))?;
    let targets = report.files.iter().map(|file| file.name.clone()).collect();
    let suppressions = report.suppressions.clone();
    let report = gate.judge(report, &Looked { families: &["EX003", "EX3"], targets }, suppressions, config)?;
    Ok((report, surroundings))
}

/// Writes what was mended, and says so on standard error.
fn write(fixed: &[(&SourceFile, Fixed)], terminal: &Terminal) -> Result<(), Failure> {
    for (file, fixed) in fixed {
        if fixed.text != file.text {
            replace_source(file, &fixed.text).map_err(|error| Failure::Look(error.to_string()))?;
            say(terminal, &format!("{}: fixed {}", escape(&file.name), counted(fixed)));
        }
        say_refused(file, fixed, terminal);
    }
    Ok(())
}

/// Prints what would be written.
fn show(fixed: &[(&SourceFile, Fixed)], terminal: &Terminal) -> Result<(), Failure> {
    let mut out = terminal.stdout();
    for (file, fixed) in fixed {
        report::unified_diff(&file.name, &file.text, &fixed.text, &mut out).or_else(super::broken_pipe)?;
        say_refused(file, fixed, terminal);
    }
    Ok(out.flush().or_else(super::broken_pipe)?)
}

fn say_refused(file: &SourceFile, fixed: &Fixed, terminal: &Terminal) {
    for refused in &fixed.refused {
        let line = refused.finding.locus.text().map(|place| place.line).unwrap_or_default();
        say(terminal, &format!("{}:{line}: {} is not fixed: {}", escape(&file.name), refused.finding.rule.id, refused.because));
    }
}

/// `2 × EX301, EX305`
fn counted(fixed: &Fixed) -> String {
    let mut rules: Vec<&str> = fixed.applied.iter().map(|finding| finding.rule.id.as_str()).collect();
    rules.sort_unstable();
    let groups = rules.chunk_by(|left, right| left == right);
    let parts = groups.filter_map(|group| {
        group.first().map(|rule| match group.len() {
            1 => (*rule).to_owned(),
            count => format!("{count} × {rule}"),
        })
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn say(terminal: &Terminal, line: &str) {
    // A standard error that cannot be written to has nothing to tell anyone.
    drop(writeln!(terminal.stderr(), "{line}"));
}
