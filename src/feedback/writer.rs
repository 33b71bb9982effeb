//! The one thread that writes. It takes what is waiting, writes it to the journal in one go, applies it to the index, and
//! only then acknowledges: what was acknowledged is durable, and whoever asks next finds it.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError, RwLock};

use super::apply::{apply_all, counts_apart_from, is_known_vote};
use super::error::FeedbackError;
use super::event::{Event, Impression, Level, Platform, Receipt, UnixMs};
use super::ids::{ID_BYTES, Mark, UserKey};
use super::index::{EVENT_MARK, Index, SweptState, UserState, VOTE_MARK, event_key, impression_key};
use super::journal::Journal;
use super::log::{Acknowledge, LogCounters, LogOptions};
use super::opinion::{Stamp, is_vote};
use super::record::{Record, Totals};
use super::seal::Seal;
use super::store::{self, Opened};

/// Appends written together at most: enough to hide the cost of a sync, few enough to keep the wait short.
const MAX_GROUP: usize = 512;
/// Bytes of an answer or event at most; real ones have a few hundred, with an embedding a few thousand.
const MAX_RECORD_BYTES: usize = 64 << 10;

/// What waits for the writer.
pub(super) enum Work {
    /// An answer.
    Impression(Box<Impression>, Acknowledge),
    /// An event.
    Event(Box<Event>, Acknowledge),
    /// Anything else; gives its own answer.
    Task(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// What the writer and all handles share.
pub(super) struct Shared {
    pub(super) index: Index,
    users: RwLock<HashMap<UserKey, UserState>>,
    pub(super) high_water: AtomicU64,
    pub(super) journal_bytes: AtomicU64,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    n_stored: AtomicU64,
    n_duplicates: AtomicU64,
    n_not_kept: AtomicU64,
    n_failed: AtomicU64,
    n_groups: AtomicU64,
    n_rebuilt: AtomicU64,
    n_damaged: AtomicU64,
}

impl Shared {
    /// What is known of a person's wishes.
    pub(super) fn user(&self, user: UserKey) -> UserState {
        // A panic elsewhere leaves the map whole: every change to it is one insertion.
        self.users.read().unwrap_or_else(PoisonError::into_inner).get(&user).copied().unwrap_or_default()
    }

    fn change_user(&self, user: UserKey, change: impl FnOnce(&mut UserState)) {
        change(self.users.write().unwrap_or_else(PoisonError::into_inner).entry(user).or_default());
    }

    pub(super) fn counters(&self) -> LogCounters {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LogCounters {
            n_stored: get(&self.counters.n_stored),
            n_duplicates: get(&self.counters.n_duplicates),
            n_not_kept: get(&self.counters.n_not_kept),
            n_failed: get(&self.counters.n_failed),
            n_groups: get(&self.counters.n_groups),
            n_rebuilt: get(&self.counters.n_rebuilt),
            n_damaged: get(&self.counters.n_damaged),
        }
    }

    pub(super) fn count_answer(&self, answer: &Result<Receipt, FeedbackError>) {
        let counter = match answer {
            Ok(Receipt::Stored | Receipt::Counted) => &self.counters.n_stored,
            Ok(Receipt::Duplicate) => &self.counters.n_duplicates,
            Ok(Receipt::NotKept | Receipt::TooLate) => &self.counters.n_not_kept,
            Err(_) => &self.counters.n_failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The writer's own things.
pub(super) struct Writer {
    journal: Journal,
    shared: Arc<Shared>,
    seal: Seal,
    swept: SweptState,
    options: LogOptions,
    /// Whether the index lacks records that the journal has.
    is_behind: bool,
}

/// What is to become of an append.
enum Plan {
    /// It needs no writing.
    Answer(Receipt),
    /// It is to be written; the key tells repeats in the same group.
    Write(Box<Record>, Vec<u8>, Receipt),
}

impl Writer {
    pub(super) fn new(opened: Opened, seal: Seal, options: LogOptions) -> (Self, Arc<Shared>) {
        let Opened { journal, index, users, swept, n_rebuilt, n_damaged } = opened;
        let counters = Counters { n_rebuilt: n_rebuilt.into(), n_damaged: n_damaged.into(), ..Counters::default() };
        let shared = Arc::new(Shared {
            index,
            users: RwLock::new(users),
            high_water: journal.last_sequence().into(),
            journal_bytes: journal.n_bytes().into(),
            counters,
        });
        (Self { journal, shared: Arc::clone(&shared), seal, swept, options, is_behind: false }, shared)
    }

    /// Works until all handles are gone.
    pub(super) fn run(mut self, receiver: &Receiver<Work>) {
        while let Ok(first) = receiver.recv() {
            let mut group = Vec::new();
            let mut task = None;
            let mut next = Some(first);
            while let Some(work) = next {
                match work {
                    Work::Task(work) => {
                        task = Some(work);
                        break;
                    }
                    work => group.push(work),
                }
                next = if group.len() < MAX_GROUP { receiver.try_recv().ok() } else { None };
            }
            // A panic fails what it hit and not the log: whoever waits for it sees that its answer never comes.
            let worked = catch_unwind(AssertUnwindSafe(|| {
                self.append(group);
                task.into_iter().for_each(|task| task(&mut self));
            }));
            if worked.is_err() {
                tracing::error!("the feedback log failed on a group of writes; they were not acknowledged");
                self.is_behind = true;
            }
        }
        if let Err(error) = self.shared.index.flush() {
            tracing::warn!(%error, "the index could not be flushed; the next start replays the journal");
        }
    }

    /// Writes a group and acknowledges it.
    fn append(&mut self, group: Vec<Work>) {
        self.mend();
        let mut records = Vec::new();
        let mut keys = HashSet::new();
        let mut answers: Vec<(Acknowledge, Result<Receipt, FeedbackError>, bool)> = Vec::new();
        for work in group {
            let (plan, acknowledge) = match work {
                Work::Impression(impression, acknowledge) => (self.plan_impression(*impression), acknowledge),
                Work::Event(event, acknowledge) => (self.plan_event(*event), acknowledge),
                Work::Task(_) => continue,
            };
            match plan {
                Err(error) => answers.push((acknowledge, Err(error), false)),
                Ok(Plan::Answer(receipt)) => answers.push((acknowledge, Ok(receipt), false)),
                Ok(Plan::Write(record, key, receipt)) => {
                    let is_new = keys.insert(key);
                    answers.push((acknowledge, Ok(if is_new { receipt } else { Receipt::Duplicate }), true));
                    if is_new {
                        records.push(*record);
                    }
                }
            }
        }
        let written = if records.is_empty() { Ok(0) } else { self.write(records) };
        for (acknowledge, mut answer, needs_write) in answers {
            if let (true, Err(error)) = (needs_write, &written) {
                answer = Err(error.clone());
            }
            self.shared.count_answer(&answer);
            if catch_unwind(AssertUnwindSafe(|| acknowledge(answer))).is_err() {
                tracing::error!("a receiver of an acknowledgement panicked");
            }
        }
    }

    /// Makes records durable and applies them; gives how many rows went away by them.
    fn write(&mut self, records: Vec<Record>) -> Result<u64, FeedbackError> {
        let first = self.journal.next_sequence();
        let records: Vec<(u64, Record)> = (first..).zip(records).collect();
        let payloads: Vec<Vec<u8>> =
            records.iter().map(|(sequence, record)| store::close_record(&self.seal, *sequence, record)).collect();
        self.journal.append(&payloads)?;
        self.shared.high_water.store(self.journal.last_sequence(), Ordering::Relaxed);
        self.shared.counters.n_groups.fetch_add(1, Ordering::Relaxed);
        if self.is_behind {
            return Ok(0);
        }
        match apply_all(&self.shared.index, &records) {
            Ok(n_removed) => Ok(n_removed),
            Err(error) => {
                // The journal has them, so they are safe; the index gets them when it works again.
                tracing::error!(%error, "the index fell behind the journal");
                self.is_behind = true;
                Ok(0)
            }
        }
    }

    /// Brings an index that fell behind up to date, if it works again.
    fn mend(&mut self) {
        if self.is_behind {
            match store::catch_up(&self.journal, &self.shared.index, &self.seal) {
                Ok(_) => self.is_behind = false,
                Err(error) => tracing::error!(%error, "the index is still behind the journal"),
            }
        }
    }

    fn plan_impression(&self, mut impression: Impression) -> Result<Plan, FeedbackError> {
        let user = self.shared.user(impression.user);
        if impression.level.min(allowed(user)) < Level::Training {
            return Ok(Plan::Answer(Receipt::NotKept));
        }
        if is_late(user, impression.generation, impression.time) || impression.time < self.swept.before {
            return Ok(Plan::Answer(Receipt::TooLate));
        }
        let scores = impression.slate.iter().flat_map(|shown| [shown.score, shown.propensity]);
        let probs = impression.tags.iter().map(|tag| tag.prob);
        if !scores.chain(probs).chain(impression.embedding.iter().flatten().copied()).all(f32::is_finite) {
            return Err(FeedbackError::NotFinite);
        }
        let key = impression_key(impression.id);
        if self.shared.index.contains(&key)? {
            return Ok(Plan::Answer(Receipt::Duplicate));
        }
        if !self.options.keeps_embeddings {
            impression.embedding = None;
        }
        impression.may_train &= impression.platform != Platform::Discord || self.options.has_discord_permission;
        checked(Record::Impression(impression), key, Receipt::Stored)
    }

    fn plan_event(&self, mut event: Event) -> Result<Plan, FeedbackError> {
        let user = self.shared.user(event.user);
        let level = event.level.min(allowed(user));
        if level == Level::Off {
            return Ok(Plan::Answer(Receipt::NotKept));
        }
        if is_late(user, event.generation, event.time) {
            return Ok(Plan::Answer(Receipt::TooLate));
        }
        if level == Level::Counts {
            return self.plan_vote(event);
        }
        if event.time < self.swept.before {
            return Ok(Plan::Answer(Receipt::TooLate));
        }
        let key = event_key(event.impression, event.id);
        if self.shared.index.contains(&key)? {
            return Ok(Plan::Answer(Receipt::Duplicate));
        }
        event.level = level;
        checked(Record::Event(event), key, Receipt::Stored)
    }

    fn plan_vote(&self, event: Event) -> Result<Plan, FeedbackError> {
        let Event { impression, user, song: Some(song), kind, time, order, .. } = event else {
            return Ok(Plan::Answer(Receipt::NotKept));
        };
        if !is_vote(kind) {
            return Ok(Plan::Answer(Receipt::NotKept));
        }
        if time < self.swept.votes_before {
            return Ok(Plan::Answer(Receipt::TooLate));
        }
        let mark = Mark::of(user, impression, &song);
        if is_known_vote(&self.shared.index, mark, kind, Stamp { time, order })? {
            return Ok(Plan::Answer(Receipt::Duplicate));
        }
        let record = Record::Vote { mark, song_id: song.song_id, kind, time, order };
        let key = record.encode();
        checked(record, key, Receipt::Counted)
    }

    /// Keeps a person's choice.
    pub(super) fn set_user_level(
        &mut self,
        user: UserKey,
        level: Option<Level>,
        time: UnixMs,
    ) -> Result<(), FeedbackError> {
        let sequence = self.journal.next_sequence();
        self.write(vec![Record::UserLevel { user, level, time }])?;
        self.shared.change_user(user, |state| state.level = level.map(|level| (level, sequence)));
        Ok(())
    }

    /// Erases a person from index and journal.
    pub(super) fn erase_user(&mut self, user: UserKey, time: UnixMs) -> Result<u64, FeedbackError> {
        self.mend();
        let sequence = self.journal.next_sequence();
        let generation = self.shared.user(user).generation + 1;
        let n_removed = self.write(vec![Record::Erased { user, generation, time }])?;
        // From here on late writes are refused, even if a file of the journal cannot be rewritten now.
        self.shared.change_user(user, |state| {
            (state.generation, state.erased) = (generation, Some((time, sequence)));
        });
        self.retain(sequence)?;
        Ok(n_removed)
    }

    /// Forgets what is too old.
    pub(super) fn sweep(&mut self, now: UnixMs) -> Result<u64, FeedbackError> {
        self.mend();
        if self.is_behind {
            // What is carried on is read from the index, so a sweep waits until that is complete.
            return Err(FeedbackError::Index { fault: "it is behind the journal".to_owned() });
        }
        let LogOptions { retention_days, mark_days, .. } = self.options;
        let before = now.minus_days(retention_days).max(self.swept.before);
        let votes_before = now.minus_days(mark_days.min(retention_days)).max(self.swept.votes_before);
        let remaining = [(EVENT_MARK, before), (VOTE_MARK, votes_before)];
        let carried = counts_apart_from(&self.shared.index, &remaining)?;
        let sequence = self.journal.next_sequence();
        let n_removed = self.write(vec![Record::Swept { before, votes_before, carried }])?;
        self.swept = SweptState { before, votes_before, sequence };
        self.retain(sequence)?;
        Ok(n_removed)
    }

    /// Takes in the counts of another store.
    pub(super) fn import_totals(
        &mut self,
        origin: [u8; ID_BYTES],
        high_water: u64,
        totals: Totals,
    ) -> Result<(), FeedbackError> {
        self.write(vec![Record::Imported { origin, high_water, totals }]).map(|_| ())
    }

    /// Removes from the journal's files what an erasure or a sweep took away.
    fn retain(&mut self, sequence: u64) -> Result<(), FeedbackError> {
        {
            let users = self.shared.users.read().unwrap_or_else(PoisonError::into_inner);
            store::retain(&mut self.journal, &self.seal, &users, self.swept)?;
        }
        self.shared.journal_bytes.store(self.journal.n_bytes(), Ordering::Relaxed);
        self.shared.index.set_retained(sequence)
    }
}

/// The most that a person allows.
fn allowed(user: UserState) -> Level {
    user.level.map_or(Level::Training, |(level, _)| level)
}

/// True for what belongs to the time before an erasure.
fn is_late(user: UserState, generation: u32, time: UnixMs) -> bool {
    generation < user.generation || user.erased.is_some_and(|(erased, _)| time <= erased)
}

fn checked(record: Record, key: Vec<u8>, receipt: Receipt) -> Result<Plan, FeedbackError> {
    let bytes = record.encode().len();
    if bytes > MAX_RECORD_BYTES {
        return Err(FeedbackError::TooLarge { bytes, max: MAX_RECORD_BYTES });
    }
    Ok(Plan::Write(Box::new(record), key, receipt))
}
