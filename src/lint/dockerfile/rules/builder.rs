//! Stages that run on the builder's platform: what they fetch and compile, and whether that is shipped.

use super::super::build::{Build, Use, What};
use super::super::naming;
use super::super::shell::Action;
use super::super::stages::{Base, RunsOn};
use super::super::value::Value;
use super::{Hit, judged};
use crate::base::Platform;

/// What is compiled for the builder and copied into the image.
pub(super) fn hits(build: &Build, builder: &Platform) -> Vec<Hit> {
    if build.platform.architecture == builder.architecture {
        return Vec::new();
    }
    let mut hits = Vec::new();
    for used in build.uses.iter().filter(|used| runs_on_builder(build, used)) {
        let What::Shell(Action::Run { words, variables, .. }) = &used.what else { continue };
        let is_told = variables.iter().any(|(name, _)| name == "GOARCH") || has_cross_helper(build, used.stage);
        let compiles = judged::program(words) == "go" && words.get(1).and_then(Value::text).as_deref() == Some("build");
        if compiles && !is_told && is_shipped(build, used) {
            let says = "this is compiled for the builder and copied into the image: GOARCH is not set";
            let help = "declare `ARG TARGETARCH` in the stage and write `GOARCH=$TARGETARCH go build …`";
            let hit = Hit::new("build-platform-shipped", used.place.clone(), says).with_help(help);
            hits.push(Hit { certainty: used.certainty, ..hit });
        }
    }
    hits
}

/// A file for the machine that most builders are, fetched in a stage that runs on any.
pub(super) fn fetched(build: &Build, builder: &Platform, used: &Use, address: &Value) -> Option<Hit> {
    let token = naming::foreign(address, &build.platform.architecture)?;
    if !runs_on_builder(build, used) || token.architecture != builder.architecture {
        return None;
    }
    let span = address.origin(token.range.clone()).unwrap_or_else(|| used.place.clone());
    if is_shipped(build, used) {
        let says = format!(
            "this fetches a file for {}, the builder's architecture, and the file is copied into the image",
            token.architecture
        );
        let help = "choose by TARGETARCH: what the machine says is the builder's";
        return Some(Hit::new("foreign-download", span, says).with_help(help));
    }
    if address.varies_in(&token.range) {
        return None;
    }
    let says =
        format!("this is right only where the builder is {}, as its stage runs on the builder's platform", token.architecture);
    let help = "choose by BUILDARCH if the stage runs it, by TARGETARCH if it is shipped";
    Some(Hit::new("builder-tool", span, says).with_help(help))
}

fn runs_on_builder(build: &Build, used: &Use) -> bool {
    build.stages.get(used.stage).is_some_and(|stage| stage.runs_on == RunsOn::Build)
}

/// Whether a stage has helpers that set a compiler's target by themselves, such as `xx`, or an environment for another machine.
fn has_cross_helper(build: &Build, stage: usize) -> bool {
    build.uses.iter().filter(|used| used.stage == stage).any(|used| match &used.what {
        What::Shell(Action::Run { words, .. }) => {
            words.iter().any(|word| word.masked().starts_with("xx-") || word.masked() == "GOARCH")
        }
        What::Env { name, .. } => name == "GOARCH",
        // What is copied over the root may be anything.
        What::Copy { source, from, .. } => from.is_none() && source.text().as_deref() == Some("/"),
        _ => false,
    })
}

/// The stage that is shipped, and those that it is made from.
fn shipped(build: &Build) -> Vec<usize> {
    let base = |number: &usize| match build.stages.get(*number).map(|stage| &stage.base) {
        Some(Base::Stage(base)) if base < number => Some(*base),
        _ => None,
    };
    std::iter::successors(build.shipped, base).collect()
}

/// Whether the image's own stages copy what a command writes.
fn is_shipped(build: &Build, used: &Use) -> bool {
    let (outputs, shipped) = (outputs(build, used), shipped(build));
    let copied = build.uses.iter().filter_map(|other| match &other.what {
        What::Copy { source, from, .. } if *from == Some(used.stage) && shipped.contains(&other.stage) => source.text(),
        _ => None,
    });
    let copied: Vec<String> =
        copied.map(|source| source.trim_end_matches('/').to_owned()).filter(|source| source.len() > 1).collect();
    outputs.iter().any(|output| copied.iter().any(|source| holds(source, output)))
}

/// Whether what is copied is an output, or the folder that it lies in. Where the output's path is relative, its folder is not known.
fn holds(source: &str, output: &str) -> bool {
    let is_below =
        |path: &str, folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match output.strip_prefix("./").unwrap_or(output) {
        absolute if absolute.starts_with('/') => is_below(absolute, source),
        relative => source == relative || source.strip_suffix(relative).is_some_and(|before| before.ends_with('/')),
    }
}

/// The files that a command is told to write; for one that fetches, also the folder that its instruction unpacks into.
fn outputs(build: &Build, used: &Use) -> Vec<String> {
    let What::Shell(Action::Run { words, .. }) = &used.what else { return Vec::new() };
    let program = judged::program(words);
    let mut found = following(words, |option| match option {
        "--output" | "--output-document" => true,
        _ if program == "go" => option == "-o",
        _ => option.starts_with('-') && !option.starts_with("--") && option.ends_with(if program == "curl" { 'o' } else { 'O' }),
    });
    if judged::is_fetcher(&program) {
        let here = build.uses.iter().filter(|other| other.instruction == used.instruction && other.stage == used.stage);
        let commands: Vec<&[Value]> = here.filter_map(|other| words_of(&other.what)).collect();
        if commands.iter().filter(|words| judged::is_fetcher(&judged::program(words))).count() == 1 {
            let unpacks = commands.iter().filter(|words| matches!(judged::program(words).as_str(), "tar" | "unzip" | "bsdtar"));
            found.extend(unpacks.flat_map(|words| following(words, |option| matches!(option, "-C" | "--directory" | "-d"))));
        }
    }
    found.retain(|path| path.len() > 1 && !path.starts_with("/dev/"));
    found
}

fn words_of(what: &What) -> Option<&[Value]> {
    if let What::Shell(Action::Run { words, .. }) = what { Some(words) } else { None }
}

/// The words behind options.
fn following(words: &[Value], is_option: impl Fn(&str) -> bool) -> Vec<String> {
    let pairs = words.iter().zip(words.iter().skip(1));
    pairs.filter(|(option, _)| is_option(&option.masked())).filter_map(|(_, value)| value.text()).collect()
}
