//! The GitHub action's scripts, with a release that was made here in the place of the real one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::lab::{Lab, output, shell};

/// A runner: its files, and a server of releases that is a folder.
struct Runner {
    lab: Lab,
}

impl Runner {
    fn open() -> Option<Self> {
        let lab = Lab::open("curl, tar and sha256sum")?;
        let release = lab.path("releases/v0.1.0");
        fs::create_dir_all(&release).unwrap();
        let program = env!("CARGO_BIN_EXE_enoexec");
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations/release/pack.sh").display().to_string();
        let target = "$(uname -m)-unknown-linux-musl";
        shell(&release, &format!("{pack} {program} 0.1.0 {target} && sha256sum *.tar.gz > SHA256SUMS"));
        Some(Self { lab })
    }

    fn script(&self, name: &str, variables: &[(&str, &str)]) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new("bash");
        command.arg(root.join("integrations/action").join(name)).current_dir(root).env_clear();
        let path = format!("{}:{}", self.lab.path("temp/enoexec-0.1.0").display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("RUNNER_TEMP", self.lab.path("temp"));
        for (variable, file) in [("GITHUB_OUTPUT", "output"), ("GITHUB_PATH", "path"), ("GITHUB_STEP_SUMMARY", "summary")] {
            command.env(variable, self.lab.path(file));
        }
        command.env("ENOEXEC_INSTALL_FROM", format!("file://{}", self.lab.path("releases").display()));
        output(command.envs(variables.iter().copied()))
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.lab.path(name)).unwrap_or_default()
    }

    fn installed(&self) -> PathBuf {
        self.lab.path("temp/enoexec-0.1.0/enoexec")
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_action_installs_only_what_has_the_checksum() {
    let Some(runner) = Runner::open() else { return };
    let version = [("ENOEXEC_INSTALL_VERSION", "0.1.0")];
    let wrong = runner.script("install.sh", &[version[0], ("ENOEXEC_INSTALL_SHA256", &"0".repeat(64))]);
    assert_eq!(wrong.status.code(), Some(3), "{}", said(&wrong));
    assert!(said(&wrong).contains("nothing is installed") && !runner.installed().exists(), "{}", said(&wrong));
    let strange = runner.script("install.sh", &[("ENOEXEC_INSTALL_VERSION", "0.1.0/../../x; touch /tmp/owned")]);
    assert_eq!(strange.status.code(), Some(2), "{}", said(&strange));
    let right = runner.script("install.sh", &version);
    assert!(right.status.success() && said(&right).contains("enoexec 0.1.0"), "{}", said(&right));
    assert!(runner.file("path").contains("enoexec-0.1.0"));
}

#[test]
fn the_action_checks_summarises_and_passes_the_exit_code_on() {
    let Some(runner) = Runner::open() else { return };
    assert!(runner.script("install.sh", &[("ENOEXEC_INSTALL_VERSION", "0.1.0")]).status.success());
    let inputs = [
        ("INPUT_TARGETS", "samples/shop.tar\n  samples/clean.tar  \n\n"),
        ("INPUT_NODES", "arm64\n"),
        ("INPUT_FAIL_ON", "error"),
    ];
    let run = runner.script("check.sh", &inputs);
    assert!(run.status.success(), "the step that follows fails, not this one: {}", said(&run));
    assert!(said(&run).contains("::error title=enoexec EX101 wrong-machine::"), "{}", said(&run));
    assert!(runner.file("output").starts_with("exit-code=1\nsarif-file="), "{}", runner.file("output"));
    assert!(runner.file("summary").starts_with("## enoexec: 1 error in 3 images"), "{}", runner.file("summary"));
    assert!(runner.file("temp/enoexec.sarif").contains("\"ruleId\": \"EX101\""));
}

#[test]
fn no_input_becomes_shell() {
    let Some(runner) = Runner::open() else { return };
    assert!(runner.script("install.sh", &[("ENOEXEC_INSTALL_VERSION", "0.1.0")]).status.success());
    let evil = format!("$(touch {0})`touch {0}`\"; touch {0}; --output=json={0}", runner.lab.path("owned").display());
    let run = runner.script("check.sh", &[("INPUT_TARGETS", &evil), ("INPUT_NODES", ""), ("INPUT_FAIL_ON", "error")]);
    assert!(run.status.success(), "{}", said(&run));
    assert!(!runner.lab.path("owned").exists());
    assert!(
        runner.file("output").contains("exit-code=3") || runner.file("output").contains("exit-code=2"),
        "{}",
        runner.file("output")
    );
    // Nor in the action itself: expressions stand in variables and outputs, not in what is run.
    let action = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).unwrap();
    assert!(action.lines().filter(|line| line.trim_start().starts_with("run:")).all(|line| !line.contains("${{")), "{action}");
    assert_eq!(action.matches("run:").count(), 3);
}
