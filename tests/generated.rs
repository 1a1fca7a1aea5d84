//! Files that are made from others are what their recipes make; `UPDATE=1 cargo test --test generated` writes them anew.

#![allow(clippy::unwrap_used, reason = "what cannot be made ends the test")]

mod recipe;

use std::fs;
use std::path::{Path, PathBuf};

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
