//! A cluster, asked through a stand-in for kubectl that serves what a cluster would.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what cannot be set up ends the test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Writes down each call, and answers by its words.
const STAND_IN: &str = r#"#!/bin/sh
echo "$@" >> "$0.calls"
cd "$(dirname "$0")"
case "$*" in
  "get pod api-7d9c5b6f4-x2x4z -o json"*) cat pod.json ;;
  "get deploy api -o json"*) cat deployment.json ;;
  "get pods -o json --selector=app=api"*) cat pods.json ;;
  "get events -o json --field-selector=involvedObject.name=api-7d9c5b6f4-x2x4z"*) cat events.json ;;
  "logs api-7d9c5b6f4-x2x4z --container=api --tail=200 --previous"*) echo 'exec /usr/local/bin/shop-api: exec format error' ;;
  "get node arm-1 -o json"*) cat node.json ;;
  "get pod refused -o json"*)
    echo 'E1125 10:57:10.376590   21442 memcache.go:265] "Unhandled Error" err="dial tcp 127.0.0.1:8080: connection refused"' >&2
    echo 'The connection to the server localhost:8080 was refused - did you specify the right host or port?' >&2; exit 1 ;;
  *) echo "Error from server (NotFound): $* not found" >&2; exit 1 ;;
esac
"#;

const POD: &str = r#"{"apiVersion": "v1", "kind": "Pod",
  "metadata": {"name": "api-7d9c5b6f4-x2x4z", "namespace": "shop", "labels": {"app": "api", "pod-template-hash": "7d9c5b6f4"},
    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-7d9c5b6f4", "controller": true}]},
  "spec": {"nodeName": "arm-1", "containers": [{"name": "api", "image": "shop/api:1"}]},
  "status": {"phase": "Running", "containerStatuses": [{"name": "api", "image": "shop/api:1", "restartCount": 4, "ready": false,
    "imageID": "", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}},
    "lastState": {"terminated": {"exitCode": 255, "reason": "Error"}}}]}}"#;

const DEPLOYMENT: &str = r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"},
  "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": {"spec": {"containers": [{"name": "api", "image": "shop/api:1"}]}}}}"#;

const EVENTS: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"},
  "involvedObject": {"kind": "Pod", "name": "api-7d9c5b6f4-x2x4z", "namespace": "shop", "fieldPath": "spec.containers{api}"},
  "reason": "BackOff", "message": "Back-off restarting failed container api", "lastTimestamp": "2026-11-25T02:00:00Z"}]}"#;

const NODE: &str = r#"{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "arm-1", "labels": {
  "kubernetes.io/arch": "arm64", "node.kubernetes.io/instance-type": "m8g.large"}},
  "status": {"nodeInfo": {"architecture": "arm64", "operatingSystem": "linux", "kernelVersion": "6.8.0-1018-aws", "osImage": "Ubuntu 24.04.1 LTS"}}}"#;

struct Cluster(TempDir);

impl Cluster {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let list = format!(r#"{{"apiVersion": "v1", "kind": "List", "items": [{POD}]}}"#);
        for (name, text) in [
            ("kubectl", STAND_IN),
            ("pod.json", POD),
            ("pods.json", &list),
            ("deployment.json", DEPLOYMENT),
            ("events.json", EVENTS),
            ("node.json", NODE),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::set_permissions(folder.path().join("kubectl"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink(env!("CARGO_BIN_EXE_enoexec"), folder.path().join("kubectl-enoexec")).unwrap();
        Self(folder)
    }

    fn run(&self, program: &str, words: &[&str]) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
        Command::new(program).args(words).current_dir(samples).env("PATH", path).output().unwrap()
    }

    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.path().join("kubectl.calls")).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }
}

fn causes(output: &Output) -> Vec<(String, String)> {
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let causes = report["causes"].as_array().unwrap().iter();
    causes.map(|cause| (cause["cause"].as_str().unwrap().into(), cause["confidence"].as_str().unwrap().into())).collect()
}

const ENOEXEC: &str = env!("CARGO_BIN_EXE_enoexec");

#[test]
fn a_pods_log_is_held_against_its_image_on_its_node() {
    let cluster = Cluster::new();
    let words = ["triage", "api-7d9c5b6f4-x2x4z", "-n", "shop", "--context", "prod", "--image", "shop.tar", "--format", "json"];
    let output = cluster.run(ENOEXEC, &words);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(causes(&output)[0], ("wrong-machine".into(), "confirmed".into()));
    let calls = cluster.calls();
    assert_eq!(calls.len(), 4, "{calls:?}");
    let only_reads = |call: &String| call.starts_with("get ") || call.starts_with("logs ");
    assert!(calls.iter().all(|call| only_reads(call) && call.contains("-n shop --context=prod")), "{calls:?}");
}

