//! What architectures are called: the schemes and spellings of `rules/data/assets.toml`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use super::value::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    /// By scheme: what it calls each architecture.
    scheme: BTreeMap<String, BTreeMap<String, String>>,
    spelling: Vec<Spelling>,
    pub(super) tool: Vec<Tool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spelling {
    architecture: String,
    names: Vec<String>,
    weak: Vec<String>,
}

/// A tool whose release files' names are known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    pub(super) name: String,
    /// The address, with `{arch}` and `*`.
    pub(super) asset: String,
    pub(super) scheme: String,
    /// The version from which it holds.
    pub(super) since: Option<String>,
}

// Compiled in; a test holds that it parses.
static NAMES: LazyLock<Names> =
    LazyLock::new(|| toml::from_str(include_str!("../../../rules/data/assets.toml")).unwrap_or_default());

/// A spelling, ready to be looked for.
struct Entry {
    name: String,
    architecture: String,
    is_weak: bool,
}

// By their first byte, the longest first.
static SPELLINGS: LazyLock<BTreeMap<u8, Vec<Entry>>> = LazyLock::new(|| {
    let mut found: BTreeMap<u8, Vec<Entry>> = BTreeMap::new();
    for spelling in &NAMES.spelling {
        let all = spelling.names.iter().map(|name| (name, false)).chain(spelling.weak.iter().map(|name| (name, true)));
        for (name, is_weak) in all {
            let entry = Entry { name: name.clone(), architecture: spelling.architecture.clone(), is_weak };
            found.entry(name.bytes().next().unwrap_or_default()).or_default().push(entry);
        }
    }
    found.values_mut().for_each(|entries| entries.sort_by_key(|entry| std::cmp::Reverse(entry.name.len())));
    found
});

/// The tools, in order.
pub(super) fn tools() -> &'static [Tool] {
    &NAMES.tool
}

/// What a scheme calls an architecture of Go's name.
pub(super) fn name(scheme: &str, architecture: &str) -> Option<&'static str> {
    NAMES.scheme.get(scheme)?.get(architecture).map(String::as_str)
}

/// A spelling of an architecture in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lint) struct Token {
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// Go's name of what it means.
    pub(in crate::lint) architecture: &'static str,
    /// Whether it means that only beside other words.
    pub(super) is_weak: bool,
}

/// The spellings of architectures in a text, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut at = 0;
    let mut before = b' ';
    for (place, byte) in lower.bytes().enumerate() {
        // A spelling begins where a word does; `linuxamd64` is the exception.
        let begins = !before.is_ascii_alphanumeric() || before == b'x';
        before = byte;
        if place >= at
            && begins
            && let Some(token) = longest(&lower, place, byte)
        {
            at = token.range.end;
            found.push(token);
        }
    }
    if found.iter().any(|token| token.is_weak) {
        let is_near_linux = ["linux", "ubuntu", "debian", "unknown"].iter().any(|word| lower.contains(word));
        found.retain(|token| !token.is_weak || is_near_linux);
    }
    found
}

/// The first of a text's architectures, where all that it names are the same one.
pub(in crate::lint) fn agreed(text: &str) -> Option<Token> {
    let tokens = tokens(text);
    let first = tokens.first()?.clone();
    tokens.iter().all(|token| token.architecture == first.architecture).then_some(first)
}

fn longest(text: &str, at: usize, first: u8) -> Option<Token> {
    let entries = SPELLINGS.get(&first)?;
    let (before, rest) = (text.get(..at)?, text.get(at..)?);
    let fits = |entry: &&Entry| {
        let after = rest.strip_prefix(entry.name.as_str());
        after.is_some_and(|after| stands_alone(before, after, &entry.name, entry.is_weak))
    };
    let entry = entries.iter().find(fits)?;
    Some(Token { range: at..at.saturating_add(entry.name.len()), architecture: &entry.architecture, is_weak: entry.is_weak })
}

