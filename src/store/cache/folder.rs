//! A cache in a folder: a file a layer, for any number of processes at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Holding, LAYERS, file_name};
use crate::base::Digest;
use crate::store::StoreError;
use crate::store::files::io as io_error;

/// A file larger than this, in bytes, is not one that was put here.
const MOST: u64 = 512 << 20;

/// A file that was begun and not ended so long ago belongs to a process that died.
const STALE: Duration = Duration::from_secs(3600);

/// What a cache in a folder is.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What was put there. `None` where there is nothing, or nothing that can be read: then the layer is read itself.
    pub(super) fn get(&self, form: &str, digest: &Digest) -> Option<Vec<u8>> {
        let file = File::open(self.file(form, digest)).ok()?;
        let mut bytes = Vec::new();
        (&file).take(MOST).read_to_end(&mut bytes).ok()?;
        // What was of use is the last to go; where the time cannot be set, it goes by the time at which it came.
        let _ = file.set_modified(SystemTime::now());
        Some(bytes)
    }

    /// Puts bytes there, whole or not at all.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub(super) fn put(&self, form: &str, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.file(form, digest);
        write_whole(&path, bytes).map_err(|error| io_error(&path, &error))
    }

    fn file(&self, form: &str, digest: &Digest) -> PathBuf {
        self.0.join(LAYERS).join(form).join(file_name(digest))
    }

    /// What it holds.
    pub(super) fn holding(&self) -> Holding {
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
    pub(super) fn prune(&self, limit: u64) -> Result<Holding, StoreError> {
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
        let forms = within(&self.0.join(LAYERS)).map(|form| form.path());
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
    write_nameless(folder, path, bytes).or_else(|_| write_and_rename(folder, path, bytes))
}

/// Writes a file that has no name before it is whole (`O_TMPFILE`, open(2)): of one that is interrupted, nothing is left.
///
/// # Errors
/// The system or the file system has no such files, or the folder cannot be written to.
#[cfg(target_os = "linux")]
fn write_nameless(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
    use std::os::fd::AsRawFd;

    let mut file = File::from(open(folder, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::from_raw_mode(0o666))?);
    file.write_all(bytes)?;
    let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
    let link = || linkat(CWD, &nameless, CWD, path, AtFlags::SYMLINK_FOLLOW);
    match link() {
        Err(rustix::io::Errno::EXIST) => {}
        linked => return Ok(linked?),
    }
    // What was there was of no use to this run. Between the two steps there is nothing, which costs another process time.
    fs::remove_file(path).or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    match link() {
        // Another process was faster.
        Err(rustix::io::Errno::EXIST) => Ok(()),
        linked => Ok(linked?),
    }
}

#[cfg(not(target_os = "linux"))]
fn write_nameless(_: &Path, _: &Path, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Writes a file under a name that no one reads, and gives it its own.
fn write_and_rename(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
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

    use super::{Folder, Holding, LAYERS, write_and_rename};
    use crate::base::Digest;

    fn cache() -> (tempfile::TempDir, Folder) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Folder::new(folder.path().join("not/there/yet"));
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
        cache.put("1", &digest, b"another").unwrap();
        assert_eq!(cache.get("1", &digest).as_deref(), Some(&b"another"[..]));
        let path = cache.file("1", &digest);
        write_and_rename(path.parent().unwrap(), &path, b"a third").unwrap();
        assert_eq!(cache.get("1", &digest).as_deref(), Some(&b"a third"[..]));
        assert_eq!(cache.holding().files, 1);
    }

    #[test]
    fn what_was_of_use_last_stays() {
        let (_folder, cache) = cache();
        let digests = [b"a", b"b", b"c"].map(|name| Digest::of(name));
        for (age, digest) in digests.iter().enumerate() {
            cache.put("1", digest, &[0; 100]).unwrap();
            let file = fs::File::options().write(true).open(cache.file("1", digest)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(100 * (age as u64 + 1))).unwrap();
        }
        cache.get("1", &digests[2]);
        assert_eq!(cache.prune(250).unwrap(), Holding { files: 1, bytes: 100 });
        assert_eq!(digests.map(|digest| cache.get("1", &digest).is_some()), [true, false, true]);
    }

    #[test]
    fn prune_leaves_what_is_not_its_own_and_what_another_process_is_writing() {
        let (folder, cache) = cache();
        let form = cache.path().join(LAYERS).join("1");
        fs::create_dir_all(&form).unwrap();
        for path in [form.join(".7-1"), cache.path().join("theirs"), folder.path().join("theirs")] {
            fs::write(path, b"x").unwrap();
        }
        assert_eq!(cache.prune(0).unwrap(), Holding::default());
        assert!(cache.path().join("theirs").exists());
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
