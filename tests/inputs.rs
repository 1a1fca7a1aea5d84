//! Everything that `triage` takes, as it is found on a machine: each is told by its content, and leads to its cause.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "what cannot be set up ends the test")]

use std::fs;
use std::process::Command;

use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inputs");

/// By file: what it is about, the likeliest cause with its confidence, and a part of what is said of it.
const INPUTS: &[(&str, &str, &str, &str)] = &[
    ("buildx.log", "", "likely emulator-missing", "the emulator"),
    ("containerd-journal.txt", "", "likely missing", "/srv/api is not in the image"),
    ("cri.log", "", "likely wrong-machine", "/usr/local/bin/shop-api"),
    ("describe.txt", "Pod api-7d9c5b6f4-x2x4z api", "likely not-in-path", "shop-api is in no directory of PATH"),
    ("docker-inspect.json", "container api api", "likely not-executable", "/entrypoint.sh"),
    ("docker-json.log", "", "likely loader-missing", "/usr/local/bin/shop-api is there"),
    ("events.json", "Pod cron-1", "likely disk-full", "no room"),
    ("github-actions.log", "", "confirmed library-version", "GLIBC_2.38"),
    ("kubelet-journal.txt", "", "likely not-executable", "/srv/api"),
    ("pod.yaml", "Pod migrate-5x7kq wait", "confirmed no-matching-manifest", "not there for"),
    ("podman.jsonl", "", "likely loader-missing", "/usr/local/bin/shop-api is there"),
    ("pods.json", "Pod api-7d9c5b6f4-x2x4z api", "likely not-executable", "comes from the ConfigMap api-scripts"),
    ("systemctl-status.txt", "", "possible wrong-machine", "/opt/shop/api"),
];

fn triage(file: &str) -> (Option<i32>, Value) {
    let words = ["triage", file, "--format", "json", "--offline"];
    let output = Command::new(env!("CARGO_BIN_EXE_enoexec")).args(words).current_dir(FOLDER).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code(), report.unwrap_or_else(|_| panic!("{file}: {}", String::from_utf8_lossy(&output.stderr))))
}

#[test]
fn each_input_leads_to_its_cause() {
    for (file, subject, cause, message) in INPUTS {
        let (code, report) = triage(file);
        let first = &report["causes"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (code, format!("{} {}", text(&first["confidence"]), text(&first["cause"])).as_str()),
            (Some(1), *cause),
            "{file}"
        );
        assert!(text(&first["message"]).contains(message), "{file}: {}", first["message"]);
        let about = &report["subject"];
        let failing = about["containers"].as_array().into_iter().flatten().find(|container| container["failing"] == true);
        let names =
            [text(&about["kind"]), text(&about["name"]), failing.map(|container| text(&container["name"])).unwrap_or_default()];
        assert_eq!(names.join(" ").trim(), *subject, "{file}");
    }
}

#[test]
fn each_input_has_its_row() {
    let files = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    for file in files {
        assert!(INPUTS.iter().any(|(name, ..)| *name == file), "{file}");
    }
}
