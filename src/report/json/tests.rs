use super::{Document, json};
use crate::report::{Report, sample};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/report-v1.json");

#[test]
fn the_committed_schema_is_that_of_the_report() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Document)).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(SCHEMA, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(SCHEMA).unwrap(), schema, "`UPDATE=1 cargo test --lib schema` writes it anew");
}

fn printed(report: &Report) -> serde_json::Value {
    let mut out = Vec::new();
    json(report, &mut out).unwrap();
    assert!(out.ends_with(b"}\n"));
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn every_report_obeys_the_schema() {
    let schema = serde_json::from_str(&std::fs::read_to_string(SCHEMA).unwrap()).unwrap();
    for report in [Report::default(), sample::wrong_machine(), sample::index(), sample::rich()] {
        jsonschema::validate(&schema, &printed(&report)).unwrap();
    }
}

#[test]
fn fields_are_named_as_promised() {
    let report = printed(&sample::rich());
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["tool"]["name"], "enoexec");
    assert_eq!(report["summary"], serde_json::json!({"errors": 1, "warnings": 1, "infos": 0, "ignored": 0, "known": 0}));
    let image = &report["targets"][0]["images"][0];
    let machine = serde_json::json!({"machine": "aarch64", "bits": 64, "endian": "little", "files": 331, "executables": 102});
    assert_eq!(image["machines"][0], machine, "summed over the layers");
    let node = &image["nodes"][0];
    let end = ["node", "selected", "outcome", "errno", "signal", "cause", "message"].map(|field| node[field].clone());
    let expected = serde_json::json!([
        "linux/arm64",
        true,
        "fails",
        "ENOEXEC",
        null,
        "wrong-machine",
        "exec docker-entrypoint.sh: exec format error"
    ]);
    assert_eq!(serde_json::Value::from(end.to_vec()), expected);
    assert_eq!(image["exec"][0]["path"], "/bin/cr\\xff");
    assert_eq!(image["exec"][0]["signal"], 11);
    assert_eq!(image["files"][0]["type"], "executable");
    let locus = &report["findings"][0]["locus"];
    assert_eq!((&locus["kind"], &locus["layer"], &locus["path"]), (&"guest".into(), &3.into(), &"/usr/bin/dash".into()));
    assert_eq!(report["targets"][1]["error"], "gone.tar: No such file or directory (os error 2)");
}

#[test]
fn predictions_and_files_are_there_only_where_asked_for() {
    let image = &printed(&sample::wrong_machine())["targets"][0]["images"][0];
    assert!(image.get("exec").is_none() && image.get("files").is_none(), "{image}");
}

#[test]
fn the_same_report_prints_the_same_bytes() {
    let print = || {
        let mut out = Vec::new();
        json(&sample::rich(), &mut out).unwrap();
        out
    };
    assert_eq!(print(), print());
}
