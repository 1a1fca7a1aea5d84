//! RUN bodies as real shells run them: dash and bash in a root of their own, with stand-ins for the programs that tell the architecture
//! and for those that fetch. A fetch writes its addresses down; every other program that a body names succeeds and does nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use enoexec::lint::dockerfile::Body;

use crate::lab::{Lab, run, shell};

/// A platform, with what programs on it say of the machine.
#[derive(Clone, Copy)]
pub struct Machine {
    pub platform: &'static str,
    uname: &'static str,
    debian: &'static str,
    alpine: &'static str,
    multiarch: &'static str,
}

pub const MACHINES: [Machine; 3] = [
    Machine { platform: "linux/amd64", uname: "x86_64", debian: "amd64", alpine: "x86_64", multiarch: "x86_64-linux-gnu" },
    Machine { platform: "linux/arm64", uname: "aarch64", debian: "arm64", alpine: "aarch64", multiarch: "aarch64-linux-gnu" },
    Machine { platform: "linux/arm/v7", uname: "armv7l", debian: "armhf", alpine: "armv7", multiarch: "arm-linux-gnueabihf" },
];

/// The programs that work on texts; busybox has them.
const TEXTS: &str =
    "awk basename cut dirname echo egrep expr false fgrep grep head ls mktemp printf seq sort tail test tr true uniq wc xargs [";

/// Those that work on files. Most of what they are told to work on was never fetched, so they always succeed.
const FILES: &str = "cat cp ln mkdir mv rm rmdir sed tee touch";

/// Writes addresses down, and makes an empty file of what would be fetched: it may be run next.
const FETCH: &str = "for word; do case \"$word\" in *://*) echo \"$word\" >> /fetched; touch \"${word##*/}\" ;; -*) ;; \
     *) case \"$last\" in -*[oO]) touch \"$word\" ;; esac ;; esac; last=$word; done";

/// The stand-ins, as scripts of dash.
const STAND_INS: &[(&str, &str)] = &[
    ("curl", FETCH),
    ("wget", FETCH),
    ("uname", "case \"$1\" in -m|-i|--machine) echo $MACHINE ;; -sm) echo Linux $MACHINE ;; *) echo Linux ;; esac"),
    ("arch", "echo $MACHINE"),
    ("dpkg", "case \"$*\" in --print-architecture) echo $DEBIAN ;; esac"),
    ("dpkg-architecture", "case \"$*\" in *_MULTIARCH) echo $MULTIARCH ;; *) echo $DEBIAN ;; esac"),
    ("apk", "case \"$*\" in --print-arch) echo $ALPINE ;; esac"),
    (
        "env",
        "while :; do case \"$1\" in -u) shift 2 ;; -*) shift ;; *=*) export \"$1\"; shift ;; *) break ;; esac; done; exec \"$@\"",
    ),
    ("sudo", "while :; do case \"$1\" in -[ugp]) shift 2 ;; -*) shift ;; *) break ;; esac; done; exec \"$@\""),
    ("timeout", "while :; do case \"$1\" in -[ks]) shift 2 ;; [0-9]*) shift; break ;; *) shift ;; esac; done; exec \"$@\""),
    ("nothing", ":"),
];

/// A directory that a program would have made is there when it is entered.
const BEFORE: &str = "cd() { command cd \"$@\" 2>/dev/null || { mkdir -p \"$1\"; command cd \"$1\"; }; }\n";

/// The root in which bodies run.
pub struct World {
    template: PathBuf,
    copy: PathBuf,
}

impl World {
    pub fn new(lab: &Lab) -> Self {
        let template = lab.path("root");
        fs::create_dir_all(template.join("bin")).unwrap();
        let line = format!(
            "for name in bash dash busybox; do path=$(readlink -f $(command -v $name)); cp $path bin/$name; \
             for library in $(ldd $path 2>/dev/null | grep -o '/[^ )]*'); do mkdir -p .$(dirname $library); cp -L $library .$library; done; done; \
             mkdir -p tmp dev etc opt root home var/lib var/cache usr/bin usr/lib usr/sbin usr/share usr/src usr/local/bin usr/local/lib; \
             printf 'ID=debian\\nVERSION_ID=12\\nVERSION_CODENAME=bookworm\\n' > etc/os-release; \
             ln -s dash bin/sh; for name in {TEXTS}; do ln -s busybox bin/$name; done"
        );
        shell(&template, &line);
        for name in FILES.split(' ') {
            program(&template, name, &format!("/bin/busybox {name} \"$@\" 2>/dev/null; exit 0"));
        }
        STAND_INS.iter().for_each(|(name, text)| program(&template, name, text));
        Self { template, copy: lab.path("copy") }
    }

