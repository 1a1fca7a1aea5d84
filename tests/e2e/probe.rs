//! `enoexec node` held against kernels and emulators.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use enoexec::format::elf::TINY_PROGRAMS;
use enoexec::node::Node;

use crate::lab::{Lab, output, run};

/// What Debian calls the emulator of a program's instruction set; there is none for the ABIs that are left out.
fn emulator(name: &str) -> Option<&'static str> {
    Some(match name {
        "amd64" => "x86_64",
        "386" => "i386",
        "arm64" => "aarch64",
        "arm" => "arm",
        "ppc64le" => "ppc64le",
        "ppc64" => "ppc64",
        "ppc" => "ppc",
        "s390x" => "s390x",
        "riscv64" => "riscv64",
        "riscv32" => "riscv32",
        "loong64" => "loongarch64",
        "mips64le" => "mips64el",
        "mips64" => "mips64",
        "mipsle" => "mipsel",
        "mips" => "mips",
        _ => return None,
    })
}

#[test]
fn the_tiny_programs_exit_on_every_machine() {
    let Some(lab) = Lab::open("qemu-user-static") else { return };
    let mut tried = 0;
    for program in TINY_PROGRAMS {
        let Some(emulator) = emulator(program.name) else { continue };
        let path = lab.write(program.name, program.bytes());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let said = output(Command::new(format!("/usr/bin/qemu-{emulator}-static")).arg(&path));
        assert!(said.status.success() && said.stderr.is_empty(), "{}: {said:?}", program.name);
        tried += 1;
    }
    assert_eq!(tried, 15);
}

/// In a user namespace with an instance of binfmt_misc of its own, which handlers may be registered with.
#[test]
fn a_probe_finds_the_handlers_that_work() {
    let Some(lab) = Lab::open("root, qemu-user-static and a kernel of 6.7 or later") else { return };
    let handler = |name: &str, emulator: &Path| {
        let plain = Node::parse(&format!("amd64,binfmt={name}")).unwrap();
        let mut handler = plain.handlers[0].clone();
        handler.interpreter = emulator.to_str().unwrap().into();
        handler.line()
    };
    let script = lab.write("emulator", "#!/bin/sh\nexit 1\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    lab.write("s390x.line", handler("s390x", Path::new("/usr/bin/qemu-s390x-static")));
    lab.write("riscv64.line", handler("riscv64", Path::new("/usr/bin/qemu-riscv64-static")));
    lab.write("ppc64le.line", handler("ppc64le", &script));
    let line = "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc; cd \"$0\"
        for line in *.line; do cat $line > /proc/sys/fs/binfmt_misc/register; done; \"$1\" node; \"$1\" node --probe > probed";
    let mut inside = Command::new("unshare");
    inside
        .args(["--user", "--map-root-user", "--mount", "sh", "-euc", line])
        .arg(lab.path(""))
        .arg(env!("CARGO_BIN_EXE_enoexec"));
    let shown = Node::read(&String::from_utf8(run(&mut inside)).unwrap()).unwrap().remove(0);
    let probed = Node::read(&fs::read_to_string(lab.path("probed")).unwrap()).unwrap().remove(0);
    let names = |node: &Node| node.handlers.iter().map(|handler| handler.name.clone()).collect::<Vec<_>>();
    // The newest is asked first.
    assert_eq!(names(&shown), ["qemu-s390x", "qemu-riscv64", "qemu-ppc64le"]);
    assert!(shown.handlers.iter().all(|handler| handler.fixed));
    assert_eq!(names(&probed), ["qemu-s390x", "qemu-riscv64"]);
    if std::env::consts::ARCH == "x86_64" {
        let runs = |name: &str| {
            let program = TINY_PROGRAMS.iter().find(|program| program.name == name).unwrap();
            let path = lab.write("tiny", program.bytes());
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            Command::new(path).status().is_ok_and(|status| status.success())
        };
        let compat: Vec<&str> = probed.compat.iter().map(|compat| compat.name()).collect();
        let wanted: Vec<&str> =
            [("386", "i386"), ("x32", "x32")].iter().filter(|(own, _)| runs(own)).map(|(_, name)| *name).collect();
        assert_eq!(compat, wanted);
    }
}
