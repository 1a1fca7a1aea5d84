//! What is known of layers from earlier runs: in a folder of this machine, or at a server that machines share.

mod folder;
mod server;

use std::path::{Path, PathBuf};

use crate::base::Digest;

use super::{Network, StoreError};
use folder::Folder;
use server::Server;

/// The folder, of the cache or of its server, in which everything lies that is the cache's own: nothing else is ever removed.
const LAYERS: &str = "layers";

/// Keeps bytes under a digest and the form that they have. Losing them costs time and nothing else.
#[derive(Debug)]
pub struct Cache(Place);

/// Where they are kept; under the same names at either place, so that a server may give out a folder.
#[derive(Debug)]
enum Place {
    Folder(Folder),
    Server(Box<Server>),
}

/// What a cache holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Cache {
    /// What a cache may hold where nothing else is said, in bytes. An index takes about a thousandth of its layer.
    pub const DEFAULT_LIMIT: u64 = 1 << 30;

    /// The cache in this folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self(Place::Folder(Folder::new(folder)))
    }

    /// The cache at a server, by GET and PUT under a URL; `network` says how it is reached.
    ///
    /// # Errors
    /// The URL is none, or the settings are broken.
    pub fn at(url: &str, network: &Network) -> Result<Self, StoreError> {
        Server::new(url, network).map(|server| Self(Place::Server(Box::new(server)))).map_err(StoreError::Cache)
    }

    /// Its folder, if it is in one.
    pub fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Place::Folder(folder) => Some(folder.path()),
            Place::Server(_) => None,
        }
    }

    /// Where it is, in words.
    pub fn place(&self) -> String {
        match &self.0 {
            Place::Folder(folder) => folder.path().display().to_string(),
            Place::Server(server) => server.to_string(),
        }
    }

    /// What was put there, if something was. Whether it may be believed is for the caller to find out.
    ///
    /// # Errors
    /// A server does not answer as it should; it is not asked again by this run. A folder that cannot be read is an empty one.
    pub fn get(&self, form: &str, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.0 {
            Place::Folder(folder) => Ok(folder.get(form, digest)),
            Place::Server(server) => server.get(form, digest).map_err(StoreError::Cache),
        }
    }

    /// Puts bytes there, whole or not at all: another process sees the old ones or the new ones.
    ///
    /// # Errors
    /// The folder cannot be written to, or the server does not take them; it is not asked again by this run.
    pub fn put(&self, form: &str, digest: &Digest, bytes: Vec<u8>) -> Result<(), StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.put(form, digest, &bytes),
            Place::Server(server) => server.put(form, digest, bytes).map_err(StoreError::Cache),
        }
    }

    /// What it holds; nothing that is known of a server's.
    pub fn holding(&self) -> Holding {
        match &self.0 {
            Place::Folder(folder) => folder.holding(),
            Place::Server(_) => Holding::default(),
        }
    }

    /// Removes what was of no use for the longest time, until no more than `limit` bytes are left; what is gone. A server sees to
    /// itself.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn prune(&self, limit: u64) -> Result<Holding, StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.prune(limit),
            Place::Server(_) => Ok(Holding::default()),
        }
    }
}

/// A digest is checked to be of hexadecimal digits, and the form is the program's own.
fn file_name(digest: &Digest) -> String {
    digest.to_string().replace(':', "-")
}
