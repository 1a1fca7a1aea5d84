//! The SARIF report against the schema that OASIS wrote, as a package of npm brings it.

use std::path::PathBuf;
use std::process::Command;

use crate::lab::{Lab, cache, output, shell};

/// The package, and where in it the schema lies.
const PACKAGE: &str = "@microsoft/jest-sarif@1.0.0-beta.0";
const SCHEMA: &str = "package/lib/schemas/sarif-2.1.0-rtm.5.json";

fn schema() -> serde_json::Value {
    let folder = cache("sarif-schema");
    let path = folder.join(SCHEMA);
    if !path.exists() {
        shell(&folder, &format!("npm pack --silent {PACKAGE} | xargs -I{{}} tar -xzf {{}}"));
    }
    let mut schema: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // `^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$` is no regular expression in every dialect, and no report here has a language.
    for place in ["run", "toolComponent"] {
        schema["definitions"][place]["properties"]["language"].as_object_mut().unwrap().remove("pattern").unwrap();
    }
    schema
}

/// The report on these targets, and its exit code.
fn sarif(arguments: &[&str]) -> (serde_json::Value, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_enoexec"));
    command.args(arguments).args(["--format", "sarif"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let run = output(&mut command);
    (serde_json::from_slice(&run.stdout).unwrap(), run.status.code())
}

#[test]
fn every_report_obeys_the_schema_of_oasis() {
    let Some(lab) = Lab::open("npm, which fetches the schema") else { return };
    let schema = schema();
    let dockerfile =
        lab.write("Dockerfile", "FROM --platform=linux/amd64 debian\nRUN curl -LO https://example.com/tool-linux-amd64\n");
    let dockerfile: &PathBuf = &dockerfile;
    let dockerfile = dockerfile.to_str().unwrap();
    let samples = ["samples/shop.tar", "samples/wrong-libc.tar", "samples/carriage-return.tar", "samples/clean.tar", "gone.tar"];
    let every: Vec<&str> = ["check", "--node", "arm64", "--dockerfile", dockerfile].into_iter().chain(samples).collect();
    for (arguments, code) in
        [(&every[..], 1), (&["check", "samples/clean.tar"], 0), (&["lint", dockerfile, "--fail-on", "never"], 0)]
    {
        let (log, exit) = sarif(arguments);
        assert_eq!(exit, Some(code), "{arguments:?}: {log:#}");
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:#?}");
    }
}
