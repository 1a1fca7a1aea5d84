//! Release files of known tools: `rules/data/assets.toml` held against addresses.

use std::ops::Range;

use crate::base::Platform;
use crate::format::shell::patterns::glob_matches;

use super::naming::{self, Tool};
use super::value::{HOLE, Value};

/// An address that names an architecture otherwise than the tool's files do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) tool: &'static str,
    /// The bytes of the address's text.
    pub(super) range: Range<usize>,
    pub(super) found: String,
    pub(super) expected: &'static str,
}

/// The tool whose file an address names, `range` being where the architecture stands in it.
pub(super) fn tool(address: &Value, range: &Range<usize>) -> Option<&'static Tool> {
    let text = address.masked();
    naming::tools().iter().find(|tool| fits(tool, &text, &widened(tool, &text, range)) && is_covered(tool, &text))
}

/// The range that the scheme's name for what stands there takes, which may begin before the spelling and go on behind it.
pub(super) fn widened(tool: &Tool, text: &str, range: &Range<usize>) -> Range<usize> {
    let wider = ["amd64", "arm64", "arm"]
        .into_iter()
        .filter_map(|architecture| naming::name(&tool.scheme, architecture))
        .find_map(|name| {
            let from = range.start.saturating_sub(name.len());
            let lower = text.to_ascii_lowercase();
            let window = lower.get(from..)?;
            let at = from.saturating_add(window.find(&name.to_ascii_lowercase())?);
            let found = at..at.saturating_add(name.len());
            (found.start <= range.start && found.end >= range.end).then_some(found)
        });
    wider.unwrap_or_else(|| range.clone())
}

fn fits(tool: &Tool, text: &str, range: &Range<usize>) -> bool {
    let Some((before, after)) = tool.asset.split_once("{arch}") else { return false };
    let part =
        |range: Range<usize>| text.get(range).map(|part| part.split(['?', '#']).next().unwrap_or(part).as_bytes().to_vec());
    let rest = match text.get(range.end..) {
        // A query is a part of the name only where the pattern has one.
        Some(_) if tool.asset.contains('?') => text.get(range.end..).map(|part| part.as_bytes().to_vec()),
        _ => part(range.end..text.len()),
    };
    let start = text.get(..range.start).map(str::as_bytes);
    let plain = |pattern: &str| pattern.replace('?', "\\?").into_bytes();
    let (Some(start), Some(rest)) = (start, rest) else { return false };
    glob_matches(&plain(before), start) && glob_matches(&plain(after), &rest)
}

/// Whether the address's version is one for which the scheme is known.
fn is_covered(tool: &Tool, text: &str) -> bool {
    let Some(since) = &tool.since else { return true };
    match version(text) {
        Some(version) => version >= numbers(since),
        None => text.contains("/latest"),
    }
}

/// Whether it is known to be one for which the scheme is not.
fn is_older(tool: &Tool, text: &str) -> bool {
    let since = tool.since.as_deref().map(numbers);
    since.zip(version(text)).is_some_and(|(since, version)| version < since)
}

/// The first version in an address.
fn version(text: &str) -> Option<Vec<u64>> {
    let path = text.split_once("://").map_or(text, |(_, rest)| rest);
    let path = path.split_once('/').map_or(path, |(_, rest)| rest);
    let starts = path.char_indices().filter(|(at, letter)| {
        let before = path.get(..*at).and_then(|before| before.chars().next_back());
        letter.is_ascii_digit() && !before.is_some_and(|before| before.is_ascii_digit() || before == '.' || before == HOLE)
    });
    starts.map(|(at, _)| at).find_map(|at| {
        let rest = path.get(at..)?;
        let length = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let found = rest.get(..length)?.trim_end_matches('.');
        (found.contains('.') && rest.get(length..).is_none_or(|after| !after.starts_with(HOLE))).then(|| numbers(found))
    })
}

fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

/// Whether an address that names the architecture by what the build says names it otherwise than the tool does.
pub(super) fn mismatch(address: &Value, platform: &Platform) -> Option<Mismatch> {
    let text = address.masked();
    if text.contains(HOLE) && !address.varies() {
        return None;
    }
    let candidates = address.varying();
    naming::tools().iter().filter(|tool| !is_older(tool, &text)).find_map(|tool| {
        let range = candidates.iter().find(|range| fits(tool, &text, range))?;
        let found = text.get(range.clone())?;
        let expected = naming::name(&tool.scheme, &platform.architecture)?;
        // A spelling of this very architecture, but not the one that the files have.
        let says_own = naming::tokens(found)
            .iter()
            .any(|token| token.architecture == platform.architecture && token.range.len() == found.len());
        let is_wrong = says_own && !found.eq_ignore_ascii_case(expected);
        is_wrong.then(|| Mismatch { tool: &tool.name, range: range.clone(), found: found.to_owned(), expected })
    })
}

#[cfg(test)]
mod tests {
    use super::{mismatch, tool};
    use crate::base::Platform;
    use crate::lint::dockerfile::naming;
    use crate::lint::dockerfile::value::Value;

    fn named(address: &str) -> Option<&'static str> {
        let token = naming::tokens(address).into_iter().next()?;
        tool(&Value::supplied(address, false), &token.range).map(|tool| tool.name.as_str())
    }

    #[test]
    fn tools_are_known_by_their_files() {
        for (address, name) in [
            ("https://dl.k8s.io/release/v1.30.0/bin/linux/amd64/kubectl", Some("kubectl")),
            ("https://nodejs.org/dist/v20.1.0/node-v20.1.0-linux-x64.tar.xz", Some("node")),
            ("https://github.com/jqlang/jq/releases/download/jq-1.7.1/jq-linux-amd64", Some("jq")),
            ("https://static.rust-lang.org/rustup/dist/x86_64-unknown-linux-gnu/rustup-init", Some("rustup-init")),
            ("https://github.com/cli/cli/releases/download/v2.1.0/gh_2.1.0_linux_amd64.tar.gz", Some("gh")),
            ("https://example.org/own-tool-linux-amd64", None),
            ("https://github.com/mozilla/sops/releases/download/v3.7.1/sops-v3.7.1.linux.amd64", None),
        ] {
            assert_eq!(named(address), name, "{address}");
        }
    }

    #[test]
    fn a_name_of_another_scheme_is_a_mismatch() {
        let address = |architecture: &str| {
            Value::supplied("https://dl.k8s.io/v1.30.0/bin/linux/", false)
                .then(&Value::supplied(architecture, true))
                .then(&Value::supplied("/kubectl", false))
        };
        let arm = Platform::linux("arm64", None);
        assert_eq!(mismatch(&address("aarch64"), &arm).map(|it| it.expected), Some("arm64"));
        assert_eq!(mismatch(&address("arm64"), &arm), None);
    }
}
