//! The words of commands: what they fetch, install and use.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::assets;
use super::super::build::{Build, Use, What};
use super::super::fixes::Fixable;
use super::super::naming::{self, Token};
use super::super::shell::{Action, Certainty};
use super::super::stages::Base;
use super::super::value::{HOLE, Value};
use super::{Hit, builder, judged};
use crate::base::{Platform, escape};
use crate::finding::Severity;

/// Longer values are shown cut off.
const MAX_SHOWN: usize = 160;

/// What is wrong with the words that a build uses.
pub(super) fn hits(build: &Build, builder: &Platform) -> Vec<Hit> {
    let mut judge = Judge {
        build,
        builder: builder.clone(),
        others: alternatives(build),
        added: added(build),
        crossing: crossing(build),
        several: several(build),
        fetched: BTreeSet::new(),
        page: None,
        hits: Vec::new(),
    };
    for used in build.uses.iter().filter(|used| used.certainty != Certainty::Guarded) {
        judge.used(used);
    }
    judge.hits
}

struct Judge<'a> {
    build: &'a Build,
    builder: Platform,
    /// The values that are used, with a mark where they name an architecture, and which they name.
    others: BTreeMap<String, BTreeSet<&'static str>>,
    /// The architectures that dpkg is told to take packages of.
    added: BTreeSet<&'static str>,
    /// The stages that have compilers for other machines.
    crossing: BTreeSet<usize>,
    /// The variables that are set to several targets.
    several: BTreeSet<String>,
    /// The instruction in which a page was just fetched, while what is done with it goes on.
    page: Option<usize>,
    /// By stage: the spellings in addresses that were already found wrong.
    fetched: BTreeSet<(usize, String)>,
    hits: Vec<Hit>,
}

/// What each value is without its architecture, with the architectures that stand there somewhere in the build.
fn alternatives(build: &Build) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut found: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for value in build.uses.iter().flat_map(values) {
        for token in naming::tokens(&value.masked()) {
            found.entry(shape(&value)).or_default().insert(token.architecture);
        }
    }
    found
}

/// The architectures that `dpkg --add-architecture` names.
fn added(build: &Build) -> BTreeSet<&'static str> {
    let lists = build.uses.iter().map(values).filter(|words| words.iter().any(|word| word.masked() == "--add-architecture"));
    lists.flatten().flat_map(|word| naming::tokens(&word.masked())).map(|token| token.architecture).collect()
}

/// The stages that install compilers for other machines, and those that are made from them.
fn crossing(build: &Build) -> BTreeSet<usize> {
    let is_one = |word: &Value| judged::is_toolchain_package(&word.masked()) && !naming::tokens(&word.masked()).is_empty();
    let installs = |used: &&Use| matches!(&used.what, What::Shell(Action::Run { words, .. }) if judged::installs(&judged::program(words), words) && words.iter().any(is_one));
    let mut found: BTreeSet<usize> = build.uses.iter().filter(installs).map(|used| used.stage).collect();
    for (number, stage) in build.stages.iter().enumerate() {
        if matches!(stage.base, Base::Stage(base) if found.contains(&base)) {
            found.insert(number);
        }
    }
    found
}

fn shape(value: &Value) -> String {
    let text = value.masked();
    let mut shape = String::new();
    let mut at = 0_usize;
    for token in naming::tokens(&text) {
        shape.push_str(text.get(at..token.range.start).unwrap_or_default());
        shape.push('\0');
        at = token.range.end;
    }
    shape.push_str(text.get(at..).unwrap_or_default());
    shape
}

fn values(used: &Use) -> Vec<Value> {
    match &used.what {
        What::Shell(Action::Run { words, .. }) => words.clone(),
        What::Shell(Action::Write { path, .. }) => vec![path.clone()],
        What::Copy { source, .. } => vec![source.clone()],
        _ => Vec::new(),
    }
}

/// A value for a reader: short, and with what is not known left open.
pub(super) fn shown(value: &Value) -> String {
    let text = value.masked().replace(HOLE, "…");
    let text: String =
        if text.chars().count() > MAX_SHOWN { text.chars().take(MAX_SHOWN).chain(['…']).collect() } else { text };
    escape(&text).to_string()
}

