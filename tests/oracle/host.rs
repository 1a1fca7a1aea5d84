//! The kernel of this machine, asked without an emulator: the same worlds, and handlers of binfmt_misc in a user namespace's own
//! instance, which no other process sees.

use std::env::consts::ARCH;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use enoexec::base::GuestPath;
use enoexec::node::{Handler, Node};

use crate::answers::Answer;
use crate::cases::generate;
use crate::elf::{Program, of};
use crate::kernels::compile;
use crate::lab::{cache, run};
use crate::world::{Kind, World};
use crate::{compare, compare_in, is_asked_for, tell};

/// This machine's architecture and its 32-bit sibling, where the worlds know it.
fn own() -> Option<(&'static str, &'static str)> {
    match ARCH {
        "x86_64" => Some(("amd64", "386")),
        "aarch64" => Some(("arm64", "arm")),
        _ => None,
    }
}

fn release() -> String {
    String::from_utf8(run(Command::new("uname").arg("-r"))).unwrap().trim().to_owned()
}

/// Major and minor, and whether 32-bit programs run, as the answers tell.
fn node(architecture: &str, compat: bool) -> Node {
    let release = release();
    let version: Vec<&str> = release.split(['.', '-']).take(2).collect();
    let compat = if compat { "yes" } else { "no" };
    Node::parse(&format!("{architecture},kernel={},compat32={compat}", version.join("."))).unwrap()
}

/// Lays out a world, and what asks it.
fn laid_out(world: &World) -> tempfile::TempDir {
    let scratch = tempfile::tempdir_in(cache("work")).unwrap();
    fs::create_dir(scratch.path().join("root")).unwrap();
    world.unpack(&scratch.path().join("root"));
    fs::write(scratch.path().join("cases"), world.case_list()).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/init.c");
    compile("gcc", &source, scratch.path());
    scratch
}

fn answers(said: &[u8], world: &World) -> Vec<Answer> {
    Answer::read(&String::from_utf8_lossy(said), world.cases.len()).unwrap()
}

