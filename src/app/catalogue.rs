//! `enoexec explain` and `enoexec rules`.

use std::io::{BufWriter, Write};

use crate::finding;
use crate::report;

use super::arguments::{Common, TriageFormat};
use super::terminal::Terminal;
use super::{Exit, Failure};

/// The page of one rule, or what an error's text can mean.
pub(super) fn explain(what: &str, format: TriageFormat, common: &Common, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(rule) = finding::rule(what) else {
        // Rules are named in one word; what people see is a sentence.
        if !what.trim().contains(' ') {
            let told = crate::base::escape(what);
            return Err(Failure::Usage(format!("there is no rule `{told}`; `enoexec rules` lists them")));
        }
        return super::triage::explain(what, format, common, terminal);
    };
    let mut out = BufWriter::new(terminal.stdout());
    report::explain(rule, &mut out).and_then(|()| out.flush()).or_else(super::broken_pipe)?;
    Ok(Exit::Clean)
}

/// The table of all rules.
pub(super) fn rules(terminal: &Terminal) -> Result<Exit, Failure> {
    let mut out = BufWriter::new(terminal.stdout());
    report::rules_table(finding::catalogue(), &mut out).and_then(|()| out.flush()).or_else(super::broken_pipe)?;
    Ok(Exit::Clean)
}
