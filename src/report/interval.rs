//! Intervals of 95 %. Answers to one person resemble each other, so persons are what is drawn at random, not answers:
//! persons are dealt into [`N_BUCKETS`] buckets by their key, and the buckets take the place of the persons. With more
//! persons than buckets that costs little sharpness and bounds the work.

use crate::evaluation::bootstrap::Estimate;

/// Buckets of persons.
pub const N_BUCKETS: usize = 128;

/// What a bucket adds to a ratio: its numerator and its denominator.
pub type Part = (f64, f64);

/// Of a normal distribution 95 % lie within so many standard deviations.
const Z: f64 = 1.959_964;
/// The same for Student's distribution with 1, 2, … degrees of freedom.
const T: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
/// Upper bound of a Poisson mean when nothing was seen (two-sided 95 %).
const NOTHING_SEEN: f64 = 3.689;
const N_RESAMPLES: usize = 1000;
const SEED: u64 = 20_261_124;

/// A share of things that happened or not, summed over buckets: Wilson's interval with the number of answers divided by
/// the design effect of persons (Korn and Graubard 1998), so that it stays inside `[0, 1]` and has a width even at 0.
/// `None` without a denominator.
pub fn share(parts: &[Part]) -> Option<Estimate> {
    let (hits, n) = sum(parts)?;
    let ratio = (hits / n).clamp(0.0, 1.0);
    let filled = parts.iter().filter(|part| part.1 > 0.0);
    let n_filled = filled.clone().count();
    if n_filled < 2 {
        // All is from one person: as good as one answer.
        return Some(wilson(ratio, 1.0));
    }
    let squares: f64 = filled.map(|part| (part.0 - ratio * part.1).powi(2)).sum();
    let freedom = (n_filled - 1) as f64;
    let clustered = squares * (n_filled as f64 / freedom) / (n * n);
    let simple = ratio * (1.0 - ratio) / n;
    let effect = if simple > 0.0 { (clustered / simple).max(1.0) } else { 1.0 };
    Some(wilson(ratio, n / effect * (Z / student(n_filled - 1)).powi(2)))
}

/// A mean that may exceed 1, such as likes per answer: the percentile bootstrap over buckets. `None` without a
/// denominator.
pub fn mean(parts: &[Part]) -> Option<Estimate> {
    let (total, n) = sum(parts)?;
    let value = total / n;
    if total <= 0.0 {
        return Some(Estimate { value, low: 0.0, high: NOTHING_SEEN / n });
    }
    let filled: Vec<Part> = parts.iter().copied().filter(|part| part.1 > 0.0).collect();
    let mut rng = fastrand::Rng::with_seed(SEED);
    let mut resampled: Vec<f64> = (0..N_RESAMPLES)
        .map(|_| {
            let drawn = (0..filled.len()).map(|_| filled[rng.usize(..filled.len())]);
            let (total, n) = drawn.fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
            total / n
        })
        .collect();
    resampled.sort_by(f64::total_cmp);
    let (low, high) = (resampled[N_RESAMPLES * 25 / 1000], resampled[N_RESAMPLES * 975 / 1000 - 1]);
    Some(Estimate { value, low: low.min(value), high: high.max(value) })
}

/// A quantile with the interval between order statistics, which no distribution has to be assumed for. Sorts the values.
/// `None` for none.
pub fn quantile(values: &mut [u32], quantile: f64) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    values.sort_unstable();
    let n = values.len() as f64;
    let at = |rank: f64| f64::from(values[(rank.max(0.0) as usize).min(values.len() - 1)]);
    let middle = n * quantile;
    let reach = Z * (n * quantile * (1.0 - quantile)).sqrt();
    let value = at((middle.ceil() - 1.0).max(0.0));
    Some(Estimate { value, low: at((middle - reach).floor() - 1.0), high: at((middle + reach).ceil()) })
}

/// A share of persons: each is drawn by itself, so Wilson's interval as it stands. `None` for no person.
pub fn share_of_persons(n_hits: usize, n: usize) -> Option<Estimate> {
    (n > 0).then(|| wilson(n_hits as f64 / n as f64, n as f64))
}

/// How many different things there are, of `n_all`, when each bucket alone accounts for so many of them: the jackknife
/// that leaves out a bucket of persons at a time. `None` if there is nothing to cover.
pub fn coverage(n_covered: usize, only_by: &[u32; N_BUCKETS], n_all: usize) -> Option<Estimate> {
    if n_all == 0 {
        return None;
    }
    let n = N_BUCKETS as f64;
    let mean = only_by.iter().map(|&only| f64::from(only)).sum::<f64>() / n;
    let squares: f64 = only_by.iter().map(|&only| (f64::from(only) - mean).powi(2)).sum();
    let reach = Z * (squares * (n - 1.0) / n).sqrt();
    let share = |count: f64| (count / n_all as f64).clamp(0.0, 1.0);
    let covered = n_covered as f64;
    Some(Estimate { value: share(covered), low: share(covered - reach), high: share(covered + reach) })
}

/// The change from one estimate to another, with an interval made from theirs (Newcombe 1998; Zou and Donner 2008).
/// Whoever is in both makes it a little wider than needed.
pub fn change(from: Estimate, to: Estimate) -> Estimate {
    let value = to.value - from.value;
    let reach = |own: f64, other: f64| own.hypot(other);
    Estimate {
        value,
        low: value - reach(to.value - to.low, from.high - from.value),
        high: value + reach(to.high - to.value, from.value - from.low),
    }
}

