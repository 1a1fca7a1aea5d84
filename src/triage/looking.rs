//! What the image and the node say of the hypotheses that the text alone allows.

use crate::base::{Platform, escape};
use crate::exec::{Cause as ExecCause, Libc, Outcome, Trace};
use crate::finding::Finding;
use crate::format::content::Text;
use crate::format::kube::VolumeKind;

use super::cause::cause;
use super::observation::Observation;
use super::ranking::{Confidence, Found, Hypothesis, QUOTED};
use super::{Container, Diagnosis};

/// What one look into an image told, for one node.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The image, as it was asked for.
    pub image: String,
    /// The node.
    pub node: String,
    /// What the node's runtime says it is.
    pub node_platform: Platform,
    /// The platform that the image is labelled with.
    pub declared: Option<Platform>,
    /// The container whose command, arguments, environment and user were used.
    pub container: Option<String>,
    /// A file that the log names, where it is not what the container starts with.
    pub path: Option<String>,
    /// What was predicted; `None` where the index has no image for the node.
    pub trace: Option<Trace>,
    /// The line that runc would print, and crun's.
    pub messages: Vec<String>,
    /// What `check` says of it.
    pub finding: Option<Finding>,
}

/// Causes that no look into the image's own files can confirm or rule out.
const UNSEEN: &[&str] = &[
    "volume-hides-file",
    "corrupt-image-cache",
    "platform-mismatch",
    "security-policy",
    "file-capabilities",
    "text-file-busy",
    "argument-list-too-long",
    "disk-full",
    "noexec-mount",
    "emulator-broken",
    "kernel-too-old",
    "malformed-unit",
];

/// What explains that an image's file runs on the node, and a start of it failed there all the same.
const ELSEWHERE: &[&str] = &["platform-mismatch", "volume-hides-file", "corrupt-image-cache"];

impl Look {
    /// Whether the observation is about the file that was looked at.
    fn is_about(&self, observation: &Observation) -> bool {
        let same_container = match (&self.container, &observation.container) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        let Some(path) = observation.path() else { return same_container && self.path.is_none() };
        let is_named =
            |hop: &[u8]| hop == path.as_bytes() || hop.ends_with(format!("/{}", path.trim_start_matches("./")).as_bytes());
        let hops = self.trace.iter().flat_map(|trace| &trace.hops);
        let is_hop =
            hops.into_iter().any(|hop| is_named(&hop.path) || hop.found.as_ref().is_some_and(|found| is_named(found.as_bytes())));
        let is_library = self.messages.iter().any(|message| message.contains(path));
        same_container
            && (self.path.as_deref() == Some(path) || self.path.is_none() && (is_hop || is_library || self.trace.is_none()))
    }

    /// Whether the observation is what the prediction would print.
    fn agrees(&self, observation: &Observation, name: &str) -> bool {
        let errno = match self.trace.as_ref().map(|trace| &trace.outcome) {
            Some(Outcome::Fails { errno, .. }) => Some(errno.name()),
            _ => None,
        };
        let is_printed = self.messages.iter().any(|message| observation.text.contains(message.as_str()));
        let is_possible = observation.matched.causes.contains_key(name);
        is_printed || is_possible && (errno.is_none() || observation.matched.errno.as_deref() == errno)
    }

    fn predicted(&self) -> String {
        let path = self.path.as_deref().map(|path| format!("{} of ", escape(path))).unwrap_or_default();
        let place = format!("{path}{} on {}", escape(&self.image), escape(&self.node));
        match (self.messages.first(), self.trace.as_ref().map(|trace| &trace.outcome)) {
            (Some(message), _) => format!("looked at {place}: it would say `{}`", escape(message)),
            (None, Some(Outcome::Runs)) => format!("looked at {place}: it runs"),
            (None, Some(Outcome::Emulated { by })) => format!("looked at {place}: it runs under the emulator {}", escape(by)),
            (None, Some(outcome)) => format!("looked at {place}: {}", outcome.name()),
            (None, None) => format!("looked at {place}: the index has no image for it"),
        }
    }
}

impl Diagnosis {
    /// Holds the hypotheses against what looking told.
    pub fn hold_against(&mut self, looks: &[Look]) {
        self.looked_at = looks.first().map(|look| (look.image.clone(), look.node.clone()));
        for look in looks {
            match look.trace.as_ref().map(|trace| &trace.outcome) {
                None => self.fails_with("no-matching-manifest", look),
                Some(Outcome::Runs | Outcome::Emulated { .. }) => self.runs(look),
                Some(Outcome::Unsure { .. }) => self.note_unsure(look),
                Some(outcome) => {
                    if let Some(cause) = outcome.cause() {
                        self.fails_with(name_of(cause), look);
                    }
                }
            }
        }
        self.hold_against_mounts();
        self.hypotheses.sort_by(|a, b| b.confidence.cmp(&a.confidence).then(b.share.total_cmp(&a.share)));
    }

