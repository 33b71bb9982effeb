//! Whether suggestions in a language share a meaning with the photo.

use serde::Serialize;

use super::bootstrap::mean;
use crate::catalogue::load::Catalogue;
use crate::catalogue::song::SongIdx;
use crate::lyric::word_space::WordSpace;
use crate::matcher::suggest::{Filter, Matcher};
use crate::tagger::Tagging;

/// Suggestions in one language.
#[derive(Debug, Clone, Serialize)]
pub struct LanguageRow {
    /// ISO 639-1.
    pub language: String,
    /// Photos.
    pub n_photos: usize,
    /// Share of photos with five suggestions that all hold a word that means a tag of the photo.
    pub all_five: f64,
    /// Share of all suggestions that do.
    pub share: f64,
}

/// Suggests five songs in the language for each photo and counts those with a word (title or keyword) that is a form of a
/// tag of the photo: one that is stated, or that the tagger holds more likely than not. Explicit songs are left out.
///
/// Each photo is its tagging and its stated tags.
pub fn in_language(
    matcher: &Matcher,
    catalogue: &Catalogue,
    space: &WordSpace,
    photos: &[(Tagging, Vec<u16>)],
    language: &str,
) -> LanguageRow {
    let filter = Filter { languages: vec![language.to_owned()], ..Filter::default() };
    let mut shares = Vec::new();
    for (tagging, stated) in photos {
        let query = matcher.query(tagging, "");
        let slate = matcher.suggest(catalogue, &query, &filter, 5);
        let tags: Vec<u16> = (0..tagging.probs.len() as u16)
            .filter(|&tag| tagging.probs[usize::from(tag)] > 0.5 || stated.contains(&tag))
            .collect();
        let n = slate.iter().filter(|s| means_one_of(catalogue, space, s.song, &tags)).count();
        shares.push(n as f64 / 5.0);
    }
    LanguageRow {
        language: language.to_owned(),
        n_photos: photos.len(),
        all_five: mean(&shares.iter().map(|&s| f64::from(u8::from(s >= 1.0))).collect::<Vec<f64>>()),
        share: mean(&shares),
    }
}

/// Whether a word of the song's title or keywords is a form of one of these tags in the song's language.
pub fn means_one_of(catalogue: &Catalogue, space: &WordSpace, song: SongIdx, tags: &[u16]) -> bool {
    let language = catalogue.language(song);
    let words = catalogue.keywords(song).iter().map(|k| k.word).chain(catalogue.title_words(song).iter().copied());
    let means = |word: u32| space.lexicon.tags_of(language, catalogue.word(word)).iter().any(|tag| tags.contains(tag));
    words.into_iter().any(means)
}
