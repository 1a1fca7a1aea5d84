//! The house's first rule: imports point down only.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may end at once")]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, lowest first, as in `src/lib.rs`.
const FLOORS: &[&[&str]] = &[
    &["base"],
    &["format"],
    &["store"],
    &["image"],
    &["node"],
    &["exec"],
    &["finding"],
    &["check", "lint", "triage"],
    &["report"],
    &["pipeline"],
    &["app"],
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The rooms that a source file names as `crate::ROOM`, with the lines.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for rest in line.split("crate::").skip(1) {
            let room: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            found.push((number + 1, room));
        }
    }
    found
}

#[test]
fn imports_point_down_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let room = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let Some(own) = floor(&room) else { continue };
        for (line, other) in imports(&fs::read_to_string(&path).unwrap()) {
            let Some(their) = floor(&other) else { panic!("{}:{line}: `{other}` has no floor", path.display()) };
            if their > own || their == own && other != room {
                wrong.push(format!("{}:{line}: {room} imports {other}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_file_knows_async() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let knows =
        |path: &PathBuf| ["async ", ".await", "tokio::"].iter().any(|word| fs::read_to_string(path).unwrap().contains(word));
    let found: Vec<PathBuf> = sources(&root).into_iter().filter(knows).collect();
    assert_eq!(found, [root.join("store/http/wire.rs")]);
}

#[test]
fn every_room_has_a_floor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let room = name.trim_end_matches(".rs");
        assert!(matches!(room, "main" | "lib") || floor(room).is_some(), "{name} is not in the list of layers");
    }
}

#[test]
fn only_the_store_reads_the_outside_world_and_only_the_app_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let is_test = inside.ends_with("tests.rs");
        let code = if is_test { "" } else { text.split("#[cfg(test)]").next().unwrap() };
        let may_read = ["store", "app"].iter().any(|room| inside.starts_with(room));
        for outside in ["std::fs", "std::net", "env::var", "env::args", "std::process::Command", "File::open"] {
            assert!(may_read || !code.contains(outside), "{} uses {outside}", inside.display());
        }
        for printing in ["println!", "eprintln!", "io::stdout", "io::stderr"] {
            assert!(inside.starts_with("app") || !code.contains(printing), "{} uses {printing}", inside.display());
        }
    }
}
