//! The model against what kernels and runc were seen to answer.

use std::sync::Arc;

use super::{Launch, Outcome, Trace, message, predict};
use crate::format::content::{Classifier, Content, FileFacts};
use crate::format::elf::Elf;
use crate::image::{Credentials, Entry, EntryKind, LayerIndex, Rootfs};
use crate::node::Node;

/// A file of a test's root.
pub(super) struct File {
    mode: u32,
    uid: u32,
    kind: EntryKind,
}

impl File {
    fn new(mode: u32, kind: EntryKind) -> Self {
        Self { mode, uid: 0, kind }
    }

    /// A file whose body the scan keeps.
    pub(super) fn kept(text: &str) -> Self {
        Self::new(
            0o644,
            EntryKind::File { size: text.len() as u64, facts: facts(text.as_bytes()), body: Some(text.as_bytes().into()) },
        )
    }

    pub(super) fn program(bytes: &[u8]) -> Self {
        let body = (!bytes.starts_with(b"\x7fELF")).then(|| bytes.into());
        Self::new(0o755, EntryKind::File { size: bytes.len() as u64, facts: facts(bytes), body })
    }

    fn link(target: &str) -> Self {
        Self::new(0o777, EntryKind::Symlink(target.as_bytes().into()))
    }

    fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }
}

fn facts(bytes: &[u8]) -> Box<FileFacts> {
    let mut classifier = Classifier::new(bytes.len() as u64, true);
    classifier.feed(bytes);
    Box::new(classifier.finish())
}

/// What is read of an ELF file.
pub(super) fn parsed(bytes: &[u8]) -> Elf {
    match facts(bytes).content {
        Content::Elf(elf) => *elf,
        other => panic!("{other:?}"),
    }
}

/// A root of one layer.
pub(super) fn rootfs(files: Vec<(&str, File)>) -> Rootfs {
    let entry = |(path, file): (&str, File)| Entry { path: path.into(), mode: file.mode, uid: file.uid, gid: 0, kind: file.kind };
    let mut entries: Vec<Entry> = files.into_iter().map(entry).collect();
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    Rootfs::stack(vec![Arc::new(LayerIndex { entries, ..LayerIndex::default() })])
}

/// A small program: one PT_LOAD, and perhaps a PT_INTERP.
pub(super) fn elf(machine: u16, bits: u8, big: bool, interpreter: Option<&str>) -> Vec<u8> {
    let wide = bits == 64;
    let number = |value: u64, size: usize| {
        let bytes = value.to_le_bytes()[..size].to_vec();
        if big { bytes.into_iter().rev().collect() } else { bytes }
    };
    let address = if wide { 8 } else { 4 };
    let (header, row) = if wide { (64, 56) } else { (52, 32) };
    let rows = 1 + u64::from(interpreter.is_some());
    let path = interpreter.map(|path| [path.as_bytes(), b"\0"].concat()).unwrap_or_default();
    let size = header + rows * row + path.len() as u64;
    let mut out = [b"\x7fELF".as_slice(), &[if wide { 2 } else { 1 }, if big { 2 } else { 1 }, 1], &[0; 9]].concat();
    for (value, size) in [
        (2, 2),
        (u64::from(machine), 2),
        (1, 4),
        (header, address),
        (header, address),
        (0, address),
        (if machine == 40 { 0x0500_0400 } else { 0 }, 4),
        (header, 2),
        (row, 2),
        (rows, 2),
        (0, 2),
        (0, 2),
        (0, 2),
    ] {
        out.extend(number(value, size));
    }
    let mut segment = |kind: u64, offset: u64, length: u64| {
        let addresses = [offset, 0x10000 + offset, 0x10000 + offset, length, length];
        out.extend(number(kind, 4));
        if wide {
            out.extend(number(5, 4));
        }
        addresses.iter().for_each(|value| out.extend(number(*value, address)));
        if !wide {
            out.extend(number(5, 4));
        }
        out.extend(number(4096, address));
    };
    segment(1, 0, size);
    if interpreter.is_some() {
        segment(3, header + rows * row, path.len() as u64);
    }
    out.extend(path);
    out
}

fn amd64(interpreter: Option<&str>) -> Vec<u8> {
    elf(62, 64, false, interpreter)
}

