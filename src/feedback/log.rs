//! [`FeedbackLog`]: the one way into the log.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::SecretString;
use serde::Serialize;

use super::error::FeedbackError;
use super::event::{Event, Impression, Level, Receipt, UnixMs};
use super::ids::{ImpressionId, KeyHasher, UserKey};
use super::opinion::SlateState;

/// Called once with what became of an append, on the log's own thread: hand it on and return at once.
pub type Acknowledge = Box<dyn FnOnce(Result<Receipt, FeedbackError>) + Send>;

/// How a log is opened.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// The key of the hashes of people and communities; only its check value is stored. Without it nothing can be
    /// hashed here, but a store can be read.
    pub user_key: Option<SecretString>,
    /// The key that encrypts the values; without it they are stored plain.
    pub store_key: Option<SecretString>,
    /// Whether a store is made where there is none.
    pub may_create: bool,
    /// Whether embeddings are kept.
    pub keeps_embeddings: bool,
    /// Whether Discord's permission to train on what comes from it is held.
    pub has_discord_permission: bool,
    /// Days after which answers and presses are forgotten by [`FeedbackLog::sweep`].
    pub retention_days: u32,
    /// Days for which the mark is kept that lets a like at `Level::Counts` be changed, and tells its repeats.
    pub mark_days: u32,
    /// Bytes of a journal file, reserved when it is begun.
    pub segment_bytes: u64,
    /// Bytes of the index kept in memory.
    pub cache_bytes: u64,
    /// Appends that may wait; more are answered `FeedbackError::Busy` at once.
    pub max_waiting: usize,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            user_key: None,
            store_key: None,
            may_create: true,
            keeps_embeddings: false,
            has_discord_permission: false,
            retention_days: 180,
            mark_days: 30,
            segment_bytes: 16 << 20,
            cache_bytes: 64 << 20,
            max_waiting: 4096,
        }
    }
}

/// Likes and dislikes of a song.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SongCounts {
    /// People and answers that like it.
    pub up: u64,
    /// That dislike it.
    pub down: u64,
}

/// An answer with all that was done with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The answer.
    pub impression: Impression,
    /// Its events in the order of their ids.
    pub events: Vec<Event>,
    /// What they come to.
    pub state: SlateState,
}

/// What the log holds and what it has done since it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LogStats {
    /// Answers kept.
    pub n_impressions: u64,
    /// Events kept.
    pub n_events: u64,
    /// Songs with a count.
    pub n_songs: u64,
    /// People who chose a level or erased their data.
    pub n_users: u64,
    /// Bytes of the journal files.
    pub journal_bytes: u64,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// Number of the last durable record.
    pub high_water_mark: u64,
    /// What happened since the log was opened.
    pub counters: LogCounters,
}

/// What happened since the log was opened; cheap to take, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LogCounters {
    /// Appends that are durable.
    pub n_stored: u64,
    /// Appends that were there already.
    pub n_duplicates: u64,
    /// Appends that the level or an erasure forbids.
    pub n_not_kept: u64,
    /// Appends that failed.
    pub n_failed: u64,
    /// Groups that were written.
    pub n_groups: u64,
    /// How often the index was set aside and rebuilt from the journal.
    pub n_rebuilt: u64,
    /// Damaged journal records that were passed over.
    pub n_damaged: u64,
}

/// The feedback log. A clone is another handle on the same log; the last one that goes closes it, after all that waits
/// is durable. Everything but the `append_…` methods blocks (most of it for a few milliseconds): from asynchronous code
/// call it where blocking is allowed.
#[derive(Clone)]
pub struct FeedbackLog {}

impl FeedbackLog {
    /// Opens the store in a folder, making it if there is none, and brings its index up to date with its journal.
    ///
    /// # Errors
    /// Another process has it, a key is wrong or missing, it was written by a newer program, or its files cannot be
    /// used.
    pub fn open(dir: &Path, options: LogOptions) -> Result<Self, FeedbackError> {
        let _ = (dir, options);
        Err(FeedbackError::Closed)
    }

