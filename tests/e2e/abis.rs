//! Kernels that are too old, and files of two ABIs in one root: what an emulated machine makes of them is what is predicted.

use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{Lab, output, run, shell};
use crate::levels::{compare, install};
use crate::packages::unpack;
use crate::run::inspect;

/// A copy of a root, to be changed.
fn copy(lab: &Lab, root: &Path, name: &str) -> PathBuf {
    let copy = lab.path(name);
    run(Command::new("cp").arg("-a").arg(root).arg(&copy));
    copy
}

/// The one library of this name, with its version: `libbz2.so.1.0.4`.
fn library(root: &Path, architecture: &str) -> PathBuf {
    root.join(format!("lib/{architecture}/libbz2.so.1.0.4"))
}

fn report(what: &str, results: &[Result<bool, String>]) {
    let ran = results.iter().filter(|result| **result == Ok(true)).count();
    let wrong: Vec<&String> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    writeln!(stderr(), "{what}: {} starts, {ran} ran, {} wrong", results.len(), wrong.len()).unwrap();
    assert!(wrong.is_empty() && ran > 0 && ran < results.len(), "{wrong:#?}");
}

/// A program that needs nothing but a library which says that it is built for Linux 5.10.
const NOTED: &str = r#"
printf 'int f(void) { return 0; }
__asm__(".pushsection .note.ABI-tag,\"a\"; .balign 4; .long 4,16,1; .asciz \"GNU\"; .long 0,5,10,0; .popsection");' > f.c
printf 'extern int f(void);
void _start(void) { int code = f(); __asm__ volatile("syscall" : : "a"(231), "D"(code)); }' > app.c
gcc -shared -fPIC -nostdlib -o usr/lib/libf.so -Wl,-soname,libf.so f.c
gcc -nostdlib -o noted app.c usr/lib/libf.so
rm f.c app.c
"#;

/// Debian 11 has glibc 2.31, which is built for Linux 3.2, and on arm64 for 3.7; Debian 12 has 2.36, which asks no more.
#[test]
fn kernels_that_are_too_old_are_refused_as_glibc_refuses_them() {
    let Some(lab) = Lab::open("root, gcc, qemu-user and packages of Debian 11") else { return };
    if std::env::consts::ARCH != "x86_64" {
        return;
    }
    let (old, old_arm, new) = (lab.path("old"), lab.path("old-arm64"), lab.path("new"));
    unpack(&old, "amd64@bullseye", &["libc6", "dash", "busybox-static"]);
    unpack(&old_arm, "arm64@bullseye", &["libc6", "dash", "busybox-static"]);
    unpack(&new, "amd64", &["libc6", "dash", "busybox-static"]);
    shell(&old, NOTED);
    let mut results = Vec::new();
    for (root, emulator, architecture) in
        [(&old, "qemu-x86_64-static", "amd64"), (&new, "qemu-x86_64-static", "amd64"), (&old_arm, "qemu-aarch64-static", "arm64")]
    {
        install(root, emulator);
        for release in ["2.6.32", "3.1.10", "3.2.0", "3.6", "3.7.1", "6.1.0-9-amd64"] {
            for program in ["/bin/dash", "/bin/busybox"] {
                let node = format!("{architecture},kernel={release}");
                results.push(compare(root, program, &node, &[&format!("/{emulator}"), "-r", release]));
            }
        }
    }
    for release in ["3.1", "5.9.16", "5.10.0", "6.1"] {
        results.push(compare(&old, "/noted", &format!("amd64,kernel={release}"), &["/qemu-x86_64-static", "-r", release]));
    }
    report("kernels", &results);
}