    /// The image fails on the node: because of this.
    fn fails_with(&mut self, name: &str, look: &Look) {
        let Some(cause) = cause(name) else { return };
        let about: Vec<Observation> = self.observations.iter().filter(|line| look.is_about(line)).cloned().collect();
        let agreeing: Vec<Observation> = about.iter().filter(|line| look.agrees(line, &cause.name)).cloned().collect();
        let is_confirmed = !agreeing.is_empty();
        if is_confirmed {
            self.rule_out(&cause.name, &agreeing, &look.predicted());
        }
        let hypothesis = self.hypothesis(&cause.name);
        let Some(hypothesis) = hypothesis else { return };
        hypothesis.confidence = if is_confirmed { Confidence::Confirmed } else { hypothesis.confidence.max(Confidence::Likely) };
        hypothesis.notes.push(look.predicted());
        if !is_confirmed && !about.is_empty() {
            hypothesis.notes.push("the log says something else: both can be so, one after the other".to_owned());
        }
        for line in agreeing.into_iter().take(QUOTED) {
            if !hypothesis.observations.contains(&line) {
                hypothesis.observations.push(line);
            }
        }
        if let Some(finding) = &look.finding {
            hypothesis.found = Some(Found { message: finding.message.clone(), fix: finding.fix.clone() });
        }
        if cause.name == "wrong-machine" {
            let is_labelled_rightly = look
                .declared
                .as_ref()
                .is_some_and(|declared| look.node_platform.covers(declared) || declared.covers(&look.node_platform));
            hypothesis.ways = vec![if is_labelled_rightly { "wrong-binary-in-image" } else { "other-architecture" }.to_owned()];
            let declared = look.declared.as_ref().filter(|_| !is_labelled_rightly);
            hypothesis.built_for = declared.map(|declared| declared.normalised().architecture);
        }
    }

    /// Every other cause of the same lines is none.
    fn rule_out(&mut self, name: &str, lines: &[Observation], because: &str) {
        for other in self.hypotheses.iter_mut().filter(|other| other.cause.name != name) {
            if !other.observations.is_empty() && other.observations.iter().all(|line| lines.contains(line)) {
                other.confidence = Confidence::Contradicted;
                other.notes.push(because.to_owned());
            }
        }
    }

    /// The image runs on the node: what the log tells of was not this file.
    fn runs(&mut self, look: &Look) {
        let about: Vec<Observation> = self.observations.iter().filter(|line| look.is_about(line)).cloned().collect();
        if about.is_empty() {
            return;
        }
        // What the node runs by itself needs no emulator.
        let is_native = matches!(look.trace.as_ref().map(|trace| &trace.outcome), Some(Outcome::Runs));
        let is_seen = |hypothesis: &&mut Hypothesis| {
            let name = hypothesis.cause.name.as_str();
            !UNSEEN.contains(&name) || is_native && name == "emulator-broken"
        };
        for hypothesis in self.hypotheses.iter_mut().filter(is_seen) {
            if hypothesis.observations.iter().any(|line| about.contains(line)) {
                hypothesis.confidence = Confidence::Contradicted;
                hypothesis.notes.push(format!("{}; what failed was not this file", look.predicted()));
            }
        }
        for name in ELSEWHERE {
            let Some(hypothesis) = self.hypothesis(name) else { continue };
            hypothesis.confidence = hypothesis.confidence.max(Confidence::Possible);
            hypothesis.notes.push(format!("{}; so something else was there when it failed", look.predicted()));
            if hypothesis.observations.is_empty() {
                hypothesis.observations.clone_from(&about);
            }
        }
    }

    fn note_unsure(&mut self, look: &Look) {
        for hypothesis in
            self.hypotheses.iter_mut().filter(|hypothesis| hypothesis.observations.iter().any(|line| look.is_about(line)))
        {
            hypothesis.notes.push(format!("{}, so that the image settles nothing", look.predicted()));
        }
    }

