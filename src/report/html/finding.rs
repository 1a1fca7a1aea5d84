//! One finding as a card.

use std::io::{self, Write};

use crate::base::escape;
use crate::exec::Voice;
use crate::finding::{Confidence, Finding};
use crate::report::start::start_of;
use crate::report::{Report, words};

use super::chain;
use super::markup::{text, with_commands};

/// Writes the finding that stands at `number` in the report.
pub(super) fn write(found: &Finding, number: usize, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rule = found.rule;
    writeln!(
        out,
        r#"<article class="finding {severity}" id="finding-{number}" data-severity="{severity}">
<p class="head"><span class="severity">{severity}</span> <a class="rule" href="{url}" rel="noreferrer">{id} {name}</a>{sure}</p>
<h3>{message}</h3>
<p class="place">{place}</p>"#,
        severity = found.severity,
        url = text(&rule.url()),
        id = text(&rule.id),
        name = text(&rule.name),
        sure = sure(found.confidence),
        message = with_commands(&found.message),
        place = text(&words::place(&found.locus)),
    )?;
    let place = found.locus.guest();
    let target = place.and_then(|place| report.targets.iter().find(|target| target.target == place.target));
    let start = place.zip(target).and_then(|(place, target)| start_of(found, place, target));
    if let Some((image, verdict)) = start {
        chain::write(&image.image, &verdict.trace, out)?;
        if let Some(message) = &verdict.message {
            let who = if verdict.trace.voice == Voice::Runtime { "the runtime prints" } else { "it prints" };
            let lines: Vec<String> = message.lines().map(|line| text(&escape(line).to_string()).to_string()).collect();
            writeln!(out, r#"<p class="label">{who}</p><pre>{}</pre>"#, lines.join("\n"))?;
        }
    } else if !found.evidence.is_empty() {
        writeln!(out, r#"<ul class="evidence">"#)?;
        found.evidence.iter().try_for_each(|line| writeln!(out, "<li>{}</li>", with_commands(line)))?;
        writeln!(out, "</ul>")?;
    }
    if let Some(fix) = &found.fix {
        writeln!(out, r#"<p class="help"><b>help</b> {}</p>"#, with_commands(fix))?;
    }
    writeln!(
        out,
        r#"<p class="print">fingerprint {}</p>
</article>"#,
        text(&found.fingerprint())
    )
}

fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "",
        Confidence::Medium => r#" <span class="sure">likely, not certain</span>"#,
        Confidence::Low => r#" <span class="sure">a guess</span>"#,
    }
}
