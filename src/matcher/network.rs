//! The trained network on plain slices: songs to states and vectors, a query to its side of the joint space, scores.
//!
//! The score of a song is `s1 cos(photo, lyric) + s2 cos(photo, song) + woken + prior`. The first term is the joint space
//! with tag attention; the others need no attention, so that all songs can be scored by them: the tag-free vector, what the
//! tags wake in the song (the sum over its words of weight times worth, without attention's softmax, so that five words of
//! the sea count more than one), and a prior from what is known of every song (no number is kept for a single song).

use std::collections::HashMap;

use rayon::prelude::*;

use super::linear::{dot, normalize, product};
use super::probe::Probe;
use super::songs::{N_FEATURES, N_MARKS, Songs, Token};
use super::weights::{Pooling, Weights};
use crate::kernels::attend;
use crate::kernels::gru::{self, Order};
use crate::kernels::isa::Isa;

/// States of some songs, padded to the longest.
#[derive(Debug, Clone)]
pub struct States {
    /// Words of each song.
    pub lens: Vec<u32>,
    /// Words of the longest.
    pub n_words: usize,
    /// `[n_songs, n_words, 2 n_hidden]`, forward then backward.
    pub values: Vec<f32>,
}

/// What the tag-free side knows of a song.
#[derive(Debug, Clone)]
pub struct SongVectors {
    /// Unit vectors, `[n_songs, n_joint]`.
    pub vectors: Vec<f32>,
    /// Prior scores, `[n_songs]`.
    pub priors: Vec<f32>,
}

/// The network with its weights, and the worth of each of its songs' terms to each tag.
#[derive(Debug, Clone)]
pub struct Network {
    /// Parameters.
    pub weights: Weights,
    /// Input weights of both directions side by side, vector part only, `[n_vector, 6 n_hidden]`.
    input: Vec<f32>,
    /// Row of the affinity table of each term, `u32::MAX` for none.
    rows: Vec<u32>,
    /// `woken.marks` and `woken.exponent`.
    gains: ([f32; N_MARKS], f32),
}

/// Most tags that a query looks at; the pairs were made with eight.
pub const MAX_TAGS: usize = 8;

/// Tags less probable than this say nothing.
pub const MIN_PROBABILITY: f32 = 0.02;

impl Network {
    /// A network over the terms of these songs.
    pub fn new(weights: Weights, songs: &Songs) -> Self {
        let rows = table_rows(&weights, songs);
        let h = weights.sizes.n_hidden;
        let (forward, backward) = (weights.get("gru.forward.input"), weights.get("gru.backward.input"));
        let mut input = Vec::with_capacity(weights.sizes.n_vector * 6 * h);
        for i in 0..weights.sizes.n_vector {
            input.extend_from_slice(&forward[i * 3 * h..][..3 * h]);
            input.extend_from_slice(&backward[i * 3 * h..][..3 * h]);
        }
        let marks = weights.get("woken.marks");
        let gains = ([marks[0], marks[1], marks[2]], weights.get("woken.exponent")[0]);
        Self { weights, input, rows, gains }
    }

    /// Tags that count for these probabilities `[n_tags]`, with weights summing to 1, heaviest first: a softmax over the
    /// heaviest of `importance + exponent ln p`.
    pub fn tag_weights(&self, probs: &[f32]) -> Vec<(u16, f32)> {
        let importance = self.weights.get("tags.importance");
        let exponent = self.weights.get("tags.exponent")[0];
        let mut tags: Vec<(u16, f32)> = probs
            .iter()
            .enumerate()
            .filter(|(_, p)| **p >= MIN_PROBABILITY)
            .map(|(k, p)| (k as u16, importance[k] + exponent * p.ln()))
            .collect();
        tags.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        tags.truncate(MAX_TAGS);
        let highest = tags.first().map_or(0.0, |t| t.1);
        let sum: f32 = tags.iter().map(|t| (t.1 - highest).exp()).sum();
        tags.iter_mut().for_each(|t| t.1 = (t.1 - highest).exp() / sum);
        tags
    }