/// Whether neither a letter nor a digit goes on before or behind it. `linuxamd64` and `linux64v1` are of the names that people give.
fn stands_alone(before: &str, after: &str, name: &str, is_weak: bool) -> bool {
    let word = before.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let is_glued = before.ends_with("linux") && !is_weak;
    let begins = !before.ends_with(|letter: char| letter.is_ascii_alphanumeric()) || is_glued;
    let goes_on = after.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    let ends = !goes_on || name == "linux64" && after.starts_with('v');
    let is_bits = after.strip_prefix('-').unwrap_or(after).starts_with("bit");
    match name {
        "linux-64" | "linux_64" if is_bits => false,
        // Numbers are everywhere: only `linux-64`, `linux_64` and the like say an architecture.
        "64" | "386" => begins && ends && word.ends_with("linux") && word.len() + 1 == before.len() && !after.starts_with('.'),
        _ => begins && ends,
    }
}

/// Words beside which an architecture's name is of another system, or of a compiler's target.
const ELSEWHERE: &[&str] = &[
    "darwin",
    "macos",
    "osx",
    "windows",
    "win32",
    "win64",
    "mingw",
    "android",
    "wasm",
    ".exe",
    ".msi",
    "freebsd",
    "cygwin",
    "qemu",
    "-cross",
    "cross-",
    "crossbuild",
    "binfmt",
    "baremetal",
    "none-eabi",
    "none-elf",
    "none-linux",
    "arm64-v8a",
    "armeabi",
];

/// The name of another architecture in a value, where it names another one and not this one.
pub(super) fn foreign(value: &Value, architecture: &str) -> Option<Token> {
    let text = value.masked();
    let tokens = tokens(&text);
    if tokens.is_empty() {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    if ELSEWHERE.iter().any(|word| lower.contains(word)) {
        return None;
    }
    if tokens.iter().any(|token| agrees(token.architecture, architecture)) {
        return None;
    }
    tokens.into_iter().find(|token| token.architecture != "386" && !(token.is_weak && token.architecture == "arm"))
}

/// Whether what is made for one architecture is meant on another too: 32-bit x86 on 64-bit x86.
pub(super) fn agrees(named: &str, architecture: &str) -> bool {
    named == architecture || named == "386" && architecture == "amd64"
}

/// Whether a text speaks of architectures at all: one's name, or the question for it.
pub(super) fn speaks_of_architecture(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let questions = ["arch", "uname", "machine", "platform", "cputype", "lscpu", "goos", "getconf", "hosttype"];
    questions.iter().any(|word| lower.contains(word)) || !tokens(text).is_empty()
}

#[cfg(test)]
mod tests {
    use super::{NAMES, foreign, name, tokens};
    use crate::lint::dockerfile::value::Value;

    fn found(text: &str) -> Vec<(&str, &str)> {
        tokens(text).into_iter().map(|token| (&text[token.range], token.architecture)).collect()
    }

    #[test]
    fn the_data_parses_and_every_tool_has_a_scheme() {
        assert!(!NAMES.tool.is_empty());
        for tool in &NAMES.tool {
            assert!(name(&tool.scheme, "amd64").is_some() && name(&tool.scheme, "arm64").is_some(), "{tool:?}");
            assert!(tool.asset.contains("{arch}"), "{tool:?}");
        }
    }

    #[test]
    fn spellings_are_found_where_they_stand_alone() {
        assert_eq!(found("kubectl-linux-amd64"), [("amd64", "amd64")]);
        assert_eq!(found("foo_Linux_x86_64.tar.gz"), [("x86_64", "amd64")]);
        assert_eq!(found("colorid_Linux64v0.1.4.3"), [("Linux64", "amd64")]);
        assert_eq!(found("vale_2_Linux_64-bit.tar.gz"), [("64-bit", "amd64")]);
        assert_eq!(found("minimap2-2.17_x64-linux"), [("x64", "amd64")]);
        assert_eq!(found("protoc-3-linux-aarch_64.zip"), [("aarch_64", "arm64")]);
        assert_eq!(found("xamd64 0x64 amd640 version-64 linux-5.64 arms"), []);
        assert_eq!(found("linux/arm/v7"), [("arm", "arm")]);
        assert_eq!(found("charm/x86/64"), []);
    }

    #[test]
    fn what_names_both_or_another_system_is_not_foreign() {
        let of = |text: &str, architecture| foreign(&Value::supplied(text, false), architecture).is_some();
        assert!(of("tool-linux-amd64", "arm64") && !of("tool-linux-amd64", "amd64"));
        assert!(!of("[arch=amd64,arm64]", "arm64") && !of("tool-darwin-amd64", "arm64"));
        assert!(of("tool-aarch64", "amd64"));
    }
}
