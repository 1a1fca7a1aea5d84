//! A cause's words for the case at hand.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Platform, escape};

use super::{Container, Diagnosis, Hypothesis};

/// What is said of a cause, with the case's own names filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line: what is wrong.
    pub message: String,
    /// The command that tells whether it is this one.
    pub settle: String,
    /// What makes it run again tonight, where the names that it takes are known.
    pub now: Option<String>,
    /// What mends it for good.
    pub fix: String,
}

/// Places without which a text is of no use; the others have a word that stands for them.
const STRICT: &[&str] = &["owner", "wanted", "start", "script"];

/// What starts a script, by its name's end.
const INTERPRETERS: &[(&str, &str)] = &[
    (".sh", "/bin/sh"),
    (".bash", "bash"),
    (".py", "python3"),
    (".js", "node"),
    (".mjs", "node"),
    (".rb", "ruby"),
    (".pl", "perl"),
    (".php", "php"),
];

impl Words {
    /// The words for this hypothesis of a diagnosis.
    pub fn new(hypothesis: &Hypothesis, diagnosis: &Diagnosis) -> Self {
        let names = names(hypothesis, diagnosis);
        // What was looked at may be a file, which is nothing to pull or to push.
        let looked_at = diagnosis.looked_at.iter().flat_map(|(image, node)| [("image", image), ("node", node)]);
        let commands = in_commands(&names);
        let mut here = commands.clone();
        here.extend(as_it_ran(hypothesis, diagnosis));
        here.extend(looked_at.map(|(name, word)| (name, escape(word).to_string())));
        let cause = hypothesis.cause;
        let found = hypothesis.found.as_ref();
        let is_known =
            |text: &&String| STRICT.iter().all(|place| !text.contains(&format!("{{{place}}}")) || names.contains_key(place));
        Self {
            message: found.map_or_else(|| filled(&cause.says, &names), |found| found.message.clone()),
            settle: filled(&cause.settle, &here),
            now: cause.now.as_ref().filter(is_known).map(|text| filled(text, &commands)),
            fix: found.and_then(|found| found.fix.clone()).unwrap_or_else(|| filled(&cause.fix, &commands)),
        }
    }
}

/// What stands for the unknown in prose cannot be typed.
fn in_commands(names: &BTreeMap<&'static str, String>) -> BTreeMap<&'static str, String> {
    let typed = |name: &str| match name {
        "path" => Some("PROGRAM"),
        "library" => Some("LIBRARY"),
        "interpreter" => Some("INTERPRETER"),
        _ => None,
    };
    let word = |(name, word): (&&'static str, &String)| {
        let word = typed(name).filter(|_| word.starts_with("the ")).map_or_else(|| word.clone(), str::to_owned);
        (*name, word)
    };
    names.iter().map(word).collect()
}

/// The image by its digest, and the node by its name, for what tells which cause it is.
fn as_it_ran(hypothesis: &Hypothesis, diagnosis: &Diagnosis) -> Vec<(&'static str, String)> {
    let image = container_of(hypothesis, diagnosis).and_then(|container| container.image_id.as_deref());
    let node = diagnosis.subject.node_name.as_deref().filter(|_| diagnosis.subject.node.is_none());
    let image = image.map(|image| ("image", escape(image).to_string()));
    let node = node.map(|name| ("node", format!("<(kubectl get node {} -o json)", escape(name))));
    image.into_iter().chain(node).collect()
}

/// The container that a hypothesis is about, as far as its lines tell.
fn container_of<'a>(hypothesis: &Hypothesis, diagnosis: &'a Diagnosis) -> Option<&'a Container> {
    let name = hypothesis.observations.iter().find_map(|observation| observation.container.as_deref());
    diagnosis.subject.containers.iter().find(|container| name.is_none_or(|name| container.name == name))
}

/// `["/bin/sh", "/run.sh"]`, and whether the path's name says so.
fn start(path: &str) -> (String, bool) {
    let known = INTERPRETERS.iter().find(|(end, _)| path.ends_with(end));
    let interpreter = known.map_or("/bin/sh", |(_, interpreter)| interpreter);
    (format!("[\"{interpreter}\", \"{}\"]", escape(path)), known.is_some())
}

/// What goes in the place of each name.
fn names(hypothesis: &Hypothesis, diagnosis: &Diagnosis) -> BTreeMap<&'static str, String> {
    let subject = &diagnosis.subject;
    let captured = |name: &str| hypothesis.observations.iter().find_map(|observation| observation.captured(name));
    let path = hypothesis.observations.iter().find_map(|observation| observation.path());
    // Of several lines of one failure, only some name the file.
    let paths: BTreeSet<&str> = diagnosis.observations.iter().filter_map(|observation| observation.path()).collect();
    let path = path.or_else(|| paths.first().copied().filter(|_| paths.len() == 1));
    let container = container_of(hypothesis, diagnosis);
    let (start, is_script) = path.map(start).unzip();
    let mut names: BTreeMap<&'static str, String> = [
        ("path", "the program"),
        ("library", "the library"),
        ("version", "a newer version"),
        ("interpreter", "the interpreter"),
        ("level", "of a higher level"),
        ("platform", "another platform"),
        ("host", "this platform"),
        ("image", "IMAGE"),
        ("node", "NODE"),
        ("platforms", "linux/amd64,linux/arm64"),
    ]
    .into_iter()
    .map(|(name, word)| (name, word.to_owned()))
    .collect();
    let known = [
        ("path", path.map(str::to_owned)),
        ("image", container.map(|container| container.image.clone()).filter(|image| !image.is_empty())),
        ("node", subject.node.as_ref().map(|node| node.name.clone())),
        ("owner", subject.owner.clone()),
        ("script", path.filter(|_| is_script == Some(true)).map(str::to_owned)),
        ("start", start),
        ("wanted", hypothesis.built_for.clone().or_else(|| architecture(captured("platform")?))),
    ];
    let told =
        ["library", "version", "interpreter", "level", "platform", "host"].map(|name| (name, captured(name).map(str::to_owned)));
    for (name, text) in known.into_iter().chain(told) {
        if let Some(text) = text {
            let text = if name == "start" { text } else { escape(&text).to_string() };
            names.insert(name, text);
        }
    }
    names
}

/// The architecture of a platform that the text names, as Kubernetes' label has it.
fn architecture(platform: &str) -> Option<String> {
    platform.parse::<Platform>().ok().map(|platform| platform.normalised().architecture)
}

/// The text with `{name}` replaced by what it stands for.
fn filled(text: &str, names: &BTreeMap<&'static str, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, word)| text.replace(&format!("{{{name}}}"), word))
}