fn start(files: Vec<(&str, File)>, argv: &str, node: &str) -> (Trace, Option<String>) {
    start_as(files, argv, node, Credentials::default())
}

fn start_as(files: Vec<(&str, File)>, argv: &str, node: &str, user: Credentials) -> (Trace, Option<String>) {
    let argv = argv.split(' ').map(|word| word.as_bytes().to_vec()).collect();
    let launch = Launch { argv, cwd: b"/".to_vec(), env: vec![b"PATH=/bin:/usr/bin".to_vec()], user, user_text: String::new() };
    let trace = predict(&rootfs(files), &launch, &Node::parse(node).unwrap());
    let message = message(&trace, &launch);
    (trace, message)
}

/// How it ends, in one line: the outcome, the errno and the cause.
fn end(trace: &Trace) -> String {
    let errno = match &trace.outcome {
        Outcome::Fails { errno, .. } => format!(" {}", errno.name()),
        Outcome::Dies { signal, .. } => format!(" {signal}"),
        _ => String::new(),
    };
    let cause = trace.outcome.cause().map(|cause| format!(" {}", cause.name())).unwrap_or_default();
    format!("{}{errno}{cause}", trace.outcome.name())
}

fn ends(files: Vec<(&str, File)>, argv: &str, node: &str) -> String {
    end(&start(files, argv, node).0)
}

#[test]
fn programs_of_each_machine_on_each_node() {
    let programs = [
        ("amd64", elf(62, 64, false, None)),
        ("386", elf(3, 32, false, None)),
        ("arm64", elf(183, 64, false, None)),
        ("arm", elf(40, 32, false, None)),
        ("ppc64le", elf(21, 64, false, None)),
        ("ppc64", elf(21, 64, true, None)),
        ("s390x", elf(22, 64, true, None)),
        ("riscv64", elf(243, 64, false, None)),
        ("loong64", elf(258, 64, false, None)),
        ("mips64le", elf(8, 64, false, None)),
        ("mipsle", elf(8, 32, false, None)),
        ("mips", elf(8, 32, true, None)),
    ];
    let also = [("amd64", "386"), ("arm64", "arm"), ("mips64le", "mipsle")];
    for (node, _) in &programs {
        for (machine, bytes) in &programs {
            let runs = node == machine || also.contains(&(node, machine));
            let end = ends(vec![("/app", File::program(bytes))], "/app", node);
            assert_eq!(end, if runs { "runs" } else { "fails ENOEXEC wrong-machine" }, "{machine} on {node}");
        }
    }
    let i386 = || vec![("/app", File::program(&elf(3, 32, false, None)))];
    assert_eq!(ends(i386(), "/app", "amd64,compat32=no"), "fails ENOEXEC no-compat");
    assert_eq!(ends(i386(), "/app", "arm64,binfmt=386"), "emulated");
    let armhf = || vec![("/app", File::program(&elf(40, 32, false, None)))];
    assert_eq!(ends(armhf(), "/app", "m7g.large"), "runs");
    assert_eq!(ends(armhf(), "/app", "m8g.large"), "fails ENOEXEC no-compat");
    assert_eq!(ends(armhf(), "/app", "m9g.large"), "unsure", "no one says for certain whether Graviton5 has AArch32");
    assert_eq!(ends(i386(), "/app", "m9g.large"), "fails ENOEXEC wrong-machine");
}

