//! Every byte that enters: what a target names, and the blobs behind it. Nothing else reads the outside world.

mod archive;
mod cache;
mod changes;
mod cluster;
mod engine;
mod files;
mod host;
mod http;
mod layout;
mod open;
mod registry;
mod root;
mod sources;
mod stream;
mod target;
#[cfg(test)]
mod tests;
mod tree;

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

pub use cache::{Cache, Holding};
pub use changes::Changes;
pub use cluster::Cluster;
pub use engine::{Engine, Engines};
pub use files::read_text;
pub use host::{Host, Probe, host, probe};
pub use http::Secret;
pub use open::{Opened, open};
pub use registry::{Credential, Given, Keyring, Mirror, Network, Reference, ReferenceError};
pub use root::entry_name;
pub use sources::{MAX_SOURCE, SourceFile, build_files, find_sources, names_in, read_source, replace_source};
pub use stream::{Stream, Streamed, read_stream};
pub use target::{Kind, Target, TargetError, without_version};
pub use tree::Tree;

use crate::base::escape;
use crate::format::oci::{Descriptor, Index, Manifest};

/// Answers three questions about a target: what it names, and the bytes of the documents and of the blobs behind it.
///
/// Bytes are given as they are: whoever asks compares digest and size with the descriptor, so that a mismatch is a finding and
/// not the end.
pub trait Store: Send + Sync {
    /// What the target names.
    ///
    /// # Errors
    /// The target could not be read at all.
    fn root(&self) -> Result<Root, StoreError>;

    /// The bytes of an index, a manifest or a config.
    ///
    /// # Errors
    /// It is missing, cannot be read, or is larger than [`MAX_DOCUMENT`].
    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError>;

    /// A layer's bytes as stored.
    ///
    /// # Errors
    /// It is missing or cannot be opened.
    fn blob(&self, layer: &Descriptor) -> Result<Box<dyn Read + Send + '_>, StoreError>;

    /// A part of a layer's bytes as stored; `None` where only the whole can be had, or is as cheap.
    ///
    /// # Errors
    /// It is missing or cannot be opened.
    fn part(&self, layer: &Descriptor, range: Range<u64>) -> Result<Option<Box<dyn Read + Send + '_>>, StoreError> {
        let _ = (layer, range);
        Ok(None)
    }

    /// The members of a target that is a root file system or a single file ([`Root::Tree`]).
    ///
    /// # Errors
    /// The target is no such thing, or cannot be read.
    fn tree(&self) -> Result<Tree, StoreError>;

    /// Whether a blob comes over a network, so that what was found out about it is worth keeping.
    fn is_remote(&self) -> bool {
        false
    }
}

/// What a target names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// A layout's index, already narrowed to the tag or digest that the target chose.
    Index(Index),
    /// The images of a Docker archive, with their tags.
    Images(Vec<NamedManifest>),
    /// A root file system, without any document.
    Tree,
    /// A single file; it would be started under this guest path (`/` and its own name).
    File(String),
}

/// An image of a Docker archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedManifest {
    /// `name:tag` each.
    pub tags: Vec<String>,
    /// A manifest made from the archive's own list; its descriptors name members.
    pub manifest: Manifest,
}

/// A document larger than this, in bytes, is not read: the limit that registries put on manifests (distribution-spec, "Pushing
/// Manifests": at least 4 MiB), doubled for configs with long histories.
pub const MAX_DOCUMENT: u64 = 8 << 20;

/// Why the tool could not look. Each says what, where and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The file or directory cannot be read.
    #[error("{}: {error}", shown(.path))]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
    /// The file is none of the things that can be checked.
    #[error("{} {problem}", shown(.path))]
    NotAnImage {
        /// Which.
        path: PathBuf,
        /// What it is or lacks, and what was expected; goes on after the path.
        problem: String,
    },
    /// A blob is not in the target.
    #[error("{what} is not in {place}")]
    Missing {
        /// Digest or member, escaped.
        what: String,
        /// The target, escaped.
        place: String,
    },
    /// A document is too large to be one.
    #[error("{what} has {size} bytes, more than the {MAX_DOCUMENT} that a document may have")]
    TooLarge {
        /// Digest or member, escaped.
        what: String,
        /// Its size in bytes.
        size: u64,
    },
    /// The layout or archive has no such tag or digest.
    #[error("{place} has no image {wanted}; it has {available}")]
    NoSuchReference {
        /// The target.
        place: String,
        /// What was asked for.
        wanted: String,
        /// What there is, comma-separated.
        available: String,
    },
    /// A text file cannot be taken as it is.
    #[error("{} {problem}", shown(.path))]
    NotText {
        /// Which.
        path: PathBuf,
        /// Why; goes on after the path.
        problem: &'static str,
    },
    /// Git did not answer.
    #[error("git in {}: {error}", shown(.directory))]
    Git {
        /// Where it was asked.
        directory: PathBuf,
        /// What it said.
        error: String,
    },
    /// kubectl did not get what it was asked for.
    #[error("`{call}` failed: {said}")]
    Kubectl {
        /// The call, escaped.
        call: String,
        /// What it said, escaped.
        said: String,
    },
    /// A registry did not give it, or may not be asked; the text is whole.
    #[error("{0}")]
    Registry(String),
    /// The cache cannot be used, or its server did not do what it was asked; the text is whole.
    #[error("{0}")]
    Cache(String),
    /// A container engine did not give it, or cannot be asked; the text is whole.
    #[error("{0}")]
    Engine(String),
}

/// A path for people.
fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes()).to_string()
}
