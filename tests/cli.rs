//! What the command line prints, word for word. `TRYCMD=overwrite cargo test --test cli` writes it anew.

#![allow(clippy::unwrap_used, reason = "what cannot be set up ends the test")]

#[test]
fn the_command_line_prints_what_it_promises() {
    trycmd::TestCases::new().case("tests/cli/*.trycmd");
}

#[test]
fn fix_writes_what_is_certain_and_leaves_the_rest_of_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Dockerfile");
    let before = "\u{feff}# Fetches kubectl.\r\nFROM debian:12\r\nRUN curl -fLO https://dl.k8s.io/release/v1.34.1/bin/linux/amd64/kubectl  # kubectl\r\n";
    std::fs::write(&file, before).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let lint = |flags: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_enoexec"));
        command.arg("lint").args(flags).current_dir(folder.path()).output().unwrap()
    };
    assert_eq!(lint(&[]).status.code(), Some(1));
    let diff = String::from_utf8(lint(&["--diff"]).stdout).unwrap();
    assert!(diff.contains("+ARG TARGETARCH\r\n"), "{diff}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "--diff writes nothing");
    let fixed = lint(&["--fix"]);
    assert_eq!(fixed.status.code(), Some(0), "{fixed:?}");
    let after = before.replace("debian:12\r\n", "debian:12\r\nARG TARGETARCH\r\n").replace("linux/amd64", "linux/${TARGETARCH}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), after);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
}
