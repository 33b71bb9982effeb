//! Matrix products of row-major slices, on the `gemm` crate (run-time dispatch up to AVX-512).

/// How a row-major operand is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// As it is stored.
    Plain,
    /// Transposed.
    Transposed,
}

/// What happens to the values that the output holds already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// They are replaced.
    Over,
    /// The product is added to them.
    Add,
}

/// `out[m, n] = a[m, k] b[k, n]` on one thread; `a` is stored `[k, m]` and `b` `[n, k]` where they are read transposed.
///
/// # Panics
/// If a slice is shorter than its shape.
#[allow(clippy::too_many_arguments, reason = "slices and their sizes")]
pub fn matmul(
    m: usize,
    k: usize,
    n: usize,
    a: &[f32],
    read_a: Read,
    b: &[f32],
    read_b: Read,
    out: &mut [f32],
    write: Write,
) {
    assert!(a.len() >= m * k && b.len() >= k * n && out.len() >= m * n, "operands are shorter than {m}x{k}x{n}");
    let (a_rows, a_columns) = if read_a == Read::Plain { (k, 1) } else { (1, m) };
    let (b_rows, b_columns) = if read_b == Read::Plain { (n, 1) } else { (1, k) };
    // SAFETY: the assertion above bounds every index that the strides can reach, and `out` is exclusively borrowed.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            write == Write::Add,
            a.as_ptr(),
            a_columns as isize,
            a_rows as isize,
            b.as_ptr(),
            b_columns as isize,
            b_rows as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_equal_the_definition() {
        let mut rng = fastrand::Rng::with_seed(1);
        for (m, k, n) in [(1, 1, 1), (3, 5, 7), (17, 33, 19), (64, 16, 48), (5, 200, 1)] {
            let a: Vec<f32> = (0..m * k).map(|_| rng.f32() - 0.5).collect();
            let b: Vec<f32> = (0..k * n).map(|_| rng.f32() - 0.5).collect();
            for (read_a, read_b, write) in [
                (Read::Plain, Read::Plain, Write::Over),
                (Read::Transposed, Read::Plain, Write::Add),
                (Read::Plain, Read::Transposed, Write::Over),
            ] {
                let mut out = vec![1.0; m * n];
                matmul(m, k, n, &a, read_a, &b, read_b, &mut out, write);
                for i in 0..m {
                    for j in 0..n {
                        let at = |x: usize| if read_a == Read::Plain { a[i * k + x] } else { a[x * m + i] };
                        let bt = |x: usize| if read_b == Read::Plain { b[x * n + j] } else { b[j * k + x] };
                        let start = if write == Write::Add { 1.0 } else { 0.0 };
                        let expected = (0..k).fold(start, |sum, x| sum + at(x) * bt(x));
                        assert!((out[i * n + j] - expected).abs() < 1e-4, "{m}x{k}x{n} at {i},{j}");
                    }
                }
            }
        }
    }
}
