//! An archive that can be read only once, from the start to the end, with its manifest perhaps last.

use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::base::{Digest, GuestPath, Progress, Watched, escape};
use crate::format::compress::{Compression, Ratio, decompress};
use crate::format::tar::{MemberKind, Members, Tar, TarError};

use super::archive::{Catalogue, MEMBERS_LIMIT, is_tar, member_name};
use super::files::{FileStore, Files, blob_digest, cannot_decompress, missing, not_an_image};
use super::{MAX_DOCUMENT, Store, StoreError, shown};

/// Bytes of documents that are kept at most.
const KEPT_LIMIT: u64 = 64 << 20;

const BUFFER: usize = 64 << 10;

/// Bytes by which a member is known.
const HEAD: usize = 512;

/// An archive that is read from its start to its end.
pub struct Stream {
    /// What it is called in messages.
    pub(super) place: PathBuf,
    /// The tag or digest that is wanted of it.
    pub(super) choice: Option<String>,
    /// Its bytes, perhaps compressed as a whole.
    pub(super) input: Box<dyn Read + Send>,
    /// How many there are, where that is known.
    pub(super) size: Option<u64>,
}

/// What one pass over an archive leaves: a store of its documents, and what `scan` made of each blob that could be a layer.
pub struct Streamed<L> {
    /// Answers for documents; its blobs are gone by.
    pub store: Box<dyn Store>,
    /// What `scan` gave, by [`crate::format::oci::Descriptor::name`] of the descriptors that the store's manifests hold.
    pub scanned: Vec<(String, L)>,
}

/// Reads an archive once. `scan` is called on every member that may be a layer, as it passes, with the digest that its name
/// promises (`None` where only a DiffID will tell whether the bytes are right).
///
/// A member that does not look like a layer is kept, if it is small: it may be a document, and which ones are is not known
/// before the end.
///
/// # Errors
/// The input is no archive, or breaks off before anything could be told.
pub fn read_stream<L>(
    stream: Stream,
    progress: &dyn Progress,
    scan: impl Fn(Option<&Digest>, &mut (dyn Read + Send)) -> L,
) -> Result<Streamed<L>, StoreError> {
    let Stream { place, choice, input, size } = stream;
    progress.begin(&shown(&place), size);
    let input = BufReader::with_capacity(BUFFER, Watched::new(input, progress));
    let (_, input) = decompress(input, Ratio::default()).map_err(|error| cannot_decompress(&place, &error))?;
    let mut pass = Pass { tar: Tar::new(input), catalogue: Catalogue::default(), kept: 0, scanned: Vec::new() };
    let broken = loop {
        match pass.advance(&scan) {
            Ok(true) if pass.catalogue.len() <= MEMBERS_LIMIT => {}
            Ok(true) => return Err(not_an_image(&place, format!("has more than {MEMBERS_LIMIT} members"))),
            Ok(false) => break None,
            Err(error) => break Some(error),
        }
    };
    let Pass { catalogue, scanned, .. } = pass;
    refuse(&place, &catalogue, broken.as_ref())?;
    let files = Passed { place, catalogue, broken: broken.map(|error| error.to_string()) };
    Ok(Streamed { store: Box::new(FileStore::new(files, choice.as_deref())?), scanned })
}

/// Says of what is surely no archive of images what it is instead.
fn refuse(place: &Path, catalogue: &Catalogue<Kept>, broken: Option<&TarError>) -> Result<(), StoreError> {
    let is_image = ["index.json", "manifest.json", "repositories"].iter().any(|name| catalogue.get(name).is_some());
    match broken {
        _ if is_image => Ok(()),
        Some(error) if catalogue.is_empty() => {
            let expected = "expected what `docker save` or `skopeo copy … oci-archive:` writes";
            Err(not_an_image(place, format!("is no archive of images: it {error}; {expected}")))
        }
        None if catalogue.is_empty() => Err(not_an_image(place, "is empty: did what should have written it fail?")),
        _ if catalogue.looks_like_root() => {
            Err(not_an_image(place, "is a root file system, not an archive of images: write it to a file, and check that"))
        }
        _ => Ok(()),
    }
}

