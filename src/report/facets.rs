//! The songs by what exposure is divided by: language, genre, decade, artist.

use std::collections::HashMap;

use crate::catalogue::load::Catalogue;

/// What a song without a genre or year counts as.
pub const UNKNOWN: &str = "unknown";

/// A way to divide the songs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// What it is called in a report.
    pub name: &'static str,
    /// Its labels.
    pub labels: Vec<String>,
    /// Labels of each song, at least one; a song with several counts as an equal part of each.
    pub of_song: Vec<Vec<u32>>,
    numbers: HashMap<String, u32>,
}

/// The songs of a catalogue, by id, and how they are divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    songs: HashMap<String, u32>,
    /// Language, genre, decade, artist.
    pub facets: Vec<Facet>,
}

impl Facets {
    /// Those of a catalogue.
    pub fn of(catalogue: &Catalogue) -> Self {
        let mut facets = Self::new();
        for song in catalogue.songs().map(|idx| catalogue.song(idx)) {
            facets.add(song.id, song.language, &song.genres, song.year, song.artist);
        }
        facets
    }

    pub(super) fn new() -> Self {
        let facet = |name| Facet { name, labels: Vec::new(), of_song: Vec::new(), numbers: HashMap::new() };
        Self { songs: HashMap::new(), facets: ["language", "genre", "decade", "artist"].map(facet).to_vec() }
    }

    pub(super) fn add(&mut self, id: &str, language: &str, genres: &[&str], year: Option<u16>, artist: &str) {
        let decade = year.map_or_else(|| UNKNOWN.to_owned(), |year| format!("{}s", year / 10 * 10));
        let genres = if genres.is_empty() { &[UNKNOWN] } else { genres };
        let labels: [&[&str]; 4] = [&[language], genres, &[&decade], &[artist]];
        self.songs.insert(id.to_owned(), self.songs.len() as u32);
        for (facet, labels) in self.facets.iter_mut().zip(labels) {
            let numbers = labels.iter().map(|label| facet.number(label)).collect();
            facet.of_song.push(numbers);
        }
    }

    /// How many songs there are.
    pub fn n_songs(&self) -> usize {
        self.songs.len()
    }

    /// The song of this id, if the catalogue has it.
    pub fn song(&self, id: &str) -> Option<u32> {
        self.songs.get(id).copied()
    }
}

impl Facet {
    fn number(&mut self, label: &str) -> u32 {
        if let Some(number) = self.numbers.get(label) {
            return *number;
        }
        let number = self.labels.len() as u32;
        self.labels.push(label.to_owned());
        self.numbers.insert(label.to_owned(), number);
        number
    }
}
