//! Where in a repository a finding is shown: tools that show findings beside source take nothing but a file and its lines.

use std::path::{Component, Path, PathBuf};

use crate::finding::{GuestLocus, Locus, TextLocus};

use super::words::build_step;

/// The repository that findings are shown in.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// Its top folder; paths are told from there.
    pub root: PathBuf,
    /// The folder that relative paths start from.
    pub current: PathBuf,
    /// What the images were built from: findings in images are shown there.
    pub dockerfile: Option<Dockerfile>,
}

/// A Dockerfile, with its instructions by line.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    path: String,
    instructions: Vec<(usize, Vec<String>)>,
}

/// A file of the repository, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Anchor {
    /// Relative to the top folder, with `/` between components; never empty, never `..`.
    pub(super) file: String,
    pub(super) region: Region,
}

/// Lines and columns from 1; the end is exclusive. Without columns, whole lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) line: usize,
    pub(super) end_line: usize,
    pub(super) columns: Option<(usize, usize)>,
}

impl Region {
    fn whole(line: usize) -> Self {
        Self { line: line.max(1), end_line: line.max(1), columns: None }
    }
}

impl Dockerfile {
    /// Reads its instructions, as far as their first words and their lines go.
    pub fn new(path: &str, text: &str) -> Self {
        let mut instructions: Vec<(usize, Vec<String>)> = Vec::new();
        let mut goes_on = false;
        for (number, line) in text.lines().enumerate().map(|(place, line)| (place.saturating_add(1), line.trim())) {
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            let (words, continues) = line.strip_suffix('\\').map_or((line, false), |words| (words, true));
            let words = words.split_whitespace().map(ToOwned::to_owned);
            match instructions.last_mut().filter(|_| goes_on) {
                Some((_, all)) => all.extend(words),
                None => instructions.push((number, words.collect())),
            }
            goes_on = continues;
        }
        Self { path: path.to_owned(), instructions }
    }

    /// The line of the instruction that made a layer; else of what the image starts with; else of the last stage.
    fn line(&self, place: &GuestLocus) -> usize {
        let step: Vec<String> =
            place.step.as_deref().map(build_step).unwrap_or_default().split(' ').map(ToOwned::to_owned).collect();
        let last = |wanted: &dyn Fn(&[String]) -> bool| {
            self.instructions.iter().rev().find(|(_, words)| wanted(words)).map(|(line, _)| *line)
        };
        let is = |words: &[String], keyword: &str| words.first().is_some_and(|word| word.eq_ignore_ascii_case(keyword));
        let made = last(&|words| has_made(words, &step));
        let starts = || last(&|words| is(words, "ENTRYPOINT") || is(words, "CMD")).filter(|_| place.layer.is_none());
        made.or_else(starts).or_else(|| last(&|words| is(words, "FROM"))).unwrap_or(1)
    }
}

/// Whether an instruction is the one that a build step tells of: the same keyword and, flags and build arguments aside, the same words.
fn has_made(instruction: &[String], step: &[String]) -> bool {
    let plain = |words: &[String]| words.iter().skip(1).filter(|word| !word.starts_with("--")).cloned().collect::<Vec<_>>();
    let keyword = |words: &[String]| words.first().map(|word| word.to_ascii_uppercase());
    let (instruction_words, step_words) = (plain(instruction), plain(step));
    keyword(instruction) == keyword(step) && !instruction_words.is_empty() && step_words.ends_with(&instruction_words)
}

impl Repository {
    /// Where a finding is shown.
    pub(super) fn anchor(&self, locus: &Locus) -> Anchor {
        match locus {
            Locus::Text(place) => Anchor { file: self.relative(&place.file), region: text_region(place) },
            Locus::Guest(place) => match &self.dockerfile {
                Some(dockerfile) => {
                    Anchor { file: self.relative(&dockerfile.path), region: Region::whole(dockerfile.line(place)) }
                }
                None => Anchor { file: self.relative(without_transport(&place.target)), region: Region::whole(1) },
            },
            Locus::Object(place) => {
                let names = [Some(&place.group_kind), place.namespace.as_ref(), Some(&place.name)];
                let file = names.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/");
                Anchor { file: self.relative(&file), region: Region::whole(1) }
            }
        }
    }

