//! Batch normalization fused with its activation, over rows of channels `[rows, channels]`: forward and gradients.
//!
//! `y = act(gamma * (x - mean) / sqrt(variance + EPSILON) + beta)`, with the batch's own biased variance in training
//! (Ioffe and Szegedy 2015, algorithm 1). Channels come in multiples of 16.

use super::isa::{Isa, kernel, madd};

/// Added to the variance, as most frameworks do by default.
pub const EPSILON: f32 = 1e-5;

/// Rows whose sums are kept in f32 before they join the f64 totals; small enough to stay in the L1 cache.
const BLOCK_ROWS: usize = 64;

/// What follows the normalization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// `min(max(y, 0), 6)`.
    Relu6,
}

impl Activation {
    /// Lower and upper bound of the output.
    pub fn bounds(self) -> (f32, f32) {
        match self {
            Activation::Linear => (f32::NEG_INFINITY, f32::INFINITY),
            Activation::Relu6 => (0.0, 6.0),
        }
    }
}

#[inline(always)]
fn statistics_body<const FMA: bool, const L: usize>(
    x: &[f32],
    channels: usize,
    mean: &mut [f32],
    variance: &mut [f32],
) {
    assert!(channels.is_multiple_of(L) && x.len().is_multiple_of(channels), "{channels} channels do not fit");
    let rows = x.len() / channels;
    for block in (0..channels).step_by(L) {
        let mut totals = [[0.0f64; L]; 2];
        for chunk in x.chunks(BLOCK_ROWS * channels) {
            let mut sum = [0.0f32; L];
            let mut squares = [0.0f32; L];
            for row in chunk.chunks_exact(channels) {
                let cell = &row[block..block + L];
                for lane in 0..L {
                    sum[lane] += cell[lane];
                    squares[lane] = madd::<FMA>(cell[lane], cell[lane], squares[lane]);
                }
            }
            for lane in 0..L {
                totals[0][lane] += f64::from(sum[lane]);
                totals[1][lane] += f64::from(squares[lane]);
            }
        }
        for lane in 0..L {
            let average = totals[0][lane] / rows as f64;
            mean[block + lane] = average as f32;
            variance[block + lane] = (totals[1][lane] / rows as f64 - average * average).max(0.0) as f32;
        }
    }
}

#[inline(always)]
fn apply_body<const FMA: bool, const L: usize>(
    x: &[f32],
    scale: &[f32],
    shift: &[f32],
    activation: Activation,
    y: &mut [f32],
) {
    let channels = scale.len();
    assert!(
        channels.is_multiple_of(L) && shift.len() == channels && x.len() == y.len(),
        "{channels} channels do not fit"
    );
    let (low, high) = activation.bounds();
    for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
        for (((y, &x), &scale), &shift) in y.iter_mut().zip(x).zip(scale).zip(shift) {
            let value = madd::<FMA>(x, scale, shift);
            let value = if value > low { value } else { low };
            *y = if value < high { value } else { high };
        }
    }
}

/// Per channel: sum of the masked gradients and of their products with `x - mean`.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "slices and their sizes")]
fn gradient_sums_body<const FMA: bool, const L: usize>(
    x: &[f32],
    y_gradient: &mut [f32],
    mean: &[f32],
    scale: &[f32],
    shift: &[f32],
    activation: Activation,
    sums: &mut [f32],
    products: &mut [f32],
) {
    let channels = mean.len();
    assert!(channels.is_multiple_of(L) && x.len() == y_gradient.len(), "{channels} channels do not fit");
    let (low, high) = activation.bounds();
    for block in (0..channels).step_by(L) {
        let mut totals = [[0.0f64; L]; 2];
        let (mut means, mut scales, mut shifts) = ([0.0f32; L], [0.0f32; L], [0.0f32; L]);
        means.copy_from_slice(&mean[block..block + L]);
        scales.copy_from_slice(&scale[block..block + L]);
        shifts.copy_from_slice(&shift[block..block + L]);
        for (x, gradient) in x.chunks(BLOCK_ROWS * channels).zip(y_gradient.chunks_mut(BLOCK_ROWS * channels)) {
            let mut sum = [0.0f32; L];
            let mut product = [0.0f32; L];
            for (x, gradient) in x.chunks_exact(channels).zip(gradient.chunks_exact_mut(channels)) {
                let x = &x[block..block + L];
                let gradient = &mut gradient[block..block + L];
                for lane in 0..L {
                    let y = madd::<FMA>(x[lane], scales[lane], shifts[lane]);
                    let passed = if y > low && y < high { gradient[lane] } else { 0.0 };
                    gradient[lane] = passed;
                    sum[lane] += passed;
                    product[lane] = madd::<FMA>(passed, x[lane] - means[lane], product[lane]);
                }
            }
            for lane in 0..L {
                totals[0][lane] += f64::from(sum[lane]);
                totals[1][lane] += f64::from(product[lane]);
            }
        }
        for lane in 0..L {
            sums[block + lane] = totals[0][lane] as f32;
            products[block + lane] = totals[1][lane] as f32;
        }
    }
}