#[test]
fn what_makes_the_pods_leads_to_them_and_every_call_can_be_seen() {
    let cluster = Cluster::new();
    let output = cluster.run(ENOEXEC, &["triage", "deploy/api", "-n", "shop", "--image", "shop.tar", "-v"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for call in ["kubectl get deploy api -o json -n shop", "kubectl get pods -o json --selector=app=api -n shop", "kubectl logs "]
    {
        assert!(said.contains(call), "{said}");
    }
}

#[test]
fn it_is_a_plugin_of_kubectl() {
    let cluster = Cluster::new();
    let plugin = cluster.0.path().join("kubectl-enoexec");
    let words = ["api-7d9c5b6f4-x2x4z", "-n", "shop", "--image", "shop.tar", "--format", "json"];
    let output = cluster.run(plugin.to_str().unwrap(), &words);
    assert_eq!(causes(&output)[0].0, "wrong-machine");
    for (words, usage) in [
        (&["--help"][..], "Usage: kubectl enoexec [OPTIONS] [FILE|POD|KIND/NAME]\n       kubectl enoexec <COMMAND>\n"),
        (&["check", "--help"], "Usage: kubectl enoexec check [OPTIONS]"),
        (&["api", "--nonsense"], "Usage: kubectl enoexec triage"),
    ] {
        let output = cluster.run(plugin.to_str().unwrap(), words);
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains(usage), "{said}");
    }
}

#[test]
fn what_kubectls_library_logs_of_each_attempt_is_not_the_reason() {
    let output = Cluster::new().run(ENOEXEC, &["triage", "pod/refused"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("failed: The connection to the server localhost:8080 was refused"), "{said}");
}

#[test]
fn kubectls_own_words_say_why_it_could_not_look() {
    let cluster = Cluster::new();
    let output = cluster.run(ENOEXEC, &["triage", "nothing", "-n", "shop"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(said.contains("NotFound") && said.contains("kubectl get pod nothing"), "{said}");
}

#[test]
fn what_kubectl_prints_is_taken_as_it_is() {
    let cluster = Cluster::new();
    let pod = cluster.0.path().join("pods.json");
    let output = cluster
        .run(ENOEXEC, &["triage", pod.to_str().unwrap(), "--image", "shop.tar", "--node", "m8g.large", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["causes"].is_array(), "{report}");
    assert!(cluster.calls().is_empty());
}

#[test]
fn every_pod_and_every_container_that_fails_is_told() {
    let cluster = Cluster::new();
    let container = |name: &str, message: &str| {
        serde_json::json!({"name": name, "image": format!("shop/{name}:1"), "restartCount": 3, "imageID": "",
            "state": {"waiting": {"reason": "RunContainerError", "message": message}}})
    };
    let pod = |name: &str, statuses: &[serde_json::Value]| {
        let containers: Vec<serde_json::Value> =
            statuses.iter().map(|status| serde_json::json!({"name": status["name"], "image": status["image"]})).collect();
        serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"containers": containers}, "status": {"containerStatuses": statuses}})
    };
    let denied = container("api", r#"exec: "/app": permission denied: unknown"#);
    let absent = container("proxy", r#"exec: "envoy": executable file not found in $PATH: unknown"#);
    let old = container("worker", "exec format error");
    let list =
        serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [pod("web", &[denied, absent]), pod("jobs", &[old])]});
    let file = cluster.0.path().join("all.json");
    fs::write(&file, list.to_string()).unwrap();
    let output = cluster.run(ENOEXEC, &["triage", file.to_str().unwrap(), "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let told = report["subjects"].as_array().unwrap().iter();
    let told: Vec<[&str; 3]> = told
        .map(|case| {
            let subject = &case["subject"];
            [&subject["name"], &subject["containers"][0]["name"], &case["causes"][0]["cause"]].map(|text| text.as_str().unwrap())
        })
        .collect();
    let expected = [["web", "api", "not-executable"], ["web", "proxy", "not-in-path"], ["jobs", "worker", "wrong-machine"]];
    assert_eq!(told, expected);
    assert_eq!(report["causes"], report["subjects"][0]["causes"], "the first stands at the top, too");
    let shown = cluster.run(ENOEXEC, &["triage", file.to_str().unwrap()]).stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("pod shop/web, container proxy") && shown.contains("pod shop/jobs, container worker"), "{shown}");
}

#[test]
fn a_preflights_json_has_each_container_on_each_node() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli");
    let words = ["preflight", "-f", "shop.yaml", "--nodes", "shop-nodes.yaml", "--image", "shop/api:1=../../samples/shop.tar"];
    let output = Command::new(ENOEXEC).args(words).args(["--format", "json"]).current_dir(folder).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/report-v1.json");
    let schema = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    jsonschema::validate(&schema, &report).unwrap();
    let api = &report["placements"][0];
    assert_eq!([&api["kind"], &api["name"], &api["container"]], ["Deployment", "api", "api"]);
    let row = |placement: &serde_json::Value| -> Vec<String> {
        let nodes = placement["nodes"].as_array().unwrap().iter();
        nodes
            .map(|node| format!("{} {} {} {}", node["node"], node["landing"], node["outcome"], node["cause"]).replace('"', ""))
            .collect()
    };
    let expected = ["x86-1 lands runs null", "arm-1 lands fails wrong-machine", "arm-2 lands fails wrong-machine"];
    assert_eq!(row(api), expected);
    let gpu = &report["placements"][2]["nodes"][0];
    assert_eq!([&gpu["landing"], &gpu["because"]], ["kept-away", "nodeSelector accelerator=a100"]);
}
