//! What standard output can show: its width, styles, and links that hide behind a word.

use std::env;
use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};

/// Width for output that goes to a file or a pipe.
const PLAIN_WIDTH: usize = 100;
/// Widest text that is still easy to read.
const MAX_WIDTH: usize = 110;
const MIN_WIDTH: usize = 30;

/// What the place that text goes to can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Columns to fill.
    pub width: usize,
    /// Whether bold, italics and colors are shown.
    pub is_styled: bool,
    /// Whether a word can carry a link (OSC 8).
    pub has_links: bool,
}

impl Terminal {
    /// Standard output as it is now. `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_HYPERLINK` and `COLUMNS` are obeyed.
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        let is_styled = AutoStream::choice(&stdout) != ColorChoice::Never;
        let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let measured = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
        let width = columns.or(measured).map_or(PLAIN_WIDTH, |width| width.clamp(MIN_WIDTH, MAX_WIDTH));
        Self { width, is_styled, has_links: shows_links(stdout.is_terminal(), |name| env::var(name).ok()) }
    }
}

/// True if standard error shows colors.
pub fn stderr_has_color() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// True for terminals that let a word carry a link. Nearly all do today, and it cannot be asked for, so the few that are
/// known not to are named.
fn shows_links(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    if let Some(forced) = variable("FORCE_HYPERLINK") {
        return forced != "0";
    }
    let has = |name: &str, values: &[&str]| variable(name).is_some_and(|value| values.contains(&value.as_str()));
    let is_old_vte = variable("VTE_VERSION").and_then(|version| version.parse::<u32>().ok()).is_some_and(|v| v < 5000);
    is_terminal
        && !is_old_vte
        && variable("XTERM_VERSION").is_none()
        && !has("TERM", &["", "dumb", "linux", "vt100", "vt220", "screen"])
        && !has("TERM_PROGRAM", &["Apple_Terminal"])
}

/// A bar of steps on standard error with the time left; hidden where that is no terminal.
pub fn progress_bar() -> indicatif::ProgressBar {
    let bar =
        if std::io::stderr().is_terminal() { indicatif::ProgressBar::new(0) } else { indicatif::ProgressBar::hidden() };
    let style = indicatif::ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {eta} left, {msg}");
    bar.with_style(style.expect("the template is well-formed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_for_terminals_that_show_them() {
        let with = |is_terminal, name: &'static str, value: &'static str| {
            shows_links(is_terminal, |asked| (asked == name).then(|| value.to_owned()))
        };
        assert!(with(true, "TERM", "xterm-256color"));
        assert!(!with(false, "TERM", "xterm-256color"));
        assert!(!with(true, "TERM", "linux"));
        assert!(!with(true, "TERM_PROGRAM", "Apple_Terminal"));
        assert!(with(true, "VTE_VERSION", "6003"));
        assert!(!with(true, "VTE_VERSION", "4999"));
        assert!(with(false, "FORCE_HYPERLINK", "1"));
        assert!(!with(true, "FORCE_HYPERLINK", "0"));
    }
}
