//! kubectl itself, against a stand-in for a cluster's API server, with the images in a real registry.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::lab::{Lab, shell};
use crate::registries::{Service, registry};

const NEEDS: &str = "kubectl, docker-registry and skopeo";
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");

/// Answers as an API server does, and writes down what it was asked.
struct ApiServer {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ApiServer {
    /// `answers` by path; of a log by path and whether it is that of the run before.
    fn start(answers: BTreeMap<String, Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        let log = Arc::clone(&asked);
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(&stream, &answers, &log)));
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(stream: &TcpStream, answers: &BTreeMap<String, Value>, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let Some(request) = lines.next() else { return };
    let _ = lines.count();
    let request = request.trim_end_matches(" HTTP/1.1").to_owned();
    let (path, query) = request.trim_start_matches("GET ").split_once('?').unwrap_or((request.trim_start_matches("GET "), ""));
    let key = if query.contains("previous=true") { format!("{path}?previous") } else { path.to_owned() };
    let found = answers.get(&key);
    log.lock().unwrap().push(request.clone());
    let (status, kind, body) = match found {
        Some(Value::String(text)) => (200, "text/plain", text.clone()),
        Some(document) => (200, "application/json", document.to_string()),
        None => (404, "application/json", absent(path).to_string()),
    };
    let length = body.len();
    let _ = write!(
        &mut (&*stream),
        "HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
}

fn absent(path: &str) -> Value {
    let name = path.rsplit('/').next().unwrap();
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404,
        "message": format!("pods \"{name}\" not found"), "details": {"name": name, "kind": "pods"}})
}

/// What every API server says of the kinds that it has.
fn discovery() -> BTreeMap<String, Value> {
    let kind = |name: &str, kind: &str, namespaced: bool, short: &[&str]| {
        json!({"name": name, "singularName": kind.to_lowercase(), "namespaced": namespaced, "kind": kind,
            "verbs": ["get", "list"], "shortNames": short})
    };
    let group = |name: &str| {
        let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
        json!({"name": name, "versions": [version], "preferredVersion": version})
    };
    let of = |version: &str, kinds: Value| json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": kinds});
    let core = json!([
        kind("pods", "Pod", true, &["po"]),
        kind("events", "Event", true, &["ev"]),
        kind("nodes", "Node", false, &["no"]),
    ]);
    let apps = json!([
        kind("deployments", "Deployment", true, &["deploy"]),
        kind("replicasets", "ReplicaSet", true, &["rs"]),
        kind("statefulsets", "StatefulSet", true, &["sts"]),
        kind("daemonsets", "DaemonSet", true, &["ds"]),
    ]);
    [
        ("/api", json!({"kind": "APIVersions", "versions": ["v1"]})),
        ("/apis", json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group("apps")]})),
        ("/api/v1", of("v1", core)),
        ("/apis/apps/v1", of("apps/v1", apps)),
    ]
    .map(|(path, document)| (path.to_owned(), document))
    .into()
}

/// A cluster whose one deployment has a pod in CrashLoopBackOff on an arm64 node.
struct Cluster {
    server: ApiServer,
    home: PathBuf,
}

/// The image of the pod, where it crashed, and its last words.
#[derive(Default)]
struct Crash<'a> {
    image: &'a str,
    image_id: &'a str,
    words: &'a str,
    /// Where a ConfigMap is mounted.
    mount: Option<&'a str>,
}

impl Cluster {
    fn new(lab: &Lab, crash: &Crash<'_>) -> Self {
        let home = lab.path("home");
        std::fs::create_dir_all(home.join(".kube")).unwrap();
        let server = ApiServer::start(objects(crash));
        let context = |name: &str, server: &str| {
            format!("- name: {name}\n  context: {{cluster: {server}, user: me, namespace: default}}\n")
        };
        // The current context is one that nobody answers at.
        let config = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: gone\nusers:\n- name: me\n  user: {{token: wonderland}}\nclusters:\n\
             - name: here\n  cluster: {{server: 'http://127.0.0.1:{}'}}\n- name: gone\n  cluster: {{server: 'http://127.0.0.1:1'}}\n\
             contexts:\n{}{}",
            server.port,
            context("here", "here"),
            context("gone", "gone")
        );
        std::fs::write(home.join(".kube/config"), config).unwrap();
        Self { server, home }
    }

    fn triage(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_enoexec"));
        command.arg("triage").args(words).current_dir(&self.home).env("HOME", &self.home);
        command.env_remove("KUBECONFIG").env_remove("XDG_CACHE_HOME").output().unwrap()
    }

    /// Nothing but reads reached the server.
    fn only_read(&self) -> Vec<String> {
        let asked = self.server.asked();
        assert!(!asked.is_empty() && asked.iter().all(|request| request.starts_with("GET /")), "{asked:?}");
        asked
    }
}

