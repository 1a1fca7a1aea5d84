//! Text files that are looked at in themselves: found by name, read, and written back.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::StoreError;
use super::files::io as io_error;

/// A text file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFile {
    /// As the user knows it; `<stdin>` is standard input.
    pub name: String,
    /// Where it lies; nowhere if it came through standard input.
    pub path: Option<PathBuf>,
    /// What it says.
    pub text: String,
    /// Whether the text is the file, byte for byte; it is not where the file is not UTF-8.
    pub is_exact: bool,
}

/// A text file larger than this, in bytes, is not read: the largest Dockerfiles that are known have a tenth of it.
pub const MAX_SOURCE: u64 = 1 << 20;

/// The files under a directory whose paths are `wanted`, in the order of their names, without those that git ignores; a file
/// itself, whatever its name is.
///
/// # Errors
/// The path does not exist or a directory cannot be read.
pub fn find_sources(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, StoreError> {
    let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let missing = || StoreError::NotText { path: path.to_owned(), problem: "does not exist" };
    let metadata = fs::metadata(path).map_err(|error| if is_missing(&error) { missing() } else { io_error(path, &error) })?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut walk = WalkBuilder::new(path);
    // Files of `.devcontainer` and `.github` are looked at like others.
    walk.hidden(false).require_git(false).sort_by_file_name(Ord::cmp).filter_entry(|entry| entry.file_name() != ".git");
    let mut found = Vec::new();
    for entry in walk.build() {
        let entry = entry.map_err(|error| StoreError::Io { path: path.to_owned(), error: error.to_string() })?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if is_file && entry.path().to_str().is_some_and(&wanted) {
            let path = entry.into_path();
            found.push(path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path));
        }
    }
    Ok(found)
}

/// The build files of a directory, by the names that their tools look for.
pub fn build_files(folder: &Path) -> Vec<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let names =
        ["docker-bake.hcl", "docker-bake.json", "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
    let paths = names.map(|name| folder.join(name)).into_iter();
    paths.map(|path| path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path)).filter(|path| path.is_file()).collect()
}

/// The names of the files in a folder, and `folder/file` for those in the folders in it that are `wanted`. What cannot be read has none.
pub fn names_in(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut names = Vec::new();
    for (name, is_folder) in entries(folder) {
        if !is_folder {
            names.push(name);
        } else if wanted(&name) {
            let files = entries(&folder.join(&name)).into_iter().filter(|(_, is_folder)| !is_folder);
            names.extend(files.map(|(file, _)| format!("{name}/{file}")));
        }
    }
    names.sort_unstable();
    names
}

/// The names in a folder, and which are folders'.
fn entries(folder: &Path) -> Vec<(String, bool)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.file_type().ok()?.is_dir())));
    named.collect()
}

/// Reads a text file; `-` is standard input.
///
/// # Errors
/// It cannot be read, or is larger than [`MAX_SOURCE`].
pub fn read_source(path: &Path) -> Result<SourceFile, StoreError> {
    if path == Path::new("-") {
        return source("<stdin>".to_owned(), None, io::stdin().lock());
    }
    let file = File::open(path).map_err(|error| io_error(path, &error))?;
    source(path.display().to_string(), Some(path.to_owned()), file)
}

fn source(name: String, path: Option<PathBuf>, input: impl Read) -> Result<SourceFile, StoreError> {
    let mut bytes = Vec::new();
    let limit = MAX_SOURCE.saturating_add(1);
    input.take(limit).read_to_end(&mut bytes).map_err(|error| io_error(Path::new(&name), &error))?;
    if bytes.len() as u64 > MAX_SOURCE {
        return Err(StoreError::NotText { path: name.into(), problem: "is larger than 1 MiB" });
    }
    if bytes.contains(&0) {
        return Err(StoreError::NotText { path: name.into(), problem: "is no text" });
    }
    let (text, is_exact) = match String::from_utf8(bytes) {
        Ok(text) => (text, true),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), false),
    };
    Ok(SourceFile { name, path, text, is_exact })
}

