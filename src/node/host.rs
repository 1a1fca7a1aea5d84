//! What the machine that this runs on tells of itself, and what it was seen to start, as a node.

use crate::base::{KernelVersion, Platform, escape};
use crate::format::elf::TinyProgram;
use crate::store::{Host, Probe};

use super::spec::{platform, siblings};
use super::{Code, Compat, Family, Handler, Level, Node, NodeError, Property, native_code};

pub(super) fn node(host: &Host, probed: &[(TinyProgram, Probe)]) -> Result<Node, NodeError> {
    let platform = machine(&host.machine)
        .filter(|platform| native_code(platform).is_some())
        .ok_or_else(|| NodeError(format!("nothing is known here of the machine type {}", escape(&host.machine))))?;
    let mut node = Node::plain(&platform);
    node.name = escape(&host.name).to_string();
    node.page_size = host.page_size;
    node.kernel = host.release.parse().unwrap_or(KernelVersion::UNKNOWN);
    node.level = level(&platform, &host.cpuinfo).or(node.level);
    node.handlers = handlers(host);
    configured(&mut node, host);
    for (program, probe) in probed {
        learn(&mut node, program, *probe, host.binfmt_status.is_some());
    }
    Ok(node)
}

/// Go's name for what `uname -m` says.
fn machine(uname: &str) -> Option<Platform> {
    let arm = uname.strip_prefix("armv").and_then(|version| version.chars().next());
    match (uname, arm) {
        (_, Some('5')) => Some(Platform::linux("arm", Some("v5"))),
        (_, Some('6')) => Some(Platform::linux("arm", Some("v6"))),
        (_, Some('7' | '8')) => Some(Platform::linux("arm", Some("v7"))),
        // It does not say which byte order.
        ("mips" | "mips64" | "ppc64", _) => platform(super::spec::host_architecture()).ok(),
        _ => platform(uname).ok().map(|platform| platform.normalised()),
    }
}

/// The handlers in the order in which the directory lists them, which is that in which the kernel asks them: both put the newest
/// first.
fn handlers(host: &Host) -> Vec<Handler> {
    let enabled = host.binfmt_status.as_deref().is_some_and(|status| status.trim() == "enabled");
    let shown = host.handlers.iter().filter_map(|(name, text)| Handler::shown(name, text));
    if enabled { shown.collect() } else { Vec::new() }
}

/// What the kernel's configuration says of second instruction sets. Where there is none to read it is not certain.
fn configured(node: &mut Node, host: &Host) {
    let usual = siblings(&node.platform);
    if usual.is_empty() {
        return;
    }
    let Some(config) = &host.config else {
        let why = format!(
            "the kernel's configuration cannot be read here (`enoexec node --probe` tries): {}",
            node.says(Property::Compat32)
        );
        node.unsure.insert(Property::Compat32, why);
        return;
    };
    let has = |name: &str| config.lines().any(|line| line == format!("CONFIG_{name}=y"));
    let says = |word: &str| host.command_line.split_ascii_whitespace().any(|own| own == word);
    let compat = |compat: &Compat| match compat {
        Compat::I386 if says("ia32_emulation=off") || says("ia32_emulation=0") => false,
        Compat::I386 => has("IA32_EMULATION") && (!has("IA32_EMULATION_DEFAULT_DISABLED") || says("ia32_emulation=on")),
        Compat::O32 => has("MIPS32_O32"),
        Compat::N32 => has("MIPS32_N32"),
        _ => has("COMPAT"),
    };
    node.compat = usual.iter().copied().filter(compat).collect();
    if node.platform.architecture == "arm64" && !node.compat.is_empty() {
        let why = "the kernel runs 32-bit programs if the CPU does, which `enoexec node --probe` tries".to_owned();
        node.unsure.insert(Property::Compat32, why);
    }
}

/// What the CPU can do at least, by what the kernel lists of it.
fn level(platform: &Platform, cpuinfo: &str) -> Option<Level> {
    let line = |key: &str| {
        let lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        lines.map(|(own, value)| (own.trim(), value.trim())).find(|(own, _)| *own == key).map(|(_, value)| value)
    };
    let words = |key: &str| line(key).unwrap_or_default().split_ascii_whitespace().collect::<Vec<_>>();
    match platform.architecture.as_str() {
        "amd64" => Some(Level::new(Family::X86, steps(&X86_STEPS, &words("flags"), 1))),
        "arm64" => Some(Level::new(Family::Arm64, steps(&ARM64_STEPS, &words("Features"), 80))),
        "riscv64" => line("isa").map(|isa| Level::new(Family::Riscv, riscv(isa))),
        // `cpu : POWER9, altivec supported`.
        "ppc64" | "ppc64le" => Level::parse(platform, line("cpu")?.split(|letter: char| !letter.is_ascii_alphanumeric()).next()?),
        "s390x" => z(cpuinfo),
        _ => None,
    }
}

