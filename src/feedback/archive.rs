//! What stores and exports hold together, read without opening any of them: the rows are those that a store's index has,
//! with several sources those that it would have after all others were read in. Records are kept as bytes, about 150
//! each, and made into rows when they are asked for.
//!
//! Every rule here looks at the set of records and never at the order of the sources.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use secrecy::SecretString;

use super::error::FeedbackError;
use super::event::UnixMs;
use super::gather::{Batch, Import, Item, Vote, gather_export, gather_journal};
use super::ids::{ImpressionId, Mark, UserKey};
use super::index::{SweptState, decode_event, decode_impression};
use super::log::{Row, SongCounts};
use super::opinion::{Opinion, SlateState, Verdict};
use super::record::Totals;
use super::store;

/// A source: a store's folder or an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it lies.
    pub path: PathBuf,
    /// The store that it is, or is from.
    pub store: ImpressionId,
    /// Number of the last record.
    pub high_water_mark: u64,
    /// Damaged places and records, which are passed over.
    pub n_damaged: u64,
}

/// What sources hold together.
#[derive(Debug)]
pub struct Archive {
    /// Where it is from, in the order of the stores and their marks.
    pub sources: Vec<Source>,
    /// Likes and dislikes by song that come without a person: from communities and people at `Level::Counts`, and
    /// what was swept away. Those of the rows are not in here.
    pub counts: BTreeMap<String, SongCounts>,
    /// Events whose answer is not kept.
    pub n_orphans: usize,
    blocks: Vec<Vec<u8>>,
    entries: Vec<Entry>,
    /// Where the answers stand in the entries.
    answers: Vec<u32>,
}

/// An answer or event: where its bytes are.
#[derive(Debug, Clone, Copy)]
struct Entry {
    impression: ImpressionId,
    event: Option<super::ids::EventId>,
    block: u32,
    n_bytes: u32,
    at: usize,
}

impl Archive {
    /// Reads sources: folders of stores, also one that a running process writes, and JSON lines exports. `store_key` is
    /// the key of those stores that are encrypted.
    ///
    /// A person's erasure in one source holds for all. A sweep holds for its own store only, so an older export keeps
    /// what it has. What several sources hold counts once.
    ///
    /// # Errors
    /// A source is neither a store nor a whole export, is of a newer version, a key is wrong or missing, or a file
    /// cannot be read.
    pub fn read(paths: &[PathBuf], store_key: Option<&SecretString>) -> Result<Self, FeedbackError> {
        let mut read = paths.iter().map(|path| Part::read(path, store_key)).collect::<Result<Vec<_>, _>>()?;
        read.sort_by(|a, b| {
            let rank = |part: &Part| (part.source.store, part.source.high_water_mark);
            rank(a).cmp(&rank(b)).then_with(|| a.source.path.cmp(&b.source.path))
        });
        let erased = last_erasures(&read);
        let counts = counts(&read);
        let (mut sources, mut blocks, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for part in read {
            sources.push(part.source.clone());
            part.keep(&erased, &mut blocks, &mut entries);
        }
        if sources.len() > 1 {
            entries.par_sort_unstable_by(|a, b| {
                let key = |entry: &Entry| (entry.impression, entry.event);
                key(a).cmp(&key(b)).then_with(|| bytes(&blocks, a).cmp(bytes(&blocks, b)))
            });
            entries.dedup_by_key(|entry| (entry.impression, entry.event));
        }
        let mut answers = Vec::new();
        let mut n_orphans = 0;
        let mut current = None;
        for (idx, entry) in entries.iter().enumerate() {
            match entry.event {
                None => {
                    answers.push(idx as u32);
                    current = Some(entry.impression);
                }
                Some(_) => n_orphans += usize::from(current != Some(entry.impression)),
            }
        }
        Ok(Self { sources, counts, n_orphans, blocks, entries, answers })
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// True if there is no answer.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// An answer by its place in the order of their ids, with all that was done with it; cheap, and for many threads.
    ///
    /// # Panics
    /// If there is none at this place.
    pub fn row(&self, idx: usize) -> Row {
        let first = self.answers[idx] as usize;
        let impression = decode_impression(bytes(&self.blocks, &self.entries[first]));
        let impression = impression.expect("its bytes were encoded in this process");
        let events = self.entries[first + 1..].iter().take_while(|entry| entry.impression == impression.id);
        let event = |entry| decode_event(bytes(&self.blocks, entry)).expect("its bytes were encoded in this process");
        let events: Vec<_> = events.map(event).collect();
        let state = SlateState::of(&events);
        Row { impression, events, state }
    }

    /// When the first of the questions came in.
    pub fn first_time(&self) -> Option<UnixMs> {
        let time = |first: &u32| {
            let found = decode_impression(bytes(&self.blocks, &self.entries[*first as usize]));
            found.expect("its bytes were encoded in this process").time
        };
        self.answers.par_iter().map(time).min()
    }

    /// All answers in the order of their ids.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row> {
        (0..self.len()).map(|idx| self.row(idx))
    }

    /// Damaged places and records of all sources, which are passed over.
    pub fn n_damaged(&self) -> u64 {
        self.sources.iter().map(|source| source.n_damaged).sum()
    }
}

fn bytes<'a>(blocks: &'a [Vec<u8>], entry: &Entry) -> &'a [u8] {
    &blocks[entry.block as usize][entry.at..entry.at + entry.n_bytes as usize]
}

