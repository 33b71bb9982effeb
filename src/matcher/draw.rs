//! Which songs of a pool are shown, and in which order: a Plackett-Luce draw (Luce 1959, Plackett 1975) over their
//! scores, with the exact probability of every song at every place. Takes scores, gives places; knows no song.

/// Temperatures below this are none: the draw would be the order of the scores but for odds that no log could weigh.
pub const MIN_TEMPERATURE: f32 = 0.01;

/// How chance takes part in a slate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// A song's weight in the draw is `exp(score / temperature)`. 0 (and anything below [`MIN_TEMPERATURE`]): best first,
    /// no chance.
    pub temperature: f32,
    /// Whether the first place is the best song's, so that chance touches only what follows.
    pub protects_first: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { temperature: 0.0, protects_first: true }
    }
}

impl Policy {
    /// Whether chance has a part at all.
    pub fn is_random(self) -> bool {
        self.temperature >= MIN_TEMPERATURE && self.temperature.is_finite()
    }

    /// How many of the first places are not drawn.
    fn n_protected(self) -> usize {
        usize::from(self.protects_first)
    }
}

/// A song that was drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// Its place in the pool.
    pub idx: usize,
    /// Probability of this song at this place of the slate, over all slates that the draw could have given; in (0, 1].
    pub propensity: f32,
}

/// Draws `n` songs of a pool, in the order in which they are shown; all of them if the pool has no more. `scores` are the
/// pool's, best first and finite.
pub fn draw(scores: &[f32], n: usize, policy: Policy, rng: &mut fastrand::Rng) -> Vec<Drawn> {
    let order = order(scores, n, policy, rng);
    if !policy.is_random() {
        return order.into_iter().map(|idx| Drawn { idx, propensity: 1.0 }).collect();
    }
    let n_protected = policy.n_protected().min(order.len());
    let logits = logits(scores.get(n_protected..).unwrap_or_default(), policy.temperature);
    let drawn: Vec<usize> = order[n_protected..].iter().map(|idx| idx - n_protected).collect();
    let mut sums = vec![0.0; drawn.len()];
    over_time(&logits, drawn.len(), |arrivals| {
        for (place, (sum, &idx)) in sums.iter_mut().zip(&drawn).enumerate() {
            *sum += arrivals.density(idx, place);
        }
    });
    let protected = order[..n_protected].iter().map(|&idx| Drawn { idx, propensity: 1.0 });
    // The smallest positive number, not zero: what was shown was possible, however unlikely.
    let propensity = |sum: f64| (sum as f32).clamp(f32::MIN_POSITIVE, 1.0);
    let drawn =
        drawn.iter().zip(&sums).map(|(idx, &sum)| Drawn { idx: idx + n_protected, propensity: propensity(sum) });
    protected.chain(drawn).collect()
}

/// Probability of each song of a pool at each of `n` places, `[n_pool, n]` by rows, exact to 1e-9. A column sums to 1 (to
/// 0 where the pool has no song left), a row to the probability that the song is shown.
pub fn placements(scores: &[f32], n: usize, policy: Policy) -> Vec<f64> {
    let n_pool = scores.len();
    let mut table = vec![0.0; n_pool * n];
    let n_shown = n.min(n_pool);
    let n_certain = if policy.is_random() { policy.n_protected().min(n_shown) } else { n_shown };
    for place in 0..n_certain {
        table[place * n + place] = 1.0;
    }
    if n_certain == n_shown {
        return table;
    }
    let logits = logits(&scores[n_certain..], policy.temperature);
    over_time(&logits, n_shown - n_certain, |arrivals| {
        for idx in n_certain..n_pool {
            for place in n_certain..n_shown {
                table[idx * n + place] += arrivals.density(idx - n_certain, place - n_certain);
            }
        }
    });
    table
}

/// The order of a slate: Gumbel noise on the scores makes the order of the sums a Plackett-Luce draw (Yellott 1977).
fn order(scores: &[f32], n: usize, policy: Policy, rng: &mut fastrand::Rng) -> Vec<usize> {
    let n_shown = n.min(scores.len());
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let n_protected = policy.n_protected().min(scores.len());
    if policy.is_random() {
        let temperature = f64::from(policy.temperature);
        // `1 - x` lies in (0, 1], so that the inner logarithm is finite.
        let mut noisy = |score: f32| f64::from(score) / temperature - (-(1.0 - rng.f64()).ln()).ln();
        let keys: Vec<f64> = scores.iter().map(|&score| noisy(score)).collect();
        order[n_protected..].sort_unstable_by(|&a, &b| keys[b].total_cmp(&keys[a]));
    }
    order.truncate(n_shown);
    order
}

/// Scores over the temperature, the highest at 0.
fn logits(scores: &[f32], temperature: f32) -> Vec<f64> {
    let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter().map(|&score| (f64::from(score) - f64::from(best)) / f64::from(temperature)).collect()
}

