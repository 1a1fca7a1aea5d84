//! Files that are made from others are what their recipes make; `UPDATE=1 cargo test --test generated` writes them anew.

#![allow(clippy::unwrap_used, reason = "what cannot be made ends the test")]

mod recipe;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use recipe::Recipe;

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
}

#[test]
fn every_sample_is_what_its_recipe_makes() {
    let scratch = tempfile::tempdir().unwrap();
    for path in samples() {
        let made = scratch.path().join("made.tar");
        let recipe = Recipe::from_toml(&toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap());
        recipe.write_oci_archive(&made);
        let committed = path.with_extension("tar");
        if std::env::var_os("UPDATE").is_some() {
            fs::copy(&made, &committed).unwrap();
        }
        let same = fs::read(&committed).ok() == Some(fs::read(&made).unwrap());
        assert!(same, "{} is not what its recipe makes", committed.display());
    }
}

/// Holds the files of a folder against what they should be, by name; `UPDATE=1` writes them.
fn compare(folder: &str, made: &BTreeMap<String, String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if std::env::var_os("UPDATE").is_some() {
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        made.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
    }
    let paths = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap());
    let kept: BTreeMap<String, String> = paths.map(read).collect();
    for name in made.keys().chain(kept.keys()) {
        let hint = "`UPDATE=1 cargo test --test generated` writes it anew";
        assert!(made.get(name) == kept.get(name), "{}/{name}: {hint}", folder.display());
    }
}

#[test]
fn every_rule_has_its_page() {
    let pages = enoexec::finding::catalogue().iter().map(|rule| (format!("{}.md", rule.id), enoexec::report::rule_page(rule)));
    compare("docs/rules", &pages.collect());
}

#[test]
fn the_manual_and_the_completions_are_those_of_the_command_line() {
    let scratch = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_enoexec"));
        let output = command.args(words).current_dir(scratch.path()).output().unwrap();
        assert!(output.status.success(), "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["man", "."]);
    let pages = fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap());
    compare("docs/man", &pages.map(read).collect());
    let shells = ["bash", "elvish", "fish", "powershell", "zsh"];
    let completions = shells.iter().map(|shell| (format!("enoexec.{shell}"), run(&["completions", shell])));
    compare("docs/completions", &completions.collect());
}

#[test]
fn what_installs_a_release_names_this_one() {
    let named =
        regex::Regex::new(r"(?:enoexec[:-]|@v?|download/v|enoexec/v|version: v?|default: |rev: v)(\d+\.\d+\.\d+)").unwrap();
    for file in [
        "action.yml",
        ".pre-commit-hooks.yaml",
        "templates/check.yml",
        "integrations/argo/workflow-template.yaml",
        "integrations/krew/enoexec.yaml",
        "integrations/tekton/task.yaml",
        "docs/guides/ci-gate.md",
        "docs/guides/pull-requests.md",
    ] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let versions: BTreeSet<_> = named.captures_iter(&text).map(|found| found[1].to_owned()).collect();
        assert_eq!(versions, BTreeSet::from([env!("CARGO_PKG_VERSION").to_owned()]), "{file}");
    }
}