    /// The query's side for tags (weights summing to 1) and the vectors of a hint, which then has half the say.
    pub fn probe(&self, tags: &[(u16, f32)], hint: &[Vec<f32>], terms: HashMap<u32, f32>) -> Probe {
        let sizes = self.weights.sizes;
        let vectors = self.weights.get("tags.vectors");
        let mut v = vec![0f32; sizes.n_vector];
        for &(tag, weight) in tags {
            let row = &vectors[usize::from(tag) * sizes.n_vector..][..sizes.n_vector];
            v.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
        }
        if !hint.is_empty() {
            let share = HINT_SHARE / hint.len() as f32;
            let rest = if tags.is_empty() { 1.0 } else { 1.0 - HINT_SHARE };
            v.iter_mut().for_each(|x| *x *= rest);
            hint.iter().for_each(|word| v.iter_mut().zip(word).for_each(|(sum, x)| *sum += share * x));
        }
        let mut attention = vec![0f32; sizes.n_keys];
        product(&v, self.weights.get("attention.queries"), 1, sizes.n_vector, sizes.n_keys, &mut attention);
        attention.extend_from_slice(self.weights.get("attention.w"));
        let hidden = self.layer(&v, "photo.hidden", sizes.n_vector);
        let out = |name: &str| {
            let mut out = vec![0f32; sizes.n_joint];
            product(&hidden, self.weights.get(name), 1, sizes.n_joint, sizes.n_joint, &mut out);
            normalize(&mut out);
            out
        };
        let (lyric, song) = (out("photo.lyric"), out("photo.song"));
        Probe { tags: tags.to_vec(), terms, attention, lyric, song }
    }

    /// `relu(x W + b)` for rows of `n_in` numbers.
    fn layer(&self, x: &[f32], name: &str, n_in: usize) -> Vec<f32> {
        let n_out = self.weights.sizes.n_joint;
        let mut out = vec![0f32; x.len() / n_in * n_out];
        product(x, self.weights.get(name), x.len() / n_in, n_in, n_out, &mut out);
        let bias = self.weights.get(&format!("{name}_bias"));
        out.chunks_mut(n_out).for_each(|row| row.iter_mut().zip(bias).for_each(|(x, b)| *x = (*x + b).max(0.0)));
        out
    }

    /// What a term is worth to the query: the sum over its tags of weight times worth, and what the hint adds.
    pub fn worth(&self, probe: &Probe, term: u32) -> f32 {
        let hinted = if probe.terms.is_empty() { 0.0 } else { probe.terms.get(&term).copied().unwrap_or(0.0) };
        let row = self.rows[term as usize];
        if row == u32::MAX {
            return hinted;
        }
        let (tags, range) = self.weights.places.of_word(row);
        let values = &self.weights.get("affinity")[range];
        let of = |tag: u16| probe.tags.iter().find(|t| t.0 == tag).map_or(0.0, |t| t.1);
        hinted + tags.iter().zip(values).map(|(&tag, value)| of(tag) * value).sum::<f32>()
    }