impl Judge<'_> {
    fn used(&mut self, used: &Use) {
        match &used.what {
            What::Shell(Action::Run { words, variables, input }) => self.command(used, words, variables, input.as_ref()),
            What::Shell(Action::Write { path, content }) => {
                self.repository(used, content);
                if path.masked().starts_with('/') && judged::is_library_path(&path.masked()) {
                    self.path(used, path);
                }
            }
            What::Shell(Action::Undeclared { .. } | Action::Unread) => {}
            What::Copy { source, is_from_context, .. } => self.copied(used, source, *is_from_context),
            What::Env { name, value } => self.variable(used, name, value, true),
            What::Word { value } => {
                if judged::is_library_path(&value.masked()) {
                    self.path(used, value);
                }
            }
        }
    }

    /// The name of an architecture that nothing in this stage is meant for.
    fn foreign(&self, used: &Use, value: &Value) -> Option<Token> {
        let meant = self.build.meant(used.stage, &self.builder);
        let token =
            meant.iter().map(|architecture| naming::foreign(value, architecture)).collect::<Option<Vec<Token>>>()?.pop()?;
        // Where the same is also used for this architecture, it is one row of a table.
        let others = self.others.get(&shape(value));
        let has_own = others.is_some_and(|others| meant.iter().any(|architecture| others.contains(architecture.as_str())));
        (!has_own && !value.varies_in(&token.range)).then_some(token)
    }

    fn hit(&mut self, used: &Use, hit: Hit, value: &Value) {
        self.hits.push(Hit { certainty: used.certainty, ..hit.with_value(shown(value)) });
    }

    fn origin(used: &Use, value: &Value, range: &Range<usize>) -> Range<usize> {
        value.origin(range.clone()).unwrap_or_else(|| used.place.clone())
    }

    fn command(&mut self, used: &Use, words: &[Value], variables: &[(String, Value)], input: Option<&Value>) {
        let program = judged::program(words);
        for (name, value) in variables {
            self.variable(used, name, value, false);
        }
        for word in words {
            self.repository(used, word);
        }
        if let Some(input) = input {
            self.repository(used, input);
        }
        let is_fetcher = judged::is_fetcher(&program);
        self.picked(used, &program, words, input);
        let picks_assets = program == "gh" && words.iter().any(|word| word.masked() == "download");
        let is_asset = |word: &Value| picks_assets && !naming::tokens(&word.masked()).is_empty();
        let addresses: Vec<&Value> = words.iter().skip(1).filter(|word| is_address(word, is_fetcher) || is_asset(word)).collect();
        if program != "git" {
            addresses.iter().for_each(|address| self.address(used, address));
        }
        if program == "rm" {
            let is_kept = |word: &&Value| word.masked().contains("-linux-gnu/");
            words.iter().filter(is_kept).for_each(|word| self.path(used, word));
        }
        let adds = words.iter().any(|word| word.masked() == "--add-architecture");
        if is_fetcher
            || picks_assets
            || adds
            || judged::is_talker(&program)
            || judged::removes(&program, words)
            || names_several(words)
        {
            return;
        }
        let installs = judged::installs(&program, words);
        for (index, word) in words.iter().enumerate().filter(|(_, word)| !is_address(word, false)) {
            let text = word.masked();
            if text.contains("arch=") && text.contains("deb") {
                continue;
            }
            if installs && index > 0 && !text.starts_with('-') {
                self.package(used, word);
            } else if judged::is_library_path(&text) {
                self.path(used, word);
            } else if !(installs || index == 0 && !text.contains('/')) {
                self.argument(used, &program, word, judged::sets_target(&program, words, index));
            }
        }
    }

    /// What a filter picks from a page that was just fetched: `curl … | grep linux-amd64`.
    fn picked(&mut self, used: &Use, program: &str, words: &[Value], input: Option<&Value>) {
        if judged::is_fetcher(program) {
            self.page = Some(used.instruction);
        } else if input.is_none_or(|input| input.varies() || !input.is_unknown()) || self.page != Some(used.instruction) {
            self.page = None;
        } else if judged::picks(program) && !names_several(words) {
            for word in words.iter().skip(1).filter(|word| !is_address(word, false)) {
                let Some(token) = self.foreign(used, word) else { continue };
                let span = Self::origin(used, word, &token.range);
                let says = format!("this still picks the file for {} from what was fetched", token.architecture);
                let help = "let TARGETARCH choose, in the project's own spelling";
                self.hit(used, Hit::new("foreign-download", span, says).with_help(help), word);
            }
        }
    }

    fn address(&mut self, used: &Use, address: &Value) {
        if let Some(mismatch) = assets::mismatch(address, &self.build.platform) {
            let span = Self::origin(used, address, &mismatch.range);
            let says = format!(
                "this fetches a file that {} does not publish: {} is called `{}` there, not `{}`",
                mismatch.tool,
                self.build.platform.architecture,
                mismatch.expected,
                escape(&mismatch.found)
            );
            let help = format!(
                "map the names with `case \"$TARGETARCH\" in`, for instance `{}` to `{}`",
                self.build.platform.architecture, mismatch.expected
            );
            self.hit(used, Hit::new("wrong-asset-name", used.place_of(span), says).with_help(help), address);
            return;
        }
        let Some(token) = self.foreign(used, address) else {
            if let Some(hit) = builder::fetched(self.build, &self.builder, used, address) {
                self.hit(used, hit, address);
            }
            return;
        };
        let masked = address.masked();
        let spelling = masked.get(token.range.clone()).unwrap_or_default().to_owned();
        self.fetched.insert((used.stage, spelling.to_ascii_lowercase()));
        let span = Self::origin(used, address, &token.range);
        let is_package = [".deb", ".rpm", ".apk"].iter().any(|end| masked.ends_with(end));
        let says = format!("this still fetches a file for {}", token.architecture);
        let tool = assets::tool(address, &token.range);
        let help = match &tool {
            Some(tool) => format!(
                "{} calls it `{}`; choose by TARGETARCH",
                tool.name,
                naming::name(&tool.scheme, &self.build.platform.architecture).unwrap_or("…")
            ),
            None => "look up what the project calls its files for the other platforms, and choose by TARGETARCH".to_owned(),
        };
        let hit = Hit::new("foreign-download", span, says).with_help(help);
        let hit = if is_package { hit.at(Severity::Warning) } else { hit };
        let fixable = match tool {
            Some(tool) => Fixable::Asset { at: used.clone(), address: address.clone(), token, scheme: tool.scheme.clone() },
            None => Fixable::No,
        };
        self.hit(used, Hit { fixable, ..hit }, address);
    }

    /// `deb [arch=amd64] …` and a repository's address, in what a script writes or a command is given.
    fn repository(&mut self, used: &Use, value: &Value) {
        let text = value.masked();
        for (start, line) in lines(&text) {
            let part = value.part(start..start.saturating_add(line.len()));
            let Some(option) = option_arch(line) else {
                let is_source = line.trim_start().starts_with("deb ") || line.contains("baseurl=");
                if is_source && let Some(token) = self.foreign(used, &part) {
                    let span = Self::origin(used, &part, &token.range);
                    let says = format!("packages come from a repository of {}", token.architecture);
                    self.hit(used, Hit::new("hidden-packages", span, says), &part);
                }
                continue;
            };
            let named = part.part(option.clone());
            let Some(token) = self.foreign(used, &named) else { continue };
            let span = Self::origin(used, &named, &token.range);
            let says = format!("apt ignores this repository: it is said to have packages for {} only", token.architecture);
            let help = "leave `arch=` out, or write `arch=$(dpkg --print-architecture)`";
            let fixable = Fixable::AptArch { span: span.clone() };
            let hit = Hit { fixable, ..Hit::new("hidden-packages", span, says).with_help(help) };
            self.hit(used, hit, &part);
        }
    }

    fn package(&mut self, used: &Use, word: &Value) {
        let text = word.masked();
        if judged::is_toolchain_package(&text) {
            return;
        }
        let Some(token) = self.foreign(used, word).filter(|token| !self.added.contains(token.architecture)) else { return };
        let spelling = text.get(token.range.clone()).unwrap_or_default().to_ascii_lowercase();
        let is_file = [".deb", ".rpm", ".apk"].iter().any(|end| text.ends_with(end));
        if is_file && self.fetched.contains(&(used.stage, spelling)) {
            return;
        }
        let span = Self::origin(used, word, &token.range);
        let says = format!("there is no such package: this one is for {}", token.architecture);
        let help =
            "leave the architecture out, or write what the package manager says: `$(dpkg --print-architecture)`, `$(uname -m)`";
        self.hit(used, Hit::new("foreign-package", span, says).with_help(help), word);
    }

    fn path(&mut self, used: &Use, word: &Value) {
        if self.crossing.contains(&used.stage) {
            return;
        }
        let Some(token) = self.foreign(used, word) else { return };
        let span = Self::origin(used, word, &token.range);
        let says = format!("this path does not exist: it is one of {}", token.architecture);
        let help = "ask for it: `$(dpkg-architecture -qDEB_HOST_MULTIARCH)`, `$(uname -m)`; or point a link without the architecture at it";
        self.hit(used, Hit::new("foreign-path", span, says).with_help(help), word);
    }

    /// A word of any other command: an option, or a file that is named after an architecture.
    fn argument(&mut self, used: &Use, program: &str, word: &Value, is_target: bool) {
        let Some(token) = self.foreign(used, word) else { return };
        let text = word.masked();
        let spelling = text.get(token.range.clone()).unwrap_or_default().to_ascii_lowercase();
        if token.is_weak
            || self.crossing.contains(&used.stage)
            || self.fetched.contains(&(used.stage, spelling))
            || text.contains([' ', '\n'])
        {
            return;
        }
        let span = Self::origin(used, word, &token.range);
        if is_target {
            let says = format!("`{}` still makes everything for {}", escape(program), token.architecture);
            let help = "choose the target by TARGETARCH";
            self.hit(used, Hit::new("fixed-build-target", span, says).with_help(help), word);
            return;
        }
        let says = format!("`{}` is still told {}", escape(program), token.architecture);
        let help = "choose it by TARGETARCH, or by what the machine says";
        self.hit(used, Hit::new("foreign-argument", span, says).with_help(help), word);
    }

    fn copied(&mut self, used: &Use, source: &Value, is_from_context: bool) {
        let text = source.masked();
        if text.contains("://") {
            self.address(used, source);
        } else if let Some(token) = self.foreign(used, source).filter(|_| !judged::is_text(&text)) {
            let span = Self::origin(used, source, &token.range);
            if is_from_context && !self.crossing.contains(&used.stage) {
                let says = format!("this still copies a file named after {}", token.architecture);
                let help = "name the files after TARGETARCH, declare `ARG TARGETARCH` and copy `…${TARGETARCH}…`";
                self.hit(used, Hit::new("foreign-file", span, says).with_help(help), source);
            } else if !is_from_context && judged::is_library_path(&text) {
                self.path(used, source);
            }
        }
    }

    fn variable(&mut self, used: &Use, name: &str, value: &Value, is_instruction: bool) {
        let text = value.masked();
        // A variable for each architecture is a table.
        if !naming::tokens(name).is_empty() && !judged::is_target_variable(name) {
            return;
        }
        if judged::is_target_variable(name) {
            let Some(token) = naming::foreign(value, &self.build.platform.architecture) else { return };
            if value.varies_in(&token.range) || self.several.contains(name) {
                return;
            }
            let span = Self::origin(used, value, &token.range);
            let says = format!("{} still makes everything for {}", escape(name), token.architecture);
            let help = "declare `ARG TARGETARCH` in the stage and use it, or leave the variable out";
            self.hit(used, Hit::new("fixed-build-target", span, says).with_help(help), value);
        } else if is_instruction && text.contains("://") {
            self.address(used, value);
        } else if text.starts_with('/') && (is_instruction || judged::is_library_path(&text)) {
            self.path(used, value);
        }
    }
}