    /// The addresses that a body fetches on a machine, in order.
    pub fn fetched(&self, body: &Body, machine: Machine) -> Vec<String> {
        let mut given: Vec<String> = Vec::new();
        loop {
            self.prepare(&body.script);
            let mut command = self.command(body, machine);
            command.envs(given.iter().map(|name| (name, "given")));
            let errors = String::from_utf8_lossy(&command.output().unwrap().stderr).into_owned();
            // `set -u` and a variable that a secret or whoever builds supplies.
            match unset(&errors).filter(|name| !given.iter().any(|given| given == name)) {
                Some(name) => given.push(name.to_owned()),
                None => break,
            }
        }
        let fetched = fs::read_to_string(self.copy.join("fetched")).unwrap_or_default();
        fetched.lines().map(ToOwned::to_owned).collect()
    }

    fn command(&self, body: &Body, machine: Machine) -> Command {
        let name = if body.shell.contains("bash") { "/bin/bash" } else { "/bin/sh" };
        let mut command = Command::new("timeout");
        command.args(["10", "/usr/sbin/chroot"]).arg(&self.copy).args([name, "/body"]).stdin(Stdio::null());
        command.env_clear().env("HOME", "/root").envs(body.variables.iter().cloned()).env("PATH", "/bin");
        command.env("MACHINE", machine.uname).env("DEBIAN", machine.debian).env("ALPINE", machine.alpine);
        command.env("MULTIARCH", machine.multiarch);
        command
    }

    /// A fresh copy of the root, with every program and folder that a body names.
    fn prepare(&self, script: &str) {
        _ = fs::remove_dir_all(&self.copy);
        run(Command::new("cp").arg("-al").arg(&self.template).arg(&self.copy));
        for word in words(script) {
            self.link(&format!("bin/{word}"));
        }
        for (before, path) in paths(script) {
            if let Some((folder, _)) = path.rsplit_once('/') {
                // What lies below a program cannot be made, and need not.
                _ = fs::create_dir_all(self.copy.join(folder.trim_start_matches('/')));
            }
            if [".", "source"].iter().any(|word| before.ends_with(word)) {
                _ = fs::File::create_new(self.copy.join(path.trim_start_matches('/')));
            } else if ["&&", "|", ";", "then", "do", "else"].iter().any(|word| before.ends_with(word)) {
                self.link(path.trim_start_matches('/'));
            }
        }
        fs::write(self.copy.join("body"), format!("{BEFORE}{script}")).unwrap();
    }

    /// A program that does nothing, where there is none yet.
    fn link(&self, path: &str) {
        if fs::symlink_metadata(self.copy.join(path)).is_err() {
            _ = fs::hard_link(self.copy.join("bin/nothing"), self.copy.join(path));
        }
    }
}

fn program(root: &Path, name: &str, text: &str) {
    fs::write(root.join("bin").join(name), format!("#!/bin/dash\n{text}\n")).unwrap();
    shell(root, &format!("chmod 755 'bin/{name}'"));
}

/// What may be a program's name.
fn words(script: &str) -> BTreeSet<&str> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_+.-".contains(letter);
    let words = script.split(|letter| !is_word(letter));
    words.filter(|word| word.starts_with(|letter: char| letter.is_ascii_alphabetic()) && word.len() < 40).collect()
}

/// The absolute paths in a script, with what stands before each.
fn paths(script: &str) -> Vec<(&str, &str)> {
    let is_path = |letter: char| letter.is_ascii_alphanumeric() || "_+./-".contains(letter);
    let starts =
        script.match_indices('/').filter(|(at, _)| !script[..*at].ends_with(|letter| is_path(letter) || "}:\\".contains(letter)));
    let paths = starts.map(|(at, _)| {
        let length = script[at..].find(|letter| !is_path(letter)).unwrap_or(script.len() - at);
        (script[..at].trim_end_matches([' ', '\t', '"', '\'']), &script[at..at + length])
    });
    paths.filter(|(_, path)| path.len() > 1 && !path.contains("..") && !path.contains("//") && !path.ends_with('/')).collect()
}

/// The variable for want of which a shell stopped.
fn unset(errors: &str) -> Option<&str> {
    let lines =
        errors.lines().filter_map(|line| line.strip_suffix(": unbound variable").or(line.strip_suffix(": parameter not set")));
    lines.filter_map(|line| line.rsplit(": ").next()).next()
}