fn sum(parts: &[Part]) -> Option<Part> {
    let sum = parts.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    (sum.1 > 0.0).then_some(sum)
}

fn wilson(ratio: f64, n: f64) -> Estimate {
    let square = Z * Z;
    let middle = (ratio + square / (2.0 * n)) / (1.0 + square / n);
    let reach = Z / (1.0 + square / n) * (ratio * (1.0 - ratio) / n + square / (4.0 * n * n)).sqrt();
    // At 0 and 1 the ends meet the value but for the last bits.
    let (low, high) = ((middle - reach).clamp(0.0, ratio), (middle + reach).clamp(ratio, 1.0));
    Estimate { value: ratio, low, high }
}

fn student(freedom: usize) -> f64 {
    let n = freedom as f64;
    // Beyond the table by the first two terms of its expansion in 1/n.
    let far = || Z + (Z.powi(3) + Z) / (4.0 * n) + (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / (96.0 * n * n);
    T.get(freedom.saturating_sub(1)).copied().unwrap_or_else(far)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wilson_is_as_published() {
        // Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29, without continuity correction.
        for (hits, n, low, high) in [
            (81.0, 263.0, 0.2553, 0.3662),
            (15.0, 148.0, 0.0624, 0.1605),
            (0.0, 20.0, 0.0, 0.1611),
            (1.0, 29.0, 0.0061, 0.1718),
        ] {
            let found = wilson(hits / n, n);
            assert!((found.low - low).abs() < 1e-4 && (found.high - high).abs() < 1e-4, "{hits}/{n} {found:?}");
        }
        // The same paper's difference 56/70 - 48/80: 0.2, from 0.0524 to 0.3339.
        let found = change(wilson(48.0 / 80.0, 80.0), wilson(56.0 / 70.0, 70.0));
        assert!((found.low - 0.0524).abs() < 1e-4 && (found.high - 0.3339).abs() < 1e-4, "{found:?}");
        assert!((student(10) - 2.228).abs() < 1e-3 && (student(30) - 2.042).abs() < 1e-3);
    }

    /// 40 persons whose own like rates differ much, each with ten answers: the interval must hold the true mean.
    #[test]
    fn intervals_hold_the_truth_when_answers_hang_together() {
        let mut rng = fastrand::Rng::with_seed(5);
        let (mut n_share, mut n_mean, mut n_naive) = (0, 0, 0);
        let n_worlds = 1000;
        for _ in 0..n_worlds {
            let mut parts = vec![(0.0, 0.0); N_BUCKETS];
            for _ in 0..40 {
                let rate = if rng.bool() { 0.1 } else { 0.5 };
                let part = &mut parts[rng.usize(..N_BUCKETS)];
                part.0 += (0..10).filter(|_| rng.f64() < rate).count() as f64;
                part.1 += 10.0;
            }
            let holds = |found: Estimate| usize::from(found.low <= 0.3 && 0.3 <= found.high);
            n_share += holds(share(&parts).unwrap());
            n_mean += holds(mean(&parts).unwrap());
            n_naive += holds(wilson(share(&parts).unwrap().value, 400.0));
        }
        let rate = |n: usize| n as f64 / f64::from(n_worlds);
        assert!(rate(n_share) > 0.93 && rate(n_share) < 0.99, "{}", rate(n_share));
        assert!(rate(n_mean) > 0.91 && rate(n_mean) < 0.99, "{}", rate(n_mean));
        assert!(rate(n_naive) < 0.85, "without persons the interval is too sure: {}", rate(n_naive));
    }

    #[test]
    fn quantiles_and_coverage_have_the_expected_intervals() {
        let mut values: Vec<u32> = (1..=1000).rev().collect();
        let found = quantile(&mut values, 0.5).unwrap();
        assert_eq!((found.value, found.low, found.high), (500.0, 469.0, 532.0));
        let found = quantile(&mut [7], 0.95).unwrap();
        assert_eq!((found.value, found.low, found.high), (7.0, 7.0, 7.0));
        let mut only_by = [0; N_BUCKETS];
        let found = coverage(50, &only_by, 200).unwrap();
        assert_eq!((found.value, found.low, found.high), (0.25, 0.25, 0.25));
        only_by[3] = 40;
        let found = coverage(50, &only_by, 200).unwrap();
        assert!(found.low < 0.1 && found.high > 0.4, "{found:?}");
    }

    proptest! {
        #[test]
        fn values_lie_in_their_intervals(parts in prop::collection::vec((0_u32..20, 0_u32..20), 0..50)) {
            let parts: Vec<Part> = parts.iter().map(|(a, b)| (f64::from(*a.min(b)), f64::from(*a.max(b)))).collect();
            for found in [share(&parts), mean(&parts)].into_iter().flatten() {
                prop_assert!(0.0 <= found.low && found.high.is_finite());
                prop_assert!(found.low <= found.value + 1e-9 && found.value <= found.high + 1e-9, "{:?}", found);
            }
            prop_assert_eq!(share(&parts).is_some(), parts.iter().any(|part| part.1 > 0.0));
        }
    }
}
