//! Measures of a ranked list against graded truth.

/// What one query's list is worth; all numbers but the rank lie in [0, 1], and more is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Discounted gain of the first ten over that of the best possible ten.
    pub ndcg10: f64,
    /// Whether the best graded item is first.
    pub recall1: f64,
    /// Whether it is among the first five.
    pub recall5: f64,
    /// Whether it is among the first ten.
    pub recall10: f64,
    /// One over the rank of the best graded item.
    pub reciprocal: f64,
    /// Its rank, from 1.
    pub rank: f64,
}

/// Measures of a list of items (best first) against items with gains; items without a gain count 0.
///
/// The gain of an item is linear, its discount `1 / log2(rank + 1)`. Where the list ends before the best graded item, its
/// rank is taken as the middle of the places left, `n_items` being the number of all items.
///
/// Returns `None` if no item has a gain above 0.
pub fn measure(ranked: &[u32], graded: &[(u32, f32)], n_items: usize) -> Option<Measures> {
    let best = graded.iter().filter(|g| g.1 > 0.0).max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?.0;
    let discount = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let gain = |item: u32| graded.iter().find(|g| g.0 == item).map_or(0.0, |g| f64::from(g.1));
    let found: f64 = ranked.iter().take(10).enumerate().map(|(place, &item)| gain(item) * discount(place)).sum();
    let mut gains: Vec<f64> = graded.iter().map(|g| f64::from(g.1)).collect();
    gains.sort_by(|a, b| b.total_cmp(a));
    let ideal: f64 = gains.iter().take(10).enumerate().map(|(place, gain)| gain * discount(place)).sum();
    let left = (ranked.len() + n_items.max(ranked.len())) as f64 / 2.0;
    let rank = ranked.iter().position(|&item| item == best).map_or(left, |place| place as f64 + 1.0);
    let within = |k: f64| f64::from(u8::from(rank <= k));
    Some(Measures {
        ndcg10: found / ideal,
        recall1: within(1.0),
        recall5: within(5.0),
        recall10: within(10.0),
        reciprocal: 1.0 / rank,
        rank,
    })
}

/// The middle value; the mean of the two middle ones for an even number, NaN for none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// How unevenly amounts are spread: 0 for all equal, towards 1 when one has all (the Gini coefficient).
pub fn gini(amounts: &[f64]) -> f64 {
    let mut sorted = amounts.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (n, total) = (sorted.len() as f64, sorted.iter().sum::<f64>());
    if total <= 0.0 {
        return 0.0;
    }
    let weighted: f64 = sorted.iter().enumerate().map(|(i, x)| (2.0 * (i as f64 + 1.0) - n - 1.0) * x).sum();
    weighted / (n * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ideal_list_is_worth_one() {
        let graded = [(4, 0.9), (2, 0.5), (9, 0.1)];
        let ideal = measure(&[4, 2, 9], &graded, 100).unwrap();
        assert_eq!((ideal.ndcg10, ideal.recall1, ideal.rank), (1.0, 1.0, 1.0));
        let other = measure(&[2, 7, 4], &graded, 100).unwrap();
        let expected = (0.5 + 0.9 / 2.0) / (0.9 + 0.5 / 3f64.log2() + 0.1 / 2.0);
        assert!((other.ndcg10 - expected).abs() < 1e-6, "{other:?}");
        assert_eq!((other.recall1, other.recall5, other.rank), (0.0, 1.0, 3.0));
        assert_eq!(measure(&[1, 3], &graded, 100).unwrap().rank, 51.0);
        assert_eq!(measure(&[1], &[], 100), None);
    }

    #[test]
    fn middle_and_spread() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0]), 2.5);
        assert_eq!(gini(&[1.0; 5]), 0.0);
        assert!((gini(&[0.0, 0.0, 0.0, 1.0]) - 0.75).abs() < 1e-12);
    }
}
