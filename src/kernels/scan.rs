//! Scalar products of one query with many byte vectors.

use super::isa::kernel;

#[inline(always)]
fn scan_body(vectors: &[i8], query: &[f32], out: &mut [f32]) {
    assert!(!query.is_empty() && vectors.len() == out.len() * query.len(), "one result a vector");
    let n = query.len();
    for (vector, out) in vectors.chunks_exact(n).zip(out) {
        let mut sums = [0f32; 32];
        let (whole, rest) = vector.split_at(n / 32 * 32);
        let (query_whole, query_rest) = query.split_at(n / 32 * 32);
        for (x, q) in whole.chunks_exact(32).zip(query_whole.chunks_exact(32)) {
            for j in 0..32 {
                sums[j] += f32::from(x[j]) * q[j];
            }
        }
        let tail: f32 = rest.iter().zip(query_rest).map(|(x, q)| f32::from(*x) * q).sum();
        *out = sums.iter().sum::<f32>() + tail;
    }
}

kernel! {
    /// Fills `out` `[n_vectors]` with the scalar products of `query` `[n]` and each of `vectors` `[n_vectors, n]`.
    ///
    /// # Panics
    /// If the sizes do not fit.
    pub fn scan = plain scan_body(vectors: &[i8], query: &[f32], out: &mut [f32])
}

#[cfg(test)]
mod tests {
    use super::super::isa::Isa;
    use super::*;

    #[test]
    fn extensions_agree_with_the_plain_sum() {
        let mut rng = fastrand::Rng::with_seed(1);
        for n in [1, 31, 32, 100, 128] {
            let vectors: Vec<i8> = (0..n * 9).map(|_| rng.i8(-127..=127)).collect();
            let query: Vec<f32> = (0..n).map(|_| rng.f32() - 0.5).collect();
            for isa in Isa::available() {
                let mut out = vec![0f32; 9];
                scan(isa, &vectors, &query, &mut out);
                for (row, found) in vectors.chunks(n).zip(out) {
                    let plain: f64 = row.iter().zip(&query).map(|(x, q)| f64::from(*x) * f64::from(*q)).sum();
                    assert!((plain - f64::from(found)).abs() < 1e-2, "{isa:?} {n}: {plain} {found}");
                }
            }
        }
    }
}
