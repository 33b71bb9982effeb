//! Depthwise 3x3 convolution of one bordered map, with bias and clamp.

use super::super::depthwise::{CHANNEL_STEP, Shape};
use super::super::isa::{kernel, madd};

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
    use super::super::super::depthwise::forward;
    use super::super::super::isa::Isa;
    use super::super::tests::{assert_near, bordered, random};
    use super::*;

    #[test]
    fn depthwise_equals_that_of_training() {
        let mut rng = fastrand::Rng::with_seed(33);
        for (side, channels, stride) in [(1, 16, 1), (4, 48, 1), (4, 32, 2), (7, 16, 2), (9, 32, 1)] {
            let shape = Shape { n: 1, side, channels, stride };
            let map = random(side * side * channels, &mut rng);
            let (weights, bias) = (random(9 * channels, &mut rng), random(channels, &mut rng));
            let mut expected = vec![0.0; shape.out() * shape.out() * channels];
            forward(Isa::SCALAR, shape, &map, &weights, &mut expected);
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