/// `gradient = gradient * a + x * b + c` per channel.
#[inline(always)]
fn combine_body<const FMA: bool, const L: usize>(x: &[f32], a: &[f32], b: &[f32], c: &[f32], gradient: &mut [f32]) {
    let channels = a.len();
    assert!(channels.is_multiple_of(L) && x.len() == gradient.len(), "{channels} channels do not fit");
    for (x, gradient) in x.chunks_exact(channels).zip(gradient.chunks_exact_mut(channels)) {
        for ((((gradient, &x), &a), &b), &c) in gradient.iter_mut().zip(x).zip(a).zip(b).zip(c) {
            *gradient = madd::<FMA>(*gradient, a, madd::<FMA>(x, b, c));
        }
    }
}

kernel! {
    /// Mean and biased variance of each channel of `x [rows, channels]`, both replaced.
    ///
    /// # Panics
    /// If the channels do not divide `x`.
    pub fn statistics = statistics_body(x: &[f32], channels: usize, mean: &mut [f32], variance: &mut [f32])
}

kernel! {
    /// `y = act(x * scale + shift)` per channel.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn apply = apply_body(x: &[f32], scale: &[f32], shift: &[f32], activation: Activation, y: &mut [f32])
}

kernel! {
    fn gradient_sums = gradient_sums_body(
        x: &[f32], y_gradient: &mut [f32], mean: &[f32], scale: &[f32], shift: &[f32], activation: Activation,
        sums: &mut [f32], products: &mut [f32],
    )
}

kernel! {
    fn combine = combine_body(x: &[f32], a: &[f32], b: &[f32], c: &[f32], gradient: &mut [f32])
}

/// Scale and shift that [`apply`] needs, from the parameters and statistics of each channel; all `[channels]`.
pub fn fold(gamma: &[f32], beta: &[f32], mean: &[f32], variance: &[f32], scale: &mut [f32], shift: &mut [f32]) {
    for c in 0..gamma.len() {
        scale[c] = gamma[c] / (variance[c] + EPSILON).sqrt();
        shift[c] = beta[c] - mean[c] * scale[c];
    }
}

/// What a training forward pass leaves for the backward pass, each `[channels]`.
#[derive(Debug, Clone, Default)]
pub struct Saved {
    /// Mean of the batch.
    pub mean: Vec<f32>,
    /// Biased variance of the batch.
    pub variance: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
    work: [Vec<f32>; 5],
}

impl Saved {
    /// Room for `channels`.
    pub fn new(channels: usize) -> Self {
        let zeros = || vec![0.0; channels];
        Self {
            mean: zeros(),
            variance: zeros(),
            scale: zeros(),
            shift: zeros(),
            work: [zeros(), zeros(), zeros(), zeros(), zeros()],
        }
    }
}

/// Training forward pass: statistics of `x [rows, channels]`, then `y`.
///
/// # Panics
/// If the shapes do not fit.
pub fn forward(
    isa: Isa,
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    activation: Activation,
    saved: &mut Saved,
    y: &mut [f32],
) {
    statistics(isa, x, gamma.len(), &mut saved.mean, &mut saved.variance);
    fold(gamma, beta, &saved.mean, &saved.variance, &mut saved.scale, &mut saved.shift);
    apply(isa, x, &saved.scale, &saved.shift, activation, y);
}

/// The same with given statistics instead of the batch's own, as in serving.
///
/// # Panics
/// If the shapes do not fit.
#[allow(clippy::too_many_arguments, reason = "slices and their sizes")]
pub fn infer(
    isa: Isa,
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    mean: &[f32],
    variance: &[f32],
    activation: Activation,
    saved: &mut Saved,
    y: &mut [f32],
) {
    fold(gamma, beta, mean, variance, &mut saved.scale, &mut saved.shift);
    apply(isa, x, &saved.scale, &saved.shift, activation, y);
}

