//! Code that is made for the very CPU that builds it.

use super::super::build::{Build, Use, What};
use super::super::shell::{Action, Certainty};
use super::super::value::Value;
use super::{Hit, words};

/// Options that ask for the CPU at hand, or for what not all CPUs of an architecture have.
const OPTIONS: &[&str] = &["-march=native", "-mcpu=native", "target-cpu=native"];

pub(super) fn hits(build: &Build) -> Vec<Hit> {
    let mut hits = Vec::new();
    for used in build.uses.iter().filter(|used| used.certainty != Certainty::Guarded) {
        for value in values(used) {
            hits.extend(native(used, &value));
        }
    }
    hits
}

fn values(used: &Use) -> Vec<Value> {
    match &used.what {
        What::Shell(Action::Run { words, variables, .. }) => {
            words.iter().chain(variables.iter().map(|(_, value)| value)).cloned().collect()
        }
        What::Env { value, .. } => vec![value.clone()],
        _ => Vec::new(),
    }
}

fn native(used: &Use, value: &Value) -> Option<Hit> {
    let text = value.masked();
    let (at, option) = OPTIONS.iter().find_map(|option| Some((text.find(option)?, option)))?;
    let span = value.origin(at..at.saturating_add(option.len())).unwrap_or_else(|| used.place.clone());
    let says = "this is made for the CPU of the builder, and may die of an illegal instruction on another";
    let help = "name the oldest CPU that it has to run on, such as `-march=x86-64-v2` or `-march=armv8-a`, for each architecture";
    Some(Hit { certainty: used.certainty, ..Hit::new("native-cpu", span, says).with_help(help).with_value(words::shown(value)) })
}
