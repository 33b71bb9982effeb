//! Serving kernels over one photo: products and depthwise convolutions with bias, clamp and residual in the same pass.
//!
//! Weights come packed: [`PANEL`] columns at a time, so that the innermost loop reads them in order. A map that a 3x3
//! convolution reads next is written with a border of one zero pixel around it ([`Grid::bordered`]), so that no loop
//! asks where the photo ends and a dense 3x3 convolution is a product over three runs of input, without patches.

use super::depthwise::{CHANNEL_STEP, Shape};
use super::isa::{kernel, madd};

/// Columns of a panel of packed weights.
pub const PANEL: usize = 16;

/// Bytes of input that a block of rows may have, so that it stays in a small L2 cache while the panels pass.
const BLOCK_BYTES: usize = 128 << 10;

/// Where the pixels of a map lie: pixel `m` begins at `start + m / width * pitch + m % width * step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Begin of the first pixel.
    pub start: usize,
    /// Pixels of a row.
    pub width: usize,
    /// From the begin of a row to that of the next.
    pub pitch: usize,
    /// From the begin of a pixel to that of the next.
    pub step: usize,
}

impl Grid {
    /// `n` pixels end to end.
    pub fn plain(n: usize, channels: usize) -> Self {
        Self { start: 0, width: n, pitch: n * channels, step: channels }
    }

    /// The inner pixels of a map `[side + 2, side + 2, channels]`.
    pub fn bordered(side: usize, channels: usize) -> Self {
        let pitch = (side + 2) * channels;
        Self { start: pitch + channels, width: side, pitch, step: channels }
    }

    fn cursor(self, m: usize) -> Cursor {
        let (row, column) = (m / self.width, m % self.width);
        Cursor { grid: self, row: self.start + row * self.pitch, column }
    }
}

/// Walks over a grid without dividing.
#[derive(Clone, Copy)]
struct Cursor {
    grid: Grid,
    row: usize,
    column: usize,
}

impl Cursor {
    /// Begins of the next `R` pixels; where fewer than `R` are left, the last one again.
    #[inline(always)]
    fn take<const R: usize>(&mut self, left: usize) -> [usize; R] {
        let mut begins = [0; R];
        for (r, begin) in begins.iter_mut().enumerate() {
            *begin = self.row + self.column * self.grid.step;
            if r + 1 < left {
                self.column += 1;
                if self.column == self.grid.width {
                    self.column = 0;
                    self.row += self.grid.pitch;
                }
            }
        }
        begins
    }
}

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

/// Zeroes the border of a map `[side + 2, side + 2, channels]`.
///
/// # Panics
/// If the map is shorter than its shape.
pub fn clear_border(map: &mut [f32], side: usize, channels: usize) {
    let pitch = (side + 2) * channels;
    let rows = &mut map[..(side + 2) * pitch];
    rows[..pitch].fill(0.0);
    rows[(side + 1) * pitch..].fill(0.0);
    for row in rows.chunks_exact_mut(pitch) {
        row[..channels].fill(0.0);
        row[pitch - channels..].fill(0.0);
    }
}

/// The sums of `R` pixels for one panel, beginning with the bias: `V` vectors of `L` lanes each.
#[inline(always)]
fn tile<const FMA: bool, const L: usize, const V: usize, const R: usize>(
    shape: &Product,
    input: &[f32],
    begins: [usize; R],
    panel: &[f32],
    bias: &[f32; PANEL],
) -> [[[f32; L]; V]; R] {
    let mut sums = [[[0.0; L]; V]; R];
    for sums in &mut sums {
        for (v, sum) in sums.iter_mut().enumerate() {
            sum.copy_from_slice(&bias[v * L..(v + 1) * L]);
        }
    }
    let Product { runs, run, run_pitch, .. } = *shape;
    for run_idx in 0..runs {
        let weights = &panel[run_idx * run * PANEL..][..run * PANEL];
        let cells: [&[f32]; R] = begins.map(|begin| &input[begin + run_idx * run_pitch..][..run]);
        for k in 0..run {
            let weights: &[f32; PANEL] = weights[k * PANEL..].first_chunk().expect("a panel has whole rows");
            for r in 0..R {
                let x = cells[r][k];
                for v in 0..V {
                    for lane in 0..L {
                        sums[r][v][lane] = madd::<FMA>(x, weights[v * L + lane], sums[r][v][lane]);
                    }
                }
            }
        }
    }
    sums
}

