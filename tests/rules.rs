//! Every rule's examples: those that fire do, those that do not stay silent.

#![allow(clippy::unwrap_used, reason = "what cannot be set up ends the test")]

mod recipe;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use enoexec::base::{Date, Quiet};
use enoexec::finding::{Example, Finding, IgnoreEntry, Looked, Policy, Rule, TextLocus, catalogue, rule};
use enoexec::format::kube::objects;
use enoexec::format::shell::Script;
use enoexec::format::yaml;
use enoexec::image::Limits;
use enoexec::node::Node;
use enoexec::pipeline::{LintRequest, Manifests, Request, check, lint, machines, preflight};
use enoexec::report::Report;
use enoexec::store::Target;
use enoexec::triage::{Subject, Symptom, diagnose};
use recipe::Recipe;

/// What is wrong with this example, if anything.
fn failure(rule: &Rule, example: &Example) -> Option<String> {
    if let Some(log) = &example.log {
        return log_failure(rule, example, log);
    }
    let findings = findings(example, Date::of(SystemTime::now()));
    let found: Vec<String> = findings.iter().map(|finding| format!("{} {}", finding.rule.id, finding.message)).collect();
    let fired = findings.iter().any(|finding| finding.rule.id == rule.id);
    let shown = format!("{} ({}), {}: found {found:?}", rule.id, rule.name, example.name);
    (fired != example.fires).then_some(shown)
}

/// What is found in an example that is no log.
fn findings(example: &Example, today: Date) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let report = match &example.image {
        Some(image) if !example.files.is_empty() => placed(&Recipe::from_toml(image), &example.files, folder.path()),
        Some(image) => checked(&Recipe::from_toml(image), folder.path()),
        None => linted(&example.files, folder.path()),
    };
    let written = TextLocus { file: "enoexec.toml".into(), ..TextLocus::default() };
    let ignored = example.ignore.iter().map(|entry| entry.suppression(written.clone()).unwrap());
    let suppressions = report.suppressions.iter().cloned().chain(ignored).collect();
    let policy = Policy { suppressions, ..Policy::everything(today) };
    let looked = Looked {
        families: &["EX1", "EX2", "EX3", "EX4"],
        targets: report.targets.iter().map(|target| target.target.clone()).collect(),
    };
    policy.apply(report.findings, &looked).findings
}

fn checked(recipe: &Recipe, folder: &Path) -> Report {
    recipe.write_layout(folder);
    let target: Target = format!("oci:{}", folder.display()).parse().unwrap();
    let nodes = recipe.nodes.iter().map(|node| Node::parse(node).unwrap()).collect();
    check(
        &Request { targets: vec![target], nodes, limits: Limits { diff_id: true, ..Limits::default() }, ..Request::default() },
        &Quiet,
    )
}

/// The files are manifests and nodes; every container has the image.
fn placed(recipe: &Recipe, files: &BTreeMap<String, String>, folder: &Path) -> Report {
    recipe.write_layout(folder);
    let target: Target = format!("oci:{}", folder.display()).parse().unwrap();
    let machines = machines(&files["nodes.yaml"]).unwrap();
    let objects = files.iter().filter(|(name, _)| *name != "nodes.yaml").flat_map(|(_, text)| objects(text).objects).collect();
    let images = [("*".to_owned(), target)].into();
    let found = preflight(&Manifests { objects, machines, images, ..Manifests::default() }, &Quiet);
    Report { findings: found.findings, ..Report::default() }
}

fn linted(files: &BTreeMap<String, String>, folder: &Path) -> Report {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    lint(&LintRequest { paths: vec![folder.to_owned()], ..LintRequest::default() }).unwrap().0
}

fn log_failure(rule: &Rule, example: &Example, log: &str) -> Option<String> {
    let symptom = Symptom { source: "log".into(), text: log.to_owned() };
    let causes = diagnose(Subject { symptoms: vec![symptom], ..Subject::default() }).hypotheses;
    let fired = causes.first().and_then(|first| first.cause.rule()).is_some_and(|first| first.id == rule.id);
    let found: Vec<&str> = causes.iter().map(|hypothesis| hypothesis.cause.name.as_str()).collect();
    let shown = format!("{} ({}), {}: found {found:?}", rule.id, rule.name, example.name);
    (fired != example.fires).then_some(shown)
}

