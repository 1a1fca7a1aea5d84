//! Where a report goes: one format on standard output, any number in files.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use crate::report::{self, Dockerfile, HumanOptions, Report, Repository};

use super::Failure;
use super::arguments::{Format, Output};
use super::terminal::Terminal;

impl Output {
    /// Writes the report to its files, then to standard output.
    pub(super) fn write(&self, report: &Report, options: HumanOptions, terminal: &Terminal) -> Result<(), Failure> {
        terminal.finish();
        self.write_files(report, options)?;
        let repository = self.repository()?;
        let mut out = BufWriter::new(terminal.stdout());
        render(self.format, report, options, &repository, &mut out).and_then(|()| out.flush()).or_else(super::broken_pipe)?;
        Ok(())
    }

    /// Writes the report to its files.
    pub(super) fn write_files(&self, report: &Report, options: HumanOptions) -> Result<(), Failure> {
        let repository = self.repository()?;
        for (format, path) in &self.outputs {
            let mut text = Vec::new();
            render(*format, report, options, &repository, &mut text)?;
            let written = std::fs::write(path, anstream::adapter::strip_bytes(&text).into_vec());
            written.map_err(|error| Failure::Look(format!("{}: {error}", path.display())))?;
        }
        Ok(())
    }

    /// Where the run stands, for the formats that show findings beside source.
    fn repository(&self) -> Result<Repository, Failure> {
        let read = |path: &PathBuf| -> Result<Dockerfile, Failure> {
            let text = std::fs::read(path).map_err(|error| Failure::Look(format!("{}: {error}", path.display())))?;
            Ok(Dockerfile::new(&path.to_string_lossy(), &String::from_utf8_lossy(&text)))
        };
        let dockerfile = self.dockerfile.as_ref().map(read).transpose()?;
        let current = std::env::current_dir().unwrap_or_default();
        let root = current.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&current).to_owned();
        Ok(Repository { root, current, dockerfile })
    }
}

fn render(
    format: Format,
    report: &Report,
    options: HumanOptions,
    repository: &Repository,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Sarif => report::sarif(report, repository, out),
        Format::Github => report::github(report, repository, out),
        Format::Gitlab => report::gitlab(report, repository, out),
        Format::Junit => report::junit(report, out),
        Format::Markdown => report::markdown(report, out),
        Format::Html => report::html(report, out),
        Format::Human => report::human(report, options, out),
        Format::Json => report::json(report, out),
    }
}
