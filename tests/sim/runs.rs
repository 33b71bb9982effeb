//! Likes with the loop on and off: by the size of the log, over rounds, and beside vandals.

use image2song::evaluation::policy::cases::Case;
use image2song::matcher::taste::Taste;

use super::chance::own;
use super::ground::{Ground, N_PHOTOS, Pools};
use super::nature::{Nature, Place, Tastes};

const SIZES: [usize; 7] = [50, 100, 200, 500, 1000, 2000, 5000];
const N_ROUNDS: usize = 6;
const ANSWERS_PER_ROUND: usize = 500;

/// A world and its tastes.
struct World {
    nature: Nature,
    tastes: Tastes,
}

impl World {
    fn new(ground: &Ground, nature: Nature) -> World {
        World { nature, tastes: Tastes::new(nature, &ground.catalogue) }
    }

    fn both(&self) -> (&Nature, &Tastes) {
        (&self.nature, &self.tastes)
    }

    /// Answers of a community, with pools that the same model made.
    fn log(&self, ground: &Ground, community: usize, n_before: usize, n: usize, pools: &Pools) -> Vec<Case> {
        let answer = |number: usize| {
            let mut rng = own(self.nature.seed, 6, (community * 1_000_000 + number) as u64);
            let photo = rng.u64(..N_PHOTOS);
            let asker = rng.usize(..self.nature.n_people);
            let at = Place { community, photo, n_answers: number };
            ground.answer(self.both(), at, asker, &pools[&photo], &mut rng)
        };
        (n_before..n_before + n).map(answer).collect()
    }
}

fn asked() -> Vec<u64> {
    (0..N_PHOTOS).collect()
}

/// Photos that no log has.
fn fresh() -> Vec<u64> {
    (1_000_000..1_000_000 + N_PHOTOS / 2).collect()
}

fn n_likes(case: &Case) -> usize {
    case.songs.iter().filter(|song| song.is_liked()).count()
}

/// Gains by log size: `(likes, least, mean, most)` over the seeds, as parts of the base.
pub fn sizes(ground: &Ground, n_seeds: u64) -> Vec<(f64, f64, f64, f64)> {
    let mut gains = vec![Vec::new(); SIZES.len()];
    for seed in 1..=n_seeds {
        let nature = Nature { seed, n_communities: 1, ..Nature::default() };
        let world = World::new(ground, nature);
        let base = ground.pools(seed, &asked(), &Taste::default());
        let log = world.log(ground, 0, 0, 14_000, &base);
        let unseen = ground.pools(seed, &fresh(), &Taste::default());
        for (size, gains) in SIZES.iter().zip(&mut gains) {
            let mut n = 0;
            let cut: Vec<Case> = log
                .iter()
                .take_while(|case| {
                    let is_in = n < *size;
                    n += n_likes(case);
                    is_in
                })
                .cloned()
                .collect();
            let taste = ground.learn(&cut);
            let tuned = if taste.is_none() { None } else { Some(ground.pools(seed, &fresh(), &taste)) };
            let worth = |pools| ground.worth(world.both(), 0, cut.len(), pools);
            let before = worth(&unseen);
            let after = tuned.as_ref().map_or(before, worth);
            eprintln!("seed {seed}: {size} likes of {} answers, {before:.3} to {after:.3} likes an answer", cut.len());
            gains.push(after / before - 1.0);
        }
    }
    println!("\n| likes in the log | least gain | mean gain | largest gain |\n|---:|---:|---:|---:|");
    let row = |(size, gains): (&usize, &Vec<f64>)| {
        let least = gains.iter().copied().fold(f64::INFINITY, f64::min);
        let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = gains.iter().sum::<f64>() / gains.len().max(1) as f64;
        println!("| {size} | {:+.1} % | {:+.1} % | {:+.1} % |", 100.0 * least, 100.0 * mean, 100.0 * most);
        (*size as f64, least, mean, most)
    };
    SIZES.iter().zip(&gains).map(row).collect()
}

/// Likes an answer over rounds: `(round, off, on)`, means over the seeds. After each round of the loop the model learns from
/// all answers so far, also its own.
pub fn rounds(ground: &Ground, n_seeds: u64) -> Vec<(f64, f64, f64)> {
    let mut sums = [(0.0, 0.0); N_ROUNDS + 1];
    for seed in 1..=n_seeds {
        let world = World::new(ground, Nature { seed: 100 + seed, n_communities: 1, ..Nature::default() });
        let seed = world.nature.seed;
        let base = ground.pools(seed, &fresh(), &Taste::default());
        let (mut taste, mut log) = (Taste::default(), Vec::new());
        for (round, sum) in sums.iter_mut().enumerate() {
            let n_before = round * ANSWERS_PER_ROUND;
            let worth = |pools| ground.worth(world.both(), 0, n_before, pools);
            let tuned = if taste.is_none() { None } else { Some(ground.pools(seed, &fresh(), &taste)) };
            sum.0 += worth(&base);
            sum.1 += tuned.as_ref().map_or_else(|| worth(&base), worth);
            eprintln!("seed {seed}, round {round}: off {:.3}, on {:.3}", sum.0, sum.1);
            let pools = ground.pools(seed, &asked(), &taste);
            log.extend(world.log(ground, 0, n_before, ANSWERS_PER_ROUND, &pools));
            taste = ground.learn(&log);
        }
    }
    println!("\n| answers before | likes an answer, loop off | loop on | gain |\n|---:|---:|---:|---:|");
    let row = |(round, (off, on)): (usize, &(f64, f64))| {
        let (off, on) = (off / n_seeds as f64, on / n_seeds as f64);
        println!("| {} | {off:.3} | {on:.3} | {:+.1} % |", round * ANSWERS_PER_ROUND, 100.0 * (on / off - 1.0));
        (round as f64, off, on)
    };
    sums.iter().enumerate().map(row).collect()
}

/// What the others get from a model for all that learned beside vandals.
pub fn vandals(ground: &Ground, n_seeds: u64) {
    println!("\n| vandals in one of four communities | gain of the other three |\n|---:|---:|");
    for share in [0.0, 0.3, 1.0] {
        let mut gains = Vec::new();
        for seed in 201..=200 + n_seeds {
            let nature = Nature { seed, n_communities: 4, vandals: share, shared: 0.6, ..Nature::default() };
            let world = World::new(ground, nature);
            let base = ground.pools(seed, &asked(), &Taste::default());
            let mut log: Vec<Case> =
                (0..4).flat_map(|community| world.log(ground, community, 0, 1000, &base)).collect();
            log.sort_by_key(|case| case.time_ms);
            let taste = ground.learn(&log);
            let (plain, tuned) =
                (ground.pools(seed, &fresh(), &Taste::default()), ground.pools(seed, &fresh(), &taste));
            let sum = |pools| (1..4).map(|community| ground.worth(world.both(), community, 1000, pools)).sum::<f64>();
            gains.push(sum(&tuned) / sum(&plain) - 1.0);
        }
        let mean = gains.iter().sum::<f64>() / gains.len().max(1) as f64;
        println!("| {:.0} % | {:+.1} % |", 100.0 * share, 100.0 * mean);
    }
}
