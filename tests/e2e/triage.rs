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