    /// The hasher of the operator's key; `None` if the log was opened without one.
    pub fn hasher(&self) -> Option<&KeyHasher> {
        None
    }

    /// Writes an answer down. Returns at once; `acknowledge` is called when it is durable, or why it is not.
    pub fn append_impression(&self, impression: Impression, acknowledge: Acknowledge) {
        let _ = impression;
        acknowledge(Err(FeedbackError::Closed));
    }

    /// Writes an event down. Returns at once; `acknowledge` is called when it is durable, or why it is not.
    pub fn append_event(&self, event: Event, acknowledge: Acknowledge) {
        let _ = event;
        acknowledge(Err(FeedbackError::Closed));
    }

    /// Like [`Self::append_impression`], but waits.
    ///
    /// # Errors
    /// It could not be made durable, or is too large; then nothing of it is kept.
    pub fn record_impression(&self, impression: Impression) -> Result<Receipt, FeedbackError> {
        let _ = impression;
        Err(FeedbackError::Closed)
    }

    /// Like [`Self::append_event`], but waits.
    ///
    /// # Errors
    /// As [`Self::record_impression`].
    pub fn record_event(&self, event: Event) -> Result<Receipt, FeedbackError> {
        let _ = event;
        Err(FeedbackError::Closed)
    }

    /// The most that a person allows; `None` if that person never chose, which leaves it to the community. Answers from
    /// memory.
    pub fn user_level(&self, user: UserKey) -> Option<Level> {
        let _ = user;
        None
    }

    /// How often a person had everything erased; goes into what is written for that person. Answers from memory.
    pub fn generation(&self, user: UserKey) -> u32 {
        let _ = user;
        0
    }

    /// Keeps a person's choice, durably. It holds for what is appended from now on; it erases nothing.
    ///
    /// # Errors
    /// It could not be made durable.
    pub fn set_user_level(&self, user: UserKey, level: Level, now: UnixMs) -> Result<(), FeedbackError> {
        let _ = (user, level, now);
        Err(FeedbackError::Closed)
    }

    /// All that is kept of a person.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn export_user(&self, user: UserKey) -> Result<serde_json::Value, FeedbackError> {
        let _ = user;
        Err(FeedbackError::Closed)
    }

    /// Deletes all answers to a person and all that person's events, from the index and the journal, and refuses what
    /// was begun before `now` and comes later. The person's chosen level stays. Returns how many rows went.
    ///
    /// # Errors
    /// It could not be made durable; what was not deleted yet goes when it is called again or the log is opened anew.
    pub fn erase_user(&self, user: UserKey, now: UnixMs) -> Result<u64, FeedbackError> {
        let _ = (user, now);
        Err(FeedbackError::Closed)
    }

    /// Forgets what is older than the retention of the options; call it daily. Returns how many rows went.
    ///
    /// # Errors
    /// It could not be made durable.
    pub fn sweep(&self, now: UnixMs) -> Result<u64, FeedbackError> {
        let _ = now;
        Err(FeedbackError::Closed)
    }

    /// An answer with all that was done with it; `None` if it is not kept.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn impression(&self, id: ImpressionId) -> Result<Option<Row>, FeedbackError> {
        let _ = id;
        Err(FeedbackError::Closed)
    }

    /// Likes and dislikes by song id, of all levels.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn counts(&self) -> Result<BTreeMap<String, SongCounts>, FeedbackError> {
        Err(FeedbackError::Closed)
    }

    /// All answers in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = Result<Row, FeedbackError>> + use<> {
        std::iter::empty()
    }

    /// What the log holds. Reads the whole index: not for every request.
    ///
    /// # Errors
    /// The index or the folder cannot be read.
    pub fn stats(&self) -> Result<LogStats, FeedbackError> {
        Err(FeedbackError::Closed)
    }

    /// What happened since the log was opened. Answers from memory.
    pub fn counters(&self) -> LogCounters {
        LogCounters::default()
    }

    /// Number of the last durable record. Answers from memory.
    pub fn high_water_mark(&self) -> u64 {
        0
    }
}
