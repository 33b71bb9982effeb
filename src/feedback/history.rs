//! All rows of stores and exports in memory, for whoever goes over them again and again, as training does. Whoever reads
//! each once takes an [`Archive`], which needs a third of the memory.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rayon::prelude::*;
use secrecy::SecretString;

use super::archive::{Archive, Source};
use super::error::FeedbackError;
use super::log::{Row, SongCounts};

/// How a history is read.
#[derive(Debug, Clone, Default)]
pub struct HistoryOptions {
    /// The key of those stores that are encrypted.
    pub store_key: Option<SecretString>,
}

/// What stores and exports hold together; see [`Archive::read`] for what counts when they disagree.
#[derive(Debug, Clone)]
pub struct History {
    /// Answers in the order of their ids, with their events in the order of theirs and what they come to.
    pub rows: Vec<Row>,
    /// Likes and dislikes by song that come without a person, not those of the rows.
    pub counts: BTreeMap<String, SongCounts>,
    /// Where it is from, in the order of the stores and their marks.
    pub sources: Vec<Source>,
    /// The largest number of a record in any source. With several stores it takes the marks of all sources to say how
    /// far this goes.
    pub high_water_mark: u64,
    /// Damaged places and records, which are passed over.
    pub n_damaged: u64,
}

impl History {
    /// Reads sources: folders of stores, also one that a running process writes, and JSON lines exports. Takes about
    /// 500 bytes for an event and 1 kB for an answer; nothing is written and nothing locked.
    ///
    /// # Errors
    /// A source is neither a store nor a whole export, is of a newer version, a key is wrong or missing, or a file
    /// cannot be read.
    pub fn read(sources: &[PathBuf], options: &HistoryOptions) -> Result<Self, FeedbackError> {
        let archive = Archive::read(sources, options.store_key.as_ref())?;
        let rows = (0..archive.len()).into_par_iter().map(|idx| archive.row(idx)).collect();
        let n_damaged = archive.n_damaged();
        let high_water_mark = archive.sources.iter().map(|source| source.high_water_mark).max().unwrap_or_default();
        Ok(Self { rows, counts: archive.counts, sources: archive.sources, high_water_mark, n_damaged })
    }
}
