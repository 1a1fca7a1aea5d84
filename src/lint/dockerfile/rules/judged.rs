//! What kind of thing a word of a command is.

use super::super::shell::base_name;
use super::super::value::Value;

/// The name of a command's program.
pub(super) fn program(words: &[Value]) -> String {
    words.first().map(|word| base_name(&word.masked()).to_owned()).unwrap_or_default()
}

/// Whether a program fetches what its words name.
pub(super) fn is_fetcher(program: &str) -> bool {
    matches!(program, "curl" | "wget" | "aria2c" | "axel" | "fetch" | "http" | "lwp-download" | "wget2" | "curlie" | "download")
}

/// Whether what stands behind this option of a program that fetches is a file, a header or the like, and no address.
pub(super) fn takes_no_address(program: &str, option: &str) -> bool {
    let long =
        ["--output", "--output-document", "--output-dir", "--directory-prefix", "--header", "--data", "--user", "--user-agent"];
    let short = if program == "curl" { ['o', 'H', 'd', 'u', 'A'] } else { ['o', 'O', 'P', 'U', 'd'] };
    let is_short = option.len() > 1 && option.starts_with('-') && !option.starts_with("--");
    long.contains(&option) || is_short && option.ends_with(short)
}

/// Whether a command may run a program that fetches: `xargs curl`, or one whose name is not known.
pub(super) fn may_fetch(words: &[Value]) -> bool {
    let program = program(words);
    let runs_others = match program.as_str() {
        "xargs" | "parallel" | "su" | "runuser" | "chroot" | "flock" | "script" => true,
        "find" => words.iter().any(|word| word.masked().starts_with("-exec")),
        _ => false,
    };
    let names_one = || words.iter().skip(1).any(|word| is_fetcher(&word.masked()));
    words.first().is_some_and(Value::is_unknown)
        || runs_others && words.iter().any(Value::is_unknown)
        || names_one() && !is_told_about_packages(&program)
}

/// Whether a program's words name packages and other programs, of which it runs none.
fn is_told_about_packages(program: &str) -> bool {
    const MANAGERS: &[&str] = &[
        "apk",
        "apt",
        "apt-get",
        "aptitude",
        "apt-mark",
        "apt-fast",
        "apt-cache",
        "yum",
        "dnf",
        "microdnf",
        "tdnf",
        "zypper",
        "pacman",
        "dpkg",
        "rpm",
        "brew",
        "conda",
        "mamba",
        "micromamba",
        "pip",
        "pip3",
        "npm",
        "gem",
        "opkg",
        "xbps-install",
        "emerge",
        "which",
        "type",
        "install_packages",
        "clean-install",
        "install-packages",
        "apt-install",
        "update-alternatives",
        "rm",
        "ln",
        "cp",
        "mv",
        "chmod",
    ];
    MANAGERS.contains(&program)
}

/// Whether a program picks lines or fields of what it reads.
pub(super) fn picks(program: &str) -> bool {
    matches!(
        program,
        "grep"
            | "egrep"
            | "fgrep"
            | "jq"
            | "awk"
            | "gawk"
            | "sed"
            | "perl"
            | "python"
            | "python2"
            | "python3"
            | "ruby"
            | "node"
            | "xmllint"
            | "htmlq"
    )
}

/// Programs whose words speak about architectures without using anything of one.
const TALKERS: &[&str] = &[
    "grep",
    "egrep",
    "fgrep",
    "sed",
    "awk",
    "gawk",
    "tr",
    "cut",
    "expr",
    "test",
    "docker",
    "podman",
    "buildx",
    "buildah",
    "crane",
    "skopeo",
    "manifest-tool",
    "rustup",
    "update-binfmts",
    "apt-mark",
    "file",
    "objdump",
    "readelf",
    "git",
    "rm",
    "rmdir",
    "find",
    "xargs",
    "true",
    "sleep",
    "useradd",
    "usermod",
    "groupadd",
    "sha256sum",
    "sha512sum",
    "sha1sum",
    "md5sum",
    "gpg",
    "test-build",
    "unset",
    "node",
    "which",
    "jq",
    "ls",
    "perl",
];

/// Whether a program's words say nothing of what it uses.
pub(super) fn is_talker(program: &str) -> bool {
    let is_dockers = program.starts_with("docker-") && !program.starts_with("docker-php-");
    TALKERS.contains(&program) || program.starts_with("qemu") || is_dockers
}

