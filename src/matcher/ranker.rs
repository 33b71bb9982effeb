//! All songs scored for a query: first without attention, then the best of them with it.

use std::collections::HashMap;

use super::network::Network;
use super::probe::Probe;
use super::shortlist::{Shortlist, highest};
use super::songs::Songs;
use super::weights::Weights;

/// Songs that are read with attention. Against attention over all 25,000 songs, 100 lost none of the ten best on 250 photos
/// of val (measured 2026-11-24; `eval matcher` shows it anew), twice that leaves room for filters and artists.
pub const SHORTLIST: usize = 200;

/// A network and its songs.
#[derive(Debug, Clone)]
pub struct Ranker {
    /// The network.
    pub network: Network,
    /// What it reads of the songs.
    pub songs: Songs,
    /// Their tag-free side.
    pub shortlist: Shortlist,
}

impl Ranker {
    /// Reads all songs once for their tag-free side (seconds for 25,000 songs).
    pub fn new(weights: Weights, songs: Songs) -> Self {
        let network = Network::new(weights, &songs);
        let side = network.song_vectors(&songs);
        let shortlist = Shortlist::new(&network, &songs, &side);
        Self { network, songs, shortlist }
    }

    /// The query's side for tag probabilities `[n_tags]`.
    pub fn probe(&self, probs: &[f32]) -> Probe {
        self.network.probe(&self.network.tag_weights(probs), &[], HashMap::new())
    }

    /// The best `n` of all songs with their scores, best first: those of the shortlist, whose scores are with attention.
    pub fn rank(&self, probe: &Probe, n: usize, is_allowed: impl Fn(u32) -> bool) -> Vec<(u32, f32)> {
        let quick = self.shortlist.scores(&self.network, &self.songs, probe);
        let ids = highest(&quick, n, is_allowed);
        let states = self.network.states(&self.songs, &ids);
        let lyric = self.network.lyric_scores(&self.songs, &ids, &states, probe);
        let mut ranked: Vec<(u32, f32)> =
            ids.iter().zip(lyric).map(|(&id, lyric)| (id, quick[id as usize] + lyric)).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked
    }

    /// The score of one song, with attention.
    pub fn score(&self, probe: &Probe, song: u32) -> f32 {
        let quick = self.shortlist.scores(&self.network, &self.songs, probe);
        let states = self.network.states(&self.songs, &[song]);
        quick[song as usize] + self.network.lyric_scores(&self.songs, &[song], &states, probe)[0]
    }

    /// Scores with attention of these songs for all probes, `[n_songs, n_probes]`, in blocks of songs; the many-to-many
    /// form, where a song is read once for all probes.
    pub fn score_all(&self, probes: &[Probe], songs: &[u32]) -> Vec<f32> {
        let quick: Vec<Vec<f32>> =
            probes.iter().map(|probe| self.shortlist.scores(&self.network, &self.songs, probe)).collect();
        let mut scores = Vec::with_capacity(probes.len() * songs.len());
        for ids in songs.chunks(BLOCK) {
            let states = self.network.states(&self.songs, ids);
            let lyric = self.network.lyric_scores_of(&self.songs, ids, &states, probes);
            for (place, &id) in ids.iter().enumerate() {
                let row = &lyric[place * probes.len()..][..probes.len()];
                scores.extend(row.iter().zip(&quick).map(|(lyric, quick)| lyric + quick[id as usize]));
            }
        }
        scores
    }
}

/// Songs that are read at a time by [`Ranker::score_all`].
const BLOCK: usize = 256;