const POD: &str = "api-7d9c5b6f4-x2x4z";

fn objects(crash: &Crash<'_>) -> BTreeMap<String, Value> {
    let Crash { image, image_id, words, mount } = crash;
    let labels = json!({"app": "api", "pod-template-hash": "7d9c5b6f4"});
    let mounts: Vec<Value> = mount.iter().map(|path| json!({"name": "hooks", "mountPath": path, "subPath": "app"})).collect();
    let containers = json!([{"name": "api", "image": image, "volumeMounts": mounts}]);
    let volumes = json!([{"name": "hooks", "configMap": {"name": "api-hooks"}}]);
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": POD, "namespace": "shop", "labels": labels,
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-7d9c5b6f4", "controller": true, "uid": "u"}]},
        "spec": {"nodeName": "arm-1", "containers": containers, "volumes": volumes},
        "status": {"phase": "Running", "containerStatuses": [{"name": "api", "image": image, "imageID": image_id, "restartCount": 7,
            "ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=api"}},
            "lastState": {"terminated": {"exitCode": 255, "reason": "Error", "startedAt": "2026-11-25T02:00:00Z"}}}]}});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "api"}}, "template": {"metadata": {"labels": {"app": "api"}},
            "spec": {"containers": containers}}}});
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "shop"}, "type": "Warning",
        "involvedObject": {"kind": "Pod", "name": POD, "namespace": "shop", "fieldPath": "spec.containers{api}"},
        "reason": "BackOff", "message": "Back-off restarting failed container api", "lastTimestamp": "2026-11-25T02:00:00Z"});
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "arm-1",
            "labels": {"kubernetes.io/arch": "arm64", "node.kubernetes.io/instance-type": "m8g.large"}},
        "status": {"nodeInfo": {"architecture": "arm64", "operatingSystem": "linux", "kernelVersion": "6.8.0-1018-aws",
            "osImage": "Ubuntu 24.04.1 LTS", "containerRuntimeVersion": "containerd://1.7.12"}}});
    let list =
        |kind: &str, item: &Value| json!({"apiVersion": "v1", "kind": format!("{kind}List"), "metadata": {}, "items": [item]});
    let mut all = discovery();
    let namespace = "/api/v1/namespaces/shop";
    all.insert(format!("{namespace}/pods"), list("Pod", &pod));
    all.insert(format!("{namespace}/pods/{POD}"), pod);
    all.insert(format!("{namespace}/pods/{POD}/log?previous"), json!(format!("{words}\n")));
    all.insert(format!("{namespace}/pods/{POD}/log"), json!("starting\n"));
    all.insert(format!("{namespace}/events"), list("Event", &event));
    all.insert("/api/v1/nodes/arm-1".to_owned(), node);
    all.insert("/apis/apps/v1/namespaces/shop/deployments/api".to_owned(), deployment);
    all
}

/// A sample image, pushed: its tag, and its digest as a node reports it.
fn pushed(folder: &Path, at: &Service, sample: &str) -> (String, String) {
    let repository = format!("{}/shop/{sample}", at.address);
    let copy = format!(
        "skopeo --insecure-policy copy -q --all --dest-tls-verify=false --digestfile digest-{sample} \
         oci-archive:{SAMPLES}/{sample}.tar docker://{repository}:1 && cat digest-{sample}"
    );
    let digest = shell(folder, &copy);
    (format!("{repository}:1"), format!("{repository}@{}", digest.trim()))
}

fn causes(output: &Output) -> (Value, Vec<(String, String)>) {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let text = |cause: &Value, field: &str| cause[field].as_str().unwrap().to_owned();
    let causes = report["causes"].as_array().unwrap().iter().map(|cause| (text(cause, "cause"), text(cause, "confidence")));
    let causes = causes.collect();
    (report, causes)
}

