//! How likely people look at each place of a slate, found from the log alone.
//!
//! The position-based model (Craswell et al. 2008): a song gets a vote where it is looked at, with a probability that only
//! its place decides, and speaks to people, which only song and photo decide: `P(vote) = e_place · r(song)`. Both are
//! fitted by the likelihood, `r` as a logistic regression on a few features (regression-EM, Wang et al. 2018, in the
//! M-step's fixed point rather than by EM, which is slow where votes are few). Each vote is weighted so that, among the
//! places that chance fills, each song stands at each of them equally often (intervention harvesting, Agarwal et al. 2019,
//! with the logged chances as the interventions): then a wrong `r` does not bend `e`.

use rayon::prelude::*;
use serde::Serialize;

use super::cases::Case;

/// How likely each place is looked at, against the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Examination {
    /// By place; the first is 1.
    pub by_place: Vec<f64>,
    /// Votes that it rests on.
    pub n_votes: usize,
}

/// Places that are told apart; later ones count as the last.
const MAX_PLACES: usize = 10;

/// Votes that the belief before any data is worth, and that belief: the second place is looked at 0.85 times as often as
/// the first, and so on. Slates are short and buttons stand under all songs.
const PRIOR_VOTES: f64 = 30.0;
const PRIOR_FALL: f64 = 0.85;

/// Least examination, so that no vote counts more than ten times.
const LEAST: f64 = 0.1;

/// Rounds of the alternation; the change is below 1e-4 after 20 to 40.
const N_ROUNDS: usize = 40;

/// Answers that the fit looks at, evenly chosen: five numbers need no more.
const MAX_CASES: usize = 40_000;

const N_FEATURES: usize = 4;

struct Look {
    place: usize,
    is_voted: bool,
    weight: f64,
    features: [f64; N_FEATURES],
}

impl Examination {
    /// The belief before any data.
    pub fn prior() -> Self {
        Self { by_place: (0..MAX_PLACES).map(|place| PRIOR_FALL.powi(place as i32)).collect(), n_votes: 0 }
    }

    /// At a place.
    pub fn at(&self, place: usize) -> f64 {
        self.by_place[place.min(self.by_place.len() - 1)]
    }

    /// How much each shown song can expect to be looked at, over all slates that chance could have made, `[n_songs]`.
    pub fn exposures(&self, case: &Case) -> Vec<f64> {
        let n = case.n_places();
        let exposure = |row: &[f64]| row.iter().enumerate().map(|(place, chance)| chance * self.at(place)).sum();
        case.chances().chunks(n.max(1)).map(exposure).collect()
    }

    /// Fitted to these answers; a place with few votes stays near the belief before.
    pub fn fit(cases: &[Case]) -> Self {
        let chosen: Vec<&Case> = cases.iter().step_by(cases.len().div_ceil(MAX_CASES).max(1)).collect();
        let looks: Vec<Look> = chosen.par_iter().flat_map_iter(|case| looks(case)).collect();
        let n_votes = looks.iter().filter(|look| look.is_voted).count();
        let mut fitted = Self { n_votes, ..Self::prior() };
        let total: f64 = looks.iter().map(|look| look.weight).sum();
        if n_votes == 0 || total <= 0.0 {
            return fitted;
        }
        let mean = looks.iter().map(|look| look.weight * f64::from(u8::from(look.is_voted))).sum::<f64>() / total;
        let mut relevance = [0.0; N_FEATURES];
        relevance[0] = logit((1.2 * mean).clamp(1e-4, 0.9));
        for _ in 0..N_ROUNDS {
            relevance = relevance_step(&looks, &fitted, relevance);
            let rates: Vec<f64> = looks.iter().map(|look| sigmoid(dot(&relevance, &look.features))).collect();
            for place in 1..MAX_PLACES {
                fitted.by_place[place] = place_step(&looks, &rates, place);
            }
        }
        fitted
    }
}

