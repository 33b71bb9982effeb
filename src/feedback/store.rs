//! A store's folder: the lock that keeps other processes out, the file that says whose keys it is for, the journal and
//! the index; and how they are brought to agree at the start.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::apply::apply_all;
use super::error::FeedbackError;
use super::ids::{ImpressionId, KeyHasher, UserKey};
use super::index::{self, Index, SweptState, UserState};
use super::journal::{Journal, JournalWalk};
use super::log::LogOptions;
use super::record::Record;
use super::seal::Seal;
use super::segment::Found;
use super::storage::{Storage, write_whole};

/// Where the key of people's hashes comes from.
pub const USER_KEY_VARIABLE: &str = "IMAGE2SONG_USER_KEY";
/// Where the key of the encryption comes from.
pub const STORE_KEY_VARIABLE: &str = "IMAGE2SONG_STORE_KEY";

const ABOUT_FILE: &str = "store.json";
const LOCK_FILE: &str = "lock";
const JOURNAL_DIR: &str = "journal";
/// An index that is being built; one that a crash left is removed.
const BUILDING_DIR: &str = "building-index";
const STORE_VERSION: u32 = 1;
/// Records applied together when an index is brought up to date.
const REPLAY_GROUP: usize = 512;
/// An index below this is never rebuilt for its size.
const MIN_COMPACTED_BYTES: u64 = 64 << 20;
/// Nor one that is not this many times as large as its journal.
const MAX_INDEX_RATIO: u64 = 4;

/// What a store says about itself; the keys by their check values only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) version: u32,
    pub(super) id: ImpressionId,
    pub(super) user_key_check: Option<String>,
    pub(super) store_key_check: Option<String>,
}

/// A locked folder with the right keys.
pub(super) struct Folder {
    pub(super) dir: PathBuf,
    pub(super) about: About,
    pub(super) seal: Seal,
    pub(super) hasher: Option<KeyHasher>,
    /// Held until this goes.
    _lock: File,
}

impl Folder {
    /// Takes hold of a store's folder and checks the keys.
    ///
    /// # Errors
    /// It is in use, holds no store, is of a newer version, or a key is wrong or missing.
    pub(super) fn open(dir: &Path, options: &LogOptions) -> Result<Self, FeedbackError> {
        let about_path = dir.join(ABOUT_FILE);
        if !about_path.exists() && !options.may_create {
            return Err(FeedbackError::NoStore { dir: dir.to_owned() });
        }
        fs::create_dir_all(dir).map_err(|source| FeedbackError::io(dir, source))?;
        let lock = lock(dir)?;
        let hasher = options.user_key.as_ref().map(KeyHasher::new);
        let user_check = hasher.as_ref().map(KeyHasher::check_value);
        let store_check = options.store_key.as_ref().map(|key| KeyHasher::new(key).check_value());
        let about = match about_path.exists() {
            true => {
                let mut about = read_about(&about_path)?;
                check_store_key(&about, store_check.as_ref(), dir)?;
                if about.user_key_check.is_none() && user_check.is_some() {
                    about.user_key_check = user_check.clone();
                    write_about(&about_path, &about)?;
                }
                about
            }
            false => {
                let id = ImpressionId::random();
                let (user_key_check, store_key_check) = (user_check.clone(), store_check);
                let about = About { version: STORE_VERSION, id, user_key_check, store_key_check };
                write_about(&about_path, &about)?;
                about
            }
        };
        if user_check.is_some() && user_check != about.user_key_check {
            return Err(FeedbackError::WrongKey { variable: USER_KEY_VARIABLE, dir: dir.to_owned() });
        }
        let seal = Seal::new(options.store_key.as_ref());
        Ok(Self { dir: dir.to_owned(), about, seal, hasher, _lock: lock })
    }

    pub(super) fn journal_dir(&self) -> PathBuf {
        self.dir.join(JOURNAL_DIR)
    }
}

fn lock(dir: &Path) -> Result<File, FeedbackError> {
    let path = dir.join(LOCK_FILE);
    let io = |source| FeedbackError::io(&path, source);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FeedbackError::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(FeedbackError::io(&path, source)),
    }
}

fn read_about(path: &Path) -> Result<About, FeedbackError> {
    let bytes = fs::read(path).map_err(|source| FeedbackError::io(path, source))?;
    let what = || path.display().to_string();
    let version = serde_json::from_slice::<serde_json::Value>(&bytes)
        .ok()
        .and_then(|value| u32::try_from(value.get("version")?.as_u64()?).ok())
        .ok_or_else(|| FeedbackError::damaged(what(), "it is no description of a store"))?;
    if version > STORE_VERSION {
        return Err(FeedbackError::TooNew { what: what(), found: version, known: STORE_VERSION });
    }
    serde_json::from_slice(&bytes).map_err(|_| FeedbackError::damaged(what(), "it is no description of a store"))
}

fn write_about(path: &Path, about: &About) -> Result<(), FeedbackError> {
    let text = serde_json::to_string_pretty(about).expect("texts and numbers always have a JSON form") + "\n";
    write_whole(path, text.as_bytes()).map_err(|source| FeedbackError::io(path, source))
}

