use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::base::{Platform, parallel_map};
use crate::finding::{Finding, Suppression};
use crate::lint::{self, Fixed, Kind, Linted, Options};
use crate::report::{Report, TargetReport};
use crate::store::{self, Changes, SourceFile, StoreError};

/// What `lint` is asked.
#[derive(Debug, Clone, Default)]
pub struct LintRequest {
    /// Files, directories, or `-` for standard input.
    pub paths: Vec<PathBuf>,
    /// For what a build is judged.
    pub options: Options,
    /// Only what lies in lines that are new since this commit.
    pub diff_base: Option<String>,
}

/// Paths → files → findings, and what was judged by. A path that cannot be read is a target with its `error` set; the others are judged.
///
/// # Errors
/// Git cannot say what is new.
pub fn lint(request: &LintRequest) -> Result<(Report, Surroundings), StoreError> {
    let changes = changes(request)?;
    let mut report = Report::default();
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in &request.paths {
        match find(path) {
            Ok(found) => paths.extend(found),
            Err(error) => report.targets.push(could_not_look(path.display().to_string(), &error)),
        }
    }
    let mut seen = BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    let sources = parallel_map(&paths, |path| store::read_source(path));
    let surroundings = Surroundings { built: built(&paths, &sources), variants: variants(&paths) };
    let judge = |source: &SourceFile| lint::lint(&source.name, &source.text, &surroundings.options(source, &request.options));
    let linted = parallel_map(&sources, |source| source.as_ref().ok().map(judge));
    for (path, answer) in paths.iter().zip(sources.into_iter().zip(linted)) {
        match answer {
            (Ok(source), linted) => {
                let linted = linted.unwrap_or_default();
                let linted = if let Some(changes) = &changes { only_new(linted, &source, changes) } else { linted };
                report.findings.extend(linted.findings);
                report.suppressions.extend(linted.suppressions);
                report.files.push(source);
            }
            (Err(error), _) => report.targets.push(could_not_look(path.display().to_string(), &error)),
        }
    }
    Ok((report, surroundings))
}

/// What lies around Dockerfiles and says for which platforms they are.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// By a Dockerfile's name: for which platforms build files build it.
    built: BTreeMap<String, Vec<Platform>>,
    /// By a Dockerfile's path: what lies beside it for one architecture.
    variants: BTreeMap<PathBuf, Vec<String>>,
}

impl Surroundings {
    /// How a file is judged: as was asked, and for the platforms that it is for where none was asked for.
    fn options(&self, source: &SourceFile, asked: &Options) -> Options {
        let built = self.built.get(source.name.trim_start_matches("./")).filter(|_| asked.platforms.is_empty());
        let siblings = source.path.as_ref().and_then(|path| self.variants.get(path));
        Options {
            platforms: built.unwrap_or(&asked.platforms).clone(),
            target: asked.target.clone(),
            siblings: siblings.cloned().unwrap_or_default(),
        }
    }
}

/// What the build files among the sources say, and those that lie beside a Dockerfile which was named alone.
fn built(paths: &[PathBuf], sources: &[Result<SourceFile, StoreError>]) -> BTreeMap<String, Vec<Platform>> {
    let is_build_file = |name: &str| matches!(Kind::of(name), Some(Kind::Workflow | Kind::Compose | Kind::Bake));
    let beside = folders(paths).into_iter().flat_map(store::build_files).filter(|path| !paths.contains(path));
    let beside: Vec<SourceFile> = beside.filter_map(|path| store::read_source(&path).ok()).collect();
    let sources = sources.iter().flatten().chain(&beside).filter(|source| is_build_file(&source.name));
    lint::platforms_built(sources.map(|source| (source.name.as_str(), source.text.as_str())))
}

/// The files beside those at `paths`, or in a folder there, that are named after one of them and an architecture.
fn variants(paths: &[PathBuf]) -> BTreeMap<PathBuf, Vec<String>> {
    let mut found: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for folder in folders(paths) {
        for variant in store::names_in(folder, lint::is_of_one_architecture) {
            if let Some(name) = lint::without_architecture(&variant) {
                found.entry(folder.join(name)).or_default().push(variant);
            }
        }
    }
    found
}

fn folders(paths: &[PathBuf]) -> BTreeSet<&Path> {
    paths.iter().filter(|path| path.as_os_str() != "-").filter_map(|path| path.parent()).collect()
}

/// Mends what of a report's findings has edits, file by file; nothing is written. Only files that change or refuse a fix are told.
pub fn fix<'a>(report: &'a Report, surroundings: &Surroundings, asked: &Options) -> Vec<(&'a SourceFile, Fixed)> {
    let mended = |finding: &&Finding| !finding.edits.is_empty();
    let wanted: BTreeSet<String> = report.findings.iter().filter(mended).map(Finding::fingerprint).collect();
    let is_in = |file: &&SourceFile, finding: &Finding| finding.locus.text().is_some_and(|place| place.file == file.name);
    let files = report.files.iter().filter(|file| report.findings.iter().any(|finding| mended(&finding) && is_in(file, finding)));
    let fix = |file: &'a SourceFile| {
        let options = surroundings.options(file, asked);
        (file, lint::fix(&file.text, &wanted, &|text| lint::lint(&file.name, text, &options).unignored()))
    };
    files.map(fix).collect()
}

fn find(path: &std::path::Path) -> Result<Vec<PathBuf>, StoreError> {
    if path.as_os_str() == "-" {
        return Ok(vec![path.to_owned()]);
    }
    store::find_sources(path, |name| Kind::of(name).is_some())
}

fn could_not_look(target: String, error: &StoreError) -> TargetReport {
    TargetReport { target, error: Some(error.to_string()), ..TargetReport::default() }
}

fn changes(request: &LintRequest) -> Result<Option<Changes>, StoreError> {
    let Some(base) = &request.diff_base else { return Ok(None) };
    let mut changes = Changes::default();
    for path in request.paths.iter().filter(|path| path.as_os_str() != "-" && path.exists()) {
        changes.extend(Changes::since(base, path)?);
    }
    Ok(Some(changes))
}

/// What lies in new lines. Of suppressions, those that hold something of it back: others would be reported as of no use.
fn only_new(linted: Linted, source: &SourceFile, changes: &Changes) -> Linted {
    let Linted { mut findings, mut suppressions } = linted;
    let Some(path) = &source.path else { return Linted { findings, suppressions } };
    let is_new = |finding: &Finding| finding.locus.text().is_none_or(|place| changes.touch(path, place.line..=place.end_line));
    findings.retain(is_new);
    suppressions.retain(|suppression: &Suppression| findings.iter().any(|finding| suppression.covers(finding)));
    Linted { findings, suppressions }
}
