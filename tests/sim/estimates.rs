//! Estimates of what a model would be worth, made from the log of another one, against what the world knows.

use std::collections::HashMap;

use image2song::evaluation::policy::cases::Case;
use image2song::evaluation::policy::estimate::{Judged, Range, Weighed, compare};
use image2song::evaluation::policy::examination::Examination;
use image2song::evaluation::policy::like_model::{LikeModel, Look};
use image2song::matcher::draw::placements;
use image2song::matcher::taste::Taste;

use super::chance::own;
use super::ground::{Ground, N_PHOTOS, N_SHOWN, POLICY, Pool, Pools};
use super::nature::{Nature, Place, Tastes};

/// Answers of each log.
const N_ANSWERS: usize = 1000;
/// Answers that the candidate learned from.
const N_LEARNED: usize = 1500;

/// Prints how often the intervals cover the truth.
pub fn run(ground: &Ground, n_runs: u64) {
    let nature = Nature { seed: 900, n_communities: 1, drift: 0.0, n_people: 200, ..Nature::default() };
    let tastes = Tastes::new(nature, &ground.catalogue);
    let world = (&nature, &tastes);
    let photos: Vec<u64> = (0..N_PHOTOS).collect();
    let current = ground.pools(nature.seed, &photos, &Taste::default());
    let log = |run: u64, n: usize| -> Vec<(u64, Case)> {
        let one = |number: usize| {
            let mut rng = own(nature.seed, 1000 + run, number as u64);
            let (photo, asker) = (rng.u64(..N_PHOTOS), rng.usize(..nature.n_people));
            let at = Place { community: 0, photo, n_answers: number };
            (photo, ground.answer(world, at, asker, &current[&photo], &mut rng))
        };
        (0..n).map(one).collect()
    };
    let learned: Vec<Case> = log(100_000, N_LEARNED).into_iter().map(|(_, case)| case).collect();
    let taste = ground.learn(&learned);
    let candidate = ground.pools(nature.seed, &photos, &taste);
    let truth = [truth(world, &current), truth(world, &candidate)];
    let truths = [truth[0], truth[1], truth[1] - truth[0]];
    let mut covered = [[0_u64; 3]; 3];
    let mut errors = [[0.0; 3]; 3];
    for run in 0..n_runs {
        let answers = log(run, N_ANSWERS);
        let cases: Vec<Case> = answers.iter().map(|(_, case)| case.clone()).collect();
        let examination = Examination::fit(&cases);
        let likes = like_model(ground, &answers, &current, &examination);
        let side = |pools: &Pools| -> Vec<Judged> {
            answers.iter().map(|(photo, case)| judged(ground, case, &pools[photo], &examination, &likes)).collect()
        };
        let comparison = compare(&side(&current), &side(&candidate), run);
        let rates = [comparison.current, comparison.candidate, comparison.difference];
        for (which, rates) in rates.iter().enumerate() {
            for (how, range) in [rates.ips, rates.snips, rates.dr].iter().enumerate() {
                covered[which][how] += u64::from(holds(range, truths[which]));
                errors[which][how] += (range.value - truths[which]) / n_runs as f64;
            }
        }
    }
    println!(
        "\n| likes per shown song | truth | IPS covers | SNIPS covers | DR covers | mean error of each |\n|---|---:|---:|---:|---:|---|"
    );
    for (which, name) in ["current model", "candidate", "difference"].iter().enumerate() {
        let [ips, snips, dr] = covered[which].map(|n| 100.0 * n as f64 / n_runs as f64);
        let [a, b, c] = errors[which];
        println!(
            "| {name} | {:.4} | {ips:.0} % | {snips:.0} % | {dr:.0} % | {a:+.4}, {b:+.4}, {c:+.4} |",
            truths[which]
        );
    }
}

fn holds(range: &Range, truth: f64) -> bool {
    range.low <= truth && truth <= range.high
}

/// Likes per shown song of slates that are drawn from these pools, by what the world is.
fn truth(world: (&Nature, &Tastes), pools: &Pools) -> f64 {
    let (nature, tastes) = world;
    let one = |(&photo, pool): (&u64, &Pool)| -> f64 {
        let scores: Vec<f32> = pool.songs.iter().map(|song| song.1).collect();
        let table = placements(&scores, N_SHOWN, POLICY);
        let at = Place { community: 0, photo, n_answers: 0 };
        let rows = pool.songs.iter().zip(table.chunks(N_SHOWN));
        let song = |((song, _, base), row): (&(image2song::catalogue::song::SongIdx, f32, f32), &[f64])| -> f64 {
            let seen: f64 = row.iter().enumerate().map(|(place, p)| p * f64::from(nature.looks(place))).sum();
            seen * f64::from(tastes.likes(&at, song.0, *base, pool.best) * nature.press)
        };
        rows.map(song).sum::<f64>() / N_SHOWN as f64
    };
    let mut all: Vec<f64> = pools.iter().map(one).collect();
    all.sort_by(f64::total_cmp);
    all.iter().sum::<f64>() / all.len() as f64
}

fn like_model(ground: &Ground, answers: &[(u64, Case)], pools: &Pools, examination: &Examination) -> LikeModel {
    let looks = answers.iter().flat_map(|(photo, case)| {
        case.songs.iter().map(|song| Look {
            song: song.song,
            score: pools[photo].songs[usize::from(song.in_pool)].2,
            looked: examination.at(usize::from(song.place)),
            is_liked: song.is_liked(),
        })
    });
    LikeModel::fit(&looks.collect::<Vec<Look>>(), &ground.facts)
}

/// An answer as a policy with this pool sees it.
fn judged(ground: &Ground, case: &Case, pool: &Pool, examination: &Examination, likes: &LikeModel) -> Judged {
    let scores: Vec<f32> = pool.songs.iter().map(|song| song.1).collect();
    let table = placements(&scores, N_SHOWN, POLICY);
    let mut own = HashMap::new();
    let mut expected = 0.0;
    for ((song, _, base), row) in pool.songs.iter().zip(table.chunks(N_SHOWN)) {
        let exposed: f64 = row.iter().enumerate().map(|(place, p)| p * examination.at(place)).sum();
        let rate = likes.rate(song.0, *base, &ground.facts);
        own.insert(song.0, (exposed, rate));
        expected += exposed * rate;
    }
    let weighed = |(shown, logged): (&image2song::evaluation::policy::cases::ShownSong, f64)| {
        let (own, rate) = own.get(&shown.song).copied().unwrap_or_default();
        let looked = examination.at(usize::from(shown.place));
        Weighed { is_liked: shown.is_liked(), looked, logged, own, rate }
    };
    Judged {
        asker: case.asker,
        n_places: N_SHOWN,
        examined: (0..N_SHOWN).map(|place| examination.at(place)).sum(),
        shown: case.songs.iter().zip(examination.exposures(case)).map(weighed).collect(),
        expected,
        slate: pool.songs.iter().take(N_SHOWN).map(|song| song.0.0).collect(),
    }
}
