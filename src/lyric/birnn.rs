//! The bidirectional GRU over the words of songs, as an operation of candle's graph.
//!
//! Equations in [`crate::kernels::gru`]. On the CPU one operation runs the whole sequence; on other devices
//! [`composed`] does the same with plain tensors, which is also what the tests compare with.

use candle_core::{CpuStorage, CustomOp2, D, Layout, Result, Shape, Tensor, bail};

use crate::kernels::gru::{self, Order};
use crate::kernels::isa::Isa;

/// States `[n_songs, n_steps, n_hidden]` of one direction.
///
/// Takes gate inputs `[n_songs, n_steps, 3 n_hidden]` (reset, update, new; biases included), recurrent weights
/// `[n_hidden, 3 n_hidden]` and the number of words of each song; both tensors get gradients.
///
/// # Errors
/// Shapes do not fit.
pub fn states(inputs: &Tensor, weight: &Tensor, lens: &[u32], order: Order) -> Result<Tensor> {
    if !inputs.device().is_cpu() {
        return composed(inputs, weight, lens, order);
    }
    inputs.contiguous()?.apply_op2(&weight.contiguous()?, Recurrence { lens: lens.to_vec(), order })
}

/// The same as [`states`] from plain tensors, for devices without the operation; slow on the CPU.
///
/// # Errors
/// Shapes do not fit.
pub fn composed(inputs: &Tensor, weight: &Tensor, lens: &[u32], order: Order) -> Result<Tensor> {
    let (n_songs, n_steps, width) = inputs.dims3()?;
    let h = width / 3;
    let mut state = Tensor::zeros((n_songs, h), inputs.dtype(), inputs.device())?;
    let mut all = Vec::with_capacity(n_steps);
    for i in 0..n_steps {
        let t = if order == Order::Forward { i } else { n_steps - 1 - i };
        let (x, u) = (inputs.narrow(1, t, 1)?.squeeze(1)?, state.matmul(weight)?);
        let part = |of: &Tensor, i: usize| of.narrow(D::Minus1, i * h, h);
        let r = candle_nn::ops::sigmoid(&(part(&x, 0)? + part(&u, 0)?)?)?;
        let z = candle_nn::ops::sigmoid(&(part(&x, 1)? + part(&u, 1)?)?)?;
        let n = (part(&x, 2)? + (r * part(&u, 2)?)?)?.tanh()?;
        let next = (&n + (z * (&state - &n)?)?)?;
        let inside: Vec<f32> = lens.iter().map(|&len| f32::from(u8::from(t < len as usize))).collect();
        let inside = Tensor::from_vec(inside, (n_songs, 1), inputs.device())?;
        state = (&state + (next - &state)?.broadcast_mul(&inside)?)?;
        all.push(state.clone());
    }
    if order == Order::Backward {
        all.reverse();
    }
    Tensor::stack(&all, 1)
}

struct Recurrence {
    lens: Vec<u32>,
    order: Order,
}

impl Recurrence {
    fn shape(&self, inputs: &Shape, weight: &Shape) -> Result<gru::Shape> {
        let (n_rows, n_steps, width) = inputs.dims3()?;
        let (n_hidden, columns) = weight.dims2()?;
        if width != 3 * n_hidden || columns != width || n_rows != self.lens.len() {
            bail!("gru: inputs {inputs:?}, weights {weight:?}, {} lengths do not fit", self.lens.len());
        }
        Ok(gru::Shape { n_rows, n_steps, n_hidden })
    }
}

/// The numbers of a contiguous f32 storage.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("operation needs contiguous tensors, got strides {:?}", layout.stride()),
    }
}

impl CustomOp2 for Recurrence {
    fn name(&self) -> &'static str {
        "gru"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = self.shape(l1.shape(), l2.shape())?;
        let mut states = vec![0f32; shape.n_rows * shape.n_steps * shape.n_hidden];
        let (inputs, weight) = (slice(s1, l1)?, slice(s2, l2)?);
        gru::forward(Isa::best(), shape, inputs, weight, &self.lens, self.order, &mut states);
        Ok((CpuStorage::F32(states), Shape::from((shape.n_rows, shape.n_steps, shape.n_hidden))))
    }

    fn bwd(
        &self,
        arg1: &Tensor,
        arg2: &Tensor,
        res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let shape = self.shape(arg1.shape(), arg2.shape())?;
        let flat = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
        let (inputs, weight, states, d_states) = (flat(arg1)?, flat(arg2)?, flat(res)?, flat(grad)?);
        let (d_inputs, d_weight) =
            gru::backward(Isa::best(), shape, &inputs, &weight, &self.lens, self.order, &states, &d_states);
        let device = arg1.device();
        Ok((
            Some(Tensor::from_vec(d_inputs, arg1.shape(), device)?),
            Some(Tensor::from_vec(d_weight, arg2.shape(), device)?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn operation_equals_composed_tensors() {
        let mut rng = fastrand::Rng::with_seed(3);
        let (songs, steps, h) = (6, 7, 5);
        let mut random = |shape: &[usize]| {
            let numbers: Vec<f32> = (0..shape.iter().product()).map(|_| rng.f32() * 2.0 - 1.0).collect();
            Var::from_tensor(&Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()).unwrap()
        };
        let (x, w, loss) = (random(&[songs, steps, 3 * h]), random(&[h, 3 * h]), random(&[songs, steps, h]));
        let lens = [7, 1, 3, 6, 2, 5];
        for order in [Order::Forward, Order::Backward] {
            let a = states(&x, &w, &lens, order).unwrap();
            let b = composed(&x, &w, &lens, order).unwrap();
            let ga = (&a * loss.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            let gb = (&b * loss.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            let pairs =
                [(&a, &b), (ga.get(&x).unwrap(), gb.get(&x).unwrap()), (ga.get(&w).unwrap(), gb.get(&w).unwrap())];
            for (got, expected) in pairs {
                let worst = (got - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
                assert!(worst < 2e-5, "{order:?}: {worst}");
            }
        }
    }
}
