//! [`State`]: the kept state in sled. Keys are `kind`, a zero byte, and what names the value, platform ids as keyed hashes;
//! values are JSON, sealed by the store's key where there is one. All calls block for at most some milliseconds.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StateError;
use super::slate::Slate;
use crate::feedback::ids::{KeyHasher, UserKey};
use crate::feedback::seal::Seal;
use image2song_contract::payload::SlateId;
use image2song_contract::place::{CommunityId, MessageId, Platform};
use image2song_contract::settings::Settings;

/// Longest value.
const MAX_BYTES: usize = 64 << 10;
/// How long a receipt is remembered: the platforms deliver nothing older.
const RECEIPT_MS: u64 = 24 * 3600 * 1000;

/// The kept state; clones share it.
#[derive(Clone)]
pub struct State {
    db: sled::Db,
    dir: PathBuf,
    seal: Seal,
    hasher: KeyHasher,
}

/// A receipt as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
struct KeptReceipt {
    at_ms: u64,
    is_open: bool,
    /// Number of the run that received it, so that a later run finds what an earlier one left.
    run: u64,
    key: String,
    note: String,
}

impl State {
    /// Opens the state in a folder, making it if there is none.
    ///
    /// # Errors
    /// Another process has it, or the database fails; a broken database is moved aside first and begun anew, since all
    /// that is in it can be set or asked again.
    pub fn open(dir: &Path, seal: Seal, hasher: KeyHasher) -> Result<Self, StateError> {
        let open = || sled::Config::new().path(dir).cache_capacity(16 << 20).flush_every_ms(Some(200)).open();
        let db = match open() {
            Ok(db) => db,
            Err(source) if is_locked(&source) => return Err(StateError::Locked { dir: dir.to_owned() }),
            Err(source) => {
                let aside = dir.with_extension("broken");
                tracing::error!(%source, aside = %aside.display(), "the state is broken; it is moved aside and begun anew");
                let _ = std::fs::remove_dir_all(&aside);
                std::fs::rename(dir, &aside).map_err(|_| StateError::Database { dir: dir.to_owned(), source })?;
                open().map_err(|source| StateError::Database { dir: dir.to_owned(), source })?
            }
        };
        Ok(Self { db, dir: dir.to_owned(), seal, hasher })
    }

    /// A number that grows with each call over all runs.
    ///
    /// # Errors
    /// The database fails.
    pub fn next_run(&self) -> Result<u64, StateError> {
        let run = self.get::<u64>(&[b"run"])?.unwrap_or_default() + 1;
        self.put(&[b"run"], &run)?;
        self.flush()?;
        Ok(run)
    }

    /// Settings of a community; the default where none were made.
    ///
    /// # Errors
    /// The database fails.
    pub fn settings(&self, platform: Platform, community: &CommunityId) -> Result<Option<Settings>, StateError> {
        self.get(&[b"settings", self.community(platform, community).as_bytes()])
    }

    /// Keeps the settings of a community, durably.
    ///
    /// # Errors
    /// The database fails.
    pub fn set_settings(
        &self,
        platform: Platform,
        community: &CommunityId,
        settings: &Settings,
    ) -> Result<(), StateError> {
        self.put(&[b"settings", self.community(platform, community).as_bytes()], settings)?;
        self.flush()
    }

    /// Forgets the settings of a community.
    ///
    /// # Errors
    /// The database fails.
    pub fn forget_settings(&self, platform: Platform, community: &CommunityId) -> Result<(), StateError> {
        self.remove(&[b"settings", self.community(platform, community).as_bytes()])
    }

    /// Moves the settings of a community to its new id; those that are there already stay.
    ///
    /// # Errors
    /// The database fails.
    pub fn move_settings(&self, platform: Platform, from: &CommunityId, to: &CommunityId) -> Result<(), StateError> {
        if let Some(settings) = self.settings(platform, from)? {
            if self.settings(platform, to)?.is_none() {
                self.set_settings(platform, to, &settings)?;
            }
            self.forget_settings(platform, from)?;
        }
        self.flush()
    }

    /// A kept slate.
    ///
    /// # Errors
    /// The database fails.
    pub fn slate(&self, id: SlateId) -> Result<Option<Slate>, StateError> {
        self.get(&[b"slate", &id.0])
    }

    /// Keeps a slate.
    ///
    /// # Errors
    /// The database fails.
    pub fn set_slate(&self, id: SlateId, slate: &Slate) -> Result<(), StateError> {
        self.put(&[b"slate", &id.0], slate)
    }

    /// The slate that an answer's message shows.
    ///
    /// # Errors
    /// The database fails.
    pub fn slate_under(&self, platform: Platform, message: &MessageId) -> Result<Option<SlateId>, StateError> {
        self.get(&[b"message", self.named(platform, &message.0).as_bytes()])
    }

