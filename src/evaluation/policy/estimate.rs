//! Like rates of a policy on answers that another one gave.
//!
//! Under the position-based model a like of song `j` at place `k` has the probability `e_k r_j`. With the logged chances
//! `πA` and those of the policy `πB` the weight of a like is `w_j = Σ_k e_k πB(j at k) / Σ_k e_k πA(j at k)` (Li et al.
//! 2018, "Offline evaluation of ranking policies with click models"), which varies far less than the ratio of whole slates.
//!
//! - IPS: `Σ w c / N`, without bias where every song that B shows could have been shown by A.
//! - Self-normalised (Swaminathan and Joachims 2015): `Σ w c / Σ w e · Σ_k e_k / N`; it errs less where weights vary, and
//!   speaks of the supported part only.
//! - Doubly robust (Dudík et al. 2011): `(Σ_pool eB r̂ + Σ w (c - e r̂)) / N`; right if the weights or the like model `r̂`
//!   are.
//!
//! `N` counts shown songs, so all three are likes per shown song. Intervals are percentile bootstraps over people: the
//! answers of one person are not independent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evaluation::bootstrap::Estimate;

/// A shown song as a policy sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighed {
    /// Whether it was liked.
    pub is_liked: bool,
    /// Examination of its place.
    pub looked: f64,
    /// Expected examination by the log's chances.
    pub logged: f64,
    /// Expected examination by the policy's.
    pub own: f64,
    /// The like model's `r̂`.
    pub rate: f64,
}

/// An answer as a policy sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Who asked.
    pub asker: u32,
    /// Places of the slate.
    pub n_places: usize,
    /// `Σ_k e_k` over its places.
    pub examined: f64,
    /// The shown songs.
    pub shown: Vec<Weighed>,
    /// What the like model expects of the policy: `Σ` over its pool of expected examination times `r̂`.
    pub expected: f64,
    /// The songs that it would show without chance.
    pub slate: Vec<u32>,
}

/// Largest weight; more is cut, which can only lower an estimate.
pub const MAX_WEIGHT: f64 = 20.0;

/// Like rates of one policy, per shown song.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Inverse propensity scores.
    pub ips: Range,
    /// The same, self-normalised.
    pub snips: Range,
    /// Doubly robust.
    pub dr: Range,
}

/// A value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Range {
    /// The estimate.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl From<Estimate> for Range {
    fn from(estimate: Estimate) -> Self {
        Self { value: estimate.value, low: estimate.low, high: estimate.high }
    }
}

/// How far the log can speak of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Support {
    /// Share of what people would look at that the log could have shown; the rest is unknown to IPS and a guess of the
    /// like model to the doubly robust estimate.
    pub covered: f64,
    /// Shown songs that would tell as much if all had the same weight.
    pub effective_songs: f64,
    /// Weights that were cut.
    pub n_cut: usize,
}

/// Two policies on the same answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Answers.
    pub n_answers: usize,
    /// People who asked.
    pub n_people: usize,
    /// Liked songs.
    pub n_likes: usize,
    /// What was seen: liked songs of those shown.
    pub logged: Range,
    /// The current model.
    pub current: Rates,
    /// The candidate.
    pub candidate: Rates,
    /// Candidate less current.
    pub difference: Rates,
    /// How far the log can speak of the current model.
    pub current_support: Support,
    /// ... and of the candidate.
    pub candidate_support: Support,
}

/// Sums over the answers of one person, for the log and both policies.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: f64,
    likes: f64,
    examined: f64,
    sides: [Side; 2],
}

#[derive(Debug, Clone, Copy, Default)]
struct Side {
    weighted: f64,
    looked: f64,
    robust: f64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.likes += other.likes;
        self.examined += other.examined;
        for (own, other) in self.sides.iter_mut().zip(&other.sides) {
            own.weighted += other.weighted;
            own.looked += other.looked;
            own.robust += other.robust;
        }
    }

    /// Logged, then IPS, SNIPS and DR of both sides and of their difference.
    fn figures(&self) -> [f64; 10] {
        let n = self.n.max(1e-12);
        let of = |side: &Side| {
            let snips = if side.looked > 0.0 { side.weighted / side.looked * self.examined / n } else { 0.0 };
            [side.weighted / n, snips, side.robust / n]
        };
        let [a, b] = [of(&self.sides[0]), of(&self.sides[1])];
        let mut figures = [0.0; 10];
        figures[0] = self.likes / n;
        for k in 0..3 {
            (figures[1 + k], figures[4 + k], figures[7 + k]) = (a[k], b[k], b[k] - a[k]);
        }
        figures
    }
}

