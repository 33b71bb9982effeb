//! The operations of [`ops`](super::ops) written with candle's own: their definition, and what runs on devices that our
//! kernels do not know. Gradients are candle's.

use candle_core::{Result, Tensor};

use super::batch_norm::{Activation, EPSILON};
use super::im2col::out_side;

/// The nine shifted copies of `images [n, side, side, channels]` that a 3x3 convolution with padding 1 looks at, tap by
/// tap, each `[n, out, out, channels]`.
fn taps(images: &Tensor, stride: usize) -> Result<Vec<Tensor>> {
    let side = images.dim(1)?;
    let out = out_side(side, stride);
    // Every tap starts at 0, 1 or 2 and must reach `out * stride` further, so that stride 2 becomes a reshape.
    let behind = (2 + out * stride).saturating_sub(side + 1);
    let padded = images.pad_with_zeros(1, 1, behind)?.pad_with_zeros(2, 1, behind)?;
    let mut all = Vec::with_capacity(9);
    for ky in 0..3 {
        let rows = every(&padded, 1, ky, out, stride)?;
        for kx in 0..3 {
            all.push(every(&rows, 2, kx, out, stride)?);
        }
    }
    Ok(all)
}

/// Positions `start, start + stride, ..` along a dimension, `n` of them.
fn every(images: &Tensor, dim: usize, start: usize, n: usize, stride: usize) -> Result<Tensor> {
    let run = images.narrow(dim, start, n * stride)?;
    if stride == 1 {
        return Ok(run);
    }
    let mut shape = run.dims().to_vec();
    shape.splice(dim..=dim, [n, stride]);
    run.contiguous()?.reshape(shape)?.narrow(dim + 1, 0, 1)?.squeeze(dim + 1)
}

/// As [`ops::depthwise`](super::ops::depthwise).
///
/// # Errors
/// The shapes do not fit.
pub fn depthwise(images: &Tensor, weights: &Tensor, stride: usize) -> Result<Tensor> {
    let taps = taps(images, stride)?;
    let mut sum = taps[0].broadcast_mul(&weights.get(0)?)?;
    for (tap, image) in taps.iter().enumerate().skip(1) {
        sum = (sum + image.broadcast_mul(&weights.get(tap)?)?)?;
    }
    Ok(sum)
}

/// As [`ops::patches`](super::ops::patches).
///
/// # Errors
/// The shapes do not fit.
pub fn patches(images: &Tensor, stride: usize) -> Result<Tensor> {
    let joined = Tensor::cat(&taps(images, stride)?, 3)?;
    let (n, out, _, width) = joined.dims4()?;
    joined.reshape((n * out * out, width))
}

/// `act(x)`.
///
/// # Errors
/// None that can be foreseen.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Linear => Ok(x.clone()),
        Activation::Relu6 => x.clamp(0f32, 6f32),
    }
}

/// Output, mean and biased variance, as [`ops::batch_norm`](super::ops::batch_norm).
///
/// # Errors
/// The shapes do not fit.
pub fn batch_norm(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    activation: Activation,
) -> Result<(Tensor, Tensor, Tensor)> {
    let mean = x.mean(0)?;
    let centered = x.broadcast_sub(&mean)?;
    let variance = centered.sqr()?.mean(0)?;
    let scale = gamma.div(&(&variance + f64::from(EPSILON))?.sqrt()?)?;
    let y = centered.broadcast_mul(&scale)?.broadcast_add(beta)?;
    Ok((activate(&y, activation)?, mean.detach(), variance.detach()))
}
