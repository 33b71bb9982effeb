//! A small world for tests: songs with known rates, places with known examination, answers drawn with known chances.

use super::cases::{Case, Cases, Draw, ShownSong};
use super::estimate::{Judged, Weighed};
use super::examination::Examination;
use crate::matcher::draw::{Policy, draw, placements};

/// How likely the three places are looked at.
pub const LOOKED: [f64; 3] = [1.0, 0.6, 0.35];

/// Songs of a pool.
pub const N_POOL: usize = 10;

/// An answer and what its pool's songs are truly worth.
pub struct Truth {
    /// What is logged.
    pub case: Case,
    /// Rate of each song of the pool where it is looked at.
    pub rates: Vec<f64>,
    /// The candidate's scores of the pool's songs.
    pub others: Vec<f32>,
}

/// Answers to `n` questions of `n_people` people.
pub fn answers(seed: u64, n: usize, n_people: u32, policy: Policy) -> Vec<Truth> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let one = |idx: usize| {
        let mut pool: Vec<f32> = (0..N_POOL).map(|_| rng.f32() * 3.0).collect();
        pool.sort_by(|a, b| b.total_cmp(a));
        // What people like is a matter of the score in part only.
        let rates: Vec<f64> =
            pool.iter().map(|&score| 0.05 + 0.04 * f64::from(score) + 0.25 * f64::from(rng.f32().powi(2))).collect();
        let others: Vec<f32> = rates.iter().map(|&rate| (8.0 * rate) as f32 + rng.f32()).collect();
        let songs = draw(&pool, LOOKED.len(), policy, &mut rng).into_iter().enumerate().map(|(place, drawn)| {
            let is_liked = rng.f64() < LOOKED[place] * rates[drawn.idx];
            ShownSong {
                song: drawn.idx as u32,
                place: place as u8,
                in_pool: drawn.idx as u8,
                votes: if is_liked { vec![(idx as u32 % n_people, 1)] } else { Vec::new() },
                is_followed: false,
            }
        });
        let songs = songs.collect();
        let asker = idx as u32 % n_people;
        let draw = Some(Draw { policy, pool });
        Truth {
            case: Case { time_ms: idx as u64, community: 0, asker, tags: vec![(0, 1.0)], songs, draw },
            rates,
            others,
        }
    };
    (0..n).map(one).collect()
}

/// The examination that the world has.
pub fn examination() -> Examination {
    Examination { by_place: LOOKED.to_vec(), n_votes: 0 }
}

/// Expected examination of each song of a pool of these scores, which need no order.
pub fn exposures(scores: &[f32], policy: Policy) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let sorted: Vec<f32> = order.iter().map(|&idx| scores[idx]).collect();
    let table = placements(&sorted, LOOKED.len(), policy);
    let mut exposures = vec![0.0; scores.len()];
    for (row, &idx) in table.chunks(LOOKED.len()).zip(&order) {
        exposures[idx] = row.iter().zip(LOOKED).map(|(chance, looked)| chance * looked).sum();
    }
    exposures
}

/// How a policy with these scores sees an answer; `wrong` bends the like model.
pub fn judged(truth: &Truth, scores: &[f32], policy: Policy, wrong: f64) -> Judged {
    let pool = &truth.case.draw.as_ref().expect("pretended answers are drawn").pool;
    let (logged, own) = (exposures(pool, policy), exposures(scores, policy));
    let guess = |idx: usize| (1.0 - wrong) * truth.rates[idx] + wrong * 0.1;
    let weighed = |song: &ShownSong| {
        let idx = usize::from(song.in_pool);
        Weighed {
            is_liked: song.is_liked(),
            looked: LOOKED[usize::from(song.place)],
            logged: logged[idx],
            own: own[idx],
            rate: guess(idx),
        }
    };
    Judged {
        asker: truth.case.asker,
        n_places: LOOKED.len(),
        examined: LOOKED.iter().sum(),
        shown: truth.case.songs.iter().map(weighed).collect(),
        expected: own.iter().enumerate().map(|(idx, exposure)| exposure * guess(idx)).sum(),
        slate: Vec::new(),
    }
}

/// What a policy is truly worth on these questions, likes per shown song.
pub fn worth(truths: &[Truth], policy: Policy, scores: impl Fn(&Truth) -> Vec<f32>) -> f64 {
    let one = |truth: &Truth| {
        let exposures = exposures(&scores(truth), policy);
        exposures.iter().zip(&truth.rates).map(|(exposure, rate)| exposure * rate).sum::<f64>()
    };
    truths.iter().map(one).sum::<f64>() / (truths.len() * LOOKED.len()) as f64
}

/// The answers alone.
pub fn cases(truths: &[Truth]) -> Cases {
    Cases { cases: truths.iter().map(|truth| truth.case.clone()).collect(), ..Cases::default() }
}
