//! [`FeedbackLog`]: the one way into the log.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, channel, sync_channel};
use std::thread::{self, JoinHandle};

use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;

use super::apply;
use super::error::FeedbackError;
use super::event::{Event, Impression, Level, Receipt, UnixMs};
use super::ids::{ID_BYTES, ImpressionId, KeyHasher, UserKey};
use super::index::{self, COUNTS, EVENT, EVENT_MARK, IMPRESSION, Index, OWNED, USER, UserState};
use super::opinion::SlateState;
use super::record::Totals;
use super::storage::{Disk, Storage};
use super::store::{self, About, Folder};
use super::writer::{Shared, Work, Writer};

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
pub struct FeedbackLog {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    folder: Folder,
    /// `None` only while the log closes.
    sender: Option<SyncSender<Work>>,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(writer) = self.writer.take()
            // The last handle may go inside an acknowledgement, on the writer's own thread, which ends by itself then.
            && writer.thread().id() != thread::current().id()
            && writer.join().is_err()
        {
            tracing::error!("the feedback log's thread ended in a panic");
        }
    }
}

impl FeedbackLog {
    /// Opens the store in a folder, making it if there is none, and brings its index up to date with its journal.
    ///
    /// # Errors
    /// Another process has it, a key is wrong or missing, it was written by a newer program, or its files cannot be
    /// used.
    pub fn open(dir: &Path, options: LogOptions) -> Result<Self, FeedbackError> {
        Self::open_on(Box::new(Disk), dir, options)
    }

