//! Objects as kubectl prints them.

use proptest::prelude::*;

use super::{ContainerPart, Object, VolumeKind, describe, objects};

const DEPLOYMENT: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  namespace: shop
spec:
  template:
    spec:
      nodeSelector: {kubernetes.io/arch: arm64}
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions:
              - {key: kubernetes.io/arch, operator: In, values: [amd64, arm64]}
      securityContext: {runAsUser: 1000}
      initContainers:
      - {name: init, image: busybox}
      - {name: proxy, image: envoy, restartPolicy: Always}
      containers:
      - name: api
        image: shop/api:1.2
        command: [/app]
        args: ['serve', '--port', 8080]
        env:
        - {name: A, value: b}
        - {name: TOKEN, valueFrom: {secretKeyRef: {name: x, key: y}}}
        securityContext: {capabilities: {drop: [ALL]}}
        volumeMounts:
        - {name: scripts, mountPath: /app, subPath: run.sh}
      volumes:
      - name: scripts
        configMap: {name: api-scripts, defaultMode: 0644}
";

#[test]
fn a_workload_says_what_its_pods_are_to_be() {
    let read = objects(DEPLOYMENT);
    assert_eq!(read.problem, None);
    let [Object::Workload(deployment)] = read.objects.as_slice() else { panic!("{read:?}") };
    assert_eq!((deployment.meta.group_kind().as_str(), deployment.meta.namespace.as_deref()), ("apps/Deployment", Some("shop")));
    let spec = &deployment.spec;
    assert_eq!(spec.node_selector, [("kubernetes.io/arch".into(), "arm64".into())]);
    assert_eq!(spec.node_terms[0][0].values, ["amd64", "arm64"]);
    let parts: Vec<ContainerPart> = spec.containers.iter().map(|container| container.part).collect();
    assert_eq!(parts, [ContainerPart::Init, ContainerPart::Sidecar, ContainerPart::Main]);
    let api = &spec.containers[2];
    assert_eq!(api.args.as_deref(), Some(&["serve".to_owned(), "--port".to_owned(), "8080".to_owned()][..]));
    assert_eq!((api.env.len(), api.user.as_deref(), api.cap_drop.as_slice()), (1, Some("1000"), &["ALL".to_owned()][..]));
    let mount = &api.mounts[0];
    assert_eq!((mount.kind, mount.name.as_str(), mount.mode), (VolumeKind::ConfigMap, "api-scripts", Some(0o644)));
}

#[test]
fn lists_are_taken_apart_and_states_are_read() {
    let text = r#"{"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "ownerReferences": [{"kind": "ReplicaSet", "name": "a-1", "controller": true}]},
         "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "x"}]},
         "status": {"phase": "Running", "containerStatuses": [{"name": "c", "imageID": "docker.io/x@sha256:0", "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
            "lastState": {"terminated": {"exitCode": 128, "reason": "StartError", "message": "exec format error: unknown"}}}]}},
        {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "a", "fieldPath": "spec.containers{c}"},
         "reason": "BackOff", "message": "m", "lastTimestamp": "2026-01-01T00:00:00Z"}, 7, {"kind": "ConfigMap"}]}"#;
    let read = objects(text);
    let [Object::Pod(pod), Object::Event(event), Object::Other(_)] = read.objects.as_slice() else { panic!("{read:?}") };
    assert_eq!(pod.meta.controller, Some(("ReplicaSet".into(), "a-1".into())));
    let status = pod.status.container("c").unwrap();
    assert_eq!((status.restarts, status.last_state.as_ref().unwrap().exit_code), (3, Some(128)));
    assert_eq!(status.state.as_ref().unwrap().reason.as_deref(), Some("CrashLoopBackOff"));
    assert_eq!((event.name.as_str(), event.container.as_deref()), ("a", Some("c")));
}

const DESCRIPTION: &str = r#"
Name:             api-7d9c5b
Namespace:        shop
Priority:         0
Node:             ip-10-0-1-5.ec2.internal/10.0.1.5
Labels:           app=api
Status:           Running
Controlled By:    ReplicaSet/api-7d9c
Init Containers:
  init:
    Image:          busybox
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
Containers:
  api:
    Container ID:  containerd://0
    Image:         shop/api:1.2
    Image ID:      docker.io/shop/api@sha256:00
    Command:
      /app
      --flag: x
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       StartError
      Message:      failed to create task
exec /app: exec format error
      Exit Code:    128
      Started:      Thu, 01 Jan 1970 00:00:00 +0000
    Ready:          False
    Restart Count:  4
    Environment:
      A:      b
      TOKEN:  <set to the key 'x' in secret 'y'>  Optional: false
    Mounts:
      /app from scripts (rw,path="run.sh")
      /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-x (ro)
Conditions:
  Type              Status
  Ready             False
Volumes:
  scripts:
    Type:      ConfigMap (a volume populated by a ConfigMap)
    Name:      api-scripts
    Optional:  false
QoS Class:                   BestEffort
Node-Selectors:              kubernetes.io/arch=arm64
                             pool=a
Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
Events:
  Type     Reason     Age               From               Message
  ----     ------     ----              ----               -------
  Normal   Scheduled  2m                default-scheduler  Successfully assigned shop/api-7d9c5b to ip-10-0-1-5
  Warning  BackOff    3s (x5 over 30s)  kubelet            Back-off restarting failed container api
"#;

#[test]
fn a_description_is_read_as_the_pod_that_it_tells_of() {
    let described = describe(DESCRIPTION).remove(0);
    let pod = &described.pod;
    assert_eq!((pod.meta.name.as_str(), pod.spec.node_name.as_deref()), ("api-7d9c5b", Some("ip-10-0-1-5.ec2.internal")));
    assert_eq!(pod.spec.node_selector.len(), 2);
    let api = &pod.spec.containers[1];
    assert_eq!(api.command.as_deref(), Some(&["/app".to_owned(), "--flag: x".to_owned()][..]));
    assert_eq!(api.env, [("A".to_owned(), "b".to_owned())]);
    assert_eq!((api.mounts[0].kind, api.mounts[0].name.as_str()), (VolumeKind::ConfigMap, "api-scripts"));
    assert_eq!(api.mounts[0].sub_path.as_deref(), Some("run.sh"));
    let last = pod.status.container("api").unwrap().last_state.as_ref().unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (Some(128), Some("StartError")));
    assert_eq!(last.message.as_deref(), Some("failed to create task\nexec /app: exec format error"));
    assert_eq!(described.events[1].message, "Back-off restarting failed container api");
    assert!(describe("exec /app: exec format error").is_empty());
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "((Name|Containers|Events|State|Message|Command|  a|    State|      Reason):? ?\\PC{0,8}\n){0,12}") {
        let _ = (describe(&text), objects(&text));
    }
}
