//! How often the text alone leads to the confirmed cause: `ENOEXEC_INCIDENTS=FILE cargo test --test incidents -- --nocapture`
//! scores a file of JSON lines with `log` and `cause_class`, and prints a table. The incidents are not part of this repository.

#![allow(clippy::unwrap_used, reason = "what cannot be read ends the test")]

use std::collections::BTreeMap;

use enoexec::triage::{Subject, Symptom, diagnose};

/// The causes that stand for each class, by the names that `triage` prints.
const CLASSES: &[(&str, &[&str])] = &[
    ("image-other-arch", &["wrong-machine", "platform-mismatch"]),
    ("wrong-binary-in-image", &["wrong-machine"]),
    ("mislabelled-platform", &["wrong-machine"]),
    ("wrong-base-platform", &["wrong-machine"]),
    ("no-manifest-for-platform", &["no-matching-manifest"]),
    ("32bit-on-64bit", &["wrong-machine", "no-compat", "loader-missing", "extension-wrong-machine"]),
    ("arm-variant", &["cpu", "wrong-machine"]),
    ("x86-64-level", &["cpu"]),
    ("cpu-feature-sigill", &["cpu"]),
    ("page-size", &["page-size"]),
    ("missing-shebang", &["no-shebang"]),
    ("bom", &["byte-order-mark"]),
    ("crlf-shebang", &["carriage-return"]),
    ("missing-interpreter", &["interpreter-missing", "loader-missing"]),
    ("musl-glibc", &["wrong-libc", "loader-missing"]),
    ("glibc-version", &["library-version"]),
    ("missing-library", &["library-missing"]),
    ("wrong-arch-library", &["library-wrong-machine"]),
    ("wrong-arch-language-extension", &["extension-wrong-machine"]),
    ("not-executable", &["not-executable"]),
    ("noexec", &["noexec-mount"]),
    ("not-found-in-path", &["not-in-path"]),
    ("volume-hides-file", &["volume-hides-file"]),
    ("darwin-binary", &["mach-o"]),
    ("windows-binary", &["pe"]),
    ("go-archive-not-main", &["archive"]),
    ("empty-or-truncated-binary", &["empty-file", "truncated", "html"]),
    ("corrupt-image-cache", &["corrupt-image-cache", "empty-file"]),
    ("emulator-missing", &["emulator-missing"]),
    ("emulator-broken", &["emulator-broken"]),
];

/// Where an incident was of none of the classes.
const NO_FAILURE: &str = "not-an-exec-failure";

#[derive(Default)]
struct Row {
    all: usize,
    first: usize,
    third: usize,
}

#[test]
fn the_text_alone_leads_to_the_cause() {
    let Some(path) = std::env::var_os("ENOEXEC_INCIDENTS") else {
        println!("skipped: ENOEXEC_INCIDENTS names no file of incidents");
        return;
    };
    let with_context = std::env::var_os("ENOEXEC_INCIDENTS_CONTEXT").is_some();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for (number, line) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
        let incident: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| incident[field].as_str().unwrap_or_default().to_owned();
        let log = if with_context { format!("{}\n{}", text("log"), text("context")) } else { text("log") };
        let symptom = Symptom { source: "log".into(), text: log.clone() };
        let causes = diagnose(Subject { symptoms: vec![symptom], ..Subject::default() }).hypotheses;
        let names: Vec<&str> = causes.iter().map(|cause| cause.cause.name.as_str()).collect();
        let class = text("cause_class");
        let wanted = CLASSES.iter().find(|(name, _)| *name == class).map(|(_, causes)| *causes).unwrap_or_default();
        let is_nothing = class == NO_FAILURE;
        let place = names.iter().position(|name| wanted.contains(name));
        let row = rows.entry(class.clone()).or_default();
        row.all += 1;
        row.first += usize::from(place == Some(0) || is_nothing && names.is_empty());
        row.third += usize::from(place.is_some_and(|place| place < 3) || is_nothing && names.is_empty());
        if place != Some(0) && !(is_nothing && names.is_empty()) {
            let mark = if place.is_some_and(|place| place < 3) { "2-3 " } else { "MISS" };
            println!("{mark} {number:3} {class}: {:?} in {log:?}", names.iter().take(5).collect::<Vec<_>>());
        }
    }
    println!("{:32} {:>5} {:>6} {:>6}", "class", "all", "top-1", "top-3");
    let (mut failures, mut all) = (Row::default(), Row::default());
    for (class, row) in &rows {
        println!("{class:32} {:5} {:6} {:6}", row.all, row.first, row.third);
        for sum in [Some(&mut all), (class != NO_FAILURE).then_some(&mut failures)].into_iter().flatten() {
            sum.all += row.all;
            sum.first += row.first;
            sum.third += row.third;
        }
    }
    for (name, row) in [("exec failures", &failures), ("all", &all)] {
        let percent = |count: usize| 100 * count / row.all.max(1);
        println!("{name:32} {:5} {:5}% {:5}%", row.all, percent(row.first), percent(row.third));
    }
    assert!(100 * all.first >= 85 * all.all, "top-1");
    assert!(100 * all.third >= 97 * all.all, "top-3");
}
