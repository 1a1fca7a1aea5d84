//! A rule's page in Markdown: `docs/rules/`, and the help that SARIF carries.

use crate::finding::Rule;

use super::words::paragraph;

/// The whole page.
pub fn rule_page(rule: &Rule) -> String {
    let Rule { id, name, severity, since, summary, .. } = rule;
    format!(
        "# {id}: {name}\n\n{summary}\n\n**{severity}** · {} · since {since} · `enoexec explain {id}`\n\n{}",
        rule.family(),
        sections(rule)
    )
}

/// The page without its head. A rule's own text is Markdown, except for the lines that people see and the commands.
pub(super) fn sections(rule: &Rule) -> String {
    let mut sections = Vec::new();
    let mut section = |title: &str, body: String| {
        if !body.is_empty() {
            sections.push(format!("## {title}\n\n{body}\n"));
        }
    };
    section("What you see", fenced("text", &rule.messages.join("\n")));
    section("Why", paragraph(&rule.why));
    section("Confirm it in one command", fenced("sh", &rule.confirm));
    let states = [("Before:", before(rule)), ("After:", rule.after.as_str())].map(|(title, text)| {
        let block = fenced("dockerfile", text);
        if block.is_empty() { block } else { format!("{title}\n\n{block}") }
    });
    let fix = std::iter::once(paragraph(&rule.fix)).chain(states).filter(|part| !part.is_empty());
    section("Fix", fix.collect::<Vec<_>>().join("\n\n"));
    section("When to ignore it", paragraph(&rule.ignore));
    section("References", rule.references.iter().map(|address| format!("- <{address}>")).collect::<Vec<_>>().join("\n"));
    sections.join("\n")
}

/// Where only the mended form is given: the first of the files that it fires on.
fn before(rule: &Rule) -> &str {
    let fires = rule.examples.iter().find(|example| example.fires).and_then(|example| example.files.values().next());
    match fires {
        Some(file) if rule.before.is_empty() && !rule.after.is_empty() => file,
        _ => &rule.before,
    }
}

fn fenced(language: &str, text: &str) -> String {
    let text = text.trim_matches('\n');
    if text.is_empty() { String::new() } else { format!("```{language}\n{text}\n```") }
}
