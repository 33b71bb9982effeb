//! Exact scores of all songs by what needs no attention; the best of them are read with attention.

use super::network::{Network, SongVectors, woken_score};
use super::probe::Probe;
use super::songs::Songs;
use crate::kernels::isa::Isa;
use crate::kernels::scan::scan;

/// The tag-free side of all songs, ready to be scanned.
#[derive(Debug, Clone)]
pub struct Shortlist {
    /// Unit vectors times [`SCALE`], `[n_songs, n_joint]`.
    vectors: Vec<i8>,
    /// `[n_songs]`.
    priors: Vec<f32>,
    /// For each tag the songs with words that it wakes, and how much: ends in `woken` by tag.
    ends: Vec<u32>,
    woken: Vec<(u32, f32)>,
}

/// Numbers of a unit vector lie in [-1, 1].
const SCALE: f32 = 127.0;

impl Shortlist {
    /// The side of these songs.
    pub fn new(network: &Network, songs: &Songs, side: &SongVectors) -> Self {
        let vectors = side.vectors.iter().map(|x| (x * SCALE).round().clamp(-SCALE, SCALE) as i8).collect();
        Self::from_parts(network, songs, vectors, side.priors.clone())
    }

    /// The side of these songs from its stored vectors `[n_songs, n_joint]` and priors `[n_songs]`.
    ///
    /// # Panics
    /// If their numbers do not fit the songs.
    pub fn from_parts(network: &Network, songs: &Songs, vectors: Vec<i8>, priors: Vec<f32>) -> Self {
        let n_joint = network.weights.sizes.n_joint;
        assert!(vectors.len() == songs.len() * n_joint && priors.len() == songs.len(), "one vector and prior a song");
        let mut by_tag: Vec<Vec<(u32, f32)>> = vec![Vec::new(); network.weights.sizes.n_tags];
        for song in 0..songs.len() as u32 {
            for token in songs.tokens(song) {
                let mut worths = network.worths(token.term).peekable();
                if worths.peek().is_none() {
                    continue;
                }
                let gain = network.token_gain(token);
                for (tag, worth) in worths {
                    let list = &mut by_tag[usize::from(tag)];
                    match list.last_mut() {
                        Some(last) if last.0 == song => last.1 += gain * worth,
                        _ => list.push((song, gain * worth)),
                    }
                }
            }
        }
        let mut ends = Vec::with_capacity(by_tag.len());
        let mut woken = Vec::new();
        for list in by_tag {
            woken.extend(list);
            ends.push(woken.len() as u32);
        }
        Self { vectors, priors, ends, woken }
    }

    /// The stored form: vectors `[n_songs, n_joint]` and priors `[n_songs]`.
    pub fn parts(&self) -> (&[i8], &[f32]) {
        (&self.vectors, &self.priors)
    }

    /// Scores of all songs without attention, `[n_songs]`.
    pub fn scores(&self, network: &Network, songs: &Songs, probe: &Probe) -> Vec<f32> {
        let is_reading = network.weights.pooling.has_woken();
        let mut woken = vec![0f32; if is_reading { self.priors.len() } else { 0 }];
        if is_reading {
            for &(tag, weight) in &probe.tags {
                let tag = usize::from(tag);
                let start = if tag == 0 { 0 } else { self.ends[tag - 1] as usize };
                for &(song, amount) in &self.woken[start..self.ends[tag] as usize] {
                    woken[song as usize] += weight * amount;
                }
            }
            if !probe.terms.is_empty() {
                add_hint(network, songs, probe, &mut woken);
            }
        }
        let scale = network.weights.get("song.scale")[0] / SCALE;
        let mut scores = vec![0f32; self.priors.len()];
        scan(Isa::best(), &self.vectors, &probe.song, &mut scores);
        scores.iter_mut().zip(&self.priors).for_each(|(score, prior)| *score = scale * *score + prior);
        if is_reading {
            let scales = network.woken_scales();
            for (score, &sum) in scores.iter_mut().zip(&woken).filter(|(_, sum)| **sum != 0.0) {
                *score += woken_score(scales, sum);
            }
        }
        scores
    }
}

fn add_hint(network: &Network, songs: &Songs, probe: &Probe, woken: &mut [f32]) {
    for (song, sum) in woken.iter_mut().enumerate() {
        for token in songs.tokens(song as u32) {
            if let Some(worth) = probe.terms.get(&token.term) {
                *sum += network.token_gain(token) * worth;
            }
        }
    }
}

/// The `n` highest of the scores that `is_allowed` lets pass, highest first; ties go to the lower song.
pub fn highest(scores: &[f32], n: usize, is_allowed: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..scores.len() as u32).filter(|&id| is_allowed(id)).collect();
    let order = |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
    if ids.len() > n && n > 0 {
        ids.select_nth_unstable_by(n - 1, order);
    }
    ids.truncate(n);
    ids.sort_unstable_by(order);
    ids
}