#[test]
fn libraries_of_the_other_float_abi_are_passed_over_as_debians_loader_passes_them_over() {
    let Some(lab) = Lab::open("root, qemu-user and Debian packages of armel and armhf") else { return };
    let (soft, hard) = (lab.path("armel"), lab.path("armhf"));
    let (soft_name, hard_name) = ("arm-linux-gnueabi", "arm-linux-gnueabihf");
    for (root, architecture) in [(&soft, "armel"), (&hard, "armhf")] {
        unpack(root, architecture, &["bzip2", "libc-bin"]);
        install(root, "qemu-arm-static");
    }
    let mixed = [
        (copy(&lab, &soft, "hard-in-soft"), library(&hard, hard_name), soft_name),
        (copy(&lab, &hard, "soft-in-hard"), library(&soft, soft_name), hard_name),
    ];
    for (root, from, to) in &mixed {
        fs::copy(from, library(root, to)).unwrap();
    }
    // Both where only the cache leads to them, of which the one that comes first is passed over.
    let cached = copy(&lab, &hard, "cached");
    for folder in ["soft", "hard"] {
        fs::create_dir_all(cached.join(folder)).unwrap();
    }
    fs::rename(library(&cached, hard_name), cached.join("hard/libbz2.so.1.0")).unwrap();
    fs::copy(library(&soft, soft_name), cached.join("soft/libbz2.so.1.0")).unwrap();
    fs::write(cached.join("etc/ld.so.conf"), "/soft\n/hard\n").unwrap();
    run(Command::new("chroot").arg(&cached).args(["/qemu-arm-static", "/sbin/ldconfig"]));
    let only_soft = copy(&lab, &cached, "only-soft");
    fs::remove_dir_all(only_soft.join("hard")).unwrap();
    run(Command::new("chroot").arg(&only_soft).args(["/qemu-arm-static", "/sbin/ldconfig"]));
    let [(hard_in_soft, ..), (soft_in_hard, ..)] = &mixed;
    let roots = [&soft, &hard, hard_in_soft, soft_in_hard, &cached, &only_soft];
    let emulator = ["/qemu-arm-static", "-cpu", "cortex-a7"];
    let results: Vec<_> = roots.iter().map(|root| compare(root, "/bin/bzip2", "linux/arm/v7", &emulator)).collect();
    report("float ABIs", &results);
    // A program of the other ABI finds no loader of its own.
    fs::copy(soft.join("bin/bzip2"), hard.join("soft-bzip2")).unwrap();
    let model = inspect(&["--node", "linux/arm/v7", "--exec", "/soft-bzip2", &format!("dir:{}", hard.display())]);
    let exec = &model.images()[0]["exec"][0];
    assert_eq!((&exec["errno"], &exec["cause"]), (&"ENOENT".into(), &"loader-missing".into()), "{exec}");
}

/// Changes a byte of a library.
fn set(file: &Path, at: usize, change: impl Fn(u8) -> u8) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] = change(bytes[at]);
    fs::write(file, bytes).unwrap();
}

/// Where the contents of `PT_MIPS_ABIFLAGS` lie in a little-endian file of 32 bits.
fn abi_flags(file: &Path) -> usize {
    let bytes = fs::read(file).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let row = (0..20).map(|row| number(28) as usize + 32 * row).find(|at| number(*at) == 0x7000_0003).unwrap();
    number(row + 4) as usize
}

#[test]
fn mips_programs_end_as_emulated_cpus_and_their_loader_end_them() {
    let Some(lab) = Lab::open("root, qemu-user and Debian packages of mipsel and mips64el") else { return };
    let (narrow, wide) = (lab.path("mipsel"), lab.path("mips64el"));
    for (root, architecture) in [(&narrow, "mipsel"), (&wide, "mips64el")] {
        unpack(root, architecture, &["bzip2", "dash"]);
        install(root, &format!("qemu-{architecture}-static"));
    }
    let mut results = Vec::new();
    // Debian's are built for Release 2.
    for (level, cpu) in [("r1", "5Kf"), ("r1", "20Kc"), ("r2", "MIPS64R2-generic"), ("r2", "Loongson-3A1000")] {
        let emulator = ["/qemu-mips64el-static", "-cpu", cpu];
        results.push(compare(&wide, "/bin/dash", &format!("mips64le,level={level}"), &emulator));
    }
    let emulator = ["/qemu-mipsel-static", "-cpu", "24Kf"];
    let mut changed = |name: &str, change: &dyn Fn(&Path)| {
        let root = copy(&lab, &narrow, name);
        change(&library(&root, "mipsel-linux-gnu"));
        results.push(compare(&root, "/bin/bzip2", "mipsle,level=r2", &emulator));
    };
    changed("as-it-is", &|_| {});
    changed("other-nans", &|file| set(file, 37, |flags| flags | 4));
    changed("n32", &|file| set(file, 36, |flags| flags | 0x20));
    for float in [0, 1, 2, 3, 5, 6] {
        changed(&format!("float-{float}"), &|file| set(file, abi_flags(file) + 7, |_| float));
    }
    report("MIPS", &results);
    // qemu refuses where kernels refuse, in words of its own.
    for (root, node, emulator) in [
        (&narrow, "mipsle,level=r6", ["/qemu-mipsel-static", "-cpu", "mips32r6-generic"]),
        (&wide, "mips64le,level=r6", ["/qemu-mips64el-static", "-cpu", "I6400"]),
    ] {
        let said = output(Command::new("chroot").arg(root).args(emulator).arg("/bin/dash"));
        assert!(String::from_utf8_lossy(&said.stderr).contains("NaN mode not supported by CPU"), "{said:?}");
        let model = inspect(&["--node", node, "--exec", "/bin/dash", &format!("dir:{}", root.display())]);
        let exec = &model.images()[0]["exec"][0];
        assert_eq!((&exec["errno"], &exec["cause"]), (&"ENOEXEC".into(), &"malformed-elf".into()), "{exec}");
    }
}
