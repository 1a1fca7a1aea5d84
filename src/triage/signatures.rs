//! How programs print that something could not be executed, and what that can mean: `rules/data/signatures.toml`, compiled.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::bytes::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;

/// Memory of all patterns together, bytes.
const SIZE_LIMIT: usize = 256 << 20;

/// `rules/data/signatures.toml` as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "errno")]
    errnos: Vec<ErrnoTexts>,
    #[serde(default, rename = "meaning")]
    meanings: Vec<Meaning>,
    #[serde(default, rename = "signature")]
    signatures: Vec<Signature>,
    #[serde(default, rename = "clue")]
    clues: Vec<Clue>,
    #[serde(default, rename = "innocent")]
    innocents: Vec<Lines>,
    #[serde(default, rename = "status")]
    statuses: Vec<Lines>,
    #[serde(default, rename = "wording")]
    wordings: Vec<Wording>,
}

/// An errno in the words of those who print it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrnoTexts {
    name: String,
    texts: Vec<String>,
}

/// What an errno can mean at a stage of the start; at every stage where none is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meaning {
    #[serde(default)]
    stage: Option<String>,
    errno: String,
    causes: BTreeMap<String, f64>,
}

/// A form of line.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Signature {
    /// Its name.
    pub(super) id: String,
    /// Who prints it.
    pub(super) program: String,
    patterns: Vec<String>,
    stage: Option<String>,
    /// Where the text has no words for it.
    errno: Option<String>,
    causes: BTreeMap<String, f64>,
    /// Whether the text itself names the cause.
    pub(super) says: bool,
    /// Whether the same is seen where nothing was wrong with the program.
    pub(super) weak: bool,
    /// Whether it counts only where nothing else is told.
    pub(super) alone: bool,
    needs: Option<String>,
}

/// What makes causes more or less likely.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clue {
    /// Its name.
    #[allow(dead_code, reason = "names the row for its reader")]
    id: String,
    /// What it says, for people.
    pub(super) note: String,
    on: Place,
    pattern: String,
    /// By cause, what its weight is multiplied with.
    pub(super) factors: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Path,
    Text,
}

/// Lines of one kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    patterns: Vec<String>,
}

/// A form of line that only some versions of a program print.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wording {
    program: String,
    /// The first version.
    since: Option<String>,
    /// The last version.
    until: Option<String>,
    pattern: String,
    /// The only signature in whose lines it is looked for.
    signature: Option<String>,
}

impl Wording {
    /// Such as `runc 1.1 or later`.
    fn versions(&self) -> String {
        let program = &self.program;
        match (&self.since, &self.until) {
            (Some(since), Some(until)) => format!("{program} {since} to {until}"),
            (Some(since), None) => format!("{program} {since} or later"),
            (None, Some(until)) => format!("{program} {until} or earlier"),
            (None, None) => program.clone(),
        }
    }
}

/// The signatures, ready to be held against lines.
pub(super) struct Signatures {
    errnos: Vec<(String, Regex)>,
    meanings: Vec<Meaning>,
    signatures: Vec<Signature>,
    needs: BTreeMap<usize, Regex>,
    /// Every pattern, with its signature's place.
    patterns: Vec<(usize, Regex)>,
    all: RegexSet,
    clues: Vec<(Clue, Regex)>,
    innocents: RegexSet,
    statuses: RegexSet,
    wordings: Vec<(Wording, Regex)>,
}

/// What a signature made of a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Match {
    /// The signature.
    pub(super) signature: &'static Signature,
    /// The errno that it tells of.
    pub(super) errno: Option<String>,
    /// What was captured, by name.
    pub(super) captured: BTreeMap<String, String>,
    /// The causes with their weights, which add up to 1 for a certain line, and to a little less for others.
    pub(super) causes: BTreeMap<&'static str, f64>,
    /// The versions that print it so, where the form tells: `runc 1.1 or later`.
    pub(super) versions: Vec<String>,
    /// Where in the line it begins, in bytes.
    pub(super) start: usize,
}

impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

// Text that was compiled in; a test holds that all of it compiles.
static SIGNATURES: LazyLock<Option<Signatures>> =
    LazyLock::new(|| toml::from_str(include_str!("../../rules/data/signatures.toml")).ok().and_then(|file| compile(file).ok()));

