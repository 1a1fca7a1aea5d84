use super::{Document, triage_json};
use crate::report::TriageReport;
use crate::triage::{Container, State, Subject, Symptom, diagnose};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/triage-v1.json");

#[test]
fn the_committed_schema_is_that_of_the_report() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Document)).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(SCHEMA, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(SCHEMA).unwrap(), schema, "`UPDATE=1 cargo test --lib schema` writes it anew");
}

fn printed(subject: Subject) -> serde_json::Value {
    let report = TriageReport { diagnosis: diagnose(subject), ..TriageReport::default() };
    let mut out = Vec::new();
    triage_json(&[report], &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn text(text: &str) -> Subject {
    Subject { symptoms: vec![Symptom { source: "log".into(), text: text.into() }], ..Subject::default() }
}

#[test]
fn every_report_obeys_the_schema() {
    let schema = serde_json::from_str(&std::fs::read_to_string(SCHEMA).unwrap()).unwrap();
    let state = State { kind: "terminated".into(), exit_code: Some(127), ..State::default() };
    let container = Container { name: "app".into(), image: "shop:1".into(), last_state: Some(state), ..Container::default() };
    let pod = Subject { kind: "Pod".into(), name: "web".into(), containers: vec![container], ..Subject::default() };
    for subject in [Subject::default(), text("connection refused"), text("exec /app: exec format error"), pod] {
        jsonschema::validate(&schema, &printed(subject)).unwrap();
    }
}

#[test]
fn fields_are_named_as_promised() {
    let report = printed(text("first\nexec /app\u{1b}[31m: exec format error"));
    assert_eq!((&report["schema_version"], &report["tool"]["name"]), (&1.into(), &"enoexec".into()));
    let first = &report["causes"][0];
    assert_eq!(
        (&first["cause"], &first["name"], &first["rule"]),
        (&"wrong-machine".into(), &"wrong-machine".into(), &"EX101".into())
    );
    assert_eq!(first["confidence"], "likely");
    assert_eq!((&first["evidence"][0]["source"], &first["evidence"][0]["line"]), (&"log".into(), &2.into()));
    assert_eq!(first["evidence"][0]["text"], "exec /app\\x1b[31m: exec format error");
    assert_eq!(printed(text("connection refused"))["causes"], serde_json::json!([]));
}
