//! Depthwise 3x3 convolution with padding 1 at stride 1 or 2, NHWC: forward, gradient of the images and of the weights.
//!
//! Shapes: images `[n, side, side, channels]`, weights `[9, channels]` (taps row by row), outputs
//! `[n, out, out, channels]` with `out` from [`out_side`](super::im2col::out_side). Channels come in
//! multiples of [`CHANNEL_STEP`], so that every row of channels is a whole number of vectors.

use super::im2col::out_side;
use super::isa::{kernel, madd};

/// Channel counts must be multiples of this.
pub const CHANNEL_STEP: usize = 16;

/// Sizes of one depthwise convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Images.
    pub n: usize,
    /// Side of the square input.
    pub side: usize,
    /// Channels, a multiple of [`CHANNEL_STEP`].
    pub channels: usize,
    /// 1 or 2.
    pub stride: usize,
}

impl Shape {
    /// Side of the output.
    pub fn out(&self) -> usize {
        out_side(self.side, self.stride)
    }

    fn check(&self, images: usize, weights: usize, outputs: usize) {
        assert!(self.channels.is_multiple_of(CHANNEL_STEP), "{} channels are not a multiple of 16", self.channels);
        assert!(images >= self.n * self.side * self.side * self.channels, "images are shorter than {self:?}");
        assert!(weights >= 9 * self.channels, "weights are shorter than {self:?}");
        assert!(outputs >= self.n * self.out() * self.out() * self.channels, "outputs are shorter than {self:?}");
    }
}

#[inline(always)]
fn lanes<const L: usize>(values: &[f32], at: usize) -> &[f32; L] {
    values[at..at + L].try_into().expect("the range is L long")
}

#[inline(always)]
fn lanes_mut<const L: usize>(values: &mut [f32], at: usize) -> &mut [f32; L] {
    (&mut values[at..at + L]).try_into().expect("the range is L long")
}

#[inline(always)]
fn forward_body<const FMA: bool, const L: usize>(shape: Shape, images: &[f32], weights: &[f32], outputs: &mut [f32]) {
    let Shape { n, side, channels, stride } = shape;
    shape.check(images.len(), weights.len(), outputs.len());
    let out = shape.out();
    for image in 0..n {
        for y in 0..out {
            for block in (0..channels).step_by(L) {
                // A row outside the image counts with weight zero: no branch in the loop over x.
                let mut taps = [[0.0f32; L]; 9];
                let mut rows = [0usize; 3];
                for ky in 0..3 {
                    let row = (y * stride + ky).wrapping_sub(1);
                    rows[ky] = (image * side + if row < side { row } else { 0 }) * side * channels + block;
                    if row < side {
                        for kx in 0..3 {
                            taps[ky * 3 + kx] = *lanes::<L>(weights, (ky * 3 + kx) * channels + block);
                        }
                    }
                }
                let start = (image * out + y) * out * channels + block;
                // Columns inside have all three taps, so that the compiler unrolls them; those at the edges have not.
                let (inside, has_right_edge) = inside_columns(shape);
                let cells = Cells { images, rows, channels, taps: &taps };
                cells.sum::<FMA>(0, 1, if side == 1 { 2 } else { 3 }, lanes_mut(outputs, start));
                for x in 1..inside {
                    cells.sum::<FMA>(x * stride - 1, 0, 3, lanes_mut(outputs, start + x * channels));
                }
                if has_right_edge {
                    let x = out - 1;
                    cells.sum::<FMA>(x * stride - 1, 0, 2, lanes_mut(outputs, start + x * channels));
                }
            }
        }
    }
}

/// Three input rows under one block of channels of one output row.
struct Cells<'a, const L: usize> {
    images: &'a [f32],
    rows: [usize; 3],
    channels: usize,
    taps: &'a [[f32; L]; 9],
}

impl<const L: usize> Cells<'_, L> {
    /// One output: taps `from..to` of each row, the first of which lies on `column`.
    #[inline(always)]
    fn sum<const FMA: bool>(&self, column: usize, from: usize, to: usize, output: &mut [f32; L]) {
        let mut sums = [[0.0f32; L]; 3];
        for kx in from..to {
            for (ky, (sum, row)) in sums.iter_mut().zip(self.rows).enumerate() {
                let cell = lanes::<L>(self.images, row + (column + kx - from) * self.channels);
                let tap = &self.taps[ky * 3 + kx];
                for lane in 0..L {
                    sum[lane] = madd::<FMA>(cell[lane], tap[lane], sum[lane]);
                }
            }
        }
        for lane in 0..L {
            output[lane] = sums[0][lane] + sums[1][lane] + sums[2][lane];
        }
    }
}

