use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::{IgnoreEntry, Severity, sources::SOURCES};

/// One rule: a file of `rules/`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `EX101`.
    pub id: String,
    /// Reads as "allow wrong-machine".
    pub name: String,
    /// How bad it usually is.
    pub severity: Severity,
    /// The version that brought it.
    pub since: String,
    /// One line.
    pub summary: String,
    /// What happens and why; a paragraph or two.
    pub why: String,
    /// What to do.
    pub fix: String,
    /// The lines that people see and search for, verbatim.
    #[serde(default)]
    pub messages: Vec<String>,
    /// The causes ([`crate::exec::Cause::name`]) that this rule reports.
    #[serde(default)]
    pub causes: Vec<String>,
    /// One command that shows whether it is so.
    #[serde(default)]
    pub confirm: String,
    /// What it looks like before it is mended; empty where [`Rule::shown`] says it.
    #[serde(default)]
    pub before: String,
    /// And after.
    #[serde(default)]
    pub after: String,
    /// What these two are written in, as Markdown calls it; `dockerfile` where it is empty.
    #[serde(default)]
    pub language: String,
    /// When it is fine to ignore it.
    #[serde(default)]
    pub ignore: String,
    /// The checks of BuildKit that are about the same: `# check=skip=` of one of them silences this rule too.
    #[serde(default)]
    pub buildkit: Vec<String>,
    /// Addresses of specifications and discussions.
    #[serde(default)]
    pub references: Vec<String>,
    /// Cases that fire and cases that do not; they are the rule's tests.
    #[serde(default, rename = "example")]
    pub examples: Vec<Example>,
}

/// A case of a rule: an image, files for `lint`, or a log for `triage`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Example {
    /// What the case shows.
    pub name: String,
    /// Whether the rule fires.
    pub fires: bool,
    /// The image, in the language of `samples/` (see `samples/README.md`).
    pub image: Option<toml::Table>,
    /// Files that are linted together, by name; the finding is in the first that is named like a Dockerfile, or in any.
    pub files: BTreeMap<String, String>,
    /// What is ignored, for the rules about that.
    pub ignore: Vec<IgnoreEntry>,
    /// What someone saw; the rule fires where its cause is the likeliest.
    pub log: Option<String>,
}

impl Rule {
    /// What kind of thing it is about, by the hundred of its id.
    pub fn family(&self) -> &'static str {
        match self.id.as_bytes().get(2) {
            Some(b'0') => "policy",
            Some(b'1') => "execution",
            Some(b'2') => "image",
            Some(b'3') => "dockerfile",
            Some(b'4') => "kubernetes",
            _ => "triage",
        }
    }

    /// The file that its page shows as it is before, by name: the first of the first example that fires. `after` is the same file, mended.
    pub fn shown(&self) -> Option<(&str, &str)> {
        let (name, text) = self.examples.iter().find(|example| example.fires)?.files.first_key_value()?;
        Some((name, text))
    }

    /// The address of its page.
    pub fn url(&self) -> String {
        format!("{}/blob/main/docs/rules/{}.md", env!("CARGO_PKG_REPOSITORY"), self.id)
    }
}

// Text that was compiled in; a test holds that every file parses, so none is left out.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| SOURCES.iter().filter_map(|text| toml::from_str(text).ok()).collect());

/// All rules, by id.
pub fn catalogue() -> &'static [Rule] {
    &RULES
}

/// The rule with this id or name.
pub fn rule(id_or_name: &str) -> Option<&'static Rule> {
    catalogue().iter().find(|rule| rule.id.eq_ignore_ascii_case(id_or_name) || rule.name == id_or_name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Rule, SOURCES, catalogue};

    #[test]
    fn every_file_of_rules_parses_and_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
        let files = std::fs::read_dir(folder).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file()).count();
        assert_eq!(files, SOURCES.len());
        for text in SOURCES {
            toml::from_str::<Rule>(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        }
    }

    #[test]
    fn ids_ascend_and_names_are_unique() {
        assert!(catalogue().windows(2).all(|pair| pair[0].id < pair[1].id));
        let names: BTreeSet<_> = catalogue().iter().map(|rule| &rule.name).collect();
        assert_eq!(names.len(), catalogue().len());
    }

    /// The kebab-case names of `exec::Cause`'s variants.
    const CAUSES: &str = "archive bad-shebang bitcode carriage-return cpu dangling-link empty-file emulator-missing git-lfs-pointer \
        html interpreter-loop interpreter-missing is-directory java-class kernel-too-old library-broken library-missing library-other-abi library-version library-wrong-machine link-loop loader-broken loader-missing loader-other-abi \
        loader-wrong-machine mach-o malformed-elf missing name-too-long no-command no-compat no-shebang no-such-group \
        no-such-user noexec-mount not-a-directory not-a-file not-a-program not-executable not-in-path not-readable page-size pe program-missing search-denied truncated unknown-format wasm \
        working-directory wrong-machine";

    #[test]
    fn every_cause_belongs_to_exactly_one_rule() {
        let mut causes: Vec<&str> = catalogue().iter().flat_map(|rule| &rule.causes).map(String::as_str).collect();
        causes.sort_unstable();
        assert_eq!(causes, CAUSES.split_whitespace().collect::<Vec<_>>());
    }
}
