//! A place in a text file: its lines, with what is meant underlined.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::base::{escape, masked};
use crate::finding::{Finding, Severity, TextLocus};

use super::HumanOptions;
use super::finding::notes;
use super::style::{BOLD, ERROR, HELP, INFO, LOCUS, WARNING};

/// The head of a finding and the lines that it is about.
pub(super) fn lines(found: &Finding, place: &TextLocus, text: &str, options: HumanOptions) -> Vec<String> {
    let level = match found.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let label = found.evidence.first().map(String::as_str);
    let annotation = AnnotationKind::Primary.span(place.span.clone()).label(label);
    // The renderer shows control characters of ASCII and overrides of direction as what they are, but no others.
    let snippet = Snippet::source(masked(text)).path(escape(&place.file).to_string()).annotation(annotation);
    let group: Group<'_> = level.primary_title(&found.message).id(&found.rule.id).element(snippet);
    let mut lines: Vec<String> = renderer().render(&[group]).lines().map(str::to_owned).collect();
    lines.extend(notes(found, None, options));
    lines
}

/// Draws in the colours of the other findings.
fn renderer() -> Renderer {
    Renderer::styled()
        .error(ERROR)
        .warning(WARNING)
        .info(INFO)
        .help(HELP)
        .line_num(LOCUS)
        .emphasis(BOLD)
        .none(anstyle::Style::new())
}