/// The psABI's levels by the kernel's names of flags; `abm` is LZCNT, `pni` SSE3.
const X86_STEPS: [(u16, &str); 3] = [
    (2, "cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2"),
    (3, "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"),
    (4, "avx512f avx512bw avx512cd avx512dq avx512vl"),
];

/// What versions of the A64 architecture demand, by the kernel's names (`Documentation/arch/arm64/elf_hwcaps.rst`).
const ARM64_STEPS: [(u16, &str); 7] = [
    (81, "atomics crc32 asimdrdm"),
    (82, "dcpop"),
    (83, "fcma jscvt lrcpc"),
    (84, "asimddp flagm uscat ilrcpc dit"),
    (85, "flagm2 frint sb dcpodp"),
    (86, "i8mm bf16"),
    (90, "sve2"),
];

/// The highest step whose words, and those of all below it, are there.
fn steps(steps: &[(u16, &str)], has: &[&str], least: u16) -> u16 {
    let is_whole = |words: &str| words.split(' ').all(|word| has.contains(&word));
    steps.iter().take_while(|(_, words)| is_whole(words)).last().map_or(least, |(step, _)| *step)
}

/// `rv64imafdcv_zicsr_…`.
fn riscv(isa: &str) -> u16 {
    let extensions: Vec<&str> = isa.split('_').collect();
    let letters = extensions.first().and_then(|base| base.strip_prefix("rv64")).unwrap_or_default();
    let has = |names: &[&str]| names.iter().all(|name| extensions.contains(name));
    let is_22 = has(&["zba", "zbb", "zbs"]);
    // RVA23 demands more than the kernel lists; these two set it apart.
    if is_22 && letters.contains('v') && has(&["zicond", "zvfhmin"]) {
        23
    } else if is_22 {
        22
    } else {
        20
    }
}

/// `processor 0: version = 00, identification = …, machine = 3906` (IBM's machine types).
fn z(cpuinfo: &str) -> Option<Level> {
    let number = cpuinfo.split("machine = ").nth(1)?.split_ascii_whitespace().next()?;
    let step = match number {
        "2817" | "2818" => 11,
        "2827" | "2828" => 12,
        "2964" | "2965" => 13,
        "3906" | "3907" => 14,
        "8561" | "8562" => 15,
        "3931" | "3932" => 16,
        "9175" | "9176" => 17,
        _ => return None,
    };
    Some(Level::new(Family::Z, step))
}

/// What the start of a program that only exits tells of the machine. `shows`: the handlers can be seen from here.
fn learn(node: &mut Node, program: &TinyProgram, probe: Probe, shows: bool) {
    let head = program.bytes();
    let path = program.name.as_bytes();
    let takes = |handler: &Handler| handler.matches(&head, path);
    if let Some(compat) = second(&node.platform, program).filter(|_| !node.handlers.iter().any(takes)) {
        if probe == Probe::Ran {
            node.compat.insert(compat);
        } else {
            node.compat.remove(&compat);
        }
        if siblings(&node.platform).contains(&compat) {
            node.unsure.remove(&Property::Compat32);
        }
        return;
    }
    let code = Code { machine: program.machine, bits: program.bits, endian: program.endian };
    if node.code() == Some(code) {
        return;
    }
    match probe {
        // A handler that is there all the same: this runs in a container whose /proc does not show it.
        Probe::Ran if !node.handlers.iter().any(takes) && !shows => {
            node.handlers.push(Handler { name: format!("emulator-of-{}", program.name), ..Handler::qemu(program.name, code) });
        }
        Probe::Refused | Probe::Failed => node.handlers.retain(|handler| !takes(handler)),
        Probe::Ran => {}
    }
}

