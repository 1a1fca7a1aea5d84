//! What places, images, outcomes and build steps are called, in every format. All of it is escaped: it may be printed as it is.

use crate::base::escape;
use crate::check::Verdict;
use crate::exec::{Cause, Doubt, Hop, Outcome, Trace};
use crate::finding::{Confidence, Finding, Locus};
use crate::image::{Fetched, Image, LayerSource};

use super::{ImageReport, Report, TargetReport};

/// What a table says of an image and a node that pulls another one.
pub(in crate::report) const NOT_PULLED: &str = "not pulled";

/// `1 image`, `2 images`.
pub(in crate::report) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// How much was read of an image of which only the start was looked at, and what was left out.
pub(in crate::report) fn fetched(fetched: &Fetched) -> String {
    let share = |size: u64| format!(" of {} ({:.1} %)", bytes(size), 100.0 * fetched.bytes as f64 / size.max(1) as f64);
    let size = fetched.size.map(share).unwrap_or_default();
    let mut said = vec![format!("{}{size} for the start alone", bytes(fetched.bytes))];
    said.extend(layers(&fetched.unread).map(|layers| format!("{layers} not looked into")));
    said.extend(layers(&fetched.by_table).map(|layers| format!("{layers} by their tables of contents, not verified as a whole")));
    said.push("other files not judged".to_owned());
    said.join("; ")
}

/// `layers 0, 1 and 2`; nothing where there are none.
fn layers(places: &[usize]) -> Option<String> {
    let (last, rest) = places.split_last()?;
    let rest: Vec<String> = rest.iter().map(ToString::to_string).collect();
    Some(if rest.is_empty() { format!("layer {last}") } else { format!("layers {} and {last}", rest.join(", ")) })
}

/// `97 B`, `12.5 KiB`, `3.1 MiB`.
fn bytes(count: u64) -> String {
    let mut shown = count as f64;
    for unit in ["B", "KiB", "MiB"] {
        if shown < 1024.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{shown:.1} {unit}") };
        }
        shown /= 1024.0;
    }
    format!("{shown:.1} GiB")
}

/// What tells an image from its siblings, for people: the digest is cut.
pub(in crate::report) fn label(image: &Image) -> String {
    let digest = || image.digest.as_ref().map(|digest| digest.short().to_owned());
    let kind = || match image.layers.first().map(|layer| &layer.source) {
        Some(LayerSource::Tree) => "root file system".to_owned(),
        Some(LayerSource::File) => "file".to_owned(),
        _ => "unknown platform".to_owned(),
    };
    let mut label = image.platform().map(ToString::to_string).or_else(digest).unwrap_or_else(kind);
    for name in &image.names {
        label.push_str(&format!(" {}", escape(name)));
    }
    label
}

/// How a start ends, in a few words: `ENOEXEC (wrong-machine)`.
pub(in crate::report) fn outcome(trace: &Trace) -> String {
    let (end, cause) = outcome_and_cause(trace);
    cause.map_or(end.clone(), |cause| format!("{end} ({cause})"))
}

/// The same in two: `ENOEXEC`, `wrong-machine`.
pub(in crate::report) fn outcome_and_cause(trace: &Trace) -> (String, Option<&'static str>) {
    match &trace.outcome {
        Outcome::Runs => ("runs".to_owned(), None),
        Outcome::Emulated { by } => (format!("emulated by {}", escape(by)), None),
        Outcome::Refused { cause } => ("refused".to_owned(), Some(cause.name())),
        Outcome::Fails { errno, cause } => (errno.name().to_owned(), Some(cause.name())),
        Outcome::Dies { signal, cause } => (signal_name(*signal), Some(cause.name())),
        Outcome::Exits { code, cause } => (format!("exits with {code}"), Some(cause.name())),
        Outcome::Unsure { because } => ("unsure".to_owned(), Some(because.name())),
    }
}

