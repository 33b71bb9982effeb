//! Ways to match photos and songs without training, to compare with.

use std::collections::HashMap;

use super::bench::Scorer;
use crate::lyric::lexicon::LANGUAGES;
use crate::lyric::word_space::WordSpace;
use crate::matcher::linear::{dot, normalize};
use crate::matcher::network::MIN_PROBABILITY;
use crate::matcher::songs::Songs;

/// Numbers that only the song and the photo's bits decide.
#[derive(Debug)]
pub struct Random {
    /// Songs.
    pub n_songs: usize,
}

impl Scorer for Random {
    fn name(&self) -> String {
        "random".into()
    }

    fn scores(&self, probs: &[f32]) -> Vec<f32> {
        let seed = probs.iter().fold(7u64, |h, p| (h ^ u64::from(p.to_bits())).wrapping_mul(0x100_0000_01b3));
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..self.n_songs).map(|_| rng.f32()).collect()
    }
}

/// The songs' popularity, the same for every photo.
#[derive(Debug)]
pub struct Popularity {
    /// By song; 0 where unknown.
    pub values: Vec<f32>,
}

impl Scorer for Popularity {
    fn name(&self) -> String {
        "popularity".into()
    }

    fn scores(&self, _probs: &[f32]) -> Vec<f32> {
        self.values.clone()
    }
}

/// How much each tag of a photo counts without training: `p^1.5` times how rare it is, `ln(1 / mean probability)`.
#[derive(Debug, Clone)]
pub struct TagWeights {
    rarity: Vec<f32>,
}

impl TagWeights {
    /// Weights from the mean probability of each tag over many photos.
    pub fn new(means: &[f32]) -> Self {
        Self { rarity: means.iter().map(|mean| (1.0 / (mean + 1e-3)).ln().max(0.0)).collect() }
    }

    fn of(&self, probs: &[f32]) -> Vec<(u16, f32)> {
        let all = probs.iter().zip(&self.rarity).enumerate();
        all.filter(|(_, (p, _))| **p >= MIN_PROBABILITY).map(|(k, (p, r))| (k as u16, p.powf(1.5) * r)).collect()
    }
}

/// tf-idf (in the form of BM25) of the tags' words against all words of the lyric, by language.
#[derive(Debug)]
pub struct TfIdf {
    tags: TagWeights,
    /// By tag: songs and what the tag's words are worth there.
    by_tag: Vec<Vec<(u32, f32)>>,
    n_songs: usize,
    has_evoked: bool,
}

impl TfIdf {
    /// Over the words of the lyrics (terms of `songs`, in `lyrics`) and titles; a tag's words are its name and its forms
    /// in the song's language, and, if `has_evoked`, what it evokes in English (x 0.8 x weight).
    pub fn new(space: &WordSpace, songs: &Songs, lyrics: &[Vec<u32>], tags: TagWeights, has_evoked: bool) -> Self {
        let postings = postings(songs, lyrics);
        let english = LANGUAGES.len() as u8;
        let n_songs = songs.len();
        let mut by_tag = Vec::with_capacity(space.lexicon.len());
        for tag in 0..space.lexicon.len() as u16 {
            let mut words: HashMap<u32, f32> = HashMap::new();
            let mut add = |code: u8, word: &str, weight: f32| {
                if let Some(term) = songs.terms.find(code, word) {
                    let place = words.entry(term).or_insert(0.0);
                    *place = place.max(weight);
                }
            };
            for (code, language) in LANGUAGES.iter().chain(&["en"]).enumerate() {
                space.lexicon.forms(tag, language).iter().for_each(|form| add(code as u8, form, 1.0));
            }
            space.lexicon.name(tag, "en").split_whitespace().for_each(|word| add(english, word, 1.0));
            if has_evoked {
                space.lexicon.evokes(tag).iter().for_each(|(word, weight)| add(english, word, 0.8 * weight));
            }
            let mut worth: HashMap<u32, f32> = HashMap::new();
            for (term, weight) in words {
                let list = &postings[term as usize];
                let idf = (n_songs as f32 / list.len().max(1) as f32).ln();
                list.iter().for_each(|&(song, tf)| *worth.entry(song).or_insert(0.0) += weight * idf * tf);
            }
            let mut worth: Vec<(u32, f32)> = worth.into_iter().collect();
            worth.sort_unstable_by_key(|w| w.0);
            by_tag.push(worth);
        }
        Self { tags, by_tag, n_songs, has_evoked }
    }
}

/// For each term the songs that hold it, with BM25's saturated frequency (k1 = 1.2, b = 0.75).
fn postings(songs: &Songs, lyrics: &[Vec<u32>]) -> Vec<Vec<(u32, f32)>> {
    let mut postings = vec![Vec::new(); songs.terms.len()];
    let total: usize = lyrics.iter().map(Vec::len).sum();
    let mean_len = (total as f32 / lyrics.len().max(1) as f32).max(1.0);
    for (song, lyric) in lyrics.iter().enumerate() {
        let mut counts: HashMap<u32, f32> = HashMap::new();
        lyric.iter().for_each(|&term| *counts.entry(term).or_insert(0.0) += 1.0);
        let norm = 1.2 * (0.25 + 0.75 * lyric.len() as f32 / mean_len);
        for (term, count) in counts {
            postings[term as usize].push((song as u32, count * 2.2 / (count + norm)));
        }
    }
    postings
}

impl Scorer for TfIdf {
    fn name(&self) -> String {
        if self.has_evoked { "tf-idf of tags and what they evoke".into() } else { "tf-idf of tags".into() }
    }

    fn scores(&self, probs: &[f32]) -> Vec<f32> {
        let mut scores = vec![0f32; self.n_songs];
        for (tag, weight) in self.tags.of(probs) {
            self.by_tag[usize::from(tag)].iter().for_each(|&(song, worth)| scores[song as usize] += weight * worth);
        }
        scores
    }
}

/// Cosine of the weighted mean tag vector and the mean vector of the song's keywords, by weight.
#[derive(Debug)]
pub struct MeanVectors<'a> {
    space: &'a WordSpace,
    tags: TagWeights,
    /// Unit vectors, `[n_songs, dim]`.
    songs: Vec<f32>,
}

impl<'a> MeanVectors<'a> {
    /// Of these songs.
    pub fn new(space: &'a WordSpace, songs: &Songs, tags: TagWeights) -> Self {
        let dim = space.dim();
        let mut vectors = vec![0f32; songs.len() * dim];
        for (song, mean) in vectors.chunks_mut(dim).enumerate() {
            for token in songs.tokens(song as u32) {
                let vector = songs.terms.vector(token.term);
                mean.iter_mut().zip(vector).for_each(|(sum, x)| *sum += token.weight * x);
            }
            normalize(mean);
        }
        Self { space, tags, songs: vectors }
    }
}

impl Scorer for MeanVectors<'_> {
    fn name(&self) -> String {
        "mean word vectors".into()
    }

    fn scores(&self, probs: &[f32]) -> Vec<f32> {
        let mut query = vec![0f32; self.space.dim()];
        for (tag, weight) in self.tags.of(probs) {
            query.iter_mut().zip(self.space.tag_vector(tag)).for_each(|(sum, x)| *sum += weight * x);
        }
        normalize(&mut query);
        self.songs.chunks(query.len()).map(|song| dot(song, &query)).collect()
    }
}
