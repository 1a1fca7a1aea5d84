//! One line for each image: how it starts.

use anstyle::Style;

use crate::base::escape;
use crate::check::Verdict;
use crate::check::doubt;
use crate::exec::{Outcome, Trace};
use crate::finding::{Finding, Severity};
use crate::report::words::{self, label, plural, signal_name};
use crate::report::{ImageReport, TargetReport};

use super::style::{BOLD, DIM, ERROR, HELP, INFO, WARNING, columns, padded};
use super::{HumanOptions, story};

/// How an image does, and why.
struct Status {
    word: &'static str,
    style: Style,
    text: String,
    story: Vec<String>,
}

/// The lines of all images of a target. Of an image that stands alone and starts badly, the findings have said all.
pub(super) fn lines(target: &TargetReport, findings: &[&Finding], options: HumanOptions) -> Vec<String> {
    let statuses: Vec<(String, Status)> = target
        .images
        .iter()
        .flat_map(|image| of_image(image, findings, options).into_iter().map(|status| (label(&image.image), status)))
        .collect();
    let tells = |found: &&Finding| found.severity >= Severity::Warning || found.rule.name == "cannot-tell";
    let is_told = target.images.len() == 1 && findings.iter().copied().any(|found| tells(&found));
    let word_column = statuses.iter().map(|(_, status)| columns(status.word)).max().unwrap_or(0);
    let label_column = statuses.iter().map(|(label, _)| columns(label)).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (label, status) in statuses.iter().filter(|(_, status)| !is_told || !["fails", "dies", "unsure"].contains(&status.word)) {
        let Status { word, style, text, story } = status;
        let word = padded(word, word_column);
        lines.push(format!("{style}{word}{style:#}  {}  {}  {text}", escape(&target.target), padded(label, label_column)));
        lines.extend(story::in_gutter(story));
    }
    let fetched = target.images.iter().filter_map(|image| Some((image, image.fetched.as_ref()?)));
    lines.extend(fetched.map(|(image, fetched)| {
        let (target, label) = (escape(&target.target), label(&image.image));
        format!("{DIM}{target}  {label}  read {}{DIM:#}", words::fetched(fetched))
    }));
    lines
}

fn of_image(image: &ImageReport, findings: &[&Finding], options: HumanOptions) -> Vec<Status> {
    let selected: Vec<&Verdict> = image.verdicts.iter().filter(|verdict| verdict.selected).collect();
    if selected.is_empty() {
        return not_started(image, options).into_iter().collect();
    }
    let mut groups: Vec<(&Verdict, Vec<&Verdict>)> = Vec::new();
    for verdict in selected {
        match groups.iter_mut().find(|(first, _)| first.trace == verdict.trace) {
            Some((_, members)) => members.push(verdict),
            None => groups.push((verdict, vec![verdict])),
        }
    }
    groups.iter().map(|(first, members)| started(image, first, members, findings, options)).collect()
}

fn not_started(image: &ImageReport, options: HumanOptions) -> Option<Status> {
    if image.image.identity().is_none() || image.launch.is_some() || !image.machines.is_empty() {
        let text = "neither its documents nor its files tell which platform it is for: name one with --node".to_owned();
        return Some(Status { word: "unsure", style: INFO, text, story: Vec::new() });
    }
    let text = "no node pulls this image".to_owned();
    options.verbose.then_some(Status { word: "not pulled", style: DIM, text, story: Vec::new() })
}

fn started(image: &ImageReport, verdict: &Verdict, members: &[&Verdict], findings: &[&Finding], options: HumanOptions) -> Status {
    let nodes = members.iter().map(|verdict| escape(&verdict.node.name).to_string()).collect::<Vec<_>>().join(", ");
    let program = program(image, &verdict.trace);
    let is_clean = !findings.iter().any(|found| found.severity >= Severity::Warning && is_of(found, image));
    let (word, style) = match verdict.trace.outcome {
        Outcome::Runs if is_clean => ("ok", HELP),
        Outcome::Runs => ("runs", WARNING),
        Outcome::Emulated { .. } => ("emulated", WARNING),
        Outcome::Dies { .. } | Outcome::Exits { .. } => ("dies", ERROR),
        Outcome::Refused { .. } | Outcome::Fails { .. } => ("fails", ERROR),
        Outcome::Unsure { .. } => ("unsure", INFO),
    };
    let text = match &verdict.trace.outcome {
        Outcome::Runs => {
            let census = Some(census(image)).filter(|census| !census.is_empty());
            let census = census.map(|census| format!(" {DIM}({census}){DIM:#}")).unwrap_or_default();
            let unfollowed = if verdict.trace.unfollowed.is_some() { ", as far as it can be followed" } else { "" };
            format!("{program} runs on {nodes}{unfollowed}{census}")
        }
        Outcome::Emulated { by } => format!("{program} runs on {nodes} under {}", escape(by)),
        Outcome::Dies { signal, .. } => format!("{program} dies of {} on {nodes}", signal_name(*signal)),
        Outcome::Unsure { because } => format!("cannot tell whether {program} starts on {nodes}: {}", doubt(because)),
        Outcome::Refused { .. } | Outcome::Fails { .. } | Outcome::Exits { .. } => {
            let message = verdict.message.as_ref().and_then(|message| message.lines().next());
            let message = message.map(|message| escape(message).to_string());
            format!("on {nodes}: {BOLD}{}{BOLD:#}", message.unwrap_or_else(|| format!("{program} fails")))
        }
    };
    // Whatever ends otherwise has a finding that tells its story.
    let has_story = options.verbose && verdict.trace.outcome == Outcome::Runs;
    let width = options.columns().saturating_sub(5);
    let story = if has_story { story::story(&image.image, &verdict.trace, width) } else { Vec::new() };
    Status { word, style, text, story }
}

fn is_of(found: &Finding, image: &ImageReport) -> bool {
    found.locus.guest().is_some_and(|place| place.is_of(&image.image))
}

fn program(image: &ImageReport, trace: &Trace) -> String {
    let word = image.launch.as_ref().and_then(|launch| launch.argv.first());
    let path = trace.hops.first().map(|hop| &hop.path).or(word);
    path.map_or_else(|| "the command".to_owned(), |path| escape(path).to_string())
}

/// `12 aarch64 programs in 4 layers`
fn census(image: &ImageReport) -> String {
    let mut machines: Vec<(&str, usize)> = Vec::new();
    for count in image.machines.iter().filter(|count| count.executables > 0) {
        match machines.iter_mut().find(|(machine, _)| *machine == count.machine) {
            Some((_, programs)) => *programs = programs.saturating_add(count.executables),
            None => machines.push((&count.machine, count.executables)),
        }
    }
    machines.sort_by_key(|(machine, programs)| (std::cmp::Reverse(*programs), *machine));
    let counted: Vec<String> =
        machines.iter().take(2).map(|(machine, count)| plural(*count, &format!("{machine} program"))).collect();
    let layers = Some(plural(image.image.layers.len(), "layer")).filter(|_| !image.image.is_bare());
    let counted = Some(counted.join(" and ")).filter(|counted| !counted.is_empty());
    let told: Vec<String> = counted.into_iter().chain(layers).collect();
    told.join(" in ")
}