    /// Worth of a term to each tag that has an entry for it.
    pub fn worths(&self, term: u32) -> impl Iterator<Item = (u16, f32)> + '_ {
        let row = self.rows[term as usize];
        let (tags, range) = if row == u32::MAX { (&[][..], 0..0) } else { self.weights.places.of_word(row) };
        tags.iter().copied().zip(self.weights.get("affinity")[range].iter().copied())
    }

    /// How much a token counts in what the tags wake.
    pub fn token_gain(&self, token: &Token) -> f32 {
        let (marks, exponent) = &self.gains;
        (marks[token.mark as usize] + exponent * token.weight.ln()).exp()
    }

    /// The two scales of [`woken_score`].
    pub fn woken_scales(&self) -> [f32; 2] {
        let scales = self.weights.get("woken.scales");
        [scales[0], scales[1]]
    }

    /// States of these songs' words.
    pub fn states(&self, songs: &Songs, ids: &[u32]) -> States {
        let h = self.weights.sizes.n_hidden;
        let lens: Vec<u32> = ids.iter().map(|&id| songs.tokens(id).len() as u32).collect();
        let n_words = lens.iter().copied().max().unwrap_or(0) as usize;
        let (places, projected) = self.project(songs, ids);
        let run = |order: Order| {
            let name = if order == Order::Forward { "forward" } else { "backward" };
            let side = if order == Order::Forward { 0 } else { 3 * h };
            let mut inputs = vec![0f32; ids.len() * n_words * 3 * h];
            let extras = Extras::new(&self.weights, name);
            inputs.par_chunks_mut((n_words * 3 * h).max(1)).zip(ids).for_each(|(rows, &id)| {
                for (token, place) in songs.tokens(id).iter().zip(rows.chunks_mut(3 * h)) {
                    let at = places[&token.term] as usize * 6 * h + side;
                    extras.write(&projected[at..][..3 * h], token, songs.terms.rarity(token.term), place);
                }
            });
            let mut states = vec![0f32; ids.len() * n_words * h];
            let recurrent = self.weights.get(&format!("gru.{name}.recurrent"));
            let shape = gru::Shape { n_rows: ids.len(), n_steps: n_words, n_hidden: h };
            gru::forward(Isa::best(), shape, &inputs, recurrent, &lens, order, &mut states);
            states
        };
        let (forward, backward) = rayon::join(|| run(Order::Forward), || run(Order::Backward));
        let mut values = Vec::with_capacity(ids.len() * n_words * 2 * h);
        for (a, b) in forward.chunks(h).zip(backward.chunks(h)) {
            values.extend_from_slice(a);
            values.extend_from_slice(b);
        }
        States { lens, n_words, values }
    }

    /// Input projections of the songs' distinct terms, both directions: place of each term, and `[n_terms, 6 n_hidden]`.
    fn project(&self, songs: &Songs, ids: &[u32]) -> (HashMap<u32, u32>, Vec<f32>) {
        let mut places = HashMap::new();
        let mut vectors: Vec<f32> = Vec::new();
        for token in ids.iter().flat_map(|&id| songs.tokens(id)) {
            let next = places.len() as u32;
            places.entry(token.term).or_insert_with(|| {
                vectors.extend_from_slice(songs.terms.vector(token.term));
                next
            });
        }
        let (n, width) = (self.weights.sizes.n_vector, 6 * self.weights.sizes.n_hidden);
        let mut projected = vec![0f32; places.len() * width];
        let jobs = projected.par_chunks_mut(BLOCK * width).zip(vectors.par_chunks(BLOCK * n));
        jobs.for_each(|(out, rows)| product(rows, &self.input, rows.len() / n, n, width, out));
        (places, projected)
    }

    /// Tag-free vectors and priors of all songs.
    pub fn song_vectors(&self, songs: &Songs) -> SongVectors {
        let all: Vec<u32> = (0..songs.len() as u32).collect();
        let mut vectors = Vec::with_capacity(all.len() * self.weights.sizes.n_joint);
        let mut priors = Vec::with_capacity(all.len());
        for ids in all.chunks(4 * BLOCK) {
            let states = self.states(songs, ids);
            let pooled = self.pooled(&states, self.weights.pooling);
            let d = 2 * self.weights.sizes.n_hidden;
            let hidden = self.layer(&pooled, "song.hidden", d);
            priors.extend(ids.iter().zip(hidden.chunks(self.weights.sizes.n_joint)).map(|(&id, hidden)| {
                dot(hidden, self.weights.get("prior.hidden"))
                    + dot(songs.features(id), &self.weights.get("prior.features")[..N_FEATURES])
            }));
            vectors.extend(self.joint(&hidden, "song.out"));
        }
        SongVectors { vectors, priors }
    }

    fn joint(&self, hidden: &[f32], name: &str) -> Vec<f32> {
        let n = self.weights.sizes.n_joint;
        let mut out = vec![0f32; hidden.len()];
        product(hidden, self.weights.get(name), hidden.len() / n, n, n, &mut out);
        out.chunks_mut(n).for_each(normalize);
        out
    }

    /// States pooled by a learned query that knows no tag, or by their mean, `[n_songs, 2 n_hidden]`.
    fn pooled(&self, states: &States, pooling: Pooling) -> Vec<f32> {
        let d = 2 * self.weights.sizes.n_hidden;
        let query = self.weights.get("song.pool");
        let mut pooled = vec![0f32; states.lens.len() * d];
        for ((out, words), &len) in
            pooled.chunks_mut(d).zip(states.values.chunks((states.n_words * d).max(1))).zip(&states.lens)
        {
            let words = words.chunks(d).take(len as usize);
            let mut weights: Vec<f32> = match pooling {
                Pooling::Attention | Pooling::Woken => words.clone().map(|state| dot(state, query)).collect(),
                Pooling::Mean => vec![0.0; len as usize],
            };
            let highest = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            weights.iter_mut().for_each(|x| *x = (*x - highest).exp());
            let sum: f32 = weights.iter().sum();
            for (state, weight) in words.zip(weights) {
                out.iter_mut().zip(state).for_each(|(o, x)| *o += weight / sum * x);
            }
        }
        pooled
    }

    /// What attention adds to the energies: the learned multiple of each word's worth, `[n_songs, n_words]`.
    pub fn extra_energies(&self, songs: &Songs, ids: &[u32], n_words: usize, probe: &Probe) -> Vec<f32> {
        let multiple = self.weights.get("attention.worth")[0];
        let mut extra = vec![0f32; ids.len() * n_words];
        for (row, &id) in extra.chunks_mut(n_words.max(1)).zip(ids) {
            for (place, token) in row.iter_mut().zip(songs.tokens(id)) {
                *place = multiple * self.worth(probe, token.term);
            }
        }
        extra
    }

    /// Keys and states side by side, `[n_songs, n_words, n_keys + 2 n_hidden]`, as attention reads them.
    pub fn attention_words(&self, states: &States) -> Vec<f32> {
        let (k, d) = (self.weights.sizes.n_keys, 2 * self.weights.sizes.n_hidden);
        let mut words = vec![0f32; states.values.len() / d * (k + d)];
        let jobs = words.par_chunks_mut(BLOCK * (k + d)).zip(states.values.par_chunks(BLOCK * d));
        jobs.for_each(|(words, states)| {
            let n = states.len() / d;
            let mut keys = vec![0f32; n * k];
            product(states, self.weights.get("attention.keys"), n, d, k, &mut keys);
            for ((word, key), state) in words.chunks_mut(k + d).zip(keys.chunks(k)).zip(states.chunks(d)) {
                word[..k].copy_from_slice(key);
                word[k..].copy_from_slice(state);
            }
        });
        words
    }

    /// The first term of the score for these songs: `s1 cos(photo, lyric)`, with attention over the states.
    pub fn lyric_scores(&self, songs: &Songs, ids: &[u32], states: &States, probe: &Probe) -> Vec<f32> {
        self.lyric_scores_of(songs, ids, states, std::slice::from_ref(probe))
    }

    /// The same for several probes, `[n_songs, n_probes]`.
    pub fn lyric_scores_of(&self, songs: &Songs, ids: &[u32], states: &States, probes: &[Probe]) -> Vec<f32> {
        let sizes = self.weights.sizes;
        let d = 2 * sizes.n_hidden;
        let scale = self.weights.get("lyric.scale")[0];
        let joint = |pooled: &[f32]| self.joint(&self.layer(pooled, "lyric.hidden", d), "lyric.out");
        if self.weights.pooling != Pooling::Attention {
            let vectors = joint(&self.pooled(states, Pooling::Mean));
            let cosines = |vector: &[f32]| probes.iter().map(|p| scale * dot(vector, &p.lyric)).collect::<Vec<f32>>();
            return vectors.chunks(sizes.n_joint).flat_map(cosines).collect();
        }
        let words = self.attention_words(states);
        let shape = attend::Shape {
            n_songs: ids.len(),
            n_queries: probes.len(),
            n_words: states.n_words,
            n_keys: sizes.n_keys,
            n_states: d,
        };
        let mut extra = vec![0f32; ids.len() * probes.len() * states.n_words];
        for (b, probe) in probes.iter().enumerate() {
            let own = self.extra_energies(songs, ids, states.n_words, probe);
            for (s, row) in own.chunks(states.n_words.max(1)).enumerate() {
                extra[(s * probes.len() + b) * states.n_words..][..states.n_words].copy_from_slice(row);
            }
        }
        let mut queries: Vec<f32> = probes.iter().flat_map(|p| p.attention[..sizes.n_keys].to_vec()).collect();
        queries.extend_from_slice(self.weights.get("attention.w"));
        let inputs = attend::Inputs { words: &words, queries: &queries, extra: &extra, lens: &states.lens };
        let attended = attend::forward(Isa::best(), shape, &inputs);
        let vectors = joint(&attended);
        let rows = vectors.chunks(sizes.n_joint * probes.len().max(1));
        rows.flat_map(|row| {
            row.chunks(sizes.n_joint).zip(probes).map(|(v, p)| scale * dot(v, &p.lyric)).collect::<Vec<f32>>()
        })
        .collect()
    }
}