/// End of the output columns that read three input columns (they begin at 1), and whether one more follows them.
#[inline(always)]
fn inside_columns(shape: Shape) -> (usize, bool) {
    let out = shape.out();
    let last_reads = (out - 1) * shape.stride + 1;
    let has_right_edge = out > 1 && last_reads == shape.side;
    (out - usize::from(has_right_edge), has_right_edge)
}

/// Outputs that one input row or column took part in, with the tap that it met there.
#[inline(always)]
fn readers(at: usize, stride: usize, out: usize) -> ([(usize, usize); 3], usize) {
    let mut found = [(0, 0); 3];
    let mut n_found = 0;
    for tap in 0..3 {
        let moved = at + 1;
        if moved >= tap && (moved - tap).is_multiple_of(stride) && (moved - tap) / stride < out {
            found[n_found] = ((moved - tap) / stride, tap);
            n_found += 1;
        }
    }
    (found, n_found)
}

#[inline(always)]
fn image_gradient_body<const FMA: bool, const L: usize>(
    shape: Shape,
    gradients: &[f32],
    weights: &[f32],
    images: &mut [f32],
) {
    let Shape { n, side, channels, stride } = shape;
    shape.check(images.len(), weights.len(), gradients.len());
    let out = shape.out();
    if stride == 1 {
        // At stride 1 the gradient is the convolution of the outputs' gradients with the taps turned around.
        let flipped: Vec<f32> = weights[..9 * channels].chunks_exact(channels).rev().flatten().copied().collect();
        return forward_body::<FMA, L>(shape, gradients, &flipped, images);
    }
    for image in 0..n {
        for y in 0..side {
            let (rows, n_rows) = readers(y, stride, out);
            for block in (0..channels).step_by(L) {
                let mut taps = [[0.0f32; L]; 9];
                for (tap, taps) in taps.iter_mut().enumerate() {
                    *taps = *lanes::<L>(weights, tap * channels + block);
                }
                for x in 0..side {
                    let (columns, n_columns) = readers(x, stride, out);
                    let mut sum = [0.0f32; L];
                    for &(row, ky) in &rows[..n_rows] {
                        for &(column, kx) in &columns[..n_columns] {
                            let cell = lanes::<L>(gradients, ((image * out + row) * out + column) * channels + block);
                            let tap = &taps[ky * 3 + kx];
                            for lane in 0..L {
                                sum[lane] = madd::<FMA>(cell[lane], tap[lane], sum[lane]);
                            }
                        }
                    }
                    *lanes_mut::<L>(images, ((image * side + y) * side + x) * channels + block) = sum;
                }
            }
        }
    }
}

#[inline(always)]
fn weight_gradient_body<const FMA: bool, const L: usize>(
    shape: Shape,
    gradients: &[f32],
    images: &[f32],
    weights: &mut [f32],
) {
    let Shape { n, side, channels, stride } = shape;
    shape.check(images.len(), weights.len(), gradients.len());
    let out = shape.out();
    for block in (0..channels).step_by(L) {
        let mut taps = [[0.0f32; L]; 9];
        for image in 0..n {
            for y in 0..out {
                for ky in 0..3 {
                    let row = (y * stride + ky).wrapping_sub(1);
                    if row >= side {
                        continue;
                    }
                    let start = (image * side + row) * side * channels + block;
                    for x in 0..out {
                        let gradient = lanes::<L>(gradients, ((image * out + y) * out + x) * channels + block);
                        for kx in 0..3 {
                            let column = (x * stride + kx).wrapping_sub(1);
                            if column >= side {
                                continue;
                            }
                            let cell = lanes::<L>(images, start + column * channels);
                            let tap = &mut taps[ky * 3 + kx];
                            for lane in 0..L {
                                tap[lane] = madd::<FMA>(cell[lane], gradient[lane], tap[lane]);
                            }
                        }
                    }
                }
            }
        }
        for (tap, sum) in taps.iter().enumerate() {
            let to = lanes_mut::<L>(weights, tap * channels + block);
            for lane in 0..L {
                to[lane] += sum[lane];
            }
        }
    }
}