/// A source that was read.
struct Part {
    source: Source,
    batches: Vec<Batch>,
    /// Each person's last erasure and its record.
    erased: HashMap<UserKey, (UnixMs, u64)>,
    /// The last sweep and what it carried on.
    swept: (SweptState, Totals),
}

impl Part {
    fn read(path: &Path, store_key: Option<&SecretString>) -> Result<Self, FeedbackError> {
        let (store, batches) = match path.is_dir() {
            true => {
                let (about, seal, journal) = store::look(path, store_key)?;
                (about.id, gather_journal(&journal, &seal)?)
            }
            false if !path.exists() => return Err(FeedbackError::NoStore { dir: path.to_owned() }),
            false => gather_export(path)?,
        };
        let high_water_mark = batches.iter().map(|batch| batch.last).max().unwrap_or_default();
        let n_damaged = batches.iter().map(|batch| batch.n_damaged).sum();
        let source = Source { path: path.to_owned(), store, high_water_mark, n_damaged };
        let mut erased = HashMap::new();
        let mut swept = (SweptState::default(), Totals::new());
        for batch in &batches {
            // Batches follow one another as records do.
            erased.extend(batch.erased.iter().map(|(user, last)| (*user, *last)));
            swept = batch.swept.clone().unwrap_or(swept);
        }
        Ok(Self { source, batches, erased, swept })
    }

    /// Adds what is kept, in order, each answer and event once.
    fn keep(self, erased: &HashMap<UserKey, UnixMs>, blocks: &mut Vec<Vec<u8>>, entries: &mut Vec<Entry>) {
        let swept = self.swept.0;
        let is_kept = |item: &Item| {
            let is_swept = item.sequence < swept.sequence && item.time < swept.before;
            let is_before = self.erased.get(&item.user).is_some_and(|(_, sequence)| item.sequence < *sequence);
            !is_swept && !is_before && erased.get(&item.user).is_none_or(|erased| item.time > *erased)
        };
        let mut own = Vec::with_capacity(self.batches.iter().map(|batch| batch.items.len()).sum());
        for batch in self.batches {
            let block = blocks.len() as u32;
            let entry = |item: &Item| {
                let Item { impression, event, at, n_bytes, .. } = *item;
                Entry { impression, event, block, n_bytes, at }
            };
            own.extend(batch.items.iter().filter(|item| is_kept(item)).map(entry));
            blocks.push(batch.bytes);
        }
        // Of what a store wrote twice the first counts, as in its index; blocks follow one another as records do.
        own.par_sort_unstable_by_key(|entry| (entry.impression, entry.event, entry.block, entry.at));
        own.dedup_by_key(|entry| (entry.impression, entry.event));
        entries.append(&mut own);
    }

    fn votes(&self) -> impl Iterator<Item = &Vote> {
        self.batches.iter().flat_map(|batch| &batch.votes)
    }

