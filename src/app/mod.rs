//! The command line: arguments in, report out. The only place that prints.

mod arguments;
mod cache;
mod catalogue;
mod config;
mod gate;
mod limits;
mod lint;
mod look;
mod manual;
mod node;
mod output;
mod preflight;
mod registry;
mod terminal;
mod triage;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::report::Report;
use arguments::{Arguments, Command, Common};
use config::Config;
use terminal::Terminal;

/// How a run ends. Never varied by format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// Nothing at or above `--fail-on`.
    Clean = 0,
    /// Findings.
    Findings = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Something could not be looked at.
    CouldNotLook = 3,
}

impl Exit {
    /// Of a report that a gate has judged, and of whether all could be looked at.
    fn of(report: &Report, looked: bool) -> Self {
        match (report.fails(), looked) {
            (true, _) => Self::Findings,
            (false, false) => Self::CouldNotLook,
            (false, true) => Self::Clean,
        }
    }
}

/// Whether all targets could be looked at.
fn was_looked_at(report: &Report) -> bool {
    report.targets.iter().all(|target| target.error.is_none())
}

/// Why a command ends without its report.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The command line or the configuration is wrong.
    #[error("{0}")]
    Usage(String),
    /// Something could not be read or written.
    #[error("{0}")]
    Look(String),
    /// The report could not be written.
    #[error("cannot write the report: {0}")]
    Output(#[from] io::Error),
}

/// Runs the program with the process's own arguments.
pub fn main() -> ExitCode {
    let (terminal, exit) = match config::arguments() {
        Ok((arguments, config)) => {
            let terminal = Terminal::new(&arguments.common);
            let exit = run(arguments, &config, &terminal);
            (terminal, exit)
        }
        Err(failure) => (Terminal::new(&Common::default()), Err(failure)),
    };
    let exit = exit.unwrap_or_else(|failure| {
        terminal.finish();
        let style = anstyle::AnsiColor::Red.on_default().bold();
        // A standard error that cannot be written to leaves the exit code to speak.
        let _ = writeln!(terminal.stderr(), "{style}error{style:#}: {failure}");
        if matches!(failure, Failure::Usage(_)) { Exit::Usage } else { Exit::CouldNotLook }
    });
    ExitCode::from(exit as u8)
}

fn run(arguments: Arguments, config: &Config, terminal: &Terminal) -> Result<Exit, Failure> {
    let common = &arguments.common;
    match arguments.command {
        Command::Check(check) => look::check(check, common, config, terminal),
        Command::Inspect(inspect) => look::inspect(inspect, common, terminal),
        Command::Lint(lint) => lint::lint(lint, common, config, terminal),
        Command::Triage(arguments) => triage::run(arguments, common, terminal),
        Command::Explain { what, format } => catalogue::explain(&what, format, common, terminal),
        Command::Preflight(arguments) => preflight::run(arguments, common, config, terminal),
        Command::Rules => catalogue::rules(terminal),
        Command::Node(arguments) => node::run(&arguments, terminal),
        Command::Cache(arguments) => cache::run(arguments, terminal),
        Command::Config { show } => config::show(config, show, terminal),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::pages(folder.as_deref()),
    }
}

/// A reader that has seen enough, such as `head`, is no error.
fn broken_pipe(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}
