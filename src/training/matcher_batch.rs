//! Batches for the matcher: some photos, some songs, and how well each fits each.

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor};

use super::matcher_data::MatcherData;
use crate::matcher::network::{MAX_TAGS, MIN_PROBABILITY};
use crate::matcher::songs::{Mark, N_FEATURES, N_MARKS, Token};

/// How a batch is made up.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// Photos.
    pub n_photos: usize,
    /// Graded songs drawn for each photo.
    pub n_graded: usize,
    /// Songs drawn for each photo from those that score high without a grade.
    pub n_hard: usize,
    /// Songs drawn from all.
    pub n_random: usize,
    /// Words of a song that are read, at most.
    pub max_words: usize,
}

/// In which form a batch shows its songs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Title, then keywords in random order: what is served.
    Bag,
    /// Title, then the words of the lyric in their order.
    Lyric,
}

/// A batch as tensors.
#[derive(Debug)]
pub struct Batch {
    /// Words of each song.
    pub lens: Vec<u32>,
    /// Words of the longest song.
    pub n_words: usize,
    /// Row of the affinity table for each place, `u32::MAX` for none, `[n_songs * n_words]`.
    pub rows: Vec<u32>,
    /// Inputs `[n_songs, n_words, n_inputs]`.
    pub inputs: Tensor,
    /// Logarithms of the words' weights, -1e9 for padding, `[n_songs, n_words]`.
    pub log_weights: Tensor,
    /// 0 for words, -1e9 for padding, `[n_songs, n_words]`.
    pub padding: Tensor,
    /// `[n_songs, N_FEATURES]`.
    pub features: Tensor,
    /// Logarithms of tag probabilities, -1e9 for tags that do not count, `[n_photos, n_tags]`.
    pub log_probs: Tensor,
    /// Gains of the songs for the photos, `[n_photos, n_songs]`.
    pub gains: Tensor,
    /// Logarithm of how likely each song was to be drawn, `[1, n_songs]`.
    pub log_drawn: Tensor,
}

/// Draws batches.
#[derive(Debug)]
pub struct Sampler<'a> {
    data: &'a MatcherData,
    recipe: Recipe,
    /// Row of the affinity table of each term.
    rows: &'a [u32],
    /// Songs that may be seen.
    known: Vec<u32>,
    is_known: &'a [bool],
    /// How often a song is among the graded ones of a photo.
    graded_rate: Vec<f32>,
    /// How often a song is among the hard ones of a photo.
    hard_rate: Vec<f32>,
}

/// Spread of the noise on the logarithms of tag probabilities, and how often a tag is left out.
const TAG_NOISE: f32 = 0.25;
const TAG_DROP: f32 = 0.08;

/// How often a word is left out.
const WORD_DROP: f32 = 0.12;

/// Hard songs by photo.
pub type Hard = HashMap<usize, Vec<u32>>;

impl<'a> Sampler<'a> {
    /// A sampler over these training photos.
    pub fn new(data: &'a MatcherData, recipe: Recipe, rows: &'a [u32], photos: &[usize], is_known: &'a [bool]) -> Self {
        let mut graded_rate = vec![0f32; data.songs.len()];
        for &photo in photos {
            data.graded(photo).for_each(|(song, _)| graded_rate[song as usize] += 1.0 / photos.len() as f32);
        }
        let known = (0..data.songs.len() as u32).filter(|&s| is_known[s as usize]).collect();
        Self { data, recipe, rows, known, is_known, graded_rate, hard_rate: vec![0.0; data.songs.len()] }
    }

    /// Tells which songs are hard from now on.
    pub fn set_hard(&mut self, hard: &Hard) {
        self.hard_rate.fill(0.0);
        let share = 1.0 / hard.values().map(Vec::len).sum::<usize>().max(1) as f32;
        hard.values().flatten().for_each(|&song| self.hard_rate[song as usize] += share);
    }

    /// A batch of these photos.
    ///
    /// # Errors
    /// Tensors cannot be made.
    pub fn batch(
        &self,
        photos: &[usize],
        hard: &Hard,
        form: Form,
        rng: &mut fastrand::Rng,
        device: &Device,
    ) -> Result<Batch> {
        let songs = self.draw_songs(photos, hard, rng);
        let log_probs = photos.iter().flat_map(|&photo| self.log_probs(photo, rng)).collect();
        let tokens: Vec<Vec<Token>> = songs.iter().map(|&song| self.tokens(song, form, rng)).collect();
        self.assemble(photos, &songs, log_probs, &tokens, device)
    }

