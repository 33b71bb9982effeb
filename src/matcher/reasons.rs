//! Why a word could mean something to a tag, and how much it is then worth before training says better: a form of the tag
//! (any language), a word that the tag evokes, a word whose vector is near the tag's. Rare words are worth more.

use super::linear::dot;
use super::songs::Songs;
use crate::lyric::lexicon::LANGUAGES;
use crate::lyric::word_space::WordSpace;

/// Words nearest to a tag that count, and the cosine below which none does.
const N_NEAR: usize = 40;
const MIN_COSINE: f32 = 0.45;

/// Songs that must have a word before its nearness counts.
pub const MIN_SONGS: u32 = 4;

/// How many songs have each term.
#[derive(Debug)]
pub struct Reasons {
    /// `[n_terms]`.
    pub n_songs_with: Vec<u32>,
    n_songs: usize,
}

impl Reasons {
    /// Counts the terms of these songs.
    pub fn of(songs: &Songs) -> Self {
        let mut n_songs_with = vec![0u32; songs.terms.len()];
        for song in 0..songs.len() as u32 {
            let mut terms: Vec<u32> = songs.tokens(song).iter().map(|t| t.term).collect();
            terms.sort_unstable();
            terms.dedup();
            terms.iter().for_each(|&term| n_songs_with[term as usize] += 1);
        }
        Self { n_songs_with, n_songs: songs.len() }
    }

    /// What a word is worth by how few songs have it, in [0.2, 1.2].
    pub fn rarity(&self, term: u32) -> f32 {
        ((self.n_songs as f32 / (1.0 + self.n_songs_with[term as usize] as f32)).ln() / 6.0).clamp(0.2, 1.2)
    }

    /// Terms of the songs that could mean something to a tag, with their worth; a term can come more than once, and then
    /// its highest worth counts.
    ///
    /// # Panics
    /// If the space has no such tag.
    pub fn of_tag(&self, space: &WordSpace, songs: &Songs, tag: u16) -> Vec<(u32, f32)> {
        let mut found = Vec::new();
        let mut offer = |term: u32, worth: f32| found.push((term, worth * self.rarity(term)));
        offer_lexicon(space, songs, tag, &mut offer);
        self.offer_near(space, songs, tag, &mut offer);
        found
    }

    fn offer_near(&self, space: &WordSpace, songs: &Songs, tag: u16, offer: &mut impl FnMut(u32, f32)) {
        let vector = space.tag_vector(tag);
        let english = LANGUAGES.len() as u8;
        let terms = &songs.terms;
        let mut near: Vec<(f32, u32)> = (0..terms.len() as u32)
            .filter(|&term| self.n_songs_with[term as usize] >= MIN_SONGS && terms.text(term).0 == english)
            .map(|term| (dot(vector, terms.vector(term)), term))
            .filter(|(cosine, _)| *cosine >= MIN_COSINE)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        near.into_iter().take(N_NEAR).for_each(|(cosine, term)| offer(term, 0.6 * (cosine - 0.3)));
    }
}

fn offer_lexicon(space: &WordSpace, songs: &Songs, tag: u16, offer: &mut impl FnMut(u32, f32)) {
    let (lexicon, terms) = (&space.lexicon, &songs.terms);
    let english = LANGUAGES.len() as u8;
    for (code, language) in LANGUAGES.iter().chain(&["en"]).enumerate() {
        for form in lexicon.forms(tag, language) {
            if let Some(term) = terms.find(code as u8, form) {
                offer(term, 1.0);
            }
        }
    }
    let name = lexicon.name(tag, "en");
    for word in name.split_whitespace() {
        if let Some(term) = terms.find(english, word) {
            offer(term, if name.contains(' ') { 0.6 } else { 1.0 });
        }
    }
    for (word, weight) in lexicon.evokes(tag) {
        if let Some(term) = terms.find(english, word) {
            offer(term, 0.8 * weight);
        }
        // What a tag evokes has forms in other languages where it is a tag itself.
        for &evoked in lexicon.tags_of("en", word) {
            for (code, language) in LANGUAGES.iter().enumerate() {
                for form in lexicon.forms(evoked, language) {
                    if let Some(term) = terms.find(code as u8, form) {
                        offer(term, 0.6 * weight);
                    }
                }
            }
        }
    }
}