/// What ends a start, or makes it other than plain: `exec format error (ENOEXEC)`. Nothing where it runs.
pub(in crate::report) fn ending(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Runs => None,
        Outcome::Emulated { by } => Some(format!("runs under {}", escape(by))),
        Outcome::Refused { .. } => Some("refused".to_owned()),
        Outcome::Fails { errno, .. } => Some(format!("{} ({})", errno.text(), errno.name())),
        Outcome::Dies { signal, .. } => Some(format!("dies of {}", signal_name(*signal))),
        Outcome::Exits { code, .. } => Some(format!("exit code {code}")),
        Outcome::Unsure { .. } => Some("cannot tell".to_owned()),
    }
}

/// Where a hop's path leads, if elsewhere.
pub(in crate::report) fn leads_to(hop: &Hop, trace: &Trace) -> Option<String> {
    match (&hop.found, trace.outcome.cause()) {
        (Some(found), _) if found.as_bytes() != hop.path.as_slice() => Some(found.to_string()),
        (None, Some(Cause::DanglingLink(end))) => Some(end.to_string()),
        _ => None,
    }
}

/// What a hop is.
pub(in crate::report) fn what<'a>(hop: &'a Hop, trace: &Trace) -> &'a str {
    let nothing = match trace.outcome {
        Outcome::Unsure { because: Doubt::LayerUnread } => "not in the layers that could be read",
        Outcome::Unsure { because: Doubt::OnlyFile } => "not known",
        _ => "not found",
    };
    hop.what.as_deref().unwrap_or(nothing)
}

/// A signal's name, or its number (the same on all architectures of Linux but MIPS, whose SIGBUS is 10).
pub(in crate::report) fn signal_name(signal: u8) -> String {
    match signal {
        4 => "SIGILL".to_owned(),
        5 => "SIGTRAP".to_owned(),
        6 => "SIGABRT".to_owned(),
        7 => "SIGBUS".to_owned(),
        9 => "SIGKILL".to_owned(),
        11 => "SIGSEGV".to_owned(),
        other => format!("signal {other}"),
    }
}

/// A build step as its author wrote it, rather than as builders record it: Docker's old builder records
/// `/bin/sh -c #(nop) COPY …` and `/bin/sh -c make`, BuildKit `RUN /bin/sh -c make # buildkit`.
pub(in crate::report) fn build_step(created_by: &str) -> String {
    let step = created_by.trim();
    let step = step.strip_suffix("# buildkit").unwrap_or(step).trim_end();
    let step = match step.strip_prefix("/bin/sh -c #(nop)") {
        Some(instruction) => instruction.trim_start().to_owned(),
        None => match step.strip_prefix("/bin/sh -c ").or_else(|| step.strip_prefix("RUN /bin/sh -c ")) {
            Some(command) => format!("RUN {}", command.trim_start()),
            None => step.to_owned(),
        },
    };
    crate::base::escape(&step.split_whitespace().collect::<Vec<_>>().join(" ")).to_string()
}

/// The nodes that images of these targets were tried on, each once, in their order.
pub(in crate::report) fn nodes(targets: &[TargetReport]) -> Vec<String> {
    let mut nodes: Vec<String> = Vec::new();
    for verdict in targets.iter().flat_map(|target| &target.images).flat_map(|image| &image.verdicts) {
        let name = escape(&verdict.node.name).to_string();
        if !nodes.contains(&name) {
            nodes.push(name);
        }
    }
    nodes
}

/// The verdict on an image for a node of [`nodes`], if the node pulls the image.
pub(in crate::report) fn verdict<'a>(image: &'a ImageReport, node: &str) -> Option<&'a Verdict> {
    image.verdicts.iter().find(|verdict| verdict.selected && escape(&verdict.node.name).to_string() == node)
}

/// How an image ends on a node of [`nodes`], as a table's cell.
pub(in crate::report) fn cell(image: &ImageReport, node: &str) -> String {
    verdict(image, node).map_or_else(|| NOT_PULLED.to_owned(), |verdict| outcome(&verdict.trace))
}

