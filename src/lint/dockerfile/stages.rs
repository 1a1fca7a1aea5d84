//! The stages of a Dockerfile as one platform's build sees them: what each is made from, what it runs on, and which are reached.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::base::Platform;
use crate::format::dockerfile::{Arguments, Dockerfile, Instruction, Keyword, Text};

use super::arguments::{automatic, is_automatic};
use super::expand::expand;
use super::naming;
use super::value::Value;

/// A build's platforms.
#[derive(Debug, Clone)]
pub(super) struct Platforms {
    /// What is built for.
    pub(super) target: Platform,
    /// What builds.
    pub(super) build: Platform,
    /// Whether the scripts of RUNs are wanted too.
    pub(super) keeps_scripts: bool,
}

/// A stage.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// The place of its FROM among the instructions.
    pub(super) from: usize,
    /// Of its instructions, FROM left out.
    pub(super) instructions: Range<usize>,
    pub(super) name: Option<String>,
    pub(super) base: Base,
    pub(super) runs_on: RunsOn,
    /// Whether the stage says so itself, or the one that it is made from.
    pub(super) is_inherited: bool,
    /// Whether it is of Windows.
    pub(super) is_windows: bool,
}

/// What a stage is made from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Base {
    Stage(usize),
    Image(Value),
}

/// The platform of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RunsOn {
    /// What is built for.
    Target,
    /// What builds.
    Build,
    /// This one, always, because FROM says so.
    Fixed(String),
    /// This one, always, because the image has no other.
    Single(String),
    /// It is not known.
    Unknown,
}

/// The arguments before the first FROM.
#[derive(Debug, Clone, Default)]
pub(super) struct Globals {
    pub(super) values: BTreeMap<String, Value>,
}

impl Globals {
    /// Reads them. A global default goes before the automatic value; without a default the automatic value stays.
    pub(super) fn read(dockerfile: &Dockerfile, platforms: &Platforms) -> Self {
        let mut globals = Self::default();
        let before = dockerfile.instructions.iter().take_while(|instruction| instruction.keyword != Keyword::From);
        for instruction in before.filter(|instruction| instruction.keyword == Keyword::Arg) {
            let Arguments::Pairs(pairs) = &instruction.arguments else { continue };
            for pair in pairs {
                let name = pair.name.as_str().to_owned();
                let value = match &pair.value {
                    Some(_) if is_supplied(&name) => Value::unknown(true),
                    Some(value) => {
                        let value = globals.expanded(value, escape_of(dockerfile), platforms);
                        if is_automatic(&name) { value } else { value.into_default() }
                    }
                    None if is_automatic(&name) => continue,
                    None => Value::unknown(naming::speaks_of_architecture(&name)),
                };
                globals.values.insert(name, value);
            }
        }
        globals
    }

    fn expanded(&self, word: &Text, escape: char, platforms: &Platforms) -> Value {
        expand(word, escape, &mut |name, _| self.value(name, platforms))
    }

    fn value(&self, name: &str, platforms: &Platforms) -> Option<Value> {
        let own = self.values.get(name).cloned();
        own.or_else(|| automatic(name, &platforms.target, &platforms.build).map(|value| Value::supplied(value, true)))
    }
}

/// Arguments that Home Assistant's builder passes for each architecture.
pub(super) fn is_supplied(name: &str) -> bool {
    matches!(name, "BUILD_FROM" | "BUILD_ARCH")
}

/// The character that a Dockerfile escapes with.
pub(super) fn escape_of(dockerfile: &Dockerfile) -> char {
    dockerfile.directive("escape").and_then(|directive| directive.value.chars().next()).unwrap_or('\\')
}

/// The stages, in order.
pub(super) fn read(dockerfile: &Dockerfile, globals: &Globals, platforms: &Platforms) -> Vec<Stage> {
    let is_from = |(_, instruction): &(usize, &Instruction)| instruction.keyword == Keyword::From;
    let places: Vec<usize> = dockerfile.instructions.iter().enumerate().filter(is_from).map(|(place, _)| place).collect();
    let mut stages: Vec<Stage> = Vec::new();
    for (number, from) in places.iter().enumerate() {
        let end = places.get(number.saturating_add(1)).copied().unwrap_or(dockerfile.instructions.len());
        let Some(instruction) = dockerfile.instructions.get(*from) else { continue };
        let stage = stage(dockerfile, instruction, *from..end, &stages, globals, platforms);
        stages.push(stage);
    }
    stages
}

