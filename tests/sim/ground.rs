//! The model, photos that never were, and the log that people leave: the parts of the program, without a platform between.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use image2song::catalogue::load::Catalogue;
use image2song::catalogue::song::SongIdx;
use image2song::evaluation::policy::cases::{Case, Draw, ShownSong};
use image2song::evaluation::policy::examination::Examination;
use image2song::matcher::draw::{Policy, draw};
use image2song::matcher::facts::Facts;
use image2song::matcher::suggest::{Filter, Matcher, POOL_SIZE};
use image2song::matcher::taste::{Layer, Taste};
use image2song::tagger::Tagging;
use image2song::training::finetune::features::Reader;
use image2song::training::finetune::fit::{Material, Settings, fit};
use image2song::training::finetune::graph;
use image2song::training::finetune::pairs::{Pair, Weighing};
use image2song::training::finetune::run::{HELD_OUT, MIN_EVENTS};
use rayon::prelude::*;

use super::chance::own;
use super::nature::{Nature, Place, Pressed, Tastes};

/// Songs of a slate.
pub const N_SHOWN: usize = 5;
/// How slates of the log are drawn.
pub const POLICY: Policy = Policy { temperature: 0.5, protects_first: true };
/// Photos that are asked with.
pub const N_PHOTOS: u64 = 300;

/// The model.
pub struct Ground {
    pub matcher: Matcher,
    pub catalogue: Catalogue,
    pub facts: Facts,
}

/// A song of a pool: its number, its score with the taste that made the pool, and that of the base model.
pub type Scored = (SongIdx, f32, f32);

/// What a model finds for a photo, and the base model's best score there.
pub struct Pool {
    pub songs: Vec<Scored>,
    pub best: f32,
}

/// Pools by photo.
pub type Pools = HashMap<u64, Pool>;

