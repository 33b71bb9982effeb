//! Which song of the catalogue a user means by a title.

use crate::catalogue::load::Catalogue;
use crate::catalogue::search::fold;
use crate::catalogue::song::{Song, SongIdx};

/// Most candidates shown when a title can mean several songs.
const MAX_CANDIDATES: usize = 8;

/// What a title can mean.
#[derive(Debug, PartialEq, Eq)]
pub enum SongChoice {
    /// One song, by its id or its exact words.
    Exact(SongIdx),
    /// One song, whose words are written a little differently.
    Close(SongIdx),
    /// One of several songs, most likely first.
    Several(Vec<SongIdx>),
    /// None.
    Nothing,
}

/// Finds the song by its id, its title, or title and artist with a dash between, in either order. Case, accents and
/// punctuation do not count.
pub fn choose(catalogue: &Catalogue, text: &str) -> SongChoice {
    if let Some(song) = catalogue.by_id(text.trim()) {
        return SongChoice::Exact(song);
    }
    let candidates = catalogue.search(text, MAX_CANDIDATES);
    let exact: Vec<SongIdx> =
        candidates.iter().copied().filter(|&song| is_named(&catalogue.song(song), text)).collect();
    match (exact.as_slice(), candidates.as_slice()) {
        ([song], _) => SongChoice::Exact(*song),
        ([], []) => SongChoice::Nothing,
        ([], [song]) => SongChoice::Close(*song),
        ([], _) => SongChoice::Several(candidates),
        _ => SongChoice::Several(exact),
    }
}

fn is_named(song: &Song, text: &str) -> bool {
    let letters = |name: &str| fold(name).replace(' ', "");
    let (asked, title, artist) = (letters(text), letters(song.title), letters(song.artist));
    asked == title || asked == format!("{title}{artist}") || asked == format!("{artist}{title}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_punctuation_do_not_count() {
        let song = Song {
            id: "deja-vu",
            title: "Déjà Vu",
            artist: "Beyoncé feat. Jay-Z",
            year: None,
            language: "en",
            genres: Vec::new(),
            explicit: false,
            popularity: None,
        };
        for text in ["deja vu", "DÉJÀ-VU!", "Déjà Vu - Beyonce feat Jay Z", "beyoncé feat. jay-z: déjà vu"] {
            assert!(is_named(&song, text), "{text}");
        }
        assert!(!is_named(&song, "deja"));
    }
}
