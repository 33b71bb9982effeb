//! The fixed set of regions that are tagged on their own: the whole photo and overlapping windows at two scales.

use std::sync::LazyLock;

/// A part of the upright photo, as fractions of its width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Left edge.
    pub x0: f32,
    /// Upper edge.
    pub y0: f32,
    /// Right edge.
    pub x1: f32,
    /// Lower edge.
    pub y1: f32,
}

/// Windows per axis and their side as a fraction of the photo, for each scale: 2 x 2 of two thirds, 3 x 3 of a half.
const SCALES: [(usize, f32); 2] = [(2, 2.0 / 3.0), (3, 0.5)];

static REGIONS: LazyLock<Vec<Region>> = LazyLock::new(|| {
    let mut all = vec![Region { x0: 0.0, y0: 0.0, x1: 1.0, y1: 1.0 }];
    for (n_windows, side) in SCALES {
        let step = (1.0 - side) / (n_windows - 1) as f32;
        for row in 0..n_windows {
            for column in 0..n_windows {
                let (x0, y0) = (column as f32 * step, row as f32 * step);
                all.push(Region { x0, y0, x1: x0 + side, y1: y0 + side });
            }
        }
    }
    all
});

/// All regions; the first is the whole photo.
pub fn regions() -> &'static [Region] {
    &REGIONS
}

/// Weights that pool a feature map of `side` x `side` cells into regions, `[n_regions, side * side]`, each row summing
/// to 1: a cell counts by the share of the region that it covers, so that any map size gives the same regions.
pub fn pooling_weights(side: usize) -> Vec<f32> {
    let overlap = |cell: usize, lo: f32, hi: f32| {
        let (left, right) = (cell as f32 / side as f32, (cell + 1) as f32 / side as f32);
        (right.min(hi) - left.max(lo)).max(0.0)
    };
    let mut weights = Vec::with_capacity(REGIONS.len() * side * side);
    for region in REGIONS.iter() {
        let area = (region.x1 - region.x0) * (region.y1 - region.y0);
        for row in 0..side {
            for column in 0..side {
                let covered = overlap(row, region.y0, region.y1) * overlap(column, region.x0, region.x1);
                weights.push(covered / area);
            }
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_lie_in_the_photo() {
        assert_eq!(regions().len(), 14);
        for region in regions() {
            assert!(region.x0 >= 0.0 && region.x0 < region.x1 && region.x1 <= 1.0 + 1e-6, "{region:?}");
            assert!(region.y0 >= 0.0 && region.y0 < region.y1 && region.y1 <= 1.0 + 1e-6, "{region:?}");
        }
    }

    #[test]
    fn pooling_weights_are_averages() {
        for side in 1..9 {
            for row in pooling_weights(side).chunks(side * side) {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{row:?}");
            }
        }
    }
}
