//! What someone chose to live with: where it is written, why, and for how long.

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::base::{Date, GuestPath, escape, matches};

use super::{Finding, Locus, Rule, TextLocus, rule};

/// A finding that someone chose to live with.
#[derive(Debug, Clone, PartialEq)]
pub struct Suppression {
    /// What is not to be reported.
    pub rule: &'static Rule,
    /// Where it is not to be reported.
    pub scope: Scope,
    /// Why; never empty.
    pub reason: String,
    /// The last day on which it holds; for good where there is none.
    pub expires: Option<Date>,
    /// Where it is written, which is where it is reported when it is of no use.
    pub written: TextLocus,
}

/// Where a suppression holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// In the targets, files or objects whose name matches, at the paths that match; see [`matches`]. Anywhere where neither is said.
    Matching {
        /// A target as it was named, a text file, or an object's `namespace/name`.
        target: Option<String>,
        /// A path inside the image.
        path: Option<String>,
    },
    /// In these lines of the file that it is written in.
    Lines(RangeInclusive<usize>),
    /// In one Kubernetes object.
    Object {
        /// As in [`super::ObjectLocus`].
        group_kind: String,
        /// As in [`super::ObjectLocus`].
        namespace: Option<String>,
        /// As in [`super::ObjectLocus`].
        name: String,
    },
}

impl Suppression {
    /// Whether this finding is what it is about, whatever the day.
    pub fn covers(&self, finding: &Finding) -> bool {
        self.rule.id == finding.rule.id && self.scope.holds(&finding.locus, &self.written.file)
    }

    /// Whether its last day is over.
    pub fn is_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }
}

impl Scope {
    fn holds(&self, locus: &Locus, file: &str) -> bool {
        let fits =
            |pattern: &Option<String>, text: &str| pattern.as_ref().is_none_or(|pattern| matches(pattern, text.as_bytes()));
        match (self, locus) {
            (Self::Matching { target, path }, Locus::Guest(place)) => {
                let here = place.path.as_ref().map(GuestPath::as_bytes).unwrap_or_default();
                let names = std::iter::once(&place.target).chain(&place.name);
                target.as_ref().is_none_or(|target| names.into_iter().any(|name| matches(target, name.as_bytes())))
                    && path.as_ref().is_none_or(|path| matches(path, here))
            }
            (Self::Matching { target, path }, Locus::Text(place)) => path.is_none() && fits(target, &place.file),
            (Self::Matching { target, path }, Locus::Object(place)) => {
                let name = format!("{}/{}", place.namespace.as_deref().unwrap_or("default"), place.name);
                path.is_none() && fits(target, &name)
            }
            (Self::Lines(lines), Locus::Text(place)) => place.file == file && lines.contains(&place.line),
            (Self::Object { group_kind, namespace, name }, Locus::Object(place)) => {
                (group_kind, namespace, name) == (&place.group_kind, &place.namespace, &place.name)
            }
            _ => false,
        }
    }
}

/// An entry of a configuration file's `[[ignore]]`, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IgnoreEntry {
    /// A rule's id or name.
    pub rule: String,
    /// Which targets; see [`Scope::Matching`].
    #[serde(default, alias = "target")]
    pub image: Option<String>,
    /// Which paths.
    #[serde(default)]
    pub path: Option<String>,
    /// Why.
    pub reason: String,
    /// Until when: `2027-01-31`, or the same as a text.
    #[serde(default, deserialize_with = "day")]
    pub expires: Option<String>,
}

/// A day as TOML writes it, or as a text.
fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Day {
        Written(toml::value::Datetime),
        Text(String),
    }
    Ok(Some(match Day::deserialize(deserializer)? {
        Day::Written(day) => day.to_string(),
        Day::Text(text) => text,
    }))
}

impl IgnoreEntry {
    /// What it asks, if it makes sense; else what is wrong with it.
    ///
    /// # Errors
    /// There is no such rule, no reason, or the day is none.
    pub fn suppression(&self, written: TextLocus) -> Result<Suppression, String> {
        let rule = known(&self.rule)?;
        let expires =
            self.expires.as_deref().map(str::parse).transpose().map_err(|error: crate::base::DateError| error.to_string())?;
        let scope = Scope::Matching { target: self.image.clone(), path: self.path.clone() };
        Ok(Suppression { rule, scope, reason: reason(&self.reason)?, expires, written })
    }
}

/// What a comment or an annotation asks to live with.
#[derive(Debug, Clone, PartialEq)]
pub struct InlineIgnore {
    /// What is not to be reported.
    pub rules: Vec<&'static Rule>,
    /// Why; never empty.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<Date>,
}

