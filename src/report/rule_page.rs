//! A rule's page in Markdown: `docs/rules/`, and the help that SARIF carries.

use crate::finding::Rule;

use super::words::paragraph;

const DOCKERFILE: &str = "dockerfile";

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
    let fix: Vec<String> = std::iter::once(paragraph(&rule.fix)).chain(states(rule)).collect();
    section("Fix", fix.join("\n\n"));
    section("When to ignore it", paragraph(&rule.ignore));
    section("References", rule.references.iter().map(|address| format!("- <{address}>")).collect::<Vec<_>>().join("\n"));
    sections.join("\n")
}

/// What is mended, before and after; nothing where a rule has no such form.
fn states(rule: &Rule) -> Vec<String> {
    let (language, before) = match rule.shown().filter(|_| !rule.after.is_empty()) {
        Some((name, file)) => (language_of(name), file),
        None => (if rule.language.is_empty() { DOCKERFILE } else { &rule.language }, rule.before.as_str()),
    };
    let states = [("Before:", before), ("After:", &rule.after)];
    let states = states.into_iter().filter(|(_, text)| !text.is_empty());
    states.map(|(title, text)| format!("{title}\n\n{}", fenced(language, text))).collect()
}

fn language_of(file: &str) -> &'static str {
    match file.rsplit_once('.') {
        Some((_, "yml" | "yaml")) => "yaml",
        Some((_, "hcl")) => "hcl",
        _ => DOCKERFILE,
    }
}

fn fenced(language: &str, text: &str) -> String {
    let text = text.trim_matches('\n');
    if text.is_empty() { String::new() } else { format!("```{language}\n{text}\n```") }
}
