//! The recurrence of a GRU over a batch of padded sequences, forward and by hand backward through time.
//!
//! With `x_t` the gate inputs (reset, update, new; biases included), `u_t = h_{t-1} W` and `W` of `[H, 3H]`:
//! `r = s(x_r + u_r)`, `z = s(x_z + u_z)`, `n = tanh(x_n + r u_n)`, `h_t = (1 - z) n + z h_{t-1}`, `h_0 = 0`.
//! Buffers are row-major: one row a sequence, `[n_rows, n_steps, ..]`. A padded step keeps the state, so that the
//! backward direction starts, whatever the padding, with the last word.

use rayon::prelude::*;

use super::isa::{Isa, kernel};
use super::matmul::{Read, Write, matmul};

/// Sizes of a batch of sequences and their states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Sequences in the batch.
    pub n_rows: usize,
    /// Steps of the longest sequence.
    pub n_steps: usize,
    /// Numbers in a state.
    pub n_hidden: usize,
}

/// The order in which the words are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// First word first.
    Forward,
    /// Last word first.
    Backward,
}

impl Order {
    fn step(self, i: usize, n_steps: usize) -> usize {
        match self {
            Self::Forward => i,
            Self::Backward => n_steps - 1 - i,
        }
    }
}

/// Sequences worked on by one thread; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 32;

/// Hyperbolic tangent by a rational approximation (the one of Eigen); error at most 1e-6 absolute (a test says so).
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let x = x.clamp(-7.905_311, 7.905_311);
    let s = x * x;
    let p = -2.760_768_4e-16 * s + 2.000_188e-13;
    let p = p * s - 8.604_672e-11;
    let p = p * s + 5.122_297e-8;
    let p = p * s + 1.485_722_4e-5;
    let p = p * s + 6.372_619e-4;
    let p = p * s + 4.893_525e-3;
    let q = 1.198_258_4e-6 * s + 1.185_347_1e-4;
    let q = q * s + 2.268_434_6e-3;
    let q = q * s + 4.893_525e-3;
    x * p / q
}

/// Logistic function, `0.5 tanh(x / 2) + 0.5`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    0.5 * tanh(0.5 * x) + 0.5
}

#[inline(always)]
fn gates_body(x: &[f32], u: &[f32], before: &[f32], after: &mut [f32]) {
    let h = after.len();
    let (x_r, x_z, x_n) = (&x[..h], &x[h..2 * h], &x[2 * h..3 * h]);
    let (u_r, u_z, u_n) = (&u[..h], &u[h..2 * h], &u[2 * h..3 * h]);
    let before = &before[..h];
    for j in 0..h {
        let r = sigmoid(x_r[j] + u_r[j]);
        let z = sigmoid(x_z[j] + u_z[j]);
        let n = tanh(x_n[j] + r * u_n[j]);
        after[j] = n + z * (before[j] - n);
    }
}

/// Gradients of one step: `d_state` comes in as that of `h_t` and leaves as its direct share for `h_{t-1}`.
#[inline(always)]
fn gates_back_body(x: &[f32], u: &[f32], before: &[f32], d_state: &mut [f32], d_x: &mut [f32], d_u: &mut [f32]) {
    let h = d_state.len();
    let (x_r, x_z, x_n) = (&x[..h], &x[h..2 * h], &x[2 * h..3 * h]);
    let (u_r, u_z, u_n) = (&u[..h], &u[h..2 * h], &u[2 * h..3 * h]);
    let before = &before[..h];
    let (dx_r, rest) = d_x.split_at_mut(h);
    let (dx_z, dx_n) = rest.split_at_mut(h);
    let (du_r, rest) = d_u.split_at_mut(h);
    let (du_z, du_n) = rest.split_at_mut(h);
    let (dx_n, du_n) = (&mut dx_n[..h], &mut du_n[..h]);
    for j in 0..h {
        let r = sigmoid(x_r[j] + u_r[j]);
        let z = sigmoid(x_z[j] + u_z[j]);
        let n = tanh(x_n[j] + r * u_n[j]);
        let d = d_state[j];
        let d_z = d * (before[j] - n) * z * (1.0 - z);
        let d_n = d * (1.0 - z) * (1.0 - n * n);
        let d_r = d_n * u_n[j] * r * (1.0 - r);
        dx_r[j] = d_r;
        dx_z[j] = d_z;
        dx_n[j] = d_n;
        du_r[j] = d_r;
        du_z[j] = d_z;
        du_n[j] = d_n * r;
        d_state[j] = d * z;
    }
}

