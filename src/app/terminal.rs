//! The terminal: colour, width, progress.

use std::io::{IsTerminal, Stderr, Stdout, Write};
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::base::Progress;

use super::arguments::{Color, Common};

/// Work shorter than this needs no bar, which would only flicker.
const PATIENCE: Duration = Duration::from_millis(400);

/// How this run speaks to its terminal.
pub(super) struct Terminal {
    color: ColorChoice,
    bar: ProgressBar,
    /// Whether standard error is where a bar belongs.
    has_bar: bool,
    began: OnceLock<Instant>,
    shown: Once,
    notes: bool,
}

impl Terminal {
    /// As the arguments and the environment ask. The bar is drawn on a terminal only, and not in CI.
    pub(super) fn new(common: &Common) -> Self {
        let color = match common.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let has_bar = std::io::stderr().is_terminal() && !common.quiet && std::env::var_os("CI").is_none();
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        Self { color, bar, has_bar, began: OnceLock::new(), shown: Once::new(), notes: common.verbose }
    }

    /// Standard output, which drops styles where they are not wanted.
    pub(super) fn stdout(&self) -> AutoStream<Stdout> {
        AutoStream::new(std::io::stdout(), self.color)
    }

    /// Standard error, likewise.
    pub(super) fn stderr(&self) -> AutoStream<Stderr> {
        AutoStream::new(std::io::stderr(), self.color)
    }

    /// Draws the bar; without an end where no source said its size.
    fn show(&self) {
        let template = match self.bar.length() {
            None | Some(0) => "{spinner} {bytes} read, {bytes_per_sec}",
            Some(_) => "{bar:24} {bytes}/{total_bytes}, {bytes_per_sec}",
        };
        self.bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
    }

    /// Takes the progress bar away, before something else is printed.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Terminal {
    fn begin(&self, what: &str, bytes: Option<u64>) {
        self.began.get_or_init(Instant::now);
        self.bar.inc_length(bytes.unwrap_or(0));
        self.note(&format!("reading {what}"));
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        if self.has_bar && self.began.get().is_some_and(|began| began.elapsed() > PATIENCE) {
            self.shown.call_once(|| self.show());
        }
    }

    fn note(&self, message: &str) {
        if self.notes {
            // A standard error that cannot be written to has nothing to tell anyone.
            self.bar.suspend(|| drop(writeln!(self.stderr(), "note: {message}")));
        }
    }
}

/// Columns of the terminal, if standard output is one.
pub(super) fn width() -> Option<u16> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(terminal_size::Width(columns), _)| columns)
}
