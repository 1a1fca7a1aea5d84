//! What the command line prints, word for word. `TRYCMD=overwrite cargo test --test cli` writes it anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what cannot be set up ends the test")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

#[test]
fn the_command_line_prints_what_it_promises() {
    trycmd::TestCases::new().case("tests/cli/*.trycmd");
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn lint(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_enoexec"));
    command.arg("lint").args(arguments).current_dir(folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who does not read its input may be gone already.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

/// The findings, as `file:line:column rule`.
fn found(folder: &Path, arguments: &[&str], input: &str) -> Vec<String> {
    let output = lint(folder, &[&["--format", "json"], arguments].concat(), input);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let line = |finding: &serde_json::Value| {
        let locus = &finding["locus"];
        let [file, rule] = [&locus["file"], &finding["rule"]].map(|text| text.as_str().unwrap());
        format!("{file}:{}:{} {rule}", locus["line"], locus["column"])
    };
    report["findings"].as_array().unwrap().iter().map(line).collect()
}

const KUBECTL: &str = "RUN curl -fLO https://dl.k8s.io/release/v1.34.1/bin/linux/amd64/kubectl";

#[test]
fn fix_writes_what_is_certain_and_leaves_the_rest_of_the_file() {
    let before = format!("\u{feff}# Fetches kubectl.\r\nFROM debian:12\r\n{KUBECTL}  # kubectl\r\n");
    let folder = folder(&[("Dockerfile", &before)]);
    let file = folder.path().join("Dockerfile");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(lint(folder.path(), &[], "").status.code(), Some(1));
    let diff = String::from_utf8(lint(folder.path(), &["--diff"], "").stdout).unwrap();
    assert!(diff.contains("+ARG TARGETARCH\r\n"), "{diff}");
    assert_eq!(fs::read_to_string(&file).unwrap(), before, "--diff writes nothing");
    let fixed = lint(folder.path(), &["--fix"], "");
    assert_eq!(fixed.status.code(), Some(0), "{fixed:?}");
    let after = before.replace("debian:12\r\n", "debian:12\r\nARG TARGETARCH\r\n").replace("linux/amd64", "linux/${TARGETARCH}");
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_fix_is_judged_for_the_platforms_that_the_build_files_name() {
    let text =
        "FROM debian:12\nRUN curl -fLO https://github.com/docker/compose/releases/download/v2.29.0/docker-compose-linux-x86_64\n";
    let compose = |platforms: &str| format!("services:\n  app:\n    build:\n      context: .\n      platforms: [{platforms}]\n");
    let both = folder(&[("Dockerfile", text), ("compose.yaml", &compose("linux/amd64, linux/arm64"))]);
    assert_eq!(lint(both.path(), &["--fix"], "").status.code(), Some(0));
    assert_eq!(fs::read_to_string(both.path().join("Dockerfile")).unwrap(), text.replace("x86_64", "$(uname -m)"));
    // There the kernel says armv7l, and the file is called armv7.
    let three = folder(&[("Dockerfile", text), ("compose.yaml", &compose("linux/amd64, linux/arm64, linux/arm/v7"))]);
    let refused = lint(three.path(), &["--fix"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("EX301 is not fixed"), "{refused:?}");
    assert_eq!(fs::read_to_string(three.path().join("Dockerfile")).unwrap(), text);
}

#[test]
fn a_file_with_a_variant_beside_it_is_for_the_other_architectures() {
    let amd64 = format!("FROM debian:12\n{KUBECTL}\n");
    let beside = folder(&[
        ("a/Dockerfile", &amd64),
        ("a/Dockerfile.aarch64", &amd64),
        ("b/Dockerfile", &amd64),
        ("b/arm64/Dockerfile", &amd64.replace("amd64", "arm64")),
        ("c/Dockerfile", &amd64),
        ("c/Dockerfile.alpine.arm64", "FROM alpine\n"),
    ]);
    assert_eq!(found(beside.path(), &[], ""), ["a/Dockerfile.aarch64:2:59 EX301", "c/Dockerfile:2:59 EX301"]);
    assert_eq!(found(beside.path(), &["b/Dockerfile"], ""), [""; 0], "its folder is looked at though it is named alone");
    assert_eq!(found(beside.path(), &["a/Dockerfile", "--platform", "linux/arm64"], ""), ["a/Dockerfile:2:59 EX301"]);
}

#[test]
fn what_git_ignores_is_not_linted_unless_it_is_named() {
    let amd64 = format!("FROM debian:12\n{KUBECTL}\n");
    let folder = folder(&[(".gitignore", "out/\n"), ("out/Dockerfile", &amd64), (".devcontainer/Dockerfile", &amd64)]);
    assert_eq!(found(folder.path(), &[], ""), [".devcontainer/Dockerfile:2:59 EX301"]);
    assert_eq!(found(folder.path(), &["out/Dockerfile"], ""), ["out/Dockerfile:2:59 EX301"]);
}

#[test]
fn standard_input_is_a_dockerfile() {
    let folder = folder(&[]);
    assert_eq!(found(folder.path(), &["-"], &format!("FROM debian:12\n{KUBECTL}\n")), ["<stdin>:2:59 EX301"]);
    let diff = lint(folder.path(), &["-", "--diff"], &format!("FROM debian:12\n{KUBECTL}\n"));
    assert!(String::from_utf8_lossy(&diff.stdout).contains("linux/${TARGETARCH}"), "{diff:?}");
}

#[test]
fn places_hold_through_line_ends_directives_comments_and_here_documents() {
    let text = "# syntax=docker/dockerfile:1\r\n# escape=`\r\nFROM debian:12\r\nRUN echo C:\\x && `\r\n  # which\r\n  curl -LO `\r\n  \
                https://dl.k8s.io/release/v1.34.1/bin/linux/amd64/kubectl\r\nRUN cat <<A > /a && chmod 644 /a\r\nlinux/amd64\r\nA\r\n\
                RUN sh -e <<B\r\ncurl -LO https://dl.k8s.io/release/v1.34.1/bin/linux/amd64/kubeadm\r\nB\r\nENTRYPOINT []\r\n";
    let folder = folder(&[("Dockerfile", text)]);
    assert_eq!(found(folder.path(), &[], ""), ["Dockerfile:7:47 EX301", "Dockerfile:12:54 EX301"]);
}
