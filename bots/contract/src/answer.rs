//! What comes back: songs with reasons, or why there are none.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::locale::Locale;
use crate::payload::SlateId;
use crate::settings::Level;

/// A tag and the words of a lyric that it woke; both are plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The tag in the answer's language; empty for the asker's own words.
    pub tag: String,
    /// The words, strongest first.
    pub words: Vec<String>,
}

/// Where to listen: an address per service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The service's name as people know it.
    pub service: String,
    /// https address, at most 512 characters.
    pub url: String,
}

/// A song of an answer; all text is plain and untrusted, so the adapter escapes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SongLine {
    /// From 1.
    pub rank: u8,
    /// Title.
    pub title: String,
    /// Artist.
    pub artist: String,
    /// Year, where known.
    pub year: Option<u16>,
    /// Whether the lyric is explicit.
    pub is_explicit: bool,
    /// Why it fits, strongest first.
    pub reasons: Vec<Reason>,
    /// Where to listen.
    pub links: Vec<Link>,
}

/// What was seen in one photo of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoSight {
    /// The photo's name, or its number from 1.
    pub name: String,
    /// Tags in the answer's language, most probable first; empty if nothing was recognised.
    pub tags: Vec<String>,
    /// Why it could not be used, if so.
    pub fault: Option<PhotoFault>,
}

/// An answer: a slate of songs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its id, for the buttons.
    pub slate: SlateId,
    /// Language of the sentences.
    pub locale: Locale,
    /// One entry per photo.
    pub sights: Vec<PhotoSight>,
    /// Photos that were left out because there were too many.
    pub n_left_out: usize,
    /// Songs, best first; never empty.
    pub songs: Vec<SongLine>,
    /// Whether the photo says clearly what it shows.
    pub is_sure: bool,
    /// What is kept of presses, to be told to this person now for the first time.
    pub notice: Option<Level>,
}

/// Why a photo cannot be used; what is in it the user can mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PhotoFault {
    /// No photo at all: text, a sound, an archive.
    NotAPhoto,
    /// A photo in a format that is not read, such as HEIC.
    UnknownFormat,
    /// Too many bytes or pixels.
    TooLarge,
    /// Cut short or broken.
    Damaged,
    /// It could not be downloaded.
    Unreachable,
}

impl PhotoFault {
    /// Its name in metrics and in the locale files.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAPhoto => "not-a-photo",
            Self::UnknownFormat => "unknown-format",
            Self::TooLarge => "too-large",
            Self::Damaged => "damaged",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No photo of the question can be used.
    BadPhoto(PhotoFault),
    /// No song fits the settings.
    NothingFits,
    /// Too much to do.
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// The person or channel asked a moment ago.
    Cooldown {
        /// When to try again.
        wait: Duration,
    },
    /// The bot is switched off here; say nothing unless it was a command.
    SwitchedOff,
    /// The answer that the button belongs to is no longer known.
    TooOld,
    /// Only some people may do that.
    NotAllowed,
    /// Our fault.
    Internal {
        /// Also in the log.
        id: String,
    },
}

impl Refusal {
    /// Its name in metrics and in the locale files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BadPhoto(fault) => fault.name(),
            Self::NothingFits => "nothing-fits",
            Self::Busy { .. } => "busy",
            Self::Cooldown { .. } => "cooldown",
            Self::SwitchedOff => "switched-off",
            Self::TooOld => "too-old",
            Self::NotAllowed => "not-allowed",
            Self::Internal { .. } => "internal",
        }
    }
}

/// What a press of a button came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pressed {
    /// A vote counts; durable where anything is kept.
    Voted {
        /// What the vote is now.
        vote: Vote,
        /// What is kept of it.
        level: Level,
    },
    /// Further songs, none of which was shown before.
    More(Answer),
    /// The explanation is asked for: call [`crate::bot::SongBot::why`].
    Why,
    /// The answer may be taken away.
    Delete,
}

/// A vote on a song.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Vote {
    /// Liked.
    Up,
    /// Disliked.
    Down,
    /// Taken back.
    None,
}

/// The explanation of an answer.
#[derive(Clone, PartialEq, Eq)]
pub enum Why {
    /// A picture.
    Picture {
        /// PNG.
        png: Bytes,
        /// What it shows, in the answer's language, at most 1,000 characters.
        alt_text: String,
    },
    /// Photos are not kept: download them by this reference and ask once more with them.
    PhotoNeeded {
        /// [`crate::ask::Ask::origin`].
        origin: String,
    },
}

impl std::fmt::Debug for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Picture { png, .. } => write!(f, "Picture({} bytes)", png.len()),
            Self::PhotoNeeded { .. } => f.write_str("PhotoNeeded"),
        }
    }
}
