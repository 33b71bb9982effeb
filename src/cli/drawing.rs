//! The picture of `--explain`: what an answer says, handed to the drawing as plain words and numbers.

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::explain::{self, PHOTO_SIDE, Song, Tag, Woken};
use crate::matcher::suggest::Suggestion;
use crate::photo::Decoded;

use super::loading::Model;
use super::sight::SeenTag;

/// Draws a photo with its tags and the reasons of its suggestions, and writes the picture as PNG.
///
/// # Errors
/// The file cannot be written.
pub fn write(
    path: &Path,
    photo: &Decoded,
    tags: &[SeenTag],
    suggestions: &[Suggestion],
    model: &Model,
) -> anyhow::Result<()> {
    let names = &model.eye.names;
    let tag = |seen: &SeenTag| Tag { name: names.shown(seen.tag).to_owned(), prob: seen.prob, region: seen.region };
    let song = |suggestion: &Suggestion| {
        let song = model.catalogue.song(suggestion.song);
        let woken = suggestion.evidence.iter();
        Song {
            title: song.title.to_owned(),
            artist: song.artist.to_owned(),
            year: song.year,
            evidence: woken.map(|e| Woken { tag: names.shown_for(&e.tag).to_owned(), word: e.word.clone() }).collect(),
        }
    };
    let tags: Vec<Tag> = tags.iter().map(tag).collect();
    let songs: Vec<Song> = suggestions.iter().map(song).collect();
    let picture = explain::png(&photo.fit(PHOTO_SIDE), &tags, &songs);
    fs::write(path, picture).with_context(|| format!("the picture {} cannot be written", path.display()))
}