kernel! {
    fn gates = plain gates_body(x: &[f32], u: &[f32], before: &[f32], after: &mut [f32])
}

kernel! {
    fn gates_back = plain gates_back_body(
        x: &[f32], u: &[f32], before: &[f32], d_state: &mut [f32], d_x: &mut [f32], d_u: &mut [f32],
    )
}

fn check(shape: Shape, gates: &[f32], weight: &[f32], lens: &[u32], states: usize) {
    let Shape { n_rows, n_steps, n_hidden } = shape;
    assert_eq!(gates.len(), n_rows * n_steps * 3 * n_hidden, "gate inputs are [n_rows, n_steps, 3 n_hidden]");
    assert_eq!(weight.len(), 3 * n_hidden * n_hidden, "recurrent weights are [n_hidden, 3 n_hidden]");
    assert_eq!(lens.len(), n_rows, "one length a row");
    assert_eq!(states, n_rows * n_steps * n_hidden, "states are [n_rows, n_steps, n_hidden]");
}

/// Fills `states` `[n_rows, n_steps, n_hidden]` from gate inputs `[n_rows, n_steps, 3 n_hidden]` and recurrent weights
/// `[n_hidden, 3 n_hidden]`; steps from `lens[row]` on are padding.
///
/// # Panics
/// If a slice does not have the stated size.
pub fn forward(isa: Isa, shape: Shape, inputs: &[f32], weight: &[f32], lens: &[u32], order: Order, states: &mut [f32]) {
    check(shape, inputs, weight, lens, states.len());
    let Shape { n_steps, n_hidden: h, .. } = shape;
    if states.is_empty() {
        return;
    }
    let row = n_steps * h;
    let jobs = states.par_chunks_mut(CHUNK * row).zip(inputs.par_chunks(CHUNK * row * 3)).zip(lens.par_chunks(CHUNK));
    jobs.for_each(|((states, inputs), lens)| {
        let n = lens.len();
        let mut state = vec![0f32; n * h];
        let mut next = vec![0f32; h];
        let mut u = vec![0f32; n * 3 * h];
        for i in 0..n_steps {
            let t = order.step(i, n_steps);
            if lens.iter().all(|&len| t >= len as usize) {
                for r in 0..n {
                    states[r * row + t * h..][..h].copy_from_slice(&state[r * h..][..h]);
                }
                continue;
            }
            matmul(n, h, 3 * h, &state, Read::Plain, weight, Read::Plain, &mut u, Write::Over);
            for r in 0..n {
                let kept = &mut state[r * h..][..h];
                if t < lens[r] as usize {
                    gates(
                        isa,
                        &inputs[(r * n_steps + t) * 3 * h..][..3 * h],
                        &u[r * 3 * h..][..3 * h],
                        kept,
                        &mut next,
                    );
                    kept.copy_from_slice(&next);
                }
                states[r * row + t * h..][..h].copy_from_slice(kept);
            }
        }
    });
}

