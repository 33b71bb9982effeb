//! Products of rows of numbers.

use crate::kernels::matmul::{Read, Write, matmul};

/// Fills `out` `[m, n]` with `a` `[m, k]` times `b` `[k, n]`, on one thread.
///
/// # Panics
/// If a slice is shorter than its sizes say.
pub fn product(a: &[f32], b: &[f32], m: usize, k: usize, n: usize, out: &mut [f32]) {
    matmul(m, k, n, a, Read::Plain, b, Read::Plain, out, Write::Over);
}

/// Scalar product.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Scales to unit length; zeros stay.
pub fn normalize(vector: &mut [f32]) {
    let length = dot(vector, vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}
