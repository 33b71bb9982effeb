//! Patches of a 3x3 convolution with padding 1, laid out as rows so that the convolution becomes a matrix product.

/// Side of the output of a 3x3 convolution with padding 1.
pub fn out_side(side: usize, stride: usize) -> usize {
    (side - 1) / stride + 1
}

/// Patches `[n * out * out, 9 * channels]` of square images `[n, side, side, channels]`.
///
/// # Panics
/// If a slice is shorter than its shape.
pub fn im2col(images: &[f32], side: usize, channels: usize, stride: usize, n: usize, patches: &mut [f32]) {
    let out = out_side(side, stride);
    let width = 9 * channels;
    for (row_idx, row) in patches[..n * out * out * width].chunks_exact_mut(width).enumerate() {
        let (image, at) = (row_idx / (out * out), row_idx % (out * out));
        let (top, left) = (at / out * stride, at % out * stride);
        for ky in 0..3 {
            let cells = &mut row[ky * 3 * channels..(ky + 1) * 3 * channels];
            let y = top + ky;
            if y == 0 || y > side {
                cells.fill(0.0);
                continue;
            }
            let start = (image * side + y - 1) * side * channels;
            for kx in 0..3 {
                let cell = &mut cells[kx * channels..(kx + 1) * channels];
                let x = left + kx;
                if x == 0 || x > side {
                    cell.fill(0.0);
                } else {
                    cell.copy_from_slice(&images[start + (x - 1) * channels..start + x * channels]);
                }
            }
        }
    }
}

/// The gradient of [`im2col`]: adds up the gradients of patches `[n * out * out, 9 * channels]` where they came from.
///
/// # Panics
/// If a slice is shorter than its shape.
pub fn col2im(patches: &[f32], side: usize, channels: usize, stride: usize, n: usize, images: &mut [f32]) {
    let out = out_side(side, stride);
    let width = 9 * channels;
    images[..n * side * side * channels].fill(0.0);
    for (row_idx, row) in patches[..n * out * out * width].chunks_exact(width).enumerate() {
        let (image, at) = (row_idx / (out * out), row_idx % (out * out));
        let (top, left) = (at / out * stride, at % out * stride);
        for ky in 0..3 {
            let y = top + ky;
            if y == 0 || y > side {
                continue;
            }
            let start = (image * side + y - 1) * side * channels;
            for kx in 0..3 {
                let x = left + kx;
                if x == 0 || x > side {
                    continue;
                }
                let cell = &row[(ky * 3 + kx) * channels..(ky * 3 + kx + 1) * channels];
                let to = &mut images[start + (x - 1) * channels..start + x * channels];
                for (to, &gradient) in to.iter_mut().zip(cell) {
                    *to += gradient;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn col2im_is_the_adjoint_of_im2col() {
        let mut rng = fastrand::Rng::with_seed(2);
        for (side, channels, stride, n) in [(4, 3, 2, 2), (5, 2, 1, 1), (7, 4, 2, 1), (1, 1, 1, 1)] {
            let out = out_side(side, stride);
            let images: Vec<f32> = (0..n * side * side * channels).map(|_| rng.f32() - 0.5).collect();
            let gradients: Vec<f32> = (0..n * out * out * 9 * channels).map(|_| rng.f32() - 0.5).collect();
            let mut patches = vec![0.0; gradients.len()];
            im2col(&images, side, channels, stride, n, &mut patches);
            let mut back = vec![0.0; images.len()];
            col2im(&gradients, side, channels, stride, n, &mut back);
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            assert!((dot(&patches, &gradients) - dot(&images, &back)).abs() < 1e-3, "side {side} stride {stride}");
        }
    }
}
