//! A core without a model, for tests of adapters: answers at once, keeps everything in memory, and can be told to be
//! slow, busy or broken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::answer::{Answer, Link, PhotoSight, Pressed, Reason, Refusal, SongLine, Vote, Why};
use crate::ask::{Ask, Intake, Photo, Press, Reaction, Receipt, Trigger};
use crate::bot::{Pending, Received, SongBot};
use crate::locale::Locale;
use crate::payload::{SlateId, Verb};
use crate::place::{CommunityId, MessageId, Person, Place, Platform, UserId};
use crate::settings::{Change, Changers, Level, Privacy, Settings};

/// An answer with five made-up songs.
pub fn answer(locale: Locale) -> Answer {
    songs_from(locale, SlateId([7; 16]), 0)
}

fn songs_from(locale: Locale, slate: SlateId, n_before: usize) -> Answer {
    let song = |idx: usize| SongLine {
        rank: idx as u8 + 1,
        title: format!("Song <{}> & *Sand* @everyone", n_before + idx + 1),
        artist: "The Fakes".into(),
        year: Some(1999),
        is_explicit: idx == 4,
        reasons: vec![Reason { tag: "beach".into(), words: vec!["surf".into(), "sand".into()] }],
        links: ["Spotify", "YouTube", "Apple Music", "Deezer"]
            .map(|service| Link {
                service: service.into(),
                url: format!("https://example.org/{}?q=%22{idx}%22", service.replace(' ', "-")),
            })
            .into(),
    };
    Answer {
        slate,
        locale,
        sights: vec![PhotoSight { name: "1".into(), tags: vec!["beach".into(), "sea".into()], fault: None }],
        n_left_out: 0,
        songs: (0..5).map(song).collect(),
        is_sure: true,
        notice: None,
    }
}

/// What the fake was told and did.
#[derive(Debug, Default)]
pub struct Seen {
    /// Questions: number of photos, their bytes in all, and the hint.
    pub asks: Vec<(usize, usize, String)>,
    /// Votes by user and rank.
    pub votes: BTreeMap<(UserId, SlateId, u8), Vote>,
    /// Reactions that counted.
    pub reactions: Vec<(MessageId, crate::ask::Sign, bool)>,
    /// Where answers stand.
    pub posted: BTreeMap<MessageId, SlateId>,
    /// Receipts by key; whether closed.
    pub receipts: BTreeMap<String, (Receipt, bool)>,
    /// Communities that were left.
    pub left: Vec<CommunityId>,
    /// Communities that moved.
    pub moved: Vec<(CommunityId, CommunityId)>,
    /// Users whose data were deleted.
    pub erased: Vec<UserId>,
    settings: BTreeMap<String, Settings>,
    levels: BTreeMap<UserId, Level>,
    origins: BTreeMap<SlateId, (UserId, String)>,
    values: BTreeMap<(Platform, String), String>,
    keys: BTreeSet<String>,
    n_slates: u8,
    refusal: Option<Refusal>,
    delay: Duration,
    forgets_photos: bool,
    panics: bool,
}

/// The fake core.
#[derive(Debug, Default)]
pub struct FakeBot {
    seen: Mutex<Seen>,
}

impl FakeBot {
    /// What it was told and did so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on questions are refused, or answered again.
    pub fn refuse(&self, refusal: Option<Refusal>) {
        self.seen().refusal = refusal;
    }

    /// From now on answers take this long.
    pub fn delay(&self, delay: Duration) {
        self.seen().delay = delay;
    }

    /// From now on photos have to be downloaded once more to be explained, or not.
    pub fn forget_photos(&self, forgets: bool) {
        self.seen().forgets_photos = forgets;
    }

    /// The next question panics.
    pub fn panic_once(&self) {
        self.seen().panics = true;
    }

    /// A receipt as an earlier run would have left it.
    pub fn leave_open(&self, receipt: Receipt) {
        self.seen().receipts.insert(receipt.key.clone(), (receipt, false));
    }
}

fn place_key(place: &Place) -> String {
    format!("{}:{}", place.platform.name(), place.community.0)
}

impl SongBot for FakeBot {
    fn intake(&self) -> Intake {
        Intake { max_bytes: 1 << 20, max_photos: 3, enough_side: 256 }
    }