    /// A path as it is seen from the top folder. What lies outside keeps its own path, as if the top folder were the root.
    fn relative(&self, file: &str) -> String {
        let path = normal(&self.current.join(file));
        let inside = path.strip_prefix(normal(&self.root)).unwrap_or(&path);
        let parts = inside.components().filter_map(|part| if let Component::Normal(part) = part { part.to_str() } else { None });
        let joined = parts.collect::<Vec<_>>().join("/");
        if joined.is_empty() { ".".to_owned() } else { joined }
    }
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            _ => normal.push(part),
        }
    }
    normal
}

/// `shop/api` of `docker://shop/api`: what tools take for a scheme would make them refuse the whole report.
fn without_transport(target: &str) -> &str {
    let (transport, rest) = target.split_once(':').unwrap_or_default();
    let is_transport = !transport.is_empty() && transport.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let rest = rest.trim_start_matches("//");
    // `app:1.2` is a name with its tag; no transport has digits or dots, and no tag has a slash.
    let is_name = !is_transport || rest.is_empty() || !TRANSPORTS.contains(&transport);
    if is_name { target } else { rest }
}

/// The spellings of `store::Target`.
const TRANSPORTS: &[&str] =
    &["containerd", "dir", "docker", "docker-archive", "docker-daemon", "file", "oci", "oci-archive", "podman"];

fn text_region(place: &TextLocus) -> Region {
    let (line, end_line) = (place.line.max(1), place.end_line.max(place.line).max(1));
    let columns = (place.column > 0 && place.end_column > 0).then_some((place.column, place.end_column));
    Region { line, end_line, columns }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Anchor, Dockerfile, Region, Repository};
    use crate::finding::{GuestLocus, Locus, TextFile};

    const DOCKERFILE: &str = "\
FROM golang AS build
# COPY app /app
RUN make \\
    # with everything
    all
FROM debian
COPY --from=build --chmod=755 /out/app \\
     /app
ENTRYPOINT [\"/app\"]
";

    fn repository() -> Repository {
        Repository {
            root: PathBuf::from("/src"),
            current: PathBuf::from("/src/shop"),
            dockerfile: Some(Dockerfile::new("./Dockerfile", DOCKERFILE)),
        }
    }

    fn guest(step: Option<&str>) -> Locus {
        let layer = step.map(|_| 1);
        Locus::Guest(GuestLocus { target: "app.tar".into(), step: step.map(Into::into), layer, ..GuestLocus::default() })
    }

    #[test]
    fn a_layer_is_shown_where_it_was_made() {
        for (step, line) in [
            (Some("COPY /out/app /app # buildkit"), 7),
            (Some("RUN |1 CGO=0 /bin/sh -c make     all # buildkit"), 3),
            (Some("COPY other /app # buildkit"), 6),
            (None, 9),
        ] {
            let anchor = repository().anchor(&guest(step));
            assert_eq!((anchor.file.as_str(), anchor.region.line), ("shop/Dockerfile", line), "{step:?}");
        }
    }

    #[test]
    fn every_file_is_relative_to_the_repository() {
        let file = |target: &str| {
            let place = GuestLocus { target: target.into(), ..GuestLocus::default() };
            Repository { dockerfile: None, ..repository() }.anchor(&Locus::Guest(place)).file
        };
        assert_eq!(file("app.tar"), "shop/app.tar");
        assert_eq!(file("oci-archive:../dist/app.tar"), "dist/app.tar");
        assert_eq!(file("docker://registry.example:5000/shop/api:1.2"), "shop/registry.example:5000/shop/api:1.2");
        assert_eq!(file("../../../etc/passwd"), "etc/passwd");
        assert_eq!(file("/"), ".");
        assert_eq!(file("app:1.2"), "shop/app:1.2");
    }

    #[test]
    fn a_text_is_shown_at_its_columns() {
        let place = TextFile::new("Dockerfile", "FROM a\nRUN b\n").locus(11..12);
        let expected = Region { line: 2, end_line: 2, columns: Some((5, 6)) };
        assert_eq!(repository().anchor(&Locus::Text(place)), Anchor { file: "shop/Dockerfile".into(), region: expected });
    }
}