#[inline(always)]
fn store<const L: usize, const V: usize>(
    sums: &[[f32; L]; V],
    begin: usize,
    bounds: (f32, f32),
    added: &[f32],
    output: &mut [f32],
) {
    let output = &mut output[begin..begin + PANEL];
    for (v, sums) in sums.iter().enumerate() {
        let output = &mut output[v * L..(v + 1) * L];
        for lane in 0..L {
            let value = if sums[lane] > bounds.0 { sums[lane] } else { bounds.0 };
            output[lane] = if value < bounds.1 { value } else { bounds.1 };
        }
        if !added.is_empty() {
            let added = &added[begin + v * L..begin + (v + 1) * L];
            for lane in 0..L {
                output[lane] += added[lane];
            }
        }
    }
}

#[inline(always)]
fn tiles<const FMA: bool, const L: usize, const V: usize, const R: usize>(
    shape: &Product,
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    added: &[f32],
    output: &mut [f32],
) {
    let taps = shape.runs * shape.run;
    let block_rows = (BLOCK_BYTES / 4 / taps).next_multiple_of(R).max(R);
    for first in (0..shape.rows).step_by(block_rows) {
        let end = shape.rows.min(first + block_rows);
        for (panel_idx, panel) in weights.chunks_exact(taps * PANEL).enumerate() {
            let bias = bias[panel_idx * PANEL..].first_chunk().expect("the bias has whole panels");
            let (mut from, mut to) = (shape.from.cursor(first), shape.to.cursor(first));
            for row in (first..end).step_by(R) {
                let sums = tile::<FMA, L, V, R>(shape, input, from.take(end - row), panel, bias);
                for (sums, begin) in sums.iter().zip(to.take::<R>(end - row)) {
                    store(sums, begin + panel_idx * PANEL, shape.bounds, added, output);
                }
            }
        }
    }
}

#[inline(always)]
fn product_body<const FMA: bool, const L: usize>(
    shape: &Product,
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    added: &[f32],
    output: &mut [f32],
) {
    let fits = weights.len() == shape.runs * shape.run * shape.channels && bias.len() == shape.channels;
    assert!(fits && shape.channels.is_multiple_of(PANEL), "weights or bias do not fit {shape:?}");
    // As many rows as there are registers for their sums.
    if L == PANEL {
        tiles::<FMA, L, 1, 8>(shape, input, weights, bias, added, output);
    } else if FMA {
        tiles::<FMA, L, 2, 6>(shape, input, weights, bias, added, output);
    } else {
        tiles::<FMA, L, 2, 2>(shape, input, weights, bias, added, output);
    }
}

#[inline(always)]
fn depthwise_body<const FMA: bool, const L: usize>(
    shape: Shape,
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    bounds: (f32, f32),
    output: &mut [f32],
) {
    let Shape { n, side, channels, stride } = shape;
    let out = shape.out();
    let pitch = (side + 2) * channels;
    assert!(n == 1 && channels.is_multiple_of(CHANNEL_STEP), "{shape:?} is not one photo with whole vectors");
    let fits = input.len() >= (side + 2) * pitch && weights.len() == 9 * channels && bias.len() == channels;
    assert!(fits && output.len() >= out * out * channels, "slices do not fit {shape:?}");
    for y in 0..out {
        for block in (0..channels).step_by(L) {
            let mut taps = [[0.0f32; L]; 9];
            for (tap, to) in taps.iter_mut().enumerate() {
                to.copy_from_slice(&weights[tap * channels + block..][..L]);
            }
            let mut start = [0.0f32; L];
            start.copy_from_slice(&bias[block..block + L]);
            for x in 0..out {
                let corner = y * stride * pitch + x * stride * channels + block;
                // Three sums, because one would wait for each of its additions.
                let mut sums = [start, [0.0f32; L], [0.0f32; L]];
                for (ky, sum) in sums.iter_mut().enumerate() {
                    for kx in 0..3 {
                        let cell = &input[corner + ky * pitch + kx * channels..][..L];
                        for lane in 0..L {
                            sum[lane] = madd::<FMA>(cell[lane], taps[ky * 3 + kx][lane], sum[lane]);
                        }
                    }
                }
                let output = &mut output[(y * out + x) * channels + block..][..L];
                for lane in 0..L {
                    let value = sums[0][lane] + sums[1][lane] + sums[2][lane];
                    let value = if value > bounds.0 { value } else { bounds.0 };
                    output[lane] = if value < bounds.1 { value } else { bounds.1 };
                }
            }
        }
    }
}