#[test]
fn what_is_no_program_fails_for_its_own_reason() {
    for (bytes, expected) in [
        (&b""[..], "empty-file"),
        (b"echo hi\n", "no-shebang"),
        (b"\xef\xbb\xbf#!/bin/sh\n", "no-shebang"),
        (b"#!\n", "bad-shebang"),
        (b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0", "mach-o"),
        (b"MZ\x90\0", "pe"),
        (b"\0asm\x01\0\0\0", "wasm"),
        (b"!<arch>\n__.PKGDEF", "archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs-pointer"),
        (b"<!doctype html>", "html"),
        (b"\x01\x02\xff", "unknown-format"),
        (b"\x7fELF", "malformed-elf"),
    ] {
        assert_eq!(ends(vec![("/app", File::program(bytes))], "/app", "amd64"), format!("fails ENOEXEC {expected}"));
    }
}

#[test]
fn the_dynamic_loader_is_opened_after_the_machine_is_known() {
    let glibc = "/lib64/ld-linux-x86-64.so.2";
    let app = |interpreter| ("/app", File::program(&amd64(Some(interpreter))));
    let loader = |bytes: &[u8]| (glibc, File::program(bytes));
    assert_eq!(ends(vec![app(glibc), loader(&amd64(None))], "/app", "amd64"), "runs");
    assert_eq!(ends(vec![app(glibc)], "/app", "amd64"), "fails ENOENT loader-missing");
    assert_eq!(ends(vec![app(glibc)], "/app", "arm64"), "fails ENOEXEC wrong-machine");
    assert_eq!(ends(vec![app(glibc), loader(&elf(3, 32, false, None))], "/app", "amd64"), "fails ELIBBAD loader-wrong-machine");
    assert_eq!(ends(vec![app(glibc), loader(b"#!/bin/sh\n")], "/app", "amd64"), "fails EIO loader-broken");
    assert_eq!(ends(vec![app(glibc), loader(&[b'x'; 100])], "/app", "amd64"), "fails ELIBBAD loader-broken");
    assert_eq!(ends(vec![app(glibc), loader(b"")], "/app", "amd64"), "fails EIO loader-broken");
    assert_eq!(
        ends(vec![app(glibc), (glibc, File::program(&amd64(None)).mode(0o644))], "/app", "amd64"),
        "fails EACCES not-executable"
    );
    assert_eq!(ends(vec![app("ld.so"), ("/ld.so", File::program(&amd64(None)))], "/app", "amd64"), "runs");
}

#[test]
fn scripts_lead_to_their_interpreters() {
    let sh = || ("/bin/sh", File::program(&amd64(None)));
    let script = |text: &str| ("/run", File::program(text.as_bytes()));
    assert_eq!(ends(vec![sh(), script("#!/bin/sh\n")], "/run", "amd64"), "runs");
    assert_eq!(ends(vec![sh(), script("#!/bin/sh\r\n")], "/run", "amd64"), "fails ENOENT carriage-return");
    assert_eq!(ends(vec![sh(), script("#!/bin/bash\n")], "/run", "amd64"), "fails ENOENT interpreter-missing");
    assert_eq!(ends(vec![sh(), script("#!/bin\n")], "/run", "amd64"), "fails EACCES is-directory");
    assert_eq!(ends(vec![sh(), script("#!")], "/run", "amd64"), "fails EACCES is-directory");
    assert_eq!(ends(vec![sh(), script("#!/bin/sh\n")], "/run", "arm64"), "fails ENOEXEC wrong-machine");
    assert_eq!(ends(vec![script("#!/run\n")], "/run", "amd64"), "fails ELOOP interpreter-loop");
}

#[test]
fn five_interpreters_are_followed_and_a_sixth_is_not() {
    let chain = |length: usize| {
        let mut files = vec![("/s0".to_owned(), amd64(None))];
        files.extend((1..=length).map(|number| (format!("/s{number}"), format!("#!/s{}\n", number - 1).into_bytes())));
        let files = files.iter().map(|(path, bytes)| (path.as_str(), File::program(bytes))).collect();
        ends(files, &format!("/s{length}"), "amd64")
    };
    assert_eq!(chain(5), "runs");
    assert_eq!(chain(6), "fails ELOOP interpreter-loop");
}

#[test]
fn a_program_that_execve_accepts_may_still_die() {
    let mut library = amd64(None);
    library[16] = 3;
    library[24..32].fill(0);
    assert_eq!(ends(vec![("/app", File::program(&library))], "/app", "amd64"), "runs", "the header is its first instruction");
    library[64..68].copy_from_slice(&[2, 0, 0, 0]);
    library.splice(120..120, amd64(None)[64..120].to_vec());
    library[56] = 2;
    assert_eq!(ends(vec![("/app", File::program(&library))], "/app", "amd64"), "dies 11 not-a-program");
    let mut cut = amd64(None);
    cut[64 + 32..64 + 40].copy_from_slice(&9999u64.to_le_bytes());
    assert_eq!(ends(vec![("/app", File::program(&cut))], "/app", "amd64"), "unsure", "it begins, at least");
    let address = u64::from_le_bytes(cut[64 + 16..64 + 24].try_into().unwrap());
    cut[24..32].copy_from_slice(&(address + 0x2000).to_le_bytes());
    assert_eq!(ends(vec![("/app", File::program(&cut))], "/app", "amd64"), "dies 7 truncated");
    let mut small_pages = amd64(None);
    small_pages[18] = 183;
    small_pages[64 + 16..64 + 24].copy_from_slice(&(address + 0x1000).to_le_bytes());
    assert_eq!(ends(vec![("/app", File::program(&small_pages))], "/app", "arm64"), "runs");
    assert_eq!(ends(vec![("/app", File::program(&small_pages))], "/app", "arm64,page-size=16k"), "dies 11 page-size");
    assert_eq!(ends(vec![("/app", File::program(&small_pages))], "/app", "raspberry-pi-5"), "unsure");
}

#[test]
fn headers_are_checked_as_the_kernel_checks_them() {
    let changed = |place: usize, value: u8| {
        let mut bytes = amd64(None);
        bytes[place] = value;
        ends(vec![("/app", File::program(&bytes))], "/app", "amd64")
    };
    assert_eq!(changed(54, 57), "fails ENOEXEC malformed-elf", "e_phentsize");
    assert_eq!(changed(56, 0), "fails ENOEXEC malformed-elf", "e_phnum");
    assert_eq!(changed(33, 0xff), "fails ENOEXEC malformed-elf", "e_phoff beyond the end");
    assert_eq!(changed(16, 1), "fails ENOEXEC not-a-program", "an object file");
    assert_eq!(changed(6, 9), "runs", "EI_VERSION does not matter");
    assert_eq!(changed(7, 3), "runs", "EI_OSABI does not matter");
}

#[test]
fn a_way_that_cannot_be_followed_is_told_beside_those_that_run() {
    let ends = |script: &str| {
        let script = format!("#!/bin/sh\n{script}\n");
        let files = vec![
            ("/app", File::program(&amd64(None))),
            ("/foreign", File::program(&elf(183, 64, false, None))),
            ("/bin/sh", File::program(&amd64(None))),
            ("/entry", File::program(script.as_bytes())),
        ];
        let trace = start(files, "/entry", "amd64").0;
        format!("{}{}", end(&trace), if trace.unfollowed.is_some() { ", as far as it can be followed" } else { "" })
    };
    let on_a_branch = |command: &str, rest: &str| ends(&format!("if [ -z \"$HOSTNAME\" ]; then {command}; fi\n{rest}"));
    let half = "runs, as far as it can be followed";
    assert_eq!(on_a_branch("exec /app once", "exec /app"), "runs");
    assert_eq!(on_a_branch("exec $(choose)", "exec /app"), half);
    assert_eq!(on_a_branch("exec $(choose)", "exec /foreign"), "unsure");
    assert_eq!(on_a_branch("exec /foreign", "exec /app"), "unsure");
    assert_eq!(on_a_branch("exec /app", "exit 0"), "runs");
    assert_eq!(on_a_branch("exec /foreign", "exit 0"), half);
    assert_eq!(on_a_branch("exit 1", "exec /app"), "runs", "it ends by its own choice");
}

#[test]
fn s6_overlay_runs_the_words_behind_its_init() {
    const PACKAGE: &str = "/package/admin/s6-overlay-3";
    let said = |words: &str, with: &[(&str, &str)]| {
        let init = format!(
            "#!/bin/sh -e\n{}export PATH=/command:$PATH\nexec s6-overlay-suexec ' {PACKAGE}/libexec/preinit' '' {PACKAGE}/libexec/stage0 \"$@\"\n",
            with.iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect::<String>()
        );
        let script = "#!/bin/sh -e\n\nshift\nif false; then\n  $arg0 \"$@\" &\nfi\n$arg0 \"$@\"\n";
        let files = vec![
            ("/app", File::program(&amd64(None))),
            ("/foreign", File::program(&elf(183, 64, false, None))),
            ("/needs", File::program(b"#!/bin/sh\nexec ${NAME:-/gone}\n")),
            ("/bin/dash", File::program(&amd64(None))),
            ("/bin/sh", File::link("dash")),
            ("/command/s6-overlay-suexec", File::program(&amd64(None))),
            ("/init", File::program(init.as_bytes())),
            ("/package/admin/s6-overlay-3/etc/s6-linux-init/skel/rc.init", File::program(script.as_bytes())),
        ];
        let (trace, message) = start(files, format!("/init {words}").trim_end(), "amd64");
        format!("{}{}", end(&trace), message.map(|message| format!(": {message}")).unwrap_or_default())
    };
    let running = "/run/s6/basedir/scripts/rc.init";
    assert_eq!(said("/app x", &[]), "runs");
    assert_eq!(said("/foreign", &[]), format!("fails ENOEXEC wrong-machine: {running}: 7: /foreign: Exec format error"));
    assert_eq!(said("", &[]), "unsure", "its services are not followed");
    let gone = |line: u8| format!("fails ENOENT missing: {running}: {line}: /gone: not found");
    assert_eq!(said("/gone", &[]), gone(7));
    assert_eq!(said("/gone", &[("S6_CMD_RECEIVE_SIGNALS", "1")]), gone(5));
    assert_eq!(said("x", &[("S6_CMD_ARG0", " /gone y ")]), gone(7));
    let lost = "fails ENOENT missing: /needs: 2: exec: /gone: not found";
    assert_eq!(said("/needs", &[("NAME", "/app")]), lost, "the container's variables are not there");
    assert_eq!(said("/needs", &[("NAME", "/app"), ("S6_KEEP_ENV", "1")]), "runs");
    assert_eq!(said("/app", &[("S6_KEEP_ENV", "perhaps")]), "unsure");
}

/// Each line was printed by runc 1.1.5 for the same root and command.
#[test]
fn runc_says_it_in_these_words() {
    let app = || ("/app", File::program(&amd64(None)));
    let says = |files, argv: &str| start(files, argv, "amd64").1;
    let line = |text: &str| Some(text.to_owned());
    assert_eq!(says(vec![app()], "/app"), None);
    assert_eq!(says(vec![app()], "app"), line("exec: \"app\": executable file not found in $PATH"));
    assert_eq!(says(vec![app()], "/none"), line("exec: \"/none\": stat /none: no such file or directory"));
    assert_eq!(says(vec![app()], "/app/x"), line("exec: \"/app/x\": stat /app/x: not a directory"));
    assert_eq!(says(vec![("/app", File::program(b"").mode(0o644))], "/app"), line("exec: \"/app\": permission denied"));
    assert_eq!(says(vec![("/app", File::program(b""))], "/app"), line("exec /app: exec format error"));
    assert_eq!(says(vec![("/app", File::program(&elf(183, 64, false, None)))], "/app"), line("exec /app: exec format error"));
    assert_eq!(says(vec![("/app", File::program(b"#!/bin/sh\r\n"))], "/app"), line("exec /app: no such file or directory"));
    assert_eq!(says(vec![("/bin/app", File::program(b"x"))], "app"), line("exec /bin/app: exec format error"));
    assert_eq!(says(vec![("/app", File::link("gone"))], "/app"), line("exec: \"/app\": stat /app: no such file or directory"));
    assert_eq!(
        says(vec![("/app", File::link("app"))], "/app"),
        line("exec: \"/app\": stat /app: too many levels of symbolic links")
    );
}

#[test]
fn a_user_needs_the_execute_bit_that_is_his() {
    let user = || Credentials { uid: 1000, gid: 1000, groups: vec![], dac_override: false };
    let app = |mode| vec![("/app", File::program(&amd64(None)).mode(mode))];
    assert_eq!(end(&start_as(app(0o700), "/app", "amd64", user()).0), "fails EACCES not-executable");
    assert_eq!(end(&start_as(app(0o701), "/app", "amd64", user()).0), "runs");
    assert_eq!(ends(app(0o001), "/app", "amd64"), "runs", "any bit is enough for root");
    assert_eq!(ends(app(0o644), "/app", "amd64"), "fails EACCES not-executable");
}

#[test]
fn path_is_searched_in_order_and_passes_over_what_may_not_be_executed() {
    let files = || {
        vec![
            ("/bin/app", File::program(b"").mode(0o644)),
            ("/usr/bin/app", File::link("/opt/app")),
            ("/opt/app", File::program(&amd64(None))),
        ]
    };
    let (trace, _) = start(files(), "app", "amd64");
    assert_eq!(end(&trace), "runs");
    let hop = &trace.hops[0];
    assert_eq!((hop.path.as_slice(), hop.found.as_ref().unwrap().to_string().as_str()), (&b"/usr/bin/app"[..], "/opt/app"));
    assert_eq!(hop.links.len(), 1);
}
