//! Real files: Debian packages of any architecture, npm packages and wheels. Nothing of them is run or installed.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::lab::{cache, output, run};

/// The one who downloads `key`; others who want the same wait for it.
fn turn(key: &str) -> Arc<Mutex<()>> {
    static TURNS: LazyLock<Mutex<HashMap<String, Arc<Mutex<()>>>>> = LazyLock::new(Mutex::default);
    Arc::clone(TURNS.lock().unwrap().entry(key.to_owned()).or_default())
}

/// The files of Debian packages and of all that they depend on, for an architecture by Debian's name.
pub fn debian(architecture: &str, names: &[&str]) -> Vec<PathBuf> {
    let turn = turn(architecture);
    let _mine = turn.lock().unwrap_or_else(PoisonError::into_inner);
    let archives = cache(&format!("apt/{architecture}/archives"));
    let mut update = String::new();
    for _ in 0..3 {
        if let Ok(files) = download_debian(architecture, names, &archives) {
            return files;
        }
        // No lists yet, or lists of packages that have been replaced since. One source that is being synchronised is no reason to
        // stop: the others may have all that is needed.
        update = succeeded(apt(architecture).arg("update")).err().unwrap_or_default();
    }
    let error = download_debian(architecture, names, &archives);
    error.unwrap_or_else(|error| panic!("{architecture} {names:?}: {error}\n{update}"))
}

fn download_debian(architecture: &str, names: &[&str], archives: &Path) -> Result<Vec<PathBuf>, String> {
    // An empty folder of archives makes apt name everything, whether or not it is there already.
    let nothing = cache(&format!("apt/{architecture}/nothing"));
    let mut list = apt(architecture);
    list.arg(format!("-oDir::Cache::Archives={}", nothing.display())).args(["--print-uris", "-y", "install"]).args(names);
    let list = succeeded(&mut list)?;
    // Each line: 'URI' FILE SIZE HASH
    let lines = list.lines().filter(|line| line.starts_with('\''));
    let files: Vec<PathBuf> = lines.filter_map(|line| line.split(' ').nth(1)).map(|name| archives.join(name)).collect();
    if files.is_empty() {
        return Err(format!("apt-get names no files: {list}"));
    }
    if !files.iter().all(|file| file.exists()) {
        succeeded(apt(architecture).args(["--download-only", "-y", "install"]).args(names))?;
    }
    Ok(files)
}

fn succeeded(command: &mut Command) -> Result<String, String> {
    let out = output(command);
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    if out.status.success() { Ok(text) } else { Err(format!("{text}{}", String::from_utf8_lossy(&out.stderr))) }
}

/// apt-get for another architecture, with a state of its own: the machine's sources, but not its packages. After an `@` may be named
/// another release of Debian, which is then the only source: `amd64@bullseye`.
fn apt(place: &str) -> Command {
    let state = cache(&format!("apt/{place}"));
    let (architecture, suite) = place.split_once('@').map_or((place, None), |(architecture, suite)| (architecture, Some(suite)));
    for folder in ["lists/partial", "archives/partial", "nothing/partial"] {
        fs::create_dir_all(state.join(folder)).unwrap();
    }
    if !state.join("status").exists() {
        fs::write(state.join("status"), "").unwrap();
    }
    let mut apt = Command::new("apt-get");
    apt.arg(format!("-oAPT::Architecture={architecture}"))
        .arg(format!("-oAPT::Architectures={architecture}"))
        .arg(format!("-oDir::State::Lists={}", state.join("lists").display()))
        .arg(format!("-oDir::State::Status={}", state.join("status").display()))
        .arg(format!("-oDir::Cache={}", state.display()))
        .arg("-oDir::Cache::Archives=archives")
        .args(["-oAPT::Install-Recommends=0", "-oAPT::Sandbox::User=root", "-oAcquire::Languages=none", "-oAcquire::Retries=3"])
        .args(["-oDebug::NoLocking=1", "-qq"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    if let Some(suite) = suite {
        let list = state.join("sources.list");
        let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
        fs::write(&list, format!("deb [signed-by={keys}] http://deb.debian.org/debian {suite} main\n")).unwrap();
        apt.arg(format!("-oDir::Etc::SourceList={}", list.display())).arg("-oDir::Etc::SourceParts=/dev/null");
    }
    apt
}

/// Unpacks Debian packages and all that they depend on into a root.
pub fn unpack(root: &Path, architecture: &str, names: &[&str]) {
    fs::create_dir_all(root).unwrap();
    for package in debian(architecture, names) {
        run(Command::new("dpkg-deb").arg("-x").arg(package).arg(root));
    }
}

/// The entries of a Debian package, each given to `visit` with its path without the leading `./`.
pub fn each_entry(package: &Path, mut visit: impl FnMut(PathBuf, &mut tar::Entry<'_, Box<dyn Read>>)) {
    let mut unpack = Command::new("dpkg-deb").arg("--fsys-tarfile").arg(package).stdout(Stdio::piped()).spawn().unwrap();
    let bytes: Box<dyn Read> = Box::new(unpack.stdout.take().unwrap());
    for entry in tar::Archive::new(bytes).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap();
        let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
        if !path.as_os_str().is_empty() {
            visit(path, &mut entry);
        }
    }
    assert!(unpack.wait().unwrap().success(), "{}", package.display());
}

/// One file of one Debian package.
pub fn debian_file(architecture: &str, package: &str, path: &str) -> Vec<u8> {
    let packages = debian(architecture, &[package]);
    let named = |file: &&PathBuf| file.file_name().unwrap().to_str().unwrap().starts_with(&format!("{package}_"));
    let mut found = None;
    each_entry(packages.iter().find(named).unwrap(), |entry_path, entry| {
        if entry_path == Path::new(path) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            found = Some(bytes);
        }
    });
    found.unwrap_or_else(|| panic!("{package} for {architecture} has no {path}"))
}

/// An npm package, unpacked; `name@version`.
pub fn npm(package: &str) -> PathBuf {
    unpacked(&format!("npm/{}", package.replace('/', "+")), |folder| {
        run(Command::new("npm").args(["pack", "--silent", package]).current_dir(folder).stdin(Stdio::null()));
        let archive = only_file(folder);
        run(Command::new("tar").arg("-xzf").arg(&archive).current_dir(folder));
        fs::remove_file(archive).unwrap();
    })
    .join("package")
}

/// A wheel, unpacked; `name==version` for a platform tag such as `manylinux2014_aarch64`.
pub fn wheel(package: &str, platform: &str) -> PathBuf {
    unpacked(&format!("wheels/{package}-{platform}"), |folder| {
        let python = ["--python-version=3.11", "--implementation=cp", "--only-binary=:all:", "--no-deps"];
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "-q", "--disable-pip-version-check"]).args(python);
        run(pip.args(["--platform", platform, package]).current_dir(folder).stdin(Stdio::null()));
        let archive = only_file(folder);
        run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&archive).arg(folder));
        fs::remove_file(archive).unwrap();
    })
}

/// The folder of the cache that `fill` fills once; a run that was cut short leaves nothing half filled behind.
fn unpacked(name: &str, fill: impl FnOnce(&Path)) -> PathBuf {
    let turn = turn(name);
    let _mine = turn.lock().unwrap_or_else(PoisonError::into_inner);
    let parent = cache("unpacked");
    let done = parent.join(name.replace('/', "+"));
    if !done.exists() {
        let folder = tempfile::tempdir_in(&parent).unwrap();
        fill(folder.path());
        fs::rename(folder.keep(), &done).unwrap();
    }
    done
}

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.into_iter().next().unwrap()
}