/// Whether a command installs packages.
pub(super) fn installs(program: &str, words: &[Value]) -> bool {
    let verb = |verbs: &[&str]| words.iter().skip(1).any(|word| verbs.contains(&word.masked().as_str()));
    match program {
        "apt" | "apt-get" | "aptitude" | "yum" | "dnf" | "microdnf" | "tdnf" | "zypper" | "install_packages" | "apt-fast" => {
            program == "install_packages" || verb(&["install", "localinstall", "in", "download", "build-dep", "reinstall"])
        }
        "apk" => verb(&["add"]),
        "dpkg" => verb(&["-i", "--install", "--unpack"]),
        "rpm" => words.iter().skip(1).any(|word| {
            let word = word.masked();
            word.starts_with("-i")
                || word.starts_with("-U")
                || word.starts_with("-iv")
                || word == "--install"
                || word == "--upgrade"
        }),
        "pacman" => words.iter().skip(1).any(|word| word.masked().starts_with("-S") || word.masked().starts_with("-U")),
        _ => false,
    }
}

/// Whether a command takes packages away, so that one that is missing does no harm.
pub(super) fn removes(program: &str, words: &[Value]) -> bool {
    let verbs = ["remove", "purge", "erase", "autoremove", "del", "--purge", "--remove", "--erase"];
    let is_verb = |word: &str| verbs.contains(&word) || matches!(program, "dpkg" | "rpm") && matches!(word, "-r" | "-e" | "-P");
    words.iter().skip(1).take(4).any(|word| is_verb(&word.masked()))
}

/// Whether a word says what a compiler or a package manager makes its output for.
pub(super) fn sets_target(program: &str, words: &[Value], index: usize) -> bool {
    let options: &[&str] = match program {
        "cargo" | "cross" => &["--target"],
        "dotnet" => &["-r", "--runtime", "-a", "--arch", "-p:RuntimeIdentifier", "/p:RuntimeIdentifier"],
        "npm" | "yarn" | "pnpm" => &["--cpu", "--arch", "--target_arch"],
        "pip" | "pip3" => &["--platform"],
        _ => return false,
    };
    let word = words.get(index).map(Value::masked).unwrap_or_default();
    let before = index.checked_sub(1).and_then(|before| words.get(before)).map(Value::masked).unwrap_or_default();
    options.contains(&before.as_str())
        || word.split_once(['=', ':']).is_some_and(|(option, _)| options.contains(&option))
        || word.rsplit_once('=').is_some_and(|(option, _)| options.contains(&option))
}

/// Packages of compilers for another machine: their names say what they compile for.
pub(super) fn is_toolchain_package(name: &str) -> bool {
    let starts = [
        "gcc-",
        "g++-",
        "gfortran-",
        "binutils",
        "crossbuild-",
        "qemu",
        "clang-",
        "gdc-",
        "gnat-",
        "musl-cross",
        "mingw",
        "linux-libc-dev",
    ];
    starts.iter().any(|start| name.starts_with(start))
        || name.contains("cross")
        || name.contains("mingw")
        || name.contains("musl-")
}

/// Variables that name what a compiler or package manager makes its output for.
const TARGETS: &[&str] = &[
    "GOARCH",
    "XC_ARCH",
    "CARGO_BUILD_TARGET",
    "npm_config_arch",
    "npm_config_target_arch",
    "npm_config_cpu",
    "DOCKER_DEFAULT_PLATFORM",
    "VCPKG_DEFAULT_TRIPLET",
    "VCPKG_TARGET_TRIPLET",
    "CONDA_SUBDIR",
    "PIP_PLATFORM",
    "ELECTRON_ARCH",
    "GOHOSTARCH",
];

/// Whether a variable fixes what is built for.
pub(super) fn is_target_variable(name: &str) -> bool {
    TARGETS.contains(&name)
}

/// Whether a text is a path to where an architecture's libraries lie.
pub(super) fn is_library_path(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_absolute = lower.starts_with('/')
        || lower.contains("=/")
        || lower.contains(":/")
        || lower.contains("--with-libdir=lib/")
        || lower.contains("${");
    let folders = ["linux-gnu", "linux-musl", "/jvm/", "openjdk-", "ld-musl-", "ld-linux", "/lib/", "/lib64/", "/usr/", "/opt/"];
    is_absolute && folders.iter().any(|folder| lower.contains(folder))
}

/// Whether a file is a text by its name: of one architecture, perhaps, but no program.
pub(super) fn is_text(name: &str) -> bool {
    let ends = [
        ".s", ".c", ".h", ".patch", ".diff", ".md", ".txt", ".yaml", ".yml", ".json", ".toml", ".conf", ".cfg", ".ini", ".repo",
        ".list", ".cmake", ".sha256", ".sha512", ".asc", ".sig", ".lock", ".config", ".service", ".html", ".xml", ".py",
        ".sources",
    ];
    let lower = name.to_ascii_lowercase();
    ends.iter().any(|end| lower.ends_with(end))
}
