//! Programs built for newer CPUs, run on emulated older ones: what is printed is what is predicted.

use std::fs;
use std::io::{Write, stderr};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use crate::lab::{Lab, output, run, shell};
use crate::packages::{debian_file, unpack};
use crate::run::inspect;

/// Levels of x86-64 and an emulated CPU of just that level. None of level 4 can be emulated; it is tested where the machine has it.
const CPUS: [(&str, &str); 3] = [("v1", "qemu64"), ("v2", "Nehalem"), ("v3", "Haswell")];

pub fn install(root: &Path, emulator: &str) {
    fs::copy(format!("/usr/bin/{emulator}"), root.join(emulator)).unwrap();
}

/// What one program does on an emulated machine, held against what is predicted for such a node. The emulator is in the root.
pub fn compare(root: &Path, program: &str, node: &str, emulator: &[&str]) -> Result<bool, String> {
    let said = output(Command::new("chroot").arg(root).args(emulator).arg(program));
    let model = inspect(&["--node", node, "--exec", program, &format!("dir:{}", root.display())]);
    let exec = &model.images()[0]["exec"][0];
    // Code and line, or the signal: as a shell tells it, where the emulator itself turns it into a code.
    let signal = said.status.signal().or(said.status.code().filter(|code| *code > 128).map(|code| code - 128));
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    let prints = |line: Option<&str>| line.is_none_or(|line| text.contains(line));
    let agrees = match exec["outcome"].as_str().unwrap() {
        "runs" => said.status.success(),
        _ if exec["signal"].is_u64() => exec["signal"].as_i64() == signal.map(i64::from) && prints(exec["message"].as_str()),
        _ => exec["exit_code"].as_i64() == said.status.code().map(i64::from) && prints(exec["message"].as_str()),
    };
    if agrees {
        Ok(said.status.success())
    } else {
        Err(format!("{program} on {node} ({emulator:?}): {said:?}\n   model: {exec}"))
    }
}

/// Whether this machine is of level 4, as far as that differs from level 3 (psABI, "Micro-Architecture Levels").
fn has_level_4() -> bool {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"].iter().all(|flag| words.contains(flag))
}