/// As which second instruction set of a platform's kernel a program would run.
fn second(platform: &Platform, program: &TinyProgram) -> Option<Compat> {
    let compat = match program.name {
        "386" => Compat::I386,
        "x32" => Compat::X32,
        "arm" => Compat::Arm,
        "s390" => Compat::S390,
        "ppc" => Compat::Ppc,
        "riscv32" => Compat::Riscv32,
        "mips" | "mipsle" => Compat::O32,
        _ => return None,
    };
    let is_own = siblings(platform).contains(&compat) || compat == Compat::X32 && platform.architecture == "amd64";
    let endian = native_code(platform).is_some_and(|code| code.endian == program.endian);
    (is_own && endian).then_some(compat)
}

#[cfg(test)]
mod tests {
    use super::{Host, Node, Probe};
    use crate::format::elf::TINY_PROGRAMS;
    use crate::node::{Compat, Property};

    fn host(machine: &str, cpuinfo: &str) -> Host {
        let (machine, cpuinfo) = (machine.to_owned(), cpuinfo.to_owned());
        let config = Some("CONFIG_COMPAT=y\nCONFIG_IA32_EMULATION=y\n".to_owned());
        Host { name: "n1".into(), machine, release: "6.1.0-18".into(), page_size: 4096, cpuinfo, config, ..Host::default() }
    }

    fn probed(runs: &[&str]) -> Vec<(crate::format::elf::TinyProgram, Probe)> {
        let probe = |name| if runs.contains(&name) { Probe::Ran } else { Probe::Refused };
        TINY_PROGRAMS.iter().map(|program| (*program, probe(program.name))).collect()
    }

    #[test]
    fn cpus_say_what_they_can_in_their_own_words() {
        let v2 = "flags\t\t: fpu cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2";
        for (machine, cpuinfo, expected) in [
            ("x86_64", "flags\t\t: fpu sse2", "linux/amd64 x86-64-v1"),
            ("x86_64", v2, "linux/amd64 x86-64-v2"),
            ("x86_64", &format!("{v2} avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"), "linux/amd64 x86-64-v3"),
            ("aarch64", "Features\t: fp asimd evtstrm aes crc32", "linux/arm64 Armv8.0"),
            ("aarch64", "Features\t: fp atomics crc32 asimdrdm dcpop fphp", "linux/arm64 Armv8.2"),
            ("ppc64le", "cpu\t\t: POWER9 (architected), altivec supported", "linux/ppc64le POWER9"),
            ("s390x", "processor 0: version = FF,  identification = 1,  machine = 8561", "linux/s390x z15"),
            ("riscv64", "isa\t\t: rv64imafdcv_zicsr_zba_zbb_zbs", "linux/riscv64 RVA22"),
            ("armv6l", "", "linux/arm/v6 Armv6"),
        ] {
            let node = Node::of_host(&host(machine, cpuinfo), &[]).unwrap();
            let level = node.level.map(|level| level.to_string()).unwrap_or_default();
            assert_eq!(format!("{} {level}", node.platform), expected);
        }
        assert!(Node::of_host(&host("vax", ""), &[]).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_not_certain_until_it_is_tried() {
        let host = Host { config: None, ..host("x86_64", "") };
        assert!(Node::of_host(&host, &[]).unwrap().unsure.contains_key(&Property::Compat32));
        let node = Node::of_host(&host, &probed(&["amd64"])).unwrap();
        assert!(node.unsure.is_empty() && node.compat.is_empty());
        let node = Node::of_host(&host, &probed(&["amd64", "386", "x32"])).unwrap();
        assert_eq!(node.compat, [Compat::I386, Compat::X32].into());
    }

    #[test]
    fn handlers_that_do_not_work_are_none_and_those_that_do_not_show_are_found() {
        let magic = "7f454c460201010000000000000000000200b700";
        let mask = "ffffffffffffff00fffffffffffffffffeffffff";
        let text = format!("enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: F\noffset 0\nmagic {magic}\nmask {mask}\n");
        let handlers = vec![("qemu-aarch64".to_owned(), text)];
        let host = Host { binfmt_status: Some("enabled\n".into()), handlers, ..host("x86_64", "") };
        let names = |runs: &[&str], host: &Host| {
            let node = Node::of_host(host, &probed(runs)).unwrap();
            node.handlers.into_iter().map(|handler| handler.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&["amd64", "arm64"], &host), ["qemu-aarch64"]);
        assert!(names(&["amd64"], &host).is_empty());
        assert_eq!(names(&["amd64", "arm64"], &Host { binfmt_status: None, ..host.clone() }), ["emulator-of-arm64"]);
        let host = Host { binfmt_status: Some("disabled\n".into()), ..host };
        assert!(Node::of_host(&host, &[]).unwrap().handlers.is_empty());
    }
}
