//! The documents of images: index, manifest and config, of OCI and of Docker, and `docker save`'s own.

mod config;
mod docker;
mod manifest;
mod wire;

pub use config::{Config, History, RunConfig};
pub use docker::{ArchiveEntry, LegacyImage};
pub use manifest::{Descriptor, Document, DocumentError, Index, LEGACY_CONFIG, Manifest, MediaKind};