/// Step of the integral in the logarithm of time. The integrand is analytic within ±π/2 of the real line, so the error of
/// the trapezoidal rule falls as `exp(-π² / STEP)` does (Trefethen & Weideman 2014): 6e-9 was measured at 0.4 for 24 songs
/// of one score, which half the step squares.
const STEP: f64 = 0.2;
/// Where the integral begins: before it, the songs of a pool of 24 arrive with a probability of 3e-13.
const BEGIN: f64 = -32.0;
/// It ends when at most this is left of the probability that a place is still free.
const LEFT: f64 = 1e-14;

/// A slate as a race: song `i` arrives after an exponential time of rate `exp(logit)`, the order of arrival is the draw.
/// So song `i` stands at place `k` with `∫ λ e^(-λt) P(k others have arrived by t) dt`, taken over `x = ln t`.
struct Arrivals<'a> {
    logits: &'a [f64],
    n_places: usize,
    x: f64,
    /// `[n + 1, n_places]`: probability that so many of the songs before this one have arrived.
    before: Vec<f64>,
    /// `[n + 1, n_places]`: of the songs from this one on.
    after: Vec<f64>,
}

/// Calls `visit` at each step of the integral; what it adds up of [`Arrivals::density`] is the integral.
fn over_time(logits: &[f64], n_places: usize, mut visit: impl FnMut(&Arrivals<'_>)) {
    let n = logits.len();
    if n == 0 || n_places == 0 {
        return;
    }
    let blank = || vec![0.0; (n + 1) * n_places];
    let mut arrivals = Arrivals { logits, n_places, x: BEGIN, before: blank(), after: blank() };
    loop {
        let n_free = arrivals.advance();
        visit(&arrivals);
        if n_free < LEFT {
            return;
        }
        arrivals.x += STEP;
    }
}

impl Arrivals<'_> {
    /// Fills the tables for the present time; gives the probability that a place is still free.
    fn advance(&mut self) -> f64 {
        let (n, k) = (self.logits.len(), self.n_places);
        let arrived: Vec<f64> = self.logits.iter().map(|logit| -(-(logit + self.x).exp()).exp_m1()).collect();
        self.before[..k].fill(0.0);
        self.before[0] = 1.0;
        for (idx, &p) in arrived.iter().enumerate() {
            let (done, next) = self.before.split_at_mut((idx + 1) * k);
            add_one(&done[idx * k..], p, &mut next[..k]);
        }
        self.after[n * k..].fill(0.0);
        self.after[n * k] = 1.0;
        for (idx, &p) in arrived.iter().enumerate().rev() {
            let (next, done) = self.after.split_at_mut((idx + 1) * k);
            add_one(&done[..k], p, &mut next[idx * k..]);
        }
        self.after[..k].iter().sum()
    }

    /// This step's part of the probability of song `idx` at `place`.
    fn density(&self, idx: usize, place: usize) -> f64 {
        let k = self.n_places;
        let (before, after) = (&self.before[idx * k..][..=place], &self.after[(idx + 1) * k..][..=place]);
        let others: f64 = before.iter().zip(after.iter().rev()).map(|(a, b)| a * b).sum();
        let x = self.logits[idx] + self.x;
        STEP * (x - x.exp()).exp() * others
    }
}

