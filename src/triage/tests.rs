use super::{Confidence, Container, Diagnosis, Look, Mount, Subject, Symptom, diagnose};
use crate::exec::{Cause, Outcome, Trace};
use crate::format::elf::Machine;
use crate::format::kube::VolumeKind;
use crate::image::Errno;

fn log(text: &str) -> Diagnosis {
    let symptom = Symptom { source: "log".into(), text: text.into() };
    diagnose(Subject { symptoms: vec![symptom], ..Subject::default() })
}

fn names(diagnosis: &Diagnosis) -> Vec<(&str, &str)> {
    diagnosis.hypotheses.iter().map(|hypothesis| (hypothesis.cause.name.as_str(), hypothesis.confidence.name())).collect()
}

fn look(path: &str, outcome: Outcome, message: Option<&str>) -> Look {
    Look {
        image: "shop".into(),
        node: "linux/arm64".into(),
        node_platform: "linux/arm64".parse().unwrap(),
        declared: Some("linux/arm64".parse().unwrap()),
        container: None,
        path: Some(path.into()),
        trace: Some(Trace::without_hops(outcome)),
        messages: message.map(str::to_owned).into_iter().collect(),
        finding: None,
    }
}

fn wrong_machine() -> Outcome {
    Outcome::Fails { errno: Errno::ENOEXEC, cause: Cause::WrongMachine { machine: Machine(62), bits: Some(64), endian: None } }
}

#[test]
fn what_the_image_predicts_is_confirmed_and_the_rest_contradicted() {
    let mut diagnosis = log("exec /app: exec format error");
    assert_eq!(names(&diagnosis)[0], ("wrong-machine", "likely"));
    assert_eq!(names(&diagnosis)[1], ("no-shebang", "possible"));
    diagnosis.hold_against(&[look("/app", wrong_machine(), Some("exec /app: exec format error"))]);
    assert_eq!(names(&diagnosis)[0], ("wrong-machine", "confirmed"));
    assert_eq!(diagnosis.hypotheses[0].ways, ["wrong-binary-in-image"]);
    assert!(names(&diagnosis)[1..].iter().all(|(_, confidence)| *confidence == "contradicted"), "{:?}", names(&diagnosis));
}

#[test]
fn an_image_that_runs_contradicts_the_log() {
    let mut diagnosis = log("exec /app/run: exec format error");
    diagnosis.hold_against(&[look("/app/run", Outcome::Runs, None)]);
    let names = names(&diagnosis);
    assert_eq!(names[0].1, "possible");
    assert!(names.contains(&("wrong-machine", "contradicted")));
    assert!(names.contains(&("volume-hides-file", "possible")));
}

#[test]
fn an_image_that_was_looked_at_for_another_file_settles_nothing() {
    let mut diagnosis = log("exec /app: exec format error");
    let before = names(&diagnosis).len();
    diagnosis.hold_against(&[look("/other", Outcome::Runs, None)]);
    assert_eq!(names(&diagnosis).len(), before);
    assert_eq!(names(&diagnosis)[0], ("wrong-machine", "likely"));
}

#[test]
fn a_config_map_over_a_script_lacks_the_execute_bit() {
    let mount = Mount { path: "/scripts".into(), volume: VolumeKind::ConfigMap, name: "hooks".into(), ..Mount::default() };
    let container = Container { name: "app".into(), mounts: vec![mount], ..Container::default() };
    let text = r#"exec: "/scripts/run.sh": permission denied: unknown"#;
    let symptom = Symptom { source: "event Failed".into(), text: text.into() };
    let mut diagnosis = diagnose(Subject { symptoms: vec![symptom], containers: vec![container], ..Subject::default() });
    diagnosis.hold_against(&[]);
    assert_eq!(names(&diagnosis)[0], ("not-executable", "likely"));
    let note = diagnosis.hypotheses[0].notes.last().unwrap();
    assert_eq!(note, "the ConfigMap hooks is mounted at /scripts, its files with mode 0644");
}

#[test]
fn a_volume_hides_nothing_where_none_is_mounted() {
    let of = |path: &str| {
        let mount = Mount { path: path.into(), volume: VolumeKind::EmptyDir, name: "work".into(), ..Mount::default() };
        let container = Container { name: "app".into(), mounts: vec![mount], ..Container::default() };
        let symptom = Symptom {
            source: "event Failed".into(),
            text: r#"exec: "/app/run": stat /app/run: no such file or directory"#.into(),
        };
        let mut diagnosis = diagnose(Subject { symptoms: vec![symptom], containers: vec![container], ..Subject::default() });
        diagnosis.hold_against(&[]);
        let found = diagnosis.hypotheses.into_iter().find(|hypothesis| hypothesis.cause.name == "volume-hides-file").unwrap();
        (found.confidence, found.notes.last().cloned().unwrap())
    };
    assert_eq!(of("/app"), (Confidence::Likely, "the empty directory work is mounted at /app".to_owned()));
    assert_eq!(of("/data"), (Confidence::Contradicted, "nothing is mounted over /app/run".to_owned()));
}

