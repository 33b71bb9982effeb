//! Tags of regions become tags of the photo.

/// Log-mean-exp over regions, `log(mean_r exp(s * z_r)) / s`, of `region_logits [n_regions, n_tags]`, and the index of
/// the region with the highest logit; both `[n_tags]`. `sharpness` is above 0: towards infinity it takes the highest
/// logit, towards 0 the mean.
pub fn pool(region_logits: &[f32], n_tags: usize, sharpness: f32) -> (Vec<f32>, Vec<u8>) {
    let mut highest = vec![f32::NEG_INFINITY; n_tags];
    let mut loudest = vec![0u8; n_tags];
    for (region, row) in (0u8..).zip(region_logits.chunks_exact(n_tags)) {
        for (tag, &logit) in row.iter().enumerate() {
            if logit > highest[tag] {
                highest[tag] = logit;
                loudest[tag] = region;
            }
        }
    }
    let mut sums = vec![0.0f32; n_tags];
    for row in region_logits.chunks_exact(n_tags) {
        for (tag, &logit) in row.iter().enumerate() {
            sums[tag] += (sharpness * (logit - highest[tag])).exp();
        }
    }
    let n_regions = (region_logits.len() / n_tags) as f32;
    let logits = sums.iter().zip(&highest).map(|(sum, highest)| highest + (sum / n_regions).ln() / sharpness).collect();
    (logits, loudest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pooled_logits_lie_between_mean_and_maximum(
            logits in prop::collection::vec(-30.0f32..30.0, 14 * 3),
            sharpness in 0.1f32..20.0,
        ) {
            let (pooled, loudest) = pool(&logits, 3, sharpness);
            for tag in 0..3 {
                let column: Vec<f32> = logits.iter().skip(tag).step_by(3).copied().collect();
                let highest = column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let mean = column.iter().sum::<f32>() / 14.0;
                prop_assert_eq!(column[usize::from(loudest[tag])], highest);
                prop_assert!(pooled[tag] <= highest + 1e-4 && pooled[tag] >= mean - 1e-3);
            }
        }
    }
}