kernel! {
    /// `output = clamp(input * weights + bias) + added` per pixel: a 1x1 convolution of a plain or a dense 3x3 one of a
    /// bordered map. `weights` are packed by [`pack`], `bias [channels]`; `added` lies as the output does, or is empty.
    ///
    /// # Panics
    /// If a slice is shorter than its shape.
    pub fn product = product_body(
        shape: &Product, input: &[f32], weights: &[f32], bias: &[f32], added: &[f32], output: &mut [f32],
    )
}

kernel! {
    /// `output = clamp(input * weights + bias)`, depthwise 3x3 of one bordered map `[side + 2, side + 2, channels]`, with
    /// `weights [9, channels]`, `bias [channels]` and a plain output `[out, out, channels]`.
    ///
    /// # Panics
    /// If a slice is shorter than its shape, or the shape has more than one image.
    pub fn depthwise = depthwise_body(
        shape: Shape, input: &[f32], weights: &[f32], bias: &[f32], bounds: (f32, f32), output: &mut [f32],
    )
}

#[cfg(test)]
mod tests {
    use super::super::im2col::{im2col, out_side};
    use super::super::isa::Isa;
    use super::super::matmul::{Read, Write, matmul};
    use super::*;

    fn random(n: usize, rng: &mut fastrand::Rng) -> Vec<f32> {
        (0..n).map(|_| rng.f32() - 0.5).collect()
    }

    fn bordered(map: &[f32], side: usize, channels: usize) -> Vec<f32> {
        let mut wide = vec![f32::NAN; (side + 2) * (side + 2) * channels];
        clear_border(&mut wide, side, channels);
        let grid = Grid::bordered(side, channels);
        for (m, pixel) in map.chunks_exact(channels).enumerate() {
            wide[grid.start + m / side * grid.pitch + m % side * grid.step..][..channels].copy_from_slice(pixel);
        }
        wide
    }

    fn assert_near(found: &[f32], expected: &[f32], what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-4, "{what} at {i}: {found} and {expected}");
        }
    }

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

    #[test]
    fn depthwise_equals_that_of_training() {
        let mut rng = fastrand::Rng::with_seed(33);
        for (side, channels, stride) in [(1, 16, 1), (4, 48, 1), (4, 32, 2), (7, 16, 2), (9, 32, 1)] {
            let shape = Shape { n: 1, side, channels, stride };
            let map = random(side * side * channels, &mut rng);
            let (weights, bias) = (random(9 * channels, &mut rng), random(channels, &mut rng));
            let mut expected = vec![0.0; shape.out() * shape.out() * channels];
            super::super::depthwise::forward(Isa::SCALAR, shape, &map, &weights, &mut expected);
            for (i, value) in expected.iter_mut().enumerate() {
                *value = (*value + bias[i % channels]).clamp(0.0, 0.5);
            }
            for isa in Isa::available() {
                let mut output = vec![f32::NAN; expected.len()];
                depthwise(isa, shape, &bordered(&map, side, channels), &weights, &bias, (0.0, 0.5), &mut output);
                assert_near(&output, &expected, &format!("{shape:?} {}", isa.name()));
            }
        }
    }
}
