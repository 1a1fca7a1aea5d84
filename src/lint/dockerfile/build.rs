//! What a build for one platform does, instruction by instruction.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::base::Platform;
use crate::format::dockerfile::{Arguments, Dockerfile, Instruction, Keyword, Pair, Text};

use super::arguments::{automatic, is_automatic};
use super::expand::expand;
use super::machine::Machine;
use super::naming;
use super::shell::{self, Action, Certainty, Event, Source, State};
use super::stages::{self, Base, Globals, Platforms, RunsOn, Stage};
use super::value::Value;

/// More uses than this are not kept: rules hold them against one another, and real files have hundreds.
const MAX_USES: usize = 10_000;

/// More stages than this are not followed: each begins with a copy of all that is known at the end of the one that it is made from.
const MAX_STAGES: usize = 500;

/// A build for one platform.
#[derive(Debug)]
pub(super) struct Build {
    pub(super) platform: Platform,
    pub(super) stages: Vec<Stage>,
    /// The stage that becomes the image.
    pub(super) shipped: Option<usize>,
    /// The stages that were followed: those that are reached, and those that no platform's build reaches.
    pub(super) followed: BTreeSet<usize>,
    /// What happens, in order.
    pub(super) uses: Vec<Use>,
    /// The scripts of its RUNs, where they were asked for.
    pub(super) bodies: Vec<Script>,
}

/// A RUN's script with what it begins with.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) text: String,
    pub(super) instruction: usize,
    /// The variables whose values are known.
    pub(super) variables: Vec<(String, String)>,
    /// The program that SHELL names, if it does.
    pub(super) shell: Option<String>,
}

/// Something that a build does.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) stage: usize,
    pub(super) instruction: usize,
    pub(super) what: What,
    pub(super) certainty: Certainty,
    /// The bytes of the statement or instruction.
    pub(super) place: Range<usize>,
}

/// What it does.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// A command of a RUN, or a file that one writes.
    Shell(Action),
    /// ADD's or COPY's source; from another stage (its number) or image, from the context, or from an address.
    Copy { source: Value, is_from_context: bool, from: Option<usize> },
    /// ENV.
    Env { name: String, value: Value },
    /// A word of WORKDIR, ENTRYPOINT or CMD.
    Word { value: Value },
}

/// What goes on from a stage to those that are made from it.
#[derive(Debug, Clone, Default)]
struct Inside {
    state: State,
    /// The names that ENV has set, which ARG does not change.
    environment: BTreeSet<String>,
    /// The build ends in it.
    fails: bool,
    /// SHELL is none that is known here.
    is_foreign_shell: bool,
    /// What SHELL names, if it does.
    shell: Option<String>,
}

impl Build {
    /// Follows a build. `always`: stages to follow although it does not reach them.
    pub(super) fn follow(dockerfile: &Dockerfile, platforms: &Platforms, target: Option<&str>, always: &BTreeSet<usize>) -> Self {
        let globals = Globals::read(dockerfile, platforms);
        let stages = stages::read(dockerfile, &globals, platforms);
        let shipped = match target {
            Some(target) => stages::meant(&stages, target),
            None => stages.len().checked_sub(1),
        };
        let reached = shipped.map(|shipped| stages::reached(dockerfile, &stages, shipped)).unwrap_or_default();
        let followed: BTreeSet<usize> = reached.union(always).copied().collect();
        let mut follower = Follower {
            dockerfile,
            platforms,
            globals: &globals,
            stages: &stages,
            inside: Vec::new(),
            uses: Vec::new(),
            bodies: Vec::new(),
        };
        for number in 0..stages.len().min(MAX_STAGES) {
            follower.stage(number, followed.contains(&number));
        }
        let bodies = follower.bodies;
        let uses = follower.uses.into_iter().filter(|used| followed.contains(&used.stage)).collect();
        Self { platform: platforms.target.clone(), stages, shipped, followed, uses, bodies }
    }

    /// Leaves only what happens in these stages.
    pub(super) fn keep(&mut self, stages: &BTreeSet<usize>) {
        self.followed = self.followed.intersection(stages).copied().collect();
        self.uses.retain(|used| stages.contains(&used.stage));
        self.shipped = None;
    }

