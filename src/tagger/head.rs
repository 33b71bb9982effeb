//! Further tags on the frozen features of a trained tagger: a linear head that is pooled over regions as the tagger's own,
//! so that its tags have a probability and a region too.

use super::pool::pool;
use super::regions::{pooling_weights, regions};

/// A linear head of further tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    n_features: usize,
    /// `[n_tags, n_features]`.
    weights: Vec<f32>,
    /// `[n_tags]`.
    bias: Vec<f32>,
}

impl Head {
    /// A head of weights `[n_tags, n_features]` and a bias `[n_tags]`; `None` if their numbers do not fit each other, there
    /// is no tag, or a number is not finite.
    pub fn new(n_features: usize, weights: Vec<f32>, bias: Vec<f32>) -> Option<Self> {
        let fits = !bias.is_empty() && weights.len() == bias.len() * n_features;
        let is_finite = weights.iter().chain(&bias).all(|value| value.is_finite());
        (fits && is_finite).then_some(Self { n_features, weights, bias })
    }

    /// How many tags it gives.
    pub fn n_tags(&self) -> usize {
        self.bias.len()
    }

    /// Numbers of a feature vector.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Weights `[n_features]` and bias of a tag.
    ///
    /// # Panics
    /// If there is no such tag.
    pub fn of(&self, tag: usize) -> (&[f32], f32) {
        (&self.weights[tag * self.n_features..][..self.n_features], self.bias[tag])
    }

    /// Logits of the photo and the loudest regions, both `[n_tags]`, from the features of its regions
    /// `[n_regions, n_features]`.
    pub fn pooled(&self, region_features: &[f32], sharpness: f32) -> (Vec<f32>, Vec<u8>) {
        let mut logits = Vec::with_capacity(regions().len() * self.n_tags());
        for features in region_features.chunks_exact(self.n_features) {
            let rows = self.weights.chunks_exact(self.n_features).zip(&self.bias);
            logits.extend(rows.map(|(row, bias)| bias + row.iter().zip(features).map(|(w, f)| w * f).sum::<f32>()));
        }
        pool(&logits, self.n_tags(), sharpness)
    }
}

/// Features of the regions, `[n_regions, n_features]`, from a map `[cells, n_features]` of a square number of cells.
pub fn region_features(map: &[f32], n_features: usize) -> Vec<f32> {
    let cells = map.len() / n_features;
    let side = cells.isqrt();
    let mut pooled = vec![0.0; regions().len() * n_features];
    let weights = pooling_weights(side);
    for (region, of_cells) in pooled.chunks_exact_mut(n_features).zip(weights.chunks_exact(cells)) {
        for (cell, &weight) in map.chunks_exact(n_features).zip(of_cells).filter(|(_, weight)| **weight > 0.0) {
            region.iter_mut().zip(cell).for_each(|(sum, value)| *sum += weight * value);
        }
    }
    pooled
}
