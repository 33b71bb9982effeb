//! `report`: whether the songs work for the people who get them: a table, a page, or JSON.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::calendar::DAY_MS;
use crate::catalogue::load::Catalogue;
use crate::feedback::archive::Archive;
use crate::feedback::error::FeedbackError;
use crate::feedback::event::UnixMs;
use crate::feedback::store::STORE_KEY_VARIABLE;
use crate::report::build::{Period, Report};
use crate::report::date;
use crate::report::facets::Facets;
use crate::report::page::page;

use super::Outcome;
use super::args::GlobalArgs;
use super::catalog::CATALOGUE_DIR;
use super::fault::SetupFault;
use super::loading;
use super::output_json::write_line;
use super::report_table::ReportTable;
use super::secrets::secret;
use super::terminal::Terminal;

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song report --store feedback/
  image2song report --store feedback/ --since 90d --html report.html
  image2song report --feedback old.jsonl new.jsonl --since all --json

The store may be in use: nothing is locked and nothing is written into it. An encrypted one needs
IMAGE2SONG_STORE_KEY, or IMAGE2SONG_STORE_KEY_FILE. Exit code 1 if there is no answer in the period.
docs/REPORT.md says how each number is made.")]
pub struct ReportArgs {
    /// Folder of the store that `serve` keeps
    #[arg(long, value_name = "DIR", required_unless_present = "feedback")]
    store: Option<PathBuf>,
    /// Stores and JSON lines exports, read together
    #[arg(long, value_name = "DIR|FILE", num_args = 1.., conflicts_with = "store")]
    feedback: Vec<PathBuf>,
    /// Where the period begins: days (30d) or weeks (12w) before its end, a date, or all
    #[arg(long, value_name = "WHEN", default_value = "30d", value_parser = Since::parse)]
    since: Since,
    /// Last day of the period [default: today]
    #[arg(long, value_name = "DATE", value_parser = day_after)]
    until: Option<UnixMs>,
    /// Write a page with charts, in one file that needs no other
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// One JSON object instead of a table; docs/json.md describes it
    #[arg(long = "json")]
    is_json: bool,
}

/// Where a period begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    All,
    Days(u32),
    Date(UnixMs),
}

impl Since {
    fn parse(text: &str) -> Result<Self, String> {
        let n_days = |digits: &str, days: u32| {
            digits.parse::<u32>().ok().filter(|n| *n > 0).and_then(|n| n.checked_mul(days)).filter(|n| *n <= 36_500)
        };
        let days = match (text.strip_suffix('d'), text.strip_suffix('w')) {
            (Some(digits), _) => n_days(digits, 1),
            (_, Some(digits)) => n_days(digits, 7),
            _ => None,
        };
        let date = || date::parse(text).map(Self::Date);
        let all = (text == "all").then_some(Self::All);
        all.or(days.map(Self::Days)).or_else(date).ok_or_else(|| "it is like 30d, 12w, 2026-11-24 or all".to_owned())
    }

    /// How many days end with that moment; `None` for all.
    fn n_days(self, until: UnixMs) -> Option<u32> {
        match self {
            Self::All => None,
            Self::Days(n_days) => Some(n_days),
            Self::Date(from) => Some(until.0.saturating_sub(from.0).div_ceil(DAY_MS).max(1) as u32),
        }
    }
}

fn day_after(text: &str) -> Result<UnixMs, String> {
    let day = date::parse(text).ok_or_else(|| "it is a date like 2026-11-24".to_owned())?;
    Ok(UnixMs(day.0 + DAY_MS))
}

/// Reports on a period.
///
/// # Errors
/// There is no store or export, it cannot be read with the key given, there is no catalogue, or the page cannot be
/// written.
pub fn run(global: &GlobalArgs, args: &ReportArgs) -> anyhow::Result<Outcome> {
    let sources: Vec<PathBuf> = args.store.iter().chain(&args.feedback).cloned().collect();
    let key = secret(STORE_KEY_VARIABLE)?;
    let dir = loading::find(global.model.as_deref())?.join(CATALOGUE_DIR);
    let (archive, facets) = rayon::join(
        || Archive::read(&sources, key.as_ref()).map_err(fault),
        || Ok::<_, SetupFault>(Facets::of(&Catalogue::load(&dir).map_err(SetupFault::from_error)?)),
    );
    let (archive, facets) = (archive?, facets?);
    let until = args.until.unwrap_or_else(UnixMs::now);
    let report = Report::new(&archive, &facets, Period { n_days: args.since.n_days(until), until });
    if let Some(path) = &args.html {
        let text = page(&report)?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut out = io::stdout().lock();
    if args.is_json {
        write_line(&mut out, &report)?;
    } else {
        write!(out, "{}", ReportTable::new(Terminal::stdout()).text(&report))?;
        if let Some(path) = &args.html {
            writeln!(out, "The page is in {}.", path.display())?;
        }
    }
    Ok(if report.is_empty() { Outcome::Failed } else { Outcome::Done })
}

/// Tells sources that cannot be read as they were asked for from those that fail.
fn fault(error: FeedbackError) -> anyhow::Error {
    match error {
        FeedbackError::NoStore { .. }
        | FeedbackError::WrongKey { .. }
        | FeedbackError::KeyMissing { .. }
        | FeedbackError::BadExport { .. } => SetupFault::from_error(error).into(),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read() {
        let until = day_after("2026-11-24").unwrap();
        let days = |text: &str| Since::parse(text).map(|since| since.n_days(until));
        assert_eq!(days("30d"), Ok(Some(30)));
        assert_eq!(days("2w"), Ok(Some(14)));
        assert_eq!(days("2026-11-20"), Ok(Some(5)));
        assert_eq!(days("2026-12-24"), Ok(Some(1)));
        assert_eq!(days("all"), Ok(None));
        for text in ["", "d", "0d", "-3d", "30", "4294967295w", "1h", "2026-11-31", "ä"] {
            assert!(days(text).is_err(), "{text}");
        }
    }
}
