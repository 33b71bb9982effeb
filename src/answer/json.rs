//! Answers for programs: one JSON object a line, as docs/json.md describes. Names and order of the fields are a promise.

use std::time::Duration;

use serde::Serialize;

use crate::catalogue::song::Song;
use crate::matcher::explain::Evidence;

use super::fault::PhotoFault;
use super::links::Links;
use super::model::TagNames;
use super::sight::SeenTag;

/// What `suggest` says of a photo.
#[derive(Debug, Serialize)]
pub struct SuggestAnswer<'a> {
    /// Name of the photo.
    pub photo: &'a str,
    /// False if the photo shows little that is known or no song fits well.
    pub sure: bool,
    /// Its tags, most probable first.
    pub tags: Vec<TagEntry<'a>>,
    /// The songs, best first.
    pub suggestions: Vec<SuggestionEntry<'a>>,
    /// How long it took.
    pub ms: SuggestTimes,
}

/// What `tags` says of a photo.
#[derive(Debug, Serialize)]
pub struct TagsAnswer<'a> {
    /// Name of the photo.
    pub photo: &'a str,
    /// Its tags, most probable first.
    pub tags: Vec<TagEntry<'a>>,
    /// How long it took.
    pub ms: TagsTimes,
}

/// What `photos` says of a photo that fits the song.
#[derive(Debug, Serialize)]
pub struct PhotosAnswer<'a> {
    /// Name of the photo.
    pub photo: &'a str,
    /// Its place, from 1.
    pub rank: usize,
    /// How well it fits: higher is better.
    pub score: f64,
    /// The song.
    pub song: SongEntry<'a>,
    /// The photo's tags, most probable first.
    pub tags: Vec<TagEntry<'a>>,
    /// Why it fits, strongest first.
    pub evidence: Vec<EvidenceEntry<'a>>,
}

/// What every command says of a photo that has no answer.
#[derive(Debug, Serialize)]
pub struct FailedAnswer<'a> {
    /// Name of the photo.
    pub photo: &'a str,
    /// Why.
    pub error: ErrorEntry<'a>,
}

/// What `photos` says of a title that means no song, or several.
#[derive(Debug, Serialize)]
pub struct AmbiguousAnswer<'a> {
    /// The title as asked for.
    pub song: &'a str,
    /// Why there is no answer.
    pub error: ErrorEntry<'a>,
    /// The songs it can mean, most likely first.
    pub candidates: Vec<SongEntry<'a>>,
}

/// Why something failed.
#[derive(Debug, Serialize)]
pub struct ErrorEntry<'a> {
    /// A word to act on.
    pub kind: &'a str,
    /// A sentence to read.
    pub message: &'a str,
}

/// A tag of a photo.
#[derive(Debug, Serialize)]
pub struct TagEntry<'a> {
    /// Its name in the vocabulary.
    pub tag: &'a str,
    /// Probability in `[0, 1]`.
    pub prob: f64,
    /// Left, upper, right and lower edge as fractions of the upright photo.
    pub region: [f64; 4],
}

/// A suggested song.
#[derive(Debug, Serialize)]
pub struct SuggestionEntry<'a> {
    /// Its place, from 1.
    pub rank: usize,
    /// The song.
    pub song: SongEntry<'a>,
    /// How well it fits: higher is better.
    pub score: f64,
    /// Why it fits, strongest first.
    pub evidence: Vec<EvidenceEntry<'a>>,
    /// Where to listen.
    pub links: Links,
}

/// A song of the catalogue.
#[derive(Debug, Serialize)]
pub struct SongEntry<'a> {
    /// Its id in the catalogue.
    pub id: &'a str,
    /// Title.
    pub title: &'a str,
    /// Artist as credited.
    pub artist: &'a str,
    /// Year, if known.
    pub year: Option<u16>,
    /// ISO 639-1 code.
    pub language: &'a str,
    /// Genres, best first.
    pub genres: Vec<&'a str>,
    /// Whether its words are explicit.
    pub explicit: bool,
}

/// A tag and the word of the song that it woke.
#[derive(Debug, Serialize)]
pub struct EvidenceEntry<'a> {
    /// The tag, or `hint`.
    pub tag: &'a str,
    /// The word.
    pub word: &'a str,
    /// Its share of the reason.
    pub weight: f64,
}

/// Times of `suggest` in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SuggestTimes {
    /// To read, decode and shrink the photo.
    pub decode: f64,
    /// To tag it.
    pub tag: f64,
    /// To find the songs.
    #[serde(rename = "match")]
    pub matching: f64,
    /// All of it.
    pub total: f64,
}

/// Times of `tags` in milliseconds.
#[derive(Debug, Serialize)]
pub struct TagsTimes {
    /// To read, decode and shrink the photo.
    pub decode: f64,
    /// To tag it.
    pub tag: f64,
    /// All of it.
    pub total: f64,
}

impl<'a> FailedAnswer<'a> {
    /// The answer for a photo that has none.
    pub fn of(photo: &'a str, fault: &'a PhotoFault) -> Self {
        Self { photo, error: ErrorEntry { kind: fault.kind, message: &fault.message } }
    }
}

impl<'a> From<Song<'a>> for SongEntry<'a> {
    fn from(song: Song<'a>) -> Self {
        let Song { id, title, artist, year, language, genres, explicit, .. } = song;
        Self { id, title, artist, year, language, genres, explicit }
    }
}

/// Entries of seen tags.
pub fn tag_entries<'a>(tags: &[SeenTag], names: &'a TagNames) -> Vec<TagEntry<'a>> {
    let entry = |seen: &SeenTag| {
        let region = [seen.region.x0, seen.region.y0, seen.region.x1, seen.region.y1];
        TagEntry { tag: names.stable(seen.tag), prob: rounded(seen.prob), region: region.map(rounded) }
    };
    tags.iter().map(entry).collect()
}

/// Entries of a song's evidence.
pub fn evidence_entries<'a>(evidence: &'a [Evidence]) -> Vec<EvidenceEntry<'a>> {
    let entry = |one: &'a Evidence| EvidenceEntry { tag: &one.tag, word: &one.word, weight: rounded(one.weight) };
    evidence.iter().map(entry).collect()
}

/// A probability, fraction or score to four digits after the point.
pub fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
}

/// A time in milliseconds to two digits after the point.
pub fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 1e2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(rounded(1.0 / 3.0), 0.3333);
        assert_eq!(millis(Duration::from_micros(12_345)), 12.35);
    }

    #[test]
    fn a_failed_photo_has_the_documented_form() {
        let fault = PhotoFault::new("empty", "the photo is empty");
        let text = serde_json::to_string(&FailedAnswer::of("a.jpg", &fault)).unwrap();
        assert_eq!(text, "{\"photo\":\"a.jpg\",\"error\":{\"kind\":\"empty\",\"message\":\"the photo is empty\"}}");
    }
}
