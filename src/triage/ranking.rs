//! From observations to causes, the likeliest first.

use std::collections::BTreeMap;

use super::cause::{Cause, cause};
use super::observation::{Observation, Observed};
use super::signatures::{Clue, Signature, Signatures};

/// How much a line counts that names its cause itself, beside one that does not.
const SAID: f64 = 1.5;

/// How much a line counts that is also seen where nothing was wrong with the program.
const WEAK: f64 = 0.4;

/// Causes with a smaller share are not worth a line.
const LEAST: f64 = 0.005;

/// How many lines are quoted for a cause.
pub(super) const QUOTED: usize = 4;

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The image, or the node, says otherwise.
    Contradicted,
    /// One of several that the text allows.
    Possible,
    /// More likely than all others together.
    Likely,
    /// The text itself names it, or the image fails on the node exactly as the log says.
    Confirmed,
}

impl Confidence {
    /// `confirmed`, `likely`, `possible` or `contradicted`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Likely => "likely",
            Self::Possible => "possible",
            Self::Contradicted => "contradicted",
        }
    }
}

/// A cause that the symptoms allow, and how much speaks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// The cause.
    pub cause: &'static Cause,
    /// How sure.
    pub confidence: Confidence,
    /// Its part of all that speaks for any cause, 0 to 1.
    pub share: f64,
    /// The lines that speak for it, the strongest first.
    pub observations: Vec<Observation>,
    /// What else makes it likely or unlikely, a line each.
    pub notes: Vec<String>,
    /// Which of its ways it is, where that is known.
    pub ways: Vec<String>,
    /// In the place of the cause's own words, where an image was looked at: what is wrong, and what mends it.
    pub found: Option<Found>,
    /// The architecture that the image is for, as Kubernetes names it, where that is known.
    pub built_for: Option<String>,
}

/// What looking into an image told of a cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// One line: what is wrong.
    pub message: String,
    /// What mends it.
    pub fix: Option<String>,
}

impl Hypothesis {
    /// One without lines.
    pub(super) fn new(cause: &'static Cause, confidence: Confidence) -> Self {
        let ways = cause.ways.clone();
        Self { cause, confidence, share: 0.0, observations: Vec::new(), notes: Vec::new(), ways, found: None, built_for: None }
    }
}

/// What speaks for one cause.
#[derive(Default)]
struct Tally<'a> {
    weight: f64,
    is_said: bool,
    /// Whether some line speaks for it that counts also where more is told.
    has_words: bool,
    lines: Vec<(f64, &'a Observation)>,
    notes: Vec<String>,
}

/// Ranks every cause that the observations allow.
pub(super) fn rank(observed: &Observed, signatures: &Signatures) -> Vec<Hypothesis> {
    let text_clues: Vec<&Clue> = signatures.text_clues(&observed.whole).collect();
    let crowd = Crowd::of(&observed.observations);
    let mut tallies: BTreeMap<&str, Tally<'_>> = BTreeMap::new();
    for observation in &observed.observations {
        let path_clues = observation.path().map(|path| signatures.path_clues(path).collect()).unwrap_or_else(Vec::new);
        let clues: Vec<&Clue> = path_clues.into_iter().chain(text_clues.iter().copied()).collect();
        let strength = crowd.strength(observation.matched.signature);
        for (name, weight) in weighed(observation, &clues) {
            let tally = tallies.entry(name).or_default();
            tally.weight += weight * strength;
            tally.is_said |= observation.matched.signature.says && weight > 0.5;
            tally.has_words |= !observation.matched.signature.alone;
            tally.lines.push((weight, observation));
            tally.notes.extend(clues.iter().filter(|clue| favours(clue, name)).map(|clue| clue.note.clone()));
        }
    }
    let total: f64 = tallies.values().map(|tally| tally.weight).sum();
    let mut ranked: Vec<Hypothesis> =
        tallies.into_iter().filter_map(|(name, tally)| hypothesis(cause(name)?, tally, total)).collect();
    ranked.sort_by(|a, b| b.share.total_cmp(&a.share));
    ranked
}

/// The weights of a line's causes, with the clues brought to bear, adding up to 1.
fn weighed<'a>(observation: &'a Observation, clues: &[&Clue]) -> Vec<(&'a str, f64)> {
    let factor = |name: &str| clues.iter().filter_map(|clue| clue.factors.get(name)).product::<f64>();
    let weights: Vec<(&str, f64)> =
        observation.matched.causes.iter().map(|(name, weight)| (*name, weight * factor(name))).collect();
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    weights.into_iter().map(|(name, weight)| (name, weight / total.max(f64::MIN_POSITIVE))).collect()
}

/// The lines among which each of them counts.
struct Crowd<'a> {
    /// How many there are of each form, by its name.
    alike: BTreeMap<&'a str, u32>,
    /// Whether some line is more than weak.
    has_strong: bool,
}

impl<'a> Crowd<'a> {
    fn of(all: &'a [Observation]) -> Self {
        let mut crowd = Self { alike: BTreeMap::new(), has_strong: false };
        for signature in all.iter().map(|observation| observation.matched.signature) {
            let alike = crowd.alike.entry(&signature.id).or_default();
            *alike = alike.saturating_add(1);
            crowd.has_strong |= !signature.weak;
        }
        crowd
    }

    /// How much a line counts: lines of one form share the weight of one.
    fn strength(&self, signature: &Signature) -> f64 {
        let alike = self.alike.get(signature.id.as_str()).copied().unwrap_or(1);
        let own = match (signature.says, signature.weak) {
            (true, _) => SAID,
            (_, true) if self.has_strong => WEAK,
            _ => 1.0,
        };
        own / f64::from(alike)
    }
}

fn favours(clue: &Clue, name: &str) -> bool {
    clue.factors.get(name).is_some_and(|factor| *factor > 1.0)
}

fn hypothesis(cause: &'static Cause, mut tally: Tally<'_>, total: f64) -> Option<Hypothesis> {
    let share = tally.weight / total.max(f64::MIN_POSITIVE);
    if share < LEAST {
        return None;
    }
    tally.lines.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    tally.notes.sort_unstable();
    tally.notes.dedup();
    let confidence = match share {
        _ if tally.is_said => Confidence::Confirmed,
        share if share > 0.5 && tally.has_words => Confidence::Likely,
        _ => Confidence::Possible,
    };
    let observations = tally.lines.into_iter().take(QUOTED).map(|(_, observation)| observation.clone()).collect();
    Some(Hypothesis { share, observations, notes: tally.notes, ..Hypothesis::new(cause, confidence) })
}
