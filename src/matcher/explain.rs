//! Why a song: the words that got attention, each with the tag that woke it.

use super::linear::dot;
use super::probe::Probe;
use super::query::Query;
use super::ranker::Ranker;
use crate::kernels::attend::{self, Inputs};
use crate::lyric::lexicon::LANGUAGES;
use crate::lyric::word_space::WordSpace;

/// A word of the song and the tag that woke it.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Name of the tag, or `hint`.
    pub tag: String,
    /// The word, as the song's language has it.
    pub word: String,
    /// How much it counts, in (0, 1]: the word's share of attention times how close the word is to the tag.
    pub weight: f32,
}

/// Words that are shown.
const N_SHOWN: usize = 5;

/// Weight below which a word is no reason.
const MIN_WEIGHT: f32 = 0.03;

/// Closeness of a word that the lexicon says the tag evokes.
const EVOKED: f32 = 0.8;

/// Cosine of word and tag vector from which on the word speaks for the tag by itself.
const NEAR: f32 = 0.5;

/// Least worth in the affinity table, and least cosine beside it, from which on an entry is a reason that a person sees;
/// less is a hunch of the training, which moves the score but explains nothing (`dog`: white).
const HUNCH: (f32, f32) = (0.3, 0.3);

/// The words of a song that got attention because of the query, heaviest first; empty if no word did.
///
/// Truthful by construction: attention weights are those that the score was made with, and closeness is what the lexicon
/// says (1 for a form of the tag, 0.8 for a word that it evokes), or the cosine of their vectors.
pub fn explain(ranker: &Ranker, space: &WordSpace, query: &Query, probe: &Probe, song: u32) -> Vec<Evidence> {
    let tokens = ranker.songs.tokens(song);
    let attention = attention_weights(ranker, probe, song);
    let heaviest = query.tags.first().map_or(1.0, |t| t.1).max(1e-6);
    let mut found: Vec<(u32, Option<u16>, f32)> = Vec::new();
    for (token, share) in tokens.iter().zip(attention) {
        let best = closest(ranker, space, query, probe, token.term, heaviest);
        let Some((tag, closeness)) = best else { continue };
        match found.iter_mut().find(|f| f.0 == token.term) {
            // A word of the title that is a keyword too stands twice.
            Some(known) => known.2 += share * closeness,
            None => found.push((token.term, tag, share * closeness)),
        }
    }
    found.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
    found.retain(|f| f.2 >= MIN_WEIGHT);
    found.truncate(N_SHOWN);
    let name = |tag: Option<u16>| tag.map_or("hint", |tag| space.lexicon.name(tag, "en")).to_owned();
    found
        .into_iter()
        .map(|(term, tag, weight)| Evidence {
            tag: name(tag),
            word: ranker.songs.terms.text(term).1.to_owned(),
            weight: weight.min(1.0),
        })
        .collect()
}

/// The tag (or hint, `None`) to which a term is closest, and how close, in (0, 1].
fn closest(
    ranker: &Ranker,
    space: &WordSpace,
    query: &Query,
    probe: &Probe,
    term: u32,
    heaviest: f32,
) -> Option<(Option<u16>, f32)> {
    let vector = ranker.songs.terms.vector(term);
    let mut best: Option<(Option<u16>, f32)> = None;
    let mut offer = |tag: Option<u16>, closeness: f32| {
        if closeness > 0.0 && best.is_none_or(|b| closeness > b.1) {
            best = Some((tag, closeness));
        }
    };
    let (code, word) = ranker.songs.terms.text(term);
    let others = if usize::from(code) == LANGUAGES.len() { "en" } else { "" };
    let language = LANGUAGES.get(usize::from(code)).copied().unwrap_or(others);
    let named = space.lexicon.tags_of(language, word);
    let evoking = if language == "en" { space.lexicon.evoked_by(word) } else { &[] };
    for &(tag, weight) in &query.tags {
        let worth = ranker.network.worths(term).find(|w| w.0 == tag.0).map_or(0.0, |w| w.1);
        let cosine = dot(vector, space.tag_vector(tag.0));
        let closeness = if named.contains(&tag.0) {
            1.0
        } else if evoking.iter().any(|e| e.0 == tag.0) {
            EVOKED
        } else if cosine >= NEAR {
            cosine
        } else if worth >= HUNCH.0 && cosine >= HUNCH.1 {
            cosine.max(worth.min(NEAR))
        } else {
            0.0
        };
        offer(Some(tag.0), closeness * (weight / heaviest).min(1.0).powf(0.25));
    }
    offer(None, probe.terms.get(&term).copied().unwrap_or(0.0).min(1.0));
    best
}

/// Attention over the song's words, `[n_words]`, summing to 1.
pub fn attention_weights(ranker: &Ranker, probe: &Probe, song: u32) -> Vec<f32> {
    let network = &ranker.network;
    let states = network.states(&ranker.songs, &[song]);
    let words = network.attention_words(&states);
    let extra = network.extra_energies(&ranker.songs, &[song], states.n_words, probe);
    let shape = attend::Shape {
        n_songs: 1,
        n_queries: 1,
        n_words: states.n_words,
        n_keys: network.weights.sizes.n_keys,
        n_states: 2 * network.weights.sizes.n_hidden,
    };
    attend::weights(shape, &Inputs { words: &words, queries: &probe.attention, extra: &extra, lens: &states.lens })
}
