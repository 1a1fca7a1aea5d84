//! JUnit's XML, which every CI system shows: a suite a target, a case a start and a finding.

use std::io::{self, Write};

use crate::base::escape;
use crate::exec::Outcome;
use crate::finding::{self, Finding, Severity};

use super::{ImageReport, Report, TargetReport, words};

/// A case, and how it went.
struct Case {
    class: String,
    name: String,
    end: End,
}

enum End {
    Passed,
    /// What could not be told, or does not fail the gate.
    Skipped(Vec<String>),
    /// Of which kind, what is wrong, and more about it.
    Failed {
        kind: String,
        message: String,
        text: Vec<String>,
    },
    /// Why it could not be looked at.
    Error(String),
}

/// Writes the report. What fails the gate is a failure; the other findings are skipped cases, which CI systems list without failing.
///
/// # Errors
/// `out` cannot be written to.
pub fn junit(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: Vec<(String, Vec<Case>)> = report.targets.iter().map(|target| suite(target, report)).collect();
    let astray = report.findings.iter().filter(|found| !report.targets.iter().any(|target| is_of(found, target)));
    let astray: Vec<Case> = astray.map(|found| case(found, &words::place(&found.locus), report.fails_at)).collect();
    if !astray.is_empty() || suites.is_empty() {
        suites.push(("enoexec".to_owned(), astray));
    }
    let total = |count: &dyn Fn(&Case) -> bool| suites.iter().flat_map(|(_, cases)| cases).filter(|case| count(case)).count();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="enoexec" tests="{}" failures="{}" errors="{}">"#,
        total(&|_| true),
        total(&is_failed),
        total(&is_error)
    )?;
    suites.iter().try_for_each(|(name, cases)| write_suite(name, cases, out))?;
    writeln!(out, "</testsuites>")
}

fn is_failed(case: &Case) -> bool {
    matches!(case.end, End::Failed { .. })
}

fn is_error(case: &Case) -> bool {
    matches!(case.end, End::Error(_))
}

fn is_of(found: &Finding, target: &TargetReport) -> bool {
    found.locus.guest().is_some_and(|place| place.target == target.target)
}

fn suite(target: &TargetReport, report: &Report) -> (String, Vec<Case>) {
    let name = target.target.clone();
    if let Some(error) = &target.error {
        let case = Case { class: name.clone(), name: "can be looked at".to_owned(), end: End::Error(error.clone()) };
        return (name, vec![case]);
    }
    let starts = target.images.iter().flat_map(|image| starts(&name, image));
    let found =
        report.findings.iter().filter(|found| is_of(found, target)).map(|found| case(found, &class_of(found), report.fails_at));
    let cases = starts.chain(found).collect();
    (name, cases)
}

/// The starts that go well or that cannot be told; those that do not have a finding.
fn starts(target: &str, image: &ImageReport) -> Vec<Case> {
    let label = words::label(&image.image);
    let case = |node: &str, end| Case { class: format!("{target} {label}"), name: format!("starts on {node}"), end };
    let selected = image.verdicts.iter().filter(|verdict| verdict.selected);
    let told = selected.filter_map(|verdict| match &verdict.trace.outcome {
        Outcome::Runs | Outcome::Emulated { .. } => Some(case(&verdict.node.name, End::Passed)),
        Outcome::Unsure { because } => Some(case(&verdict.node.name, End::Skipped(vec![crate::check::doubt(because)]))),
        _ => None,
    });
    told.collect()
}

fn class_of(found: &Finding) -> String {
    let place = found.locus.guest();
    let names = place.into_iter().flat_map(|place| std::iter::once(&place.target).chain(&place.image).chain(&place.name));
    names.cloned().collect::<Vec<_>>().join(" ")
}

fn case(found: &Finding, class: &str, fails_at: Option<Severity>) -> Case {
    let kind = format!("{} {}", found.rule.id, found.rule.name);
    let mut lines = vec![format!("in {}", words::place(&found.locus))];
    lines.extend(words::details(found));
    let name = format!("{kind}: {}", found.message);
    let end = if finding::fails(found.severity, fails_at) {
        End::Failed { kind, message: found.message.clone(), text: lines }
    } else {
        End::Skipped(std::iter::once(found.severity.to_string()).chain(lines).collect())
    };
    Case { class: class.to_owned(), name, end }
}

