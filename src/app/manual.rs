//! `enoexec completions` and `enoexec man`: the command line told to shells and to readers, from its one definition.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::arguments::Arguments;
use super::{Exit, Failure};

/// Prints what a shell needs to complete the command line.
pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "enoexec", &mut text);
    std::io::stdout().lock().write_all(&text).or_else(super::broken_pipe)?;
    Ok(Exit::Clean)
}

/// Prints the manual page, or writes those of all commands.
pub(super) fn pages(folder: Option<&Path>) -> Result<Exit, Failure> {
    let command = Arguments::command();
    if let Some(folder) = folder {
        let written = clap_mangen::generate_to(command, folder);
        written.map_err(|error| Failure::Look(format!("{}: {error}", folder.display())))?;
    } else {
        let mut text = Vec::new();
        Man::new(command).render(&mut text)?;
        std::io::stdout().lock().write_all(&text).or_else(super::broken_pipe)?;
    }
    Ok(Exit::Clean)
}