    /// These photos and songs as they are served: no noise, nothing left out, keywords heaviest first.
    ///
    /// # Errors
    /// Tensors cannot be made.
    pub fn served(&self, photos: &[usize], songs: &[u32], device: &Device) -> Result<Batch> {
        let log = |p: f32| if p < MIN_PROBABILITY { NO_TAG } else { p.ln() };
        let log_probs = photos.iter().flat_map(|&photo| self.data.photos.probs(photo).into_iter().map(log)).collect();
        let tokens: Vec<Vec<Token>> = songs.iter().map(|&song| self.data.songs.tokens(song).to_vec()).collect();
        self.assemble(photos, songs, log_probs, &tokens, device)
    }

    fn assemble(
        &self,
        photos: &[usize],
        songs: &[u32],
        log_probs: Vec<f32>,
        tokens: &[Vec<Token>],
        device: &Device,
    ) -> Result<Batch> {
        let places: HashMap<u32, usize> = songs.iter().enumerate().map(|(i, &s)| (s, i)).collect();
        let mut gains = vec![0f32; photos.len() * songs.len()];
        for (b, &photo) in photos.iter().enumerate() {
            for (song, gain) in self.data.graded(photo) {
                if let Some(&place) = places.get(&song) {
                    gains[b * songs.len() + place] = gain;
                }
            }
        }
        let n_tags = self.data.photos.n_tags;
        let log_drawn: Vec<f32> = songs.iter().map(|&song| self.log_drawn(song)).collect();
        let words = Words::new(self.data, self.rows, tokens);
        let (n_songs, n_words) = (songs.len(), words.n_words);
        let features: Vec<f32> = songs.iter().flat_map(|&s| self.data.songs.features(s).to_vec()).collect();
        let padding = crate::lyric::attention::padding(&words.lens, n_words);
        Ok(Batch {
            inputs: Tensor::from_vec(words.inputs, (n_songs, n_words, self.data.space.dim() + N_MARKS + 2), device)?,
            log_weights: Tensor::from_vec(words.log_weights, (n_songs, n_words), device)?,
            padding: Tensor::from_vec(padding, (n_songs, n_words), device)?,
            lens: words.lens,
            n_words,
            rows: words.rows,
            features: Tensor::from_vec(features, (n_songs, N_FEATURES), device)?,
            log_probs: Tensor::from_vec(log_probs, (photos.len(), n_tags), device)?,
            gains: Tensor::from_vec(gains, (photos.len(), n_songs), device)?,
            log_drawn: Tensor::from_vec(log_drawn, (1, n_songs), device)?,
        })
    }

    fn draw_songs(&self, photos: &[usize], hard: &Hard, rng: &mut fastrand::Rng) -> Vec<u32> {
        let mut songs = Vec::new();
        for &photo in photos {
            let mut graded: Vec<u32> =
                self.data.graded(photo).map(|p| p.0).filter(|&s| self.is_known[s as usize]).collect();
            rng.shuffle(&mut graded);
            songs.extend(graded.into_iter().take(self.recipe.n_graded));
            if let Some(list) = hard.get(&photo).filter(|list| !list.is_empty()) {
                (0..self.recipe.n_hard).for_each(|_| songs.push(list[rng.usize(..list.len())]));
            }
        }
        (0..self.recipe.n_random).for_each(|_| songs.push(self.known[rng.usize(..self.known.len())]));
        songs.sort_unstable();
        songs.dedup();
        songs
    }

    /// Logarithm of the chance that a batch holds the song, for the sampled softmax.
    fn log_drawn(&self, song: u32) -> f32 {
        let Recipe { n_photos, n_graded, n_hard, n_random, .. } = self.recipe;
        let n = n_photos as f32;
        let graded = self.graded_rate[song as usize] * n * n_graded as f32 / self.data.pairs.per_photo() as f32;
        let hard = self.hard_rate[song as usize] * n * n_hard as f32;
        let random = n_random as f32 / self.known.len() as f32;
        (1.0 - (-(graded + hard + random)).exp()).max(1e-6).ln()
    }

