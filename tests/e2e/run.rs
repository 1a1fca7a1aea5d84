//! Runs the tool as a user would, and reads its report as a pipeline would.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What a run said.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    /// The JSON report; null where none was printed.
    pub report: Value,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

/// `enoexec check --format json TARGET`.
pub fn check(target: impl AsRef<OsStr>) -> Run {
    enoexec(&["check".as_ref(), "--format=json".as_ref(), target.as_ref()], None)
}

/// `enoexec check --format json WORDS…`.
pub fn check_with(words: &[&str]) -> Run {
    let words: Vec<&OsStr> = ["check", "--format=json"].iter().chain(words).map(OsStr::new).collect();
    enoexec(&words, None)
}

/// The same, with variables set.
pub fn check_where(variables: &[(&str, &str)], words: &[&str]) -> Run {
    let words: Vec<&OsStr> = ["check", "--format=json"].iter().chain(words).map(OsStr::new).collect();
    enoexec_where(variables, &words, None)
}

/// `enoexec check --format json -`, with a file on standard input.
pub fn check_stdin(input: &Path) -> Run {
    enoexec(&["check".as_ref(), "--format=json".as_ref(), "-".as_ref()], Some(input))
}

/// `enoexec inspect --format json WORDS…`.
pub fn inspect(words: &[&str]) -> Run {
    let words: Vec<&OsStr> = ["inspect", "--format=json"].iter().chain(words).map(OsStr::new).collect();
    enoexec(&words, None)
}

/// `enoexec triage --format json FILE WORDS…`.
pub fn triage(file: &Path, words: &[&str]) -> Run {
    let file = [OsStr::new("triage"), OsStr::new("--format=json"), file.as_os_str()];
    let words: Vec<&OsStr> = file.into_iter().chain(words.iter().map(OsStr::new)).collect();
    enoexec(&words, None)
}

fn enoexec(words: &[&OsStr], input: Option<&Path>) -> Run {
    enoexec_where(&[], words, input)
}

