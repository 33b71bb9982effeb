//! What a photo and a hint ask for.

use std::collections::HashMap;

use super::linear::dot;
use super::probe::Probe;
use super::ranker::Ranker;
use crate::lyric::lexicon::LANGUAGES;
use crate::lyric::word_space::WordSpace;
use crate::tagger::vocabulary::TagId;

/// Tags that count, and the words of a hint.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Tags with weights that sum to 1, heaviest first; a tag that a hint names is among them.
    pub tags: Vec<(TagId, f32)>,
    /// Content words of the hint.
    pub hint: Vec<String>,
    /// Tags that the photo shows more likely than not, or that a hint names.
    pub sure: Vec<TagId>,
    /// Highest probability among the tags that the photo brought, in [0, 1]; 1 if a hint names a tag.
    pub confidence: f32,
}

/// Probability above which a photo shows a tag.
const SURE: f32 = 0.5;

/// Share of the tags' weight that goes to tags that a hint names.
const HINTED_SHARE: f32 = 0.5;

/// Worth of the hint's own words in a song, and of words whose vector is near theirs.
const HINT_WORTH: f32 = 1.0;
const NEAR_WORTH: f32 = 0.5;

/// Cosine from which on a word is near; at 0.6 the nearest words of `rain` are `storm`, `pouring`, `thunder`.
const NEAR: f32 = 0.6;

impl Query {
    /// The query of tag probabilities `[n_tags]` and the content words of a hint in any of the languages.
    pub fn new(ranker: &Ranker, space: &WordSpace, probs: &[f32], hint: Vec<String>) -> Self {
        let mut tags = ranker.network.tag_weights(probs);
        let mut confidence = tags.iter().map(|t| probs[usize::from(t.0)]).fold(0.0, f32::max);
        let mut hinted: Vec<u16> = hint.iter().filter_map(|word| tag_named(space, word)).collect();
        hinted.sort_unstable();
        hinted.dedup();
        if !hinted.is_empty() {
            let share = if tags.is_empty() { 1.0 } else { HINTED_SHARE };
            tags.iter_mut().for_each(|t| t.1 *= 1.0 - share);
            for &tag in &hinted {
                let more = share / hinted.len() as f32;
                match tags.iter_mut().find(|t| t.0 == tag) {
                    Some(known) => known.1 += more,
                    None => tags.push((tag, more)),
                }
            }
            tags.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            confidence = 1.0;
        }
        let sure = (0..probs.len() as u16)
            .filter(|tag| probs[usize::from(*tag)] > SURE || hinted.contains(tag))
            .map(TagId)
            .collect();
        Self { tags: tags.into_iter().map(|(tag, weight)| (TagId(tag), weight)).collect(), hint, sure, confidence }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.hint.is_empty()
    }

    /// Where the query lies in the joint space.
    pub fn probe(&self, ranker: &Ranker, space: &WordSpace) -> Probe {
        let tags: Vec<(u16, f32)> = self.tags.iter().map(|(tag, weight)| (tag.0, *weight)).collect();
        let vectors: Vec<Vec<f32>> = self.hint.iter().filter_map(|word| any_vector(space, word)).collect();
        let mut terms = HashMap::new();
        if !self.hint.is_empty() {
            let share = 1.0 / self.hint.len() as f32;
            for term in 0..ranker.songs.terms.len() as u32 {
                let (_, text) = ranker.songs.terms.text(term);
                let own = ranker.songs.terms.vector(term);
                let nearest = vectors.iter().map(|v| dot(v, own)).fold(0.0, f32::max);
                if self.hint.iter().any(|word| word == text) {
                    terms.insert(term, HINT_WORTH * share);
                } else if nearest >= NEAR {
                    terms.insert(term, NEAR_WORTH * nearest * share);
                }
            }
        }
        ranker.network.probe(&tags, &vectors, terms)
    }
}

/// The tag that a word names in English, else in the first other language that has it.
fn tag_named(space: &WordSpace, word: &str) -> Option<u16> {
    ["en"].iter().chain(&LANGUAGES).find_map(|language| space.lexicon.tag_of(language, word))
}

fn any_vector(space: &WordSpace, word: &str) -> Option<Vec<f32>> {
    ["en"].iter().chain(&LANGUAGES).find_map(|language| space.word_vector(language, word))
}