kernel! {
    /// `outputs = images * weights`; outputs are replaced.
    ///
    /// # Panics
    /// If a slice is shorter than its shape.
    pub fn forward = forward_body(shape: Shape, images: &[f32], weights: &[f32], outputs: &mut [f32])
}

kernel! {
    /// Gradient of the images (replaced) from that of the outputs: a gather, so nothing is zeroed first.
    ///
    /// # Panics
    /// If a slice is shorter than its shape.
    pub fn image_gradient = image_gradient_body(shape: Shape, gradients: &[f32], weights: &[f32], images: &mut [f32])
}

kernel! {
    /// Adds the gradient of the weights to `weights`.
    ///
    /// # Panics
    /// If a slice is shorter than its shape.
    pub fn weight_gradient = weight_gradient_body(shape: Shape, gradients: &[f32], images: &[f32], weights: &mut [f32])
}

#[cfg(test)]
mod tests {
    use super::super::isa::Isa;
    use super::*;

    fn random(n: usize, rng: &mut fastrand::Rng) -> Vec<f32> {
        (0..n).map(|_| rng.f32() - 0.5).collect()
    }

    fn shapes() -> Vec<Shape> {
        let mut all = Vec::new();
        for side in [1, 2, 3, 5, 8, 13] {
            for stride in [1, 2] {
                for channels in [16, 48] {
                    all.push(Shape { n: 2, side, channels, stride });
                }
            }
        }
        all
    }

    /// The definition, written as differently from the kernel as possible.
    fn naive(shape: Shape, images: &[f32], weights: &[f32]) -> Vec<f32> {
        let Shape { n, side, channels, stride } = shape;
        let out = shape.out();
        let mut outputs = vec![0.0; n * out * out * channels];
        for (i, output) in outputs.iter_mut().enumerate() {
            let (c, x, y, image) =
                (i % channels, i / channels % out, i / channels / out % out, i / channels / out / out);
            for tap in 0..9 {
                let (row, column) = ((y * stride + tap / 3) as isize - 1, (x * stride + tap % 3) as isize - 1);
                let inside = 0..side as isize;
                if inside.contains(&row) && inside.contains(&column) {
                    let at = ((image * side + row as usize) * side + column as usize) * channels + c;
                    *output += images[at] * weights[tap * channels + c];
                }
            }
        }
        outputs
    }

    #[test]
    fn every_instruction_set_equals_the_definition() {
        let mut rng = fastrand::Rng::with_seed(3);
        for shape in shapes() {
            let images = random(shape.n * shape.side * shape.side * shape.channels, &mut rng);
            let weights = random(9 * shape.channels, &mut rng);
            let expected = naive(shape, &images, &weights);
            for isa in Isa::available() {
                let mut outputs = vec![f32::NAN; expected.len()];
                forward(isa, shape, &images, &weights, &mut outputs);
                for (found, expected) in outputs.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-5, "{shape:?} {}", isa.name());
                }
            }
        }
    }

    #[test]
    fn gradients_are_the_adjoints() {
        // The convolution is linear in images and in weights, so <conv(x, w), g> must equal <x, dX(g)> and <w, dW(g)>.
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
        let mut rng = fastrand::Rng::with_seed(4);
        for shape in shapes() {
            let images = random(shape.n * shape.side * shape.side * shape.channels, &mut rng);
            let weights = random(9 * shape.channels, &mut rng);
            let outputs = naive(shape, &images, &weights);
            let gradients = random(outputs.len(), &mut rng);
            let expected = dot(&outputs, &gradients);
            for isa in Isa::available() {
                let mut image_gradients = vec![f32::NAN; images.len()];
                image_gradient(isa, shape, &gradients, &weights, &mut image_gradients);
                assert!((dot(&images, &image_gradients) - expected).abs() < 1e-3, "{shape:?} {}", isa.name());
                let mut weight_gradients = vec![0.0; weights.len()];
                weight_gradient(isa, shape, &gradients, &images, &mut weight_gradients);
                assert!((dot(&weights, &weight_gradients) - expected).abs() < 1e-3, "{shape:?} {}", isa.name());
            }
        }
    }
}