/// The signatures; none only if the data that was compiled in were broken.
pub(super) fn signatures() -> Option<&'static Signatures> {
    SIGNATURES.as_ref()
}

fn compile(file: File) -> Result<Signatures, regex::Error> {
    let any_errno = file.errnos.iter().flat_map(|errno| &errno.texts).cloned().collect::<Vec<_>>().join("|");
    let expand = |pattern: &str| {
        pattern
            .replace("{errno}", &format!("(?P<errno>{any_errno})"))
            .replace("{path}", r#"(?P<path>[^\s"'`:,;()\[\]{}<>|=]+)"#)
            .replace("{name}", r#"[^\s"'`:,;()\[\]{}<>|=]+"#)
            .replace("{q}", r#"(?:["'`]|‘|’|“|”)"#)
    };
    let build = |pattern: &str| RegexBuilder::new(&expand(pattern)).case_insensitive(true).unicode(false).build();
    let set = |patterns: &[String]| {
        let expanded = patterns.iter().map(|pattern| expand(pattern));
        RegexSetBuilder::new(expanded).case_insensitive(true).unicode(false).size_limit(SIZE_LIMIT).build()
    };
    let placed = file.signatures.iter().enumerate();
    let texts: Vec<(usize, String)> =
        placed.flat_map(|(place, signature)| signature.patterns.iter().map(move |pattern| (place, pattern.clone()))).collect();
    let all = set(&texts.iter().map(|(_, pattern)| pattern.clone()).collect::<Vec<_>>())?;
    let patterns = texts.iter().map(|(place, pattern)| Ok((*place, build(pattern)?))).collect::<Result<_, regex::Error>>()?;
    let needs = file.signatures.iter().enumerate().filter_map(|(place, signature)| Some((place, signature.needs.as_deref()?)));
    let needs = needs.map(|(place, pattern)| Ok((place, build(pattern)?))).collect::<Result<_, regex::Error>>()?;
    let errnos = file.errnos.iter().map(|errno| Ok((errno.name.clone(), build(&errno.texts.join("|"))?)));
    let errnos = errnos.collect::<Result<_, regex::Error>>()?;
    let clues = file.clues.into_iter().map(|clue| {
        let pattern = build(&clue.pattern)?;
        Ok((clue, pattern))
    });
    let clues = clues.collect::<Result<_, regex::Error>>()?;
    let any_of = |lines: Vec<Lines>| set(&lines.into_iter().flat_map(|lines| lines.patterns).collect::<Vec<_>>());
    let (innocents, statuses) = (any_of(file.innocents)?, any_of(file.statuses)?);
    let wordings = file.wordings.into_iter().map(|wording| {
        let pattern = build(&wording.pattern)?;
        Ok((wording, pattern))
    });
    let wordings = wordings.collect::<Result<_, regex::Error>>()?;
    let (meanings, signatures) = (file.meanings, file.signatures);
    Ok(Signatures { errnos, meanings, signatures, needs, patterns, all, clues, innocents, statuses, wordings })
}

impl Signatures {
    /// What a line tells; `whole` is all of the text, for those that need more than the line.
    pub(super) fn read(&'static self, line: &str, whole: &str) -> Option<Match> {
        let matching = self.all.matches(line.as_bytes());
        let patterns = matching.iter().filter_map(|place| self.patterns.get(place));
        let mut candidates = patterns.filter_map(|(place, pattern)| {
            let needed = self.needs.get(place).is_none_or(|needs| needs.is_match(whole.as_bytes()));
            let captures = pattern.captures(line.as_bytes()).filter(|_| needed)?;
            self.matched(self.signatures.get(*place)?, pattern, &captures)
        });
        let matched = candidates.next()?;
        let versions = self.versions(line, &matched.signature.id);
        Some(Match { versions, ..matched })
    }

    fn matched(&'static self, signature: &'static Signature, pattern: &Regex, captures: &Captures<'_>) -> Option<Match> {
        let captured: BTreeMap<String, String> = pattern
            .capture_names()
            .flatten()
            .filter_map(|name| Some((name.to_owned(), trimmed(captures.name(name)?.as_bytes()))))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        let told = captured.get("errno").and_then(|text| self.errno(text));
        let errno = told.or_else(|| signature.errno.clone());
        let causes = if signature.causes.is_empty() { self.meaning(signature, errno.as_deref()?)? } else { &signature.causes };
        let causes = causes.iter().map(|(cause, weight)| (cause.as_str(), weight / 100.0)).collect();
        let start = captures.get(0).map_or(0, |whole| whole.start());
        Some(Match { signature, errno, captured, causes, versions: Vec::new(), start })
    }

    /// Which versions print a line of this signature so.
    fn versions(&self, line: &str, signature: &str) -> Vec<String> {
        let is_of = |(wording, pattern): &&(Wording, Regex)| {
            wording.signature.as_deref().is_none_or(|id| id == signature) && pattern.is_match(line.as_bytes())
        };
        self.wordings.iter().filter(is_of).map(|(wording, _)| wording.versions()).collect()
    }

    fn errno(&self, text: &str) -> Option<String> {
        let named = self.errnos.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        named.or_else(|| self.errnos.iter().find(|(_, pattern)| pattern.is_match(text.as_bytes()))).map(|(name, _)| name.clone())
    }

    fn meaning(&'static self, signature: &Signature, errno: &str) -> Option<&'static BTreeMap<String, f64>> {
        let of = |stage: Option<&str>| {
            self.meanings
                .iter()
                .find(|meaning| meaning.errno == errno && meaning.stage.as_deref() == stage)
                .map(|meaning| &meaning.causes)
        };
        of(signature.stage.as_deref()).or_else(|| of(None))
    }

    /// The clues that this path gives.
    pub(super) fn path_clues(&self, path: &str) -> impl Iterator<Item = &Clue> {
        self.clues(Place::Path, path.to_owned())
    }

    /// The clues that the whole text gives.
    pub(super) fn text_clues(&self, text: &str) -> impl Iterator<Item = &Clue> {
        self.clues(Place::Text, text.to_owned())
    }

    fn clues(&self, on: Place, text: String) -> impl Iterator<Item = &Clue> {
        let applies = move |(clue, pattern): &&(Clue, Regex)| clue.on == on && pattern.is_match(text.as_bytes());
        self.clues.iter().filter(applies).map(|(clue, _)| clue)
    }

    /// Whether the line is of a program that runs, and fails by itself.
    pub(super) fn is_innocent(&self, line: &str) -> bool {
        self.innocents.is_match(line.as_bytes())
    }

    /// Whether the line says how a container is, in words that are not its program's own.
    pub(super) fn is_status(&self, line: &str) -> bool {
        self.statuses.is_match(line.as_bytes())
    }
}

/// A captured name without the typographic quotes around it, which are several bytes each and so in no class of a pattern.
fn trimmed(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_matches(|letter: char| letter.is_whitespace() || "‘’“”".contains(letter)).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{File, compile};
    use crate::triage::cause::causes;

    fn file() -> File {
        toml::from_str(include_str!("../../rules/data/signatures.toml")).unwrap()
    }

    #[test]
    fn every_pattern_compiles() {
        compile(file()).map(|_| ()).unwrap();
    }

    #[test]
    fn every_cause_that_is_named_has_its_row() {
        let known: BTreeSet<&str> = causes().iter().map(|cause| cause.name.as_str()).collect();
        let file = file();
        let weights = file.signatures.iter().map(|signature| &signature.causes);
        let weights = weights.chain(file.meanings.iter().map(|meaning| &meaning.causes));
        for name in weights.chain(file.clues.iter().map(|clue| &clue.factors)).flat_map(|causes| causes.keys()) {
            assert!(known.contains(name.as_str()), "{name} is not in rules/data/causes.toml");
        }
    }

    #[test]
    fn every_wording_has_a_bound_and_a_known_signature() {
        let file = file();
        let ids: BTreeSet<&str> = file.signatures.iter().map(|signature| signature.id.as_str()).collect();
        for wording in &file.wordings {
            assert!(wording.since.is_some() || wording.until.is_some(), "{}", wording.pattern);
            assert!(wording.signature.as_deref().is_none_or(|id| ids.contains(id)), "{}", wording.pattern);
        }
    }

    #[test]
    fn signatures_have_names_of_their_own_and_a_meaning() {
        let file = file();
        let ids: BTreeSet<&str> = file.signatures.iter().map(|signature| signature.id.as_str()).collect();
        assert_eq!(ids.len(), file.signatures.len());
        for signature in &file.signatures {
            assert!(!signature.causes.is_empty() || signature.stage.is_some(), "{} means nothing", signature.id);
        }
    }
}