/// Score of what the tags wake in a song, from the sum over its words: a straight part and one that levels off.
pub fn woken_score(scales: [f32; 2], sum: f32) -> f32 {
    scales[0] * sum + scales[1] * sum.max(0.0).ln_1p()
}

/// Row of the affinity table of each term of the songs, `u32::MAX` for none.
pub fn table_rows(weights: &Weights, songs: &Songs) -> Vec<u32> {
    let mut rows = vec![u32::MAX; songs.terms.len()];
    for (row, (code, word)) in weights.table_terms.iter().enumerate() {
        if let Some(term) = songs.terms.find(*code, word) {
            rows[term as usize] = row as u32;
        }
    }
    rows
}

/// Say of a hint against the tags.
const HINT_SHARE: f32 = 0.5;

/// Rows that one thread multiplies at a time.
const BLOCK: usize = 128;

/// The rows of the input weights beyond the vector: marks, rarity, weight, and the bias.
struct Extras<'a> {
    rows: &'a [f32],
    bias: &'a [f32],
}

impl<'a> Extras<'a> {
    fn new(weights: &'a Weights, direction: &str) -> Self {
        let rows =
            &weights.get(&format!("gru.{direction}.input"))[weights.sizes.n_vector * 3 * weights.sizes.n_hidden..];
        Self { rows, bias: weights.get(&format!("gru.{direction}.bias")) }
    }

    fn write(&self, projected: &[f32], token: &Token, rarity: f32, place: &mut [f32]) {
        let n = place.len();
        let mark = &self.rows[token.mark as usize * n..][..n];
        let (by_rarity, by_weight) = (&self.rows[N_MARKS * n..][..n], &self.rows[(N_MARKS + 1) * n..][..n]);
        for j in 0..n {
            place[j] = projected[j] + self.bias[j] + mark[j] + rarity * by_rarity[j] + token.weight * by_weight[j];
        }
    }
}
