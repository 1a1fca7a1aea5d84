//! `enoexec cache`, and where the cache lies.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::store::{Cache, Holding, Network};

use super::limits::parse_size;
use super::terminal::Terminal;
use super::{Exit, Failure};

/// Whether to remember what layers hold, and where.
#[derive(Debug, Args)]
pub(super) struct CacheOptions {
    /// Where to remember what the layers of registries hold: a directory, or a server's URL for GET and PUT [default: $XDG_CACHE_HOME/enoexec or ~/.cache/enoexec]
    #[arg(long = "cache", value_name = "DIR|URL", env = "ENOEXEC_CACHE", hide_env_values = true)]
    pub(super) place: Option<PathBuf>,
    /// Read every layer, and remember nothing
    #[arg(long, env = "ENOEXEC_NO_CACHE")]
    pub(super) no_cache: bool,
}

/// `enoexec cache`.
#[derive(Debug, Args)]
pub(super) struct CacheArguments {
    /// What to do with it.
    #[command(subcommand)]
    pub(super) action: CacheAction,
    /// Where it lies [default: $XDG_CACHE_HOME/enoexec or ~/.cache/enoexec]
    #[arg(long = "cache", value_name = "DIR|URL", env = "ENOEXEC_CACHE", hide_env_values = true, global = true)]
    pub(super) place: Option<PathBuf>,
}

/// What to do with the cache.
#[derive(Debug, Subcommand)]
pub(super) enum CacheAction {
    /// Print where it lies
    Path,
    /// Remove all that is in it
    Clean,
    /// Remove what was of no use for the longest time
    Prune {
        /// How much may stay, such as 500MiB
        #[arg(long, value_name = "SIZE", default_value = "1GiB", env = "ENOEXEC_MAX_SIZE", value_parser = parse_size)]
        max_size: u64,
    },
}

/// `path`, `clean` and `prune`.
pub(super) fn run(arguments: CacheArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let cache = open(arguments.place, &Network::default())?;
    let said = match arguments.action {
        CacheAction::Path => cache.place(),
        _ if cache.folder().is_none() => {
            let text = format!("{} sees to itself: its files are removed where they lie", cache.place());
            return Err(Failure::Usage(text));
        }
        CacheAction::Clean => gone(&cache, 0)?,
        CacheAction::Prune { max_size } => gone(&cache, max_size)?,
    };
    writeln!(terminal.stdout(), "{said}").or_else(super::broken_pipe)?;
    Ok(Exit::Clean)
}

fn gone(cache: &Cache, limit: u64) -> Result<String, Failure> {
    let removed = cache.prune(limit).map_err(|error| Failure::Look(error.to_string()))?;
    let said = |holding: Holding| format!("{} layers ({} KiB)", holding.files, holding.bytes.div_ceil(1024));
    Ok(format!("removed {}; {} left in {}", said(removed), said(cache.holding()), cache.place()))
}

fn open(place: Option<PathBuf>, network: &Network) -> Result<Cache, Failure> {
    let place = place.or_else(default_folder);
    let place = place.ok_or_else(|| Failure::Usage("neither XDG_CACHE_HOME nor HOME says where: give --cache DIR".to_owned()))?;
    match place.to_str().filter(|place| is_url(place)) {
        Some(url) => Cache::at(url, network).map_err(|error| Failure::Usage(error.to_string())),
        None => Ok(Cache::new(place)),
    }
}

/// Whether `--cache` names a server.
pub(super) fn is_url(place: &str) -> bool {
    place.starts_with("http://") || place.starts_with("https://")
}

/// XDG base directory specification: an empty or relative `XDG_CACHE_HOME` is none.
fn default_folder() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache"))).map(|folder| folder.join("enoexec"))
}

impl CacheOptions {
    /// The cache, unless there is to be none, or no place for it.
    pub(super) fn open(self, network: &Network) -> Result<Option<Arc<Cache>>, Failure> {
        if self.no_cache || self.place.is_none() && default_folder().is_none() {
            return Ok(None);
        }
        open(self.place, network).map(Arc::new).map(Some)
    }
}