    /// Remembers the slate that an answer's message shows.
    ///
    /// # Errors
    /// The database fails.
    pub fn set_slate_under(&self, platform: Platform, message: &MessageId, id: SlateId) -> Result<(), StateError> {
        self.put(&[b"message", self.named(platform, &message.0).as_bytes()], &id)
    }

    /// Journals a receipt, durably; false if it was there already.
    ///
    /// # Errors
    /// The database fails, or the note is too long.
    pub fn receive(
        &self,
        platform: Platform,
        key: &str,
        note: String,
        run: u64,
        now_ms: u64,
    ) -> Result<bool, StateError> {
        let place = path(&[b"receipt", platform.name().as_bytes(), self.named(platform, key).as_bytes()]);
        let value =
            self.sealed(&place, &KeptReceipt { at_ms: now_ms, is_open: true, run, key: key.to_owned(), note })?;
        let outcome =
            self.db.compare_and_swap(&place, None as Option<&[u8]>, Some(value)).map_err(|e| self.fault(e))?;
        if outcome.is_err() {
            return Ok(false);
        }
        self.flush()?;
        Ok(true)
    }

    /// Closes a receipt; that it came is remembered for a day, its note is not.
    ///
    /// # Errors
    /// The database fails.
    pub fn close(&self, platform: Platform, key: &str) -> Result<(), StateError> {
        let named = self.named(platform, key);
        let parts: [&[u8]; 3] = [b"receipt", platform.name().as_bytes(), named.as_bytes()];
        if let Some(kept) = self.get::<KeptReceipt>(&parts)? {
            self.put(&parts, &KeptReceipt { is_open: false, key: String::new(), note: String::new(), ..kept })?;
        }
        Ok(())
    }

    /// Keys and notes of receipts that runs before `run` left open, oldest first; they are closed by this, durably.
    ///
    /// # Errors
    /// The database fails.
    pub fn take_left_open(&self, platform: Platform, run: u64) -> Result<Vec<(String, String)>, StateError> {
        let prefix = path(&[b"receipt", platform.name().as_bytes(), b""]);
        let mut open = Vec::new();
        for entry in self.db.scan_prefix(&prefix) {
            let (place, value) = entry.map_err(|e| self.fault(e))?;
            // What cannot be read is of another key or damaged: nobody can answer it.
            let Ok(kept) = self.opened::<KeptReceipt>(&place, &value) else { continue };
            if kept.is_open && kept.run < run {
                open.push((kept.at_ms, kept.key, kept.note));
            }
        }
        open.sort();
        for (_, key, _) in &open {
            self.close(platform, key)?;
        }
        self.flush()?;
        Ok(open.into_iter().map(|(_, key, note)| (key, note)).collect())
    }

    /// A small value of an adapter.
    ///
    /// # Errors
    /// The database fails.
    pub fn value(&self, platform: Platform, name: &str) -> Result<Option<String>, StateError> {
        self.get(&[b"value", platform.name().as_bytes(), name.as_bytes()])
    }

    /// Keeps a small value of an adapter.
    ///
    /// # Errors
    /// The database fails.
    pub fn set_value(&self, platform: Platform, name: &str, value: &str) -> Result<(), StateError> {
        self.put(&[b"value", platform.name().as_bytes(), name.as_bytes()], &value)
    }

    /// Whether something is told to somebody for the first time; remembers that it was.
    ///
    /// # Errors
    /// The database fails.
    pub fn is_first(&self, what: &str, who: &str) -> Result<bool, StateError> {
        let parts: [&[u8]; 3] = [b"told", what.as_bytes(), who.as_bytes()];
        let is_first = self.get::<bool>(&parts)?.is_none();
        if is_first {
            self.put(&parts, &true)?;
        }
        Ok(is_first)
    }

    /// Removes the slates of answers to a person and that person's votes on others, durably. Returns how many slates
    /// changed. Reads all of them.
    ///
    /// # Errors
    /// The database fails.
    pub fn forget_person(&self, person: UserKey) -> Result<usize, StateError> {
        let mut n_changed = 0;
        let own_votes = format!("{}:", person.to_text());
        for entry in self.db.scan_prefix(b"slate\0") {
            let (place, value) = entry.map_err(|e| self.fault(e))?;
            let Ok(mut slate) = self.opened::<Slate>(&place, &value) else { continue };
            let n_votes = slate.votes.len();
            slate.votes.retain(|who, _| !who.starts_with(&own_votes));
            if slate.asker == person {
                self.db.remove(&place).map_err(|e| self.fault(e))?;
            } else if slate.votes.len() < n_votes {
                let value = self.sealed(&place, &slate)?;
                self.db.insert(&place, value).map_err(|e| self.fault(e))?;
            } else {
                continue;
            }
            n_changed += 1;
        }
        self.flush()?;
        Ok(n_changed)
    }