#[test]
fn the_kernel_of_this_machine_says_what_the_model_says() {
    let Some((native, sibling)) = own().filter(|_| is_asked_for("gcc and root")) else { return };
    for seed in [1, 11, 12, 13, 14, 15] {
        let world = generate(native, sibling, seed);
        let place = laid_out(&world);
        let at = |name: &str| place.path().join(name);
        let answers = answers(&run(Command::new(at("init")).arg(at("root")).arg(at("cases"))), &world);
        let is_sibling = |case: &&crate::world::Case| {
            world
                .files
                .get(&case.path[1..])
                .is_some_and(|file| matches!(&file.kind, Kind::Bytes(bytes) if *bytes == Program::new(of(sibling)).write()))
        };
        let probe = world.cases.iter().position(|case| is_sibling(&case)).unwrap();
        let node = node(native, answers[probe] != Answer::Errno(8));
        let wrong = compare("this machine", &node, &world, &answers);
        tell(&format!("this machine, seed {seed}: Linux {}, {} cases, {} disagreements", release(), answers.len(), wrong.len()));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The handlers, oldest first; `ROOT` stands for the root's own place.
const HANDLERS: &[&str] = &[
    ":plain:M::MAGI::/e/good:",
    ":masked:M:2:ab\\x00c:\\xff\\xff\\x00\\xdf:/e/good:",
    ":late:M:250:late::/e/good:",
    ":extension:E::foo::/e/good:",
    ":native:E::elf::/e/text:",
    ":gone:M::GONE::/e/nothing:",
    ":relative:M::RELA::e/good:",
    ":text:M::TEXT::/e/text:",
    ":directory:M::DIRE::/e:",
    ":mode:M::MODE::/e/mode:",
    ":script:M::SCRI::/e/script:",
    ":script-handed:M::SCRH::/e/script:O",
    ":script-credited:M::SCRC::/e/script:C",
    ":foreign:M::FORE::/e/foreign:",
    ":dynamic:M::DYNA::/e/dynamic:",
    ":broken:M::BROK::/e/broken:",
    ":older:M::TWIC::/e/text:",
    ":newer:M::TWIC::/e/good:",
    ":self:M::SELF::/e/self:",
    ":chain:M::CHAI::/e/chain:",
    ":preserve:M::PRES::/e/good:PO",
    ":outside:M::OUTS::ROOT/e/good:F",
    ":outside-dynamic:M::OUTD::ROOT/e/dynamic:F",
    ":outside-loaded:M::OUTL::ROOT/e/loaded:F",
    ":outside-broken:M::OUTB::ROOT/e/broken:F",
    ":hash:M::#!x::/e/good:",
];

/// The dynamic loaders of emulators that are opened when they are registered.
const LOADERS: [(&str, &str); 3] =
    [("outside-dynamic", "/nowhere"), ("outside-loaded", "/e/good"), ("outside-broken", "/e/text")];

fn handled(native: &str) -> World {
    let mut world = World::default();
    for directory in ["c", "e", "w"] {
        world.directory(directory, 0o755);
    }
    let good = Program::new(of(native)).write();
    world.bytes("e/good", good.clone());
    world.bytes("e/text", "text");
    world.put("e/mode", Kind::Bytes(good.clone()), 0o644);
    world.bytes("e/script", "#!/e/good\n");
    world.bytes("e/foreign", Program::new(of("s390x")).write());
    world.bytes("e/dynamic", Program::new(of(native)).interpreter("/nowhere").write());
    world.bytes("e/loaded", Program::new(of(native)).interpreter("/e/good").write());
    world.bytes("e/broken", Program::new(of(native)).interpreter("/e/text").write());
    world.bytes("e/self", "SELF");
    world.bytes("e/chain", "MAGI");
    let heads = HANDLERS.iter().filter_map(|line| line.split("M::").nth(1)?.split(':').next());
    for head in heads {
        for file in [head.to_owned(), format!("{head} and more"), head[..head.len() - 1].to_owned(), format!(" {head}")] {
            world.program(file);
        }
    }
    for file in ["..ab.c", "..ab\u{1}C", "..ab", "..abx", "..abx\0", "..ab\u{0}c"] {
        world.program(file);
    }
    for length in [249, 250, 251] {
        world.program(format!("{}late", "x".repeat(length)));
    }
    for name in ["a.foo", "a.b.foo", "foo", ".foo", "a.foo.b", "a.FOO", "a.foo ", "native.elf"] {
        world.bytes(format!("c/{name}"), good.clone());
        world.case(format!("/c/{name}"));
        world.bytes(format!("c/text-{name}"), "text");
        world.case(format!("/c/text-{name}"));
        world.bytes(format!("c/by-{}", name.replace('.', "-")), format!("#!/c/{name}\n"));
        world.case(format!("/c/by-{}", name.replace('.', "-")));
    }
    for depth in 1..=7 {
        let before = if depth == 1 { "/c/a.foo".to_owned() } else { format!("/c/deep{}", depth - 1) };
        world.bytes(format!("c/deep{depth}"), format!("#!{before}\n"));
        world.case(format!("/c/deep{depth}"));
    }
    world.bytes("c/relative", "RELA");
    world.case_as(crate::world::Who::Root, "/w", "/c/relative");
    world.bytes("c/to-good", Program::new(of(native)).interpreter("/c/a.foo").write());
    world.case("/c/to-good");
    world
}

#[test]
fn handlers_of_binfmt_misc_are_asked_as_the_model_says() {
    let Some((native, _)) = own().filter(|_| is_asked_for("gcc, unshare and a kernel of 6.7 or later")) else { return };
    let world = handled(native);
    let place = laid_out(&world);
    let at = |name: &str| place.path().join(name);
    let mut node = node(native, true);
    for (number, line) in HANDLERS.iter().enumerate() {
        let root = at("root");
        let line = line.replace("ROOT", std::str::from_utf8(root.as_os_str().as_bytes()).unwrap());
        fs::write(at(&format!("handler{number:02}")), &line).unwrap();
        let handler = Handler::registered(line.as_bytes()).unwrap();
        let loader = LOADERS.iter().find(|(name, _)| *name == handler.name).map(|(_, path)| path.as_bytes().to_vec());
        node.handlers.insert(0, Handler { loader, ..handler });
    }
    let script = "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc; cd \"$0\"
        for line in handler*; do cat $line > /proc/sys/fs/binfmt_misc/register; done; exec ./init root cases";
    let said =
        run(Command::new("unshare").args(["--user", "--map-root-user", "--mount", "sh", "-euc", script]).arg(place.path()));
    let answers = answers(&said, &world);
    let wrong = compare("handlers", &node, &world, &answers);
    tell(&format!("handlers: Linux {}, {} cases, {} disagreements", release(), answers.len(), wrong.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Programs, interpreters and loaders in a directory that is mounted with `noexec`, and beside it.
fn mounted(native: &str) -> World {
    let mut world = World::default();
    for directory in ["c", "n", "n/deep", "near"] {
        world.directory(directory, 0o755);
    }
    let program = Program::new(of(native));
    for folder in ["c", "n", "n/deep", "near"] {
        world.bytes(format!("{folder}/program"), program.clone().write());
        world.bytes(format!("{folder}/text"), "text");
        world.bytes(format!("{folder}/foreign"), Program::new(of("s390x")).write());
        world.put(format!("{folder}/mode"), Kind::Bytes(program.clone().write()), 0o644);
    }
    for folder in ["c", "n", "n/deep", "near"] {
        for other in ["c", "n", "n/deep", "near"] {
            let name = other.replace('/', "-");
            world.bytes(format!("{folder}/script-{name}"), format!("#!/{other}/program\n"));
            world.bytes(format!("{folder}/twice-{name}"), format!("#!/{folder}/script-{name}\n"));
            world.bytes(format!("{folder}/dynamic-{name}"), program.clone().interpreter(format!("/{other}/program")).write());
            world.put(format!("{folder}/link-{name}"), Kind::Link(format!("/{other}/program").into()), 0o777);
        }
        let names: Vec<String> = ["script", "twice", "dynamic", "link"]
            .iter()
            .flat_map(|kind| ["c", "n", "n-deep", "near"].map(|other| format!("{kind}-{other}")))
            .chain(["program", "text", "foreign", "mode", "", "."].map(str::to_owned))
            .collect();
        for name in names {
            world.case(format!("/{folder}/{name}"));
            world.case_as(crate::world::Who::User, format!("/{folder}"), name);
        }
    }
    world
}

#[test]
fn nothing_runs_from_a_noexec_mount() {
    let Some((native, _)) = own().filter(|_| is_asked_for("gcc and unshare")) else { return };
    let world = mounted(native);
    let place = laid_out(&world);
    let script = "cd \"$0\"; mount --bind root/n root/n; mount -o remount,bind,noexec root/n; exec ./init root cases";
    let answers = answers(&run(Command::new("unshare").args(["--mount", "sh", "-euc", script]).arg(place.path())), &world);
    let rootfs = world.rootfs().with_noexec([GuestPath::new("/n")]);
    let wrong = compare_in(&rootfs, "noexec", &node(native, true), &world, &answers);
    tell(&format!("noexec: Linux {}, {} cases, {} disagreements", release(), answers.len(), wrong.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
