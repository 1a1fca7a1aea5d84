//! Files that say how images are built and where they run: workflows, bake and compose files, Kubernetes manifests.

mod bake;
mod compose;
mod ignores;
mod manifest;
mod workflow;

use std::collections::BTreeMap;

use crate::base::Platform;
use crate::finding::{Finding, TextFile};
use crate::format::yaml::{self, Node};

use super::{Kind, Linted};

/// One build that a file asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Build {
    /// For which platforms; none where it cannot be told, or where the file leaves it to whoever runs it.
    platforms: Vec<Platform>,
    /// Of which Dockerfile, with its context before it, from where the file's paths begin; `None` where it cannot be told.
    dockerfile: Option<String>,
}

/// What is wrong in such a file, and what it asks to ignore.
pub(super) fn lint(file: &TextFile<'_>, kind: Kind) -> Linted {
    let judged = |judge: fn(&TextFile<'_>, &Node) -> Vec<Finding>| {
        documents(file.text, kind).iter().flat_map(|document| judge(file, document)).collect::<Vec<_>>()
    };
    let mut findings = match kind {
        Kind::Workflow => judged(workflow::findings),
        Kind::Compose => judged(compose::findings),
        Kind::Manifest => judged(manifest::findings),
        Kind::Bake => bake::findings(file),
        Kind::Dockerfile => Vec::new(),
    };
    let (suppressions, misread) = ignores::suppressions(file);
    findings.extend(misread);
    findings.sort_by_key(|finding| finding.locus.text().map(|place| (place.span.start, place.span.end)));
    Linted { findings, suppressions }
}

/// For which platforms the build files among `files` (names and texts) build Dockerfiles, by the Dockerfiles' paths.
pub fn platforms_built<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, Vec<Platform>> {
    let mut built: BTreeMap<String, Vec<Platform>> = BTreeMap::new();
    for (name, text) in files {
        for Build { platforms, dockerfile } in builds(name, text) {
            let Some(path) = dockerfile.and_then(|file| joined(root_of(name), &file)) else { continue };
            let known = built.entry(path).or_default();
            for platform in platforms {
                if !known.contains(&platform) {
                    known.push(platform);
                }
            }
        }
    }
    built.retain(|_, platforms| !platforms.is_empty());
    built
}

fn builds(name: &str, text: &str) -> Vec<Build> {
    let Some(kind) = Kind::of(name) else { return Vec::new() };
    let read = match kind {
        Kind::Workflow => workflow::builds,
        Kind::Compose => compose::builds,
        Kind::Bake => return bake::builds(name, text),
        Kind::Manifest | Kind::Dockerfile => return Vec::new(),
    };
    documents(text, kind).iter().flat_map(read).collect()
}

/// Where a build file's paths begin: its own directory, and for a workflow the repository's.
fn root_of(name: &str) -> &str {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder.strip_suffix(".github/workflows").map_or(folder, |root| root.trim_end_matches('/'))
}

/// A path from a directory, without `.` and `..`; `None` where it leads out of what the directory is named from.
fn joined(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" if !(parts.is_empty() && folder.starts_with('/')) => {}
            "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What cannot be read is left to those whose file it is: `docker compose config` and the like say it better.
fn documents(text: &str, kind: Kind) -> Vec<Node> {
    match kind {
        // Most YAML is not Kubernetes', and is told so without reading it.
        Kind::Manifest if !(text.contains("apiVersion") && text.contains("containers")) => Vec::new(),
        _ => yaml::parse(text).0,
    }
}

/// The platforms of a list with commas or line ends between them; `None` where one of them is no platform, such as a variable.
fn platforms(text: &str) -> Option<Vec<Platform>> {
    text.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty()).map(|name| name.parse().ok()).collect()
}

/// `a context` and `a file in it`, as one path.
fn dockerfile_in(context: Option<&str>, file: Option<&str>) -> Option<String> {
    let context = context.unwrap_or(".").trim_end_matches('/');
    let is_elsewhere = context.contains("://") || context.contains("${") || file.is_some_and(|file| file.contains("${"));
    let file = file.unwrap_or("Dockerfile").trim_start_matches("./");
    let context = context.trim_start_matches("./");
    (!is_elsewhere).then(|| if matches!(context, "" | ".") { file.to_owned() } else { format!("{context}/{file}") })
}

fn listed(platforms: &[Platform]) -> String {
    platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::platforms_built;

    fn built(name: &str, text: &str) -> Vec<(String, String)> {
        let built = platforms_built([(name, text)]);
        built.into_iter().map(|(path, platforms)| (path, super::listed(&platforms))).collect()
    }

    #[test]
    fn compose_and_bake_name_dockerfiles_from_where_they_lie() {
        let compose =
            "services:\n  a:\n    build:\n      context: ./app\n      platforms: [linux/amd64, linux/s390x]\n  b: {build: .}\n";
        assert_eq!(built("x/compose.yaml", compose), [("x/app/Dockerfile".to_owned(), "linux/amd64, linux/s390x".to_owned())]);
        let bake = "target \"a\" {\n  context = \"..\"\n  dockerfile = \"d/Dockerfile\"\n  platforms = [\"linux/arm64\"]\n}\n";
        assert_eq!(built("x/y/docker-bake.hcl", bake), [("x/d/Dockerfile".to_owned(), "linux/arm64".to_owned())]);
        let json = r#"{"target": {"a": {"platforms": ["linux/arm/v7"]}}}"#;
        assert_eq!(built("docker-bake.json", json), [("Dockerfile".to_owned(), "linux/arm/v7".to_owned())]);
    }

    #[test]
    fn a_workflow_names_them_from_the_repository() {
        let text = "jobs:\n  a:\n    strategy: {matrix: {p: [linux/amd64, linux/arm64]}}\n    steps:\n\
            \x20   - uses: docker/build-push-action@v6\n      with: {file: ./d/Dockerfile, platforms: '${{ matrix.p }}'}\n\
            \x20   - uses: docker/build-push-action@v6\n      with: {file: '${{ matrix.file }}', platforms: linux/386}\n";
        assert_eq!(
            built("r/.github/workflows/ci.yml", text),
            [("r/d/Dockerfile".to_owned(), "linux/amd64, linux/arm64".to_owned())]
        );
    }

    #[test]
    fn what_cannot_be_told_is_not_said() {
        assert!(
            built("compose.yaml", "services: {a: {build: {context: 'https://x/y.git', platforms: [linux/arm64]}}}").is_empty()
        );
        assert!(built("compose.yaml", "services: {a: {build: {context: '../..', platforms: [linux/arm64]}}}").is_empty());
        assert!(built("docker-bake.hcl", "target \"a\" { platforms = PLATFORMS }").is_empty());
        assert!(built("docker-bake.hcl", "}{").is_empty());
    }
}
