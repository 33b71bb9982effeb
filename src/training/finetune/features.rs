//! What the fit reads of an answer or a check query: where its photo lies, where its songs lie, and their scores by the
//! model that is fine-tuned. Songs are read once each, for all answers that showed them.

use std::collections::BTreeMap;

use half::f16;
use rayon::prelude::*;

use super::pairs::Pair;
use crate::evaluation::checks::{CheckQuery, tagging};
use crate::evaluation::policy::cases::Case;
use crate::kernels::attend;
use crate::kernels::isa::Isa;
use crate::matcher::linear::normalize;
use crate::matcher::probe::Probe;
use crate::matcher::ranker::SHORTLIST;
use crate::matcher::suggest::Matcher;
use crate::matcher::taste::Taste;

/// An answer or a check query, ready for the fit.
#[derive(Debug, Clone)]
pub struct Item {
    /// Tags with weights that sum to 1.
    pub tags: Vec<(u16, f32)>,
    /// The photo's hidden vector at unit length, `[n_joint]`.
    pub hidden: Vec<f32>,
    /// Its songs.
    pub songs: Vec<u32>,
    /// Their scores by the model that is fine-tuned.
    pub base: Vec<f32>,
    /// Their attended lyrics in the joint space, `[n_songs, n_joint]`.
    pub lyric: Vec<f16>,
    /// Pairs of its songs; none for a check query.
    pub pairs: Vec<Pair>,
}

/// Songs read at a time.
const BLOCK: usize = 256;

/// Songs of a check query that the anchor holds in place.
pub const N_ANCHORED: usize = 24;

/// A question with the songs that matter and their pairs.
#[derive(Debug, Clone)]
struct Ask {
    probs: Vec<f32>,
    songs: Vec<u32>,
    pairs: Vec<Pair>,
}

/// Reads for the fit, by a matcher and the taste that it has already.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The matcher.
    pub matcher: &'a Matcher,
    /// What is liked already.
    pub taste: &'a Taste,
}