/// What is seen of an answer: one look a song.
fn looks(case: &Case) -> Vec<Look> {
    let n = case.n_places();
    let chances = case.chances();
    let best = case.draw.as_ref().and_then(|draw| draw.pool.first().copied());
    let mut looks = Vec::with_capacity(case.songs.len());
    for (song, chances) in case.songs.iter().zip(chances.chunks(n.max(1))) {
        // A place that is not drawn is an intervention to nobody: its songs count as they stand.
        let certain = chances[usize::from(song.place)] > 1.0 - 1e-9;
        let least = chances.iter().copied().filter(|&chance| chance > 0.0).fold(f64::INFINITY, f64::min);
        let weight = if certain { 1.0 } else { least / chances[usize::from(song.place)] };
        let gap = match (&case.draw, best) {
            (Some(draw), Some(best)) => f64::from(best - draw.pool[usize::from(song.in_pool)]),
            _ => 0.0,
        };
        let rank = f64::from(song.in_pool);
        let features = [1.0, gap.min(10.0) / 2.0, (1.0 + rank).ln(), f64::from(u8::from(case.draw.is_some()))];
        looks.push(Look {
            place: usize::from(song.place).min(MAX_PLACES - 1),
            is_voted: !song.votes.is_empty(),
            weight: if weight.is_finite() { weight } else { 0.0 },
            features,
        });
    }
    looks
}

/// Newton steps of the weighted likelihood in `r`'s coefficients, given examinations (Fisher scoring, ridge on all but the
/// intercept).
fn relevance_step(looks: &[Look], examination: &Examination, start: [f64; N_FEATURES]) -> [f64; N_FEATURES] {
    let mut coefficients = start;
    for _ in 0..2 {
        let mut gradient = [0.0; N_FEATURES];
        let mut information = [[0.0; N_FEATURES]; N_FEATURES];
        for k in 0..N_FEATURES {
            let ridge = if k == 0 { 0.01 } else { 3.0 };
            gradient[k] -= ridge * if k == 0 { 0.0 } else { coefficients[k] };
            information[k][k] += ridge;
        }
        for look in looks {
            let (e, r) = (examination.at(look.place), sigmoid(dot(&coefficients, &look.features)));
            let p = (e * r).clamp(1e-9, 1.0 - 1e-9);
            let slope = e * r * (1.0 - r);
            let vote = f64::from(u8::from(look.is_voted));
            let pull = look.weight * (vote - p) * slope / (p * (1.0 - p));
            let spread = look.weight * slope * slope / (p * (1.0 - p));
            for i in 0..N_FEATURES {
                gradient[i] += pull * look.features[i];
                for (sum, feature) in information[i].iter_mut().zip(&look.features) {
                    *sum += spread * look.features[i] * feature;
                }
            }
        }
        let Some(step) = solve(information, gradient) else { return coefficients };
        let longest = step.iter().fold(1.0f64, |most, x| most.max(x.abs()));
        for (coefficient, step) in coefficients.iter_mut().zip(step) {
            *coefficient += step / longest;
        }
    }
    coefficients
}

/// The examination of a place that makes its votes and those of the prior most likely, by bisection.
fn place_step(looks: &[Look], rates: &[f64], place: usize) -> f64 {
    let prior = PRIOR_FALL.powi(place as i32);
    let own: Vec<(bool, f64, f64)> = looks
        .iter()
        .zip(rates)
        .filter(|(look, _)| look.place == place)
        .map(|(look, &rate)| (look.is_voted, look.weight, rate))
        .collect();
    // The slope of the log-likelihood falls in `e`; a pull towards the prior keeps places without votes there.
    let slope = |e: f64| {
        let data: f64 = own
            .iter()
            .map(|&(is_voted, weight, rate)| {
                weight * if is_voted { 1.0 / e } else { -rate / (1.0 - e * rate).max(1e-9) }
            })
            .sum();
        data + PRIOR_VOTES * (prior / e - 1.0)
    };
    let (mut low, mut high) = (LEAST, 1.5);
    for _ in 0..25 {
        let middle = 0.5 * (low + high);
        if slope(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn dot(a: &[f64; N_FEATURES], b: &[f64; N_FEATURES]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Solves a small symmetric system by elimination; `None` if it is singular.
fn solve(mut a: [[f64; N_FEATURES]; N_FEATURES], mut b: [f64; N_FEATURES]) -> Option<[f64; N_FEATURES]> {
    for k in 0..N_FEATURES {
        let pivot = (k..N_FEATURES).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs()))?;
        a.swap(k, pivot);
        b.swap(k, pivot);
        if a[k][k].abs() < 1e-12 {
            return None;
        }
        for i in k + 1..N_FEATURES {
            let factor = a[i][k] / a[k][k];
            let pivot_row = a[k];
            for (x, pivot) in a[i].iter_mut().zip(pivot_row).skip(k) {
                *x -= factor * pivot;
            }
            b[i] -= factor * b[k];
        }
    }
    for k in (0..N_FEATURES).rev() {
        let rest: f64 = (k + 1..N_FEATURES).map(|j| a[k][j] * b[j]).sum();
        b[k] = (b[k] - rest) / a[k][k];
    }
    Some(b)
}
