//! Which lines of files are new since a commit, as git says.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::StoreError;

/// The lines of files that are new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    files: BTreeMap<PathBuf, Lines>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Lines {
    /// The file is new.
    All,
    /// From a line to a line, from 1.
    Ranges(Vec<RangeInclusive<usize>>),
}

impl Changes {
    /// The lines under a path that are not as they were in the commit `base`.
    ///
    /// # Errors
    /// There is no git, no repository or no such commit.
    pub fn since(base: &str, path: &Path) -> Result<Self, StoreError> {
        let directory = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let limit = if path.is_dir() { Path::new(".") } else { path.file_name().map_or(path, Path::new) };
        let diff = git(
            directory,
            &[
                "diff",
                "-U0",
                "--no-color",
                "--no-ext-diff",
                "--no-textconv",
                "--relative",
                "--no-prefix",
                "--end-of-options",
                base,
            ],
            limit,
        )?;
        let new = git(directory, &["ls-files", "--others", "--exclude-standard", "-z"], limit)?;
        let mut changes = Self::default();
        changes.read(&diff, directory);
        let new = new.split('\0').filter(|name| !name.is_empty());
        changes.files.extend(new.map(|name| (joined(directory, name), Lines::All)));
        Ok(changes)
    }

    /// Adds those of another path.
    pub fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
    }

    /// Whether any of these lines is new.
    pub fn touch(&self, path: &Path, lines: RangeInclusive<usize>) -> bool {
        match self.files.get(path) {
            None => false,
            Some(Lines::All) => true,
            Some(Lines::Ranges(ranges)) => {
                ranges.iter().any(|range| range.start() <= lines.end() && lines.start() <= range.end())
            }
        }
    }

    /// Reads a unified diff without context.
    fn read(&mut self, diff: &str, directory: &Path) {
        let mut file = None;
        for line in diff.lines() {
            if let Some(name) = line.strip_prefix("+++ ") {
                // A name with unusual characters is in quotes, and none that is looked for has any.
                file = (name != "/dev/null").then(|| joined(directory, name.trim_end_matches('\t')));
            } else if let Some(range) = line.strip_prefix("@@ ").and_then(new_lines)
                && let Some(file) = &file
                && let Lines::Ranges(ranges) = self.files.entry(file.clone()).or_insert_with(|| Lines::Ranges(Vec::new()))
            {
                ranges.push(range);
            }
        }
    }
}

/// `-1,2 +3,4 @@`: the lines 3 to 6. Nothing where lines were only taken away.
fn new_lines(hunk: &str) -> Option<RangeInclusive<usize>> {
    let new = hunk.split(' ').find_map(|part| part.strip_prefix('+'))?;
    let (start, count) = new.split_once(',').unwrap_or((new, "1"));
    let (start, count) = (start.parse::<usize>().ok()?, count.parse::<usize>().ok()?);
    (count > 0).then(|| start..=start.saturating_add(count).saturating_sub(1))
}

fn joined(directory: &Path, name: &str) -> PathBuf {
    if directory == Path::new(".") { PathBuf::from(name) } else { directory.join(name) }
}

fn git(directory: &Path, arguments: &[&str], path: &Path) -> Result<String, StoreError> {
    let failed = |error: String| StoreError::Git { directory: directory.to_owned(), error };
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(["-c", "core.quotePath=false"])
        .args(arguments)
        .arg("--")
        .arg(path)
        .output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Changes;

    #[test]
    fn the_new_lines_of_a_diff_are_read() {
        let mut changes = Changes::default();
        let diff = "diff --git a b\n--- Dockerfile\n+++ Dockerfile\n@@ -1,0 +2,3 @@ FROM x\n+a\n+b\n+c\n@@ -9 +12 @@\n-x\n+y\n@@ -20,2 +23,0 @@\n-z\n";
        changes.read(diff, Path::new("app"));
        let file = Path::new("app/Dockerfile");
        for (line, is_new) in [(1, false), (2, true), (4, true), (5, false), (12, true), (23, false)] {
            assert_eq!(changes.touch(file, line..=line), is_new, "{line}");
        }
        assert!(changes.touch(file, 1..=40));
        assert!(!changes.touch(Path::new("Dockerfile"), 2..=2));
    }
}