impl Reader<'_> {
    /// Answers with their pairs; those without pairs say nothing and are left out by the caller.
    pub fn answers(&self, cases: &[(Case, Vec<Pair>)]) -> Vec<Item> {
        let n_tags = self.matcher.ranker().network.weights.sizes.n_tags;
        let ask = |(case, pairs): &(Case, Vec<Pair>)| Ask {
            probs: case.probs(n_tags),
            songs: case.songs.iter().map(|song| song.song).collect(),
            pairs: pairs.clone(),
        };
        self.items(cases.par_iter().map(ask).collect())
    }

    /// Check queries with the songs that stand highest for each; queries with fewer are left out.
    pub fn anchors(&self, queries: &[CheckQuery], n: usize) -> Vec<Item> {
        let n_tags = self.matcher.ranker().network.weights.sizes.n_tags;
        let chosen: Vec<&CheckQuery> = queries.iter().step_by(queries.len().div_ceil(n.max(1)).max(1)).collect();
        let ask = |query: &&CheckQuery| {
            let probs = query.probs(n_tags);
            let probe = self.probe(&probs).1;
            let best = self.matcher.ranker().rank(&probe, SHORTLIST, |_| true);
            let mut songs: Vec<u32> = best.iter().take(2 * N_ANCHORED / 3).map(|song| song.0).collect();
            for (song, _) in query.graded() {
                if songs.len() < N_ANCHORED && !songs.contains(&song) {
                    songs.push(song);
                }
            }
            (songs.len() == N_ANCHORED).then_some(Ask { probs, songs, pairs: Vec::new() })
        };
        self.items(chosen.par_iter().filter_map(ask).collect())
    }

    fn probe(&self, probs: &[f32]) -> (Vec<(u16, f32)>, Probe) {
        let query = self.matcher.query(&tagging(probs.to_vec()), "");
        let (query, probe) = self.matcher.bent(&query, self.taste);
        (query.tags.iter().map(|(tag, weight)| (tag.0, *weight)).collect(), probe)
    }

    fn items(&self, asks: Vec<Ask>) -> Vec<Item> {
        let ranker = self.matcher.ranker();
        let n = ranker.network.weights.sizes.n_joint;
        let start = |ask: Ask| {
            let (tags, probe) = self.probe(&ask.probs);
            let mut hidden = probe.hidden.clone();
            normalize(&mut hidden);
            let base = ranker.shortlist.some_scores(&ranker.network, &ranker.songs, &probe, &ask.songs);
            let lyric = vec![f16::ZERO; ask.songs.len() * n];
            (Item { tags, hidden, songs: ask.songs, base, lyric, pairs: ask.pairs }, probe)
        };
        let (mut items, mut probes): (Vec<Item>, Vec<Probe>) = asks.into_par_iter().map(start).unzip();
        probes.iter_mut().for_each(|probe| probe.priors = Vec::new());
        let mut askers: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
        for (idx, item) in items.iter().enumerate() {
            for (place, &song) in item.songs.iter().enumerate() {
                askers.entry(song).or_default().push((idx as u32, place as u32));
            }
        }
        let songs: Vec<(u32, Vec<(u32, u32)>)> = askers.into_iter().collect();
        for block in songs.chunks(BLOCK) {
            for (song, vectors) in self.lyrics(block, &probes) {
                for (&(item, place), vector) in block[song].1.iter().zip(vectors.chunks(n)) {
                    let (item, place) = (&mut items[item as usize], place as usize);
                    let out = &mut item.lyric[place * n..][..n];
                    out.iter_mut().zip(vector).for_each(|(out, &x)| *out = f16::from_f32(x));
                }
            }
        }
        let scale = ranker.network.weights.get("lyric.scale")[0];
        items.par_iter_mut().zip(&probes).for_each(|(item, probe)| {
            for (base, vector) in item.base.iter_mut().zip(item.lyric.chunks(n)) {
                *base += scale * vector.iter().zip(&probe.lyric).map(|(x, q)| x.to_f32() * q).sum::<f32>();
            }
        });
        items
    }

    /// Attended lyrics of a block of songs, each for those who ask for it: place in the block, `[n_askers, n_joint]`.
    fn lyrics(&self, block: &[(u32, Vec<(u32, u32)>)], probes: &[Probe]) -> Vec<(usize, Vec<f32>)> {
        let ranker = self.matcher.ranker();
        let (network, sizes) = (&ranker.network, ranker.network.weights.sizes);
        let ids: Vec<u32> = block.iter().map(|(song, _)| *song).collect();
        let states = network.states(&ranker.songs, &ids);
        let words = network.attention_words(&states);
        let width = states.n_words * (sizes.n_keys + 2 * sizes.n_hidden);
        let one = |place: usize| {
            let (song, askers) = &block[place];
            let asking: Vec<&Probe> = askers.iter().map(|(item, _)| &probes[*item as usize]).collect();
            let shape = attend::Shape {
                n_songs: 1,
                n_queries: asking.len(),
                n_words: states.n_words,
                n_keys: sizes.n_keys,
                n_states: 2 * sizes.n_hidden,
            };
            let mut queries: Vec<f32> =
                asking.iter().flat_map(|probe| probe.attention[..sizes.n_keys].iter().copied()).collect();
            queries.extend_from_slice(network.weights.get("attention.w"));
            let extra: Vec<f32> = asking
                .iter()
                .flat_map(|probe| network.extra_energies(&ranker.songs, &[*song], states.n_words, probe))
                .collect();
            let inputs = attend::Inputs {
                words: &words[place * width..][..width],
                queries: &queries,
                extra: &extra,
                lens: &states.lens[place..=place],
            };
            (place, network.lyric_vectors(&attend::forward(Isa::best(), shape, &inputs)))
        };
        (0..block.len()).into_par_iter().map(one).collect()
    }
}
