//! `enoexec.toml`: settings that stand in for flags, and what is ignored.

mod show;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::error::ContextKind;
use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches};
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::escape;
use crate::finding::{IgnoreEntry, Suppression, TextFile};

use super::Failure;
use super::arguments::Arguments;
use super::cache::is_url;

pub(super) use show::show;

const NAME: &str = "enoexec.toml";

const PLUGIN_USAGE: &str = "kubectl enoexec [OPTIONS] [FILE|POD|KIND/NAME]\n       kubectl enoexec <COMMAND>";

/// A configuration file that is larger than this was not written by hand.
const MOST_BYTES: u64 = 1024 * 1024;

/// Characters of a line that are shown around what is wrong with it.
const SHOWN: usize = 120;

/// The flags that a file may set. None that writes a file, names a program or a credential, or says where registries are: a file comes along
/// with whatever is checked out, and may be a stranger's.
const SETTINGS: &[&str] = &[
    "baseline",
    "cache",
    "color",
    "dockerfile",
    "fail-on",
    "format",
    "min-confidence",
    "node",
    "platform",
    "quiet",
    "verbose",
    "verify-diffids",
];

/// Settings of files that somebody named, and did not just find: the cache is written to, and what it says of layers is believed.
const OF_NAMED_FILES: &[&str] = &["cache"];

/// Settings that name files, which are found from the configuration file's folder.
const PATHS: &[&str] = &["baseline", "cache", "dockerfile"];

/// A configuration file.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// As it is named in messages; empty where there is none.
    name: String,
    text: String,
    settings: Vec<Setting>,
    /// What its `[[ignore]]` entries ask.
    pub(super) suppressions: Vec<Suppression>,
}

/// A flag's value, as a file has it.
#[derive(Debug)]
struct Setting {
    name: String,
    values: Vec<String>,
    span: Range<usize>,
}

/// Reads the command line, with the configuration file's settings where neither a flag nor a variable says anything.
pub(super) fn arguments() -> Result<(Arguments, Config), Failure> {
    let plain = Arguments::parse_or_exit(Arguments::command());
    if plain.common.no_config {
        return Ok((plain, Config::default()));
    }
    let is_named = plain.common.config.is_some();
    let Some(path) = plain.common.config.clone().or_else(find) else {
        return Ok((plain, Config::default()));
    };
    let config = Config::read(&path, is_named)?;
    let arguments = config.matches().and_then(|matches| Arguments::from_arg_matches(&matches));
    Ok((arguments.map_err(|error| config.misfit(&error))?, config))
}

/// The command line. As kubectl's plugin, `kubectl enoexec POD` is `enoexec triage POD`.
fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    // Building the command takes longer than all else at the start, so only the plugin does it once more.
    if !is_plugin() {
        return words;
    }
    let command = Arguments::command();
    let names_command = words.get(1).and_then(|word| word.to_str()).is_none_or(|word| {
        ["-h", "--help", "-V", "--version", "help"].contains(&word) || command.find_subcommand(word).is_some()
    });
    if !names_command && command.find_subcommand("triage").is_some() {
        words.insert(1, OsString::from("triage"));
    }
    words
}

fn is_plugin() -> bool {
    std::env::args_os().next().is_some_and(|word| Path::new(&word).file_name() == Some(OsStr::new("kubectl-enoexec")))
}

impl Arguments {
    /// What the command line says; a mistake in it, `--help` and `--version` end the process.
    fn parse_or_exit(command: clap::Command) -> Self {
        let command = if is_plugin() { command.bin_name("kubectl enoexec").override_usage(PLUGIN_USAGE) } else { command };
        let mut matches = command.get_matches_from(words());
        Self::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit())
    }
}

/// The file that is nearest above the current folder, up to the repository's top. Outside a repository, only the current folder's own.
fn find() -> Option<PathBuf> {
    let current = std::env::current_dir().ok()?;
    let top = current.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&current);
    let folders = current.ancestors().take_while(|folder| folder.starts_with(top));
    let found = folders.map(|folder| folder.join(NAME)).find(|path| path.is_file())?;
    // Named as short as can be, since it is printed.
    Some(if found.parent() == Some(&current) { PathBuf::from(NAME) } else { found })
}

