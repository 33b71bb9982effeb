//! Ways to score songs for photos, put to the same photos and songs, with the same measures.

use serde::Serialize;

use super::bootstrap::{Estimate, estimate, mean};
use super::ranking::{Measures, median};

/// A way to score songs for a photo.
pub trait Scorer: Sync {
    /// Name of the row.
    fn name(&self) -> String;

    /// Scores of all songs for tag probabilities `[n_tags]`, higher is better, `[n_songs]`.
    fn scores(&self, probs: &[f32]) -> Vec<f32>;

    /// Scores of some songs for some photos, `[n_photos, n_songs]`; unless a way has a better one, those of [`Self::scores`].
    fn pair_scores(&self, photos: &[&[f32]], songs: &[u32]) -> Vec<f32> {
        let one = |probs: &&[f32]| {
            let all = self.scores(probs);
            songs.iter().map(|&song| all[song as usize]).collect::<Vec<f32>>()
        };
        photos.iter().flat_map(one).collect()
    }
}

/// A photo with its tag probabilities and graded songs.
#[derive(Debug, Clone)]
pub struct PhotoCase {
    /// Tag probabilities, `[n_tags]`.
    pub probs: Vec<f32>,
    /// Songs with gains in (0, 1].
    pub graded: Vec<(u32, f32)>,
}

/// One direction of one way, with 95 % intervals.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Queries.
    pub n: usize,
    /// Mean nDCG@10.
    pub ndcg10: Estimate,
    /// Share of queries whose best graded item is first.
    pub recall1: Estimate,
    /// ... among the first five.
    pub recall5: Estimate,
    /// ... among the first ten.
    pub recall10: Estimate,
    /// Median rank of the best graded item.
    pub median_rank: Estimate,
    /// Mean of one over that rank.
    pub mrr: Estimate,
}

impl Figures {
    /// Figures of these queries.
    pub fn of(measures: &[Measures]) -> Self {
        let take = |field: fn(&Measures) -> f64| measures.iter().map(field).collect::<Vec<f64>>();
        let means = |field| estimate(&take(field), mean, SEED);
        Self {
            n: measures.len(),
            ndcg10: means(|m| m.ndcg10),
            recall1: means(|m| m.recall1),
            recall5: means(|m| m.recall5),
            recall10: means(|m| m.recall10),
            median_rank: estimate(&take(|m| m.rank), median, SEED),
            mrr: means(|m| m.reciprocal),
        }
    }
}

const SEED: u64 = 20;

/// Measures of scores of items against gains; items that `is_item` refuses do not take part.
pub fn measure_scores(scores: &[f32], graded: &[(u32, f32)], is_item: impl Fn(u32) -> bool) -> Option<Measures> {
    let items: Vec<u32> = (0..scores.len() as u32).filter(|&i| is_item(i)).collect();
    let graded: Vec<(u32, f32)> = graded.iter().copied().filter(|g| is_item(g.0) && g.1 > 0.0).collect();
    let best = graded.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?.0;
    let order =
        |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(scramble(*a).cmp(&scramble(*b)));
    let mut first = items.clone();
    if first.len() > 10 {
        first.select_nth_unstable_by(9, order);
        first.truncate(10);
    }
    first.sort_unstable_by(order);
    let mut measures = super::ranking::measure(&first, &graded, items.len())?;
    let rank = 1.0 + items.iter().filter(|i| order(i, &best).is_lt()).count() as f64;
    let within = |k: f64| f64::from(u8::from(rank <= k));
    measures.rank = rank;
    measures.reciprocal = 1.0 / rank;
    (measures.recall1, measures.recall5, measures.recall10) = (within(1.0), within(5.0), within(10.0));
    Some(measures)
}

/// Decides between equal scores without favor to the order of the file.
fn scramble(item: u32) -> u32 {
    let mixed = (item ^ 0x9e37_79b9).wrapping_mul(0x85eb_ca6b);
    (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_only_items_that_take_part() {
        let scores = [0.1, 0.9, 0.5, 0.7];
        let graded = [(2, 0.8), (1, 1.0)];
        let all = measure_scores(&scores, &graded, |_| true).unwrap();
        assert_eq!((all.rank, all.recall1), (1.0, 1.0));
        let some = measure_scores(&scores, &graded, |i| i != 1).unwrap();
        assert_eq!((some.rank, some.recall1, some.recall5), (2.0, 0.0, 1.0));
        assert_eq!(measure_scores(&scores, &graded, |i| i == 0), None);
    }
}
