//! What is printed must not steer who reads it.

use std::io::Write;

use enoexec::report::{self, HumanOptions, Report, Repository, TriageReport};

/// Fails if a text that was made for people has anything in it that steers a terminal.
pub fn plain(text: &str) {
    let steers = |character: char| {
        character.is_control() && character != '\n'
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}')
    };
    if let Some(at) = text.find(steers) {
        let before: Vec<char> = text[..at].chars().rev().take(200).collect();
        panic!("behind {:?} comes {:?}", before.iter().rev().collect::<String>(), text[at..].chars().next());
    }
}

/// Every form of the report.
pub fn everywhere(report: &Report) {
    let repository = Repository::default();
    let options = HumanOptions { verbose: true, ..HumanOptions::default() };
    styled(|out| report::human(report, options, out).unwrap());
    styled(|out| report::human(report, HumanOptions { width: Some(60), ..HumanOptions::default() }, out).unwrap());
    read(|out| report::json(report, out).unwrap());
    read(|out| report::sarif(report, &repository, out).unwrap());
    read(|out| report::github(report, &repository, out).unwrap());
    read(|out| report::gitlab(report, &repository, out).unwrap());
    read(|out| report::junit(report, out).unwrap());
    read(|out| report::markdown(report, out).unwrap());
    read(|out| report::html(report, out).unwrap());
}

/// Every form of a triage.
pub fn triaged(report: &TriageReport) {
    styled(|out| report::triage_human(report, HumanOptions::default(), out).unwrap());
    read(|out| report::triage_json(std::slice::from_ref(report), out).unwrap());
}

fn read(write: impl FnOnce(&mut dyn Write)) {
    let mut out = Vec::new();
    write(&mut out);
    plain(std::str::from_utf8(&out).expect("a report is UTF-8"));
}

/// Styles are ours, and nothing but `ESC [ … m`.
fn styled(write: impl FnOnce(&mut dyn Write)) {
    let mut out = Vec::new();
    write(&mut out);
    let text = String::from_utf8(out).expect("a report is UTF-8");
    let mut plainly = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plainly.push_str(before);
        rest =
            after.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';').strip_prefix('m').expect("a style");
    }
    plainly.push_str(rest);
    plain(&plainly);
}
