//! `enoexec cache`, and where the cache lies.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use crate::store::{Cache, Holding};

use super::arguments::{CacheAction, CacheArguments, CacheOptions};
use super::terminal::Terminal;
use super::{Exit, Failure};

/// `path`, `clean` and `prune`.
pub(super) fn run(arguments: CacheArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let cache = open(arguments.folder)?;
    let said = match arguments.action {
        CacheAction::Path => cache.folder().display().to_string(),
        CacheAction::Clean => gone(&cache, 0)?,
        CacheAction::Prune { max_size } => gone(&cache, max_size)?,
    };
    writeln!(terminal.stdout(), "{said}").or_else(super::broken_pipe)?;
    Ok(Exit::Clean)
}

fn gone(cache: &Cache, limit: u64) -> Result<String, Failure> {
    let removed = cache.prune(limit).map_err(|error| Failure::Look(error.to_string()))?;
    let said = |holding: Holding| format!("{} layers ({} KiB)", holding.files, holding.bytes.div_ceil(1024));
    Ok(format!("removed {}; {} left in {}", said(removed), said(cache.holding()), cache.folder().display()))
}

fn open(folder: Option<PathBuf>) -> Result<Cache, Failure> {
    let folder = folder.or_else(default_folder);
    let folder =
        folder.ok_or_else(|| Failure::Usage("neither XDG_CACHE_HOME nor HOME says where: give --cache DIR".to_owned()))?;
    Ok(Cache::new(folder))
}

/// XDG base directory specification: an empty or relative `XDG_CACHE_HOME` is none.
fn default_folder() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache"))).map(|folder| folder.join("enoexec"))
}

impl CacheOptions {
    /// The cache, unless there is to be none, or no place for it.
    pub(super) fn open(self) -> Option<Arc<Cache>> {
        if self.no_cache {
            return None;
        }
        open(self.folder).ok().map(Arc::new)
    }
}