fn weight(shown: &Weighed) -> f64 {
    if shown.logged > 0.0 { shown.own / shown.logged } else { 0.0 }
}

fn sums(current: &Judged, candidate: &Judged) -> Sums {
    let side = |judged: &Judged| {
        let mut side = Side { robust: judged.expected, ..Side::default() };
        for shown in &judged.shown {
            let (weight, like) = (weight(shown).min(MAX_WEIGHT), f64::from(u8::from(shown.is_liked)));
            side.weighted += weight * like;
            side.looked += weight * shown.looked;
            side.robust += weight * (like - shown.looked * shown.rate);
        }
        side
    };
    Sums {
        n: current.n_places as f64,
        likes: current.shown.iter().filter(|shown| shown.is_liked).count() as f64,
        examined: current.examined,
        sides: [side(current), side(candidate)],
    }
}

fn support(judged: &[Judged]) -> Support {
    let all = || judged.iter().flat_map(|judged| &judged.shown);
    let looked: f64 = all().map(|shown| weight(shown) * shown.looked).sum();
    let examined: f64 = judged.iter().map(|judged| judged.examined).sum();
    let (sum, squares) = all().map(weight).fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    Support {
        covered: (looked / examined.max(1e-12)).min(1.0),
        effective_songs: if squares > 0.0 { sum * sum / squares } else { 0.0 },
        n_cut: all().filter(|shown| weight(shown) > MAX_WEIGHT).count(),
    }
}

/// Resamples of the bootstrap.
const N_SAMPLES: usize = 1000;

/// People below whom answers are drawn anew, not people: a handful of groups has no distribution.
const MIN_PEOPLE: usize = 20;

/// Compares two policies on the same answers in the same order; the same seed gives the same intervals.
pub fn compare(current: &[Judged], candidate: &[Judged], seed: u64) -> Comparison {
    let mut people: BTreeMap<u32, Sums> = BTreeMap::new();
    let mut answers = Vec::with_capacity(current.len());
    for (a, b) in current.iter().zip(candidate) {
        let own = sums(a, b);
        people.entry(a.asker).or_default().add(&own);
        answers.push(own);
    }
    let n_people = people.len();
    let groups: Vec<Sums> = if n_people >= MIN_PEOPLE { people.into_values().collect() } else { answers };
    let mut total = Sums::default();
    groups.iter().for_each(|group| total.add(group));
    let figures = total.figures();
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut samples: Vec<Vec<f64>> = vec![Vec::with_capacity(N_SAMPLES); figures.len()];
    for _ in 0..if groups.len() < 2 { 0 } else { N_SAMPLES } {
        let mut drawn = Sums::default();
        (0..groups.len()).for_each(|_| drawn.add(&groups[rng.usize(..groups.len())]));
        samples.iter_mut().zip(drawn.figures()).for_each(|(list, figure)| list.push(figure));
    }
    let ranges: Vec<Range> = figures.iter().zip(samples).map(|(&value, samples)| range(value, samples)).collect();
    let rates = |at: usize| Rates { ips: ranges[at], snips: ranges[at + 1], dr: ranges[at + 2] };
    Comparison {
        n_answers: current.len(),
        n_people,
        n_likes: total.likes as usize,
        logged: ranges[0],
        current: rates(1),
        candidate: rates(4),
        difference: rates(7),
        current_support: support(current),
        candidate_support: support(candidate),
    }
}

fn range(value: f64, mut samples: Vec<f64>) -> Range {
    if samples.is_empty() {
        return Range { value, low: value, high: value };
    }
    samples.sort_by(f64::total_cmp);
    let n = samples.len();
    Range { value, low: samples[n * 25 / 1000], high: samples[(n * 975 / 1000).max(1) - 1] }
}
