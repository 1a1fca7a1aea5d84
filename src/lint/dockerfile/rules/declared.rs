//! The platform arguments: those that have a default, and those that are used without being declared.

use super::super::super::Subject;
use super::super::arguments::{automatic, is_automatic};
use super::super::build::{Build, What};
use super::super::fixes::Fixable;
use super::super::shell::Action;
use super::super::value::Value;
use super::{Hit, words};
use crate::base::{Platform, escape};
use crate::finding::Severity;
use crate::format::dockerfile::{Arguments, Keyword, Pair};

pub(super) fn hits(subject: &Subject<'_>, build: &Build) -> Vec<Hit> {
    let mut hits = defaults(subject, build);
    for used in &build.uses {
        let What::Shell(Action::Undeclared { name }) = &used.what else { continue };
        let says = format!("{name} is empty here: the stage does not declare it");
        let help = format!("write `ARG {name}` in this stage, above its first use");
        let fixable = Fixable::Declare { stage: used.stage, name: name.clone() };
        let hit = Hit::new("undeclared-platform-argument", used.place.clone(), says).with_help(help);
        hits.push(Hit { fixable, ..hit });
    }
    hits
}

/// `ARG TARGETARCH=amd64`: the default wins on every platform.
fn defaults(subject: &Subject<'_>, build: &Build) -> Vec<Hit> {
    let mut hits = Vec::new();
    let arguments = subject.dockerfile.instructions.iter().filter(|instruction| instruction.keyword == Keyword::Arg);
    for instruction in arguments {
        let Arguments::Pairs(pairs) = &instruction.arguments else { continue };
        hits.extend(pairs.iter().filter_map(|pair| default(build, pair)));
    }
    hits
}

fn default(build: &Build, pair: &Pair) -> Option<Hit> {
    let name = pair.name.as_str();
    let value = pair.value.as_ref().filter(|_| is_automatic(name))?;
    let text = value.as_str().trim_matches(['"', '\'']);
    if text.contains('$') {
        return None;
    }
    let own = automatic(name, &build.platform, &Platform::linux("amd64", None))?;
    // What the builder would say anyway, on the platforms that are looked at.
    let is_builders = name.starts_with("BUILD");
    if text == own && !is_builders || name.ends_with("OS") || text.is_empty() {
        return None;
    }
    let says = if is_builders {
        format!("{name} is `{}` on every builder: a default goes before what BuildKit sets", escape(text))
    } else {
        format!("{name} is still `{}`: a default goes before what BuildKit sets", escape(text))
    };
    let help = format!("write `ARG {name}` without a default");
    let start = pair.name.span().end;
    // Another default than BuildKit's own name is in a scheme of its own, which what follows relies on.
    let builds_amd64 = automatic(name, &Platform::linux("amd64", None), &Platform::linux("amd64", None)).as_deref() == Some(text);
    let fixable = if builds_amd64 { Fixable::Remove { span: start..value.span().end } } else { Fixable::No };
    let hit = Hit::new("platform-argument-default", value.span(), says).with_help(help);
    let hit = if is_builders { hit.at(Severity::Warning) } else { hit };
    Some(Hit { fixable, ..hit }.with_value(words::shown(&Value::supplied(format!("{name}={text}"), false))))
}
