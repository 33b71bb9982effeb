//! The product with intrinsics: tiles of as many pixels and columns as there are registers for their sums.
//!
//! Arrays of floats, as the other kernels use, were tried: whether they become registers here depends on accidents.

use std::arch::x86_64::*;

use super::product::{BLOCK_BYTES, PANEL, Product};

/// Defines the product for one instruction set: `R` pixels by [`PANEL`] columns in vectors of `L` lanes.
macro_rules! tiles {
    (
        $name:ident, $features:literal, R = $R:literal, L = $L:literal,
        $load:ident, $store:ident, $set1:ident, $fmadd:ident, $max:ident, $min:ident, $add:ident
    ) => {
        #[target_feature(enable = $features)]
        pub(super) fn $name(
            shape: &Product,
            input: &[f32],
            weights: &[f32],
            bias: &[f32],
            added: &[f32],
            output: &mut [f32],
        ) {
            let &Product { runs, run, run_pitch, rows, .. } = shape;
            let (low, high) = ($set1(shape.bounds.0), $set1(shape.bounds.1));
            let block_rows = (BLOCK_BYTES / 4 / (runs * run).max(1)).next_multiple_of($R);
            for first in (0..rows).step_by(block_rows) {
                let end = rows.min(first + block_rows);
                for (panel_idx, panel) in weights.chunks_exact(runs * run * PANEL).enumerate() {
                    let columns = panel_idx * PANEL;
                    let bias = &bias[columns..columns + PANEL];
                    let (mut from, mut to) = (shape.from.cursor(first), shape.to.cursor(first));
                    for row in (first..end).step_by($R) {
                        let begins: [usize; $R] = from.take(end - row);
                        // SAFETY: `bias` has `PANEL` numbers, and vectors end at or before it.
                        let bias: [_; PANEL / $L] =
                            std::array::from_fn(|v| unsafe { $load(bias.as_ptr().add(v * $L)) });
                        let mut sums = [bias; $R];
                        for (run_idx, weights) in panel.chunks_exact(run * PANEL).enumerate() {
                            let cells = begins.map(|begin| input[begin + run_idx * run_pitch..][..run].as_ptr());
                            for k in 0..run {
                                let weights = weights[k * PANEL..].as_ptr();
                                // SAFETY: `weights` are `run` rows of `PANEL` numbers, and `k` is less than `run`.
                                let columns: [_; PANEL / $L] =
                                    std::array::from_fn(|v| unsafe { $load(weights.add(v * $L)) });
                                for r in 0..$R {
                                    // SAFETY: each of `cells` begins a slice that was cut to `run` numbers.
                                    let x = $set1(unsafe { *cells[r].add(k) });
                                    for v in 0..PANEL / $L {
                                        sums[r][v] = $fmadd(x, columns[v], sums[r][v]);
                                    }
                                }
                            }
                        }
                        for (sums, begin) in sums.iter().zip(to.take::<$R>(end - row)) {
                            let output = &mut output[begin + columns..][..PANEL];
                            for v in 0..PANEL / $L {
                                let mut sum = $min($max(sums[v], low), high);
                                if !added.is_empty() {
                                    let added = &added[begin + columns..][..PANEL];
                                    // SAFETY: `added` has `PANEL` numbers, and vectors end at or before it.
                                    sum = $add(sum, unsafe { $load(added.as_ptr().add(v * $L)) });
                                }
                                // SAFETY: `output` has `PANEL` numbers, and vectors end at or before it.
                                unsafe { $store(output.as_mut_ptr().add(v * $L), sum) };
                            }
                        }
                    }
                }
            }
        }
    };
}

tiles!(
    avx2,
    "avx2,fma",
    R = 6,
    L = 8,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_max_ps,
    _mm256_min_ps,
    _mm256_add_ps
);

tiles!(
    avx512,
    "avx512f",
    R = 8,
    L = 16,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_max_ps,
    _mm512_min_ps,
    _mm512_add_ps
);
