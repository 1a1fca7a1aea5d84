//! How long it takes to predict what execve says of thousands of paths: `cargo bench --bench predict`.
//!
//! The root file system is of this machine's own programs and libraries; the paths are its executables.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may stop, and prints")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use enoexec::base::GuestPath;
use enoexec::exec::predict_path;
use enoexec::image::{Credentials, EntryKind, LayerIndex, Limits, Rootfs};
use enoexec::node::Node;

const PATHS: usize = 3000;
const ROUNDS: usize = 5;

fn main() {
    let start = Instant::now();
    let rootfs = root();
    let read = start.elapsed();
    let is_program =
        |found: &enoexec::image::Found<'_>| matches!(found.entry.kind, EntryKind::File { .. }) && found.entry.mode & 0o111 != 0;
    let paths: Vec<GuestPath> = rootfs.iter().filter(is_program).map(|found| found.path).take(PATHS).collect();
    let (node, who) = (Node::host(), Credentials::default());
    let mut least = f64::MAX;
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..ROUNDS {
        outcomes.clear();
        let start = Instant::now();
        for path in &paths {
            let trace = predict_path(&rootfs, path.as_bytes(), b"/", &who, &node);
            *outcomes.entry(trace.outcome.name()).or_default() += 1;
        }
        least = least.min(start.elapsed().as_secs_f64());
    }
    println!("{} files read in {:.2} s", rootfs.iter().count(), read.as_secs_f64());
    println!("{} paths predicted in {:.1} ms, the least of {ROUNDS}: {outcomes:?}", paths.len(), least * 1e3);
}

/// What of this machine's programs and their loaders a container would have.
fn root() -> Rootfs {
    let scratch = tempfile::NamedTempFile::new().unwrap();
    let places = [
        "usr/bin",
        "usr/sbin",
        "usr/lib64",
        "usr/lib/x86_64-linux-gnu",
        "usr/lib/aarch64-linux-gnu",
        "bin",
        "sbin",
        "lib",
        "lib64",
    ];
    let there = places.iter().filter(|place| fs::symlink_metadata(Path::new("/").join(place)).is_ok());
    assert!(Command::new("tar").args(["-C", "/", "-cf"]).arg(scratch.path()).args(there).status().unwrap().success());
    Rootfs::stack(vec![LayerIndex::scan(scratch.reopen().unwrap(), &Limits::default()).into()])
}
