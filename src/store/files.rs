//! What layouts and archives have in common: files with names, and a document that says which of them are images.

use std::io::{Cursor, ErrorKind, Read};
use std::path::Path;

use crate::base::{Digest, escape};
use crate::format::oci::Descriptor;

use super::{MAX_DOCUMENT, Root, Store, StoreError, Tree, root, shown};

/// Files by name: a layout's directory, or the members of an archive.
pub(super) trait Files: Send + Sync {
    /// The name under which the file really lies, after following links; `None` if there is no such file.
    fn find(&self, name: &str) -> Option<String>;

    /// The bytes of a file, and how many there are; by any of its names.
    fn open(&self, name: &str) -> Result<(u64, Box<dyn Read + Send>), StoreError>;

    /// The directory or archive, for messages.
    fn place(&self) -> &Path;

    /// Why files may be absent, where the source broke off.
    fn broken(&self) -> Option<String> {
        None
    }
}

/// The whole file, if it is not larger than a document may be.
pub(super) fn read(files: &dyn Files, name: &str) -> Result<Vec<u8>, StoreError> {
    let (size, file) = files.open(name)?;
    if size > MAX_DOCUMENT {
        return Err(StoreError::TooLarge { what: escape(name).to_string(), size });
    }
    let mut bytes = Vec::new();
    file.take(MAX_DOCUMENT).read_to_end(&mut bytes).map_err(|error| io(files.place(), &error))?;
    Ok(bytes)
}

pub(super) fn io(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), error: error.to_string() }
}

pub(super) fn missing(files: &dyn Files, name: &str) -> StoreError {
    let reason = files.broken().map(|error| format!(", which {error}")).unwrap_or_default();
    let place = shown(files.place());
    StoreError::Missing { what: escape(name).to_string(), place: place + &reason }
}

pub(super) fn not_an_image(path: &Path, problem: impl Into<String>) -> StoreError {
    StoreError::NotAnImage { path: path.to_owned(), problem: problem.into() }
}

/// A target that is compressed in a way that is not read here, or that cannot be read.
pub(super) fn cannot_decompress(path: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::Unsupported => not_an_image(path, format!("cannot be read: {error}; decompress it before it gets here")),
        _ => io(path, error),
    }
}

/// Where a layout keeps a blob (image-spec `image-layout.md`, "Blobs").
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}", digest.to_string().replacen(':', "/", 1))
}

/// The digest that a name of [`blob_name`]'s form promises.
pub(super) fn blob_digest(name: &str) -> Option<Digest> {
    name.strip_prefix("blobs/")?.replacen('/', ":", 1).parse().ok()
}

/// Answers for images that lie in files.
pub(super) struct FileStore<F> {
    files: F,
    root: Root,
}

impl<F: Files> FileStore<F> {
    /// `choice` is a tag or a digest.
    pub(super) fn new(files: F, choice: Option<&str>) -> Result<Self, StoreError> {
        let root = root::root(&files, choice)?;
        Ok(Self { files, root })
    }

    /// Calls `take` with the name of the descriptor's file; the bytes that the descriptor itself holds are the second choice.
    fn with_file<T>(
        &self,
        descriptor: &Descriptor,
        take: impl FnOnce(&str) -> Result<T, StoreError>,
        embedded: impl FnOnce(Vec<u8>) -> T,
    ) -> Result<T, StoreError> {
        let name = descriptor.member.clone().or_else(|| descriptor.digest.as_ref().map(blob_name));
        let Some(name) = name else { return Err(missing(&self.files, &descriptor.name())) };
        match &descriptor.data {
            Some(data) if self.files.find(&name).is_none() => Ok(embedded(data.clone())),
            _ => take(&name),
        }
    }
}

impl<F: Files> Store for FileStore<F> {
    fn root(&self) -> Result<Root, StoreError> {
        Ok(self.root.clone())
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError> {
        self.with_file(descriptor, |name| read(&self.files, name), |data| data)
    }

    fn blob(&self, layer: &Descriptor) -> Result<Box<dyn Read + Send + '_>, StoreError> {
        self.with_file(layer, |name| Ok(self.files.open(name)?.1), |data| Box::new(Cursor::new(data)))
    }

    fn tree(&self) -> Result<Tree, StoreError> {
        Err(not_an_image(self.files.place(), "is an image, not a root file system"))
    }
}

/// The text of a file, or of standard input for `-`: at most [`MAX_DOCUMENT`] times eight, which lists of a large cluster's nodes fit.
///
/// # Errors
/// It cannot be read, is larger, or is no UTF-8.
pub fn read_text(path: &Path) -> Result<String, StoreError> {
    const LARGEST: u64 = 8 * MAX_DOCUMENT;
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).map_err(|error| io(path, &error))?)
    };
    let mut bytes = Vec::new();
    input.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| io(path, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(not_an_image(path, "is larger than any list of objects that is read here"));
    }
    String::from_utf8(bytes).map_err(|_| not_an_image(path, "is no text in UTF-8"))
}
