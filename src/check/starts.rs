//! Findings of how a container's start ends.

use crate::base::{GuestPath, escape};
use crate::exec::{Cause, Doubt, Hop, Outcome, Trace, Voice};
use crate::finding::{Confidence, Finding, Severity};
use crate::image::{EntryKind, Found};

use super::causes::{Subject, doubt, remedy, rule_name, sentence};
use super::{Case, Verdict, finding};

/// One finding for each way in which the start ends badly, naming all nodes on which it does.
pub(super) fn judge_starts(case: &Case<'_>) -> Vec<Finding> {
    let mut groups: Vec<(&Verdict, Vec<&Verdict>)> = Vec::new();
    for verdict in case.verdicts.iter().filter(|verdict| verdict.selected) {
        match groups.iter_mut().find(|(first, _)| first.trace == verdict.trace) {
            Some((_, members)) => members.push(verdict),
            None => groups.push((verdict, vec![verdict])),
        }
    }
    if let (true, Some(Err(error))) = (groups.is_empty(), &case.launch) {
        let trace = Trace::unsure(Doubt::NoConfig);
        return broken(case, &trace, &error.cause, &[]).into_iter().collect();
    }
    groups.iter().filter_map(|(first, members)| judge_trace(case, &first.trace, members)).collect()
}

fn judge_trace(case: &Case<'_>, trace: &Trace, members: &[&Verdict]) -> Option<Finding> {
    match &trace.outcome {
        Outcome::Runs => {
            let why = trace.unfollowed?;
            let message = format!("{} starts, but not every way that it may take can be followed: {why}", subject_path(trace));
            place(case, trace, members, "cannot-tell", message)
        }
        Outcome::Refused { cause }
        | Outcome::Fails { cause, .. }
        | Outcome::Dies { cause, .. }
        | Outcome::Exits { cause, .. } => broken(case, trace, cause, members),
        Outcome::Emulated { by } => {
            let about = subject_path(trace);
            let message =
                format!("{about} runs on {} under the emulator {}, slowly and not in every detail", names(members), escape(by));
            place(case, trace, members, "emulated", message)
        }
        Outcome::Unsure { because: because @ Doubt::Truncated { .. } } => {
            let message = format!("{}: {}", subject_path(trace), doubt(because));
            let found = place(case, trace, members, "truncated", message)?;
            Some(Finding { confidence: Confidence::Medium, ..found })
        }
        Outcome::Unsure { because } => {
            let message = format!("cannot tell whether {} starts: {}", subject_path(trace), doubt(because));
            let mut found = place(case, trace, members, "cannot-tell", message)?;
            if *because == Doubt::LayerUnread {
                found.severity = Severity::Warning;
            }
            Some(found)
        }
    }
}

fn broken(case: &Case<'_>, trace: &Trace, cause: &Cause, members: &[&Verdict]) -> Option<Finding> {
    let nodes = names(members);
    let platform = members.iter().map(|verdict| verdict.node.platform.to_string()).collect::<Vec<_>>().join(",");
    let about = Subject::new(trace, &nodes, &platform);
    let mut found = place(case, trace, members, rule_name(cause), sentence(cause, &about))?;
    found.fix = lies_elsewhere(case, trace, cause).or_else(|| remedy(cause, &about)).or(found.fix);
    Some(found)
}

/// What to do where the image has a program of the name that was looked for, but not there.
fn lies_elsewhere(case: &Case<'_>, trace: &Trace, cause: &Cause) -> Option<String> {
    let sought = match cause {
        Cause::NotInPath { name, passed_over: None, .. } => GuestPath::new(name),
        Cause::Missing => trace.hops.last().map(|hop| GuestPath::new(&hop.path))?,
        _ => return None,
    };
    let is_file = |found: &Found<'_>| matches!(found.entry.kind, EntryKind::File { .. } | EntryKind::Unread { .. });
    let is_program = |found: &Found<'_>| is_file(found) && found.entry.mode & 0o111 != 0;
    let found = case.rootfs.iter().find(|found| found.path.name() == sought.name() && is_program(found))?.path;
    Some(match cause {
        Cause::Missing => format!("the image has {found}: name that, or copy the file to where it is looked for"),
        _ => {
            let folder = found.parent().unwrap_or_else(GuestPath::root);
            format!("the image has {found}: put its directory on PATH (`ENV PATH={folder}:$PATH`), or name the whole path")
        }
    })
}

