//! Product of a map with packed weights, with bias, clamp and residual.
//!
//! Weights come packed, [`PANEL`] columns at a time, so that the innermost loop reads them in order; the map is read where
//! it lies.

use super::super::isa::{Isa, Level};
use super::Grid;
#[cfg(target_arch = "x86_64")]
use super::tiles_x86;

/// Columns of a panel of packed weights.
pub const PANEL: usize = 16;

/// Bytes of input that a block of rows may have, so that it stays in a small L2 cache while the panels pass.
pub(super) const BLOCK_BYTES: usize = 128 << 10;

/// Sizes of one product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Product {
    /// Pixels of the output.
    pub rows: usize,
    /// Runs of input that an output sums over: 3 for a dense 3x3 convolution, else 1.
    pub runs: usize,
    /// Numbers of a run.
    pub run: usize,
    /// From the begin of a run to that of the next.
    pub run_pitch: usize,
    /// Where the first run of each output begins in the input.
    pub from: Grid,
    /// Where each output begins.
    pub to: Grid,
    /// Channels of the output, a multiple of [`PANEL`].
    pub channels: usize,
    /// Outputs are clamped to this range.
    pub bounds: (f32, f32),
}

/// Packs `weights [k, n]` for [`product`]: `[n / PANEL, k, PANEL]`, missing columns zero.
pub fn pack(weights: &[f32], k: usize, n: usize) -> Vec<f32> {
    let mut packed = vec![0.0; n.div_ceil(PANEL) * k * PANEL];
    for (panel, columns) in packed.chunks_exact_mut(k * PANEL).zip((0..n).step_by(PANEL)) {
        let width = PANEL.min(n - columns);
        for (to, from) in panel.chunks_exact_mut(PANEL).zip(weights.chunks_exact(n)) {
            to[..width].copy_from_slice(&from[columns..columns + width]);
        }
    }
    packed
}

/// `output = clamp(input * weights + bias) + added` per pixel: a 1x1 convolution of a plain map or a dense 3x3 one of a
/// bordered map. `weights` are packed by [`pack`], `bias [channels]`; `added` lies as the output does, or is empty.
///
/// # Panics
/// If a slice is shorter than its shape.
pub fn product(
    isa: Isa,
    shape: &Product,
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    added: &[f32],
    output: &mut [f32],
) {
    let fits = weights.len() == shape.runs * shape.run * shape.channels && bias.len() == shape.channels;
    assert!(fits && shape.channels.is_multiple_of(PANEL), "weights or bias do not fit {shape:?}");
    match isa.0 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` of this level exists only after the processor was found to have avx2 and fma.
        Level::Avx2 => unsafe { tiles_x86::avx2(shape, input, weights, bias, added, output) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` of this level exists only after the processor was found to have avx512f.
        Level::Avx512 => unsafe { tiles_x86::avx512(shape, input, weights, bias, added, output) },
        _ => scalar(shape, input, weights, bias, added, output),
    }
}

/// The definition that the others are judged against.
fn scalar(shape: &Product, input: &[f32], weights: &[f32], bias: &[f32], added: &[f32], output: &mut [f32]) {
    let (low, high) = shape.bounds;
    let (mut from, mut to) = (shape.from.cursor(0), shape.to.cursor(0));
    for row in 0..shape.rows {
        let ([from], [to]) = (from.take(shape.rows - row), to.take(shape.rows - row));
        for (panel_idx, panel) in weights.chunks_exact(shape.runs * shape.run * PANEL).enumerate() {
            let columns = panel_idx * PANEL;
            let mut sums: [f32; PANEL] = *bias[columns..].first_chunk().expect("the bias has whole panels");
            for (run_idx, weights) in panel.chunks_exact(shape.run * PANEL).enumerate() {
                let cells = &input[from + run_idx * shape.run_pitch..][..shape.run];
                for (&x, weights) in cells.iter().zip(weights.chunks_exact(PANEL)) {
                    sums.iter_mut().zip(weights).for_each(|(sum, &weight)| *sum += x * weight);
                }
            }
            for (lane, sum) in sums.iter().enumerate() {
                let at = to + columns + lane;
                output[at] = sum.max(low).min(high) + added.get(at).unwrap_or(&0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::im2col::{im2col, out_side};
    use super::super::super::matmul::{Read, Write, matmul};
    use super::super::tests::{assert_near, bordered, random};
    use super::*;

    #[test]
    fn products_of_plain_maps_equal_the_definition() {
        let mut rng = fastrand::Rng::with_seed(31);
        for (rows, k, n) in [(1, 1, 16usize), (4, 48, 32), (9, 16, 48), (17, 33, 37), (64, 832, 16)] {
            let channels = n.next_multiple_of(PANEL);
            let (input, weights) = (random(rows * k, &mut rng), random(k * n, &mut rng));
            let mut bias = random(n, &mut rng);
            bias.resize(channels, 0.0);
            let added = random(rows * channels, &mut rng);
            let mut sums = vec![0.0; rows * n];
            matmul(rows, k, n, &input, Read::Plain, &weights, Read::Plain, &mut sums, Write::Over);
            let mut expected = added.clone();
            for (row, sums) in expected.chunks_exact_mut(channels).zip(sums.chunks_exact(n)) {
                for c in 0..channels {
                    row[c] += (sums.get(c).unwrap_or(&0.0) + bias[c]).clamp(-0.4, 0.7);
                }
            }
            let (from, to) = (Grid::plain(rows, k), Grid::plain(rows, channels));
            let shape = Product { rows, runs: 1, run: k, run_pitch: 0, from, to, channels, bounds: (-0.4, 0.7) };
            for isa in Isa::available() {
                let mut output = vec![f32::NAN; rows * channels];
                product(isa, &shape, &input, &pack(&weights, k, n), &bias, &added, &mut output);
                assert_near(&output, &expected, &format!("{rows}x{k}x{n} {}", isa.name()));
            }
        }
    }

    #[test]
    fn products_of_bordered_maps_are_dense_convolutions() {
        let mut rng = fastrand::Rng::with_seed(32);
        for (side, channels, n, stride) in [(1, 3, 16, 2), (7, 3, 16, 2), (8, 16, 32, 2), (5, 2, 16, 1)] {
            let out = out_side(side, stride);
            let (map, weights) = (random(side * side * channels, &mut rng), random(9 * channels * n, &mut rng));
            let mut patches = vec![0.0; out * out * 9 * channels];
            im2col(&map, side, channels, stride, 1, &mut patches);
            let mut sums = vec![0.0; out * out * n];
            let k = 9 * channels;
            matmul(out * out, k, n, &patches, Read::Plain, &weights, Read::Plain, &mut sums, Write::Over);
            let pitch = (side + 2) * channels;
            let shape = Product {
                rows: out * out,
                runs: 3,
                run: 3 * channels,
                run_pitch: pitch,
                from: Grid { start: 0, width: out, pitch: stride * pitch, step: stride * channels },
                to: Grid::bordered(out, n),
                channels: n,
                bounds: (f32::NEG_INFINITY, f32::INFINITY),
            };
            for isa in Isa::available() {
                let mut output = bordered(&vec![f32::NAN; out * out * n], out, n);
                let input = bordered(&map, side, channels);
                product(isa, &shape, &input, &pack(&weights, k, n), &vec![0.0; n], &[], &mut output);
                assert_near(&output, &bordered(&sums, out, n), &format!("{side} px, {channels} to {n} {}", isa.name()));
            }
        }
    }
}
