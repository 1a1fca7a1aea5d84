//! What RUN bodies that choose by architecture fetch: the linter's addresses are those of real shells, or it says that it cannot
//! know. The bodies are our own in `choices.Dockerfile`, and those of every file under `$ENOEXEC_DOCKERFILES`.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use enoexec::base::Platform;
use enoexec::finding::Finding;
use enoexec::format::dockerfile::Dockerfile;
use enoexec::lint::dockerfile::{Body, bodies};
use enoexec::lint::{self, Options};

use crate::lab::Lab;
use crate::shells::{MACHINES, World};

const OWN: &str = include_str!("choices.Dockerfile");

/// Whether a body chooses by architecture, and fetches.
fn is_asked(script: &str) -> bool {
    let questions = ["TARGETARCH", "TARGETPLATFORM", "uname ", "print-arch", "dpkg-architecture", "$(arch)", "`arch`"];
    let fetches = script.contains("curl") || script.contains("wget");
    fetches && !script.starts_with("#!") && questions.iter().any(|word| script.contains(word))
}

/// How the linter's addresses and what was fetched compare.
#[derive(Debug, Default)]
struct Tally {
    bodies: BTreeSet<String>,
    same: usize,
    unsure: usize,
    different: Vec<String>,
}

impl Tally {
    /// Holds every body of a Dockerfile against a real shell, on each machine.
    fn hold(&mut self, world: &World, name: &str, text: &str) {
        for machine in MACHINES {
            let asked =
                bodies(text, &machine.platform.parse::<Platform>().unwrap()).into_iter().filter(|body| is_asked(&body.script));
            for body in asked {
                let real: BTreeSet<String> = world.fetched(&body, machine).into_iter().collect();
                self.compare(&body, &real, &format!("{name} on {}", machine.platform));
                self.bodies.insert(body.script);
            }
        }
    }

    fn compare(&mut self, body: &Body, real: &BTreeSet<String>, place: &str) {
        let known: BTreeSet<String> = body.addresses.iter().flatten().cloned().collect();
        let is_unsure = body.addresses.iter().any(Result::is_err);
        let (invented, missed): (Vec<_>, Vec<_>) = (known.difference(real).collect(), real.difference(&known).collect());
        if !invented.is_empty() || !missed.is_empty() && !is_unsure {
            self.different.push(format!("{place}: invented {invented:?}, missed {missed:?}\n{}", body.script));
        } else if is_unsure {
            self.unsure += 1;
        } else {
            self.same += 1;
        }
    }

    fn judge(&self) {
        let Self { bodies, same, unsure, different } = self;
        let bodies = bodies.len();
        writeln!(io::stderr(), "{bodies} bodies on three platforms: {same} times the same, {unsure} times said to be unsure")
            .unwrap();
        assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
    }
}

/// The Dockerfiles that whoever runs the tests names, by path.
fn others() -> Vec<(PathBuf, String)> {
    let Some(folder) = env::var_os("ENOEXEC_DOCKERFILES").filter(|folder| !folder.is_empty()) else { return Vec::new() };
    let (mut open, mut found) = (vec![PathBuf::from(folder)], Vec::new());
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push((path, text));
        }
    }
    found.sort();
    found
}

#[test]
fn run_bodies_fetch_what_real_shells_fetch() {
    let Some(lab) = Lab::open("dash, bash, busybox and root's chroot") else { return };
    let (world, mut tally) = (World::new(&lab), Tally::default());
    for stage in OWN.split("\nFROM ").skip(1) {
        tally.hold(&world, stage.lines().next().unwrap(), &format!("FROM {stage}"));
    }
    assert!(tally.bodies.len() >= 40 && tally.same > 3 * tally.unsure, "{tally:?}");
    for (path, text) in others() {
        tally.hold(&world, &path.display().to_string(), &text);
    }
    tally.judge();
}

fn judged(path: &Path, text: &str) -> Vec<Finding> {
    lint::lint(&path.display().to_string(), text, &Options::default()).unignored()
}

/// What `--fix` makes of a file, and how many findings it mends; of their rules there are so many fewer, and all still reads.
fn fixed(path: &Path, text: &str) -> (String, usize) {
    let before = judged(path, text);
    let wanted = before.iter().filter(|finding| !finding.edits.is_empty()).map(Finding::fingerprint).collect();
    let fixed = lint::fix(text, &wanted, &|text| judged(path, text));
    let after = judged(path, &fixed.text);
    for mended in &fixed.applied {
        let of_rule = |findings: &[Finding]| findings.iter().filter(|finding| finding.rule.id == mended.rule.id).count();
        assert!(of_rule(&after) + of_rule(&fixed.applied) <= of_rule(&before), "{}: {}", path.display(), mended.rule.id);
    }
    let problems = |text: &str| Dockerfile::parse(text).problems.len();
    assert!(problems(&fixed.text) <= problems(text), "{}", path.display());
    (fixed.text, fixed.applied.len())
}

#[test]
fn mended_files_fetch_for_amd64_what_they_fetched_before() {
    let Some(lab) = Lab::open("dash, bash, busybox and root's chroot") else { return };
    let (world, mut tally) = (World::new(&lab), Tally::default());
    let own = "FROM debian:12\nRUN curl -LO https://get.helm.sh/helm-v3.14.0-linux-amd64.tar.gz && tar xzf helm-v3.14.0-linux-amd64.tar.gz\n";
    let own = (PathBuf::from("Dockerfile"), own.to_owned());
    let (mut files, mut mended) = (0, 0);
    for (path, text) in std::iter::once(own).chain(others()) {
        let (after, count) = fixed(&path, &text);
        if count > 0 {
            (files, mended) = (files + 1, mended + count);
            let name = path.display().to_string();
            let fetched = |text: &str| -> BTreeSet<String> {
                let machine = MACHINES[0];
                let bodies = bodies(text, &machine.platform.parse::<Platform>().unwrap());
                bodies.iter().flat_map(|body| world.fetched(body, machine)).collect()
            };
            tally.hold(&world, &name, &after);
            assert_eq!(fetched(&text), fetched(&after), "{name}");
        }
    }
    writeln!(io::stderr(), "{mended} findings mended in {files} files").unwrap();
    assert!(files > 0);
    tally.judge();
}
