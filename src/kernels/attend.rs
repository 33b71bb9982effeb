//! Attention of an attentive reader over the words of songs, for many queries at once, forward and by hand backward.
//!
//! For song `s`, query `b` and word `t`: `m = tanh(k_st + v_b)`, `e = w m + l_sbt`, `a = softmax_t(e)` over the words that
//! are no padding, and the result is `sum_t a_t h_st`. The tanh of `[n_songs, n_queries, n_words, n_keys]` numbers is what
//! costs; nothing of that size is kept: backward computes it anew.

use rayon::prelude::*;

use super::gru::tanh;
use super::isa::{Isa, kernel};

/// Sizes of a batch of songs and queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Songs.
    pub n_songs: usize,
    /// Queries, each put to every song.
    pub n_queries: usize,
    /// Words of the longest song.
    pub n_words: usize,
    /// Numbers in a key.
    pub n_keys: usize,
    /// Numbers in a state.
    pub n_states: usize,
}

/// What attention reads.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Key and state of each word, `[n_songs, n_words, n_keys + n_states]`.
    pub words: &'a [f32],
    /// The queries `[n_queries, n_keys]`, and in the last row `w`.
    pub queries: &'a [f32],
    /// Added to the energies, `[n_songs, n_queries, n_words]`.
    pub extra: &'a [f32],
    /// Words of each song that are no padding, `[n_songs]`.
    pub lens: &'a [u32],
}

/// Gradients of [`forward`], each shaped like its input.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// Of keys and states.
    pub words: Vec<f32>,
    /// Of queries and `w`.
    pub queries: Vec<f32>,
    /// Of what is added to the energies.
    pub extra: Vec<f32>,
}

/// Songs worked on by one thread; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 16;

#[inline(always)]
fn energy_body(key: &[f32], query: &[f32], w: &[f32], m: &mut [f32]) -> f32 {
    let n = key.len();
    let (query, w, m) = (&query[..n], &w[..n], &mut m[..n]);
    for j in 0..n {
        m[j] = tanh(key[j] + query[j]);
    }
    let mut sums = [0f32; 16];
    let whole = n / 16 * 16;
    for at in (0..whole).step_by(16) {
        for j in 0..16 {
            sums[j] += w[at + j] * m[at + j];
        }
    }
    let tail: f32 = (whole..n).map(|j| w[j] * m[j]).sum();
    sums.iter().sum::<f32>() + tail
}

/// Attention of one query over one song: fills `tanh` `[len, n_keys]` and `weights` `[len]`.
#[inline(always)]
fn weights_body(shape: Shape, words: &[f32], query: &[f32], w: &[f32], extra: &[f32], m: &mut [f32], a: &mut [f32]) {
    let width = shape.n_keys + shape.n_states;
    let mut highest = f32::NEG_INFINITY;
    for t in 0..a.len() {
        let key = &words[t * width..][..shape.n_keys];
        a[t] = energy_body(key, query, w, &mut m[t * shape.n_keys..][..shape.n_keys]) + extra[t];
        highest = highest.max(a[t]);
    }
    let mut sum = 0.0;
    for x in a.iter_mut() {
        *x = (*x - highest).exp();
        sum += *x;
    }
    for x in a.iter_mut() {
        *x /= sum;
    }
}

#[inline(always)]
fn song_body(shape: Shape, words: &[f32], queries: &[f32], extra: &[f32], len: usize, out: &mut [f32]) {
    let (k, d) = (shape.n_keys, shape.n_states);
    let w = &queries[shape.n_queries * k..][..k];
    let (mut m, mut a) = (vec![0f32; len * k], vec![0f32; len]);
    for b in 0..shape.n_queries {
        weights_body(shape, words, &queries[b * k..][..k], w, &extra[b * shape.n_words..][..len], &mut m, &mut a);
        let out = &mut out[b * d..][..d];
        out.fill(0.0);
        for t in 0..len {
            let state = &words[t * (k + d) + k..][..d];
            for j in 0..d {
                out[j] += a[t] * state[j];
            }
        }
    }
}

/// One song's share of the gradients; `d_queries` is added to, the others are filled.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "inputs, gradients and scratch of one song")]
fn song_back_body(
    shape: Shape,
    words: &[f32],
    queries: &[f32],
    extra: &[f32],
    len: usize,
    d_out: &[f32],
    d_words: &mut [f32],
    d_queries: &mut [f32],
    d_extra: &mut [f32],
) {
    let (k, d) = (shape.n_keys, shape.n_states);
    let w = &queries[shape.n_queries * k..][..k];
    let (d_query_rows, d_w) = d_queries.split_at_mut(shape.n_queries * k);
    let (mut m, mut a, mut d_a) = (vec![0f32; len * k], vec![0f32; len], vec![0f32; len]);
    for b in 0..shape.n_queries {
        weights_body(shape, words, &queries[b * k..][..k], w, &extra[b * shape.n_words..][..len], &mut m, &mut a);
        let d_out = &d_out[b * d..][..d];
        let mut mean = 0.0;
        for t in 0..len {
            let state = &words[t * (k + d) + k..][..d];
            let d_state = &mut d_words[t * (k + d) + k..][..d];
            let mut sums = [0f32; 16];
            for (at, chunk) in d_out.chunks(16).enumerate() {
                for (j, x) in chunk.iter().enumerate() {
                    sums[j] += x * state[at * 16 + j];
                    d_state[at * 16 + j] += a[t] * x;
                }
            }
            d_a[t] = sums.iter().sum();
            mean += a[t] * d_a[t];
        }
        let d_query = &mut d_query_rows[b * k..][..k];
        for t in 0..len {
            let d_energy = a[t] * (d_a[t] - mean);
            d_extra[b * shape.n_words + t] = d_energy;
            let (m, d_key) = (&m[t * k..][..k], &mut d_words[t * (k + d)..][..k]);
            for j in 0..k {
                let d_sum = d_energy * w[j] * (1.0 - m[j] * m[j]);
                d_w[j] += d_energy * m[j];
                d_key[j] += d_sum;
                d_query[j] += d_sum;
            }
        }
    }
}

