//! One page to read, search and keep: it needs no network, and holds nothing that could run but its own search.

mod chain;
mod finding;
mod markup;
mod matrix;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::finding::{Finding, Severity};

use super::{Report, words};
use markup::text;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the report as one HTML document.
///
/// # Errors
/// `out` cannot be written to.
pub fn html(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    // Only these two texts may style and run; whatever else gets into the page by a mistake does neither, and loads nothing.
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        source_hash(STYLE),
        source_hash(SCRIPT)
    );
    let sum = words::sum(report);
    let (class, verdict) = verdict(report);
    write!(
        out,
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>enoexec: {sum}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1><span class="mark {class}" aria-hidden="true"></span>{verdict}</h1>
<p class="sum">{sum}</p>
</header>
<main>
"#,
        sum = text(&sum)
    )?;
    write_search(report, out)?;
    matrix::write(report, out)?;
    write_findings(report, out)?;
    matrix::write_starts(report, out)?;
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    writeln!(out, "</main>\n<footer>{name} {version}</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>")
}

/// As a policy names the text that it allows.
fn source_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// The page's headline, with its colour.
fn verdict(report: &Report) -> (&'static str, &'static str) {
    let is_unseen = report.targets.iter().any(|target| target.error.is_some());
    let worst = report.findings.iter().map(|found| found.severity).max();
    match (report.fails_at, worst) {
        _ if report.fails() => ("bad", "Fails the gate"),
        _ if is_unseen => ("bad", "Not everything could be looked at"),
        (None, _) => ("unsure", "Report without a gate"),
        (Some(_), Some(Severity::Error | Severity::Warning)) => ("warn", "Passes the gate, with findings"),
        (Some(_), Some(Severity::Info) | None) => ("ok", "Passes the gate"),
    }
}

fn write_search(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let counts = report.summary();
    let named = [("error", "errors", counts.errors), ("warning", "warnings", counts.warnings), ("info", "notes", counts.infos)];
    writeln!(
        out,
        r#"<form id="search" role="search" hidden>
<input type="search" id="words" placeholder="Search findings, images, paths, nodes" aria-label="Search" autocomplete="off" spellcheck="false">"#
    )?;
    for (class, name, count) in named.iter().filter(|(_, _, count)| *count > 0) {
        writeln!(
            out,
            r#"<label class="chip {class}"><input type="checkbox" value="{class}" checked> {name} <b>{count}</b></label>"#
        )?;
    }
    writeln!(
        out,
        r#"<output id="shown"></output>
</form>"#
    )
}

fn write_findings(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, r#"<section id="findings"><h2>Findings</h2>"#)?;
    let mut findings: Vec<(usize, &Finding)> = report.findings.iter().enumerate().collect();
    findings.sort_by_key(|(_, found)| std::cmp::Reverse(found.severity));
    findings.iter().try_for_each(|(place, found)| finding::write(found, *place, report, out))?;
    writeln!(out, "</section>")
}
