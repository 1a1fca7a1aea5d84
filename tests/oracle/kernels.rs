//! The kernels that are asked, and how each is booted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use enoexec::node::Node;

use crate::answers::Answer;
use crate::lab::{cache, run};
use crate::world::World;

/// A kernel of Debian's under emulation.
pub struct Kernel {
    /// What its tables are called.
    pub name: &'static str,
    /// The node that the model takes it for.
    node: &'static str,
    /// The architectures of the programs that it is mostly asked about: its own, and its 32-bit sibling.
    pub native: &'static str,
    pub sibling: &'static str,
    /// Debian's architecture, suite and package.
    package: [&'static str; 3],
    qemu: &'static [&'static str],
    console: &'static str,
    compiler: &'static str,
}

const fn kernel(
    [name, node, native, sibling]: [&'static str; 4],
    package: [&'static str; 3],
    qemu: &'static [&'static str],
    [console, compiler]: [&'static str; 2],
) -> Kernel {
    Kernel { name, node, native, sibling, package, qemu, console, compiler }
}

const X86: &[&str] = &["qemu-system-x86_64", "-M", "q35", "-cpu", "max"];
const ARM64: &[&str] = &["qemu-system-aarch64", "-M", "virt", "-cpu", "neoverse-n1"];
// Pointer authentication by the book takes most of an emulator's time.
const ARM64_MAX: &[&str] = &["qemu-system-aarch64", "-M", "virt", "-cpu", "max,pauth-impdef=on"];
const ARM: &[&str] = &["qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15"];
const PPC64: &[&str] = &["qemu-system-ppc64", "-M", "pseries", "-cpu", "power9"];
const S390X: &[&str] = &["qemu-system-s390x", "-M", "s390-ccw-virtio"];
const I386: &[&str] = &["qemu-system-i386", "-M", "q35", "-cpu", "max"];
const RISCV64: &[&str] = &["qemu-system-riscv64", "-M", "virt"];

pub const KERNELS: &[Kernel] = &[
    kernel(["amd64", "amd64,kernel=6.1", "amd64", "386"], ["amd64", "bookworm", "linux-image-amd64"], X86, ["ttyS0", "gcc"]),
    kernel(
        ["amd64-no-ia32", "amd64,kernel=6.12,compat32=no", "amd64", "386"],
        ["amd64", "trixie", "linux-image-amd64"],
        X86,
        ["ttyS0 ia32_emulation=off", "gcc"],
    ),
    kernel(
        ["amd64-x32", "amd64,kernel=6.12,compat=i386+x32", "amd64", "x32"],
        ["amd64", "trixie", "linux-image-amd64"],
        X86,
        ["ttyS0 syscall.x32=y", "gcc"],
    ),
    kernel(["amd64-sid", "amd64,kernel=7.2", "amd64", "386"], ["amd64", "sid", "linux-image-amd64"], X86, ["ttyS0", "gcc"]),
    kernel(
        ["i386", "386,kernel=6.1", "386", "amd64"],
        ["i386", "bookworm", "linux-image-686-pae"],
        I386,
        ["ttyS0", "i686-linux-gnu-gcc"],
    ),
    kernel(
        ["arm64", "arm64,kernel=6.1", "arm64", "arm"],
        ["arm64", "bookworm", "linux-image-arm64"],
        ARM64,
        ["ttyAMA0", "aarch64-linux-gnu-gcc"],
    ),
    kernel(
        ["arm64-16k", "arm64,kernel=6.12,page-size=16k", "arm64", "arm"],
        ["arm64", "trixie", "linux-image-arm64-16k"],
        ARM64_MAX,
        ["ttyAMA0", "aarch64-linux-gnu-gcc"],
    ),
    kernel(
        ["armhf", "linux/arm/v7,kernel=6.1", "arm", "386"],
        ["armhf", "bookworm", "linux-image-armmp"],
        ARM,
        ["ttyAMA0", "arm-linux-gnueabihf-gcc"],
    ),
    kernel(
        ["ppc64el", "ppc64le,kernel=6.1", "ppc64le", "ppc"],
        ["ppc64el", "bookworm", "linux-image-powerpc64le"],
        PPC64,
        ["hvc0", "powerpc64le-linux-gnu-gcc"],
    ),
    kernel(
        ["ppc64el-64k", "ppc64le,kernel=7.2,page-size=64k", "ppc64le", "ppc"],
        ["ppc64el", "sid", "linux-image-powerpc64le-64k"],
        PPC64,
        ["hvc0", "powerpc64le-linux-gnu-gcc"],
    ),
    kernel(
        ["s390x", "s390x,kernel=6.1,compat32=yes", "s390x", "s390"],
        ["s390x", "bookworm", "linux-image-s390x"],
        S390X,
        ["ttysclp0", "s390x-linux-gnu-gcc"],
    ),
    kernel(
        ["riscv64", "riscv64,kernel=7.2", "riscv64", "riscv32"],
        ["riscv64", "sid", "linux-image-riscv64"],
        RISCV64,
        ["ttyS0", "riscv64-linux-gnu-gcc"],
    ),
];

impl Kernel {
    /// As what the model takes it.
    pub fn node(&self) -> Node {
        Node::parse(self.node).unwrap()
    }

    /// Boots it with `world`, and gives the kernel's version and its answer to each case.
    pub fn ask(&self, world: &World) -> (String, Vec<Answer>) {
        let [architecture, suite, package] = self.package;
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
        let folder = cache(&format!("kernels/{package}-{suite}"));
        run(Command::new(here.join("kernel.sh")).args([architecture, suite, package]).arg(&folder));
        let version = fs::read_to_string(folder.join("version")).unwrap().trim().to_owned();

        let scratch = tempfile::tempdir_in(cache("work")).unwrap();
        let init = compile(self.compiler, &here.join("init.c"), scratch.path());
        let initrd = scratch.path().join("initrd");
        fs::write(&initrd, world.initramfs(&fs::read(init).unwrap())).unwrap();
        let mut qemu = Command::new("timeout");
        qemu.arg("900").args(self.qemu).args(["-m", "1024", "-nic", "none", "-nographic", "-no-reboot", "-kernel"]);
        qemu.arg(folder.join("kernel")).arg("-initrd").arg(initrd);
        qemu.arg("-append").arg(format!("console={} quiet loglevel=0 panic=-1", self.console)).stdin(Stdio::null());
        let said = qemu.output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let answers = Answer::read(&text, world.cases.len());
        (version, answers.unwrap_or_else(|error| panic!("{}: {error}\n{}", self.name, ends_of(&text, &said.stderr))))
    }
}

/// The last of what was printed.
fn ends_of(text: &str, errors: &[u8]) -> String {
    let lines: Vec<&str> = text.lines().collect();
    format!("{}\n{}", lines[lines.len().saturating_sub(12)..].join("\n"), String::from_utf8_lossy(errors))
}

/// Compiles the first process, statically.
pub fn compile(compiler: &str, source: &Path, folder: &Path) -> PathBuf {
    let program = folder.join("init");
    run(Command::new(compiler).args(["-static", "-O1", "-Wall", "-o"]).arg(&program).arg(source));
    program
}
