//! A slate as it is kept for its buttons.

use std::collections::BTreeMap;

use image2song_contract::locale::Locale;
use image2song_contract::settings::{Exploration, Level};
use serde::{Deserialize, Serialize};

use crate::feedback::ids::{CommunityKey, UserKey};

/// A tag of a slate's photos: number in the vocabulary, probability, region.
pub type KeptTag = (u16, f32, u8);

/// An answer's songs and what is needed to give more of them, to explain them and to log what people do with them. No
/// photo, no name, no message; people are keyed hashes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slate {
    /// When it was asked for, in ms since 1970.
    pub asked_ms: u64,
    /// Keyed hash of the community.
    pub community: CommunityKey,
    /// Keyed hash of the asker.
    pub asker: UserKey,
    /// Language of the sentences.
    pub locale: Locale,
    /// Version of the model.
    pub model_version: String,
    /// What the numbers of the tags mean; empty in slates from before it was kept.
    #[serde(default)]
    pub vocabulary: String,
    /// How chance had a part: temperature in hundredths; 0 where it had none.
    #[serde(default)]
    pub exploration: Exploration,
    /// Tags of the photos together, most probable first.
    pub tags: Vec<KeptTag>,
    /// Whether the photos are of one color.
    pub is_plain: bool,
    /// Hint words of the question.
    pub hint: String,
    /// Languages of the songs; all if empty.
    pub languages: Vec<String>,
    /// Whether explicit songs may come.
    pub allows_explicit: bool,
    /// Songs of this slate by their catalogue ids, best first.
    pub songs: Vec<String>,
    /// Songs shown before for the same question.
    pub earlier: Vec<String>,
    /// Votes of people on ranks: keyed hash and rank to 1 or -1.
    pub votes: BTreeMap<String, i8>,
    /// What may be kept of presses, as it held when the question was asked.
    pub level: Level,
    /// The adapter's reference to the photos.
    pub origin: String,
    /// Numbers of the last presses, so that one that is delivered again changes nothing.
    pub pressed: Vec<String>,
}

impl Slate {
    /// How many presses are remembered.
    pub(super) const MAX_PRESSED: usize = 64;

    /// Remembers a press; false if it was there already.
    pub fn is_new_press(&mut self, key: &str) -> bool {
        if self.pressed.iter().any(|known| known == key) {
            return false;
        }
        if self.pressed.len() == Self::MAX_PRESSED {
            self.pressed.remove(0);
        }
        self.pressed.push(key.to_owned());
        true
    }

    /// Songs that were voted for with this sign by anybody, as indices into [`Self::songs`].
    pub fn voted(&self, sign: i8) -> Vec<usize> {
        let rank_of = |key: &str| key.rsplit_once(':').and_then(|(_, rank)| rank.parse::<usize>().ok());
        let ranks = self.votes.iter().filter(|(_, vote)| **vote == sign).filter_map(|(key, _)| rank_of(key));
        ranks.filter_map(|rank| rank.checked_sub(1)).filter(|idx| *idx < self.songs.len()).collect()
    }
}