#[test]
fn programs_for_newer_cpus_end_as_emulated_older_ones_end_them() {
    let Some(lab) = Lab::open("root, gcc, Go, qemu-user and Debian packages of three architectures") else { return };
    if std::env::consts::ARCH != "x86_64" {
        return;
    }
    let root = lab.path("amd64");
    unpack(&root, "amd64", &["libc6"]);
    install(&root, "qemu-x86_64-static");
    lab.write("app.c", "extern int f(void); int main(void) { return f(); }");
    lab.write("lib.c", "int f(void) { return 0; }");
    lab.write("app.go", "package main\nfunc main() {}\n");
    let mut programs = Vec::new();
    for (level, option) in [("v1", ""), ("v2", "-Wl,-z,x86-64-v2"), ("v3", "-Wl,-z,x86-64-v3"), ("v4", "-Wl,-z,x86-64-v4")] {
        let build = format!(
            "gcc -shared -fPIC -o amd64/usr/lib/libf-{level}.so -Wl,-soname,libf-{level}.so {option} lib.c
             gcc -o amd64/own-{level} {option} app.c lib.c
             gcc -o amd64/with-{level} app.c -Wl,--no-as-needed amd64/usr/lib/libf-{level}.so"
        );
        shell(&lab.path("."), &build);
        programs.extend(["own", "with"].map(|kind| format!("/{kind}-{level}")));
    }
    for level in ["v1", "v2", "v3", "v4"] {
        let mut go = Command::new("go");
        go.args(["build", "-o"]).arg(root.join(format!("go-{level}"))).arg(lab.path("app.go")).current_dir(lab.path("."));
        run(go
            .env("GOAMD64", level)
            .env("CGO_ENABLED", "0")
            .env("GO111MODULE", "off")
            .env("GOFLAGS", "")
            .env("GOCACHE", lab.path("go")));
        programs.push(format!("/go-{level}"));
    }
    let (mut wrong, mut ran, mut all) = (Vec::new(), 0, 0);
    let emulated = CPUS.map(|(level, cpu)| (level, vec!["/qemu-x86_64-static", "-cpu", cpu]));
    let own = has_level_4().then(|| ("v4", Vec::new()));
    let machines: Vec<_> = emulated.into_iter().chain(own).collect();
    for program in &programs {
        for (level, emulator) in &machines {
            all += 1;
            match compare(&root, program, &format!("amd64,level={level}"), emulator) {
                Ok(runs) => ran += usize::from(runs),
                Err(text) => wrong.push(text),
            }
        }
    }
    for (architecture, node, cpu) in [
        ("armhf", "linux/arm/v6", "arm1176"),
        ("armhf", "linux/arm/v7", "cortex-a7"),
        ("armel", "linux/arm/v5", "arm926"),
        ("armel", "linux/arm/v6", "arm1176"),
    ] {
        let root = lab.path(architecture);
        unpack(&root, architecture, &["libc6"]);
        install(&root, "qemu-arm-static");
        fs::write(root.join("app"), debian_file(architecture, "dash", "bin/dash")).unwrap();
        fs::set_permissions(root.join("app"), fs::Permissions::from_mode(0o755)).unwrap();
        all += 1;
        match compare(&root, "/app", node, &["/qemu-arm-static", "-cpu", cpu]) {
            Ok(runs) => ran += usize::from(runs),
            Err(text) => wrong.push(text),
        }
    }
    wrong.extend(better_libraries(&lab, &root));
    let root = lab.path("go-arm");
    fs::create_dir(&root).unwrap();
    install(&root, "qemu-arm-static");
    for level in ["5", "6", "7"] {
        let mut go = Command::new("go");
        go.args(["build", "-o"]).arg(root.join(format!("go{level}"))).arg(lab.path("app.go")).current_dir(lab.path("."));
        go.env("GOARCH", "arm").env("GOARM", level).env("CGO_ENABLED", "0").env("GO111MODULE", "off").env("GOFLAGS", "");
        run(go.env("GOCACHE", lab.path("go")));
        for (node, cpu) in [("linux/arm/v5", "arm926"), ("linux/arm/v6", "arm1176"), ("linux/arm/v7", "cortex-a7")] {
            all += 1;
            match compare(&root, &format!("/go{level}"), node, &["/qemu-arm-static", "-cpu", cpu]) {
                Ok(runs) => ran += usize::from(runs),
                Err(text) => wrong.push(text),
            }
        }
    }
    writeln!(stderr(), "levels: {all} programs on CPUs, {ran} ran, {} wrong", wrong.len()).unwrap();
    assert!(wrong.is_empty() && ran > 10 && ran < all, "{}", wrong.join("\n"));
}

/// Libraries for better CPUs: those that the emulated CPU's loader takes are those that are predicted.
fn better_libraries(lab: &Lab, root: &Path) -> Vec<String> {
    let build = "gcc -shared -fPIC -o amd64/usr/lib/libh.so -Wl,-soname,libh.so lib.c
        for level in v2 v3; do mkdir -p amd64/usr/lib/glibc-hwcaps/x86-64-$level
            cp amd64/usr/lib/libh.so amd64/usr/lib/glibc-hwcaps/x86-64-$level/; done
        gcc -o amd64/better app.c -Wl,--no-as-needed amd64/usr/lib/libh.so";
    shell(&lab.path("."), build);
    let mut wrong = Vec::new();
    for (level, cpu) in CPUS {
        let trace = ["/qemu-x86_64-static", "-E", "LD_TRACE_LOADED_OBJECTS=1", "-cpu", cpu, "/better"];
        let listed = String::from_utf8(run(Command::new("chroot").arg(root).args(trace))).unwrap();
        let model =
            inspect(&["--node", &format!("amd64,level={level}"), "--exec", "/better", &format!("dir:{}", root.display())]);
        let library = &model.images()[0]["exec"][0]["libraries"][0];
        if !listed.contains(&format!("libh.so => {} (", library["path"].as_str().unwrap())) {
            wrong.push(format!("{level}: {listed}\n{library}"));
        }
    }
    wrong
}
