//! The index: answers questions about what the journal says. Kept in sled, in one tree, so that a group of records and
//! the number of the last one are applied together or not at all. Whatever happens to it, it can be rebuilt from the
//! journal; so it is never flushed on its own, and a damaged one is set aside.
//!
//! Keys begin with a letter that says what follows (see the constants); values are sealed to their key.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::codec::{Decoder, Encoder};
use super::error::FeedbackError;
use super::event::{Event, Impression, Level, UnixMs};
use super::ids::{EventId, ID_BYTES, ImpressionId, UserKey};
use super::log::SongCounts;
use super::record::Record;
use super::seal::Seal;

/// An answer, by its id.
pub(super) const IMPRESSION: u8 = b'i';
/// An event, by its answer's id and its own.
pub(super) const EVENT: u8 = b'e';
/// What is known of a person's wishes.
pub(super) const USER: u8 = b'u';
/// Of a person's key and the key of an answer or event: who it belongs to. No value.
pub(super) const OWNED: u8 = b'x';
/// Likes and dislikes of a song.
pub(super) const COUNTS: u8 = b'c';
/// What an unnamed person thinks of a shown song, by mark.
pub(super) const VOTE_MARK: u8 = b'k';
/// The same for one whose events are kept.
pub(super) const EVENT_MARK: u8 = b'v';
/// Counts that came from another store.
pub(super) const IMPORTED: u8 = b'n';
/// All of these.
pub(super) const LETTERS: [u8; 8] = [IMPRESSION, EVENT, USER, OWNED, COUNTS, VOTE_MARK, EVENT_MARK, IMPORTED];
/// Number of the last record that is in the index.
const APPLIED: &[u8] = b"m/applied";
/// Number of the last erasure or sweep that has reached the journal's files too.
const RETAINED: &[u8] = b"m/retained";
/// Up to when all is forgotten.
pub(super) const SWEPT: &[u8] = b"m/swept";
/// Number of the last record when it was built: values erased later may lie in its files still, unreachable.
const BORN: &[u8] = b"m/born";
/// Version of the layout above.
const LAYOUT: &[u8] = b"m/layout";
/// Another layout is no trouble: the index is set aside and rebuilt.
const LAYOUT_VERSION: u64 = 1;

/// How often and how long to wait for sled's lock: together 5 s.
const LOCK_TRIES: u32 = 250;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

const FOLDER_PREFIX: &str = "index-";
const ASIDE_PREFIX: &str = "set-aside-index-";

/// What is known of a person's wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct UserState {
    /// The chosen level, and the record that says so.
    pub(super) level: Option<(Level, u64)>,
    /// How often everything was erased.
    pub(super) generation: u32,
    /// The last time, and the record that says so.
    pub(super) erased: Option<(UnixMs, u64)>,
}

impl UserState {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        to.flag(self.level.is_some());
        if let Some((level, sequence)) = self.level {
            to.byte(level as u8).number(sequence);
        }
        to.number(u64::from(self.generation)).flag(self.erased.is_some());
        if let Some((time, sequence)) = self.erased {
            to.number(time.0).number(sequence);
        }
        to.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FeedbackError> {
        let mut from = Decoder::new(bytes);
        let level = match from.flag()? {
            true => Some((from.choice(&Level::ALL)?, from.number()?)),
            false => None,
        };
        let generation = from.small()?;
        let erased = match from.flag()? {
            true => Some((UnixMs(from.number()?), from.number()?)),
            false => None,
        };
        from.finish()?;
        Ok(Self { level, generation, erased })
    }
}

/// Up to when all is forgotten, and the record that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SweptState {
    pub(super) before: UnixMs,
    pub(super) votes_before: UnixMs,
    pub(super) sequence: u64,
}

impl SweptState {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        to.number(self.before.0).number(self.votes_before.0).number(self.sequence);
        to.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, FeedbackError> {
        let mut from = Decoder::new(bytes);
        let before = UnixMs(from.number()?);
        Ok(Self { before, votes_before: UnixMs(from.number()?), sequence: from.number()? })
    }
}