/// The distribution of a count, with one more song that has arrived with probability `p`; counts past the end are dropped.
fn add_one(counts: &[f64], p: f64, out: &mut [f64]) {
    let mut fewer = 0.0;
    for (out, &count) in out.iter_mut().zip(counts) {
        *out = count * (1.0 - p) + fewer * p;
        fewer = count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probabilities of all slates, summed per song and place: what the definition says.
    fn by_enumeration(scores: &[f32], n: usize, policy: Policy) -> Vec<f64> {
        let mut table = vec![0.0; scores.len() * n];
        let weights: Vec<f64> =
            scores.iter().map(|score| (f64::from(*score) / f64::from(policy.temperature)).exp()).collect();
        let mut open = vec![(Vec::new(), 1.0)];
        while let Some((slate, p)) = open.pop() {
            let place: usize = slate.len();
            if place == n.min(scores.len()) {
                continue;
            }
            let left: Vec<usize> = (0..scores.len()).filter(|idx| !slate.contains(idx)).collect();
            let left = if place == 0 && policy.protects_first { vec![0] } else { left };
            let total: f64 = left.iter().map(|&idx| weights[idx]).sum();
            for idx in left {
                let p = p * weights[idx] / total;
                table[idx * n + place] += p;
                open.push(([slate.clone(), vec![idx]].concat(), p));
            }
        }
        table
    }

    fn policies(temperature: f32) -> [Policy; 2] {
        [true, false].map(|protects_first| Policy { temperature, protects_first })
    }

    #[test]
    fn placements_are_those_of_all_slates() {
        let pools: [&[f32]; 6] = [
            &[3.0, 2.5, 2.4, 1.0, 0.5, -1.0],
            &[1.0, 1.0, 1.0, 1.0, 1.0],
            &[9.0, 0.0, -9.0, -9.5],
            &[0.25, 0.2],
            &[7.0],
            &[],
        ];
        for scores in pools {
            for temperature in [0.05, 0.3, 1.0, 10.0] {
                for policy in policies(temperature) {
                    for n in 0..=scores.len() + 1 {
                        let (found, wanted) = (placements(scores, n, policy), by_enumeration(scores, n, policy));
                        assert_eq!(found.len(), wanted.len());
                        for (found, wanted) in found.iter().zip(&wanted) {
                            assert!((found - wanted).abs() < 1e-9, "{scores:?} {policy:?} {n}: {found} {wanted}");
                        }
                    }
                }
            }
        }
    }

    /// A pool as the matcher gives it: scores that fall slowly, two of them alike.
    fn pool() -> Vec<f32> {
        (0..24).map(|idx| 4.0 - 0.15 * (idx - idx % 2) as f32 - 0.01 * (idx * idx) as f32).collect()
    }

    #[test]
    fn a_million_slates_show_songs_as_often_as_is_logged() {
        const N_SLATES: usize = 1_000_000;
        let (scores, n) = (pool(), 5);
        for (seed, policy) in policies(0.5).into_iter().enumerate() {
            let mut rng = fastrand::Rng::with_seed(seed as u64);
            let mut shown = vec![0_usize; scores.len() * n];
            for _ in 0..N_SLATES {
                for (place, idx) in order(&scores, n, policy, &mut rng).into_iter().enumerate() {
                    shown[idx * n + place] += 1;
                }
            }
            for (cell, (&count, p)) in shown.iter().zip(placements(&scores, n, policy)).enumerate() {
                let deviation = (p * (1.0 - p) / N_SLATES as f64).sqrt();
                let found = count as f64 / N_SLATES as f64;
                // 240 cells: five deviations are passed by chance once in 7,000 seeds; one count more for rare cells.
                let allowed = 5.0 * deviation + 1.5 / N_SLATES as f64;
                assert!((found - p).abs() <= allowed, "{policy:?}, cell {cell}: {found}, logged {p}");
            }
        }
    }

    #[test]
    fn what_is_logged_is_the_placement() {
        let scores = pool();
        let mut rng = fastrand::Rng::with_seed(7);
        for temperature in [0.02, 0.2, 1.0, 50.0] {
            for policy in policies(temperature) {
                let table = placements(&scores, 8, policy);
                for _ in 0..50 {
                    for (place, drawn) in draw(&scores, 8, policy, &mut rng).into_iter().enumerate() {
                        let exact = table[drawn.idx * 8 + place];
                        let relative = (f64::from(drawn.propensity) - exact).abs() / exact;
                        assert!(relative < 1e-6, "{policy:?} {place}: {drawn:?} {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn columns_sum_to_one_whatever_the_scores() {
        let mut rng = fastrand::Rng::with_seed(3);
        for spread in [0.0, 0.1, 3.0, 30.0] {
            let mut scores: Vec<f32> = (0..24).map(|_| spread * rng.f32()).collect();
            scores.sort_by(|a, b| b.total_cmp(a));
            for temperature in [MIN_TEMPERATURE, 0.1, 2.0, 1e6] {
                for policy in policies(temperature) {
                    let table = placements(&scores, 10, policy);
                    for place in 0..10 {
                        let sum: f64 = (0..24).map(|idx| table[idx * 10 + place]).sum();
                        assert!((sum - 1.0).abs() < 1e-9, "{spread} {policy:?} {place}: {sum}");
                    }
                }
            }
        }
    }

    #[test]
    fn without_temperature_the_best_come_first_and_chance_is_not_asked() {
        let (mut rng, mut untouched) = (fastrand::Rng::with_seed(1), fastrand::Rng::with_seed(1));
        for temperature in [0.0, -1.0, f32::NAN, MIN_TEMPERATURE / 2.0] {
            let policy = Policy { temperature, protects_first: false };
            let drawn = draw(&[3.0, 2.0, 1.0], 2, policy, &mut rng);
            assert_eq!(drawn, [0, 1].map(|idx| Drawn { idx, propensity: 1.0 }));
            assert_eq!(placements(&[3.0, 2.0, 1.0], 2, policy), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        }
        assert_eq!(rng.u64(..), untouched.u64(..));
    }

    #[test]
    fn the_first_place_is_the_best_songs_and_a_seed_decides_the_rest() {
        let policy = Policy { temperature: 5.0, protects_first: true };
        let slates: Vec<Vec<Drawn>> =
            (0..40).map(|seed| draw(&pool(), 5, policy, &mut fastrand::Rng::with_seed(seed))).collect();
        assert!(slates.iter().all(|slate| slate[0] == Drawn { idx: 0, propensity: 1.0 }));
        assert!(slates.iter().any(|slate| slate[1].idx != 1));
        assert_eq!(slates[3], draw(&pool(), 5, policy, &mut fastrand::Rng::with_seed(3)));
    }
}
