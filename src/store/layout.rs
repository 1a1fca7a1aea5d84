use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::files::{Files, io, missing};

/// An OCI layout in a directory.
pub(super) struct Layout {
    directory: PathBuf,
}

impl Layout {
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// Whether `directory` has the files by which a layout is known (image-spec `image-layout.md`).
    pub(super) fn is_at(directory: &Path) -> bool {
        ["index.json", "oci-layout"].iter().any(|name| directory.join(name).is_file())
    }
}

impl Files for Layout {
    /// Names come from this tool or are digests that were checked, so that none leads out of the directory; links do where
    /// the user made some (Bazel's blobs are links).
    fn find(&self, name: &str) -> Option<String> {
        self.directory.join(name).is_file().then(|| name.to_owned())
    }

    fn open(&self, name: &str) -> Result<(u64, Box<dyn Read + Send>), StoreError> {
        let path = self.directory.join(name);
        // Looked at first: to open a pipe is to wait for its writer.
        if !path.is_file() {
            return Err(missing(self, name));
        }
        let file = File::open(&path).map_err(|error| io(&path, &error))?;
        let size = file.metadata().map_err(|error| io(&path, &error))?.len();
        Ok((size, Box::new(file)))
    }

    fn place(&self) -> &Path {
        &self.directory
    }
}
