//! The GitLab component, run by `gitlab-ci-local` in the shell of this machine in the place of its image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::lab::{Lab, output, shell};
use crate::packages::npm;

/// A project of a GitLab server that has the component in it, as GitLab's documentation says to try one.
struct Project {
    lab: Lab,
}

impl Project {
    fn open() -> Option<Self> {
        let lab = Lab::open("npm and its gitlab-ci-local, git and rsync")?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(lab.path("project/templates")).unwrap();
        for file in ["templates/check.yml", "samples/shop.tar", "samples/clean.tar"] {
            fs::copy(root.join(file), lab.path("project").join(file.trim_start_matches("samples/"))).unwrap();
        }
        let commit = "git add . && git -c user.name=a -c user.email=a@example.com commit -q -m a";
        let remote = "git remote add origin git@gitlab.example.com:acme/shop.git";
        shell(&lab.path("project"), &format!("git init -q . && {remote} && {commit}"));
        Some(Self { lab })
    }

    /// Runs a pipeline that includes the component once with each of these inputs.
    fn pipeline(&self, inputs: &[Value]) -> Output {
        let component = "$CI_SERVER_FQDN/$CI_PROJECT_PATH/check@$CI_COMMIT_SHA";
        let include: Vec<_> = inputs.iter().map(|inputs| json!({"component": component, "inputs": inputs})).collect();
        // JSON is YAML.
        fs::write(self.path(".gitlab-ci.yml"), json!({"include": include, "stages": ["test"]}).to_string()).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_enoexec")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("node");
        command.arg(npm("gitlab-ci-local@4.73.0").join("dist/index.js"));
        command.args(["--force-shell-executor", "--shell-isolation"]).current_dir(self.lab.path("project"));
        output(command.env("PATH", path).env("HOME", self.lab.path("")))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.lab.path("project").join(name)
    }

    /// What a job left behind.
    fn left(&self, job: &str, name: &str) -> String {
        fs::read_to_string(self.path(".gitlab-ci-local/builds").join(job).join(name)).unwrap_or_default()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_component_gates_and_leaves_its_reports() {
    let Some(project) = Project::open() else { return };
    let bad = json!({"targets": "clean.tar oci-archive:shop.tar", "nodes": "arm64 amd64,level=v2"});
    let clean = json!({"targets": "clean.tar", "job": "clean"});
    let run = project.pipeline(&[bad, clean]);
    assert!(!run.status.success() && said(&run).contains("enoexec finished in"), "{}", said(&run));
    assert!(said(&run).contains("built for x86_64, but linux/arm64 nodes"), "{}", said(&run));
    let quality: Value = serde_json::from_str(&project.left("enoexec", "gl-code-quality-report.json")).unwrap();
    let rules: Vec<_> = quality.as_array().unwrap().iter().map(|finding| &finding["check_name"]).collect();
    assert_eq!(rules, ["EX203", "EX101"], "{quality}");
    assert!(project.left("enoexec", "enoexec.xml").contains("<testsuites"));
    // What `artifacts` has comes back to the project.
    assert!(project.path("enoexec.html").exists());
    assert_eq!(project.left("clean", "gl-code-quality-report.json").trim(), "[]", "{}", said(&run));
    let lenient = project.pipeline(&[json!({"targets": "shop.tar", "nodes": "arm64", "fail-on": "never"})]);
    assert!(lenient.status.success() && said(&lenient).contains("error[EX101]"), "{}", said(&lenient));
}

#[test]
fn no_input_of_the_component_becomes_shell_or_an_option() {
    let Some(project) = Project::open() else { return };
    let owned = project.lab.path("owned").display().to_string();
    let evil = format!("$(touch {owned}) `touch {owned}`\"; touch {owned}; ' --output=json={owned} *\ntouch {owned}\n");
    let run = project.pipeline(&[
        json!({"job": "targets", "targets": evil}),
        json!({"job": "nodes", "targets": "shop.tar", "nodes": evil}),
        json!({"job": "dockerfile", "targets": "shop.tar", "dockerfile": evil}),
    ]);
    assert!(!run.status.success() && said(&run).contains("is no image reference"), "{}", said(&run));
    assert!(!Path::new(&owned).exists(), "{}", said(&run));
}
