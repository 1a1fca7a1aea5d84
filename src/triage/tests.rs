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
    assert_eq!(words.message, "/app needs GLIBC_2.38, which the image's /lib/x86_64-linux-gnu/libc.so.6 is too old to have");
    assert!(words.settle.contains("enoexec check"), "{}", words.settle);
}

#[test]
fn a_patch_is_offered_only_to_what_can_be_patched() {
    let diagnosis = log("exec /app: exec format error");
    assert_eq!(diagnosis.words(&diagnosis.hypotheses[0]).now, None);
}
