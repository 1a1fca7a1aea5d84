//! The wrappings themselves.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// What stands before a program's words, by who puts it there.
const PREFIXES: &[&str] = &[
    // The CRI's log files (containerd, CRI-O): time, stream, whether the line is whole.
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T\S+ (?:stdout|stderr) [FP] ?",
    // RFC 3339 and its relatives; GitHub Actions and Docker put it before every line.
    r"\[?[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?(?:Z| ?[+-][0-9]{2}:?[0-9]{2})?\]?[ \t]+",
    // GitHub Actions' commands.
    r"##\[[a-z]+\]",
    // klog: level, date, time, thread, place.
    r"[IWEF][0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]+ +[0-9]+ [A-Za-z0-9_./-]+:[0-9]+\] ",
    // syslog, as journalctl prints it.
    r"[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)? \S+ [A-Za-z0-9_./@()-]+(?:\[[0-9]+\])?: ",
    // docker compose: the service and its number.
    r"[A-Za-z0-9][A-Za-z0-9_.-]* +\| ",
    // kubectl logs --prefix.
    r"\[(?:pod|deployment|job)/[^\]]+\] ",
    // buildx --progress=plain: the step, seconds since its begin.
    r"#[0-9]+ (?:[0-9]+\.[0-9]+ )?",
    r"[0-9]+\.[0-9]{2,3} ",
    r" *> ",
];

// Patterns that were compiled in; a test holds that each is one.
static PREFIX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("^(?:{})", PREFIXES.join("|"))).ok());
static COLOUR: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("\u{1b}(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^\u{7}\u{1b}]*(?:\u{7}|\u{1b}\\\\)|[@-Z\\\\^_])").ok());
static PAIR: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\b(?:msg|message|error|err|reason|log|stderr|output)="((?:[^"\\]|\\.)*)""#).ok());
static ESCAPE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"\\+(["'n])"#).ok());

/// Without escape sequences of terminals.
pub(super) fn without_colours(text: &str) -> Cow<'_, str> {
    COLOUR.as_ref().map_or(Cow::Borrowed(text), |colour| colour.replace_all(text, ""))
}

/// Without what others put before the words, however many.
pub(super) fn without_prefixes(text: &str) -> String {
    let mut rest = text;
    while let Some(prefix) = PREFIX.as_ref().and_then(|prefix| prefix.find(rest)).filter(|prefix| prefix.end() > 0) {
        rest = rest.get(prefix.end()..).unwrap_or_default();
    }
    // A prefix and nothing behind it is no prefix.
    if rest.trim().is_empty() { text.to_owned() } else { rest.to_owned() }
}

/// With quotes that were escaped, however often, as quotes, and `\n` as the line's end that it stands for.
pub(super) fn without_escapes(text: &str) -> String {
    let Some(escape) = ESCAPE.as_ref() else { return text.to_owned() };
    let unescaped = |found: &regex::Captures<'_>| match found.get(1).map(|letter| letter.as_str()) {
        // A path of Windows has such letters too.
        Some("n") if !text.contains(['"', '\'']) => found.get(0).map(|all| all.as_str()).unwrap_or_default().to_owned(),
        Some("n") => "\n".to_owned(),
        Some(quote) => quote.to_owned(),
        None => String::new(),
    };
    escape.replace_all(text, unescaped).into_owned()
}

/// The messages of `key="value"` pairs, where the line begins with one.
pub(super) fn pairs(text: &str) -> Vec<String> {
    let begins = ["time=", "level=", "ts=", "msg="].iter().any(|key| text.starts_with(key));
    let Some(pair) = PAIR.as_ref().filter(|_| begins) else { return Vec::new() };
    pair.captures_iter(text).filter_map(|found| found.get(1)).map(|value| without_escapes(value.as_str())).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_pattern_compiles() {
        assert!(super::PREFIX.is_some() && super::COLOUR.is_some() && super::PAIR.is_some() && super::ESCAPE.is_some());
    }
}
