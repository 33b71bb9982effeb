//! What each journal record changes in the index. Applying is a function of the records and their order alone, with no
//! clock and no options in it, so that a rebuilt index equals the one that grew.

use std::collections::BTreeMap;

use super::codec::{Decoder, Encoder};
use super::error::FeedbackError;
use super::event::{Event, EventKind, Impression, UnixMs};
use super::ids::{Mark, UserKey};
use super::index::{
    self, COUNTS, EVENT, EVENT_MARK, IMPORTED, IMPRESSION, Index, OWNED, SWEPT, SweptState, USER, UserState, VOTE_MARK,
    event_key, impression_key, key,
};
use super::log::SongCounts;
use super::opinion::{Opinion, Stamp, Verdict, is_vote};
use super::record::{Record, Totals, decode_totals, encode_totals};

/// Applies records in order; gives how many answers and events went away by them.
///
/// # Errors
/// The index cannot be read or written. What was applied before stays; the number of the last record says how far.
pub(super) fn apply_all(index: &Index, records: &[(u64, Record)]) -> Result<u64, FeedbackError> {
    let mut changes = Changes::new(index);
    let mut n_removed = 0;
    let mut applied = None;
    for (sequence, record) in records {
        match record {
            Record::Erased { .. } | Record::Swept { .. } => {
                // These look at the whole index, so what came before must be in it.
                if let Some(applied) = applied {
                    std::mem::replace(&mut changes, Changes::new(index)).commit(applied)?;
                }
                n_removed += match record {
                    Record::Erased { user, generation, time } => {
                        changes.erase(*user, *generation, (*time, *sequence))?
                    }
                    Record::Swept { before, votes_before, carried } => {
                        changes.sweep(*before, *votes_before, *sequence, carried)?
                    }
                    _ => 0,
                };
                std::mem::replace(&mut changes, Changes::new(index)).commit(*sequence)?;
                applied = None;
            }
            record => {
                changes.apply(*sequence, record)?;
                applied = Some(*sequence);
            }
        }
    }
    if let Some(applied) = applied {
        changes.commit(applied)?;
    }
    Ok(n_removed)
}

/// The counts of all songs, less what the votes under these letters say that are not older than the time beside each.
///
/// # Errors
/// The index cannot be read.
pub(super) fn counts_apart_from(index: &Index, votes: &[(u8, UnixMs)]) -> Result<Totals, FeedbackError> {
    let mut totals = index.counts().collect::<Result<BTreeMap<_, _>, _>>()?;
    for (letter, cutoff) in votes {
        for entry in index.scan(&[*letter]) {
            let mut mark = MarkState::decode(&entry?.1)?;
            mark.opinion.forget(*cutoff);
            if let Some(verdict) = mark.opinion.verdict() {
                shift(totals.entry(mark.song_id).or_default(), verdict, false);
            }
        }
    }
    Ok(totals.into_iter().filter(|(_, counts)| *counts != SongCounts::default()).collect())
}

/// True if a vote at `Level::Counts` would change nothing.
///
/// # Errors
/// The index cannot be read.
pub(super) fn is_known_vote(index: &Index, mark: Mark, kind: EventKind, stamp: Stamp) -> Result<bool, FeedbackError> {
    let Some(bytes) = index.get(&key(VOTE_MARK, &[&mark.0]))? else { return Ok(false) };
    let opinion = MarkState::decode(&bytes)?.opinion;
    let mut after = opinion;
    after.apply(kind, stamp);
    Ok(after == opinion)
}

/// What one person thinks of one shown song, as it is kept under its mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MarkState {
    pub(super) song_id: String,
    pub(super) opinion: Opinion,
}

impl MarkState {
    fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        to.text(&self.song_id);
        let press = self.opinion.press.map(|(stamp, verdict)| {
            let code = match verdict {
                None => 0,
                Some(Verdict::Up) => 1,
                Some(Verdict::Down) => 2,
            };
            (stamp, code)
        });
        let reaction = |register: Option<(Stamp, bool)>| register.map(|(stamp, is_on)| (stamp, u8::from(is_on)));
        for register in [press, reaction(self.opinion.likes), reaction(self.opinion.dislikes)] {
            to.flag(register.is_some());
            if let Some((stamp, code)) = register {
                to.number(stamp.time.0).number(stamp.order).byte(code);
            }
        }
        to.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FeedbackError> {
        let mut from = Decoder::new(bytes);
        let song_id = from.text()?;
        let press = register(&mut from, &[None, Some(Verdict::Up), Some(Verdict::Down)])?;
        let (likes, dislikes) = (register(&mut from, &[false, true])?, register(&mut from, &[false, true])?);
        from.finish()?;
        Ok(Self { song_id, opinion: Opinion { press, likes, dislikes } })
    }
}