fn stage(
    dockerfile: &Dockerfile,
    instruction: &Instruction,
    range: Range<usize>,
    before: &[Stage],
    globals: &Globals,
    platforms: &Platforms,
) -> Stage {
    let escape = escape_of(dockerfile);
    let words: &[Text] = if let Arguments::Words(words) = &instruction.arguments { words } else { &[] };
    let image = words.first().map(|word| globals.expanded(word, escape, platforms)).unwrap_or_default();
    let named = words.get(1).is_some_and(|word| word.as_str().eq_ignore_ascii_case("as"));
    let name = words.get(2).filter(|_| named).map(|word| word.as_str().to_lowercase());
    let parent = image.text().and_then(|text| find(before, &text));
    let flag = instruction.flag("platform").and_then(|flag| flag.value.as_ref());
    let own = flag.map(|flag| said(flag, &globals.expanded(flag, escape, platforms), platforms));
    let inherited = parent.and_then(|parent| before.get(parent)).map(|parent| parent.runs_on.clone());
    let is_inherited = own.is_none() && inherited.is_some();
    let runs_on = own.or(inherited).unwrap_or_else(|| of_image(&image));
    let is_windows = parent.and_then(|parent| before.get(parent)).map_or_else(|| is_windows(&image), |parent| parent.is_windows);
    let base = parent.map_or(Base::Image(image), Base::Stage);
    let instructions = range.start.saturating_add(1)..range.end;
    Stage { from: range.start, instructions, name, base, runs_on, is_inherited, is_windows }
}

/// What `--platform` says.
fn said(flag: &Text, value: &Value, platforms: &Platforms) -> RunsOn {
    let raw = flag.as_str();
    if raw.contains("TARGETPLATFORM") || raw.contains("TARGETARCH") {
        return RunsOn::Target;
    }
    if raw.contains("BUILDPLATFORM") || raw.contains("BUILDARCH") {
        return RunsOn::Build;
    }
    match value.text().and_then(|text| text.parse::<Platform>().ok()) {
        Some(_) if value.varies() => RunsOn::Target,
        Some(platform) if raw.contains('$') && platform.normalised().covers(&platforms.target.normalised()) => RunsOn::Target,
        Some(platform) => RunsOn::Fixed(platform.normalised().architecture),
        None => RunsOn::Unknown,
    }
}

/// Images of compilers for another machine, which are named after that.
const TOOLCHAINS: &[&str] = &["cross", "musl", "toolchain", "mingw", "ndk", "binfmt", "qemu", "crossbuild", "sysroot"];

/// What an image's name says of its only architecture.
fn of_image(image: &Value) -> RunsOn {
    match single(image) {
        Some(token) => RunsOn::Single(token.architecture.to_owned()),
        None => RunsOn::Target,
    }
}

/// The architecture in an image's name, where the name says that it has only this one.
pub(super) fn single(image: &Value) -> Option<naming::Token> {
    let text = image.masked();
    let lower = text.to_ascii_lowercase();
    if TOOLCHAINS.iter().any(|word| lower.contains(word)) {
        return None;
    }
    naming::agreed(&text).filter(|first| !image.varies_in(&first.range))
}

fn is_windows(image: &Value) -> bool {
    let lower = image.masked().to_ascii_lowercase();
    ["windowsservercore", "nanoserver", "windows/server", "mcr.microsoft.com/windows", "servercore"]
        .iter()
        .any(|word| lower.contains(word))
}

/// The stage of this name.
pub(super) fn find(stages: &[Stage], name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    stages.iter().rposition(|stage| stage.name.as_deref() == Some(name.as_str()))
}

/// The stage that `--from` or `--target` means: by name, or by number.
pub(super) fn meant(stages: &[Stage], text: &str) -> Option<usize> {
    find(stages, text).or_else(|| text.parse::<usize>().ok().filter(|number| *number < stages.len()))
}

/// The stages that a build of `target` runs.
pub(super) fn reached(dockerfile: &Dockerfile, stages: &[Stage], target: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![target];
    while let Some(number) = open.pop() {
        let Some(stage) = stages.get(number).filter(|_| reached.insert(number)) else { continue };
        if let Base::Stage(base) = &stage.base {
            open.push(*base);
        }
        let instructions = dockerfile.instructions.get(stage.instructions.clone()).unwrap_or_default();
        open.extend(instructions.iter().flat_map(sources).filter_map(|source| meant(stages, &source)));
    }
    reached
}

/// The names of other stages and images that an instruction takes files from.
fn sources(instruction: &Instruction) -> Vec<String> {
    let of_flag = instruction.flag("from").and_then(|flag| flag.value.as_ref()).map(|value| value.as_str().to_owned());
    let mounts = instruction.flags.iter().filter(|flag| flag.name == "mount").filter_map(|flag| flag.value.as_ref());
    let of_mounts =
        mounts.filter_map(|value| value.as_str().split(',').find_map(|part| part.strip_prefix("from=")).map(ToOwned::to_owned));
    of_flag.into_iter().chain(of_mounts).collect()
}
