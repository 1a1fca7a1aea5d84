//! The kernel is the oracle: what `exec` predicts is held against what real kernels answered to thousands of files.
//!
//! `tests/oracle/answers/` keeps the answers, so `cargo test` compares with every kernel and boots none. `ENOEXEC_E2E=1` boots some
//! kernels anew, `ENOEXEC_ORACLE=all` (or names of kernels) those, `ENOEXEC_ORACLE_SEEDS` with other seeds; `UPDATE=1` keeps what they say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may end at once")]
#![allow(clippy::explicit_write, reason = "the test harness swallows what `eprintln!` prints")]
#![allow(unreachable_pub, reason = "`pub` says what the tests may use")]

mod answers;
mod cases;
mod elf;
mod host;
mod kernels;
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
#[path = "../e2e/lab.rs"]
mod lab;
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
#[path = "../e2e/packages.rs"]
mod packages;
mod random;
mod real;
mod world;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use enoexec::base::{Digest, escape, parallel_map};
use enoexec::exec::{Outcome, predict_path};
use enoexec::image::{Credentials, Rootfs};
use enoexec::node::Node;

use answers::{Answer, Table};
use cases::generate;
use kernels::{KERNELS, Kernel};
use world::{Who, World};

/// The seed with which the model was written, and those that it had not seen.
const SEEDS: &[u64] = &[1, 2, 3, 4];

/// What CI boots.
const ALWAYS: &[&str] = &["amd64", "arm64", "armhf", "s390x"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/answers")
}

fn identity(world: &World) -> String {
    Digest::of(&world.initramfs(b"")).short().to_owned()
}

fn credentials(who: Who) -> Credentials {
    match who {
        Who::Root => Credentials::default(),
        Who::User => Credentials { uid: 1000, gid: 1000, groups: vec![100], dac_override: false },
        Who::BareRoot => Credentials { dac_override: false, ..Credentials::default() },
    }
}

/// All disagreements, in words.
fn compare(name: &str, node: &Node, world: &World, answers: &[Answer]) -> Vec<String> {
    compare_in(&world.rootfs(), name, node, world, answers)
}

/// The same where more is known of the root than what lies in it.
fn compare_in(rootfs: &Rootfs, name: &str, node: &Node, world: &World, answers: &[Answer]) -> Vec<String> {
    assert_eq!(world.cases.len(), answers.len(), "{name}");
    let mut wrong = Vec::new();
    for (number, (case, answer)) in world.cases.iter().zip(answers).enumerate() {
        let trace = predict_path(rootfs, &case.path, &case.cwd, &credentials(case.who), node);
        if !answer.agrees(&trace.outcome) {
            let (path, cwd) = (escape(&case.path), escape(&case.cwd));
            wrong.push(format!(
                "{name} #{number} {path} in {cwd} as {:?}: kernel {answer:?}, model {:?}",
                case.who, trace.outcome
            ));
        }
    }
    wrong
}

/// Counts what the model says of what execve accepted: not compared, but worth a look.
fn fates(kernel: &Kernel, world: &World, answers: &[Answer]) -> String {
    let node = kernel.node();
    let rootfs = world.rootfs();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (case, answer) in world.cases.iter().zip(answers) {
        let outcome = predict_path(&rootfs, &case.path, &case.cwd, &credentials(case.who), &node).outcome;
        let model = match outcome {
            Outcome::Dies { signal, .. } => format!("dies {signal}"),
            other => other.name().to_owned(),
        };
        if *answer == Answer::Exit(0) && model.starts_with("dies") && env::var_os("ENOEXEC_ORACLE_FATES").is_some() {
            tell(&format!(
                "{} {} lives: {:?}",
                kernel.name,
                escape(&case.path),
                predict_path(&rootfs, &case.path, &case.cwd, &credentials(case.who), &node)
            ));
        }
        if !matches!(answer, Answer::Errno(_)) {
            *counts.entry(format!("kernel {answer:?} model {model}")).or_default() += 1;
        }
    }
    counts.iter().map(|(what, count)| format!("  {count:5} {what}\n")).collect()
}