#[test]
fn the_image_that_a_pod_was_started_from_confirms_its_log() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let at = registry(&lab.path("."), "");
    let (image, image_id) = pushed(&lab.path("."), &at, "wrong-machine");
    let words = "exec /usr/local/bin/app: exec format error";
    let cluster = Cluster::new(&lab, &Crash { image: &image, image_id: &image_id, words, ..Crash::default() });
    let words = [POD, "-n", "shop", "--context", "here", "-v", "--format", "json"];
    let output = cluster.triage(&words);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let (report, causes) = causes(&output);
    assert_eq!(
        (output.status.code(), &causes[0]),
        (Some(1), &("wrong-machine".into(), "confirmed".into())),
        "{report:#}\n{said}"
    );
    let first = &report["causes"][0];
    assert_eq!(first["ways"], json!(["wrong-binary-in-image"]));
    assert_eq!(first["evidence"][0]["source"], "log of api");
    assert_eq!(report["looks"][0]["image"], format!("docker://{image_id}"));
    assert_eq!(report["subjects"][0]["subject"]["containers"][0]["image_id"], image_id);
    let asked = cluster.only_read();
    for call in [
        format!("kubectl get pod {POD} -o json -n shop --context=here"),
        format!("kubectl get events -o json --field-selector=involvedObject.name={POD} -n shop --context=here"),
        format!("kubectl logs {POD} --container=api --tail=200 --previous -n shop --context=here"),
        "kubectl get node arm-1 -o json -n shop --context=here".to_owned(),
    ] {
        assert!(said.contains(&call), "{call}\n{said}");
    }
    // Each call that is shown is one that was made, and none was made that is not shown.
    let told = said.lines().filter(|line| line.contains("kubectl ")).count();
    let objects = asked.iter().filter(|request| ["/pods/", "/events", "/nodes/"].iter().any(|part| request.contains(part)));
    // For a log kubectl gets the pod first.
    assert_eq!(told + 1, objects.count(), "{asked:?}\n{said}");
    assert!(!said.contains("wonderland"));
}

#[test]
fn the_image_that_a_pod_was_started_from_contradicts_its_log() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let at = registry(&lab.path("."), "");
    let (image, image_id) = pushed(&lab.path("."), &at, "clean");
    let words = "exec /app: exec format error";
    let cluster = Cluster::new(&lab, &Crash { image: &image, image_id: &image_id, words, mount: Some("/app") });
    let output = cluster.triage(&["deploy/api", "-n", "shop", "--context", "here", "--format", "json"]);
    let (report, causes) = causes(&output);
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert!(causes.contains(&("wrong-machine".into(), "contradicted".into())), "{report:#}");
    assert!(causes.iter().all(|(_, confidence)| confidence != "confirmed"), "{report:#}");
    assert_eq!(causes[0], ("volume-hides-file".into(), "likely".into()), "{report:#}");
    assert!(report["causes"][0]["notes"].to_string().contains("the ConfigMap api-hooks is mounted at /app"), "{report:#}");
    let asked = cluster.only_read();
    assert!(asked.iter().any(|request| request.contains("/deployments/api")), "{asked:?}");
    assert!(asked.iter().any(|request| request.contains("labelSelector=app%3Dapi")), "{asked:?}");
    let shown = cluster.triage(&["deploy/api", "-n", "shop", "--context", "here"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("contradicted: ") && shown.contains("it runs"), "{shown}");
}

#[test]
fn a_cluster_that_is_not_there_is_no_verdict() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let cluster = Cluster::new(&lab, &Crash { image: "shop/api:1", ..Crash::default() });
    let absent = cluster.triage(&["nothing", "-n", "shop", "--context", "here"]);
    let said = String::from_utf8(absent.stderr).unwrap();
    assert!(absent.status.code() == Some(3) && said.contains("NotFound"), "{said}");
    cluster.only_read();
    // The current context is another one.
    let gone = cluster.triage(&[POD, "-n", "shop"]);
    assert_eq!(gone.status.code(), Some(3), "{}", String::from_utf8_lossy(&gone.stderr));
}
