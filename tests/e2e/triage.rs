//! Programs are really made to fail, and what they print leads `triage` to the cause.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::lab::{Lab, output, run, shell};
use crate::run::triage;

const NEEDS: &str = "runc, crun, shells, inits, languages and qemu-user";

/// A file that cannot be started, and why. Where the text of a failure allows several causes, it is enough that the true one is
/// among the first three.
const FILES: &[(&str, &str)] = &[
    ("foreign", "wrong-machine"),
    ("noloader", "loader-missing"),
    ("crlf.sh", "carriage-return"),
    ("nointerpreter.sh", "interpreter-missing"),
    ("noshebang.sh", "no-shebang"),
    ("empty", "empty-file"),
    ("mach-o", "mach-o"),
    ("archive", "archive"),
    ("page", "html"),
    ("pointer", "git-lfs-pointer"),
    ("bom.sh", "byte-order-mark"),
    ("nomode", "not-executable"),
    ("envcrlf.sh", "carriage-return"),
    ("envwords.sh", "interpreter-missing"),
    ("nonesuch", "missing"),
];

/// Makes the files in a folder.
fn files(folder: &Path) {
    let native = fs::read("/bin/true").unwrap();
    let mut foreign = native.clone();
    foreign[18..20].copy_from_slice(&243_u16.to_le_bytes());
    let mut noloader = native;
    let loader = noloader.windows(7).position(|bytes| bytes == b"/lib64/").unwrap();
    noloader[loader..loader + 6].copy_from_slice(b"/lib99");
    let texts: &[(&str, &[u8])] = &[
        ("foreign", &foreign),
        ("noloader", &noloader),
        ("crlf.sh", b"#!/bin/sh\r\necho hi\r\n"),
        ("nointerpreter.sh", b"#!/opt/none/sh\necho hi\n"),
        ("noshebang.sh", b"echo hi\n"),
        ("empty", b""),
        ("mach-o", b"\xcf\xfa\xed\xfe\x07\x00\x00\x01\x03\x00\x00\x00\x02\x00\x00\x00"),
        ("archive", b"!<arch>\nfoo"),
        ("page", b"<!DOCTYPE html>\n<html>404</html>\n"),
        ("pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12\n"),
        ("bom.sh", b"\xef\xbb\xbf#!/bin/sh\necho hi\n"),
        ("nomode", b"#!/bin/sh\n"),
        ("envcrlf.sh", b"#!/usr/bin/env bash\r\necho hi\r\n"),
        ("envwords.sh", b"#!/usr/bin/env bash -e\necho hi\n"),
    ];
    for (name, bytes) in texts {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        let mode = if *name == "nomode" { 0o644 } else { 0o755 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// How many runs there were, and what went wrong.
#[derive(Default)]
struct Tally {
    runs: usize,
    first: usize,
    wrong: Vec<String>,
}

impl Tally {
    /// Holds what was printed against the cause.
    fn hold(&mut self, lab: &Lab, what: &str, said: &str, cause: &str) {
        let report = triage(&lab.write("said", said), &[]);
        let causes: Vec<&str> =
            report.report["causes"].as_array().unwrap().iter().map(|row| row["cause"].as_str().unwrap()).collect();
        self.runs += 1;
        self.first += usize::from(causes.first() == Some(&cause));
        if report.code != 1 || !causes.iter().take(3).any(|name| *name == cause) {
            self.wrong.push(format!("{what} said {said:?}\n   is {cause}, not {causes:?}"));
        }
    }

    fn end(self, at_least: usize) {
        assert!(self.wrong.is_empty(), "{} of {}\n{}", self.wrong.len(), self.runs, self.wrong.join("\n"));
        assert!(self.runs >= at_least, "{} runs", self.runs);
        assert!(2 * self.first >= self.runs, "the true cause came first in only {} of {}", self.first, self.runs);
    }
}

/// What a line of shell prints that fails.
fn said(folder: &Path, words: &[&str]) -> String {
    let out = output(Command::new("timeout").arg("20").args(words).current_dir(folder).env("LC_ALL", "C"));
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[test]
fn shells() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    files(&lab.path("."));
    let mut tally = Tally::default();
    let shells: &[&[&str]] = &[&["bash"], &["dash"], &["busybox", "sh"], &["zsh"], &["mksh"], &["fish"]];
    for shell in shells {
        let name_of_it = shell[0];
        // A shell runs a text without `#!` by itself, and fish says nothing of what it cannot read.
        let told = FILES.iter().filter(|(name, _)| !["noshebang.sh", "empty"].contains(name));
        let unread = ["archive", "page", "pointer", "bom.sh", "mach-o", "nonesuch"];
        let told = told.filter(|(name, _)| name_of_it != "fish" || !unread.contains(name));
        let told = told.filter(|(name, _)| name_of_it != "mksh" || *name != "mach-o");
        for (name, cause) in told {
            let line = format!("./{name}; true");
            let words = [*shell, &["-c", line.as_str()]].concat();
            tally.hold(&lab, &words.join(" "), &said(&lab.path("."), &words), cause);
        }
        let words = [*shell, &["-c", "nonesuch; true"]].concat();
        tally.hold(&lab, &words.join(" "), &said(&lab.path("."), &words), "not-in-path");
    }
    tally.end(60);
}

#[test]
fn programs_that_start_others() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    files(&lab.path("."));
    let mut tally = Tally::default();
    let perl = "exec $ARGV[0], 'x' or die";
    let node = "require('child_process').spawn(process.argv[1]).on('error', error => { throw error })";
    let starters: &[&[&str]] = &[
        &["tini", "--"],
        &["dumb-init"],
        &["gosu", "root"],
        &["env"],
        &["setpriv"],
        &["nice"],
        &["execlineb", "-c"],
        &["chpst"],
        &["perl", "-we", perl],
        &["ruby", "-e", "exec([ARGV[0], ARGV[0]])"],
        &["node", "-e", node],
        &["python3", "-c", "import subprocess, sys; subprocess.run([sys.argv[1]])"],
    ];
    for starter in starters {
        for name in ["noloader", "crlf.sh", "nointerpreter.sh", "nomode"] {
            let cause = FILES.iter().find(|(file, _)| *file == name).unwrap().1;
            let path = format!("./{name}");
            let words = [*starter, &[path.as_str()]].concat();
            tally.hold(&lab, &words.join(" "), &said(&lab.path("."), &words), cause);
        }
    }
    // Of those that give no shell the file, also what a shell would have run.
    for starter in starters.iter().filter(|starter| ["gosu", "execlineb", "chpst", "python3"].contains(&starter[0])) {
        for name in ["foreign", "noshebang.sh"] {
            let cause = FILES.iter().find(|(file, _)| *file == name).unwrap().1;
            let path = format!("./{name}");
            let words = [*starter, &[path.as_str()]].concat();
            tally.hold(&lab, &words.join(" "), &said(&lab.path("."), &words), cause);
        }
    }
    tally.end(50);
}

#[test]
fn programs_in_go_java_and_rust() {
    let Some(lab) = Lab::open("Go, Java and Rust") else { return };
    files(&lab.path("."));
    let go = "package main\nimport (\"fmt\"; \"os\"; \"os/exec\")\nfunc main() { fmt.Println(exec.Command(os.Args[1]).Run()) }\n";
    let rust = "fn main() { std::process::Command::new(std::env::args().nth(1).unwrap()).spawn().unwrap(); }\n";
    let java = "class Main { public static void main(String[] a) throws Exception { new ProcessBuilder(a[0]).start(); } }\n";
    for (name, text) in [("main.go", go), ("main.rs", rust), ("Main.java", java)] {
        lab.write(name, text);
    }
    shell(&lab.path("."), "GOCACHE=$PWD/gocache go build -o go-main main.go; rustc -o rust-main main.rs");
    let mut tally = Tally::default();
    let starts: &[(&[&str], &[&str])] = &[
        (&["./go-main"], &["foreign", "noshebang.sh", "noloader", "crlf.sh", "nomode"]),
        (&["./rust-main"], &["foreign"]),
        (&["java", "Main.java"], &["noloader", "crlf.sh", "nomode"]),
    ];
    for (starter, names) in starts {
        for name in *names {
            let cause = FILES.iter().find(|(file, _)| file == name).unwrap().1;
            let path = format!("./{name}");
            let words = [*starter, &[path.as_str()]].concat();
            tally.hold(&lab, &words.join(" "), &said(&lab.path("."), &words), cause);
        }
    }
    tally.end(9);
}

#[test]
fn container_runtimes() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    fs::create_dir_all(lab.path("bundle/rootfs/bin")).unwrap();
    let bundle = lab.path("bundle");
    files(&bundle.join("rootfs"));
    run(Command::new("runc").arg("spec").current_dir(&bundle));
    let mut config: Value = serde_json::from_slice(&fs::read(bundle.join("config.json")).unwrap()).unwrap();
    config["process"]["terminal"] = json!(false);
    config["linux"].as_object_mut().unwrap().remove("resources");
    // crun refuses a hybrid cgroup hierarchy.
    let crun = "mount --make-rprivate /; umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
        exec crun --cgroup-manager=disabled run --bundle . \"$0\"";
    let id = format!("enoexec-t{}", std::process::id());
    let mut tally = Tally::default();
    for name in ["foreign", "noloader", "crlf.sh", "nointerpreter.sh", "noshebang.sh", "empty", "nomode", "nonesuch"] {
        let cause = FILES.iter().find(|(file, _)| *file == name).unwrap().1;
        config["process"]["args"] = json!([format!("/{name}")]);
        fs::write(bundle.join("config.json"), config.to_string()).unwrap();
        tally.hold(&lab, &format!("runc {name}"), &said(&bundle, &["runc", "run", &id]), cause);
        let words = ["unshare", "--mount", "sh", "-euc", crun, &id];
        tally.hold(&lab, &format!("crun {name}"), &said(&bundle, &words), cause);
    }
    tally.end(16);
}

/// Podman's own storage lies in the lab; the limits are such that a container may set them, and the cgroups such that crun takes them.
const PODMAN: &str = r#"
mount --make-rprivate /; umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
podman() {
    command podman --root store/root --runroot store/run --tmpdir store/tmp --storage-driver vfs --runtime crun --cgroup-manager cgroupfs "$@"
}
tar -C files -c . | podman import -q - localhost/files:1 > /dev/null
limits="--ulimit nofile=1024:1024 --ulimit nproc=1024:1024"
for name in "$@"; do
    podman run $limits --cgroups=disabled --network none --name "c-$name" localhost/files:1 "/$name" > "run-$name" 2>&1 || true
    podman logs "c-$name" > "logs-$name" 2>&1 || true
    podman inspect "c-$name" > "inspect-$name" || true
done
podman save -q -o saved.tar localhost/files:1
"#;

#[test]
fn podman() {
    let Some(lab) = Lab::open("root, podman and crun") else { return };
    fs::create_dir(lab.path("files")).unwrap();
    files(&lab.path("files"));
    let names = ["foreign", "noloader", "crlf.sh", "nointerpreter.sh", "noshebang.sh", "empty", "nomode", "nonesuch"];
    let words = ["--mount", "sh", "-euc", PODMAN, "podman"].iter().chain(&names);
    run(Command::new("unshare").args(words).current_dir(lab.path(".")));
    let mut tally = Tally::default();
    let read = |name: String| fs::read_to_string(lab.path(&name)).unwrap();
    for name in names {
        let cause = FILES.iter().find(|(file, _)| *file == name).unwrap().1;
        tally.hold(&lab, &format!("podman run {name}"), &read(format!("run-{name}")), cause);
        // What was never created has no log.
        if !["nomode", "nonesuch"].contains(&name) {
            tally.hold(&lab, &format!("podman logs {name}"), &read(format!("logs-{name}")), cause);
        }
    }
    tally.end(14);
    let saved = lab.path("saved.tar").display().to_string();
    let look = triage(&lab.path("inspect-foreign"), &["--image", &saved, "--node", "amd64"]);
    assert_eq!(look.report["subject"]["kind"], "container", "{}", look.shown());
    assert_eq!(look.report["causes"][0]["cause"], "wrong-machine", "{}", look.shown());
}

/// systemd as the first process of a namespace of its own, on a terminal that becomes its console; the last unit powers it off.
const SYSTEMD: &str = r#"
mount --make-rprivate /; mount -t tmpfs none /run
umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
mount --bind "$(tty)" /dev/console
units=/run/systemd/system; mkdir -p "$units"; all=
for file in files/*; do
    unit="t-${file##*/}.service"; all="$all $unit"
    printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=%s\n' "$PWD/$file" > "$units/$unit"
