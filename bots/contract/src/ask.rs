//! What reaches the core: a question with photos, a press of a button, a reaction.

use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::payload::Payload;
use crate::place::{MessageId, Person, Place, Platform};

/// A photo as it was downloaded, not yet decoded.
#[derive(Clone)]
pub struct Photo {
    /// What to call it in the answer, when there are several: a file name, or empty.
    pub name: String,
    /// The file.
    pub bytes: Bytes,
}

impl std::fmt::Debug for Photo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Photo({} bytes)", self.bytes.len())
    }
}

/// Whether somebody asked, or the bot answers every photo of a channel by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// Somebody asked.
    Asked,
    /// The channel's setting for automatic answers.
    Automatic,
}

/// A question. All its photos are one question: their tags are pooled.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Where.
    pub place: Place,
    /// By whom.
    pub person: Person,
    /// One photo or more, at most [`Intake::max_photos`].
    pub photos: Vec<Photo>,
    /// Words beside the photo ("rainy, in French"), without mentions and commands; may be empty.
    pub hint: String,
    /// Language code of the songs, if chosen apart from the hint.
    pub language: Option<String>,
    /// Mood, if chosen apart from the hint.
    pub mood: Option<String>,
    /// Whether somebody asked.
    pub trigger: Trigger,
    /// The adapter's own reference by which it can download the photos once more ([`crate::answer::Why::PhotoNeeded`]).
    pub origin: String,
}

/// What the core wants of photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intake {
    /// Most bytes of a photo.
    pub max_bytes: u64,
    /// Most photos of one question; further ones are left out and said so.
    pub max_photos: usize,
    /// A copy of a photo whose short side has this many pixels is large enough.
    pub enough_side: u32,
}

/// A press of a button under an answer.
#[derive(Debug, Clone)]
pub struct Press {
    /// Where.
    pub place: Place,
    /// By whom.
    pub person: Person,
    /// What the button carries; can be forged, so the core checks it all.
    pub payload: Payload,
    /// The platform's id of this press: the same press again changes nothing.
    pub key: String,
    /// When, by the platform's clock where it tells.
    pub at: SystemTime,
}

/// What a reaction under an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sign {
    /// Thumb up, heart and their like: the whole answer is liked.
    Up,
    /// Thumb down: the whole answer is disliked.
    Down,
    /// A keycap 1 to 10: the song of this rank is liked.
    Song(u8),
}

impl Sign {
    /// What an emoji says, whatever its skin tone or variation selector; `None` for one that says nothing to us.
    pub fn of_emoji(emoji: &str) -> Option<Self> {
        let plain: String =
            emoji.chars().filter(|&c| !matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')).collect();
        match plain.as_str() {
            "👍" | "❤" | "♥" | "🔥" | "😍" | "🥰" | "💯" | "🎉" | "🤩" | "👏" | "🩷" | "🧡" | "💛" | "💚" | "💙"
            | "💜" => Some(Self::Up),
            "👎" | "💩" | "🤮" => Some(Self::Down),
            "🔟" => Some(Self::Song(10)),
            keycap => {
                let digit = keycap.strip_suffix('\u{20e3}')?;
                digit.parse().ok().filter(|rank| (1..=9).contains(rank)).map(Self::Song)
            }
        }
    }
}

/// A reaction put under an answer of the bot or taken away.
#[derive(Debug, Clone)]
pub struct Reaction {
    /// Where.
    pub place: Place,
    /// By whom.
    pub person: Person,
    /// The bot's message.
    pub message: MessageId,
    /// What it says.
    pub sign: Sign,
    /// Put, or taken away.
    pub is_added: bool,
    /// The platform's id of this change, or one made of its parts: the same change again changes nothing.
    pub key: String,
    /// When.
    pub at: SystemTime,
}

/// That an update which needs an answer has arrived.
#[derive(Clone, Serialize, Deserialize)]
pub struct Receipt {
    /// Its platform.
    pub platform: Platform,
    /// Unique among the platform's updates that need an answer, the same when it is delivered again.
    pub key: String,
    /// What the adapter needs to answer, or to apologise, after a restart; at most 16 KiB. Kept until the receipt is
    /// closed, a day at most.
    pub note: String,
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Receipt({}, note of {} bytes)", self.platform.name(), self.note.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_say_the_same_in_every_guise() {
        for (emoji, sign) in [
            ("👍", Some(Sign::Up)),
            ("👍🏽", Some(Sign::Up)),
            ("❤️", Some(Sign::Up)),
            ("❤", Some(Sign::Up)),
            ("👎🏿", Some(Sign::Down)),
            ("1️⃣", Some(Sign::Song(1))),
            ("5\u{20e3}", Some(Sign::Song(5))),
            ("0️⃣", None),
            ("🤔", None),
            ("", None),
        ] {
            assert_eq!(Sign::of_emoji(emoji), sign, "{emoji}");
        }
    }
}
