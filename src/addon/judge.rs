//! How well a tag is learned, on photos that the learning did not see, and what its logits mean as probabilities.

use serde::{Deserialize, Serialize};

use super::fit::{Direction, Sample, pooled, sigmoid};

/// Parts into which examples and others are cut for cross-validation; fewer examples are left out one by one.
const N_FOLDS: usize = 5;

/// Share of photos that is assumed to show a tag, for its probability: of two photos that look as much like the tag as like
/// anything else, this share shows it. A tag of the base model that counts in a photo is about as frequent in its training
/// photos; a shop's own photos show its products more often, the photos of a chat less.
const PREVALENCE: f32 = 0.05;

/// Probability from which the program says that a photo shows a tag; the matcher calls such tags sure.
pub const THRESHOLD: f32 = 0.5;

/// Examples below which figures are rough.
pub const FEW: usize = 10;

/// How well a tag does by cross-validation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Photos that show it.
    pub n_examples: usize,
    /// Counterexamples among the others.
    pub n_counterexamples: usize,
    /// Photos that do not show it: counterexamples, other tags' examples, background.
    pub n_others: usize,
    /// Average precision over all of them.
    pub average_precision: f64,
    /// Probability from which the tag is said.
    pub threshold: f32,
    /// Examples from the threshold on.
    pub n_found: usize,
    /// Others from the threshold on.
    pub n_wrong: usize,
}

impl Figures {
    /// Share of the photos from the threshold on that show the tag; `None` if there is none.
    pub fn precision(&self) -> Option<f64> {
        let n_said = self.n_found + self.n_wrong;
        (n_said > 0).then(|| self.n_found as f64 / n_said as f64)
    }

    /// Share of the examples that are found.
    pub fn recall(&self) -> f64 {
        self.n_found as f64 / self.n_examples.max(1) as f64
    }
}

/// A direction whose logits give probabilities, and its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Learned from all samples, calibrated.
    pub direction: Direction,
    /// By cross-validation.
    pub figures: Figures,
}