    /// A volume over the file that failed is a better explanation than the image's own file; where none is, it is no explanation.
    fn hold_against_mounts(&mut self) {
        let (mut covered, mut bare) = (Vec::new(), Vec::new());
        for line in &self.observations {
            let is_its = |of: &&Container| line.container.as_ref().is_none_or(|name| *name == of.name);
            let (Some(path), Some(container)) = (line.path(), self.subject.containers.iter().find(is_its)) else { continue };
            match covering(container, path) {
                Some(cover) => covered.push((line.clone(), cover, escape(path).to_string())),
                None if path.starts_with('/') || container.mounts.is_empty() => bare.push(line.clone()),
                None => {}
            }
        }
        for (line, cover, path) in covered {
            let is_denied = line.matched.errno.as_deref() == Some("EACCES") && cover.lacks_mode;
            let name = if is_denied { "not-executable" } else { "volume-hides-file" };
            let Some(hypothesis) = self.hypothesis(name) else { continue };
            hypothesis.confidence = hypothesis.confidence.max(Confidence::Likely);
            hypothesis.notes.push(cover.told);
            let Cover { volume, at, .. } = cover;
            hypothesis.found = Some(if is_denied {
                Found {
                    message: format!("{path} comes from the {volume}, whose files have no execute bit"),
                    fix: Some(format!("`defaultMode: 0755` where the pod's `volumes` name the {volume}")),
                }
            } else {
                Found {
                    message: format!("the {volume} is mounted at {at}, and hides or replaces the image's {path}"),
                    fix: Some(format!(
                        "mount the {volume} at a directory that the image does not use, or single files of it with `subPath`"
                    )),
                }
            });
            if !hypothesis.observations.contains(&line) {
                hypothesis.observations.push(line);
            }
        }
        for hypothesis in self.hypotheses.iter_mut().filter(|hypothesis| hypothesis.cause.name == "volume-hides-file") {
            let lines = &hypothesis.observations;
            let path = lines.iter().find_map(Observation::path).map(|path| escape(path).to_string());
            if let Some(path) = path.filter(|_| lines.iter().all(|line| bare.contains(line))) {
                hypothesis.confidence = Confidence::Contradicted;
                hypothesis.notes.push(format!("nothing is mounted over {path}"));
            }
        }
    }

    /// The hypothesis of this cause, made where the text alone did not lead to it.
    fn hypothesis(&mut self, name: &str) -> Option<&mut Hypothesis> {
        let cause = cause(name)?;
        if !self.hypotheses.iter().any(|hypothesis| hypothesis.cause == cause) {
            self.hypotheses.push(Hypothesis::new(cause, Confidence::Possible));
        }
        self.hypotheses.iter_mut().find(|hypothesis| hypothesis.cause == cause)
    }
}

/// A mount over a file.
struct Cover {
    /// A sentence.
    told: String,
    /// Such as `ConfigMap hooks`.
    volume: String,
    /// Where it is mounted.
    at: String,
    /// Whether its files lack the execute bit.
    lacks_mode: bool,
}

/// The mount that a path lies under.
fn covering(container: &Container, path: &str) -> Option<Cover> {
    let path = crate::base::GuestPath::from(path);
    let mount = container.mounts.iter().find(|mount| {
        let at = crate::base::GuestPath::from(mount.path.as_str());
        path == at || path.is_below(&at)
    })?;
    let kind = match mount.volume {
        VolumeKind::ConfigMap => "ConfigMap",
        VolumeKind::Secret => "Secret",
        VolumeKind::EmptyDir => "empty directory",
        VolumeKind::HostPath => "host's directory",
        VolumeKind::Other => "volume",
    };
    let mode = match mount.volume {
        VolumeKind::ConfigMap | VolumeKind::Secret => Some(mount.mode.unwrap_or(0o644)),
        _ => mount.mode,
    };
    let lacks_mode = mode.is_some_and(|mode| mode & 0o111 == 0);
    let told = mode.map(|mode| format!(", its files with mode {mode:04o}")).unwrap_or_default();
    let (volume, at) = (format!("{kind} {}", escape(&mount.name)), escape(&mount.path).to_string());
    Some(Cover { told: format!("the {volume} is mounted at {at}{told}"), volume, at, lacks_mode })
}

/// The name that `triage` has for a cause of the exec model.
fn name_of(cause: &ExecCause) -> &'static str {
    match cause {
        ExecCause::NoShebang(Text::ByteOrderMarkThenShebang) => "byte-order-mark",
        ExecCause::LoaderMissing { wants: Libc::Glibc, has: Some(Libc::Musl) }
        | ExecCause::LoaderMissing { wants: Libc::Musl, has: Some(Libc::Glibc) } => "wrong-libc",
        other => other.name(),
    }
}
