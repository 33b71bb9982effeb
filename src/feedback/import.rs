//! Reads a JSON lines export into a store. Doing it again changes nothing; what people erased or refused in this store
//! stays out.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, Sender, channel};

use serde::Serialize;

use super::error::FeedbackError;
use super::event::{Level, Receipt, UnixMs};
use super::export::{EXPORT_VERSION, Line};
use super::ids::{ID_BYTES, UserKey};
use super::log::{FeedbackLog, SongCounts};
use super::record::Totals;

/// Appends under way at a time: enough for large groups, far fewer than the log lets wait.
const MAX_UNDER_WAY: u64 = 512;
/// Longest line that is read; real ones are far below.
pub(super) const MAX_LINE_BYTES: usize = 1 << 20;

/// What an import came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Imported {
    /// Answers and events that are new here.
    pub n_stored: u64,
    /// That were here already.
    pub n_duplicates: u64,
    /// That are refused: erased here, too old, or more than their person allows.
    pub n_refused: u64,
    /// Songs whose counts came along.
    pub n_counted_songs: u64,
}

/// Why an import stopped. What came before stays; after mending the cause the whole file can be read again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("the export cannot be read")]
    Read(#[from] io::Error),
    /// A line is none of an export.
    #[error("line {line} is no line of a feedback export: {fault}")]
    BadLine {
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        fault: String,
    },
    /// The first line is not the header.
    #[error(
        "it does not begin with a header; only `image2song feedback export --format jsonl` without --training writes what can be read in"
    )]
    NoHeader,
    /// Written by a newer program.
    #[error("the export has version {found}, this program reads up to {known}; use the newer image2song that wrote it")]
    TooNew {
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// People are hashed with another key.
    #[error("the people in the export are hashed with another key than those of the store; give the store that key")]
    OtherKey,
    /// The last line is missing.
    #[error("the export was cut off after line {line}; all before it is read in, get the whole file for the rest")]
    CutOff {
        /// The last line.
        line: u64,
    },
    /// The store cannot be written.
    #[error(transparent)]
    Log(#[from] FeedbackError),
}

/// Reads an export into a store.
///
/// # Errors
/// The file cannot be read, is none of ours, is cut off, or the store cannot be written.
pub fn import(log: &FeedbackLog, input: impl BufRead) -> Result<Imported, ImportError> {
    let mut import = Import::new(log);
    let mut input = input;
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        let n_bytes = io::Read::take(&mut input, MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut text)?;
        if n_bytes == 0 {
            import.finish()?;
            return Err(if line == 1 { ImportError::NoHeader } else { ImportError::CutOff { line: line - 1 } });
        }
        if n_bytes > MAX_LINE_BYTES {
            return Err(ImportError::BadLine { line, fault: format!("it is longer than {MAX_LINE_BYTES} bytes") });
        }
        let parsed: Line = match serde_json::from_slice(&text) {
            Ok(parsed) => parsed,
            Err(_) if line == 1 => return Err(ImportError::NoHeader),
            // A line without its end is the last of a file that was cut off.
            Err(_) if !text.ends_with(b"\n") => {
                import.finish()?;
                return Err(ImportError::CutOff { line: line - 1 });
            }
            Err(error) => return Err(ImportError::BadLine { line, fault: error.to_string() }),
        };
        match (line, parsed) {
            (1, Line::Header { version, store, high_water, user_key_check }) => {
                import.check_header(version, user_key_check.as_deref())?;
                (import.origin, import.high_water) = (*store.as_bytes(), high_water);
            }
            (1, _) => return Err(ImportError::NoHeader),
            (_, Line::End { n_lines }) if n_lines + 1 == line => return import.end(),
            (_, Line::End { .. }) => return Err(ImportError::CutOff { line }),
            (_, parsed) => import.take(line, parsed)?,
        }
    }
    Err(ImportError::NoHeader)
}

