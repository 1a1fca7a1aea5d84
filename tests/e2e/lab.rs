//! Where a test works: whether it may, its scratch folder, the cache, and other programs.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use tempfile::TempDir;

/// A test's own folder, on the file system of the cache so that blobs can be linked into it.
pub struct Lab {
    scratch: TempDir,
}

impl Lab {
    /// Opens the lab, or says that the test is skipped and what it would need.
    pub fn open(needs: &str) -> Option<Self> {
        if env::var_os("ENOEXEC_E2E").is_none_or(|value| value.is_empty() || value == "0") {
            // Not eprintln!: the test harness would swallow it.
            let name = thread::current().name().unwrap_or("a test").to_owned();
            writeln!(io::stderr(), "skipped {name}: it needs {needs}; ENOEXEC_E2E=1 runs it").unwrap();
            return None;
        }
        let work = cache("work");
        Some(Self { scratch: tempfile::tempdir_in(work).unwrap() })
    }

    /// A path in the scratch folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Writes a file into the scratch folder.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// A folder of the cache that outlives the run.
pub fn cache(name: &str) -> PathBuf {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = folder("ENOEXEC_E2E_CACHE").unwrap_or_else(|| {
        let caches = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
        caches.expect("HOME or ENOEXEC_E2E_CACHE names where downloads are kept").join("enoexec-e2e")
    });
    let path = base.join(name);
    fs::create_dir_all(&path).unwrap();
    path
}

/// Runs a program that must succeed, and gives what it printed.
pub fn run(command: &mut Command) -> Vec<u8> {
    let Output { status, stdout, stderr } = output(command);
    assert!(status.success(), "{command:?}\n{}\n{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    stdout
}

/// Runs a program that must exist.
pub fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{}: {error}", Path::new(command.get_program()).display()))
}

/// Runs a line of shell in a folder; it must succeed.
pub fn shell(folder: &Path, line: &str) -> String {
    let out = run(Command::new("sh").args(["-euc", line]).current_dir(folder));
    String::from_utf8(out).unwrap()
}
