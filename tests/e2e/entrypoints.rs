//! Entrypoint scripts of public images, which are not ours to keep: how far each is followed. `ENOEXEC_SCRIPTS` names a folder with
//! a folder for each script, which holds it as `script`, and beside it `meta.json`: the `path` that it has in its image, and the image's
//! `argv` and `env`.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{Write, stderr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::lab::{Lab, run};
use crate::packages::debian_file;
use crate::run::check_with;

#[derive(Deserialize)]
struct Start {
    path: String,
    argv: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
}

/// Words that are the shell's own, and those that are not looked for in PATH anyway.
const OWN: &str = "if then else elif fi case esac in for do done while until function exec exit return set shift cd export local declare \
    readonly unset read test true false echo printf eval command source trap wait type hash shopt let kill umask ulimit getopts alias";
const SHELLS: [&str; 5] = ["sh", "bash", "ash", "dash", "env"];

/// A root in which whatever a script may call is there, so that only the script itself decides how far it is followed.
fn root(lab: &Lab, stub: &Path, script: &[u8], start: &Start) -> PathBuf {
    let root = lab.path("root");
    _ = fs::remove_dir_all(&root);
    for folder in ["bin", "usr/bin", "etc", "tmp", "var"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    let text = String::from_utf8_lossy(script).into_owned();
    let parts = text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"_.+-".contains(letter));
    let own: BTreeSet<&str> = OWN.split_whitespace().collect();
    let bare = start.argv.iter().map(String::as_str).filter(|word| !word.contains(['/', ' ']));
    let names: BTreeSet<&str> = parts.chain(bare).chain(SHELLS).chain(["dpkg"]).collect();
    let is_name =
        |name: &&&str| name.starts_with(|first: char| first.is_ascii_alphabetic()) && !own.contains(*name) && name.len() < 200;
    for name in names.iter().filter(is_name) {
        fs::hard_link(stub, root.join("usr/bin").join(name)).unwrap();
        if SHELLS.contains(name) {
            fs::hard_link(stub, root.join("bin").join(name)).unwrap();
        }
    }
    let users: String = names.iter().map(|name| format!("{name}:x:7:7::/:/bin/sh\n")).collect();
    fs::write(root.join("etc/passwd"), &users).unwrap();
    fs::write(root.join("etc/group"), users.replace(":7::/:/bin/sh", ":")).unwrap();
    let place = |path: &str| {
        let place = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        _ = fs::remove_file(&place);
        place
    };
    for path in start.argv.iter().filter(|word| word.starts_with('/') && !word.contains(' ')) {
        fs::hard_link(stub, place(path)).unwrap();
    }
    let file = place(&start.path);
    fs::write(&file, script).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    root
}

#[test]
fn entrypoints_of_public_images_are_followed() {
    let Some(lab) = Lab::open("a folder of entrypoint scripts, named by ENOEXEC_SCRIPTS") else { return };
    let Some(folder) = env::var_os("ENOEXEC_SCRIPTS") else {
        writeln!(stderr(), "skipped entrypoints of public images: ENOEXEC_SCRIPTS names no folder of them").unwrap();
        return;
    };
    let stub = lab.write("stub", debian_file("amd64", "busybox-static", "bin/busybox"));
    run(std::process::Command::new("chmod").arg("755").arg(&stub));
    let (mut ends, mut all, mut undecided) = (BTreeMap::new(), 0, Vec::new());
    let mut places: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    places.sort();
    for place in places {
        let script = fs::read(place.join("script")).unwrap();
        let start: Start = serde_json::from_slice(&fs::read(place.join("meta.json")).unwrap()).unwrap();
        let root = root(&lab, &stub, &script, &start);
        let mut words = vec!["--node".to_owned(), "amd64".to_owned()];
        words.extend(start.argv.iter().map(|word| format!("--entrypoint={word}")));
        words.extend(start.env.iter().map(|variable| format!("--env={variable}")));
        words.push(format!("dir:{}", root.display()));
        let model = check_with(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let outcome = model.verdict()["outcome"].as_str().unwrap().to_owned();
        all += 1;
        if outcome == "unsure" {
            let why = model.findings().first().map(|finding| finding["message"].to_string()).unwrap_or_default();
            undecided.push(format!("{}: {why}", place.file_name().unwrap().display()));
        }
        *ends.entry(outcome).or_insert(0) += 1;
    }
    let ended: usize = undecided.iter().filter(|why| why.contains("exits with an error")).count();
    let followed = all - undecided.len();
    writeln!(
        stderr(),
        "entrypoints: {all} scripts, {followed} followed to their final exec, {ended} end by themselves: {ends:?}"
    )
    .unwrap();
    writeln!(stderr(), "{}", undecided.join("\n")).unwrap();
    assert!(all > 0 && followed * 4 >= all * 3, "{followed} of {all}");
}
