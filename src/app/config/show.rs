//! `enoexec config`: which settings hold, and where each comes from.

use std::io::{BufWriter, Write};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory};

use crate::app::arguments::Arguments;
use crate::app::terminal::Terminal;
use crate::app::{Exit, Failure};
use crate::base::escape;
use crate::finding::TextFile;

use super::{Config, SETTINGS};

/// Prints each setting of any command with its value and its source.
pub(in crate::app) fn show(config: &Config, table: bool, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut out = BufWriter::new(terminal.stdout());
    let named = if config.name.is_empty() { "none" } else { &config.name };
    writeln!(out, "file  {named}").or_else(crate::app::broken_pipe)?;
    if table {
        let rows = rows(config)?;
        let width = |column: fn(&[String; 3]) -> usize| rows.iter().map(column).max().unwrap_or_default();
        let (names, values) = (width(|row| row[0].chars().count()), width(|row| row[1].chars().count()));
        let written = rows.iter().try_for_each(|[name, value, source]| writeln!(out, "{name:names$}  {value:values$}  {source}"));
        written.or_else(crate::app::broken_pipe)?;
    }
    out.flush().or_else(crate::app::broken_pipe)?;
    Ok(Exit::Clean)
}

fn rows(config: &Config) -> Result<Vec<[String; 3]>, Failure> {
    let arguments = settings(&Arguments::command());
    let command = clap::Command::new("enoexec").args(arguments.clone());
    let command = config.settings.iter().fold(command, super::with_default);
    let matches = command.try_get_matches_from(["enoexec"]).map_err(|error| config.misfit(&error))?;
    let mut rows = vec![["setting", "value", "source"].map(ToOwned::to_owned)];
    rows.extend(arguments.iter().map(|argument| row(argument, &matches, config)));
    for suppression in &config.suppressions {
        let (rule, place) = (suppression.rule, &suppression.written);
        rows.push(["ignore".to_owned(), format!("{} {}", rule.id, rule.name), format!("{}:{}", place.file, place.line)]);
    }
    Ok(rows)
}

/// The flags of all commands that a file may set, each once.
fn settings(command: &clap::Command) -> Vec<Arg> {
    let commands = std::iter::once(command).chain(command.get_subcommands());
    let arguments: Vec<&Arg> = commands.flat_map(clap::Command::get_arguments).collect();
    let of_name =
        |name: &&str| arguments.iter().find(|argument| argument.get_long() == Some(name)).map(|argument| (*argument).clone());
    SETTINGS.iter().filter_map(of_name).map(|argument| argument.global(false)).collect()
}

fn row(argument: &Arg, matches: &ArgMatches, config: &Config) -> [String; 3] {
    let name = argument.get_long().unwrap_or_default();
    let id = argument.get_id().as_str();
    let values = matches.get_raw(id).into_iter().flatten().map(|value| shown(&value.to_string_lossy()));
    let values = values.collect::<Vec<_>>().join(" ");
    let setting = config.settings.iter().find(|setting| setting.name == name);
    let source = match (matches.value_source(id), setting, argument.get_env()) {
        (Some(ValueSource::EnvVariable), _, Some(variable)) => format!("environment, {}", variable.to_string_lossy()),
        (_, Some(setting), _) => {
            let place = TextFile::new(&config.name, &config.text).locus(setting.span.clone());
            format!("{}:{}", config.name, place.line)
        }
        _ => "default".to_owned(),
    };
    let value = if values.is_empty() { "-".to_owned() } else { values };
    [name.to_owned(), value, source]
}

/// A value for people: a URL without user and password.
fn shown(value: &str) -> String {
    let login = value.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@')).map(|(login, _)| login);
    let public = login.map_or_else(|| value.to_owned(), |login| value.replacen(&format!("{login}@"), "", 1));
    escape(&public).to_string()
}
