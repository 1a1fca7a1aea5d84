//! A cause's words for the case at hand.

use std::collections::BTreeMap;

use crate::base::{Platform, escape};

use super::{Diagnosis, Hypothesis};

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
const STRICT: &[&str] = &["owner", "wanted"];

impl Words {
    /// The words for this hypothesis of a diagnosis.
    pub fn new(hypothesis: &Hypothesis, diagnosis: &Diagnosis) -> Self {
        let names = names(hypothesis, diagnosis);
        // What was looked at may be a file, which is nothing to pull or to push.
        let looked_at = diagnosis.looked_at.iter().flat_map(|(image, node)| [("image", image), ("node", node)]);
        let mut here = names.clone();
        here.extend(looked_at.map(|(name, word)| (name, escape(word).to_string())));
        let cause = hypothesis.cause;
        let found = hypothesis.found.as_ref();
        let is_known =
            |text: &&String| STRICT.iter().all(|place| !text.contains(&format!("{{{place}}}")) || names.contains_key(place));
        Self {
            message: found.map_or_else(|| filled(&cause.says, &names), |found| found.message.clone()),
            settle: filled(&cause.settle, &here),
            now: cause.now.as_ref().filter(is_known).map(|text| filled(text, &names)),
            fix: found.and_then(|found| found.fix.clone()).unwrap_or_else(|| filled(&cause.fix, &names)),
        }
    }
}

/// What goes in the place of each name.
fn names(hypothesis: &Hypothesis, diagnosis: &Diagnosis) -> BTreeMap<&'static str, String> {
    let subject = &diagnosis.subject;
    let captured = |name: &str| hypothesis.observations.iter().find_map(|observation| observation.captured(name));
    let path = hypothesis.observations.iter().find_map(|observation| observation.path());
    let container = hypothesis.observations.iter().find_map(|observation| observation.container.as_deref());
    let container = subject.containers.iter().find(|of| container.is_none_or(|name| of.name == name));
    let mut names: BTreeMap<&'static str, String> = [
        ("path", "the program"),
        ("library", "the library"),
        ("version", "a newer version"),
        ("interpreter", "the interpreter"),
        ("level", "its level"),
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
        ("wanted", hypothesis.built_for.clone().or_else(|| architecture(captured("platform")?))),
    ];
    let told =
        ["library", "version", "interpreter", "level", "platform", "host"].map(|name| (name, captured(name).map(str::to_owned)));
    for (name, text) in known.into_iter().chain(told) {
        if let Some(text) = text {
            names.insert(name, escape(&text).to_string());
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