    fn admit<'a>(&'a self, place: &'a Place, _: &'a Person, trigger: Trigger) -> Pending<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let settings = self.settings(place).await;
            let is_on = !settings.muted.contains(&place.channel)
                && (trigger == Trigger::Asked || settings.automatic.contains(&place.channel));
            if is_on { Ok(()) } else { Err(Refusal::SwitchedOff) }
        })
    }

    fn suggest(&self, ask: Ask) -> Pending<'_, Result<Answer, Refusal>> {
        Box::pin(async move {
            let delay = self.seen().delay;
            tokio::time::sleep(delay).await;
            assert!(!std::mem::take(&mut self.seen().panics), "told to panic");
            let locale = self.locale(&ask.place, &ask.person).await;
            let mut seen = self.seen();
            let n_bytes = ask.photos.iter().map(|photo| photo.bytes.len()).sum();
            seen.asks.push((ask.photos.len(), n_bytes, ask.hint));
            if let Some(refusal) = &seen.refusal {
                return Err(refusal.clone());
            }
            seen.n_slates += 1;
            let slate = SlateId([seen.n_slates; 16]);
            seen.origins.insert(slate, (ask.person.user, ask.origin));
            let mut answer = songs_from(locale, slate, 0);
            let sight = answer.sights[0].clone();
            answer.sights = ask
                .photos
                .iter()
                .enumerate()
                .map(|(idx, photo)| {
                    let name = if photo.name.is_empty() { (idx + 1).to_string() } else { photo.name.clone() };
                    PhotoSight { name, ..sight.clone() }
                })
                .collect();
            Ok(answer)
        })
    }

    fn posted(&self, _: Platform, slate: SlateId, message: MessageId) -> Pending<'_, ()> {
        self.seen().posted.insert(message, slate);
        Box::pin(async {})
    }

    fn press(&self, press: Press) -> Pending<'_, Result<Pressed, Refusal>> {
        Box::pin(async move {
            let locale = self.locale(&press.place, &press.person).await;
            let mut seen = self.seen();
            let slate = press.payload.slate;
            let Some((asker, _)) = seen.origins.get(&slate).cloned() else { return Err(Refusal::TooOld) };
            let vote = match press.payload.verb {
                Verb::Up => Vote::Up,
                Verb::Down => Vote::Down,
                Verb::Why => return Ok(Pressed::Why),
                Verb::Delete if asker == press.person.user || press.person.is_manager => return Ok(Pressed::Delete),
                Verb::Delete => return Err(Refusal::NotAllowed),
                Verb::More => return Ok(Pressed::More(songs_from(locale, slate, 5))),
            };
            let key = (press.person.user.clone(), slate, press.payload.rank);
            if seen.keys.insert(press.key) {
                let now = if seen.votes.get(&key) == Some(&vote) { Vote::None } else { vote };
                seen.votes.insert(key.clone(), now);
            }
            Ok(Pressed::Voted { vote: seen.votes[&key], level: Level::Off })
        })
    }

    fn why(&self, slate: SlateId, photos: Vec<Photo>) -> Pending<'_, Result<Why, Refusal>> {
        Box::pin(async move {
            let seen = self.seen();
            let Some((_, origin)) = seen.origins.get(&slate) else { return Err(Refusal::TooOld) };
            if seen.forgets_photos && photos.is_empty() {
                return Ok(Why::PhotoNeeded { origin: origin.clone() });
            }
            Ok(Why::Picture { png: Bytes::from_static(PIXEL), alt_text: "beach → surf".into() })
        })
    }

    fn react(&self, reaction: Reaction) -> Pending<'_, Result<(), Refusal>> {
        let mut seen = self.seen();
        if seen.posted.contains_key(&reaction.message) && seen.keys.insert(reaction.key) {
            seen.reactions.push((reaction.message, reaction.sign, reaction.is_added));
        }
        Box::pin(async { Ok(()) })
    }

    fn locale<'a>(&'a self, place: &'a Place, person: &'a Person) -> Pending<'a, Locale> {
        let set = self.seen().settings.get(&place_key(place)).and_then(|settings| settings.locale);
        let own = person.language.as_deref().and_then(Locale::of_tag);
        Box::pin(async move { set.or(own).unwrap_or_default() })
    }

    fn settings<'a>(&'a self, place: &'a Place) -> Pending<'a, Settings> {
        let settings = self.seen().settings.get(&place_key(place)).cloned().unwrap_or_default();
        Box::pin(async { settings })
    }

    fn change(&self, place: Place, person: Person, change: Change) -> Pending<'_, Result<Settings, Refusal>> {
        Box::pin(async move {
            let mut seen = self.seen();
            let settings = seen.settings.entry(place_key(&place)).or_default();
            if !person.is_manager && settings.changers == Changers::Managers && !place.is_private {
                return Err(Refusal::NotAllowed);
            }
            settings.apply(change, &place.channel);
            Ok(settings.clone())
        })
    }

    fn privacy<'a>(&'a self, place: &'a Place, person: &'a Person) -> Pending<'a, Result<Privacy, Refusal>> {
        Box::pin(async move {
            let community = self.settings(place).await.level;
            let seen = self.seen();
            let chosen = seen.levels.get(&person.user).copied();
            let n_records = seen.votes.keys().filter(|(user, ..)| *user == person.user).count();
            let effective = chosen.map_or(community, |level| level.min(community));
            Ok(Privacy { chosen, community, effective, n_records, retention_days: 180 })
        })
    }

    fn set_level<'a>(
        &'a self,
        _: &'a Place,
        person: &'a Person,
        level: Option<Level>,
    ) -> Pending<'a, Result<(), Refusal>> {
        let mut seen = self.seen();
        match level {
            Some(level) => seen.levels.insert(person.user.clone(), level),
            None => seen.levels.remove(&person.user),
        };
        Box::pin(async { Ok(()) })
    }

    fn export<'a>(&'a self, _: &'a Place, _: &'a Person) -> Pending<'a, Result<String, Refusal>> {
        Box::pin(async { Ok("{\"events\":[]}".to_owned()) })
    }

    fn erase<'a>(&'a self, _: &'a Place, person: &'a Person) -> Pending<'a, Result<usize, Refusal>> {
        let mut seen = self.seen();
        let n_before = seen.votes.len();
        seen.votes.retain(|(user, ..), _| *user != person.user);
        seen.erased.push(person.user.clone());
        let n = n_before - seen.votes.len();
        Box::pin(async move { Ok(n) })
    }

    fn receive(&self, receipt: Receipt) -> Pending<'_, Result<Received, Refusal>> {
        let mut seen = self.seen();
        let is_new = !seen.receipts.contains_key(&receipt.key);
        if is_new {
            seen.receipts.insert(receipt.key.clone(), (receipt, false));
        }
        Box::pin(async move { Ok(if is_new { Received::New } else { Received::Again }) })
    }

    fn close<'a>(&'a self, _: Platform, key: &'a str) -> Pending<'a, ()> {
        if let Some((_, is_closed)) = self.seen().receipts.get_mut(key) {
            *is_closed = true;
        }
        Box::pin(async {})
    }

    fn left_open(&self, platform: Platform) -> Pending<'_, Vec<Receipt>> {
        let seen = self.seen();
        let is_open = |(receipt, is_closed): &&(Receipt, bool)| receipt.platform == platform && !is_closed;
        let open = seen.receipts.values().filter(is_open).map(|(receipt, _)| receipt.clone()).collect();
        Box::pin(async { open })
    }

    fn recall<'a>(&'a self, platform: Platform, name: &'a str) -> Pending<'a, Option<String>> {
        let value = self.seen().values.get(&(platform, name.to_owned())).cloned();
        Box::pin(async { value })
    }

    fn remember<'a>(&'a self, platform: Platform, name: &'a str, value: String) -> Pending<'a, ()> {
        self.seen().values.insert((platform, name.to_owned()), value);
        Box::pin(async {})
    }

    fn left(&self, _: Platform, community: CommunityId) -> Pending<'_, ()> {
        self.seen().left.push(community);
        Box::pin(async {})
    }

    fn moved(&self, _: Platform, from: CommunityId, to: CommunityId) -> Pending<'_, ()> {
        self.seen().moved.push((from, to));
        Box::pin(async {})
    }
}

/// A PNG of one white pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8,
    0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0x0f, 0, 1, 1,
    1, 0, 0x1b, 0xb6, 0xee, 0x56, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