impl InlineIgnore {
    /// Reads the text of a comment, without its `#`: `enoexec: ignore[EX301, EX302] the reason, until 2027-01-31`. `None` where the comment is about
    /// something else; an error, with what is wrong, where it means to ignore something and does not say what or why.
    pub fn parse(comment: &str) -> Option<Result<Self, String>> {
        let asked = comment.trim().strip_prefix("enoexec:")?.trim_start();
        let Some((rules, why)) = asked.strip_prefix("ignore[").and_then(|rest| rest.split_once(']')) else {
            return Some(Err("expected `enoexec: ignore[RULE] reason`".to_owned()));
        };
        Some(Self::new(rules, why))
    }

    /// Reads the value of an annotation `enoexec.dev/ignore`: `EX402: the reason, until 2027-01-31`.
    ///
    /// # Errors
    /// It does not say what or why.
    pub fn annotation(value: &str) -> Result<Self, String> {
        let (rules, why) = value.split_once(':').ok_or("expected `RULE: reason`")?;
        Self::new(rules, why)
    }

    fn new(rules: &str, why: &str) -> Result<Self, String> {
        let rules = rules.split(',').map(|name| known(name.trim())).collect::<Result<_, _>>()?;
        let (why, expires) = match why.rsplit_once("until ").map(|(why, day)| (why, day.trim().parse::<Date>())) {
            Some((why, Ok(day))) => (why.trim_end().trim_end_matches([',', ';']), Some(day)),
            _ => (why, None),
        };
        Ok(Self { rules, reason: reason(why)?, expires })
    }

    /// The same as suppressions, one for each rule.
    pub fn over(self, scope: &Scope, written: &TextLocus) -> Vec<Suppression> {
        let Self { rules, reason, expires } = self;
        let each = |rule| Suppression { rule, scope: scope.clone(), reason: reason.clone(), expires, written: written.clone() };
        rules.into_iter().map(each).collect()
    }
}

fn known(name: &str) -> Result<&'static Rule, String> {
    rule(name).ok_or_else(|| format!("there is no rule `{}`; `enoexec rules` lists them", escape(name)))
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim().trim_start_matches([':', '-', '–', '—']).trim();
    if text.is_empty() { Err("the reason is missing: say why this is fine".to_owned()) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::{InlineIgnore, Scope};
    use crate::finding::{GuestLocus, Locus, TextLocus};

    fn read(comment: &str) -> InlineIgnore {
        InlineIgnore::parse(comment).unwrap().unwrap()
    }

    #[test]
    fn a_comment_says_what_why_and_until_when() {
        let read = read(" enoexec: ignore[EX101,wrong-libc] the vendor ships amd64 only, until 2027-01-31");
        assert_eq!(read.rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["EX101", "EX113"]);
        assert_eq!(read.reason, "the vendor ships amd64 only");
        assert_eq!(read.expires.unwrap().to_string(), "2027-01-31");
        assert_eq!(InlineIgnore::annotation("EX101: wait until they answer").unwrap().reason, "wait until they answer");
        assert!(InlineIgnore::parse("hadolint ignore=DL3006").is_none());
        for wrong in
            ["enoexec: ignore", "enoexec: ignore[EX101]", "enoexec: ignore[EX999] so", "enoexec: ignore[EX101] until 2027-01-31"]
        {
            assert!(InlineIgnore::parse(wrong).unwrap().is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_scope_holds_in_its_own_places_only() {
        let image = |target: &str, path: &str| {
            Locus::Guest(GuestLocus { target: target.into(), path: Some(path.into()), ..GuestLocus::default() })
        };
        let text = |file: &str, line| Locus::Text(TextLocus { file: file.into(), line, ..TextLocus::default() });
        let matching = Scope::Matching { target: Some("docker://shop/*".into()), path: Some("/opt/**".into()) };
        assert!(matching.holds(&image("docker://shop/api", "/opt/a/b"), ""));
        assert!(!matching.holds(&image("docker://shop/api/x", "/opt/a"), ""), "`*` stays in its component");
        assert!(!matching.holds(&image("docker://shop/api", "/usr/bin/a"), ""));
        assert!(!matching.holds(&text("docker://shop/api", 1), ""), "a text has no paths");
        assert!(Scope::Matching { target: None, path: None }.holds(&text("Dockerfile", 1), ""));
        assert!(Scope::Lines(3..=4).holds(&text("Dockerfile", 4), "Dockerfile"));
        assert!(!Scope::Lines(3..=4).holds(&text("Dockerfile", 5), "Dockerfile"));
        assert!(!Scope::Lines(3..=4).holds(&text("other", 4), "Dockerfile"));
    }
}