    /// Counts that this store took over, by the store they are from: the latest before a record.
    fn imports(&self, before: u64) -> BTreeMap<ImpressionId, &Import> {
        let mut latest: BTreeMap<ImpressionId, &Import> = BTreeMap::new();
        let imports = self.batches.iter().flat_map(|batch| &batch.imports);
        for import in imports.filter(|import| import.sequence < before) {
            let known = latest.entry(ImpressionId::from_bytes(import.origin)).or_insert(import);
            if import.high_water > known.high_water {
                *known = import;
            }
        }
        latest
    }

    /// Counts without people that arose in this store itself.
    fn own_counts(&self) -> Signed {
        let mut counts = Signed::new();
        let (swept, carried) = &self.swept;
        add(&mut counts, carried, 1);
        // What was swept carries on what had been taken over by then.
        self.imports(swept.sequence).values().for_each(|import| add(&mut counts, &import.totals, -1));
        self.batches.iter().for_each(|batch| add(&mut counts, &batch.totals, 1));
        let mut marks: HashMap<Mark, (Opinion, &str)> = HashMap::new();
        let remains = |vote: &&Vote| vote.sequence > swept.sequence || vote.stamp.time >= swept.votes_before;
        for vote in self.votes().filter(remains) {
            marks.entry(vote.mark).or_insert((Opinion::default(), &vote.song_id)).0.apply(vote.kind, vote.stamp);
        }
        for (opinion, song_id) in marks.into_values() {
            let Some(verdict) = opinion.verdict() else { continue };
            let count = counts.entry(song_id.to_owned()).or_default();
            *(if verdict == Verdict::Up { &mut count.0 } else { &mut count.1 }) += 1;
        }
        counts
    }
}

/// Likes and dislikes that may be below 0 on the way.
type Signed = BTreeMap<String, (i64, i64)>;

fn add(counts: &mut Signed, totals: &Totals, sign: i64) {
    for (song_id, SongCounts { up, down }) in totals {
        let count = counts.entry(song_id.clone()).or_default();
        *count = (count.0 + sign * *up as i64, count.1 + sign * *down as i64);
    }
}

/// When each person last had everything erased, in any source.
fn last_erasures(parts: &[Part]) -> HashMap<UserKey, UnixMs> {
    let mut erased: HashMap<UserKey, UnixMs> = HashMap::new();
    for (user, (time, _)) in parts.iter().flat_map(|part| &part.erased) {
        let last = erased.entry(*user).or_default();
        *last = (*last).max(*time);
    }
    erased
}

/// Counts without people of all stores, each by the source that knows it best: the latest, and of several the store
/// itself, since an export no longer tells what was taken over. What a store took over from another counts unless that
/// one is among the sources.
fn counts(parts: &[Part]) -> BTreeMap<String, SongCounts> {
    let mut best: BTreeMap<ImpressionId, &Part> = BTreeMap::new();
    for part in parts {
        let rank = |part: &Part| (part.source.high_water_mark, part.source.path.is_dir());
        let known = best.entry(part.source.store).or_insert(part);
        if rank(part) > rank(known) {
            *known = part;
        }
    }
    let mut imports: BTreeMap<ImpressionId, &Import> = BTreeMap::new();
    for (origin, import) in best.values().flat_map(|part| part.imports(u64::MAX)) {
        let known = imports.entry(origin).or_insert(import);
        if import.high_water > known.high_water {
            *known = import;
        }
    }
    imports.retain(|origin, _| !best.contains_key(origin));
    let taken_over = imports.values().map(|import| {
        let mut counts = Signed::new();
        add(&mut counts, &import.totals, 1);
        counts
    });
    let own = best.values().map(|part| part.own_counts());
    let mut sum = Signed::new();
    for (song_id, (up, down)) in own.chain(taken_over).flatten() {
        let count = sum.entry(song_id).or_default();
        *count = (count.0 + up, count.1 + down);
    }
    let whole = |(song_id, (up, down)): (String, (i64, i64))| {
        (song_id, SongCounts { up: up.max(0) as u64, down: down.max(0) as u64 })
    };
    sum.into_iter().map(whole).filter(|(_, counts)| *counts != SongCounts::default()).collect()
}