    /// Logarithms of a photo's tag probabilities with noise, for the tags that would count.
    fn log_probs(&self, photo: usize, rng: &mut fastrand::Rng) -> Vec<f32> {
        let noisy: Vec<f32> = self
            .data
            .photos
            .probs(photo)
            .into_iter()
            .map(|p| {
                if p < MIN_PROBABILITY || rng.f32() < TAG_DROP {
                    return NO_TAG;
                }
                p.ln() + TAG_NOISE * (rng.f32() + rng.f32() + rng.f32() - 1.5) * 2.0
            })
            .map(|log| log.min(0.0))
            .collect();
        noisy
    }

    fn tokens(&self, song: u32, form: Form, rng: &mut fastrand::Rng) -> Vec<Token> {
        let all = self.data.songs.tokens(song);
        let lyric = &self.data.sequences[song as usize];
        let title = all.iter().filter(|t| t.mark == Mark::Title).copied();
        let mut tokens: Vec<Token> = title.collect();
        if form == Form::Bag || lyric.is_empty() {
            let mut bag: Vec<Token> = all.iter().filter(|t| t.mark != Mark::Title).copied().collect();
            rng.shuffle(&mut bag);
            tokens.extend(bag.into_iter().filter(|_| rng.f32() >= WORD_DROP));
        } else {
            let room = self.recipe.max_words - tokens.len();
            let start = rng.usize(..=lyric.len().saturating_sub(room));
            let part = lyric[start..].iter().take(room).filter(|_| rng.f32() >= WORD_DROP);
            tokens.extend(part.map(|&term| Token { term, mark: Mark::Lyric, weight: 1.0 }));
        }
        if tokens.is_empty() {
            tokens.push(all[0]);
        }
        tokens.truncate(self.recipe.max_words);
        tokens
    }
}

/// Logarithm of the probability of a tag that does not count.
pub const NO_TAG: f32 = -1e9;

/// Chosen tags of each row of `scores` `[n_photos, n_tags]`: 0 for the highest [`MAX_TAGS`], [`NO_TAG`] elsewhere.
pub fn highest_tags(scores: &[Vec<f32>]) -> Vec<f32> {
    let mut mask = Vec::with_capacity(scores.len() * scores.first().map_or(0, Vec::len));
    for row in scores {
        let mut order: Vec<usize> = (0..row.len()).filter(|&k| row[k] > NO_TAG / 2.0).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]).then(a.cmp(&b)));
        order.truncate(MAX_TAGS);
        let mut line = vec![NO_TAG; row.len()];
        order.into_iter().for_each(|k| line[k] = 0.0);
        mask.extend(line);
    }
    mask
}

/// Words of a batch's songs, padded.
struct Words {
    lens: Vec<u32>,
    n_words: usize,
    rows: Vec<u32>,
    inputs: Vec<f32>,
    log_weights: Vec<f32>,
}

impl Words {
    fn new(data: &MatcherData, table_rows: &[u32], songs: &[Vec<Token>]) -> Self {
        let lens: Vec<u32> = songs.iter().map(|tokens| tokens.len() as u32).collect();
        let n_words = lens.iter().copied().max().unwrap_or(0) as usize;
        let dim = data.space.dim();
        let width = dim + N_MARKS + 2;
        let mut rows = vec![u32::MAX; songs.len() * n_words];
        let mut inputs = vec![0f32; songs.len() * n_words * width];
        let mut log_weights = vec![NO_TAG; songs.len() * n_words];
        for (s, tokens) in songs.iter().enumerate() {
            for (t, token) in tokens.iter().enumerate() {
                let at = s * n_words + t;
                rows[at] = table_rows[token.term as usize];
                log_weights[at] = token.weight.ln();
                let place = &mut inputs[at * width..][..width];
                place[..dim].copy_from_slice(data.songs.terms.vector(token.term));
                place[dim + token.mark as usize] = 1.0;
                place[dim + N_MARKS] = data.songs.terms.rarity(token.term);
                place[dim + N_MARKS + 1] = token.weight;
            }
        }
        Self { lens, n_words, rows, inputs, log_weights }
    }
}
