//! What C libraries and shells print in other languages, back in English (`rules/data/translations.toml`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Phrases {
    #[serde(default, rename = "phrase")]
    phrases: Vec<Phrase>,
}

#[derive(Deserialize)]
struct Phrase {
    english: String,
    others: Vec<String>,
}

struct Dictionary {
    english: BTreeMap<String, String>,
    any: Option<Regex>,
}

// Text that was compiled in; a test holds that it parses.
static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    let file: Phrases = toml::from_str(include_str!("../../../rules/data/translations.toml")).unwrap_or_default();
    let pairs = file.phrases.into_iter().flat_map(|phrase| {
        let english = phrase.english;
        phrase.others.into_iter().map(move |other| (other, english.clone()))
    });
    let english: BTreeMap<String, String> = pairs.collect();
    // Of two that begin alike the longer is meant.
    let mut others: Vec<String> = english.keys().map(|other| regex::escape(other)).collect();
    others.sort_by_key(|other| std::cmp::Reverse(other.len()));
    Dictionary { any: Regex::new(&others.join("|")).ok(), english }
});

/// The line with every phrase that is known in another language in English.
pub(super) fn to_english(line: &str) -> String {
    let dictionary = &*DICTIONARY;
    let Some(any) = &dictionary.any else { return line.to_owned() };
    let english = |found: &regex::Captures<'_>| {
        let phrase = found.get(0).map(|phrase| phrase.as_str()).unwrap_or_default();
        dictionary.english.get(phrase).cloned().unwrap_or_else(|| phrase.to_owned())
    };
    any.replace_all(line, english).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{DICTIONARY, to_english};

    #[test]
    fn the_dictionary_is_whole() {
        assert!(DICTIONARY.any.is_some());
        assert!(DICTIONARY.english.len() > 500, "{}", DICTIONARY.english.len());
        for (other, english) in &DICTIONARY.english {
            assert_eq!(&to_english(other), english);
        }
    }
}
