//! `enoexec explain` and `enoexec rules`.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::finding::{Rule, Severity};

/// Columns of a page.
const WIDTH: usize = 80;

const HEADING: Style = Style::new().bold();

/// Writes a rule's page.
///
/// # Errors
/// `out` cannot be written to.
pub fn explain(rule: &Rule, out: &mut dyn Write) -> io::Result<()> {
    let style = style_of(rule.severity);
    writeln!(out, "{style}{}[{}]{style:#} {HEADING}{}{HEADING:#}", rule.severity, rule.id, rule.name)?;
    paragraph(&rule.summary, out)?;
    list("What people see", &rule.messages, out)?;
    section("Why", &rule.why, out)?;
    section("What to do", &rule.fix, out)?;
    list("References", &rule.references, out)
}

fn section(title: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{HEADING}{title}{HEADING:#}")?;
    paragraph(text, out)
}

fn list(title: &str, items: &[String], out: &mut dyn Write) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{HEADING}{title}{HEADING:#}")?;
    items.iter().try_for_each(|item| writeln!(out, "  {item}"))
}

fn paragraph(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut column = 0_usize;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column.saturating_add(length).saturating_add(1) > WIDTH {
            writeln!(out)?;
            column = 0;
        }
        let gap = if column == 0 { "" } else { " " };
        write!(out, "{gap}{word}")?;
        column = column.saturating_add(gap.len()).saturating_add(length);
    }
    writeln!(out)
}

fn style_of(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Info => AnsiColor::Cyan,
    };
    colour.on_default().bold()
}

/// Writes the table of all rules.
///
/// # Errors
/// `out` cannot be written to.
pub fn rules_table(rules: &[Rule], out: &mut dyn Write) -> io::Result<()> {
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    rules.iter().try_for_each(|rule| {
        let style = style_of(rule.severity);
        writeln!(out, "{}  {style}{:7}{style:#}  {:width$}  {}", rule.id, rule.severity, rule.name, rule.summary)
    })
}
