//! What is known of layers from earlier runs: a file a layer, in one folder, for any number of processes at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::base::Digest;

use super::StoreError;
use super::files::io as io_error;

/// The folder of the cache in which everything lies that is the cache's own: nothing else is ever removed.
const LAYERS: &str = "layers";

/// A file larger than this, in bytes, is not one that was put here.
const MOST: u64 = 512 << 20;

/// A file that was begun and not ended so long ago belongs to a process that died.
const STALE: Duration = Duration::from_secs(3600);

/// Keeps bytes under a digest and the form that they have. Losing them costs time and nothing else.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
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
        Self { folder }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was put there. `None` where there is nothing, or nothing that can be read: then the layer is read itself.
    pub fn get(&self, form: &str, digest: &Digest) -> Option<Vec<u8>> {
        let file = File::open(self.path(form, digest)).ok()?;
        let mut bytes = Vec::new();
        (&file).take(MOST).read_to_end(&mut bytes).ok()?;
        // What was of use is the last to go; where the time cannot be set, it goes by the time at which it came.
        let _ = file.set_modified(SystemTime::now());
        Some(bytes)
    }

    /// Puts bytes there, whole or not at all: another process sees the old file or the new one.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn put(&self, form: &str, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(form, digest);
        write_whole(&path, bytes).map_err(|error| io_error(&path, &error))
    }

    fn path(&self, form: &str, digest: &Digest) -> PathBuf {
        // A digest is checked to be of hexadecimal digits, and the form is the program's own.
        let name = digest.to_string().replace(':', "-");
        self.folder.join(LAYERS).join(form).join(name)
    }

    /// What it holds.
    pub fn holding(&self) -> Holding {
        let add = |sum: Holding, (_, bytes, _): &(PathBuf, u64, SystemTime)| Holding {
            files: sum.files.saturating_add(1),
            bytes: sum.bytes.saturating_add(*bytes),
        };
        self.files().iter().fold(Holding::default(), add)
    }

    /// Removes what was of no use for the longest time, until no more than `limit` bytes are left; what is gone.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn prune(&self, limit: u64) -> Result<Holding, StoreError> {
        let mut files = self.files();
        files.sort_by_key(|(_, _, time)| std::cmp::Reverse(*time));
        let (mut kept, mut gone) = (0_u64, Holding::default());
        for (path, bytes, time) in files {
            let is_begun = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            let is_young = time.elapsed().unwrap_or_default() < STALE;
            if is_begun && is_young || !is_begun && kept.saturating_add(bytes) <= limit {
                kept = kept.saturating_add(bytes);
                continue;
            }
            remove(&path)?;
            gone = Holding { files: gone.files.saturating_add(1), bytes: gone.bytes.saturating_add(bytes) };
        }
        Ok(gone)
    }

    /// Every file, with its bytes and when it was last of use.
    fn files(&self) -> Vec<(PathBuf, u64, SystemTime)> {
        let within = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
        let forms = within(&self.folder.join(LAYERS)).map(|form| form.path());
        let entries = forms.flat_map(|form| within(&form).collect::<Vec<_>>());
        let described = |entry: fs::DirEntry| {
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((entry.path(), metadata.len(), metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)))
        };
        entries.filter_map(described).collect()
    }
}

/// Another process may have been faster.
fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path, &error)),
        _ => Ok(()),
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Threads of one process write at the same time too.
    let begun = folder.join(format!(".{}-{:?}", std::process::id(), std::thread::current().id()));
    let written = OpenOptions::new().write(true).create_new(true).open(&begun).and_then(|mut file| file.write_all(bytes));
    let renamed = written.and_then(|()| fs::rename(&begun, path));
    if renamed.is_err() {
        // What is left of it, prune takes away.
        let _ = fs::remove_file(&begun);
    }
    renamed
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;
    use std::time::{Duration, SystemTime};

    use super::{Cache, Holding, LAYERS};
    use crate::base::Digest;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("not/there/yet"));
        (folder, cache)
    }

    #[test]
    fn what_is_put_is_there_under_its_digest_and_form() {
        let (_folder, cache) = cache();
        let digest = Digest::of(b"layer");
        assert_eq!(cache.get("1", &digest), None);
        cache.put("1", &digest, b"index").unwrap();
        assert_eq!(cache.get("1", &digest).as_deref(), Some(&b"index"[..]));
        assert_eq!((cache.get("2", &digest), cache.get("1", &Digest::of(b""))), (None, None));
        assert_eq!(cache.holding(), Holding { files: 1, bytes: 5 });
    }

    #[test]
    fn what_was_of_use_last_stays() {
        let (_folder, cache) = cache();
        let digests = [b"a", b"b", b"c"].map(|name| Digest::of(name));
        for (age, digest) in digests.iter().enumerate() {
            cache.put("1", digest, &[0; 100]).unwrap();
            let file = fs::File::options().write(true).open(cache.path("1", digest)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(100 * (age as u64 + 1))).unwrap();
        }
        cache.get("1", &digests[2]);
        assert_eq!(cache.prune(250).unwrap(), Holding { files: 1, bytes: 100 });
        assert_eq!(digests.map(|digest| cache.get("1", &digest).is_some()), [true, false, true]);
    }

    #[test]
    fn prune_leaves_what_is_not_its_own_and_what_another_process_is_writing() {
        let (folder, cache) = cache();
        let form = cache.folder().join(LAYERS).join("1");
        fs::create_dir_all(&form).unwrap();
        for path in [form.join(".7-1"), cache.folder().join("theirs"), folder.path().join("theirs")] {
            fs::write(path, b"x").unwrap();
        }
        assert_eq!(cache.prune(0).unwrap(), Holding::default());
        assert!(cache.folder().join("theirs").exists());
    }

    #[test]
    fn several_writers_do_not_mix() {
        let (_folder, cache) = cache();
        let digest = Digest::of(b"layer");
        thread::scope(|scope| {
            for byte in 0..8_u8 {
                let (cache, digest) = (&cache, &digest);
                scope.spawn(move || (0..20).for_each(|_| cache.put("1", digest, &[byte; 5000]).unwrap()));
            }
        });
        let bytes = cache.get("1", &digest).unwrap();
        assert!(bytes.len() == 5000 && bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(cache.holding().files, 1);
    }
}
