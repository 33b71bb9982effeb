//! What a taste can prefer in songs whatever the photo: language, decade, genres, artist, how well known. Read from the
//! catalogue once, as sparse rows.

use std::collections::HashMap;

use super::diversify::lead_artist;
use crate::catalogue::load::Catalogue;
use crate::catalogue::ragged::Ragged;

/// Name of the fact that is a number, not a mark: popularity, 0 for a song as well known as the middle one.
pub const POPULARITY: &str = "popularity";

/// The facts of all songs of a catalogue.
#[derive(Debug, Clone)]
pub struct Facts {
    names: Vec<String>,
    /// Marks of each song, as places in `names`.
    marks: Ragged<u16>,
    /// Popularity of each song, `[n_songs]`.
    popularity: Vec<f32>,
    /// Lead artist of each song, as a place in `artists`.
    artist_of: Vec<u32>,
    artists: Vec<String>,
}

/// Popularity that counts as neither; the middle of the known ones.
const MIDDLE: f32 = 0.35;

impl Facts {
    /// Of these songs; `POPULARITY` is the first fact, marks follow by name.
    pub fn of(catalogue: &Catalogue) -> Self {
        let mut labels: Vec<Vec<String>> = Vec::with_capacity(catalogue.len());
        let (mut artist_ids, mut artists) = (HashMap::new(), Vec::new());
        let (mut popularity, mut artist_of) = (Vec::new(), Vec::new());
        for idx in catalogue.songs() {
            let song = catalogue.song(idx);
            let mut own = vec![format!("language:{}", song.language)];
            own.push(song.year.map_or("decade:unknown".into(), |year| format!("decade:{}", year / 10 * 10)));
            own.extend(song.genres.iter().map(|genre| format!("genre:{genre}")));
            own.extend(song.explicit.then(|| "explicit".to_owned()));
            labels.push(own);
            popularity.push(song.popularity.map_or(0.0, |p| p - MIDDLE));
            let artist = artist_ids.entry(catalogue.artist_idx(idx)).or_insert_with(|| lead_artist(song.artist));
            artist_of.push(artist.clone());
        }
        let mut names: Vec<String> = labels.iter().flatten().cloned().collect();
        names.sort();
        names.dedup();
        names.insert(0, POPULARITY.to_owned());
        let places: HashMap<&str, u16> = names.iter().enumerate().map(|(i, name)| (name.as_str(), i as u16)).collect();
        let lengths: Vec<u32> = labels.iter().map(|own| own.len() as u32).collect();
        let marks = labels.iter().flatten().map(|label| places[label.as_str()]).collect();
        let marks = Ragged::new(lengths.into_iter(), marks).expect("lengths are those of the rows");
        let mut leads = HashMap::new();
        let artist_of = artist_of.into_iter().map(|artist: String| {
            *leads.entry(artist.clone()).or_insert_with(|| {
                artists.push(artist);
                artists.len() as u32 - 1
            })
        });
        let artist_of = artist_of.collect();
        Self { names, marks, popularity, artist_of, artists }
    }

    /// Names of the facts, `[n_facts]`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Marks of a song, as places in [`Self::names`].
    pub fn marks(&self, song: u32) -> &[u16] {
        self.marks.row(song as usize)
    }

    /// Popularity of a song less that of the middle one; 0 where unknown.
    pub fn popularity(&self, song: u32) -> f32 {
        self.popularity[song as usize]
    }

    /// Number of a song's lead artist.
    pub fn artist(&self, song: u32) -> u32 {
        self.artist_of[song as usize]
    }

    /// Lead artists, folded as [`lead_artist`] does, by number.
    pub fn artists(&self) -> &[String] {
        &self.artists
    }

    /// Number of songs.
    pub fn n_songs(&self) -> usize {
        self.artist_of.len()
    }

    /// What weights by name add to each song's score, `[n_songs]`. A name that no song has adds nothing.
    pub fn prior(&self, facts: &[(String, f32)], artists: &[(String, f32)]) -> Vec<f32> {
        let by_name: HashMap<&str, f32> = facts.iter().map(|(name, weight)| (name.as_str(), *weight)).collect();
        let weights: Vec<f32> = self.names.iter().map(|n| by_name.get(n.as_str()).copied().unwrap_or(0.0)).collect();
        let by_artist: HashMap<&str, f32> = artists.iter().map(|(name, weight)| (name.as_str(), *weight)).collect();
        let offsets: Vec<f32> = match by_artist.is_empty() {
            true => vec![0.0; self.artists.len()],
            false => self.artists.iter().map(|a| by_artist.get(a.as_str()).copied().unwrap_or(0.0)).collect(),
        };
        let one = |song: usize| {
            let marks: f32 = self.marks.row(song).iter().map(|&mark| weights[usize::from(mark)]).sum();
            marks + weights[0] * self.popularity[song] + offsets[self.artist_of[song] as usize]
        };
        (0..self.n_songs()).map(one).collect()
    }
}