impl Ground {
    /// The bundled model; `None` where there is none.
    pub fn load() -> Option<Ground> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base");
        let catalogue = Catalogue::load(&dir.join("catalog")).ok()?;
        let matcher = Matcher::load(&dir, &catalogue).ok()?;
        let facts = Facts::of(&catalogue);
        Some(Ground { matcher, catalogue, facts })
    }

    /// Tag probabilities of a photo: a few tags at random, the first ones surer.
    fn tags(&self, seed: u64, photo: u64) -> Vec<(u16, f32)> {
        let n_tags = self.matcher.ranker().network.weights.sizes.n_tags;
        let mut rng = own(seed, 5, photo);
        let n = rng.usize(3..8);
        let mut tags: Vec<(u16, f32)> = (0..n)
            .map(|place| (rng.usize(..n_tags) as u16, (0.95 - 0.1 * place as f32) * (0.6 + 0.4 * rng.f32())))
            .collect();
        tags.sort_by_key(|tag| tag.0);
        tags.dedup_by_key(|tag| tag.0);
        tags
    }

    /// Pools of photos.
    pub fn pools(&self, seed: u64, photos: &[u64], taste: &Taste) -> Pools {
        photos.par_iter().map(|&photo| (photo, self.pool(seed, photo, taste))).collect()
    }

    fn pool(&self, seed: u64, photo: u64, taste: &Taste) -> Pool {
        let ranker = self.matcher.ranker();
        let n_tags = ranker.network.weights.sizes.n_tags;
        let mut probs = vec![0.0; n_tags];
        self.tags(seed, photo).iter().for_each(|&(tag, prob)| probs[usize::from(tag)] = prob);
        let tagging = Tagging { region_idx: vec![0; n_tags], probs, embedding: Vec::new() };
        let query = self.matcher.query(&tagging, "");
        let filter = Filter { allows_explicit: true, ..Filter::default() };
        let plain = self.matcher.pool(&self.catalogue, &query, &filter, POOL_SIZE, &Taste::default());
        let best = plain.first().map_or(0.0, |song| song.1);
        if taste.is_none() {
            return Pool { songs: plain.into_iter().map(|(song, score)| (song, score, score)).collect(), best };
        }
        let own = self.matcher.pool(&self.catalogue, &query, &filter, POOL_SIZE, taste);
        let ids: Vec<u32> = own.iter().map(|song| song.0.0).collect();
        let probe = ranker.probe(&tagging.probs);
        let base = ranker.score_all(&[probe], &ids);
        Pool { songs: own.into_iter().zip(base).map(|((song, score), base)| (song, score, base)).collect(), best }
    }

    /// One answer with what its asker pressed.
    pub fn answer(
        &self,
        world: (&Nature, &Tastes),
        at: Place,
        asker: usize,
        pool: &Pool,
        rng: &mut fastrand::Rng,
    ) -> Case {
        let (nature, tastes) = world;
        let scores: Vec<f32> = pool.songs.iter().map(|song| song.1).collect();
        let drawn = draw(&scores, N_SHOWN, POLICY, rng);
        let person = (at.community * 1000 + asker) as u32;
        let kind = nature.kind(at.community, asker);
        let song = |(place, idx): (usize, usize)| {
            let (song, _, base) = pool.songs[idx];
            let likes = tastes.likes(&at, song.0, base, pool.best);
            let vote = nature
                .presses(kind, place, likes, rng)
                .map(|pressed| (person, if pressed == Pressed::Up { 1 } else { -1 }));
            ShownSong {
                song: song.0,
                place: place as u8,
                in_pool: idx as u8,
                votes: vote.into_iter().collect(),
                is_followed: false,
            }
        };
        let songs = drawn.iter().map(|drawn| drawn.idx).enumerate().map(song).collect();
        Case {
            time_ms: 1_700_000_000_000 + at.n_answers as u64 * 60_000,
            community: at.community as u32,
            asker: person,
            tags: self.tags(nature.seed, at.photo),
            songs,
            draw: Some(Draw { policy: POLICY, pool: scores }),
        }
    }

    /// A taste from a log, learned as `finetune` does; none where it would say that there is too little.
    pub fn learn(&self, log: &[Case]) -> Taste {
        let n_votes: usize = log.iter().flat_map(|case| &case.songs).map(|song| song.votes.len()).sum();
        if n_votes < MIN_EVENTS {
            return Taste::default();
        }
        let at = ((1.0 - HELD_OUT) * log.len() as f64).round() as usize;
        let examination = Examination::fit(&log[..at]);
        let all: Vec<&Case> = log.iter().collect();
        let (train, later) = all.split_at(at);
        let weighing = Weighing::of(train, &examination);
        let none = Taste::default();
        let reader = Reader { matcher: &self.matcher, taste: &none };
        let read = |cases: &[&Case]| {
            let paired = |case: &&Case| -> (Case, Vec<Pair>) { ((*case).clone(), weighing.pairs(case)) };
            let paired: Vec<_> = cases.par_iter().map(paired).filter(|(_, pairs)| !pairs.is_empty()).collect();
            reader.answers(&paired)
        };
        let (train_items, later_items) = (read(train), read(later));
        let mut artists: Vec<u32> =
            train_items.iter().flat_map(|item| &item.songs).map(|&song| self.facts.artist(song)).collect();
        artists.sort_unstable();
        artists.dedup();
        let artists = artists.into_iter().enumerate().map(|(column, artist)| (artist, column as u32)).collect();
        let ground = graph::Ground { matcher: &self.matcher, facts: &self.facts, artists, device: Device::Cpu };
        let material = Material { train: &train_items, later: &later_items, anchors: &[] };
        match fit(&ground, &material, &Settings::default(), None, &mut |_, _| ()) {
            Ok((adapter, fitted)) if fitted.best_step > 0 => {
                Taste::of([Arc::new(Layer::new(adapter.rounded(), &self.facts))])
            }
            _ => Taste::default(),
        }
    }

    /// Likes per answer that best-first slates of these pools are worth to a community, by what the world really is.
    pub fn worth(&self, world: (&Nature, &Tastes), community: usize, n_answers: usize, pools: &Pools) -> f64 {
        let (nature, tastes) = world;
        let one = |(&photo, pool): (&u64, &Pool)| {
            let at = Place { community, photo, n_answers };
            f64::from(nature.worth(
                pool.songs.iter().take(N_SHOWN).map(|(song, _, base)| tastes.likes(&at, song.0, *base, pool.best)),
            ))
        };
        let mut all: Vec<f64> = pools.iter().map(one).collect();
        // Sums of floating numbers must not depend on the order of a hash.
        all.sort_by(f64::total_cmp);
        all.iter().sum::<f64>() / all.len().max(1) as f64
    }
}