kernel! {
    fn song = plain song_body(
        shape: Shape, words: &[f32], queries: &[f32], extra: &[f32], len: usize, out: &mut [f32],
    )
}

kernel! {
    fn song_back = plain song_back_body(
        shape: Shape, words: &[f32], queries: &[f32], extra: &[f32], len: usize, d_out: &[f32], d_words: &mut [f32],
        d_queries: &mut [f32], d_extra: &mut [f32],
    )
}

fn check(shape: Shape, inputs: &Inputs) {
    let Shape { n_songs, n_queries, n_words, n_keys, n_states } = shape;
    assert_eq!(inputs.words.len(), n_songs * n_words * (n_keys + n_states), "[n_songs, n_words, n_keys + n_states]");
    assert_eq!(inputs.queries.len(), (n_queries + 1) * n_keys, "[n_queries + 1, n_keys]");
    assert_eq!(inputs.extra.len(), n_songs * n_queries * n_words, "[n_songs, n_queries, n_words]");
    assert_eq!(inputs.lens.len(), n_songs, "one length a song");
    assert!(inputs.lens.iter().all(|&len| len as usize <= n_words), "lengths at most n_words");
}

/// Attended states, `[n_songs, n_queries, n_states]`; a song without words gives zeros.
///
/// # Panics
/// If an input does not have the stated size.
pub fn forward(isa: Isa, shape: Shape, inputs: &Inputs) -> Vec<f32> {
    check(shape, inputs);
    let Shape { n_songs, n_queries, n_words, n_keys, n_states } = shape;
    let (n_song, n_extra) = (n_words * (n_keys + n_states), n_queries * n_words);
    let mut out = vec![0f32; n_songs * n_queries * n_states];
    if out.is_empty() {
        return out;
    }
    out.par_chunks_mut(n_queries * n_states).enumerate().with_min_len(CHUNK).for_each(|(s, out)| {
        let words = &inputs.words[s * n_song..][..n_song];
        let extra = &inputs.extra[s * n_extra..][..n_extra];
        let len = inputs.lens[s] as usize;
        song(isa, shape, words, inputs.queries, extra, len, out);
    });
    out
}

/// Gradients of [`forward`], given that of its result.
///
/// # Panics
/// If an input or the gradient does not have the stated size.
pub fn backward(isa: Isa, shape: Shape, inputs: &Inputs, d_out: &[f32]) -> Gradients {
    check(shape, inputs);
    let Shape { n_songs, n_queries, n_words, n_keys, n_states } = shape;
    assert_eq!(d_out.len(), n_songs * n_queries * n_states, "[n_songs, n_queries, n_states]");
    let (song, extra_song) = (n_words * (n_keys + n_states), n_queries * n_words);
    let mut words = vec![0f32; inputs.words.len()];
    let mut extra = vec![0f32; inputs.extra.len()];
    let mut queries = vec![0f32; inputs.queries.len()];
    if words.is_empty() || extra.is_empty() {
        return Gradients { words, queries, extra };
    }
    let chunks = words.par_chunks_mut(CHUNK * song).zip(extra.par_chunks_mut(CHUNK * extra_song)).enumerate();
    let parts: Vec<Vec<f32>> = chunks
        .map(|(c, (d_words, d_extra))| {
            let mut d_queries = vec![0f32; inputs.queries.len()];
            for (i, (d_words, d_extra)) in d_words.chunks_mut(song).zip(d_extra.chunks_mut(extra_song)).enumerate() {
                let s = c * CHUNK + i;
                let (w, e) = (&inputs.words[s * song..][..song], &inputs.extra[s * extra_song..][..extra_song]);
                let (q, len) = (inputs.queries, inputs.lens[s] as usize);
                let d_out = &d_out[s * n_queries * n_states..][..n_queries * n_states];
                let d_q = &mut d_queries[..];
                song_back(isa, shape, w, q, e, len, d_out, d_words, d_q, d_extra);
            }
            d_queries
        })
        .collect();
    for part in parts {
        queries.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
    }
    Gradients { words, queries, extra }
}

/// Attention weights of one query over one song, `[len]`, for showing why; the same numbers that [`forward`] uses.
///
/// # Panics
/// If an input does not have the stated size, or there is not exactly one song and one query.
pub fn weights(shape: Shape, inputs: &Inputs) -> Vec<f32> {
    check(shape, inputs);
    assert!(shape.n_songs == 1 && shape.n_queries == 1, "one song and one query");
    let len = inputs.lens[0] as usize;
    let (mut m, mut a) = (vec![0f32; len * shape.n_keys], vec![0f32; len]);
    let (query, w) = inputs.queries.split_at(shape.n_keys);
    weights_body(shape, inputs.words, query, w, inputs.extra, &mut m, &mut a);
    a
}

#[cfg(test)]
#[path = "attend_tests.rs"]
mod tests;
