//! An image, the registry that has it, and the program that pulls it.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use enoexec::base::Digest;
use serde_json::Value;
use tempfile::TempDir;

use crate::recipe::Recipe;
use crate::server::{Reply, Request, Server};

/// Every run ends within this, however the registry behaves.
const PATIENCE: Duration = Duration::from_secs(60);

/// Memory that a run may take at most: far less than what the worst registries here send.
const MOST_KIB: u64 = 96 << 10;

/// An image in a layout on disk, and what its documents are called.
pub struct Image {
    folder: TempDir,
    pub manifest: Digest,
    pub config: String,
    /// The digests of the layers, lowest first.
    pub layers: Vec<String>,
}

/// An image of two layers: an arm64 program, and so many bytes of noise, which no compression makes smaller.
pub fn image(noise: usize) -> Arc<Image> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut hex = String::new();
    for _ in 0..noise {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        hex += &format!("{:02x}", state & 0xff);
    }
    recipe(&format!(
        "config = \"linux/arm64\"\nentrypoint = [\"/app\"]\n[[layer]]\nfiles = [{{path = \"/app\", elf = \"aarch64\"}}]\n\
         [[layer]]\nfiles = [{{path = \"/noise\", hex = \"{hex}\"}}]\n"
    ))
}

pub fn recipe(text: &str) -> Arc<Image> {
    let folder = tempfile::tempdir().unwrap();
    Recipe::from_toml(&toml::from_str(text).unwrap()).write_layout(folder.path());
    let index: Value = serde_json::from_slice(&std::fs::read(folder.path().join("index.json")).unwrap()).unwrap();
    let manifest: Digest = index["manifests"][0]["digest"].as_str().unwrap().parse().unwrap();
    let document: Value = serde_json::from_slice(&blob(folder.path(), &manifest.to_string()).unwrap()).unwrap();
    let name = |value: &Value| value["digest"].as_str().unwrap().to_owned();
    let layers = document["layers"].as_array().unwrap().iter().map(name).collect();
    Arc::new(Image { manifest, config: name(&document["config"]), layers, folder })
}

fn blob(folder: &Path, digest: &str) -> Option<Vec<u8>> {
    std::fs::read(folder.join("blobs").join(digest.replacen(':', "/", 1))).ok()
}

impl Image {
    pub fn blob(&self, digest: &str) -> Option<Vec<u8>> {
        blob(self.folder.path(), digest)
    }

    /// What is said of it when it is read from disk.
    pub fn report_from_disk(&self) -> Value {
        report(&enoexec(&["check", "--format=json", &format!("oci:{}", self.folder.path().display())]).output)
    }

    /// What a registry without faults answers; every tag is this image.
    pub fn answer(&self, request: &Request) -> Reply {
        let path = request.path.split('?').next().unwrap();
        let Some((_, name)) = path.strip_prefix("/v2/").and_then(|rest| rest.rsplit_once('/')) else {
            return Reply::new(200, "{}");
        };
        let digest = if name.contains(':') { name.to_owned() } else { self.manifest.to_string() };
        let media_type =
            if path.contains("/manifests/") { "application/vnd.oci.image.manifest.v1+json" } else { "application/octet-stream" };
        match self.blob(&digest) {
            Some(bytes) => Reply::new(200, bytes).with("Content-Type", media_type).ranged(request),
            None => Reply::new(404, r#"{"errors": [{"code": "BLOB_UNKNOWN", "message": "blob unknown"}]}"#),
        }
    }

    pub fn is_layer(&self, request: &Request, place: usize) -> bool {
        request.path.ends_with(&self.layers[place])
    }
}

/// A registry that has the image, but answers with what `fault` gives, where that is something.
pub fn registry(image: &Arc<Image>, fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Server {
    let image = Arc::clone(image);
    Server::start(move |request| fault(request).unwrap_or_else(|| image.answer(request)))
}

/// A run that has ended.
pub struct Run {
    pub output: Output,
}

impl Run {
    /// All that was printed.
    pub fn text(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.output.stdout), String::from_utf8_lossy(&self.output.stderr))
    }

    pub fn code(&self) -> i32 {
        self.output.status.code().unwrap()
    }
}

/// Runs the program without anything of whoever runs the test.
pub fn enoexec(arguments: &[&str]) -> Run {
    enoexec_with(arguments, |_| {})
}

/// The same, with more set.
pub fn enoexec_with(arguments: &[&str], set: impl FnOnce(&mut Command)) -> Run {
    let home = tempfile::tempdir().unwrap();
    let (out, err) = (home.path().join("out"), home.path().join("err"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_enoexec"));
    command.args(arguments).env_clear().env("HOME", home.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("ENOEXEC_NO_CACHE", "true").env("CONTAINERS_REGISTRIES_CONF", home.path().join("registries.conf"));
    command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
    set(&mut command);
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = resident(child.id()).unwrap_or(peak_kib);
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if began.elapsed() > PATIENCE => {
                child.kill().unwrap();
                panic!("{arguments:?} has no end: {}", std::fs::read_to_string(&err).unwrap());
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert!(peak_kib < MOST_KIB, "{arguments:?} took {peak_kib} KiB");
    Run { output: Output { status, stdout: std::fs::read(out).unwrap(), stderr: std::fs::read(err).unwrap() } }
}

/// The most memory that a process has had, where the system tells.
fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// `check` of `app:1` at the server, as JSON, hasty where it fails.
pub fn check(server: &Server, more: &[&str]) -> Run {
    let target = format!("{}/acme/app:1", server.address);
    enoexec_with(&[&["check", "--format=json", &target], more].concat(), |command| {
        command.env("ENOEXEC_RETRIES", "2").env("ENOEXEC_TIMEOUT", "2");
    })
}

pub fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The report without what names the target.
pub fn anonymous(mut report: Value) -> Value {
    for target in report["targets"].as_array_mut().unwrap() {
        target["target"] = Value::Null;
        target["digest"] = Value::Null;
    }
    for finding in report["findings"].as_array_mut().unwrap() {
        finding["locus"]["target"] = Value::Null;
        finding["fingerprint"] = Value::Null;
    }
    report
}

/// The rules of all findings.
pub fn rules(run: &Run) -> Vec<String> {
    let report = report(&run.output);
    report["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that the pull went as if nothing had happened.
pub fn assert_as_from_disk(image: &Image, run: &Run, context: &str) {
    assert_eq!(anonymous(report(&run.output)), anonymous(image.report_from_disk()), "{context}: {}", run.text());
    assert_eq!(run.code(), 0, "{context}");
}