#[test]
fn every_example_fires_or_stays_silent_as_it_says() {
    let examples = catalogue().iter().flat_map(|rule| rule.examples.iter().map(move |example| (rule, example)));
    let failures: Vec<String> = examples.filter_map(|(rule, example)| failure(rule, example)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_rule_shows_a_case_that_fires_and_one_that_does_not() {
    // A handler without flag F cannot be written as a node's text, so emulator-missing has no example.
    for rule in catalogue().iter().filter(|rule| rule.name != "emulator-missing") {
        assert!(rule.examples.iter().any(|example| example.fires), "{} never fires", rule.id);
        assert!(rule.examples.iter().any(|example| !example.fires), "{} always fires", rule.id);
    }
}

/// Rules of which nobody sees a line but from this tool.
const UNSEEN: &[&str] = &[
    "unused-ignore",
    "expired-ignore",
    "invalid-ignore",
    "cannot-tell",
    "compat-content",
    "missing-platform",
    "escaping-path",
    "limit-met",
    "placement-not-known",
];

/// Rules that no line of a file mends, and why.
const UNWRITTEN: &[(&str, &[&str])] = &[
    ("nothing is wrong", &["cannot-tell", "compat-content", "placement-not-known", "not-an-image", "limit-met"]),
    ("what wrote the file differs from case to case", &["broken-loader", "unknown-format", "missing-platform", "escaping-path"]),
    ("the copy is damaged", &["digest-mismatch", "diff-id-mismatch", "unreadable-layer", "corrupt-document"]),
    ("the image is made anew", &["foreign-layer", "schema-one", "unsupported-format"]),
    ("the node is mended", &["corrupt-image-cache", "disk-full", "security-policy", "kernel-too-old"]),
];

#[test]
fn every_page_has_its_sections() {
    let unwritten: Vec<&str> = UNWRITTEN.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    for rule in catalogue() {
        let sections = [&rule.summary, &rule.why, &rule.confirm, &rule.fix, &rule.ignore];
        assert!(sections.iter().all(|section| !section.trim().is_empty()), "{} lacks a section", rule.id);
        assert_eq!(rule.messages.is_empty(), UNSEEN.contains(&rule.name.as_str()), "{}: what people see", rule.id);
        let is_unwritten = unwritten.contains(&rule.name.as_str());
        assert_eq!(rule.after.is_empty(), is_unwritten, "{}: what it looks like when it is mended", rule.id);
        let is_told_before = rule.shown().is_some() || !rule.before.is_empty();
        assert!(is_told_before || is_unwritten, "{}: what it looks like before", rule.id);
    }
    let names = UNSEEN.iter().copied().chain(unwritten);
    names.for_each(|name| assert!(rule(name).is_some(), "{name}"));
}

/// An entry of `[[ignore]]`, as a page shows it.
#[derive(serde::Deserialize)]
struct Ignores {
    ignore: Vec<IgnoreEntry>,
}

/// What is found in a text of a page, in the place of what its rule's first example is made of: its file, or its entries of `[[ignore]]`. Lines
/// of Dockerfiles stand alone, and of other texts it is told whether they can be read.
fn found(rule: &Rule, text: &str) -> Vec<String> {
    let first = rule.examples.iter().find(|example| example.fires).cloned().unwrap_or_default();
    let example = match (rule.shown(), rule.language.as_str()) {
        (Some((name, _)), _) => Example { files: with(first.files.clone(), name, text), ..first },
        (None, "toml") => Example { ignore: toml::from_str::<Ignores>(text).unwrap().ignore, ..first },
        (None, "") => {
            let base = if text.trim_start().starts_with("FROM") { "" } else { "FROM scratch\n" };
            Example { files: with(BTreeMap::new(), "Dockerfile", &format!("{base}{text}")), ..Example::default() }
        }
        (None, "sh") if !Script::read(text.as_bytes()).is_whole => return vec!["unread".to_owned()],
        (None, "yaml") => return yaml::parse(text).1.map(|problem| problem.to_string()).into_iter().collect(),
        (None, _) => return Vec::new(),
    };
    findings(&example, "2026-11-01".parse().unwrap()).iter().map(|finding| finding.rule.id.clone()).collect()
}

fn with(mut files: BTreeMap<String, String>, name: &str, text: &str) -> BTreeMap<String, String> {
    files.insert(name.to_owned(), text.to_owned());
    files
}

#[test]
fn what_a_page_shows_as_mended_is_clean() {
    let mended = catalogue().iter().filter(|rule| !rule.after.is_empty());
    let wrong = mended.map(|rule| (rule, found(rule, &rule.after))).filter(|(_, found)| !found.is_empty());
    let wrong: Vec<String> = wrong.map(|(rule, found)| format!("{} {found:?}", rule.id)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_page_shows_as_wrong_is_found() {
    for rule in catalogue() {
        let before = rule.shown().map_or(rule.before.as_str(), |(_, text)| text);
        let found = found(rule, before);
        let is_judged = rule.shown().is_some() || rule.language == "toml";
        assert!(!is_judged || found.contains(&rule.id), "{} finds {found:?}", rule.id);
        let is_read = !found.iter().any(|id| id == "EX300" || enoexec::finding::rule(id).is_none());
        assert!(is_judged || is_read, "{} {found:?}", rule.id);
    }
}

#[test]
fn readers_of_elf_take_the_generated_files() {
    for name in ["x86_64", "i386", "aarch64", "arm", "ppc64", "s390", "riscv", "loongarch", "mips"] {
        let (machine, wide, big) = recipe::elf::machine(name);
        let (interp, needed) = (Some("/lib/ld.so".to_owned()), vec!["libc.so.6".to_owned(), "libm.so.6".to_owned()]);
        let bytes = recipe::elf::build(&recipe::elf::ElfRecipe {
            machine,
            wide,
            big,
            kind: 2,
            flags: 0,
            interp,
            needed,
            ..Default::default()
        });
        let elf = goblin::elf::Elf::parse(&bytes).unwrap();
        assert!(bytes.len() <= 400, "{name}: {} bytes", bytes.len());
        assert_eq!((elf.header.e_machine, elf.is_64, elf.little_endian), (machine, wide, !big), "{name}");
        assert_eq!(elf.interpreter, Some("/lib/ld.so"), "{name}");
        assert_eq!(elf.libraries, ["libc.so.6", "libm.so.6"], "{name}");
    }
}

#[test]
fn a_recipe_is_written_the_same_each_time() {
    let image = catalogue().first().unwrap().examples[0].image.as_ref().unwrap();
    let digests = [(); 2].map(|()| {
        let folder = tempfile::tempdir().unwrap();
        Recipe::from_toml(image).write_layout(folder.path());
        std::fs::read(folder.path().join("index.json")).unwrap()
    });
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn every_sample_is_a_recipe() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/samples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let recipe = Recipe::from_toml(&toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap());
            assert!(!recipe.layers.is_empty(), "{}", path.display());
        }
    }
}
