//! The catalogue file, version 1: columns over all songs in one packed file (`catalogue.bin`).
//!
//! In this order, each a column unless it says number; texts are lines, numbers four planes of bytes (see
//! [`crate::lyric::packed`]):
//!
//! | what | holds |
//! |---|---|
//! | number of songs | |
//! | ids, titles | a line a song |
//! | artists | distinct credits, a line each |
//! | artist of each song | numbers |
//! | year of each song | numbers, 0 for none |
//! | languages; language of each song | lines; a byte a song |
//! | genres; how many each song has; which | lines; a byte a song; a byte each, best first |
//! | explicit | a byte a song, 0 or 1 |
//! | popularity | numbers: 0 for none, else 1 + 10,000 x popularity |
//! | words | lines, by falling number of songs, then by spelling |
//! | keywords: how many each song has; which; weights | a byte a song; numbers; bytes, 255 for a song's heaviest |
//! | title words: how many each song has; which | a byte a song; numbers |
//! | counts: songs of each language; words with a count in each language; which; counts | numbers each |
//!
//! Keywords stand by falling weight and, at equal weights, by word: nothing of the order of a lyric is left.

use crate::lyric::packed::{ColumnWriter, Kind, PackedError};
use crate::lyric::string_table::StringTable;

/// Kind and version of the file.
pub const KIND: Kind = Kind { magic: *b"I2SSONGS", version: 1 };

/// Name of the file in a catalogue folder.
pub const FILE_NAME: &str = "catalogue.bin";

/// Most keywords of a song.
pub const MAX_KEYWORDS: usize = 40;

/// Popularity in `[0, 1]` as it is written.
pub(super) const POPULARITY_STEPS: f32 = 10_000.0;

/// What a catalogue file holds, ready to be written.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// A line a song.
    pub ids: String,
    /// A line a song.
    pub titles: String,
    /// Distinct credits.
    pub artists: StringTable,
    /// Number of each song's credit.
    pub artist_of: Vec<u32>,
    /// Year of each song, 0 for none.
    pub years: Vec<u32>,
    /// Language codes.
    pub languages: StringTable,
    /// Number of each song's language.
    pub language_of: Vec<u8>,
    /// Genre names.
    pub genres: StringTable,
    /// How many genres each song has.
    pub n_genres: Vec<u8>,
    /// The genres of all songs.
    pub genres_of: Vec<u8>,
    /// Whether each song is explicit.
    pub explicit: Vec<u8>,
    /// Popularity of each song.
    pub popularity: Vec<Option<f32>>,
    /// Words of all songs.
    pub words: StringTable,
    /// How many keywords each song has.
    pub n_keywords: Vec<u8>,
    /// The keywords of all songs.
    pub keywords: Vec<u32>,
    /// Their weights.
    pub weights: Vec<u8>,
    /// How many title words each song has.
    pub n_title_words: Vec<u8>,
    /// The title words of all songs.
    pub title_words: Vec<u32>,
    /// How many songs each language has.
    pub n_songs_of_language: Vec<u32>,
    /// For each language, the words that its songs hold, rising, and how many songs hold each.
    pub counts: Vec<Vec<(u32, u32)>>,
}

impl Content {
    /// The catalogue file; equal contents give equal bytes.
    ///
    /// # Errors
    /// A column is larger than the format can hold.
    pub fn to_file(&self) -> Result<Vec<u8>, PackedError> {
        let mut writer = ColumnWriter::default();
        writer.number(self.artist_of.len() as u32);
        writer.bytes(self.ids.as_bytes())?;
        writer.bytes(self.titles.as_bytes())?;
        writer.bytes(self.artists.to_lines().as_bytes())?;
        writer.numbers(&self.artist_of)?;
        writer.numbers(&self.years)?;
        writer.bytes(self.languages.to_lines().as_bytes())?;
        writer.bytes(&self.language_of)?;
        writer.bytes(self.genres.to_lines().as_bytes())?;
        writer.bytes(&self.n_genres)?;
        writer.bytes(&self.genres_of)?;
        writer.bytes(&self.explicit)?;
        let step = |popularity: f32| 1 + (popularity.clamp(0.0, 1.0) * POPULARITY_STEPS).round() as u32;
        writer.numbers(&self.popularity.iter().map(|value| value.map_or(0, step)).collect::<Vec<u32>>())?;
        writer.bytes(self.words.to_lines().as_bytes())?;
        writer.bytes(&self.n_keywords)?;
        writer.numbers(&self.keywords)?;
        writer.bytes(&self.weights)?;
        writer.bytes(&self.n_title_words)?;
        writer.numbers(&self.title_words)?;
        writer.numbers(&self.n_songs_of_language)?;
        writer.numbers(&self.counts.iter().map(|counts| counts.len() as u32).collect::<Vec<u32>>())?;
        let (mut gaps, mut counts) = (Vec::new(), Vec::new());
        for language_counts in &self.counts {
            let mut previous = 0;
            for &(word, count) in language_counts {
                gaps.push(word - previous);
                counts.push(count);
                previous = word;
            }
        }
        writer.numbers(&gaps)?;
        writer.numbers(&counts)?;
        KIND.pack(&writer.finish())
    }
}