#[test]
fn a_code_or_a_reason_counts_only_where_nothing_else_is_told() {
    let first = |text: &str| names(&log(text)).first().map(|(cause, confidence)| format!("{confidence} {cause}"));
    for (text, expected) in [
        ("exit code: 126", Some("likely not-executable")),
        ("exit code: 127", Some("possible not-in-path")),
        ("exit code: 132", Some("likely cpu")),
        ("exit code: 133", Some("possible emulator-broken")),
        ("exit code: 134", Some("possible page-size")),
        ("exit code: 135", Some("likely truncated")),
        ("exit code: 139", Some("possible page-size")),
        ("exit code: 159", Some("likely security-policy")),
        ("Exited (255) 3 seconds ago, no logs", Some("possible wrong-machine")),
        ("State: Waiting\nReason: RunContainerError", Some("possible not-in-path")),
        ("CreateContainerError", Some("possible no-command")),
        ("ErrImagePull: no match for platform in manifest: not found", Some("confirmed no-matching-manifest")),
        ("Reason: ErrImagePull\nwrite /var/lib/containerd/tmp: no space left on device", None),
        ("failed to pull and unpack image: write layer.tar: no space left on device", Some("likely disk-full")),
        ("exit code: 1", None),
        ("Reason: OOMKilled\nexit code: 137", None),
        ("Reason: OOMKilled\nexit code: 255", None),
        ("listening on :8080\nexit code: 255", None),
        ("listening on :8080\nexit code: 134", None),
        ("ImagePullBackOff", None),
        ("Reason: CreateContainerConfigError", None),
        ("Error: failed to reserve container name \"web\"\nCreateContainerError", None),
    ] {
        assert_eq!(first(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn words_tell_the_version_where_they_changed() {
    let versions = |text: &str| log(text).observations.first().map(|line| line.versions().join(" and "));
    for (text, expected) in [
        (r#"standard_init_linux.go:190: exec user process caused "exec format error""#, "runc 1.0.0-rc10 or earlier"),
        ("standard_init_linux.go:228: exec user process caused: exec format error", "runc 1.0.0-rc91 to 1.0.3"),
        ("exec /app: exec format error", "runc 1.1 or later"),
        (r#"unable to start container process: exec: "a": executable file not found in $PATH: unknown"#, "runc 1.1 or later"),
        (
            r#"runc create failed: unable to start container process: error during container init: exec: "/a": permission denied"#,
            "runc 1.2 or later",
        ),
        (
            r#"container_linux.go:349: starting container process caused "exec: \"/a\": permission denied""#,
            "runc 1.0.0-rc10 or earlier",
        ),
        ("exec container process (missing dynamic library?) `/a`: No such file or directory", "crun 0.20 or later"),
        ("bash: ./a: cannot execute: required file not found", "bash 5.2 or later"),
        ("Fatal glibc error: CPU does not support x86-64-v2", "glibc 2.34 or later"),
        (
            "a: error while loading shared libraries: libx.so: ELF load command alignment not page-aligned",
            "glibc 2.34 or earlier",
        ),
        (
            "This program can only be run on AMD64 processors with v3 microarchitecture support.",
            "a program built with Go 1.18 or later",
        ),
        ("bash: ./a: cannot execute binary file: Exec format error", ""),
        ("[FATAL tini (7)] exec /app failed: No such file or directory", ""),
    ] {
        assert_eq!(versions(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn a_line_that_is_no_exec_failure_has_no_cause() {
    for text in [
        "dial tcp 10.0.0.1:5432: connect: connection refused",
        "java.lang.NullPointerException\n\tat com.shop.Main.main(Main.java:12)",
        "Last State: Terminated\nReason: OOMKilled\nExit Code: 137",
        "ModuleNotFoundError: No module named 'flask'",
        "Error: Cannot find module './config'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/data/config.json'",
        "cat: /etc/shop.conf: No such file or directory",
        "open /etc/shop.yaml: permission denied",
        "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)",
        "Readiness probe failed: Get \"http://10.0.0.1/health\": context deadline exceeded",
    ] {
        assert_eq!(names(&log(text)), [], "{text}");
    }
}

#[test]
fn the_words_name_the_case() {
    let diagnosis = log("/app: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /app)");
    let words = diagnosis.words(&diagnosis.hypotheses[0]);
    assert_eq!(diagnosis.hypotheses[0].confidence, Confidence::Confirmed);
    assert_eq!(words.message, "/app needs GLIBC_2.38, which /lib/x86_64-linux-gnu/libc.so.6 in the image is too old to have");
    assert!(words.settle.contains("enoexec check"), "{}", words.settle);
}

#[test]
fn a_patch_is_offered_only_to_what_can_be_patched() {
    let diagnosis = log("exec /app: exec format error");
    assert_eq!(diagnosis.words(&diagnosis.hypotheses[0]).now, None);
}

#[test]
fn what_no_image_shows_is_told_by_the_words() {
    for (text, cause, remedy) in [
        (
            "image with reference shop:1 was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)",
            "platform-mismatch",
            "--platform linux/arm64",
        ),
        (
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            "no-matching-manifest",
            "docker buildx build --platform",
        ),
        (
            r#"exec: "/usr/bin/qemu-aarch64-static": stat /usr/bin/qemu-aarch64-static: no such file"#,
            "emulator-missing",
            "tonistiigi/binfmt",
        ),
        (
            "qemu: uncaught target signal 11 (Segmentation fault) - core dumped",
            "emulator-broken",
            "build for the node's own architecture",
        ),
        ("bash: /tmp/install: Permission denied", "noexec-mount", "TMPDIR"),
        (r#"exec: "/app/api": stat /app/api: not a directory"#, "not-a-directory", "subPath"),
        ("are you trying to mount a directory onto a file (or vice-versa)?", "volume-hides-file", "subPath"),
        ("/usr/local/bin/yq: line 1: syntax error near unexpected token `newline'", "html", "curl --fail"),
        ("/usr/local/bin/tool: line 1: version: command not found", "git-lfs-pointer", "git lfs pull"),
        ("Bus error (core dumped)", "truncated", "check the sum"),
        ("failed to register layer: write /usr/bin/x: no space left on device", "disk-full", "imageGCHighThresholdPercent"),
        ("failed to extract layer sha256:00: input/output error", "corrupt-image-cache", "crictl rmi"),
        ("Bad system call (core dumped)", "security-policy", "profile"),
        ("<jemalloc>: Unsupported system page size", "page-size", "kernel8.img"),
        ("Fatal glibc error: CPU does not support x86-64-v3", "cpu", "cpu: host"),
        ("exec /app: operation not permitted", "file-capabilities", "setcap -r /app"),
        ("exec /app: argument list too long", "argument-list-too-long", "enableServiceLinks"),
    ] {
        let diagnosis = log(text);
        let place = diagnosis.hypotheses.iter().take(2).find(|hypothesis| hypothesis.cause.name == cause);
        let Some(hypothesis) = place else { panic!("{text}: {:?}", names(&diagnosis)) };
        let words = diagnosis.words(hypothesis);
        let told = format!("{} {}", words.now.unwrap_or_default(), words.fix);
        assert!(told.contains(remedy), "{text}: {told}");
    }
}

#[test]
fn an_image_of_another_platform_is_sent_to_nodes_of_its_own() {
    let symptom = Symptom { source: "log of api".into(), text: "exec /app: exec format error".into() };
    let owner = Some("deployment/api".to_owned());
    let mut diagnosis = diagnose(Subject { owner, symptoms: vec![symptom], ..Subject::default() });
    let declared = Some("linux/amd64".parse().unwrap());
    diagnosis.hold_against(&[Look { declared, ..look("/app", wrong_machine(), Some("exec /app: exec format error")) }]);
    let first = &diagnosis.hypotheses[0];
    assert_eq!((first.confidence, first.ways.as_slice()), (Confidence::Confirmed, ["other-architecture".to_owned()].as_slice()));
    let now = diagnosis.words(first).now.unwrap();
    assert!(now.contains("kubectl patch deployment/api") && now.contains(r#""kubernetes.io/arch":"amd64""#), "{now}");
}

#[test]
fn a_fix_is_for_the_file_at_hand() {
    let now = |text: &str| {
        let diagnosis = log(text);
        diagnosis.words(&diagnosis.hypotheses[0]).now
    };
    let python = now(r#"exec: "/app/run.py": permission denied"#).unwrap();
    assert!(python.contains(r#"command: ["python3", "/app/run.py"]"#), "{python}");
    assert_eq!(now(r#"exec: "/app/server": permission denied"#), None, "no shell can start what may be a program");
    let diagnosis = log("exec format error");
    let settle = diagnosis.words(&diagnosis.hypotheses[1]).settle;
    assert!(settle.contains("--exec PROGRAM"), "{settle}");
}