/// Backward pass: turns the gradient of `y` into that of `x`, in place, and adds to those of `gamma` and `beta`.
///
/// # Panics
/// If the shapes do not fit those of [`forward`].
#[allow(clippy::too_many_arguments, reason = "slices and their sizes")]
pub fn backward(
    isa: Isa,
    x: &[f32],
    gamma: &[f32],
    activation: Activation,
    saved: &mut Saved,
    gradient: &mut [f32],
    gamma_gradient: &mut [f32],
    beta_gradient: &mut [f32],
) {
    let channels = gamma.len();
    let rows = (x.len() / channels) as f32;
    let Saved { mean, variance, scale, shift, work: [sums, products, a, b, c] } = saved;
    gradient_sums(isa, x, gradient, mean, scale, shift, activation, sums, products);
    for i in 0..channels {
        let inverse = 1.0 / (variance[i] + EPSILON).sqrt();
        gamma_gradient[i] += products[i] * inverse;
        beta_gradient[i] += sums[i];
        a[i] = gamma[i] * inverse;
        b[i] = -a[i] * inverse * inverse * products[i] / rows;
        c[i] = -a[i] * sums[i] / rows - b[i] * mean[i];
    }
    combine(isa, x, a, b, c, gradient);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(n: usize, rng: &mut fastrand::Rng) -> Vec<f32> {
        (0..n).map(|_| 2.0 * rng.f32() - 0.7).collect()
    }

    fn naive(x: &[f32], gamma: &[f32], beta: &[f32], activation: Activation) -> Vec<f64> {
        let channels = gamma.len();
        let rows = x.len() / channels;
        let (low, high) = activation.bounds();
        let mut y = vec![0.0; x.len()];
        for c in 0..channels {
            let column = || (0..rows).map(|r| f64::from(x[r * channels + c]));
            let mean = column().sum::<f64>() / rows as f64;
            let variance = column().map(|x| (x - mean).powi(2)).sum::<f64>() / rows as f64;
            for (r, x) in column().enumerate() {
                let value =
                    f64::from(gamma[c]) * (x - mean) / (variance + f64::from(EPSILON)).sqrt() + f64::from(beta[c]);
                y[r * channels + c] = value.max(low.into()).min(high.into());
            }
        }
        y
    }

    #[test]
    fn every_instruction_set_equals_the_definition() {
        let mut rng = fastrand::Rng::with_seed(5);
        for (rows, channels) in [(2, 16), (65, 32), (200, 48)] {
            let x = random(rows * channels, &mut rng);
            let (gamma, beta) = (random(channels, &mut rng), random(channels, &mut rng));
            for activation in [Activation::Linear, Activation::Relu6] {
                let expected = naive(&x, &gamma, &beta, activation);
                for isa in Isa::available() {
                    let mut saved = Saved::new(channels);
                    let mut y = vec![f32::NAN; x.len()];
                    forward(isa, &x, &gamma, &beta, activation, &mut saved, &mut y);
                    for (found, expected) in y.iter().zip(&expected) {
                        assert!((f64::from(*found) - expected).abs() < 1e-4, "{rows} rows {}", isa.name());
                    }
                }
            }
        }
    }

    #[test]
    fn gradients_equal_finite_differences() {
        let mut rng = fastrand::Rng::with_seed(6);
        let (rows, channels) = (9, 16);
        let mut x = random(rows * channels, &mut rng);
        let (mut gamma, mut beta) = (random(channels, &mut rng), random(channels, &mut rng));
        let weights = random(rows * channels, &mut rng);
        for activation in [Activation::Linear, Activation::Relu6] {
            let loss = |x: &[f32], gamma: &[f32], beta: &[f32]| -> f64 {
                naive(x, gamma, beta, activation).iter().zip(&weights).map(|(y, &w)| y * f64::from(w)).sum()
            };
            for isa in Isa::available() {
                let mut saved = Saved::new(channels);
                let mut y = vec![0.0; x.len()];
                forward(isa, &x, &gamma, &beta, activation, &mut saved, &mut y);
                let mut gradient = weights.clone();
                let (mut d_gamma, mut d_beta) = (vec![0.0; channels], vec![0.0; channels]);
                backward(isa, &x, &gamma, activation, &mut saved, &mut gradient, &mut d_gamma, &mut d_beta);
                let step = 1e-3f32;
                let check = |found: f32, plus: f64, minus: f64, what: &str| {
                    let expected = (plus - minus) / (2.0 * f64::from(step));
                    // A kink of the activation between the two points makes the difference quotient wrong.
                    let near = (f64::from(found) - expected).abs() < 2e-3 * (1.0 + expected.abs());
                    assert!(near, "{what}: {found} and {expected} {activation:?} {}", isa.name());
                };
                for i in [0, 5, 17, 100, 143] {
                    let kept = x[i];
                    x[i] = kept + step;
                    let plus = loss(&x, &gamma, &beta);
                    x[i] = kept - step;
                    let minus = loss(&x, &gamma, &beta);
                    x[i] = kept;
                    check(gradient[i], plus, minus, "x");
                }
                for i in [0, 7, 15] {
                    let kept = (gamma[i], beta[i]);
                    gamma[i] = kept.0 + step;
                    let plus = loss(&x, &gamma, &beta);
                    gamma[i] = kept.0 - step;
                    check(d_gamma[i], plus, loss(&x, &gamma, &beta), "gamma");
                    gamma[i] = kept.0;
                    beta[i] = kept.1 + step;
                    let plus = loss(&x, &gamma, &beta);
                    beta[i] = kept.1 - step;
                    check(d_beta[i], plus, loss(&x, &gamma, &beta), "beta");
                    beta[i] = kept.1;
                }
            }
        }
    }
}
