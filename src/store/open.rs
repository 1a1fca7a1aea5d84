use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::base::Progress;
use crate::format::compress::{Compression, Ratio, decompress};
use crate::format::content::Classifier;
use crate::format::tar::{Members, Tar};

use super::archive::{Archive, Catalogue, is_system_directory, is_tar};
use super::engine;
use super::files::{FileStore, io as io_error, not_an_image};
use super::layout::Layout;
use super::registry::{Network, Registry};
use super::stream::Stream;
use super::target::is_archive_name;
use super::tree::TreeStore;
use super::{Kind, Store, StoreError, Target, shown};

/// Bytes by which a file is recognised: a tar header.
const HEAD: u64 = 512;

/// Members of a compressed tar that are looked at to tell an archive of images from a root file system.
const LOOKED_AT: usize = 64;

/// How a target is read.
pub enum Opened<'a> {
    /// At any place, by several threads at once.
    Store(Box<dyn Store + 'a>),
    /// Once, from the start to the end: standard input, an archive that is compressed as a whole, or what an engine sends.
    /// [`super::read_stream`] takes it.
    Stream(Stream),
}

/// Opens a target that can be read at any place. Standard input and compressed archives go to [`super::read_stream`] instead: see
/// [`Opened`].
///
/// # Errors
/// The target cannot be read, or is nothing that can be checked.
pub fn open<'a>(target: &Target, network: &'a Network, progress: &'a dyn Progress) -> Result<Opened<'a>, StoreError> {
    match &target.kind {
        Kind::Registry(reference) => Ok(Opened::Store(Box::new(Registry::new(reference, network, progress)?))),
        Kind::Daemon(engine, name) => engine::open(*engine, name, network, progress).map(Opened::Stream),
        Kind::Stdin => {
            Ok(Opened::Stream(Stream { place: "standard input".into(), choice: None, input: Box::new(io::stdin()), size: None }))
        }
        Kind::Oci(path, choice) => open_layout(path, choice.as_deref()),
        Kind::DockerArchive(path, choice) | Kind::OciArchive(path, choice) => open_archive(path, choice.as_deref()),
        Kind::File(path) => {
            is_file(path)?;
            tree(TreeStore::File(path.clone()))
        }
        Kind::Dir(path) if metadata(path)?.is_dir() => tree(TreeStore::Directory(path.clone())),
        Kind::Dir(path) => match look(path)? {
            Content::Archive | Content::CompressedArchive => tree(TreeStore::Tar(path.clone())),
            Content::Other => Err(no_archive(path)?),
        },
        Kind::Path(path) if metadata(path)?.is_dir() => open_directory(path),
        Kind::Path(path) => match look(path)? {
            Content::Other if is_archive_name(&path.to_string_lossy()) => Err(no_archive(path)?),
            Content::Other => tree(TreeStore::File(path.clone())),
            Content::Archive | Content::CompressedArchive => open_archive(path, None),
        },
    }
}

fn tree(store: TreeStore) -> Result<Opened<'static>, StoreError> {
    store.tree()?;
    Ok(Opened::Store(Box::new(store)))
}

fn metadata(path: &Path) -> Result<Metadata, StoreError> {
    fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => StoreError::Io { path: path.to_owned(), error: "no such file or directory".to_owned() },
        _ => io_error(path, &error),
    })
}

/// Refuses directories, and devices and pipes, which cannot be sought in.
fn is_file(path: &Path) -> Result<(), StoreError> {
    let metadata = metadata(path)?;
    match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => Ok(()),
        (false, true) => Err(not_an_image(path, "is a directory; expected a file")),
        (false, false) => {
            Err(not_an_image(path, "is no regular file; a stream is read from standard input: `enoexec check - < …`"))
        }
    }
}

fn open_layout(path: &Path, choice: Option<&str>) -> Result<Opened<'static>, StoreError> {
    if !metadata(path)?.is_dir() {
        return Err(not_an_image(
            path,
            "is a file; expected the directory of an OCI layout (oci-archive: names one in a tar archive)",
        ));
    }
    if !Layout::is_at(path) {
        return Err(not_an_image(path, "is no OCI layout: it has no index.json"));
    }
    Ok(Opened::Store(Box::new(FileStore::new(Layout::new(path), choice)?)))
}