fn register<T: Copy>(from: &mut Decoder, values: &[T]) -> Result<Option<(Stamp, T)>, FeedbackError> {
    if !from.flag()? {
        return Ok(None);
    }
    let stamp = Stamp { time: UnixMs(from.number()?), order: from.number()? };
    Ok(Some((stamp, from.choice(values)?)))
}

fn shift(counts: &mut SongCounts, verdict: Verdict, is_added: bool) {
    let count = match verdict {
        Verdict::Up => &mut counts.up,
        Verdict::Down => &mut counts.down,
    };
    *count = if is_added { *count + 1 } else { count.saturating_sub(1) };
}

/// Changes that are not in the index yet, laid over it.
struct Changes<'a> {
    index: &'a Index,
    changed: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'a> Changes<'a> {
    fn new(index: &'a Index) -> Self {
        Self { index, changed: BTreeMap::new() }
    }

    fn commit(self, applied: u64) -> Result<(), FeedbackError> {
        self.index.commit(self.changed, applied)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, FeedbackError> {
        match self.changed.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.index.get(key),
        }
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.changed.insert(key, Some(value));
    }

    fn remove(&mut self, key: Vec<u8>) {
        self.changed.insert(key, None);
    }

    fn apply(&mut self, sequence: u64, record: &Record) -> Result<(), FeedbackError> {
        match record {
            Record::Impression(impression) => self.add_impression(impression),
            Record::Event(event) => self.add_event(event),
            Record::Vote { mark, song_id, kind, time, order } => {
                self.vote(VOTE_MARK, *mark, song_id, *kind, Stamp { time: *time, order: *order })
            }
            Record::UserLevel { user, level, .. } => {
                let mut state = self.user(*user)?;
                state.level = level.map(|level| (level, sequence));
                self.put(key(USER, &[user.as_bytes()]), state.encode());
                Ok(())
            }
            Record::Imported { origin, high_water, totals } => self.import(origin, *high_water, totals),
            Record::Erased { .. } | Record::Swept { .. } => Ok(()),
        }
    }

    fn add_impression(&mut self, impression: &Impression) -> Result<(), FeedbackError> {
        let id = impression_key(impression.id);
        if self.get(&id)?.is_none() {
            self.put(key(OWNED, &[impression.user.as_bytes(), &id]), Vec::new());
            self.put(id, Record::Impression(impression.clone()).encode());
        }
        Ok(())
    }

    fn add_event(&mut self, event: &Event) -> Result<(), FeedbackError> {
        let id = event_key(event.impression, event.id);
        if self.get(&id)?.is_some() {
            return Ok(());
        }
        self.put(key(OWNED, &[event.user.as_bytes(), &id]), Vec::new());
        self.put(id, Record::Event(event.clone()).encode());
        match &event.song {
            Some(song) if is_vote(event.kind) => {
                let mark = Mark::of(event.user, event.impression, song);
                let stamp = Stamp { time: event.time, order: event.order };
                self.vote(EVENT_MARK, mark, &song.song_id, event.kind, stamp)
            }
            _ => Ok(()),
        }
    }

    /// Changes an opinion, and with it the song's counts.
    fn vote(
        &mut self,
        letter: u8,
        mark: Mark,
        song_id: &str,
        kind: EventKind,
        stamp: Stamp,
    ) -> Result<(), FeedbackError> {
        let mark = key(letter, &[&mark.0]);
        let mut state = match self.get(&mark)? {
            Some(bytes) => MarkState::decode(&bytes)?,
            None => MarkState { song_id: song_id.to_owned(), opinion: Opinion::default() },
        };
        let before = state.opinion.verdict();
        state.opinion.apply(kind, stamp);
        let after = state.opinion.verdict();
        if before != after {
            self.count(song_id, before, after)?;
        }
        self.put(mark, state.encode());
        Ok(())
    }

    /// Takes one verdict out of a song's counts and puts another in.
    fn count(&mut self, song_id: &str, out: Option<Verdict>, into: Option<Verdict>) -> Result<(), FeedbackError> {
        let mut counts = self.counts(song_id)?;
        out.into_iter().for_each(|verdict| shift(&mut counts, verdict, false));
        into.into_iter().for_each(|verdict| shift(&mut counts, verdict, true));
        self.set_counts(song_id, counts);
        Ok(())
    }

    fn counts(&self, song_id: &str) -> Result<SongCounts, FeedbackError> {
        let bytes = self.get(&key(COUNTS, &[song_id.as_bytes()]))?;
        Ok(bytes.map(|bytes| index::decode_counts(&bytes)).transpose()?.unwrap_or_default())
    }

    fn set_counts(&mut self, song_id: &str, counts: SongCounts) {
        let id = key(COUNTS, &[song_id.as_bytes()]);
        match counts == SongCounts::default() {
            true => self.remove(id),
            false => self.put(id, index::encode_counts(counts)),
        }
    }

    fn user(&self, user: UserKey) -> Result<UserState, FeedbackError> {
        let bytes = self.get(&key(USER, &[user.as_bytes()]))?;
        Ok(bytes.map(|bytes| UserState::decode(&bytes)).transpose()?.unwrap_or_default())
    }

    /// Puts another store's counts in place of what came from it before; older ones change nothing.
    fn import(&mut self, origin: &[u8], high_water: u64, totals: &Totals) -> Result<(), FeedbackError> {
        let id = key(IMPORTED, &[origin]);
        let (known_high_water, known) = match self.get(&id)? {
            Some(bytes) => {
                let mut from = Decoder::new(&bytes);
                (from.number()?, decode_totals(&mut from)?)
            }
            None => (0, Totals::new()),
        };
        if high_water <= known_high_water {
            return Ok(());
        }
        for (song_id, old) in &known {
            let counts = self.counts(song_id)?;
            let (up, down) = (counts.up.saturating_sub(old.up), counts.down.saturating_sub(old.down));
            self.set_counts(song_id, SongCounts { up, down });
        }
        for (song_id, new) in totals {
            let counts = self.counts(song_id)?;
            self.set_counts(song_id, SongCounts { up: counts.up + new.up, down: counts.down + new.down });
        }
        let mut to = Encoder::default();
        encode_totals(to.number(high_water), totals);
        self.put(id, to.finish());
        Ok(())
    }

    /// Removes all of a person; what that person's events counted goes out of the counts.
    fn erase(&mut self, user: UserKey, generation: u32, erased: (UnixMs, u64)) -> Result<u64, FeedbackError> {
        let prefix = key(OWNED, &[user.as_bytes()]);
        let mut n_removed = 0;
        for entry in self.index.scan(&prefix) {
            let (owned, _) = entry?;
            let id = owned[prefix.len()..].to_vec();
            if id.first() == Some(&EVENT)
                && let Some(bytes) = self.get(&id)?
            {
                let event = index::decode_event(&bytes)?;
                self.withdraw(&event)?;
            }
            self.remove(owned);
            self.remove(id);
            n_removed += 1;
        }
        let mut state = self.user(user)?;
        (state.generation, state.erased) = (generation, Some(erased));
        self.put(key(USER, &[user.as_bytes()]), state.encode());
        Ok(n_removed)
    }

    /// Takes the opinion that an event is part of out of the counts.
    fn withdraw(&mut self, event: &Event) -> Result<(), FeedbackError> {
        let Some(song) = &event.song else { return Ok(()) };
        let mark = key(EVENT_MARK, &[&Mark::of(event.user, event.impression, song).0]);
        let Some(bytes) = self.get(&mark)? else { return Ok(()) };
        let state = MarkState::decode(&bytes)?;
        if let Some(verdict) = state.opinion.verdict() {
            self.count(&state.song_id, Some(verdict), None)?;
        }
        self.remove(mark);
        Ok(())
    }

    /// Removes what is too old. Counts stay: what the removed votes said is in `carried`.
    fn sweep(
        &mut self,
        before: UnixMs,
        votes_before: UnixMs,
        sequence: u64,
        carried: &Totals,
    ) -> Result<u64, FeedbackError> {
        let mut n_removed = 0;
        for letter in [IMPRESSION, EVENT] {
            for entry in self.index.scan(&[letter]) {
                let (id, value) = entry?;
                let (time, user) = match letter {
                    IMPRESSION => index::decode_impression(&value).map(|found| (found.time, found.user))?,
                    _ => index::decode_event(&value).map(|found| (found.time, found.user))?,
                };
                if time < before {
                    self.remove(key(OWNED, &[user.as_bytes(), &id]));
                    self.remove(id);
                    n_removed += 1;
                }
            }
        }
        let mut totals: BTreeMap<String, SongCounts> = carried.iter().cloned().collect();
        for (letter, cutoff) in [(EVENT_MARK, before), (VOTE_MARK, votes_before)] {
            for entry in self.index.scan(&[letter]) {
                let (mark, value) = entry?;
                let mut state = MarkState::decode(&value)?;
                state.opinion.forget(cutoff);
                if let Some(verdict) = state.opinion.verdict() {
                    shift(totals.entry(state.song_id.clone()).or_default(), verdict, true);
                }
                match state.opinion == Opinion::default() {
                    true => self.remove(mark),
                    false => self.put(mark, state.encode()),
                }
            }
        }
        for entry in self.index.counts() {
            let (song_id, _) = entry?;
            self.set_counts(&song_id, SongCounts::default());
        }
        totals.into_iter().for_each(|(song_id, counts)| self.set_counts(&song_id, counts));
        self.put(SWEPT.to_vec(), SweptState { before, votes_before, sequence }.encode());
        Ok(n_removed)
    }
}