fn enoexec_where(variables: &[(&str, &str)], words: &[&OsStr], input: Option<&Path>) -> Run {
    // What hangs ends with exit code 124, which no test expects.
    let mut command = Command::new("timeout");
    command.arg("60").arg(env!("CARGO_BIN_EXE_enoexec"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ENOEXEC_")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    // A pipe, so that it cannot seek.
    let mut feeder =
        input.map(|path| Command::new("cat").stdin(File::open(path).unwrap()).stdout(Stdio::piped()).spawn().unwrap());
    command.stdin(feeder.as_mut().map_or_else(Stdio::null, |feeder| Stdio::from(feeder.stdout.take().unwrap())));
    let start = Instant::now();
    let out = command.args(words).output().unwrap();
    let took = start.elapsed();
    // Closes our end of the pipe, without which `cat` would wait for a reader.
    drop(command);
    if let Some(mut feeder) = feeder {
        feeder.wait().unwrap();
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("what is printed is UTF-8");
    Run {
        code: out.status.code().unwrap_or_else(|| panic!("killed: {}", out.status)),
        report: serde_json::from_slice(&out.stdout).unwrap_or(Value::Null),
        stdout: text(&out.stdout),
        stderr: text(&out.stderr),
        took,
    }
}

impl Run {
    /// Everything as text, for the message of a failed test.
    pub fn shown(&self) -> String {
        format!("exit {} after {:?}\n{:#}\n{}", self.code, self.took, self.report, self.stderr)
    }

    /// The images of the first target.
    pub fn images(&self) -> &[Value] {
        self.report["targets"][0]["images"].as_array().map_or(&[], Vec::as_slice)
    }

    /// All findings.
    pub fn findings(&self) -> &[Value] {
        self.report["findings"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The findings of errors and warnings.
    pub fn alarms(&self) -> Vec<&Value> {
        self.findings().iter().filter(|finding| finding["severity"] != "info").collect()
    }

    /// The verdict on the only node of the only image.
    pub fn verdict(&self) -> &Value {
        assert_eq!(self.images().len(), 1, "{}", self.shown());
        let nodes = self.images()[0]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 1, "{}", self.shown());
        &nodes[0]
    }

    /// Nothing is wrong: exit code 0, no error, no warning, and each image runs on each node that it was checked for.
    pub fn is_clean(&self) -> &Self {
        assert_eq!(self.code, 0, "{}", self.shown());
        assert_eq!(self.report["summary"]["errors"], 0, "{}", self.shown());
        assert_eq!(self.report["summary"]["warnings"], 0, "{}", self.shown());
        assert!(!self.images().is_empty(), "{}", self.shown());
        for image in self.images() {
            let nodes = image["nodes"].as_array().unwrap();
            assert!(!nodes.is_empty(), "{}", self.shown());
            assert!(nodes.iter().all(|node| node["outcome"] == "runs"), "{}", self.shown());
        }
        self
    }

    /// The start fails with this errno and cause, and the gate with it.
    pub fn fails(&self, errno: &str, cause: &str) -> &Self {
        assert_eq!(self.code, 1, "{}", self.shown());
        let verdict = self.verdict();
        assert_eq!(verdict["outcome"], "fails", "{}", self.shown());
        assert_eq!(verdict["errno"], errno, "{}", self.shown());
        assert_eq!(verdict["cause"], cause, "{}", self.shown());
        self
    }

    /// The only finding of a rule.
    pub fn finding(&self, rule: &str) -> Finding<'_> {
        let mut found = self.findings().iter().filter(|finding| finding["name"] == rule);
        let Some(first) = found.next() else { panic!("no {rule}\n{}", self.shown()) };
        assert!(found.next().is_none(), "more than one {rule}\n{}", self.shown());
        Finding { value: first, run: self }
    }

    /// Whatever was given, it ended in time and by its own will, with this exit code.
    pub fn ends(&self, code: i32) -> &Self {
        assert!(self.took < Duration::from_secs(20), "{}", self.shown());
        assert!(!self.stderr.contains("panicked"), "{}", self.shown());
        assert_eq!(self.code, code, "{}", self.shown());
        self
    }

    /// It says this somewhere.
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "does not say {text:?}\n{}", self.shown());
        self
    }

    /// The report without what may differ between two copies of an image: how the target is called, digests, and what an index says.
    pub fn judgement(&self) -> Value {
        let part = |value: &Value, names: &[&str]| -> Value {
            names.iter().map(|name| ((*name).to_owned(), value[*name].clone())).collect()
        };
        let all = |list: &Value, names: &[&str]| -> Value {
            list.as_array().into_iter().flatten().map(|value| part(value, names)).collect()
        };
        let image = |image: &Value| {
            json!({
                "config": image["config"],
                "machines": image["machines"],
                "launch": part(&image["launch"], &["argv", "cwd", "user"]),
                "nodes": all(&image["nodes"], &["node", "selected", "outcome", "errno", "signal", "cause", "message", "hops"]),
            })
        };
        let finding = |finding: &Value| {
            let facts = part(finding, &["rule", "name", "severity", "confidence", "message", "evidence", "fix"]);
            json!({ "finding": facts, "locus": part(&finding["locus"], &["kind", "layer", "path"]) })
        };
        json!({
            "exit": self.code,
            "error": self.report["targets"][0]["error"],
            "images": self.images().iter().map(image).collect::<Vec<_>>(),
            "findings": self.findings().iter().map(finding).collect::<Vec<_>>(),
            "summary": self.report["summary"],
        })
    }
}

/// One finding, to be looked at closely.
pub struct Finding<'a> {
    value: &'a Value,
    run: &'a Run,
}

impl Finding<'_> {
    /// It is about this file.
    pub fn at(&self, path: &str) -> &Self {
        assert_eq!(self.value["locus"]["path"], path, "{}", self.run.shown());
        self
    }

    /// It names the layer, counted from 0, and the build step that brought the file.
    pub fn from(&self, layer: u64, step: &str) -> &Self {
        assert_eq!(self.value["locus"]["layer"], layer, "{}", self.run.shown());
        let told = [&self.value["locus"], &self.value["evidence"]].iter().any(|part| part.to_string().contains(step));
        assert!(told, "does not name the step {step:?}\n{}", self.run.shown());
        self
    }

    /// It is of this severity.
    pub fn is(&self, severity: &str) -> &Self {
        assert_eq!(self.value["severity"], severity, "{}", self.run.shown());
        self
    }

    /// Its message says this.
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.value["message"].as_str().unwrap().contains(text), "does not say {text:?}\n{}", self.run.shown());
        self
    }
}