fn open_directory(path: &Path) -> Result<Opened<'static>, StoreError> {
    if Layout::is_at(path) {
        return open_layout(path, None);
    }
    let entries = fs::read_dir(path).map_err(|error| io_error(path, &error))?;
    let names = entries.flatten().map(|entry| entry.file_name());
    if names.into_iter().any(|name| is_system_directory(name.as_encoded_bytes())) {
        return tree(TreeStore::Directory(path.to_owned()));
    }
    Err(not_an_image(
        path,
        "is no image: a directory is checked as an OCI layout (index.json) or, with dir:, as a root file system",
    ))
}

/// What kind of file lies at a path.
enum Content {
    /// A plain tar.
    Archive,
    /// A tar, compressed as a whole.
    CompressedArchive,
    /// Anything else.
    Other,
}

fn look(path: &Path) -> Result<Content, StoreError> {
    is_file(path)?;
    let start = head(File::open(path).map_err(|error| io_error(path, &error))?);
    if is_tar(&start) {
        return Ok(Content::Archive);
    }
    if Compression::sniff(&start) == Compression::None {
        return Ok(Content::Other);
    }
    // A program may be a compressed file too, and may be broken: then it is judged as a file.
    let inside = uncompressed(path)?.map(head).unwrap_or_default();
    Ok(if is_tar(&inside) { Content::CompressedArchive } else { Content::Other })
}

/// Says of a file that should be an archive what it is instead.
fn no_archive(path: &Path) -> Result<StoreError, StoreError> {
    let start = head(File::open(path).map_err(|error| io_error(path, &error))?);
    let mut classifier = Classifier::new(metadata(path)?.len(), false);
    classifier.feed(&start);
    let what = classifier.finish().content.summary();
    let help = match Compression::sniff(&start) {
        Compression::Xz => format!(": `xz -dc {} | enoexec check -`", shown(path)),
        Compression::Bzip2 => format!(": `bzip2 -dc {} | enoexec check -`", shown(path)),
        _ => String::new(),
    };
    Ok(not_an_image(path, format!("is no tar archive ({what}){help}")))
}

fn head(file: impl Read) -> Vec<u8> {
    let mut head = Vec::new();
    // What can be read of a broken file is all there is to recognise it by.
    let _ = file.take(HEAD).read_to_end(&mut head);
    head
}

/// `None` where it is compressed in a way that is not read here.
fn uncompressed(path: &Path) -> Result<Option<Box<dyn Read + Send>>, StoreError> {
    let file = File::open(path).map_err(|error| io_error(path, &error))?;
    Ok(decompress(BufReader::new(file), Ratio::default()).ok().map(|(_, stream)| stream))
}

fn open_archive(path: &Path, choice: Option<&str>) -> Result<Opened<'static>, StoreError> {
    match look(path)? {
        Content::Other => Err(no_archive(path)?),
        Content::CompressedArchive if is_packed_root(path)? => tree(TreeStore::Tar(path.to_owned())),
        Content::CompressedArchive => {
            let input = File::open(path).map_err(|error| io_error(path, &error))?;
            let (choice, size) = (choice.map(str::to_owned), Some(metadata(path)?.len()));
            Ok(Opened::Stream(Stream { place: path.to_owned(), choice, input: Box::new(input), size }))
        }
        Content::Archive => {
            let archive = Archive::open(path)?;
            let is_root = !holds_images(archive.members()) && archive.members().looks_like_root();
            if is_root && choice.is_none() {
                return tree(TreeStore::Tar(path.to_owned()));
            }
            Ok(Opened::Store(Box::new(FileStore::new(archive, choice)?)))
        }
    }
}

fn holds_images<T>(members: &Catalogue<T>) -> bool {
    ["index.json", "oci-layout", "manifest.json", "repositories"].iter().any(|name| members.get(name).is_some())
}

/// Whether a compressed tar begins as a root file system does.
fn is_packed_root(path: &Path) -> Result<bool, StoreError> {
    let Some(stream) = uncompressed(path)? else { return Ok(false) };
    let mut tar = Tar::new(stream);
    let mut members = Catalogue::default();
    for _ in 0..LOOKED_AT {
        let Ok(Some(member)) = tar.next_member() else { break };
        members.insert(&member, Some(()));
    }
    Ok(!holds_images(&members) && members.looks_like_root())
}
