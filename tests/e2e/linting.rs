//! `lint` in a repository.

use std::process::{Command, Stdio};

use crate::lab::{Lab, shell};

#[test]
fn only_new_lines_are_reported_since_a_commit() {
    let Some(lab) = Lab::open("git") else { return };
    let folder = lab.path("repository");
    let line = |tool: &str| format!("RUN curl -fLO https://dl.k8s.io/release/v1.34.1/bin/linux/amd64/{tool}\n");
    std::fs::create_dir_all(folder.join("app")).unwrap();
    std::fs::write(folder.join("app/Dockerfile"), format!("FROM debian:12\n{}", line("kubectl"))).unwrap();
    shell(&folder, "git init -q; git add .; git -c user.name=a -c user.email=a@example.org commit -qm one");
    std::fs::write(folder.join("app/Dockerfile"), format!("FROM debian:12\n{}{}", line("kubectl"), line("kubeadm"))).unwrap();
    std::fs::write(folder.join("new.Dockerfile"), format!("FROM debian:12\n{}", line("kubectl"))).unwrap();
    let found = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_enoexec"));
        let output = command
            .args(["lint", "--format", "json"])
            .args(arguments)
            .current_dir(&folder)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let places = report["findings"].as_array().unwrap().iter().map(|finding| {
            let locus = &finding["locus"];
            format!("{}:{}", locus["file"].as_str().unwrap(), locus["line"])
        });
        places.collect::<Vec<_>>()
    };
    assert_eq!(found(&[]), ["app/Dockerfile:2", "app/Dockerfile:3", "new.Dockerfile:2"]);
    assert_eq!(found(&["--diff-base", "HEAD"]), ["app/Dockerfile:3", "new.Dockerfile:2"]);
    assert_eq!(found(&["--diff-base", "HEAD", "app"]), ["app/Dockerfile:3"]);
    assert_eq!(found(&["--diff-base", "HEAD", "app/Dockerfile"]), ["app/Dockerfile:3"]);
}
