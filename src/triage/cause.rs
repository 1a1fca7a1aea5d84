use std::sync::LazyLock;

use serde::Deserialize;

use crate::finding::{Rule, rule};

/// What a crash can have as its cause: a row of `rules/data/causes.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// The exec model's name ([`crate::exec::Cause::name`]) where it has one.
    pub name: String,
    /// The exec model's names of close relatives, which go by this one.
    #[serde(default)]
    aliases: Vec<String>,
    /// The name of the rule whose page explains it.
    rule: String,
    /// How it comes about, where one name stands for several stories.
    #[serde(default)]
    pub ways: Vec<String>,
    /// One line; with places to fill in, as the other texts.
    pub(super) says: String,
    /// The command that tells whether it is this one.
    pub(super) settle: String,
    /// What makes it run again tonight.
    #[serde(default)]
    pub(super) now: Option<String>,
    /// What mends it for good.
    pub(super) fix: String,
}

impl Cause {
    /// The rule whose page explains it.
    pub fn rule(&self) -> Option<&'static Rule> {
        rule(&self.rule)
    }
}

#[derive(Default, Deserialize)]
struct File {
    #[serde(default, rename = "cause")]
    causes: Vec<Cause>,
}

// Text that was compiled in; a test holds that it parses.
static CAUSES: LazyLock<Vec<Cause>> = LazyLock::new(|| {
    toml::from_str::<File>(include_str!("../../rules/data/causes.toml")).map(|file| file.causes).unwrap_or_default()
});

/// Every cause that `triage` can name.
pub fn causes() -> &'static [Cause] {
    &CAUSES
}

/// The cause of this name, or of the exec model's.
pub(super) fn cause(name: &str) -> Option<&'static Cause> {
    causes().iter().find(|cause| cause.name == name || cause.aliases.iter().any(|alias| alias == name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{File, cause, causes};

    #[test]
    fn every_row_parses_and_has_its_rule() {
        toml::from_str::<File>(include_str!("../../rules/data/causes.toml")).map(|_| ()).unwrap();
        for cause in causes() {
            assert!(cause.rule().is_some(), "{} names rule `{}`, which does not exist", cause.name, cause.rule);
        }
    }

    #[test]
    fn every_cause_of_the_exec_model_has_its_row() {
        for name in crate::finding::catalogue().iter().flat_map(|rule| &rule.causes) {
            assert!(cause(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = causes().iter().map(|cause| cause.name.as_str()).collect();
        assert_eq!(names.len(), causes().len());
    }
}
