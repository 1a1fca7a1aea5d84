//! An image as metadata and as files: its documents, an index of each layer, and the root file system they add up to.

mod groups;
mod layer_index;
mod layers;
mod listing;
mod rootfs;
mod supply;
mod table;

pub use layer_index::{Entry, EntryKind, LayerIndex, Limits, Measured};
pub use layers::{Layers, Reading};
pub use listing::{BuildStep, Image, Layer, LayerSource, Listing, Skip, Skipped, list};
pub use rootfs::{Credentials, Errno, Found, Lack, Rootfs};
pub use supply::Fetched;

use crate::base::Digest;

/// What is broken in an image. Data, never an `Err`: whatever else can be said is said.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Damage {
    /// The document, layer or member that is damaged: what it is and its digest, or a path; not escaped.
    pub subject: String,
    /// The layer's place from the bottom, counted from 0, if it is a layer.
    pub layer: Option<usize>,
    /// What is wrong.
    pub kind: DamageKind,
}

/// Kinds of [`Damage`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DamageKind {
    /// The bytes are not those that the descriptor names.
    DigestMismatch {
        /// In the descriptor.
        expected: Digest,
        /// Of the bytes.
        actual: Digest,
    },
    /// There are more or fewer bytes than the descriptor says.
    SizeMismatch {
        /// In the descriptor, bytes.
        expected: u64,
        /// Of the blob, bytes.
        actual: u64,
    },
    /// The uncompressed layer is not the one that the config names.
    DiffIdMismatch {
        /// In the config.
        expected: Digest,
        /// Of the bytes.
        actual: Digest,
    },
    /// Listed, but not there (or could not be opened; the text says which).
    Missing(String),
    /// A document that is not what it should be; the text says it of the subject, such as `names no config`.
    Document(String),
    /// The compressed stream is broken: what could be read before is used.
    Compression(String),
    /// The tar stream is broken: what could be read before is used.
    Tar(String),
    /// Encrypted; cannot be looked into.
    Encrypted,
    /// Kept elsewhere (`urls`), not in this target.
    Foreign(Vec<String>),
    /// A compression or format of layer that no runtime reads; the name.
    UnknownFormat(String),
    /// A file's name is longer than any runtime can unpack; its length in bytes. The file is left out.
    NameTooLong(usize),
    /// A limit was met; what, and the limit.
    Limit(String),
    /// The config names another number of layers than the manifest.
    LayerCount {
        /// In the manifest.
        layers: usize,
        /// In the config.
        diff_ids: usize,
    },
    /// A path in the layer leads out of the root (`..`); it was kept inside.
    EscapingPath,
}

impl DamageKind {
    /// Whether files of the image may be unknown because of this.
    pub fn hides_files(&self) -> bool {
        matches!(
            self,
            Self::Missing(_)
                | Self::Compression(_)
                | Self::Tar(_)
                | Self::Encrypted
                | Self::Foreign(_)
                | Self::UnknownFormat(_)
                | Self::Limit(_)
        )
    }
}
