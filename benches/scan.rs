//! What a scan costs beside inflating the same bytes, and beside unpacking them: `cargo bench --bench scan`.
//!
//! Every measurement is a process of its own; the minimum of three interleaved rounds counts.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark may stop, and prints")]

mod image;

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use enoexec::base::{Quiet, parallel_map};
use enoexec::image::{LayerIndex, Limits};
use enoexec::pipeline::{self, Request};

use image::{LAYERS, layers, prepare};

const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-scan");
    match arguments.iter().position(|argument| argument == "--measure") {
        Some(at) => measure(&arguments[at + 1], &folder),
        None => compare(&folder),
    }
}

/// What one process cost.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
    peak_mib: f64,
}

impl Cost {
    fn least(self, other: Self) -> Self {
        let peak_mib = self.peak_mib.max(other.peak_mib);
        Self { wall: self.wall.min(other.wall), cpu: self.cpu.min(other.cpu), peak_mib }
    }
}

fn compare(folder: &Path) {
    let unpacked = prepare(folder);
    let works = ["inflate", "scan", "check", "check --verify-diffids"];
    let mut costs: Vec<Option<Cost>> = vec![None; works.len()];
    let mut unpacking: Option<f64> = None;
    for _ in 0..ROUNDS {
        for (work, least) in works.iter().zip(&mut costs) {
            let cost = in_child(work);
            *least = Some(least.map_or(cost, |least| least.least(cost)));
        }
        if let Some(wall) = unpack_and_scanelf(folder) {
            unpacking = Some(unpacking.map_or(wall, |least| least.min(wall)));
        }
    }
    let inflate = costs[0].unwrap();
    println!("{LAYERS} gzip layers, {} MiB unpacked; the least of {ROUNDS}", unpacked >> 20);
    println!("{:28} {:>7} {:>7} {:>9} {:>7} {:>7}", "", "wall s", "CPU s", "peak MiB", "wall ×", "CPU ×");
    for (work, cost) in works.iter().zip(&costs) {
        let Cost { wall, cpu, peak_mib } = cost.unwrap();
        let (walls, cpus) = (wall / inflate.wall, cpu / inflate.cpu);
        println!("{work:28} {wall:7.2} {cpu:7.2} {peak_mib:9.1} {walls:7.2} {cpus:7.2}");
    }
    match unpacking {
        Some(wall) => {
            let check = costs[2].unwrap();
            println!("{:28} {wall:7.2} {:25.2}", "umoci unpack + scanelf -R", wall / inflate.wall);
            println!("umoci and scanelf take {:.1} times as long as check", wall / check.wall);
        }
        None => println!("umoci or scanelf is not installed: not compared"),
    }
}

/// Runs one kind of work in this process and prints its cost.
fn measure(work: &str, folder: &Path) {
    let layers = layers(folder);
    let start = Instant::now();
    match work {
        "inflate" => layers.iter().for_each(|layer| inflate(layer)),
        "scan" => scan(&layers),
        "check" => check(folder, false),
        _ => check(folder, true),
    }
    println!("{} {} {}", start.elapsed().as_secs_f64(), cpu_seconds(), peak_mib());
}

fn inflate(layer: &Path) {
    let input = BufReader::with_capacity(64 << 10, File::open(layer).unwrap());
    let mut decoder = flate2::bufread::MultiGzDecoder::new(input);
    let mut buffer = vec![0; 256 << 10];
    while decoder.read(&mut buffer).unwrap() > 0 {}
}

/// The whole way from the layout to the verdict.
fn check(folder: &Path, diff_id: bool) {
    let target = format!("oci:{}:bench", folder.join("layout").display()).parse().unwrap();
    let report = pipeline::check(
        &Request { targets: vec![target], limits: Limits { diff_id, ..Limits::default() }, ..Request::default() },
        &Quiet,
    );
    assert_eq!(report.targets[0].images[0].image.damage, []);
}

fn scan(layers: &[PathBuf]) {
    let indexes = parallel_map(layers, |layer| LayerIndex::scan(File::open(layer).unwrap(), &Limits::default()));
    for (index, layer) in indexes.iter().zip(layers) {
        assert_eq!(index.damage, [], "{}", layer.display());
        assert!(index.entries.len() > 1 && index.stored.is_some());
    }
}

/// User and system time of this process with all of its threads (proc(5), `/proc/pid/stat`, fields 14 and 15 in ticks of 10 ms).
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}

fn in_child(work: &str) -> Cost {
    let output =
        Command::new(std::env::current_exe().unwrap()).args(["--measure", work]).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{work} failed");
    let numbers: Vec<f64> = String::from_utf8(output.stdout).unwrap().split_whitespace().map(|n| n.parse().unwrap()).collect();
    Cost { wall: numbers[0], cpu: numbers[1], peak_mib: numbers[2] }
}

/// The usual way to the same answer, in seconds; `None` where the tools are missing.
fn unpack_and_scanelf(folder: &Path) -> Option<f64> {
    let bundle = folder.join("bundle");
    let _ = fs::remove_dir_all(&bundle);
    let image = format!("{}:bench", folder.join("layout").display());
    let start = Instant::now();
    let quiet = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let unpacked = quiet(Command::new("umoci").args(["unpack", "--rootless", "--image", &image]).arg(&bundle)).ok()?;
    quiet(Command::new("scanelf").arg("-R").arg(bundle.join("rootfs"))).ok()?;
    let wall = start.elapsed().as_secs_f64();
    let _ = fs::remove_dir_all(&bundle);
    unpacked.success().then_some(wall)
}