/// Puts `text` in the place of what was read from a file: whole or not at all, with the file's permissions, and through links.
///
/// # Errors
/// The file is not UTF-8, has changed since, or cannot be written.
pub fn replace_source(source: &SourceFile, text: &str) -> Result<(), StoreError> {
    let Some(path) = source.path.as_deref() else { return Ok(()) };
    let changed = |problem| StoreError::NotText { path: path.to_owned(), problem };
    if !source.is_exact {
        return Err(changed("is not UTF-8, and is left as it is"));
    }
    let failed = |error: io::Error| io_error(path, &error);
    let real = fs::canonicalize(path).map_err(failed)?;
    if fs::read(&real).map_err(failed)? != source.text.as_bytes() {
        return Err(changed("has changed since it was read, and is left as it is"));
    }
    let mut name = real.file_name().unwrap_or_default().to_owned();
    name.push(format!(".enoexec-{}", std::process::id()));
    let beside = real.with_file_name(name);
    let written = write_like(&beside, text, &real).and_then(|()| fs::rename(&beside, &real));
    written.map_err(|error| {
        // What is left of a failed attempt is of no use; if it cannot be taken away either, the first error says more.
        drop(fs::remove_file(&beside));
        failed(error)
    })
}

/// Writes a new file with the permissions of another.
fn write_like(path: &Path, text: &str, model: &Path) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.set_permissions(fs::metadata(model)?.permissions())?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::{StoreError, find_sources, names_in, read_source, replace_source};

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    #[test]
    fn files_are_found_by_name_as_git_sees_them() {
        let folder = folder(&[
            (".gitignore", b"out/\n"),
            (".devcontainer/Dockerfile", b""),
            (".git/Dockerfile", b""),
            ("b/Dockerfile", b""),
            ("b/main.c", b""),
            ("out/Dockerfile", b""),
        ]);
        let found = find_sources(folder.path(), |path| path.ends_with("/Dockerfile")).unwrap();
        let names: Vec<&Path> = found.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, [Path::new(".devcontainer/Dockerfile"), Path::new("b/Dockerfile")]);
        let file = folder.path().join("b/main.c");
        assert_eq!(find_sources(&file, |_| false).unwrap(), [file], "what is named is taken");
        assert!(find_sources(&folder.path().join("none"), |_| true).is_err());
    }

    #[test]
    fn a_folder_tells_names_and_those_one_step_below() {
        let folder = folder(&[("Dockerfile", b""), ("arm64/Dockerfile", b""), ("arm64/deep/x", b""), ("src/main.c", b"")]);
        assert_eq!(names_in(folder.path(), |name| name == "arm64"), ["Dockerfile", "arm64/Dockerfile"]);
        assert!(names_in(&folder.path().join("none"), |_| true).is_empty());
    }

    #[test]
    fn what_is_no_text_is_not_read() {
        let folder = folder(&[("zeros", b"FROM\0"), ("latin", b"# \xe9\nFROM x\n"), ("large", &vec![b'#'; 1 << 21])]);
        let read = |name: &str| read_source(&folder.path().join(name));
        assert!(matches!(read("zeros"), Err(StoreError::NotText { .. })));
        assert!(matches!(read("large"), Err(StoreError::NotText { .. })));
        let latin = read("latin").unwrap();
        assert!(!latin.is_exact);
        assert!(replace_source(&latin, "FROM y\n").is_err());
        assert_eq!(fs::read(folder.path().join("latin")).unwrap(), b"# \xe9\nFROM x\n");
    }

    #[test]
    fn a_file_is_replaced_whole_with_its_permissions_and_through_links() {
        let folder = folder(&[("Dockerfile", b"FROM x\n")]);
        let (file, link) = (folder.path().join("Dockerfile"), folder.path().join("link"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("Dockerfile", &link).unwrap();
        let source = read_source(&link).unwrap();
        replace_source(&source, "FROM y\n").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "FROM y\n");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left over");
        assert!(replace_source(&source, "FROM z\n").is_err(), "it has changed since it was read");
    }
}
