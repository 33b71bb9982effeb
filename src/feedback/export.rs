//! What the log holds, written out. JSON lines hold all of it and can be read in again by another store; a training
//! export, and every CSV and Parquet file, is the table of shown songs.

use std::io::{self, Write};

use parquet::errors::ParquetError;
use serde::{Deserialize, Serialize};

use super::error::FeedbackError;
use super::event::{Event, Impression, Level, Platform, UnixMs};
use super::ids::{ImpressionId, UserKey};
use super::log::{FeedbackLog, Row};
use super::table::{self, ParquetTable};

/// Version of the lines; a reader takes its own and older ones. Version 2 says how chance made a slate, which a reader of
/// version 1 would lose without a word.
pub(super) const EXPORT_VERSION: u32 = 2;

/// Form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// One JSON object a line.
    Jsonl,
    /// A table as RFC 4180 has it, names first.
    Csv,
    /// A table for data frames.
    Parquet,
}

/// What goes into an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportOptions {
    /// Its form.
    pub format: ExportFormat,
    /// Only what training may use, as a table and without the hashes of people and communities.
    pub is_training: bool,
    /// In a training export: what came from Discord too, whatever was held to be permitted when it was stored. Only
    /// for those who hold Discord's permission.
    pub includes_discord: bool,
}

/// What an export came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Exported {
    /// Answers written.
    pub n_impressions: u64,
    /// Events written, or counted in the table.
    pub n_events: u64,
    /// Answers left out because training may not use them.
    pub n_left_out: u64,
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] FeedbackError),
    /// The file cannot be written.
    #[error("the export cannot be written")]
    Write(#[from] io::Error),
    /// The file cannot be written as Parquet.
    #[error("the export cannot be written as Parquet: {0}")]
    Parquet(String),
}

impl From<ParquetError> for ExportError {
    fn from(error: ParquetError) -> Self {
        Self::Parquet(error.to_string())
    }
}

/// A line of a JSON lines export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// The first one.
    Header { version: u32, store: ImpressionId, high_water: u64, user_key_check: Option<String> },
    /// What a person wishes.
    User { user: UserKey, level: Option<Level>, generation: u32, erased_at: Option<UnixMs> },
    /// An answer.
    Impression(Impression),
    /// An event.
    Event(Event),
    /// Likes and dislikes of a song that do not come from the events.
    Counts { song_id: String, up: u64, down: u64 },
    /// The last one; without it the file was cut off.
    End { n_lines: u64 },
}

/// Writes the log out.
///
/// # Errors
/// The log cannot be read or the output not written.
pub fn export<W: Write + Send>(log: &FeedbackLog, options: ExportOptions, mut out: W) -> Result<Exported, ExportError> {
    match options.format {
        ExportFormat::Jsonl if !options.is_training => export_lines(log, &mut out),
        ExportFormat::Jsonl => export_table(log, options, |cells| {
            serde_json::to_writer(&mut out, &table::to_json(cells)).map_err(io::Error::from)?;
            Ok(out.write_all(b"\n")?)
        }),
        ExportFormat::Csv => {
            table::write_csv_head(&mut out)?;
            export_table(log, options, |cells| Ok(table::write_csv_row(&mut out, &cells)?))
        }
        ExportFormat::Parquet => {
            let mut parquet = ParquetTable::new(out)?;
            let exported = export_table(log, options, |cells| Ok(parquet.push(cells)?))?;
            parquet.finish()?;
            Ok(exported)
        }
    }
}

fn export_table(
    log: &FeedbackLog,
    options: ExportOptions,
    mut write: impl FnMut(Vec<table::Cell>) -> Result<(), ExportError>,
) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    for row in log.iter() {
        let row = row?;
        if options.is_training && !may_train_on(&row, options.includes_discord) {
            exported.n_left_out += 1;
            continue;
        }
        exported.n_impressions += 1;
        exported.n_events += row.events.len() as u64;
        table::rows(&row, !options.is_training).try_for_each(&mut write)?;
    }
    Ok(exported)
}

/// Whether training may use an answer.
fn may_train_on(row: &Row, includes_discord: bool) -> bool {
    row.impression.may_train || (includes_discord && row.impression.platform == Platform::Discord)
}

fn export_lines(log: &FeedbackLog, out: &mut impl Write) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    let mut n_lines = 0;
    let mut write = |line: Line| -> Result<(), ExportError> {
        serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
        n_lines += 1;
        Ok(out.write_all(b"\n")?)
    };
    let about = log.about();
    write(Line::Header {
        version: EXPORT_VERSION,
        store: about.id,
        high_water: log.high_water_mark(),
        user_key_check: about.user_key_check.clone(),
    })?;
    for (user, state) in log.users()? {
        let level = state.level.map(|(level, _)| level);
        let erased_at = state.erased.map(|(time, _)| time);
        write(Line::User { user, level, generation: state.generation, erased_at })?;
    }
    for row in log.iter() {
        exported.n_impressions += 1;
        write(Line::Impression(row?.impression))?;
    }
    for event in log.events() {
        exported.n_events += 1;
        write(Line::Event(event?))?;
    }
    for (song_id, counts) in log.counts_without_events()? {
        write(Line::Counts { song_id, up: counts.up, down: counts.down })?;
    }
    let n_before = n_lines;
    serde_json::to_writer(&mut *out, &Line::End { n_lines: n_before }).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(exported)
}
