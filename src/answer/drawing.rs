//! The explanation picture: what an answer says, handed to the drawing as plain words and numbers.

use crate::explain::{self, PHOTO_SIDE, Song, Tag, Woken};
use crate::matcher::suggest::Suggestion;
use crate::photo::Decoded;

use super::model::Model;
use super::sight::SeenTag;

/// Draws a photo with its tags and the reasons of its suggestions, with the tags' names in the language of this code if
/// one is given, else in the model's; the bytes of a PNG file.
pub fn png(
    photo: &Decoded,
    tags: &[SeenTag],
    suggestions: &[Suggestion],
    model: &Model,
    code: Option<&str>,
) -> Vec<u8> {
    let names = &model.eye.names;
    let shown = |tag| code.map_or_else(|| names.shown(tag), |code| names.shown_in(tag, code)).to_owned();
    let shown_for = |name: &str| names.tag(name).map_or_else(|| name.to_owned(), shown);
    let tag = |seen: &SeenTag| Tag { name: shown(seen.tag), prob: seen.prob, region: seen.region };
    let song = |suggestion: &Suggestion| {
        let song = model.catalogue.song(suggestion.song);
        let woken = suggestion.evidence.iter();
        Song {
            title: song.title.to_owned(),
            artist: song.artist.to_owned(),
            year: song.year,
            evidence: woken.map(|e| Woken { tag: shown_for(&e.tag), word: e.word.clone() }).collect(),
        }
    };
    let tags: Vec<Tag> = tags.iter().map(tag).collect();
    let songs: Vec<Song> = suggestions.iter().map(song).collect();
    explain::png(&photo.fit(PHOTO_SIDE), &tags, &songs)
}