done
printf '[Unit]\nDefaultDependencies=no\nWants=%s end.service\nAfter=%s\n' "$all" "$all" > "$units/t.target"
printf '[Unit]\nDefaultDependencies=no\nAfter=t.target\n[Service]\nType=oneshot\nExecStart=/bin/sh -c "kill -48 1"\n' > "$units/end.service"
timeout 60 unshare --pid --fork --kill-child --mount-proc env container=other SYSTEMD_LOG_COLOR=0 \
    /lib/systemd/systemd --system --unit=t.target --log-target=console --show-status=0 || true
"#;

#[test]
fn systemd() {
    let Some(lab) = Lab::open("root, systemd and script") else { return };
    fs::create_dir(lab.path("files")).unwrap();
    files(&lab.path("files"));
    // A unit of a file that is not there.
    std::os::unix::fs::symlink("/none/such", lab.path("files/nonesuch")).unwrap();
    lab.write("run.sh", SYSTEMD);
    let words = ["-qec", "unshare --mount --cgroup sh -eu run.sh", "console"];
    output(Command::new("script").args(words).current_dir(lab.path(".")).stdin(std::process::Stdio::null()));
    let console = String::from_utf8_lossy(&fs::read(lab.path("console")).unwrap()).into_owned();
    let mut tally = Tally::default();
    for (name, cause) in FILES.iter().filter(|(name, _)| !name.starts_with("env")) {
        let lines: Vec<&str> = console.lines().filter(|line| line.contains(&format!("t-{name}.service: "))).collect();
        assert!(lines.iter().any(|line| line.contains("status=203/EXEC")), "{name}\n{console}");
        // Of the formats that a text cannot tell apart, only some are among the first three.
        if !["page", "pointer", "archive", "bom.sh", "mach-o", "empty"].contains(name) {
            tally.hold(&lab, &format!("systemd {name}"), &lines.join("\n"), cause);
        }
    }
    tally.end(7);
}