impl Config {
    fn read(path: &Path, is_named: bool) -> Result<Self, Failure> {
        let name = escape(&path.to_string_lossy().into_owned()).to_string();
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(MOST_BYTES.saturating_add(1)).read_to_string(&mut text));
        read.map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(Failure::Usage(format!("{name}: more than {MOST_BYTES} bytes")));
        }
        let mut config = Self { name, text, ..Self::default() };
        config.settings = config.settings(path.parent().unwrap_or(Path::new("")), is_named)?;
        config.suppressions = config.ignored()?;
        Ok(config)
    }

    fn settings(&self, folder: &Path, is_named: bool) -> Result<Vec<Setting>, Failure> {
        let table = DeTable::parse(&self.text).map_err(|error| self.error(error.span().unwrap_or_default(), error.message()))?;
        let mut settings = Vec::new();
        for (key, value) in table.get_ref() {
            let name = key.get_ref().as_ref();
            if name == "ignore" {
                continue;
            }
            if !SETTINGS.contains(&name) {
                return Err(self.error(key.span(), &unknown(name)));
            }
            if !is_named && OF_NAMED_FILES.contains(&name) {
                return Err(
                    self.error(key.span(), &format!("`{name}` holds only in a file that --config or ENOEXEC_CONFIG names"))
                );
            }
            let values = match value.get_ref() {
                DeValue::Array(values) => values.iter().map(|value| self.text_of(value)).collect::<Result<_, _>>()?,
                _ => vec![self.text_of(value)?],
            };
            let is_path = |value: &str| PATHS.contains(&name) && !is_url(value);
            let place = |value: String| if is_path(&value) { folder.join(value).to_string_lossy().into_owned() } else { value };
            let values = values.into_iter().map(place).collect();
            settings.push(Setting { name: name.to_owned(), values, span: value.span() });
        }
        Ok(settings)
    }

    fn text_of(&self, value: &Spanned<DeValue<'_>>) -> Result<String, Failure> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Boolean(is_set) => Ok(is_set.to_string()),
            DeValue::Integer(number) => Ok(number.to_string()),
            _ => Err(self.error(value.span(), "expected a text, a number, true or false, or a list of texts")),
        }
    }

    fn ignored(&self) -> Result<Vec<Suppression>, Failure> {
        /// The rest of the file is settings.
        #[derive(Deserialize)]
        struct Ignored {
            #[serde(default)]
            ignore: Vec<Spanned<IgnoreEntry>>,
        }
        let ignored: Ignored =
            toml::from_str(&self.text).map_err(|error| self.error(error.span().unwrap_or_default(), error.message()))?;
        let file = TextFile::new(&self.name, &self.text);
        let suppression = |entry: &Spanned<IgnoreEntry>| {
            let written = file.locus(self.first_line(entry.span()));
            entry.get_ref().suppression(written).map_err(|why| self.error(self.first_line(entry.span()), &why))
        };
        ignored.ignore.iter().map(suppression).collect()
    }

    /// The first line of a table, which is where it is pointed at.
    fn first_line(&self, span: Range<usize>) -> Range<usize> {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let length = text.find('\n').unwrap_or(text.len());
        span.start..span.start.saturating_add(length)
    }

    /// What is wrong with the file, with the line and a caret under the place.
    fn error(&self, span: Range<usize>, message: &str) -> Failure {
        let place = TextFile::new(&self.name, &self.text).locus(span);
        let line = self.text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
        let room = line.chars().count().saturating_add(1).saturating_sub(place.column);
        let width = if place.end_line == place.line { place.end_column.saturating_sub(place.column) } else { room };
        let number = place.line.to_string();
        // Of a long line, what stands around the place.
        let skipped = place.column.saturating_sub(1 + SHOWN / 2);
        let line: String = line.chars().skip(skipped).take(SHOWN).collect();
        let (gutter, indent) = (" ".repeat(number.len()), " ".repeat(place.column.saturating_sub(1 + skipped)));
        let marks = "^".repeat(width.clamp(1, room.clamp(1, SHOWN / 2)));
        Failure::Usage(format!(
            "{}:{}:{}: {}\n {gutter} |\n {number} | {}\n {gutter} | {indent}{marks}",
            self.name,
            place.line,
            place.column,
            escape(message),
            escape(&line)
        ))
    }

    /// What the command line says, over what the file says.
    fn matches(&self) -> Result<ArgMatches, clap::Error> {
        self.under(Arguments::command()).try_get_matches_from(words())
    }

    /// The command with the file's settings as its defaults.
    fn under(&self, command: clap::Command) -> clap::Command {
        let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let command = self.settings.iter().fold(command, with_default);
        names.iter().fold(command, |command, name| {
            command.mut_subcommand(name, |command| self.settings.iter().fold(command, with_default))
        })
    }

    /// A mistake that was not there before the file's settings were: it is theirs.
    fn misfit(&self, error: &clap::Error) -> Failure {
        let named = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
        let flag = named.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default();
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
        match self.settings.iter().find(|setting| setting.name == flag) {
            Some(setting) => self.error(setting.span.clone(), message),
            None => Failure::Usage(format!("{}: {}", self.name, escape(message))),
        }
    }
}

/// The command with this setting as the default of the flag of its name, if it has one.
fn with_default(command: clap::Command, setting: &Setting) -> clap::Command {
    let named = command.get_arguments().find(|argument| argument.get_long() == Some(&setting.name));
    let Some((id, is_switch)) =
        named.map(|argument| (argument.get_id().clone(), matches!(argument.get_action(), ArgAction::SetTrue)))
    else {
        return command;
    };
    command.mut_arg(id, |argument| {
        // A switch has one default already, which more than one value cannot stand for.
        if is_switch { argument.default_value(setting.values.join(",")) } else { argument.default_values(&setting.values) }
    })
}

fn unknown(name: &str) -> String {
    let written = name.replace('_', "-");
    let alike =
        SETTINGS.iter().find(|setting| **setting == written || setting.trim_end_matches('s') == written.trim_end_matches('s'));
    let hint = match alike {
        Some(setting) => format!("did you mean `{setting}`?"),
        None => format!("a file may set {} and [[ignore]]", SETTINGS.join(", ")),
    };
    format!("there is no setting `{name}`: {hint}")
}
