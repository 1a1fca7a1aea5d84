//! GitHub's workflow commands, which become annotations of a pull request's lines.

use std::io::{self, Write};

use crate::base::escape;
use crate::finding::{Finding, Severity};

use super::anchor::Repository;
use super::{Report, words};

/// GitHub shows this many annotations of each level in a step, and drops the rest without a word.
const MOST_SHOWN: usize = 10;

/// Writes one command a finding, the worst first, as many as GitHub shows; then how many there are more.
///
/// # Errors
/// `out` cannot be written to.
pub fn github(report: &Report, repository: &Repository, out: &mut dyn Write) -> io::Result<()> {
    for target in &report.targets {
        if let Some(error) = &target.error {
            let text = words::could_not_look(&target.target, error);
            writeln!(out, "::error title={}::{}", property("enoexec"), data(&text))?;
        }
    }
    let mut left = 0_usize;
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let found: Vec<&Finding> = report.findings.iter().filter(|finding| finding.severity == severity).collect();
        // The last notice says how many there are more.
        let room = if severity == Severity::Info { MOST_SHOWN.saturating_sub(1) } else { MOST_SHOWN };
        left = left.saturating_add(found.len().saturating_sub(room));
        found.iter().take(room).try_for_each(|finding| annotation(finding, repository, out))?;
    }
    if left > 0 {
        let text =
            format!("{left} more findings are not shown here: `--output markdown=FILE` or `--output sarif=FILE` has all of them");
        writeln!(out, "::notice title={}::{}", property("enoexec"), data(&text))?;
    }
    Ok(())
}

fn annotation(finding: &Finding, repository: &Repository, out: &mut dyn Write) -> io::Result<()> {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let anchor = repository.anchor(&finding.locus);
    let region = anchor.region;
    let mut lines = vec![escape(&finding.message).to_string()];
    let mut place = String::new();
    if finding.locus.text().is_some() || finding.locus.guest().is_some() && repository.dockerfile.is_some() {
        place = format!("file={},line={},endLine={},", property(&anchor.file), region.line, region.end_line);
        // GitHub takes columns only where they are of one line, and its last one is inclusive.
        if let Some((start, end)) = region.columns.filter(|_| region.line == region.end_line) {
            place.push_str(&format!("col={start},endColumn={},", end.saturating_sub(1).max(start)));
        }
    }
    if finding.locus.text().is_none() {
        lines.push(format!("in {}", words::place(&finding.locus)));
    }
    lines.extend(words::details(finding));
    let title = format!("enoexec {} {}", finding.rule.id, finding.rule.name);
    writeln!(out, "::{command} {place}title={}::{}", property(&title), data(&lines.join("\n")))
}

/// The part behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value of the part before it.
fn property(text: &str) -> String {
    data(&escape(text).to_string()).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use snapbox::{IntoData, assert_data_eq, str};

    use super::github;
    use crate::finding::{Locus, Severity, TextFile};
    use crate::report::{Dockerfile, Report, Repository, sample};

    fn printed(report: &Report, dockerfile: Option<Dockerfile>) -> String {
        let mut out = Vec::new();
        let repository = Repository { root: PathBuf::from("/src"), current: PathBuf::from("/src"), dockerfile };
        github(report, &repository, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn findings_become_annotations() {
        let dockerfile = Dockerfile::new("Dockerfile", "FROM debian\nCOPY --from=build /out/dash /usr/bin/dash\n");
        assert_data_eq!(printed(&sample::every_locus(), Some(dockerfile)), str![[r#"
::error title=enoexec::gone.tar could not be looked at: No such file or directory (os error 2)
::error file=Dockerfile,line=2,endLine=2,title=enoexec EX101 wrong-machine::/bin/sh is built for x86_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it%0Ain app.tar (linux/arm64, app:latest), layer 3: COPY --from=build /out/dash /usr/bin/dash%0Adocker-entrypoint.sh: script (layer 2)%0Ahelp: build for the node: `docker buildx build --platform linux/arm64 .`, and copy no file from a stage or host of another machine
::error title=enoexec EX203 no-matching-manifest::shop/web has no image for 3 of 5 nodes that the pod may land on%0Ain apps/Deployment prod/web /spec/template/spec/containers/0/image%0Aa guess
::warning file=Dockerfile,line=1,endLine=1,title=enoexec EX131 foreign-library::/usr/lib/python3/dist-packages/numpy.so is a Python library for x86_64, but the image is for linux/arm64%0Ain app.tar (linux/arm64, app:latest), layer 1: RUN pip install numpy%0Alikely, not certain%0Ahelp: install or build it for linux/arm64
::warning file=docker/Dockerfile,line=2,endLine=2,col=38,endColumn=42,title=enoexec EX125 cannot-tell::the download is for amd64, whatever the platform%0Ahelp: write `$TARGETARCH`: BuildKit sets it

"#]].raw());
    }

    #[test]
    fn no_name_can_give_a_command() {
        let printed = printed(&sample::hostile(), None);
        assert!(printed.lines().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")), "{printed}");
        assert!(!printed.contains('\u{1b}') && !printed.contains('\r'), "{printed}");
        assert_data_eq!(printed, str![[r#"
::error title=enoexec::/a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script> could not be looked at: /a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script>
::error title=enoexec EX101 wrong-machine::/a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script>%0Ain docker://../a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script> (/a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script>, /a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script>), layer 0: RUN /a\x1b[2J ::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script>%0A/a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script>%0Ahelp: run `/a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script>`
::error file=a\x1b[2J\r\n%3A%3Aerror%3A%3Ax|</td><img src=x onerror=alert(1)>`[l](http%3A/evil.example)\u{fffe}&"']]>--><script>,line=1,endLine=2,title=enoexec EX101 wrong-machine::/a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script>%0A/a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script>%0Ahelp: run `/a\x1b[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&"']]>--><script>`

"#]].raw());
    }

    #[test]
    fn more_than_github_shows_are_counted() {
        let mut report = sample::every_locus();
        let text = TextFile::new("Dockerfile", "FROM a\n").locus(0..4);
        let error = report.findings.iter().find(|found| found.severity == Severity::Error).unwrap().clone();
        report.findings = vec![crate::finding::Finding { locus: Locus::Text(text), ..error }; 12];
        let printed = printed(&report, None);
        assert_eq!(printed.matches("::error").count(), 11, "ten and the target that is not there: {printed}");
        assert!(printed.contains("::notice title=enoexec::2 more findings"), "{printed}");
    }
}
