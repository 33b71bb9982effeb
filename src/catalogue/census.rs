//! How many songs a catalogue has of each language, decade and genre: what it is, and what shown songs are held against.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::load::Catalogue;
use super::song::SongIdx;

/// Counts over songs. A song without year is in no decade, one with several genres is in each of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// Songs counted.
    pub songs: usize,
    /// By ISO 639-1 code.
    pub languages: BTreeMap<String, usize>,
    /// By first year of the decade.
    pub decades: BTreeMap<u16, usize>,
    /// By name.
    pub genres: BTreeMap<String, usize>,
    /// Songs marked as explicit.
    pub explicit: usize,
}

impl Census {
    /// Counts these songs of a catalogue; a song that comes twice counts twice.
    pub fn of(catalogue: &Catalogue, songs: impl IntoIterator<Item = SongIdx>) -> Self {
        let mut census = Self::default();
        for song in songs {
            let song = catalogue.song(song);
            census.songs += 1;
            census.explicit += usize::from(song.explicit);
            *census.languages.entry(song.language.to_owned()).or_default() += 1;
            if let Some(year) = song.year {
                *census.decades.entry(year / 10 * 10).or_default() += 1;
            }
            for genre in song.genres {
                *census.genres.entry(genre.to_owned()).or_default() += 1;
            }
        }
        census
    }
}

/// The entries by falling count, then by name.
pub fn most_frequent(counts: &BTreeMap<String, usize>) -> Vec<(&str, usize)> {
    let mut ranked: Vec<(&str, usize)> = counts.iter().map(|(name, &count)| (name.as_str(), count)).collect();
    ranked.sort_by_key(|&(name, count)| (Reverse(count), name));
    ranked
}