/// `2 errors, 1 warning in 3 images; 1 target could not be looked at`
pub(in crate::report) fn sum(report: &Report) -> String {
    let counts = report.summary();
    let images: usize = report.targets.iter().map(|target| target.images.len()).sum();
    let unseen = report.targets.iter().filter(|target| target.error.is_some()).count();
    let counted = [(counts.errors, "error"), (counts.warnings, "warning"), (counts.infos, "note")];
    let parts: Vec<String> =
        counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| plural(count, name)).collect();
    let said = if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") };
    let seen = match (images, report.files.len()) {
        (0, 0) => said,
        (0, files) => format!("{said} in {}", plural(files, "file")),
        (images, _) => format!("{said} in {}", plural(images, "image")),
    };
    let held_back = [(report.ignored, "ignored"), (report.known, "known before")];
    let held_back = held_back.into_iter().filter(|(count, _)| *count > 0).map(|(count, how)| format!("{count} {how}"));
    let unseen = (unseen > 0).then(|| format!("{} could not be looked at", plural(unseen, "target")));
    let seen = (images > 0 || !report.files.is_empty() || !parts.is_empty() || unseen.is_none()).then_some(seen);
    seen.into_iter().chain(held_back).chain(unseen).collect::<Vec<_>>().join("; ")
}

/// `gone.tar could not be looked at: no such file or directory`
pub(in crate::report) fn could_not_look(target: &str, error: &str) -> String {
    let reason = error.strip_prefix(target).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(error);
    format!("{} could not be looked at: {}", escape(target), escape(reason))
}

/// A text of several lines as one.
pub(in crate::report) fn paragraph(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where a finding is, on one line: `app.tar (linux/arm64), layer 3: COPY app /app`, `Dockerfile:3:5`, `apps/Deployment prod/web`.
pub(in crate::report) fn place(locus: &Locus) -> String {
    let place = match locus {
        Locus::Text(place) => return format!("{}:{}:{}", escape(&place.file), place.line, place.column),
        Locus::Object(place) => {
            let namespace = place.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
            let text = format!("{} {namespace}{} {}", place.group_kind, place.name, place.pointer);
            return escape(text.trim_end()).to_string();
        }
        Locus::Guest(place) => place,
    };
    let mut text = place.target.clone();
    let told: Vec<&str> = place.image.iter().chain(&place.name).map(String::as_str).collect();
    if !told.is_empty() {
        text.push_str(&format!(" ({})", told.join(", ")));
    }
    if let Some(layer) = place.layer {
        text.push_str(&format!(", layer {layer}"));
    }
    if let Some(step) = place.step.as_deref().map(build_step).filter(|step| !step.is_empty()) {
        text.push_str(&format!(": {step}"));
    }
    escape(&text).to_string()
}

/// What stands below a finding's message: what proves it, how sure it is, what to do; a line each.
pub(in crate::report) fn details(found: &Finding) -> Vec<String> {
    let sure = match found.confidence {
        Confidence::High => None,
        Confidence::Medium => Some("likely, not certain".to_owned()),
        Confidence::Low => Some("a guess".to_owned()),
    };
    let help = found.fix.as_ref().map(|fix| format!("help: {}", escape(fix)));
    found.evidence.iter().map(|line| escape(line).to_string()).chain(sure).chain(help).collect()
}

#[cfg(test)]
mod tests {
    use super::build_step;

    #[test]
    fn steps_read_as_in_the_dockerfile() {
        for (recorded, written) in [
            ("COPY app /app # buildkit", "COPY app /app"),
            (
                "RUN /bin/sh -c apt-get update &&     apt-get install -y curl # buildkit",
                "RUN apt-get update && apt-get install -y curl",
            ),
            ("/bin/sh -c #(nop) COPY file:1d3f in / ", "COPY file:1d3f in /"),
            ("/bin/sh -c make", "RUN make"),
            ("umoci raw add-layer", "umoci raw add-layer"),
            ("COPY \u{1b}[2J", "COPY \\x1b[2J"),
        ] {
            assert_eq!(build_step(recorded), written);
        }
    }
}