#[test]
fn systemd_refuses_the_unit_of_the_page_and_takes_the_mended_one() {
    let Some(lab) = Lab::open("systemd") else { return };
    let rule = enoexec::finding::rule("malformed-unit").unwrap();
    let refused = |unit: &str| {
        lab.write("shop.service", unit);
        said(&lab.path("."), &["systemd-analyze", "verify", "./shop.service"]).contains("bad unit file setting")
    };
    assert!(refused(&rule.before));
    assert!(!refused(&rule.after));
}

#[test]
fn emulators() {
    let Some(lab) = Lab::open("qemu-user") else { return };
    files(&lab.path("."));
    let mut tally = Tally::default();
    for emulator in ["qemu-aarch64-static", "qemu-arm-static", "qemu-riscv64-static"] {
        let native = said(&lab.path("."), &[emulator, "/bin/true"]);
        tally.hold(&lab, emulator, &native, "wrong-machine");
    }
    tally.end(3);
}

/// The image is built with a program for another machine; the line that runc prints of it is confirmed, and one that the image
/// cannot have printed is not.
#[test]
fn an_image_confirms_its_own_line() {
    let Some(lab) = Lab::open("nothing but the sample images") else { return };
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/wrong-machine.tar");
    let look = triage(&lab.write("said", "exec /usr/local/bin/app: exec format error"), &["--image", sample, "--node", "arm64"]);
    let first = &look.report["causes"][0];
    assert_eq!((&first["cause"], &first["confidence"]), (&"wrong-machine".into(), &"confirmed".into()), "{}", look.shown());
}