struct Pass<'a, L> {
    tar: Tar<Box<dyn Read + Send + 'a>>,
    catalogue: Catalogue<Kept>,
    /// Bytes kept so far.
    kept: u64,
    scanned: Vec<(String, L)>,
}

/// What is left of a member that has passed by.
enum Kept {
    Bytes(Vec<u8>),
    /// It was given to `scan`, or was too large to be a document.
    Nothing,
}

impl<L> Pass<'_, L> {
    /// Takes in the next member; false at the end.
    fn advance(&mut self, scan: &impl Fn(Option<&Digest>, &mut (dyn Read + Send)) -> L) -> Result<bool, TarError> {
        let Some(member) = self.tar.next_member()? else { return Ok(false) };
        if member.kind != MemberKind::File {
            self.catalogue.insert(&member, None);
            return Ok(true);
        }
        let mut body = MemberReader::new(&mut self.tar);
        let mut head = Vec::new();
        let _ = body.by_ref().take(HEAD as u64).read_to_end(&mut head);
        let kept = if is_layer(&head) {
            let name = member_name(&GuestPath::new(&member.path));
            let digest = blob_digest(&name);
            let layer = scan(digest.as_ref(), &mut Cursor::new(head).chain(&mut body));
            self.scanned.push((digest.map_or_else(|| escape(&name).to_string(), |digest| digest.to_string()), layer));
            Kept::Nothing
        } else if member.size <= MAX_DOCUMENT && self.kept.saturating_add(member.size) <= KEPT_LIMIT {
            self.kept = self.kept.saturating_add(member.size);
            let _ = body.read_to_end(&mut head);
            Kept::Bytes(head)
        } else {
            Kept::Nothing
        };
        let broken = body.broken.take();
        self.catalogue.insert(&member, Some(kept));
        broken.map_or(Ok(true), Err)
    }
}

/// A member's bytes, which may be read in any portions.
struct MemberReader<'a, R> {
    tar: &'a mut Tar<R>,
    /// What was taken from the archive but not read yet.
    piece: Cursor<Vec<u8>>,
    broken: Option<TarError>,
}

impl<'a, R: Read> MemberReader<'a, R> {
    fn new(tar: &'a mut Tar<R>) -> Self {
        Self { tar, piece: Cursor::default(), broken: None }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.piece.set_position(0);
        let buffer = self.piece.get_mut();
        buffer.clear();
        match self.tar.body() {
            Ok(piece) => buffer.extend_from_slice(piece),
            Err(error) => {
                let text = error.to_string();
                self.broken = Some(error);
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for MemberReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.piece.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        self.refill()?;
        self.piece.read(buffer)
    }
}

/// Whether a member that begins so may be a layer. What media types say is not known yet, and is not trusted anyway.
fn is_layer(head: &[u8]) -> bool {
    Compression::sniff(head) != Compression::None || is_tar(head)
}

/// What is left of an archive that has passed by.
struct Passed {
    place: PathBuf,
    catalogue: Catalogue<Kept>,
    broken: Option<String>,
}

impl Files for Passed {
    fn find(&self, name: &str) -> Option<String> {
        self.catalogue.get(name).map(|(name, _)| name)
    }

    fn open(&self, name: &str) -> Result<(u64, Box<dyn Read + Send>), StoreError> {
        match self.catalogue.get(name) {
            None => Err(missing(self, name)),
            Some((_, Kept::Bytes(bytes))) => Ok((bytes.len() as u64, Box::new(Cursor::new(bytes.clone())))),
            Some((name, Kept::Nothing)) => {
                let problem = format!("{} was neither a document nor a layer when it passed by", escape(&name));
                Err(not_an_image(&self.place, problem))
            }
        }
    }

    fn place(&self) -> &Path {
        &self.place
    }

    fn broken(&self) -> Option<String> {
        self.broken.clone()
    }
}
