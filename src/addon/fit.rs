//! One tag's direction in the reduced space: logistic regression on the log-mean-exp over regions, which is how the tagger
//! pools its own tags, so that the region that shows the tag is found while it is learned.

/// A photo to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Its regions in the reduced space, `[n_regions, n_dims]`.
    pub rows: &'a [f32],
    /// Whether it shows the tag.
    pub shows: bool,
}

/// A direction and a bias: the logit of a region is `direction · row + bias`.
#[derive(Debug, Clone, PartialEq)]
pub struct Direction {
    /// `[n_dims]`.
    pub weights: Vec<f32>,
    /// What is added.
    pub bias: f32,
}

/// Penalty on the squared length of the direction. In a space of unit spread it says how far a tag is believed to stand out
/// of the crowd before any photo is seen.
const PENALTY: f32 = 0.3;

/// Steps of the descent and the size of the first; the size falls to zero along a cosine.
const N_STEPS: usize = 160;
const STEP: f32 = 0.05;

impl Direction {
    /// Logits of the regions, `[n_regions]`.
    pub fn logits(&self, rows: &[f32]) -> Vec<f32> {
        rows.chunks_exact(self.weights.len()).map(|row| self.bias + dot(row, &self.weights)).collect()
    }

    /// The direction for these samples; both kinds have the same say, whatever their numbers. Deterministic.
    ///
    /// # Panics
    /// If there is no sample of a kind, or the rows have another length than `n_dims`.
    pub fn fitted(samples: &[Sample<'_>], n_dims: usize, sharpness: f32) -> Self {
        let n_shows = samples.iter().filter(|sample| sample.shows).count();
        assert!(n_shows > 0 && n_shows < samples.len(), "both kinds of samples are there");
        let share = |shows: bool| 0.5 / if shows { n_shows } else { samples.len() - n_shows } as f32;
        let mut direction = Self::start(samples, n_dims, share);
        let (mut mean, mut square) = (vec![0f32; n_dims + 1], vec![0f32; n_dims + 1]);
        for step in 1..=N_STEPS {
            let gradient = direction.gradient(samples, sharpness, share);
            let size = STEP * 0.5 * (1.0 + (std::f32::consts::PI * step as f32 / N_STEPS as f32).cos());
            let (rise, spread) = (1.0 - 0.9f32.powi(step as i32), 1.0 - 0.99f32.powi(step as i32));
            let values = direction.weights.iter_mut().chain([&mut direction.bias]);
            for (((value, g), mean), square) in values.zip(gradient).zip(&mut mean).zip(&mut square) {
                *mean = 0.9 * *mean + 0.1 * g;
                *square = 0.99 * *square + 0.01 * g * g;
                *value -= size * (*mean / rise) / ((*square / spread).sqrt() + 1e-8);
            }
        }
        direction
    }

    /// The difference of the means of both kinds over whole photos, scaled so that their middle is at 0 and they lie at ±2.
    fn start(samples: &[Sample<'_>], n_dims: usize, share: impl Fn(bool) -> f32) -> Self {
        let (mut difference, mut middle) = (vec![0f32; n_dims], vec![0f32; n_dims]);
        for sample in samples {
            let part = share(sample.shows);
            let sign = if sample.shows { 2.0 } else { -2.0 };
            for ((difference, middle), x) in difference.iter_mut().zip(&mut middle).zip(&sample.rows[..n_dims]) {
                *difference += sign * part * x;
                *middle += part * x;
            }
        }
        let scale = 4.0 / dot(&difference, &difference).max(1e-6);
        difference.iter_mut().for_each(|x| *x *= scale);
        let bias = -dot(&difference, &middle);
        Self { weights: difference, bias }
    }

    /// Gradient of the loss by weights and, last, bias, `[n_dims + 1]`.
    fn gradient(&self, samples: &[Sample<'_>], sharpness: f32, share: impl Fn(bool) -> f32) -> Vec<f32> {
        let n_dims = self.weights.len();
        let mut gradient: Vec<f32> = self.weights.iter().map(|x| PENALTY * x).collect();
        gradient.push(0.0);
        for sample in samples {
            let logits = self.logits(sample.rows);
            let (pooled, shares) = pooled(&logits, sharpness);
            let error = share(sample.shows) * (sigmoid(pooled) - f32::from(u8::from(sample.shows)));
            for (row, part) in sample.rows.chunks_exact(n_dims).zip(shares) {
                let amount = error * part;
                gradient.iter_mut().zip(row).for_each(|(sum, x)| *sum += amount * x);
            }
            gradient[n_dims] += error;
        }
        gradient
    }
}

/// Log-mean-exp over regions, and the share of each in its gradient, `[n_regions]`.
pub fn pooled(logits: &[f32], sharpness: f32) -> (f32, Vec<f32>) {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut shares: Vec<f32> = logits.iter().map(|z| (sharpness * (z - highest)).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    (highest + (sum / logits.len() as f32).ln() / sharpness, shares)
}

/// The probability of a logit.
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// In eight lanes, which the compiler keeps in one register.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 8];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const N_DIMS: usize = 24;
    const N_REGIONS: usize = 6;

    /// Photos of noise; those that show the tag have a bump along direction 3 in one region.
    fn photos(n: usize, is_shown: bool, seed: u64) -> Vec<Vec<f32>> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut normal = move || (0..12).map(|_| rng.f32() - 0.5).sum::<f32>();
        let photo = |i: usize| {
            let mut rows: Vec<f32> = (0..N_REGIONS * N_DIMS).map(|_| normal()).collect();
            if is_shown {
                rows[i % N_REGIONS * N_DIMS + 3] += 5.0;
            }
            rows
        };
        (0..n).map(photo).collect()
    }

    fn samples<'a>(shown: &'a [Vec<f32>], others: &'a [Vec<f32>]) -> Vec<Sample<'a>> {
        let of = |photos: &'a [Vec<f32>], shows| photos.iter().map(move |rows| Sample { rows, shows });
        of(shown, true).chain(of(others, false)).collect()
    }

    #[test]
    fn a_planted_direction_is_recovered_with_its_region() {
        let (shown, others) = (photos(8, true, 1), photos(300, false, 2));
        let direction = Direction::fitted(&samples(&shown, &others), N_DIMS, 1.0);
        let length = dot(&direction.weights, &direction.weights).sqrt();
        assert!(direction.weights[3] > 0.75 * length, "{:?}", direction.weights);
        let mut n_right = 0;
        for (i, photo) in photos(60, true, 3).iter().enumerate() {
            let logits = direction.logits(photo);
            let loudest = (0..N_REGIONS).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap();
            n_right += usize::from(loudest == i % N_REGIONS);
        }
        assert!(n_right >= 54, "{n_right} of 60 regions");
        let score = |photo: &Vec<f32>| pooled(&direction.logits(photo), 1.0).0;
        let low = photos(60, true, 4).iter().map(score).filter(|score| *score < 0.0).count();
        let high = photos(300, false, 5).iter().map(score).filter(|score| *score > 0.0).count();
        assert!(low <= 6 && high <= 30, "{low} of 60 missed, {high} of 300 wrong");
    }

    #[test]
    fn gradients_are_those_of_the_loss() {
        let (shown, others) = (photos(3, true, 6), photos(5, false, 7));
        let samples = samples(&shown, &others);
        let share = |shows: bool| if shows { 0.5 / 3.0 } else { 0.1 };
        let loss = |direction: &Direction| {
            let of = |sample: &Sample<'_>| {
                let p = sigmoid(pooled(&direction.logits(sample.rows), 1.5).0);
                -share(sample.shows) * if sample.shows { p.ln() } else { (1.0 - p).ln() }
            };
            let data: f32 = samples.iter().map(of).sum();
            data + 0.5 * PENALTY * dot(&direction.weights, &direction.weights)
        };
        let direction = Direction { weights: (0..N_DIMS).map(|i| 0.3 * (i as f32).sin()).collect(), bias: -0.4 };
        let gradient = direction.gradient(&samples, 1.5, share);
        for i in [0, 3, 10, N_DIMS] {
            let moved = |by: f32| {
                let mut moved = direction.clone();
                if i == N_DIMS {
                    moved.bias += by
                } else {
                    moved.weights[i] += by
                }
                loss(&moved)
            };
            let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((gradient[i] - expected).abs() < 2e-3, "{i}: {} and {expected}", gradient[i]);
        }
    }
}
