//! Code that is made for the very CPU that builds it, or for CPUs of one architecture.

use super::super::build::{Build, Use, What};
use super::super::naming;
use super::super::shell::{Action, Certainty};
use super::super::value::Value;
use super::{Hit, words};
use crate::base::escape;
use crate::finding::Severity;

/// Options that ask for the CPU at hand.
const NATIVE: &[&str] = &["-march=native", "-mcpu=native", "target-cpu=native"];

/// How options begin that ask for what not all CPUs of an architecture have, by that architecture.
const NEWER: &[(&str, &str)] = &[
    ("amd64", "-mavx"),
    ("amd64", "-mfma"),
    ("amd64", "-mbmi"),
    ("amd64", "-mf16c"),
    ("amd64", "-msse4"),
    ("amd64", "-march=x86-64-v"),
    ("amd64", "-march=haswell"),
    ("amd64", "-march=skylake"),
    ("amd64", "-march=znver"),
    ("amd64", "target-cpu=x86-64-v"),
    ("amd64", "target-cpu=haswell"),
    ("amd64", "target-cpu=skylake"),
    ("amd64", "target-cpu=znver"),
    ("amd64", "target-feature=+avx"),
    ("arm64", "-march=armv8."),
    ("arm64", "-march=armv9"),
    ("arm64", "-mcpu=neoverse"),
    ("arm64", "target-cpu=neoverse"),
];

/// Go's variables for the same, with the values that all CPUs of the architecture run.
const LEVELS: &[(&str, &str, &[&str])] = &[("amd64", "GOAMD64", &["v1"]), ("arm64", "GOARM64", &["v8.0"])];

pub(super) fn hits(build: &Build) -> Vec<Hit> {
    let mut hits = Vec::new();
    for used in build.uses.iter().filter(|used| used.certainty != Certainty::Guarded) {
        let (values, variables) = values(used);
        for value in values.iter().chain(variables.iter().map(|(_, value)| value)) {
            hits.extend(native(used, value));
            // Where a compiler is named after its target, the option is that target's.
            if values.iter().all(|word| naming::tokens(&word.masked()).is_empty()) {
                hits.extend(newer(build, used, value));
            }
        }
        hits.extend(variables.iter().filter_map(|(name, value)| level(build, used, name, value)));
    }
    hits
}

/// A command's words, and the variables that are set.
fn values(used: &Use) -> (Vec<Value>, Vec<(String, Value)>) {
    match &used.what {
        What::Shell(Action::Run { words, variables, .. }) => (words.clone(), variables.clone()),
        What::Env { name, value } => (Vec::new(), vec![(name.clone(), value.clone())]),
        _ => (Vec::new(), Vec::new()),
    }
}

fn native(used: &Use, value: &Value) -> Option<Hit> {
    let text = value.masked();
    let (at, option) = NATIVE.iter().find_map(|option| Some((text.find(option)?, option)))?;
    let span = value.origin(at..at.saturating_add(option.len())).unwrap_or_else(|| used.place.clone());
    let says = "this is made for the CPU of the builder, and may die of an illegal instruction on another";
    let help = "name the oldest CPU that it has to run on, such as `-march=x86-64-v2` or `-march=armv8-a`, for each architecture";
    Some(Hit { certainty: used.certainty, ..Hit::new("native-cpu", span, says).with_help(help).with_value(words::shown(value)) })
}

fn newer(build: &Build, used: &Use, value: &Value) -> Option<Hit> {
    let text = value.masked();
    let (architecture, at) = NEWER.iter().find_map(|(architecture, option)| Some((*architecture, text.find(option)?)))?;
    let length = text
        .get(at..)?
        .find(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '"' | '\''))
        .unwrap_or(text.len() - at);
    let range = at..at.saturating_add(length);
    let option = text.get(range.clone())?.to_owned();
    if value.varies_in(&range) || !build.meant(used.stage, &build.platform).contains(&build.platform.architecture) {
        return None;
    }
    let span = value.origin(range).unwrap_or_else(|| used.place.clone());
    let hit = if build.platform.architecture == architecture {
        needs(span, &option)
    } else {
        let says = format!("the compiler is still given `{}`, which is for {architecture}", escape(&option));
        Hit::new("foreign-argument", span, says).with_help("choose the option by TARGETARCH")
    };
    Some(Hit { certainty: used.certainty, ..hit.with_value(words::shown(value)) })
}

fn level(build: &Build, used: &Use, name: &str, value: &Value) -> Option<Hit> {
    let (_, _, everywhere) = LEVELS.iter().find(|level| level.0 == build.platform.architecture && level.1 == name)?;
    let text = value.text().filter(|text| !text.is_empty() && !everywhere.contains(&text.as_str()) && !value.varies())?;
    let span = value.origin(0..text.len()).unwrap_or_else(|| used.place.clone());
    Some(Hit { certainty: used.certainty, ..needs(span, &format!("{name}={text}")) })
}

fn needs(span: std::ops::Range<usize>, option: &str) -> Hit {
    let says = format!("this needs a CPU with what `{}` asks for: on others it dies of an illegal instruction", escape(option));
    let help = "say so where the image is described, or build for the oldest CPU that it has to run on";
    Hit::new("newer-cpu", span, says).with_help(help).at(Severity::Info)
}
