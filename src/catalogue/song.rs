//! What is known of a song.

use serde::Serialize;

/// Place of a song in its catalogue; songs keep the order of the file that the catalogue was built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SongIdx(pub u32);

/// A song, as a view into its catalogue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Song<'a> {
    /// Stable name of the song, unique in its catalogue.
    pub id: &'a str,
    /// Title as it is written on the release.
    pub title: &'a str,
    /// The whole credit, guests included.
    pub artist: &'a str,
    /// Year of release, if known.
    pub year: Option<u16>,
    /// Language of the lyric, ISO 639-1.
    pub language: &'a str,
    /// Genres, best first.
    pub genres: Vec<&'a str>,
    /// Whether the lyric has words that not everybody wants to hear.
    pub explicit: bool,
    /// How well known the song is, in `[0, 1]`, if that is known; only the order means much.
    pub popularity: Option<f32>,
}

/// A word that says what a song is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keyword {
    /// Number of the word in its catalogue.
    pub word: u32,
    /// Weight in (0, 1]; the heaviest word of each song has 1.
    pub weight: f32,
}