    /// Forgets slates asked for before `oldest_ms` with the messages that show them, and receipts older than a day.
    /// Returns how many values went. Reads all of them: once a day is enough.
    ///
    /// # Errors
    /// The database fails.
    pub fn sweep(&self, oldest_ms: u64, now_ms: u64) -> Result<usize, StateError> {
        let mut n_gone = 0;
        let gone = |place: &[u8], value: &[u8]| -> bool {
            let kind = place.split(|byte| *byte == 0).next().unwrap_or_default();
            match kind {
                b"slate" => self.opened::<Slate>(place, value).map_or(true, |slate| slate.asked_ms < oldest_ms),
                b"receipt" => {
                    let kept = self.opened::<KeptReceipt>(place, value);
                    kept.map_or(true, |kept| kept.at_ms + RECEIPT_MS < now_ms)
                }
                b"message" => {
                    let slate = self.opened::<SlateId>(place, value).ok();
                    slate.and_then(|id| self.slate(id).ok().flatten()).is_none_or(|slate| slate.asked_ms < oldest_ms)
                }
                _ => false,
            }
        };
        // Messages first, while their slates are still there to say how old they are.
        for kind in [&b"message\0"[..], b"slate\0", b"receipt\0"] {
            for entry in self.db.scan_prefix(kind) {
                let (place, value) = entry.map_err(|e| self.fault(e))?;
                if gone(&place, &value) {
                    self.db.remove(&place).map_err(|e| self.fault(e))?;
                    n_gone += 1;
                }
            }
        }
        self.flush()?;
        Ok(n_gone)
    }

    /// Waits until all that was kept survives a crash of the process.
    ///
    /// # Errors
    /// The database fails.
    pub fn flush(&self) -> Result<(), StateError> {
        self.db.flush().map(|_| ()).map_err(|e| self.fault(e))
    }

    fn community(&self, platform: Platform, community: &CommunityId) -> String {
        self.hasher.community(platform.into(), &community.0).to_text()
    }

    fn named(&self, platform: Platform, name: &str) -> String {
        self.hasher.event(platform.into(), name).to_text()
    }

    fn fault(&self, source: sled::Error) -> StateError {
        StateError::Database { dir: self.dir.clone(), source }
    }

    fn sealed(&self, place: &[u8], value: &impl Serialize) -> Result<Vec<u8>, StateError> {
        let unreadable = |error: serde_json::Error| StateError::Unreadable { fault: error.to_string() };
        let plain = serde_json::to_vec(value).map_err(unreadable)?;
        if plain.len() > MAX_BYTES {
            return Err(StateError::TooLong { found: plain.len(), max: MAX_BYTES });
        }
        Ok(self.seal.close(place, &plain))
    }

    fn opened<T: DeserializeOwned>(&self, place: &[u8], stored: &[u8]) -> Result<T, StateError> {
        let fault = |fault: String| StateError::Unreadable { fault };
        let plain = self.seal.open(place, stored).map_err(|error| fault(error.to_string()))?;
        serde_json::from_slice(&plain).map_err(|error| fault(error.to_string()))
    }

    fn get<T: DeserializeOwned>(&self, parts: &[&[u8]]) -> Result<Option<T>, StateError> {
        let place = path(parts);
        let stored = self.db.get(&place).map_err(|e| self.fault(e))?;
        stored.map(|stored| self.opened(&place, &stored)).transpose()
    }

    fn put(&self, parts: &[&[u8]], value: &impl Serialize) -> Result<(), StateError> {
        let place = path(parts);
        let value = self.sealed(&place, value)?;
        self.db.insert(&place, value).map(|_| ()).map_err(|e| self.fault(e))
    }

    fn remove(&self, parts: &[&[u8]]) -> Result<(), StateError> {
        self.db.remove(path(parts)).map(|_| ()).map_err(|e| self.fault(e))
    }
}

fn path(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&0)
}

fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(io) if io.kind() == std::io::ErrorKind::WouldBlock || io.to_string().contains("lock"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image2song_contract::locale::Locale;
    use image2song_contract::settings::Level;
    use std::collections::BTreeMap;

    fn open(dir: &Path) -> State {
        State::open(dir, Seal::new(None), hasher()).unwrap()
    }

    fn hasher() -> KeyHasher {
        KeyHasher::new(&"a key for tests".into())
    }

    fn slate(asked_ms: u64) -> Slate {
        Slate {
            asked_ms,
            community: hasher().community(Platform::Discord.into(), "s"),
            asker: hasher().user(Platform::Discord.into(), "a"),
            locale: Locale::De,
            model_version: "1".into(),
            vocabulary: String::new(),
            exploration: Default::default(),
            tags: vec![(3, 0.5, 1)],
            is_plain: false,
            hint: String::new(),
            languages: Vec::new(),
            allows_explicit: false,
            songs: vec!["one".into(), "two".into()],
            earlier: Vec::new(),
            votes: BTreeMap::from([("u:2".into(), 1), ("u:1".into(), -1), ("u:9".into(), 1)]),
            level: Level::Off,
            origin: String::new(),
            pressed: Vec::new(),
        }
    }

    #[test]
    fn a_receipt_is_taken_once_and_left_open_ones_come_back_once() {
        let dir = tempfile::tempdir().unwrap();
        let (platform, state) = (Platform::Telegram, open(dir.path()));
        let run = state.next_run().unwrap();
        assert!(state.receive(platform, "1", "one".into(), run, 10).unwrap());
        assert!(!state.receive(platform, "1", "one".into(), run, 11).unwrap());
        assert!(state.receive(platform, "2", "two".into(), run, 9).unwrap());
        assert!(state.receive(Platform::Discord, "3", "three".into(), run, 9).unwrap());
        state.close(platform, "2").unwrap();
        assert!(state.take_left_open(platform, run).unwrap().is_empty(), "its own receipts are being answered");
        drop(state);
        let state = open(dir.path());
        let run = state.next_run().unwrap();
        assert_eq!(state.take_left_open(platform, run).unwrap(), [("1".to_owned(), "one".to_owned())]);
        assert!(state.take_left_open(platform, run).unwrap().is_empty());
        assert!(!state.receive(platform, "1", "one".into(), run, 12).unwrap(), "delivered again after the restart");
    }

    #[test]
    fn old_slates_and_receipts_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        let state = open(dir.path());
        let (old, new) = (SlateId([0; 16]), SlateId([2; 16]));
        let message = |name: &str| MessageId(name.into());
        for (id, asked, name) in [(old, 5, "old"), (new, 50, "new")] {
            state.set_slate(id, &slate(asked)).unwrap();
            state.set_slate_under(Platform::Discord, &message(name), id).unwrap();
        }
        state.receive(Platform::Discord, "r", "note".into(), 1, 0).unwrap();
        assert_eq!(state.sweep(20, RECEIPT_MS + 1).unwrap(), 3);
        assert_eq!((state.slate(old).unwrap(), state.slate(new).unwrap()), (None, Some(slate(50))));
        assert_eq!(state.slate_under(Platform::Discord, &message("old")).unwrap(), None);
        assert_eq!(state.slate_under(Platform::Discord, &message("new")).unwrap(), Some(new));
    }

    #[test]
    fn a_person_is_forgotten_with_slates_and_votes() {
        let dir = tempfile::tempdir().unwrap();
        let (state, asker) = (open(dir.path()), slate(0).asker);
        let other = hasher().user(Platform::Discord.into(), "b");
        let (own, voted) = (SlateId([1; 16]), SlateId([2; 16]));
        state.set_slate(own, &slate(0)).unwrap();
        let votes = BTreeMap::from([(format!("{}:1", asker.to_text()), 1), (format!("{}:1", other.to_text()), -1)]);
        state.set_slate(voted, &Slate { asker: other, votes, ..slate(0) }).unwrap();
        assert_eq!(state.forget_person(asker).unwrap(), 2);
        assert_eq!(state.slate(own).unwrap(), None);
        assert_eq!(state.slate(voted).unwrap().unwrap().votes.into_values().collect::<Vec<_>>(), [-1]);
    }

    #[test]
    fn votes_name_songs_and_presses_count_once() {
        let mut slate = slate(0);
        assert_eq!((slate.voted(1), slate.voted(-1)), (vec![1], vec![0]));
        assert!(slate.is_new_press("p") && !slate.is_new_press("p"));
        for n in 0..100 {
            slate.is_new_press(&n.to_string());
        }
        assert_eq!(slate.pressed.len(), Slate::MAX_PRESSED);
    }

    #[test]
    fn a_second_process_is_told_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let _first = open(dir.path());
        assert!(matches!(State::open(dir.path(), Seal::new(None), hasher()), Err(StateError::Locked { .. })));
    }

    #[test]
    fn settings_are_kept_and_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let (state, here) = (open(dir.path()), CommunityId("s".into()));
        assert_eq!(state.settings(Platform::Discord, &here).unwrap(), None);
        let settings = Settings { n_songs: 3, ..Settings::default() };
        state.set_settings(Platform::Discord, &here, &settings).unwrap();
        assert_eq!(state.settings(Platform::Discord, &here).unwrap(), Some(settings));
        state.forget_settings(Platform::Discord, &here).unwrap();
        assert_eq!(state.settings(Platform::Discord, &here).unwrap(), None);
        assert!(state.is_first("notice", "u").unwrap() && !state.is_first("notice", "u").unwrap());
    }
}
