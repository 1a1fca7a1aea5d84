//! What each platform's build of a Dockerfile would do, and what of it is for another platform.
//!
//! A Dockerfile and a platform make a [`build::Build`]: the stages as that platform sees them, and every fetch, package, variable
//! and path with its evaluated value. The rules judge values, never lines: a case that chooses by architecture is silent because the
//! value that arrives is right.

mod arguments;
mod assets;
mod build;
mod expand;
mod fixes;
mod machine;
pub(super) mod naming;
mod rules;
mod shell;
mod siblings;
mod stages;
mod value;

use std::collections::BTreeSet;

use super::Subject;
use crate::base::Platform;
use crate::finding::Finding;
use crate::format::dockerfile::Dockerfile;

pub use siblings::{is_of_one_architecture, without_architecture};

use build::Build;
use stages::{Globals, Platforms};

/// What is built for where nothing says so.
const USUAL: [&str; 2] = ["amd64", "arm64"];

/// The findings of the rules about platforms, in no order.
pub(super) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let builds = builds(subject);
    rules::findings(subject, &builds)
}

/// A RUN's script, and what the linter says that it fetches. For tests against real shells.
#[doc(hidden)]
#[derive(Debug)]
pub struct Body {
    /// What the shell is given.
    pub script: String,
    /// The program of SHELL, if the stage has one.
    pub shell: String,
    /// The arguments and variables that are known.
    pub variables: Vec<(String, String)>,
    /// The addresses; `Err` with what is known of it for each that is not wholly known, or that may not be fetched.
    pub addresses: Vec<Result<String, String>>,
}

/// The RUNs of a Dockerfile in a build for a platform, of all stages.
#[doc(hidden)]
pub fn bodies(text: &str, platform: &Platform) -> Vec<Body> {
    let dockerfile = Dockerfile::parse(text);
    let platforms = Platforms { target: platform.normalised(), build: Platform::linux("amd64", None), keeps_scripts: true };
    let all = (0..dockerfile.instructions.len()).collect();
    let mut build = Build::follow(&dockerfile, &platforms, None, &all);
    let bodies = std::mem::take(&mut build.bodies);
    let body = |body: build::Script| {
        let addresses = rules::addresses(&build, |used| used.instruction == body.instruction);
        Body { script: body.text, shell: body.shell.unwrap_or_default(), variables: body.variables, addresses }
    };
    bodies.into_iter().map(body).collect()
}

/// What a build for a platform fetches: the addresses, `Err` for each that is not wholly known.
fn addresses(text: &str, platform: &Platform) -> Vec<Result<String, String>> {
    let dockerfile = Dockerfile::parse(text);
    let platforms = Platforms { target: platform.normalised(), build: Platform::linux("amd64", None), keeps_scripts: false };
    let build = Build::follow(&dockerfile, &platforms, None, &(0..dockerfile.instructions.len()).collect());
    rules::addresses(&build, |_| true)
}

fn builds(subject: &Subject<'_>) -> Vec<Build> {
    let platforms = platforms(subject);
    // Where a builder's machine matters, it is taken to be what most are.
    let build = Platform::linux("amd64", None);
    let pairs: Vec<Platforms> =
        platforms.into_iter().map(|target| Platforms { target, build: build.clone(), keeps_scripts: false }).collect();
    let target = subject.options.target.as_deref();
    let follow = |platforms: &Platforms, always: &BTreeSet<usize>| Build::follow(subject.dockerfile, platforms, target, always);
    let reached: Vec<BTreeSet<usize>> = pairs.iter().map(|platforms| reached(subject.dockerfile, platforms, target)).collect();
    let mut builds: Vec<Build> =
        pairs.iter().map(|platforms| follow(platforms, &unreached(subject.dockerfile, platforms, &reached))).collect();
    // Stages for platforms that nobody asked about are judged for those.
    for architecture in others(subject.dockerfile, &pairs) {
        let target = Platform::linux(architecture, None).normalised();
        let platforms = Platforms { target, build: build.clone(), keeps_scripts: false };
        let mut other = follow(&platforms, &named_after(subject.dockerfile, &platforms));
        other.keep(&named_after(subject.dockerfile, &platforms));
        builds.push(other);
    }
    builds
}

/// The architectures other than those that are asked about after which stages are named.
fn others(dockerfile: &Dockerfile, pairs: &[Platforms]) -> BTreeSet<&'static str> {
    let Some(platforms) = pairs.first() else { return BTreeSet::new() };
    let stages = stages::read(dockerfile, &Globals::read(dockerfile, platforms), platforms);
    let names = stages.iter().filter_map(|stage| stage.name.as_deref());
    let named = names.flat_map(naming::tokens).map(|token| token.architecture);
    named.filter(|architecture| pairs.iter().all(|pair| pair.target.architecture != *architecture)).collect()
}

/// The stages that are named after this platform's architecture and no other.
fn named_after(dockerfile: &Dockerfile, platforms: &Platforms) -> BTreeSet<usize> {
    let stages = stages::read(dockerfile, &Globals::read(dockerfile, platforms), platforms);
    let is_named = |number: &usize| {
        let tokens = naming::tokens(stages.get(*number).and_then(|stage| stage.name.as_deref()).unwrap_or_default());
        !tokens.is_empty() && tokens.iter().all(|token| token.architecture == platforms.target.architecture)
    };
    (0..stages.len()).filter(is_named).collect()
}

fn reached(dockerfile: &Dockerfile, platforms: &Platforms, target: Option<&str>) -> BTreeSet<usize> {
    let stages = stages::read(dockerfile, &Globals::read(dockerfile, platforms), platforms);
    let shipped = match target {
        Some(target) => stages::meant(&stages, target),
        None => stages.len().checked_sub(1),
    };
    shipped.map(|shipped| stages::reached(dockerfile, &stages, shipped)).unwrap_or_default()
}

/// The stages that no platform's build reaches, so that they are someone's `--target`; those named after another architecture are not
/// this platform's.
fn unreached(dockerfile: &Dockerfile, platforms: &Platforms, reached: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let stages = stages::read(dockerfile, &Globals::read(dockerfile, platforms), platforms);
    let is_unreached = |number: &usize| reached.iter().all(|reached| !reached.contains(number));
    let is_others = |number: &usize| {
        let name = stages.get(*number).and_then(|stage| stage.name.as_deref()).unwrap_or_default();
        let tokens = naming::tokens(name);
        !tokens.is_empty() && tokens.iter().all(|token| token.architecture != platforms.target.architecture)
    };
    (0..stages.len()).filter(is_unreached).filter(|number| !is_others(number)).collect()
}

/// The platforms that were asked for; else the one that the file is named after; else the usual ones that have no file of their own
/// beside it.
fn platforms(subject: &Subject<'_>) -> Vec<Platform> {
    if !subject.options.platforms.is_empty() {
        return subject.options.platforms.iter().map(Platform::normalised).collect();
    }
    // A folder is named after an architecture as a whole; a file has it as one of its words.
    if let Some(named) = subject.file.name.rsplit('/').take(3).find_map(naming::agreed) {
        return vec![Platform::linux(named.architecture, None).normalised()];
    }
    let name = subject.file.name.rsplit('/').next().unwrap_or_default();
    let others = siblings::architectures(name, &subject.options.siblings);
    let usual = || USUAL.into_iter().map(|architecture| Platform::linux(architecture, None));
    let left: Vec<Platform> = usual().filter(|platform| !others.contains(platform.architecture.as_str())).collect();
    if left.is_empty() { usual().collect() } else { left }
}