/// Gradients of [`forward`], by backpropagation through time: returns that of the gate inputs, `[n_rows, n_steps, 3
/// n_hidden]`, and that of the recurrent weights, `[n_hidden, 3 n_hidden]`, given that of the states.
///
/// The gates are computed anew from the states (one product a step), which costs less than keeping them.
///
/// # Panics
/// If a slice does not have the stated size.
#[allow(clippy::too_many_arguments, reason = "the forward's arguments and what came of it")]
pub fn backward(
    isa: Isa,
    shape: Shape,
    inputs: &[f32],
    weight: &[f32],
    lens: &[u32],
    order: Order,
    states: &[f32],
    d_states: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    check(shape, inputs, weight, lens, states.len());
    assert_eq!(d_states.len(), states.len(), "a gradient for each state");
    let Shape { n_steps, n_hidden: h, .. } = shape;
    let mut d_inputs = vec![0f32; inputs.len()];
    let mut d_weight = vec![0f32; weight.len()];
    if states.is_empty() {
        return (d_inputs, d_weight);
    }
    let row = n_steps * h;
    let parts: Vec<Vec<f32>> = d_inputs
        .par_chunks_mut(CHUNK * row * 3)
        .enumerate()
        .map(|(c, d_inputs)| {
            let rows = c * CHUNK..(c * CHUNK + d_inputs.len() / (row * 3));
            let part = Part {
                isa,
                order,
                n_steps,
                h,
                weight,
                inputs: &inputs[rows.start * row * 3..rows.end * row * 3],
                states: &states[rows.start * row..rows.end * row],
                d_states: &d_states[rows.start * row..rows.end * row],
                lens: &lens[rows],
            };
            part.backward(d_inputs)
        })
        .collect();
    for part in parts {
        d_weight.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
    }
    (d_inputs, d_weight)
}

/// The sequences that one thread goes back through.
struct Part<'a> {
    isa: Isa,
    order: Order,
    n_steps: usize,
    h: usize,
    weight: &'a [f32],
    inputs: &'a [f32],
    states: &'a [f32],
    d_states: &'a [f32],
    lens: &'a [u32],
}

impl Part<'_> {
    /// Fills the gradient of the gate inputs, returns that of the recurrent weights.
    fn backward(&self, d_inputs: &mut [f32]) -> Vec<f32> {
        let (n, h, n_steps, row) = (self.lens.len(), self.h, self.n_steps, self.n_steps * self.h);
        let mut d_weight = vec![0f32; 3 * h * h];
        let (mut before, mut d_state) = (vec![0f32; n * h], vec![0f32; n * h]);
        let (mut u, mut d_u) = (vec![0f32; n * 3 * h], vec![0f32; n * 3 * h]);
        for i in (0..n_steps).rev() {
            let t = self.order.step(i, n_steps);
            let previous = (i > 0).then(|| self.order.step(i - 1, n_steps));
            for r in 0..n {
                let before = &mut before[r * h..][..h];
                match previous {
                    Some(p) => before.copy_from_slice(&self.states[r * row + p * h..][..h]),
                    None => before.fill(0.0),
                }
                let d = &self.d_states[r * row + t * h..][..h];
                d_state[r * h..][..h].iter_mut().zip(d).for_each(|(sum, x)| *sum += x);
            }
            if self.lens.iter().all(|&len| t >= len as usize) {
                continue;
            }
            matmul(n, h, 3 * h, &before, Read::Plain, self.weight, Read::Plain, &mut u, Write::Over);
            for r in 0..n {
                let d_u = &mut d_u[r * 3 * h..][..3 * h];
                if t >= self.lens[r] as usize {
                    d_u.fill(0.0);
                    continue;
                }
                let at = (r * n_steps + t) * 3 * h;
                let (x, d_x) = (&self.inputs[at..][..3 * h], &mut d_inputs[at..][..3 * h]);
                let (before, d_state) = (&before[r * h..][..h], &mut d_state[r * h..][..h]);
                gates_back(self.isa, x, &u[r * 3 * h..][..3 * h], before, d_state, d_x, d_u);
            }
            matmul(n, 3 * h, h, &d_u, Read::Plain, self.weight, Read::Transposed, &mut d_state, Write::Add);
            matmul(h, n, 3 * h, &before, Read::Transposed, &d_u, Read::Plain, &mut d_weight, Write::Add);
        }
        d_weight
    }
}

#[cfg(test)]
#[path = "gru_tests.rs"]
mod tests;