    /// The architectures that something in a stage may be meant for, the likeliest first.
    pub(super) fn meant(&self, stage: usize, build: &Platform) -> Vec<String> {
        let target = self.platform.architecture.clone();
        let stage = self.stages.get(stage);
        let mut meant = match stage.map(|stage| &stage.runs_on) {
            Some(RunsOn::Build | RunsOn::Unknown) => vec![target, build.architecture.clone()],
            Some(RunsOn::Fixed(own) | RunsOn::Single(own)) => vec![own.clone(), target],
            _ => vec![target],
        };
        // A stage that is named after an architecture is about that one.
        let name = stage.and_then(|stage| stage.name.as_deref()).unwrap_or_default();
        meant.extend(naming::tokens(name).into_iter().map(|token| token.architecture.to_owned()));
        meant
    }
}

struct Follower<'a> {
    dockerfile: &'a Dockerfile,
    platforms: &'a Platforms,
    globals: &'a Globals,
    stages: &'a [Stage],
    /// By stage, as it is at its end.
    inside: Vec<Inside>,
    uses: Vec<Use>,
    bodies: Vec<Script>,
}

/// Where an instruction stands.
#[derive(Clone, Copy)]
struct At {
    stage: usize,
    instruction: usize,
}

impl Follower<'_> {
    fn stage(&mut self, number: usize, is_followed: bool) {
        let Some(stage) = self.stages.get(number) else { return };
        let mut inside = match &stage.base {
            Base::Stage(base) => self.inside.get(*base).cloned().unwrap_or_default(),
            Base::Image(_) => Inside::default(),
        };
        let machine = Machine { architecture: self.architecture(stage) };
        if is_followed && !stage.is_windows {
            for place in stage.instructions.clone() {
                let Some(instruction) = self.dockerfile.instructions.get(place) else { continue };
                if inside.fails {
                    break;
                }
                self.instruction(instruction, At { stage: number, instruction: place }, &machine, &mut inside);
            }
        }
        self.inside.push(inside);
    }

    /// The architecture of the machine that a stage's commands run on.
    fn architecture(&self, stage: &Stage) -> String {
        match &stage.runs_on {
            RunsOn::Target | RunsOn::Unknown => self.platforms.target.architecture.clone(),
            RunsOn::Build => self.platforms.build.architecture.clone(),
            RunsOn::Fixed(own) | RunsOn::Single(own) => own.clone(),
        }
    }

    fn instruction(&mut self, instruction: &Instruction, at: At, machine: &Machine, inside: &mut Inside) {
        match (&instruction.arguments, instruction.keyword) {
            (Arguments::Pairs(pairs), Keyword::Arg) => pairs.iter().for_each(|pair| self.argument(pair, at, inside)),
            (Arguments::Pairs(pairs), Keyword::Env) => {
                // All of them see what was before the instruction.
                let values: Vec<(String, Value)> =
                    pairs.iter().map(|pair| (pair.name.as_str().to_owned(), self.value(pair, at, inside))).collect();
                for ((name, value), pair) in values.into_iter().zip(pairs) {
                    self.used(at, What::Env { name: name.clone(), value: value.clone() }, pair.name.span());
                    inside.state.set(&name, value);
                    if inside.state.variables.contains_key(&name) {
                        inside.environment.insert(name);
                    }
                }
            }
            (_, Keyword::Run) => self.run(instruction, at, machine, inside),
            (Arguments::Words(words) | Arguments::Json(words), Keyword::Add | Keyword::Copy) => {
                self.copy(instruction, words, at, inside);
            }
            (Arguments::Json(words), Keyword::Entrypoint | Keyword::Cmd) => {
                for word in words {
                    let value = Value::written(word.as_str(), word.span());
                    self.used(at, What::Word { value }, word.span());
                }
            }
            (_, Keyword::Workdir) => {
                let value = self.expanded(&instruction.text, at, inside);
                self.used(at, What::Word { value }, instruction.text.span());
            }
            (Arguments::Json(words), Keyword::Shell) => {
                let name = words.first().map(|word| word.as_str().to_ascii_lowercase()).unwrap_or_default();
                inside.shell = Some(name.clone());
                inside.is_foreign_shell =
                    ["powershell", "pwsh", "cmd", "python", "node", "perl"].iter().any(|shell| name.contains(shell));
            }
            _ => {}
        }
    }

    fn used(&mut self, at: At, what: What, place: Range<usize>) {
        self.keep(Use { stage: at.stage, instruction: at.instruction, what, certainty: Certainty::Surely, place });
    }

    fn keep(&mut self, used: Use) {
        if self.uses.len() < MAX_USES {
            self.uses.push(used);
        }
    }

    /// A word with the values of ARG and ENV.
    fn expanded(&mut self, word: &Text, at: At, inside: &Inside) -> Value {
        let mut undeclared = Vec::new();
        let value = expand(word, stages::escape_of(self.dockerfile), &mut |name, place| {
            if let Some(value) = inside.state.variables.get(name) {
                return Some(value.clone());
            }
            if is_automatic(name) {
                undeclared.push((name.to_owned(), place));
                return None;
            }
            // The base image may set it.
            Some(Value::unknown(naming::speaks_of_architecture(name)))
        });
        for (name, place) in undeclared {
            self.used(at, What::Shell(Action::Undeclared { name }), place);
        }
        value
    }

    fn value(&mut self, pair: &Pair, at: At, inside: &Inside) -> Value {
        pair.value.as_ref().map(|value| self.expanded(value, at, inside)).unwrap_or_default()
    }

    fn argument(&mut self, pair: &Pair, at: At, inside: &mut Inside) {
        let name = pair.name.as_str().to_owned();
        if inside.environment.contains(&name) {
            return;
        }
        let value = match &pair.value {
            Some(_) if stages::is_supplied(&name) => Value::unknown(true),
            Some(_) if is_automatic(&name) => self.value(pair, at, inside),
            Some(_) => self.value(pair, at, inside).into_default(),
            None => {
                let global = self.globals.values.get(&name).cloned();
                let supplied = || {
                    let value = automatic(&name, &self.platforms.target, &self.platforms.build)?;
                    Some(Value::supplied(value, true))
                };
                // One without a default is what the builder is given.
                global.or_else(supplied).unwrap_or_else(|| Value::unknown(naming::speaks_of_architecture(&name)))
            }
        };
        inside.state.set(&name, value);
    }

    fn run(&mut self, instruction: &Instruction, at: At, machine: &Machine, inside: &mut Inside) {
        if inside.is_foreign_shell && instruction.json().is_none() {
            return;
        }
        let source = match instruction.json() {
            Some(words) => match words {
                [shell, flag, text]
                    if flag.as_str().starts_with('-') && flag.as_str().ends_with('c') && shell.as_str().ends_with("sh") =>
                {
                    Source::Instruction(text.clone())
                }
                words => {
                    let words: Vec<Value> = words.iter().map(|word| Value::written(word.as_str(), word.span())).collect();
                    let action = Action::Run { words, variables: Vec::new(), input: None };
                    self.used(at, What::Shell(action), instruction.span.clone());
                    return;
                }
            },
            None => match instruction.script() {
                Some(script) if is_for_a_shell(script.as_str()) => Source::Instruction(script),
                _ => return,
            },
        };
        if self.platforms.keeps_scripts
            && let Source::Instruction(text) = &source
        {
            let known = inside.state.variables.iter().filter_map(|(name, value)| Some((name.clone(), value.text()?)));
            let (text, shell) = (text.as_str().to_owned(), inside.shell.clone());
            self.bodies.push(Script { text, instruction: at.instruction, variables: known.collect(), shell });
        }
        let outcome = shell::run(source, machine, &mut inside.state);
        inside.fails = outcome.fails;
        for Event { action, certainty, place } in outcome.events {
            let place = place.unwrap_or_else(|| instruction.span.clone());
            self.keep(Use { stage: at.stage, instruction: at.instruction, what: What::Shell(action), certainty, place });
        }
    }

    fn copy(&mut self, instruction: &Instruction, words: &[Text], at: At, inside: &mut Inside) {
        let Some((target, sources)) = words.split_last() else { return };
        let flag = instruction.flag("from");
        let is_from_context = flag.is_none();
        let from = flag.and_then(|flag| flag.value.as_ref()).and_then(|name| stages::meant(self.stages, name.as_str()));
        if let Some(heredoc) = instruction.heredocs.first() {
            let content = Value::written(heredoc.content.as_str(), heredoc.content.span());
            inside.state.write(shell::base_name(target.as_str()), content);
            return;
        }
        for source in sources {
            let value = self.expanded(source, at, inside);
            self.used(at, What::Copy { source: value, is_from_context, from }, source.span());
        }
        self.expanded(target, at, inside);
    }
}

/// Whether a script is a shell's: a here-document may name another interpreter.
fn is_for_a_shell(script: &str) -> bool {
    let Some(line) = script.strip_prefix("#!").and_then(|rest| rest.lines().next()) else { return true };
    line.split_whitespace().any(|word| word.ends_with("sh"))
}