/// Learns a tag from samples and judges it; `n_counterexamples` of the others are counterexamples.
///
/// # Panics
/// If there are fewer than two samples of a kind.
pub fn judged(samples: &[Sample<'_>], n_counterexamples: usize, n_dims: usize, sharpness: f32) -> Judged {
    let unseen = unseen_logits(samples, n_dims, sharpness);
    let (scale, shift) = calibration(samples, &unseen, sharpness);
    let probs: Vec<f32> = unseen
        .iter()
        .map(|logits| {
            let scaled: Vec<f32> = logits.iter().map(|z| scale * z + shift).collect();
            sigmoid(pooled(&scaled, sharpness).0)
        })
        .collect();
    let n_examples = samples.iter().filter(|sample| sample.shows).count();
    let said = |shows: bool| {
        samples.iter().zip(&probs).filter(|(sample, prob)| sample.shows == shows && **prob >= THRESHOLD).count()
    };
    let figures = Figures {
        n_examples,
        n_counterexamples,
        n_others: samples.len() - n_examples,
        average_precision: average_precision(samples, &probs),
        threshold: THRESHOLD,
        n_found: said(true),
        n_wrong: said(false),
    };
    let Direction { weights, bias } = Direction::fitted(samples, n_dims, sharpness);
    let weights = weights.iter().map(|weight| scale * weight).collect();
    Judged { direction: Direction { weights, bias: scale * bias + shift }, figures }
}

/// Logits of the regions of every sample by a direction that was learned without its part of the samples, each
/// `[n_regions]`.
fn unseen_logits(samples: &[Sample<'_>], n_dims: usize, sharpness: f32) -> Vec<Vec<f32>> {
    let n_shows = samples.iter().filter(|sample| sample.shows).count();
    let n_folds = N_FOLDS.min(n_shows).min(samples.len() - n_shows).max(2);
    // Each kind is dealt out in turn, so that every part has some of it.
    let (mut dealt, mut folds) = ([0usize; 2], Vec::with_capacity(samples.len()));
    for sample in samples {
        let count = &mut dealt[usize::from(sample.shows)];
        folds.push(*count % n_folds);
        *count += 1;
    }
    let mut logits = vec![Vec::new(); samples.len()];
    for fold in 0..n_folds {
        let kept = samples.iter().zip(&folds).filter(|(_, of)| **of != fold).map(|(sample, _)| *sample);
        let direction = Direction::fitted(&kept.collect::<Vec<_>>(), n_dims, sharpness);
        for (out, sample) in
            logits.iter_mut().zip(samples).zip(&folds).filter(|(_, of)| **of == fold).map(|pair| pair.0)
        {
            *out = direction.logits(sample.rows);
        }
    }
    logits
}

/// Scale and shift after which the pooled logits are those of probabilities at [`PREVALENCE`]: Platt's (1999), with his
/// smoothed targets, which keep a handful of perfectly told examples from claiming certainty. Scaled before pooling, so
/// that the calibrated tag is a linear head pooled as any other.
fn calibration(samples: &[Sample<'_>], unseen: &[Vec<f32>], sharpness: f32) -> (f32, f32) {
    let n_shows = samples.iter().filter(|sample| sample.shows).count() as f32;
    let n_others = samples.len() as f32 - n_shows;
    let of_kind = |shows: bool| match shows {
        true => (PREVALENCE / n_shows, (n_shows + 1.0) / (n_shows + 2.0)),
        false => ((1.0 - PREVALENCE) / n_others, 1.0 / (n_others + 2.0)),
    };
    let mut best = (f32::INFINITY, 1.0, 0.0);
    for step in 0..=40 {
        // A twentieth to twenty.
        let scale = 20f32.powf(step as f32 / 20.0 - 1.0);
        let rows: Vec<(f32, f32, f32)> = samples
            .iter()
            .zip(unseen)
            .map(|(sample, logits)| {
                let scaled: Vec<f32> = logits.iter().map(|z| scale * z).collect();
                let (weight, target) = of_kind(sample.shows);
                (pooled(&scaled, sharpness).0, weight, target)
            })
            .collect();
        let shift = shift(&rows);
        let loss = |&(z, weight, target): &(f32, f32, f32)| weight * (softplus(z + shift) - target * (z + shift));
        let total: f32 = rows.iter().map(loss).sum();
        if total < best.0 {
            best = (total, scale, shift);
        }
    }
    (best.1, best.2)
}

/// The shift at which probabilities and targets have the same weighted mean, by halving.
fn shift(rows: &[(f32, f32, f32)]) -> f32 {
    let (mut low, mut high) = (-200f32, 200f32);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        let error: f32 = rows.iter().map(|(z, weight, target)| weight * (sigmoid(z + middle) - target)).sum();
        if error > 0.0 { high = middle } else { low = middle }
    }
    0.5 * (low + high)
}

fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Mean of the precisions at the places of the examples; among equals the others come first.
fn average_precision(samples: &[Sample<'_>], probs: &[f32]) -> f64 {
    let mut order: Vec<usize> = (0..samples.len()).collect();
    order.sort_by(|&a, &b| probs[b].total_cmp(&probs[a]).then(samples[a].shows.cmp(&samples[b].shows)));
    let (mut n_found, mut sum) = (0usize, 0f64);
    for (place, &at) in order.iter().enumerate() {
        if samples[at].shows {
            n_found += 1;
            sum += n_found as f64 / (place + 1) as f64;
        }
    }
    sum / n_found.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const N_DIMS: usize = 16;

    fn photos(n: usize, bump: f32, seed: u64) -> Vec<Vec<f32>> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut normal = move || (0..12).map(|_| rng.f32() - 0.5).sum::<f32>();
        (0..n)
            .map(|_| {
                let mut rows: Vec<f32> = (0..4 * N_DIMS).map(|_| normal()).collect();
                rows.iter_mut().step_by(N_DIMS).for_each(|x| *x += bump);
                rows
            })
            .collect()
    }

    fn judged_with(bump: f32) -> (Judged, Vec<Vec<f32>>, Vec<Vec<f32>>) {
        let (shown, others) = (photos(12, bump, 1), photos(200, 0.0, 2));
        let of = |photos: &'_ [Vec<f32>], shows: bool, out: &mut Vec<(Vec<f32>, bool)>| {
            out.extend(photos.iter().map(|rows| (rows.clone(), shows)));
        };
        let mut all = Vec::new();
        of(&shown, true, &mut all);
        of(&others, false, &mut all);
        let samples: Vec<Sample<'_>> = all.iter().map(|(rows, shows)| Sample { rows, shows: *shows }).collect();
        (judged(&samples, 3, N_DIMS, 1.0), photos(100, bump, 3), photos(400, 0.0, 4))
    }

    fn said(judged: &Judged, photos: &[Vec<f32>]) -> usize {
        photos.iter().filter(|rows| pooled(&judged.direction.logits(rows), 1.0).0 > 0.0).count()
    }

    #[test]
    fn a_clear_tag_is_said_of_the_right_photos() {
        let (judged, shown, others) = judged_with(4.0);
        let figures = judged.figures;
        assert_eq!((figures.n_examples, figures.n_others, figures.n_counterexamples), (12, 200, 3));
        assert!(figures.average_precision > 0.95 && figures.n_found >= 10 && figures.n_wrong <= 2, "{figures:?}");
        assert!(said(&judged, &shown) >= 85 && said(&judged, &others) <= 8);
    }

    #[test]
    fn figures_of_what_cannot_be_told_are_low_and_nothing_is_said() {
        let (judged, shown, others) = judged_with(0.0);
        assert!(judged.figures.average_precision < 0.4, "{:?}", judged.figures);
        assert!(said(&judged, &shown) + said(&judged, &others) <= 10, "a tag without evidence is never sure");
    }

    #[test]
    fn average_precision_is_that_of_the_definition() {
        let rows = [0.0; N_DIMS];
        let samples = [true, false, true, false].map(|shows| Sample { rows: &rows, shows });
        let close = |probs: [f32; 4], expected: f64| {
            assert!((average_precision(&samples, &probs) - expected).abs() < 1e-9, "{probs:?}");
        };
        close([0.9, 0.8, 0.7, 0.1], (1.0 + 2.0 / 3.0) / 2.0);
        close([0.9, 0.1, 0.8, 0.1], 1.0);
        close([0.5, 0.5, 0.5, 0.5], (1.0 / 3.0 + 0.5) / 2.0);
    }

    #[test]
    fn shares_of_figures() {
        let figures = judged_with(4.0).0.figures;
        let none = Figures { n_found: 0, n_wrong: 0, ..figures };
        assert_eq!((none.precision(), none.recall()), (None, 0.0));
        let some = Figures { n_found: 6, n_wrong: 2, n_examples: 8, ..figures };
        assert_eq!((some.precision(), some.recall()), (Some(0.75), 0.75));
    }
}