/// The variables that a build sets to several values, as one does that makes binaries for all architectures.
fn several(build: &Build) -> BTreeSet<String> {
    let mut values: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for used in &build.uses {
        let What::Shell(Action::Run { variables, .. }) = &used.what else { continue };
        for (name, value) in variables.iter().filter(|(name, _)| judged::is_target_variable(name)) {
            values.entry(name).or_default().insert(value.masked());
        }
    }
    values.into_iter().filter(|(_, values)| values.len() > 1).map(|(name, _)| name.to_owned()).collect()
}

impl Use {
    /// A place inside it, or all of it.
    fn place_of(&self, span: Range<usize>) -> Range<usize> {
        if span.is_empty() { self.place.clone() } else { span }
    }
}

fn is_address(word: &Value, is_fetcher: bool) -> bool {
    let text = word.masked();
    if text.contains([' ', '\n']) {
        return false;
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.rsplit(['=', '@']).next().unwrap_or(scheme));
    let is_scheme = |scheme: &str| scheme.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '+' || letter == HOLE);
    scheme.is_some_and(is_scheme) || is_fetcher && !text.starts_with(['-', '/', '.']) && text.contains('/') && text.contains('.')
}

/// Whether words name several architectures, as a list does.
fn names_several(words: &[Value]) -> bool {
    let named: BTreeSet<&str> =
        words.iter().flat_map(|word| naming::tokens(&word.masked())).map(|token| token.architecture).collect();
    named.len() > 1
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0_usize;
    text.split(['\n']).map(move |line| {
        let start = at;
        at = start.saturating_add(line.len()).saturating_add(1);
        (start, line)
    })
}

/// The bytes of what follows `arch=` in the options of an apt source.
fn option_arch(line: &str) -> Option<Range<usize>> {
    if !line.contains("deb") {
        return None;
    }
    let open = line.find('[')?;
    let close = line.get(open..)?.find(']')?.saturating_add(open);
    let options = line.get(open..close)?;
    let start = options.find("arch=").filter(|at| options.get(..*at).is_some_and(|before| before.ends_with(['[', ' '])))?;
    let start = open.saturating_add(start).saturating_add("arch=".len());
    let length = line.get(start..close)?.find(' ').unwrap_or(close.saturating_sub(start));
    Some(start..start.saturating_add(length))
}