/// Whether a test may run that needs more than Rust; else it says what.
fn is_asked_for(needs: &str) -> bool {
    let is_asked = env::var_os("ENOEXEC_E2E").is_some_and(|value| !value.is_empty() && value != "0");
    if !is_asked {
        tell(&format!("skipped {}: it needs {needs}; ENOEXEC_E2E=1 runs it", std::thread::current().name().unwrap_or("a test")));
    }
    is_asked
}

fn tell(text: &str) {
    writeln!(std::io::stderr(), "{text}").unwrap();
}

#[test]
fn the_model_says_what_every_kernel_said() {
    let all: Vec<(&Kernel, u64)> = KERNELS.iter().flat_map(|kernel| SEEDS.iter().map(move |seed| (kernel, *seed))).collect();
    let replayed = parallel_map(&all, |(kernel, seed)| replay(kernel, *seed));
    let cases: usize = replayed.iter().map(|(cases, _)| cases).sum();
    let wrong: Vec<&String> = replayed.iter().flat_map(|(_, wrong)| wrong).collect();
    tell(&format!("oracle: {cases} answers in {} tables, {} disagreements", all.len(), wrong.len()));
    let first: Vec<&str> = wrong.iter().take(60).map(|line| line.as_str()).collect();
    assert!(wrong.is_empty(), "{} of {cases}\n{}", wrong.len(), first.join("\n"));
}

/// How many answers a table has, and the disagreements.
fn replay(kernel: &Kernel, seed: u64) -> (usize, Vec<String>) {
    let path = folder().join(format!("{}-{seed}.txt", kernel.name));
    let world = generate(kernel.native, kernel.sibling, seed);
    let table = Table::load(&path);
    assert_eq!(table.world, identity(&world), "{}: the generator has changed since: ask again", path.display());
    if env::var_os("ENOEXEC_ORACLE_FATES").is_some() {
        tell(&format!("{} {seed}\n{}", kernel.name, fates(kernel, &world, &table.answers)));
    }
    (world.cases.len(), compare(kernel.name, &kernel.node(), &world, &table.answers))
}

#[test]
fn kernels_booted_anew_say_what_the_model_says() {
    let named = env::var("ENOEXEC_ORACLE").unwrap_or_default();
    let asked = |kernel: &&Kernel| match named.as_str() {
        "" => ALWAYS.contains(&kernel.name),
        "all" => true,
        names => names.split(',').any(|name| name == kernel.name),
    };
    if named.is_empty() && !is_asked_for("qemu-system, cross compilers and Debian's kernels") {
        return;
    }
    let seeds = env::var("ENOEXEC_ORACLE_SEEDS").ok().map(|seeds| seeds.split(',').map(|seed| seed.parse().unwrap()).collect());
    let seeds: Vec<u64> = seeds.unwrap_or_else(|| vec![SEEDS[0]]);
    let real = real::programs();
    let mut wrong = Vec::new();
    for kernel in KERNELS.iter().filter(asked) {
        for seed in &seeds {
            wrong.extend(ask(kernel, *seed));
        }
        let (version, answers) = kernel.ask(&real);
        let disagreements = compare(kernel.name, &kernel.node(), &real, &answers);
        tell(&format!(
            "{} real programs: Linux {version}, {} cases, {} disagreements",
            kernel.name,
            answers.len(),
            disagreements.len()
        ));
        wrong.extend(disagreements);
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.iter().take(60).cloned().collect::<Vec<_>>().join("\n"));
}

fn ask(kernel: &Kernel, seed: u64) -> Vec<String> {
    let world = generate(kernel.native, kernel.sibling, seed);
    let (version, answers) = kernel.ask(&world);
    let wrong = compare(kernel.name, &kernel.node(), &world, &answers);
    tell(&format!("{} seed {seed}: Linux {version}, {} cases, {} disagreements", kernel.name, answers.len(), wrong.len()));
    tell(&fates(kernel, &world, &answers));
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(folder()).unwrap();
        Table { version, world: identity(&world), answers }.write(&folder().join(format!("{}-{seed}.txt", kernel.name)));
    }
    wrong
}