fn check_store_key(about: &About, given: Option<&String>, dir: &Path) -> Result<(), FeedbackError> {
    let (variable, dir) = (STORE_KEY_VARIABLE, dir.to_owned());
    match (&about.store_key_check, given) {
        (Some(_), None) => Err(FeedbackError::KeyMissing { variable, dir }),
        (None, Some(_)) => Err(FeedbackError::NotEncrypted { variable, dir }),
        (Some(known), Some(given)) if known != given => Err(FeedbackError::WrongKey { variable, dir }),
        _ => Ok(()),
    }
}

/// What a store says about itself and how its values are opened, for reading beside the process that has it: takes no
/// lock and changes nothing. A key is only needed, and only looked at, if the store is encrypted.
///
/// # Errors
/// There is no store, it is of a newer version, or its key is wrong or missing.
pub(super) fn look(dir: &Path, store_key: Option<&SecretString>) -> Result<(About, Seal, PathBuf), FeedbackError> {
    let about_path = dir.join(ABOUT_FILE);
    if !about_path.exists() {
        return Err(FeedbackError::NoStore { dir: dir.to_owned() });
    }
    let about = read_about(&about_path)?;
    let key = store_key.filter(|_| about.store_key_check.is_some());
    check_store_key(&about, key.map(|key| KeyHasher::new(key).check_value()).as_ref(), dir)?;
    Ok((about, Seal::new(key), dir.join(JOURNAL_DIR)))
}

/// Where a record's payload lies, for the seal.
fn place(sequence: u64) -> Vec<u8> {
    [b"journal".as_slice(), &sequence.to_be_bytes()].concat()
}

/// A record's payload as it is written.
pub(super) fn close_record(seal: &Seal, sequence: u64, record: &Record) -> Vec<u8> {
    seal.close(&place(sequence), &record.encode())
}

/// Reads a record from its payload.
///
/// # Errors
/// It was changed, or is of a newer schema.
pub(super) fn open_record(seal: &Seal, found: Found) -> Result<Record, FeedbackError> {
    Record::decode(&seal.open(&place(found.sequence), found.payload)?)
}

/// Journal and index that agree.
pub(super) struct Opened {
    pub(super) journal: Journal,
    pub(super) index: Index,
    pub(super) users: HashMap<UserKey, UserState>,
    pub(super) swept: SweptState,
    /// How often an index was set aside: 0 or 1.
    pub(super) n_rebuilt: u64,
    /// Damaged records that were passed over.
    pub(super) n_damaged: u64,
}

/// Opens journal and index, and brings the index up to date.
///
/// # Errors
/// Their files cannot be used, or a record is of a newer schema.
pub(super) fn open(folder: &Folder, storage: Box<dyn Storage>, options: &LogOptions) -> Result<Opened, FeedbackError> {
    let building = folder.dir.join(BUILDING_DIR);
    if building.exists() {
        fs::remove_dir_all(&building).map_err(|source| FeedbackError::io(&building, source))?;
    }
    let mut journal = Journal::open(storage, &folder.journal_dir(), options.segment_bytes)?;
    let (mut index, is_rebuilt) = index::open_newest(&folder.dir, &folder.seal, options.cache_bytes)?;
    journal.skip_to(index.applied()?);
    let mut n_damaged = catch_up(&journal, &index, &folder.seal)?;
    let (users, swept) = (load_users(&index)?, index.swept()?);
    let last_cut = users.values().filter_map(|user| Some(user.erased?.1)).fold(swept.sequence, u64::max);
    if last_cut > index.retained()? {
        retain(&mut journal, &folder.seal, &users, swept)?;
        index.set_retained(last_cut)?;
    }
    let last_erased = users.values().filter_map(|user| Some(user.erased?.1)).max().unwrap_or_default();
    let (index_bytes, journal_bytes) = (index.n_bytes()?, journal.n_bytes());
    let is_bloated = index_bytes > MIN_COMPACTED_BYTES && index_bytes / MAX_INDEX_RATIO > journal_bytes;
    if last_erased > index.born()? || is_bloated {
        let (fresh, n_passed_over) = build_anew(folder, &journal, index, options.cache_bytes)?;
        (index, n_damaged) = (fresh, n_damaged.max(n_passed_over));
        index.set_retained(last_cut)?;
    }
    Ok(Opened { journal, index, users, swept, n_rebuilt: u64::from(is_rebuilt), n_damaged })
}

fn load_users(index: &Index) -> Result<HashMap<UserKey, UserState>, FeedbackError> {
    index.users().collect()
}

