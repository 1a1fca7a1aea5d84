//! From symptoms (a log, an event, a pod's state) to ranked causes. No I/O: what the image and the node say is handed in.

mod cause;
mod kubernetes;
mod looking;
mod observation;
mod ranking;
mod signatures;
mod subject;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;

pub use cause::{Cause, causes};
pub use kubernetes::{of_pod, subjects};
pub use looking::Look;
pub use observation::Observation;
pub use ranking::{Confidence, Found, Hypothesis};
pub use subject::{Container, Mount, State, Subject, Symptom};
pub use words::Words;

/// What is known of a crash.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diagnosis {
    /// What crashed.
    pub subject: Subject,
    /// The lines that tell of a failed start, in their order.
    pub observations: Vec<Observation>,
    /// What can have caused them, the likeliest first; nothing where they are of no failed start.
    pub hypotheses: Vec<Hypothesis>,
    /// The image and the node that were looked at first, for the commands that are proposed.
    pub looked_at: Option<(String, String)>,
}

/// What the subject's symptoms allow, by themselves.
pub fn diagnose(subject: Subject) -> Diagnosis {
    let Some(signatures) = signatures::signatures() else { return Diagnosis { subject, ..Diagnosis::default() } };
    let observed = observation::observe(&subject, signatures);
    let hypotheses = ranking::rank(&observed, signatures);
    Diagnosis { subject, observations: observed.observations, hypotheses, looked_at: None }
}

impl Diagnosis {
    /// The files that the lines are about, where they are named from the root, with the container that each was seen in.
    pub fn paths(&self) -> BTreeSet<(Option<&str>, &str)> {
        let named = self.observations.iter().filter_map(|line| Some((line.container.as_deref(), line.path()?)));
        named.filter(|(_, path)| path.starts_with('/')).collect()
    }

    /// What is said of one of its hypotheses.
    pub fn words(&self, hypothesis: &Hypothesis) -> Words {
        Words::new(hypothesis, self)
    }
}