fn write_suite(name: &str, cases: &[Case], out: &mut dyn Write) -> io::Result<()> {
    let count = |wanted: &dyn Fn(&Case) -> bool| cases.iter().filter(|case| wanted(case)).count();
    let skipped = count(&|case| matches!(case.end, End::Skipped(_)));
    writeln!(
        out,
        r#"  <testsuite name="{}" tests="{}" failures="{}" errors="{}" skipped="{skipped}">"#,
        xml(name),
        cases.len(),
        count(&is_failed),
        count(&is_error)
    )?;
    for case in cases {
        write!(out, r#"    <testcase classname="{}" name="{}""#, xml(&case.class), xml(&case.name))?;
        match &case.end {
            End::Passed => writeln!(out, "/>")?,
            End::Skipped(why) => writeln!(out, "><skipped message=\"{}\"/></testcase>", lines(why, "&#10;"))?,
            End::Error(why) => writeln!(out, "><error message=\"{}\"/></testcase>", xml(why))?,
            End::Failed { kind, message, text } => {
                let (kind, message, text) = (xml(kind), xml(message), lines(text, "\n"));
                writeln!(out, "><failure type=\"{kind}\" message=\"{message}\">{text}</failure></testcase>")?;
            }
        }
    }
    writeln!(out, "  </testsuite>")
}

fn lines(text: &[String], between: &str) -> String {
    text.iter().map(|line| xml(line)).collect::<Vec<_>>().join(between)
}

/// Text as it may stand in XML 1.0, between tags and in attributes. What XML cannot hold at all is spelt out by [`escape`].
fn xml(text: &str) -> String {
    let mut escaped = String::new();
    for character in escape(text).to_string().chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use snapbox::{IntoData, assert_data_eq, str};

    use super::{junit, xml};
    use crate::report::{Report, sample};

    fn printed(report: &Report) -> String {
        let mut out = Vec::new();
        junit(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn starts_and_findings_become_cases() {
        assert_data_eq!(printed(&sample::every_locus()), str![[r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="enoexec" tests="5" failures="2" errors="1">
  <testsuite name="app.tar" tests="2" failures="1" errors="0" skipped="1">
    <testcase classname="app.tar linux/arm64 app:latest" name="EX101 wrong-machine: /bin/sh is built for x86_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it"><failure type="EX101 wrong-machine" message="/bin/sh is built for x86_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it">in app.tar (linux/arm64, app:latest), layer 3: COPY --from=build /out/dash /usr/bin/dash
docker-entrypoint.sh: script (layer 2)
help: build for the node: `docker buildx build --platform linux/arm64 .`, and copy no file from a stage or host of another machine</failure></testcase>
    <testcase classname="app.tar linux/arm64 app:latest" name="EX131 foreign-library: /usr/lib/python3/dist-packages/numpy.so is a Python library for x86_64, but the image is for linux/arm64"><skipped message="warning&#10;in app.tar (linux/arm64, app:latest), layer 1: RUN pip install numpy&#10;likely, not certain&#10;help: install or build it for linux/arm64"/></testcase>
  </testsuite>
  <testsuite name="gone.tar" tests="1" failures="0" errors="1" skipped="0">
    <testcase classname="gone.tar" name="can be looked at"><error message="gone.tar: No such file or directory (os error 2)"/></testcase>
  </testsuite>
  <testsuite name="enoexec" tests="2" failures="1" errors="0" skipped="1">
    <testcase classname="docker/Dockerfile:2:38" name="EX125 cannot-tell: the download is for amd64, whatever the platform"><skipped message="warning&#10;in docker/Dockerfile:2:38&#10;help: write `$TARGETARCH`: BuildKit sets it"/></testcase>
    <testcase classname="apps/Deployment prod/web /spec/template/spec/containers/0/image" name="EX203 no-matching-manifest: shop/web has no image for 3 of 5 nodes that the pod may land on"><failure type="EX203 no-matching-manifest" message="shop/web has no image for 3 of 5 nodes that the pod may land on">in apps/Deployment prod/web /spec/template/spec/containers/0/image
a guess</failure></testcase>
  </testsuite>
</testsuites>

"#]].raw());
        assert_data_eq!(printed(&sample::index()), str![[r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="enoexec" tests="3" failures="0" errors="0">
  <testsuite name="oci:dist" tests="3" failures="0" errors="0" skipped="1">
    <testcase classname="oci:dist linux/arm64" name="starts on linux/arm64"/>
    <testcase classname="oci:dist linux/amd64" name="starts on linux/amd64"><skipped message="there is no config that says what is started"/></testcase>
    <testcase classname="oci:dist linux/s390x" name="starts on linux/s390x,binfmt=amd64"/>
  </testsuite>
</testsuites>

"#]].raw());
    }

    #[test]
    fn no_name_can_end_an_element() {
        assert_data_eq!(printed(&sample::hostile()), str![[r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="enoexec" tests="3" failures="2" errors="1">
  <testsuite name="docker://../a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;" tests="1" failures="1" errors="0" skipped="0">
    <testcase classname="docker://../a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt; /a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt; /a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;" name="EX101 wrong-machine: /a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;"><failure type="EX101 wrong-machine" message="/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;">in docker://../a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt; (/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;, /a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;), layer 0: RUN /a\x1b[2J ::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;
/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;
help: run `/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;`</failure></testcase>
  </testsuite>
  <testsuite name="/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;" tests="1" failures="0" errors="1" skipped="0">
    <testcase classname="/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;" name="can be looked at"><error message="/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;"/></testcase>
  </testsuite>
  <testsuite name="enoexec" tests="1" failures="1" errors="0" skipped="0">
    <testcase classname="/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;:1:1" name="EX101 wrong-machine: /a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;"><failure type="EX101 wrong-machine" message="/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;">in /a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;:1:1
/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;
help: run `/a\x1b[2J\r\n::error::x|&lt;/td&gt;&lt;img src=x onerror=alert(1)&gt;`[l](http://evil.example)\u{fffe}&amp;&quot;&apos;]]&gt;--&gt;&lt;script&gt;`</failure></testcase>
  </testsuite>
</testsuites>

"#]].raw());
    }

    #[test]
    fn what_xml_cannot_hold_is_spelt_out() {
        assert_eq!(xml("a\u{0}\u{1b}\u{fffe}<&\"'\n]]>"), "a\\x00\\x1b\\u{fffe}&lt;&amp;&quot;&apos;\\n]]&gt;");
    }
}
