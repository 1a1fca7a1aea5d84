//! `enoexec explain` and `enoexec rules`.

use std::io::{BufWriter, Write};

use crate::finding;
use crate::report;

use super::terminal::Terminal;
use super::{Exit, Failure};

/// The page of one rule.
pub(super) fn explain(name: &str, terminal: &Terminal) -> Result<Exit, Failure> {
    let rule = finding::rule(name)
        .ok_or_else(|| Failure::Usage(format!("there is no rule `{}`; `enoexec rules` lists them", crate::base::escape(name))))?;
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