/// An import under way.
struct Import<'a> {
    log: &'a FeedbackLog,
    origin: [u8; ID_BYTES],
    high_water: u64,
    totals: Totals,
    imported: Imported,
    n_under_way: u64,
    sender: Sender<Result<Receipt, FeedbackError>>,
    answers: Receiver<Result<Receipt, FeedbackError>>,
}

impl<'a> Import<'a> {
    fn new(log: &'a FeedbackLog) -> Self {
        let (sender, answers) = channel();
        Self {
            log,
            origin: [0; ID_BYTES],
            high_water: 0,
            totals: Totals::new(),
            imported: Imported::default(),
            n_under_way: 0,
            sender,
            answers,
        }
    }

    fn check_header(&self, version: u32, user_key_check: Option<&str>) -> Result<(), ImportError> {
        if version > EXPORT_VERSION {
            return Err(ImportError::TooNew { found: version, known: EXPORT_VERSION });
        }
        match (user_key_check, self.log.about().user_key_check.as_deref()) {
            (Some(theirs), Some(ours)) if theirs != ours => Err(ImportError::OtherKey),
            _ => Ok(()),
        }
    }

    fn take(&mut self, line: u64, parsed: Line) -> Result<(), ImportError> {
        match parsed {
            Line::Header { .. } | Line::End { .. } => {
                return Err(ImportError::BadLine { line, fault: "it may only be the first or last".to_owned() });
            }
            Line::User { user, level, erased_at, .. } => self.take_user(user, level, erased_at)?,
            Line::Impression(mut impression) => {
                impression.generation = self.log.generation(impression.user);
                let sender = self.sender.clone();
                self.log.append_impression(impression, Box::new(move |answer| drop(sender.send(answer))));
                self.count(1)?;
            }
            Line::Event(mut event) => {
                event.generation = self.log.generation(event.user);
                let sender = self.sender.clone();
                self.log.append_event(event, Box::new(move |answer| drop(sender.send(answer))));
                self.count(1)?;
            }
            Line::Counts { song_id, up, down } => self.totals.push((song_id, SongCounts { up, down })),
        }
        Ok(())
    }

    /// Takes over what a person wished there: an erasure that is newer than any here, a level if none was chosen here.
    fn take_user(
        &mut self,
        user: UserKey,
        level: Option<Level>,
        erased_at: Option<UnixMs>,
    ) -> Result<(), FeedbackError> {
        if let Some(erased_at) = erased_at
            && self.log.erased_at(user).is_none_or(|known| known < erased_at)
        {
            self.log.erase_user(user, erased_at)?;
        }
        match level {
            Some(level) if self.log.user_level(user).is_none() => self.log.set_user_level(user, level, UnixMs::now()),
            _ => Ok(()),
        }
    }

    /// Counts appends and takes the answers of earlier ones if many are under way.
    fn count(&mut self, n_more: u64) -> Result<(), FeedbackError> {
        self.n_under_way += n_more;
        while self.n_under_way >= MAX_UNDER_WAY {
            self.await_one()?;
        }
        Ok(())
    }

    fn await_one(&mut self) -> Result<(), FeedbackError> {
        self.n_under_way -= 1;
        let counter = match self.answers.recv().map_err(|_| FeedbackError::Closed)?? {
            Receipt::Stored | Receipt::Counted => &mut self.imported.n_stored,
            Receipt::Duplicate => &mut self.imported.n_duplicates,
            Receipt::NotKept | Receipt::TooLate => &mut self.imported.n_refused,
        };
        *counter += 1;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), FeedbackError> {
        while self.n_under_way > 0 {
            self.await_one()?;
        }
        Ok(())
    }

    /// Takes over the counts at the end, when the export is known to be whole.
    fn end(mut self) -> Result<Imported, ImportError> {
        self.finish()?;
        let is_own = self.origin == *self.log.about().id.as_bytes();
        if !is_own && !self.totals.is_empty() {
            self.imported.n_counted_songs = self.totals.len() as u64;
            self.log.import_totals(self.origin, self.high_water, self.totals)?;
        }
        Ok(self.imported)
    }
}