    pub(super) fn open_on(storage: Box<dyn Storage>, dir: &Path, options: LogOptions) -> Result<Self, FeedbackError> {
        let folder = Folder::open(dir, &options)?;
        let opened = store::open(&folder, storage, &options)?;
        let (sender, receiver) = sync_channel(options.max_waiting);
        let (writer, shared) = Writer::new(opened, folder.seal.clone(), options);
        let writer = thread::Builder::new()
            .name("feedback-log".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|source| FeedbackError::io(dir, source))?;
        let inner = Inner { shared, folder, sender: Some(sender), writer: Some(writer) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The hasher of the operator's key; `None` if the log was opened without one.
    pub fn hasher(&self) -> Option<&KeyHasher> {
        self.inner.folder.hasher.as_ref()
    }

    /// Writes an answer down. Returns at once; `acknowledge` is called when it is durable, or why it is not. That is on
    /// the log's thread, or on this one if the log is too busy to take it.
    pub fn append_impression(&self, impression: Impression, acknowledge: Acknowledge) {
        self.offer(Work::Impression(Box::new(impression), acknowledge));
    }

    /// Writes an event down, as [`Self::append_impression`] does an answer. It may come before its impression.
    pub fn append_event(&self, event: Event, acknowledge: Acknowledge) {
        self.offer(Work::Event(Box::new(event), acknowledge));
    }

    fn offer(&self, work: Work) {
        let (work, error) = match self.inner.sender.as_ref().map(|sender| sender.try_send(work)) {
            Some(Err(TrySendError::Full(work))) => (work, FeedbackError::Busy),
            Some(Err(TrySendError::Disconnected(work))) => (work, FeedbackError::Closed),
            Some(Ok(())) | None => return,
        };
        if let Work::Impression(_, acknowledge) | Work::Event(_, acknowledge) = work {
            let answer = Err(error);
            self.inner.shared.count_answer(&answer);
            acknowledge(answer);
        }
    }

    /// Like [`Self::append_impression`], but waits, also for its turn.
    ///
    /// # Errors
    /// It could not be made durable, or is too large; then nothing of it is kept.
    pub fn record_impression(&self, impression: Impression) -> Result<Receipt, FeedbackError> {
        self.wait(|acknowledge| Work::Impression(Box::new(impression), acknowledge))
    }

    /// Like [`Self::append_event`], but waits, also for its turn.
    ///
    /// # Errors
    /// As [`Self::record_impression`].
    pub fn record_event(&self, event: Event) -> Result<Receipt, FeedbackError> {
        self.wait(|acknowledge| Work::Event(Box::new(event), acknowledge))
    }

    /// Gives work to the writer and waits for its answer.
    fn wait<T: Send + 'static>(
        &self,
        work: impl FnOnce(Box<dyn FnOnce(Result<T, FeedbackError>) + Send>) -> Work,
    ) -> Result<T, FeedbackError> {
        let (sender, receiver) = channel();
        let work = work(Box::new(move |answer| {
            // Nobody waits any more only if the asking thread panicked.
            let _ = sender.send(answer);
        }));
        let queue = self.inner.sender.as_ref().ok_or(FeedbackError::Closed)?;
        queue.send(work).map_err(|_| FeedbackError::Closed)?;
        receiver.recv().map_err(|_| FeedbackError::Closed)?
    }

    fn task<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Writer) -> Result<T, FeedbackError> + Send + 'static,
    ) -> Result<T, FeedbackError> {
        self.wait(|answer| Work::Task(Box::new(move |writer: &mut Writer| answer(task(writer)))))
    }

    /// The most that a person allows; `None` if that person never chose, which leaves it to the community. Answers from
    /// memory.
    pub fn user_level(&self, user: UserKey) -> Option<Level> {
        self.inner.shared.user(user).level.map(|(level, _)| level)
    }

    /// How often a person had everything erased; goes into what is written for that person. Answers from memory.
    pub fn generation(&self, user: UserKey) -> u32 {
        self.inner.shared.user(user).generation
    }

    /// When a person last had everything erased. Answers from memory.
    pub(super) fn erased_at(&self, user: UserKey) -> Option<UnixMs> {
        self.inner.shared.user(user).erased.map(|(time, _)| time)
    }

    /// Keeps a person's choice, durably; `None` takes it back and leaves it to the community. It holds for what is
    /// appended from now on; it erases nothing.
    ///
    /// # Errors
    /// It could not be made durable.
    pub fn set_user_level(
        &self,
        user: UserKey,
        level: impl Into<Option<Level>>,
        now: UnixMs,
    ) -> Result<(), FeedbackError> {
        let level = level.into();
        self.task(move |writer| writer.set_user_level(user, level, now))
    }

    /// All that is kept of a person: an object with `level`, `generation`, `erased_at`, `impressions` and `events`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn export_user(&self, user: UserKey) -> Result<serde_json::Value, FeedbackError> {
        let index = &self.inner.shared.index;
        let (mut impressions, mut events) = (Vec::new(), Vec::new());
        let prefix = index::key(OWNED, &[user.as_bytes()]);
        for entry in index.scan(&prefix) {
            let id = entry?.0[prefix.len()..].to_vec();
            let Some(value) = index.get(&id)? else { continue };
            match id.first() {
                Some(&IMPRESSION) => impressions.push(index::decode_impression(&value)?),
                _ => events.push(index::decode_event(&value)?),
            }
        }
        let state = self.inner.shared.user(user);
        Ok(json!({
            "level": state.level.map(|(level, _)| level),
            "generation": state.generation,
            "erased_at": state.erased.map(|(time, _)| time),
            "impressions": impressions,
            "events": events,
        }))
    }

    /// Deletes all answers to a person and all that person's events, from the index and the journal, and refuses what
    /// was begun before `now` and comes later. The person's chosen level stays. Returns how many rows went.
    ///
    /// # Errors
    /// It could not be made durable; what was not deleted yet goes when it is called again or the log is opened anew.
    pub fn erase_user(&self, user: UserKey, now: UnixMs) -> Result<u64, FeedbackError> {
        self.task(move |writer| writer.erase_user(user, now))
    }

    /// Forgets what is older than the retention of the options; call it daily. Returns how many rows went.
    ///
    /// # Errors
    /// It could not be made durable.
    pub fn sweep(&self, now: UnixMs) -> Result<u64, FeedbackError> {
        self.task(move |writer| writer.sweep(now))
    }

    /// An answer with all that was done with it; `None` if it is not kept.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn impression(&self, id: ImpressionId) -> Result<Option<Row>, FeedbackError> {
        let index = &self.inner.shared.index;
        index.impression(id)?.map(|impression| row(index, impression)).transpose()
    }

    /// Likes and dislikes by song id, of all levels.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn counts(&self) -> Result<BTreeMap<String, SongCounts>, FeedbackError> {
        self.inner.shared.index.counts().collect()
    }

    /// All answers in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = Result<Row, FeedbackError>> + use<> {
        // The iterator holds the log open: a store must not be opened anew while its index is still read.
        let inner = Arc::clone(&self.inner);
        let entries = inner.shared.index.scan(&[IMPRESSION]);
        entries.map(move |entry| row(&inner.shared.index, index::decode_impression(&entry?.1)?))
    }

    /// All events in the order of their answers, those included whose answer is not kept.
    pub fn events(&self) -> impl Iterator<Item = Result<Event, FeedbackError>> + use<> {
        let inner = Arc::clone(&self.inner);
        inner.shared.index.scan(&[EVENT]).map(move |entry| {
            let _held_open = &inner;
            index::decode_event(&entry?.1)
        })
    }

    /// The wishes of all people who have any.
    pub(super) fn users(&self) -> Result<Vec<(UserKey, UserState)>, FeedbackError> {
        self.inner.shared.index.users().collect()
    }

    /// The counts that do not come from the events which are kept.
    pub(super) fn counts_without_events(&self) -> Result<Totals, FeedbackError> {
        apply::counts_apart_from(&self.inner.shared.index, &[(EVENT_MARK, UnixMs(0))])
    }

    /// Takes in the counts of another store up to one of its records; older ones than before change nothing.
    pub(super) fn import_totals(
        &self,
        origin: [u8; ID_BYTES],
        high_water: u64,
        totals: Totals,
    ) -> Result<(), FeedbackError> {
        self.task(move |writer| writer.import_totals(origin, high_water, totals))
    }

    /// What the store says about itself.
    pub(super) fn about(&self) -> &About {
        &self.inner.folder.about
    }

    /// What the log holds. Reads the whole index: not for every request.
    ///
    /// # Errors
    /// The index or the folder cannot be read.
    pub fn stats(&self) -> Result<LogStats, FeedbackError> {
        let shared = &self.inner.shared;
        Ok(LogStats {
            n_impressions: shared.index.count(IMPRESSION)?,
            n_events: shared.index.count(EVENT)?,
            n_songs: shared.index.count(COUNTS)?,
            n_users: shared.index.count(USER)?,
            journal_bytes: shared.journal_bytes.load(Ordering::Relaxed),
            index_bytes: shared.index.n_bytes()?,
            high_water_mark: self.high_water_mark(),
            counters: self.counters(),
        })
    }

    /// What happened since the log was opened. Answers from memory.
    pub fn counters(&self) -> LogCounters {
        self.inner.shared.counters()
    }

    /// Number of the last durable record. Answers from memory.
    pub fn high_water_mark(&self) -> u64 {
        self.inner.shared.high_water.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for FeedbackLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedbackLog").field("dir", &self.inner.folder.dir).finish_non_exhaustive()
    }
}

fn row(index: &Index, impression: Impression) -> Result<Row, FeedbackError> {
    let events = index.events(impression.id)?;
    let state = SlateState::of(&events);
    Ok(Row { impression, events, state })
}
