//! Intervals by drawing the queries anew.

/// A mean or median with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// Over all queries.
    pub value: f64,
    /// 2.5 % of the resampled values are lower.
    pub low: f64,
    /// 2.5 % of the resampled values are higher.
    pub high: f64,
}

/// Resamples; enough for two figures of a 95 % interval.
const N_SAMPLES: usize = 1000;

/// `statistic` of the values with its percentile bootstrap interval; the same seed gives the same interval.
pub fn estimate(values: &[f64], statistic: impl Fn(&[f64]) -> f64, seed: u64) -> Estimate {
    let value = statistic(values);
    if values.len() < 2 {
        return Estimate { value, low: value, high: value };
    }
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut drawn = vec![0f64; values.len()];
    let mut samples: Vec<f64> = (0..N_SAMPLES)
        .map(|_| {
            drawn.iter_mut().for_each(|x| *x = values[rng.usize(..values.len())]);
            statistic(&drawn)
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    Estimate { value, low: samples[N_SAMPLES * 25 / 1000], high: samples[N_SAMPLES * 975 / 1000 - 1] }
}

/// The arithmetic mean; NaN for none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_has_the_expected_width() {
        let mut rng = fastrand::Rng::with_seed(2);
        let values: Vec<f64> = (0..2000).map(|_| rng.f64()).collect();
        let found = estimate(&values, mean, 1);
        let width = 2.0 * 1.96 * (1.0 / 12f64).sqrt() / 2000f64.sqrt();
        assert!(found.low < found.value && found.value < found.high);
        assert!(((found.high - found.low) / width - 1.0).abs() < 0.15, "{found:?} {width}");
        assert_eq!(found, estimate(&values, mean, 1));
    }
}