/// The key of a thing: its letter, then its parts.
pub(super) fn key(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![letter];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// The key of an answer.
pub(super) fn impression_key(id: ImpressionId) -> Vec<u8> {
    key(IMPRESSION, &[id.as_bytes()])
}

/// The key of an event.
pub(super) fn event_key(impression: ImpressionId, id: EventId) -> Vec<u8> {
    key(EVENT, &[impression.as_bytes(), id.as_bytes()])
}

/// An open index.
#[derive(Debug)]
pub(super) struct Index {
    db: sled::Db,
    seal: Seal,
    dir: PathBuf,
}

/// Opens the newest index in a store's folder, or begins one. One that cannot be used is set aside; the flag says so.
///
/// # Errors
/// Not even a new index can be opened.
pub(super) fn open_newest(store: &Path, seal: &Seal, cache_bytes: u64) -> Result<(Index, bool), FeedbackError> {
    let mut numbers = index_numbers(store)?;
    let newest = numbers.pop();
    // What a crash between two indexes left: all that is in it is in the newest one too.
    for stale in numbers {
        let dir = index_dir(store, stale);
        fs::remove_dir_all(&dir).map_err(|source| FeedbackError::io(&dir, source))?;
    }
    let Some(no) = newest else {
        return Ok((Index::open(&index_dir(store, 1), seal, cache_bytes)?, false));
    };
    let dir = index_dir(store, no);
    match Index::open(&dir, seal, cache_bytes) {
        Ok(index) => Ok((index, false)),
        Err(error) => {
            let aside = store.join(format!("{ASIDE_PREFIX}{no:08}"));
            tracing::error!(%error, aside = %aside.display(), "the index cannot be used; set aside, rebuilt from the journal");
            fs::rename(&dir, &aside).map_err(|source| FeedbackError::io(&dir, source))?;
            Ok((Index::open(&index_dir(store, no + 1), seal, cache_bytes)?, true))
        }
    }
}

/// The folder of an index by its number.
pub(super) fn index_dir(store: &Path, no: u64) -> PathBuf {
    store.join(format!("{FOLDER_PREFIX}{no:08}"))
}

/// Numbers of the indexes in a store, least first.
pub(super) fn index_numbers(store: &Path) -> Result<Vec<u64>, FeedbackError> {
    let entries = fs::read_dir(store).map_err(|source| FeedbackError::io(store, source))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut numbers: Vec<u64> = names.filter_map(|name| name.strip_prefix(FOLDER_PREFIX)?.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

impl Index {
    /// Opens an index in its own folder, making it if there is none.
    ///
    /// # Errors
    /// It is damaged, of another layout, or sealed with another key.
    pub(super) fn open(dir: &Path, seal: &Seal, cache_bytes: u64) -> Result<Self, FeedbackError> {
        let config = sled::Config::new().path(dir).cache_capacity(cache_bytes).flush_every_ms(Some(200));
        let db = open_sled(&config)?;
        let index = Self { db, seal: seal.clone(), dir: dir.to_owned() };
        match index.number(LAYOUT)? {
            Some(LAYOUT_VERSION) => {}
            Some(_) => return Err(FeedbackError::Index { fault: "it has another layout".to_owned() }),
            None if index.db.is_empty() => index.set_number(LAYOUT, LAYOUT_VERSION)?,
            None => return Err(FeedbackError::Index { fault: "it has no layout".to_owned() }),
        }
        index.applied()?;
        Ok(index)
    }

    /// Its folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Number of the last record that is in it.
    pub(super) fn applied(&self) -> Result<u64, FeedbackError> {
        Ok(self.number(APPLIED)?.unwrap_or_default())
    }

    /// Number of the last erasure or sweep that has reached the journal's files too.
    pub(super) fn retained(&self) -> Result<u64, FeedbackError> {
        Ok(self.number(RETAINED)?.unwrap_or_default())
    }

    pub(super) fn set_retained(&self, sequence: u64) -> Result<(), FeedbackError> {
        self.set_number(RETAINED, sequence)
    }

    /// Number of the last record when it was built.
    pub(super) fn born(&self) -> Result<u64, FeedbackError> {
        Ok(self.number(BORN)?.unwrap_or_default())
    }

    pub(super) fn set_born(&self, sequence: u64) -> Result<(), FeedbackError> {
        self.set_number(BORN, sequence)
    }

    fn number(&self, key: &[u8]) -> Result<Option<u64>, FeedbackError> {
        self.get(key)?.map(|bytes| Decoder::new(&bytes).number()).transpose()
    }

    fn set_number(&self, key: &[u8], number: u64) -> Result<(), FeedbackError> {
        self.db.insert(key, self.seal.close(key, &encoded(number)))?;
        Ok(())
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, FeedbackError> {
        self.db.get(key)?.map(|stored| self.seal.open(key, &stored)).transpose()
    }

    pub(super) fn contains(&self, key: &[u8]) -> Result<bool, FeedbackError> {
        Ok(self.db.contains_key(key)?)
    }

    /// Keys and values with this beginning, in the order of their keys.
    pub(super) fn scan(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), FeedbackError>> + use<> {
        let seal = self.seal.clone();
        self.db.scan_prefix(prefix).map(move |entry| {
            let (key, stored) = entry?;
            let value = seal.open(&key, &stored)?;
            Ok((key.to_vec(), value))
        })
    }

    /// How many keys have this letter.
    pub(super) fn count(&self, letter: u8) -> Result<u64, FeedbackError> {
        let mut n_keys = 0;
        for entry in self.db.scan_prefix([letter]).keys() {
            entry?;
            n_keys += 1;
        }
        Ok(n_keys)
    }

    /// Applies changes together with the number of the record that they come from.
    pub(super) fn commit(
        &self,
        changes: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
        applied: u64,
    ) -> Result<(), FeedbackError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => {
                    let stored = self.seal.close(&key, &value);
                    batch.insert(key, stored);
                }
                None => batch.remove(key),
            }
        }
        batch.insert(APPLIED, self.seal.close(APPLIED, &encoded(applied)));
        Ok(self.db.apply_batch(batch)?)
    }

    /// Writes all to disk; for a clean end, so that the next start has nothing to replay.
    pub(super) fn flush(&self) -> Result<(), FeedbackError> {
        self.db.flush()?;
        Ok(())
    }

    /// Bytes on disk.
    pub(super) fn n_bytes(&self) -> Result<u64, FeedbackError> {
        Ok(self.db.size_on_disk()?)
    }

    pub(super) fn impression(&self, id: ImpressionId) -> Result<Option<Impression>, FeedbackError> {
        self.get(&impression_key(id))?.map(|bytes| decode_impression(&bytes)).transpose()
    }

    /// All events of an answer in the order of their ids.
    pub(super) fn events(&self, impression: ImpressionId) -> Result<Vec<Event>, FeedbackError> {
        self.scan(&key(EVENT, &[impression.as_bytes()])).map(|entry| decode_event(&entry?.1)).collect()
    }

    /// What is known of every person's wishes.
    pub(super) fn users(&self) -> impl Iterator<Item = Result<(UserKey, UserState), FeedbackError>> + use<> {
        self.scan(&[USER]).map(|entry| {
            let (key, value) = entry?;
            let user = id_at(&key, 1).ok_or_else(|| FeedbackError::damaged("a key of the index", "it is short"))?;
            Ok((UserKey::from_bytes(user), UserState::decode(&value)?))
        })
    }

    pub(super) fn swept(&self) -> Result<SweptState, FeedbackError> {
        Ok(self.get(SWEPT)?.map(|bytes| SweptState::decode(&bytes)).transpose()?.unwrap_or_default())
    }

    /// Likes and dislikes by song.
    pub(super) fn counts(&self) -> impl Iterator<Item = Result<(String, SongCounts), FeedbackError>> + use<> {
        self.scan(&[COUNTS]).map(|entry| {
            let (key, value) = entry?;
            let song_id = String::from_utf8(key[1..].to_vec())
                .map_err(|_| FeedbackError::damaged("a key of the index", "a song's id is not UTF-8"))?;
            Ok((song_id, decode_counts(&value)?))
        })
    }
}

fn open_sled(config: &sled::Config) -> Result<sled::Db, FeedbackError> {
    let mut n_tries = 0;
    loop {
        // sled can panic on damaged files.
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        match opened.map_err(|_| FeedbackError::Index { fault: "it panicked on its files".to_owned() })? {
            Ok(db) => return Ok(db),
            // The store's own lock is held, so this is an index of this process whose background threads are about to
            // let go of it.
            Err(sled::Error::Io(error)) if n_tries < LOCK_TRIES && error.to_string().contains("acquire lock") => {
                n_tries += 1;
                thread::sleep(LOCK_PAUSE);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The 16 bytes of a key from a place on.
pub(super) fn id_at(key: &[u8], at: usize) -> Option<[u8; ID_BYTES]> {
    key.get(at..)?.first_chunk::<ID_BYTES>().copied()
}

pub(super) fn decode_impression(bytes: &[u8]) -> Result<Impression, FeedbackError> {
    match Record::decode(bytes)? {
        Record::Impression(impression) => Ok(impression),
        _ => Err(FeedbackError::damaged("an answer in the index", "it is something else")),
    }
}

pub(super) fn decode_event(bytes: &[u8]) -> Result<Event, FeedbackError> {
    match Record::decode(bytes)? {
        Record::Event(event) => Ok(event),
        _ => Err(FeedbackError::damaged("an event in the index", "it is something else")),
    }
}

pub(super) fn encode_counts(counts: SongCounts) -> Vec<u8> {
    let mut to = Encoder::default();
    to.number(counts.up).number(counts.down);
    to.finish()
}

pub(super) fn decode_counts(bytes: &[u8]) -> Result<SongCounts, FeedbackError> {
    let mut from = Decoder::new(bytes);
    Ok(SongCounts { up: from.number()?, down: from.number()? })
}

fn encoded(number: u64) -> Vec<u8> {
    let mut to = Encoder::default();
    to.number(number);
    to.finish()
}
