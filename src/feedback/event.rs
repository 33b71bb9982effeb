//! What is written down: an [`Impression`] for an answer that was shown, an [`Event`] for what somebody did with it.
//! Never pixels, names, message text or raw ids.

use serde::{Deserialize, Serialize};

use super::ids::{CommunityKey, EventId, ImpressionId, UserKey};

/// Milliseconds since the Unix epoch. Time is always passed in, so that a test or a replay decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMs(pub u64);

impl UnixMs {
    /// The system's time now; 0 if its clock stands before 1970.
    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(since.as_millis() as u64)
    }

    /// The time this many days before, not before 0.
    pub fn minus_days(self, n_days: u32) -> Self {
        Self(self.0.saturating_sub(u64::from(n_days) * 24 * 60 * 60 * 1000))
    }
}

/// Where a question came from. What is learned from is decided by it: see [`Impression::may_train`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Discord, whose policy forbids learning from attachments without its permission.
    Discord,
    /// Telegram.
    Telegram,
    /// The HTTP API and the page at `/`.
    Web,
}

impl Platform {
    /// All platforms, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Discord, Self::Telegram, Self::Web];

    /// Its name in exports and hashes; never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discord => "discord",
            Self::Telegram => "telegram",
            Self::Web => "web",
        }
    }
}

/// How much may be kept; ordered, so that `min` of two is what both allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing.
    #[default]
    Off,
    /// Likes and dislikes per song, without the person and without the answer.
    Counts,
    /// Answers with their tags and scores, and who pressed what, by keyed hash.
    Training,
}

impl Level {
    /// All levels, least first.
    pub const ALL: [Self; 3] = [Self::Off, Self::Counts, Self::Training];
}

/// One song of a slate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The song's id in the catalogue.
    pub song_id: String,
    /// Its place in the slate, from 0.
    pub position: u8,
    /// The matcher's score; only scores of one model can be compared.
    pub score: f32,
    /// Probability with which this song was shown here, in (0, 1]; 1 if chance had no part in it.
    pub propensity: f32,
}

/// How chance made a slate: enough to reckon the probability of every song of the pool at every place again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lottery {
    /// A song's weight in the draw was `exp(score / temperature)`.
    pub temperature: f32,
    /// Whether the first place was the best song's.
    pub protects_first: bool,
    /// Scores of the songs that could be shown, best first.
    pub pool: Vec<f32>,
    /// For each song of the slate, in order, its place in the pool, from 0.
    pub places: Vec<u8>,
}

/// One tag of the photos asked about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TagProb {
    /// Number of the tag in the model's vocabulary.
    pub tag: u32,
    /// Probability in [0, 1].
    pub prob: f32,
}

/// An answer that was shown. Kept at [`Level::Training`] only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Impression {
    /// Its name, which buttons carry.
    pub id: ImpressionId,
    /// When the question came in; compared with the erasure of its asker.
    pub time: UnixMs,
    /// The server, group or chat.
    pub community: CommunityKey,
    /// Where it was asked.
    pub platform: Platform,
    /// Who asked.
    pub user: UserKey,
    /// The asker's generation when the question came in, from `FeedbackLog::generation`: an answer that was begun
    /// before its asker had everything erased is then refused. Not kept.
    #[serde(skip)]
    pub generation: u32,
    /// Version of the model that answered.
    pub model_version: String,
    /// Version of the catalogue that the songs are from.
    pub catalogue_version: String,
    /// Version of the settings that shaped the answer.
    pub config_version: String,
    /// Language of the answer, such as `en`.
    pub language: String,
    /// The songs shown, in order.
    pub slate: Vec<Shown>,
    /// Tags of the photos.
    pub tags: Vec<TagProb>,
    /// The photos' place in the joint space; kept only if the options say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Vec<f32>>,
    /// Whether the answer called itself sure.
    pub is_sure: bool,
    /// How chance made the slate; `None` if it had no part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lottery: Option<Lottery>,
    /// From question to answer.
    pub answer_ms: u32,
    /// What the community allows. The log lowers it to what the asker allows.
    pub level: Level,
    /// Whether training may use it. The log clears it for Discord unless its options say that permission is held.
    pub may_train: bool,
}