fn place(case: &Case<'_>, trace: &Trace, members: &[&Verdict], rule: &str, message: String) -> Option<Finding> {
    let deciding = trace.deciding();
    let mut locus = case.place_in_layer(deciding.and_then(|hop| hop.layer));
    locus.path = deciding.map(Hop::place);
    locus.node = Some(names(members)).filter(|names| !names.is_empty());
    let mut found = finding(rule, locus, message)?;
    found.evidence = evidence(case, trace, members);
    Some(found)
}

fn evidence(case: &Case<'_>, trace: &Trace, members: &[&Verdict]) -> Vec<String> {
    let hops = trace.hops.iter().map(|hop| {
        let what = hop.what.as_deref().unwrap_or("not found");
        let step = hop.layer.and_then(|layer| case.image.layers.get(layer)).and_then(|layer| layer.step.as_ref());
        let step = step.map(|step| format!(", step {}: {}", step.number, escape(&step.created_by))).unwrap_or_default();
        let layer = hop.layer.map(|layer| format!(" (layer {layer}{step})")).unwrap_or_default();
        format!("{}: {what}{layer}", escape(&hop.path))
    });
    let printed = members.first().and_then(|verdict| verdict.message.as_deref());
    let who = if trace.voice == Voice::Runtime { "the runtime prints" } else { "it prints" };
    hops.chain(printed.map(|line| format!("{who}: {}", escape(line)))).collect()
}

fn subject_path(trace: &Trace) -> String {
    trace.hops.first().map_or_else(|| "the command".to_owned(), |hop| escape(&hop.path).to_string())
}

fn names(members: &[&Verdict]) -> String {
    members.iter().map(|verdict| escape(&verdict.node.name).to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::check::{Case, Verdict, judge};
    use crate::exec::{Cause, Hop, Outcome, Role, Trace};
    use crate::finding::Finding;
    use crate::format::elf::{Endian, Machine};
    use crate::image::{Errno, Image, Rootfs};
    use crate::node::Node;

    fn verdict(node: &str, selected: bool, cause: Cause) -> Verdict {
        let hop = Hop { path: b"/app".to_vec(), found: None, layer: Some(0), links: Vec::new(), role: Role::Program, what: None };
        let trace = Trace::new(vec![hop], Outcome::Fails { errno: Errno::ENOEXEC, cause });
        Verdict {
            node: Node::parse(node).unwrap(),
            selected,
            trace,
            message: Some("exec /app: exec format error".into()),
            crun_message: None,
        }
    }

    fn judged(verdicts: &[Verdict]) -> Vec<Finding> {
        let image = Image { declared: Some("linux/arm64".parse().unwrap()), ..Image::default() };
        judge(&Case { target: "x", image: &image, rootfs: &Rootfs::default(), launch: None, verdicts })
    }

    fn wrong_machine() -> Cause {
        Cause::WrongMachine { machine: Machine(62), bits: Some(64), endian: Some(Endian::Little) }
    }

    #[test]
    fn nodes_with_the_same_end_share_a_finding() {
        let findings = judged(&[verdict("linux/arm64", true, wrong_machine()), verdict("linux/s390x", true, wrong_machine())]);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].rule.id, "EX101");
        assert!(findings[0].message.ends_with("but linux/arm64, linux/s390x nodes cannot run it"), "{}", findings[0].message);
        let place = findings[0].locus.guest().unwrap();
        assert_eq!(place.path.as_ref().unwrap().to_string(), "/app");
    }

    #[test]
    fn a_node_that_pulls_another_manifest_yields_nothing() {
        assert!(judged(&[verdict("linux/arm64", false, wrong_machine())]).is_empty());
    }

    #[test]
    fn every_rule_that_a_cause_names_exists() {
        for cause in [Cause::NoCommand, Cause::EmptyFile, Cause::Html, Cause::LoaderBroken, Cause::InterpreterLoop, Cause::Wasm] {
            let findings = judged(&[verdict("linux/arm64", true, cause.clone())]);
            assert_eq!(findings.len(), 1, "{cause:?}");
            assert!(findings[0].fix.is_some(), "{cause:?}");
        }
    }
}