/// Builds an index from the journal alone, so that nothing erased is left in its files, and puts it in place of the old
/// one.
fn build_anew(folder: &Folder, journal: &Journal, old: Index, cache_bytes: u64) -> Result<(Index, u64), FeedbackError> {
    let building = folder.dir.join(BUILDING_DIR);
    let fresh = Index::open(&building, &folder.seal, cache_bytes)?;
    let n_damaged = catch_up(journal, &fresh, &folder.seal)?;
    fresh.set_born(journal.last_sequence())?;
    fresh.flush()?;
    drop(fresh);
    let old_dir = old.dir().to_owned();
    drop(old);
    let no = index::index_numbers(&folder.dir)?.last().copied().unwrap_or_default() + 1;
    let dir = index::index_dir(&folder.dir, no);
    fs::rename(&building, &dir).map_err(|source| FeedbackError::io(&dir, source))?;
    fs::remove_dir_all(&old_dir).map_err(|source| FeedbackError::io(&old_dir, source))?;
    Ok((Index::open(&dir, &folder.seal, cache_bytes)?, n_damaged))
}

/// Applies to the index what only the journal has; gives how many damaged records were passed over.
///
/// # Errors
/// A file cannot be read, the index fails, or a record is of a newer schema.
pub(super) fn catch_up(journal: &Journal, index: &Index, seal: &Seal) -> Result<u64, FeedbackError> {
    let mut n_unreadable = 0;
    let mut group = Vec::new();
    let walked: JournalWalk = journal.replay(index.applied()?, &mut |found| {
        match open_record(seal, found) {
            Ok(record) => group.push((found.sequence, record)),
            Err(FeedbackError::Damaged { fault, .. }) => {
                tracing::error!(sequence = found.sequence, fault, "a journal record is damaged and passed over");
                n_unreadable += 1;
            }
            Err(error) => return Err(error),
        }
        if group.len() == REPLAY_GROUP {
            apply_all(index, &group)?;
            group.clear();
        }
        Ok(())
    })?;
    apply_all(index, &group)?;
    if walked.n_damaged > 0 {
        tracing::error!(n_damaged = walked.n_damaged, "places in the journal are damaged and passed over");
    }
    Ok(n_unreadable + walked.n_damaged)
}

/// Removes from the journal's files all that was erased or is forgotten.
///
/// # Errors
/// A file cannot be read or written, or a record is of a newer schema.
pub(super) fn retain(
    journal: &mut Journal,
    seal: &Seal,
    users: &HashMap<UserKey, UserState>,
    swept: SweptState,
) -> Result<u64, FeedbackError> {
    journal.retain(&mut |found| match open_record(seal, found) {
        Ok(record) => Ok(is_kept(found.sequence, &record, users, swept)),
        // It says nothing to whoever has the key; `verify` counts it.
        Err(FeedbackError::Damaged { .. }) => Ok(true),
        Err(error) => Err(error),
    })
}

/// Whether a record still means something after all erasures and sweeps.
fn is_kept(sequence: u64, record: &Record, users: &HashMap<UserKey, UserState>, swept: SweptState) -> bool {
    let state = |user: &UserKey| users.get(user).copied().unwrap_or_default();
    let is_erased = |user: &UserKey| state(user).erased.is_some_and(|(_, erased)| sequence < erased);
    match record {
        Record::Impression(impression) => !is_erased(&impression.user) && impression.time >= swept.before,
        Record::Event(event) => !is_erased(&event.user) && event.time >= swept.before,
        Record::Vote { time, .. } => *time >= swept.votes_before,
        Record::UserLevel { user, .. } => state(user).level.is_none_or(|(_, chosen)| sequence == chosen),
        Record::Erased { user, .. } => state(user).erased.is_none_or(|(_, erased)| sequence == erased),
        Record::Swept { .. } => sequence == swept.sequence,
        Record::Imported { .. } => true,
    }
}

/// A key from the environment: the value of a variable, or the first line of the file that `<variable>_FILE` names.
///
/// # Errors
/// Both are set, the file cannot be read, or the key is empty.
pub fn key_from_environment(
    variable: &'static str,
    get: impl Fn(&str) -> Option<String>,
) -> Result<Option<SecretString>, KeyError> {
    let file_variable = format!("{variable}_FILE");
    let text = match (get(variable), get(&file_variable)) {
        (Some(_), Some(_)) => return Err(KeyError::Both { variable }),
        (Some(text), None) => text,
        (None, Some(path)) => {
            fs::read_to_string(&path).map_err(|source| KeyError::Unreadable { variable, path: path.into(), source })?
        }
        (None, None) => return Ok(None),
    };
    match text.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        Some(line) => Ok(Some(SecretString::from(line.to_owned()))),
        None => Err(KeyError::Empty { variable }),
    }
}

/// Where a secret of this name comes from.
fn remedy(variable: &str) -> &'static str {
    if variable.ends_with("_TOKEN") {
        "put the token there that the platform shows (Discord: developer portal, Telegram: @BotFather)"
    } else {
        "a good secret is made by `openssl rand -hex 32`"
    }
}

/// Why a key cannot be taken from the environment. No message holds a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is given twice.
    #[error("{variable} and {variable}_FILE are both set; unset one")]
    Both {
        /// Where the key comes from.
        variable: &'static str,
    },
    /// Its file cannot be read.
    #[error("{variable}_FILE names {}, which cannot be read", path.display())]
    Unreadable {
        /// Where the key comes from.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is empty.
    #[error("{variable} or the file that {variable}_FILE names is empty; {}", remedy(variable))]
    Empty {
        /// Where the key comes from.
        variable: &'static str,
    },
}