/// A song of a slate, as an event names it. The event carries the song itself because at [`Level::Counts`] no slate is
/// kept to look it up in, and because an event may arrive before its impression.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SongRef {
    /// Its place in the slate, from 0.
    pub position: u8,
    /// The song's id in the catalogue.
    pub song_id: String,
}

/// A feeling that a reaction shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reaction {
    /// It likes the song: ❤️, 👍, 5️⃣ and their kin.
    Up,
    /// It dislikes the song.
    Down,
    /// It says neither.
    Other,
}

/// Where a listen link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Spotify.
    Spotify,
    /// YouTube.
    Youtube,
    /// Apple Music.
    Apple,
    /// Deezer.
    Deezer,
}

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum EventKind {
    /// Pressed 👍.
    Up,
    /// Pressed 👎.
    Down,
    /// Took the press back.
    Retracted,
    /// Put a reaction on it.
    ReactionAdded(Reaction),
    /// Took a reaction off.
    ReactionRemoved(Reaction),
    /// Followed a listen link.
    LinkFollowed(Service),
    /// Asked for more songs.
    More,
    /// Asked why.
    Why,
    /// Deleted the answer.
    Delete,
}

impl EventKind {
    /// All kinds with their names in exports. The place in this list is the code in the journal: only add at the end.
    pub(super) const NAMED: [(Self, &'static str); 16] = [
        (Self::Up, "up"),
        (Self::Down, "down"),
        (Self::Retracted, "retracted"),
        (Self::ReactionAdded(Reaction::Up), "reaction_added_up"),
        (Self::ReactionAdded(Reaction::Down), "reaction_added_down"),
        (Self::ReactionAdded(Reaction::Other), "reaction_added_other"),
        (Self::ReactionRemoved(Reaction::Up), "reaction_removed_up"),
        (Self::ReactionRemoved(Reaction::Down), "reaction_removed_down"),
        (Self::ReactionRemoved(Reaction::Other), "reaction_removed_other"),
        (Self::LinkFollowed(Service::Spotify), "link_spotify"),
        (Self::LinkFollowed(Service::Youtube), "link_youtube"),
        (Self::LinkFollowed(Service::Apple), "link_apple"),
        (Self::LinkFollowed(Service::Deezer), "link_deezer"),
        (Self::More, "more"),
        (Self::Why, "why"),
        (Self::Delete, "delete"),
    ];

    /// Its name in exports.
    pub fn name(self) -> &'static str {
        Self::NAMED[self.code()].1
    }

    pub(super) fn code(self) -> usize {
        Self::NAMED.iter().position(|(kind, _)| *kind == self).expect("the list has every kind")
    }
}

impl From<EventKind> for &'static str {
    fn from(kind: EventKind) -> Self {
        kind.name()
    }
}

impl TryFrom<String> for EventKind {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let found = Self::NAMED.iter().find(|(_, known)| *known == name);
        found.map(|(kind, _)| *kind).ok_or_else(|| format!("{name:?} is no kind of event"))
    }
}

/// A press, a reaction, or another thing that somebody did with an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The same each time this event is delivered: a repeat changes nothing. See `KeyHasher::event`.
    pub id: EventId,
    /// The answer it is about.
    pub impression: ImpressionId,
    /// Who did it.
    pub user: UserKey,
    /// That person's generation when it came in, from `FeedbackLog::generation`. Not kept.
    #[serde(skip)]
    pub generation: u32,
    /// Which song; `None` if it is about the whole slate.
    pub song: Option<SongRef>,
    /// What was done.
    pub kind: EventKind,
    /// When, by the clock that orders events of one person best: the platform's where it gives one.
    pub time: UnixMs,
    /// Order among events of the same time, such as the number of the update; 0 if there is none.
    pub order: u64,
    /// The least of what the community allows now and what held for the impression (whose asker may have chosen
    /// less). The log lowers it to what this person allows.
    pub level: Level,
}

/// What became of something given to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Receipt {
    /// It is kept and survives a crash.
    Stored,
    /// Its like or dislike is counted without the person, and that survives a crash.
    Counted,
    /// It was there already.
    Duplicate,
    /// The level allows nothing of it to be kept.
    NotKept,
    /// It belongs to the time before its person had everything erased, or is older than what is kept.
    TooLate,
}
