//! Where a report goes: one format on standard output, any number in files.

use std::io::{self, BufWriter, Write};

use crate::report::{self, HumanOptions, Report};

use super::Failure;
use super::arguments::{Format, Output};
use super::terminal::Terminal;

impl Output {
    /// Writes the report to its files, then to standard output.
    pub(super) fn write(&self, report: &Report, options: HumanOptions, terminal: &Terminal) -> Result<(), Failure> {
        terminal.finish();
        for (format, path) in &self.outputs {
            let mut text = Vec::new();
            render(*format, report, options, &mut text)?;
            let written = std::fs::write(path, anstream::adapter::strip_bytes(&text).into_vec());
            written.map_err(|error| Failure::Look(format!("{}: {error}", path.display())))?;
        }
        let mut out = BufWriter::new(terminal.stdout());
        render(self.format, report, options, &mut out).and_then(|()| out.flush()).or_else(super::broken_pipe)?;
        Ok(())
    }
}

fn render(format: Format, report: &Report, options: HumanOptions, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => report::human(report, options, out),
        Format::Json => report::json(report, out),
    }
}
