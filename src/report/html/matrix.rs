//! Images × nodes, and the starts behind the cells.

use std::io::{self, Write};

use crate::check::Verdict;
use crate::finding::Finding;
use crate::report::start::start_of;
use crate::report::{ImageReport, Report, TargetReport, words};

use super::chain;
use super::markup::text;

/// Writes the table of all targets; each cell leads to the finding or the start that it sums up.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.targets.is_empty() {
        return Ok(());
    }
    let nodes = words::nodes(&report.targets);
    writeln!(out, r#"<section class="matrix"><table><thead><tr><th scope="col">image</th>"#)?;
    nodes.iter().try_for_each(|node| writeln!(out, r#"<th scope="col">{}</th>"#, text(node)))?;
    writeln!(out, "</tr></thead>")?;
    for (number, target) in report.targets.iter().enumerate() {
        write_target(target, number, &nodes, report, out)?;
    }
    writeln!(out, "</table></section>")
}

fn write_target(target: &TargetReport, number: usize, nodes: &[String], report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let span = nodes.len().saturating_add(1);
    let digest = target.digest.as_ref().map(|digest| format!(r#" <span class="digest">{}</span>"#, digest.short()));
    writeln!(
        out,
        r#"<tbody><tr class="target"><th colspan="{span}" scope="rowgroup"><span>{}{}</span></th></tr>"#,
        text(&target.target),
        digest.unwrap_or_default()
    )?;
    if let Some(error) = &target.error {
        let why = words::could_not_look(&target.target, error);
        writeln!(out, r#"<tr class="row"><td class="unseen" colspan="{span}"><span>{}</span></td></tr>"#, text(&why))?;
    }
    for (place, image) in target.images.iter().enumerate() {
        writeln!(out, r#"<tr class="row"><th scope="row">{}</th>"#, text(&words::label(&image.image)))?;
        for (column, node) in nodes.iter().enumerate() {
            match words::verdict(image, node) {
                Some(verdict) => {
                    let address = match teller(target, image, verdict, &report.findings) {
                        Some(finding) => format!("finding-{finding}"),
                        None => start_id((number, place, column)),
                    };
                    write_cell(&address, verdict, out)?;
                }
                None if image.verdicts.iter().any(|verdict| verdict.node.name == *node) => {
                    writeln!(out, r#"<td class="none">{}</td>"#, words::NOT_PULLED)?;
                }
                None => writeln!(out, "<td></td>")?,
            }
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody>")
}

fn write_cell(address: &str, verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let class = chain::class(&verdict.trace.outcome);
    let (end, cause) = words::outcome_and_cause(&verdict.trace);
    let cause = cause.map(|cause| format!(r#"<span class="cause">{cause}</span>"#)).unwrap_or_default();
    writeln!(
        out,
        r##"<td><a class="{class}" href="#{address}"><span class="mark {class}" aria-hidden="true"></span><span>{}{cause}</span></a></td>"##,
        text(&end)
    )
}

/// The finding that tells the story of a start.
fn teller(target: &TargetReport, image: &ImageReport, verdict: &Verdict, findings: &[Finding]) -> Option<usize> {
    findings.iter().position(|found| {
        let start = found.locus.guest().filter(|place| place.target == target.target);
        let start = start.and_then(|place| start_of(found, place, target));
        start.is_some_and(|(other, told)| std::ptr::eq(image, other) && told.trace == verdict.trace)
    })
}

fn start_id((target, image, node): (usize, usize, usize)) -> String {
    format!("start-{target}-{image}-{node}")
}

/// Writes the starts of which no finding tells.
pub(super) fn write_starts(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let nodes = words::nodes(&report.targets);
    let mut is_first = true;
    for (number, target) in report.targets.iter().enumerate() {
        for (place, image) in target.images.iter().enumerate() {
            for (column, node) in nodes.iter().enumerate() {
                let untold =
                    words::verdict(image, node).filter(|verdict| teller(target, image, verdict, &report.findings).is_none());
                let Some(verdict) = untold else { continue };
                if is_first {
                    writeln!(out, r#"<section class="starts"><h2>Starts</h2>"#)?;
                }
                is_first = false;
                let name = format!("{} {} on {node}", target.target, words::label(&image.image));
                write_start(&start_id((number, place, column)), &name, image, verdict, out)?;
            }
        }
    }
    if is_first { Ok(()) } else { writeln!(out, "</section>") }
}

fn write_start(id: &str, name: &str, image: &ImageReport, verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let class = chain::class(&verdict.trace.outcome);
    writeln!(
        out,
        r#"<details class="start" id="{id}"><summary><span class="mark {class}" aria-hidden="true"></span>{} <span class="{class}">{}</span></summary>"#,
        text(name),
        text(&words::outcome(&verdict.trace))
    )?;
    chain::write(&image.image, &verdict.trace, out)?;
    writeln!(out, "</details>")
}
