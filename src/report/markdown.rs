//! Markdown as GitHub and GitLab render it, for a step summary or a comment.

use std::io::{self, Write};

use crate::base::escape;
use crate::finding::{Finding, Severity};

use super::{Report, TargetReport, words};

/// More findings than this make a summary that nobody reads; GitHub refuses one of more than a megabyte.
const MOST_FINDINGS: usize = 100;

/// Writes the report: the sum, a table of images and nodes, then each finding.
///
/// # Errors
/// `out` cannot be written to.
pub fn markdown(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## enoexec: {}", words::sum(report))?;
    for target in &report.targets {
        write_target(target, out)?;
    }
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.iter().take(MOST_FINDINGS).try_for_each(|finding| write_finding(finding, out))?;
    let left = findings.len().saturating_sub(MOST_FINDINGS);
    if left > 0 {
        writeln!(out, "\n{left} more findings are left out here; `--output json=FILE` has all of them.")?;
    }
    Ok(())
}

fn write_target(target: &TargetReport, out: &mut dyn Write) -> io::Result<()> {
    if let Some(error) = &target.error {
        return writeln!(out, "\n{} {}", mark(Severity::Error), text(&words::could_not_look(&target.target, error)));
    }
    let nodes = words::nodes(std::slice::from_ref(target));
    if nodes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| {} |{}", code(&target.target), nodes.iter().map(|node| format!(" {} |", text(node))).collect::<String>())?;
    writeln!(out, "|---|{}", "---|".repeat(nodes.len()))?;
    for image in &target.images {
        write!(out, "| {} |", text(&words::label(&image.image)))?;
        for node in &nodes {
            write!(out, " {} |", text(&words::cell(image, node)))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_finding(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let rule = format!("[{} {}]({})", finding.rule.id, finding.rule.name, finding.rule.url());
    writeln!(out, "\n{} **{}**  ", mark(finding.severity), text(&finding.message))?;
    writeln!(out, "{rule} in {}", code(&words::place(&finding.locus)))?;
    let details = words::details(finding);
    if !details.is_empty() {
        writeln!(out)?;
    }
    details.iter().try_for_each(|line| writeln!(out, "- {}", with_commands(line)))
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "❌",
        Severity::Warning => "⚠️",
        Severity::Info => "ℹ️",
    }
}

/// Text with the commands that stand in backquotes kept as such.
fn with_commands(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text(line);
    }
    let part = |(place, part): (usize, &&str)| if place % 2 == 1 && !part.is_empty() { code(part) } else { text(part) };
    parts.iter().enumerate().map(part).collect()
}

/// Text that stays text: no markup, no link, no mention of anyone, no cell's end, and no list or heading where it begins a line.
fn text(text: &str) -> String {
    let text = escape(text).to_string();
    let mut escaped = String::new();
    for (place, character) in text.char_indices() {
        let (before, after) = text.split_at(place);
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // Mentions and addresses become links without any markup.
            '@' => escaped.push_str("&#64;"),
            ':' if after.starts_with("://") => escaped.push_str("&#58;"),
            '.' if before.to_ascii_lowercase().ends_with("www") => escaped.push_str("&#46;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => escaped.extend(['\\', character]),
            '#' | '+' | '-' | '=' | '.' | ')' if before.bytes().all(|byte| byte.is_ascii_digit()) => {
                escaped.extend(['\\', character]);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Text as code. As HTML, because a code span of Markdown cannot hold a table's `|`, nor every run of backquotes.
fn code(words: &str) -> String {
    format!("<code>{}</code>", text(words))
}

#[cfg(test)]
mod tests {
    use snapbox::{IntoData, assert_data_eq, str};

    use super::{markdown, text, with_commands};
    use crate::report::{Report, sample};

    fn printed(report: &Report) -> String {
        let mut out = Vec::new();
        markdown(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_summary_has_the_table_and_the_findings() {
        assert_data_eq!(printed(&sample::every_locus()), str![[r#"
## enoexec: 2 errors, 2 warnings in 1 image; 1 target could not be looked at

| <code>app.tar</code> | linux/arm64 |
|---|---|
| linux/arm64 app:latest | ENOEXEC (wrong-machine) |

❌ gone.tar could not be looked at: No such file or directory (os error 2)

❌ **/bin/sh is built for x86\_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it**  
[EX101 wrong-machine](https://github.com/enoexec/enoexec/blob/main/docs/rules/EX101.md) in <code>app.tar (linux/arm64, app:latest), layer 3: COPY --from=build /out/dash /usr/bin/dash</code>

- docker-entrypoint.sh: script (layer 2)
- help: build for the node: <code>docker buildx build --platform linux/arm64 .</code>, and copy no file from a stage or host of another machine

❌ **shop/web has no image for 3 of 5 nodes that the pod may land on**  
[EX203 no-matching-manifest](https://github.com/enoexec/enoexec/blob/main/docs/rules/EX203.md) in <code>apps/Deployment prod/web /spec/template/spec/containers/0/image</code>

- a guess

⚠️ **/usr/lib/python3/dist-packages/numpy.so is a Python library for x86\_64, but the image is for linux/arm64**  
[EX131 foreign-library](https://github.com/enoexec/enoexec/blob/main/docs/rules/EX131.md) in <code>app.tar (linux/arm64, app:latest), layer 1: RUN pip install numpy</code>

- likely, not certain
- help: install or build it for linux/arm64

⚠️ **the download is for amd64, whatever the platform**  
[EX125 cannot-tell](https://github.com/enoexec/enoexec/blob/main/docs/rules/EX125.md) in <code>docker/Dockerfile:2:38</code>

- help: write <code>\$TARGETARCH</code>: BuildKit sets it

"#]].raw());
        assert_data_eq!(
            printed(&sample::index()),
            str![[r#"
## enoexec: no findings in 3 images

| <code>oci:dist</code> | linux/arm64 | linux/amd64 | linux/s390x,binfmt=amd64 |
|---|---|---|---|
| linux/arm64 | runs | not pulled | not pulled |
| linux/amd64 | not pulled | unsure (no-config) | not pulled |
| linux/s390x | not pulled | not pulled | emulated by qemu-s390x |

"#]]
            .raw()
        );
    }

    #[test]
    fn no_name_is_markup() {
        let printed = printed(&sample::hostile());
        assert!(!printed.contains("<img") && !printed.contains("](http://evil") && !printed.contains('\u{1b}'), "{printed}");
        assert_data_eq!(printed, str![[r###"
## enoexec: 2 errors in 1 image; 1 target could not be looked at

| <code>docker&#58;//../a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;</code> | /a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt; |
|---|---|
| linux/arm64 /a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt; | ENOEXEC (unknown-format) |

❌ /a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt; could not be looked at: /a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;

❌ **/a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;**  
[EX101 wrong-machine](https://github.com/enoexec/enoexec/blob/main/docs/rules/EX101.md) in <code>docker&#58;//../a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt; (/a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;, /a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;), layer 0: RUN /a\\x1b\[2J ::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;</code>

- /a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;
- help: run \`/a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;\`

❌ **/a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;**  
[EX101 wrong-machine](https://github.com/enoexec/enoexec/blob/main/docs/rules/EX101.md) in <code>/a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;:1:1</code>

- /a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;
- help: run \`/a\\x1b\[2J\\r\\n::error::x\|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;\`\[l\](http&#58;//evil.example)\\u{fffe}&amp;"'\]\]&gt;--&gt;&lt;script&gt;\`

"###]].raw());
    }

    #[test]
    fn commands_stay_commands() {
        assert_eq!(with_commands("run `a | b`, then"), "run <code>a \\| b</code>, then");
        assert_eq!(with_commands("an odd ` one"), "an odd \\` one");
        assert_eq!(text("@me http://evil www.evil"), "&#64;me http&#58;//evil www&#46;evil");
    }
}
