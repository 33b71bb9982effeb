//! Tag attention over the states of a song's words, as an operation of candle's graph.
//!
//! In the attentive-reader form, after the paper (arXiv 1708.05851; the equations are ours): with `v` the photo's weighted
//! tag vectors, `m_t = tanh(W_h h_t + W_v v)`, `a = softmax_t(w m_t + l_t)`, lyric vector `sum_t a_t h_t`. A departure is
//! `l_t`, a learned multiple of how much the word is worth to the photo's tags ([`super::affinity`]): a bag of 40 words
//! gives a recurrent net little context, and the tag's own word should win without being learned from pairs.

use candle_core::{CpuStorage, CustomOp3, D, Layout, Result, Shape, Tensor, bail};

use super::birnn::slice;
use crate::kernels::attend::{self, Inputs};
use crate::kernels::isa::Isa;

/// Attended states `[n_songs, n_queries, n_states]`, every query put to every song.
///
/// Takes keys `W_h h` `[n_songs, n_words, n_keys]`, states `[n_songs, n_words, n_states]`, queries `W_v v` `[n_queries,
/// n_keys]`, `w` `[n_keys]`, what is added to the energies `[n_songs, n_queries, n_words]`, and the words of each song.
/// All tensors get gradients.
///
/// # Errors
/// Shapes do not fit.
pub fn attend(
    keys: &Tensor,
    states: &Tensor,
    queries: &Tensor,
    w: &Tensor,
    extra: &Tensor,
    lens: &[u32],
) -> Result<Tensor> {
    if !keys.device().is_cpu() {
        return composed(keys, states, queries, w, extra, lens);
    }
    let words = Tensor::cat(&[keys, states], D::Minus1)?.contiguous()?;
    let queries = Tensor::cat(&[queries, &w.unsqueeze(0)?], 0)?.contiguous()?;
    words.apply_op3(&queries, &extra.contiguous()?, Attention { n_keys: keys.dim(D::Minus1)?, lens: lens.to_vec() })
}

/// The same as [`attend`] from plain tensors, for devices without the operation.
///
/// # Errors
/// Shapes do not fit.
pub fn composed(
    keys: &Tensor,
    states: &Tensor,
    queries: &Tensor,
    w: &Tensor,
    extra: &Tensor,
    lens: &[u32],
) -> Result<Tensor> {
    let (n_songs, n_words, n_keys) = keys.dims3()?;
    let m = keys.unsqueeze(1)?.broadcast_add(&queries.reshape((1, (), 1, n_keys))?)?.tanh()?;
    let energies = (m.broadcast_mul(&w.reshape((1, 1, 1, n_keys))?)?.sum(D::Minus1)? + extra)?;
    let mask = padding(lens, n_words);
    let mask = Tensor::from_vec(mask, (n_songs, 1, n_words), keys.device())?;
    candle_nn::ops::softmax(&energies.broadcast_add(&mask)?, D::Minus1)?.matmul(states)
}

/// What to add to energies so that padding gets no weight: 0 for words, -1e9 beyond, `[n_songs * n_words]`.
pub fn padding(lens: &[u32], n_words: usize) -> Vec<f32> {
    lens.iter().flat_map(|&len| (0..n_words).map(move |t| if t < len as usize { 0.0 } else { -1e9 })).collect()
}

struct Attention {
    n_keys: usize,
    lens: Vec<u32>,
}

impl Attention {
    fn shape(&self, words: &Shape, queries: &Shape, extra: &Shape) -> Result<attend::Shape> {
        let (n_songs, n_words, width) = words.dims3()?;
        let (rows, n_keys) = queries.dims2()?;
        let n_queries = rows - 1;
        if extra.dims3()? != (n_songs, n_queries, n_words) || n_keys != self.n_keys || n_songs != self.lens.len() {
            bail!("attention: words {words:?}, queries {queries:?}, extra {extra:?} do not fit");
        }
        Ok(attend::Shape { n_songs, n_queries, n_words, n_keys, n_states: width - n_keys })
    }
}

impl CustomOp3 for Attention {
    fn name(&self) -> &'static str {
        "tag-attention"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = self.shape(l1.shape(), l2.shape(), l3.shape())?;
        let inputs = Inputs { words: slice(s1, l1)?, queries: slice(s2, l2)?, extra: slice(s3, l3)?, lens: &self.lens };
        let attended = attend::forward(Isa::best(), shape, &inputs);
        Ok((CpuStorage::F32(attended), Shape::from((shape.n_songs, shape.n_queries, shape.n_states))))
    }

    fn bwd(
        &self,
        arg1: &Tensor,
        arg2: &Tensor,
        arg3: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let shape = self.shape(arg1.shape(), arg2.shape(), arg3.shape())?;
        let flat = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
        let (words, queries, extra, d_out) = (flat(arg1)?, flat(arg2)?, flat(arg3)?, flat(grad)?);
        let inputs = Inputs { words: &words, queries: &queries, extra: &extra, lens: &self.lens };
        let gradients = attend::backward(Isa::best(), shape, &inputs, &d_out);
        let device = arg1.device();
        Ok((
            Some(Tensor::from_vec(gradients.words, arg1.shape(), device)?),
            Some(Tensor::from_vec(gradients.queries, arg2.shape(), device)?),
            Some(Tensor::from_vec(gradients.extra, arg3.shape(), device)?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn operation_equals_composed_tensors() {
        let mut rng = fastrand::Rng::with_seed(5);
        let (songs, queries, words, k, d) = (4, 3, 6, 5, 7);
        let mut random = |shape: &[usize]| {
            let numbers: Vec<f32> = (0..shape.iter().product()).map(|_| rng.f32() * 2.0 - 1.0).collect();
            Var::from_tensor(&Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()).unwrap()
        };
        let all = [
            random(&[songs, words, k]),
            random(&[songs, words, d]),
            random(&[queries, k]),
            random(&[k]),
            random(&[songs, queries, words]),
        ];
        let loss = random(&[songs, queries, d]);
        let lens = [6, 1, 4, 3];
        let a = attend(&all[0], &all[1], &all[2], &all[3], &all[4], &lens).unwrap();
        let b = composed(&all[0], &all[1], &all[2], &all[3], &all[4], &lens).unwrap();
        let ga = (&a * loss.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
        let gb = (&b * loss.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
        let mut pairs = vec![(&a, &b)];
        pairs.extend(all.iter().map(|var| (ga.get(var).unwrap(), gb.get(var).unwrap())));
        for (got, expected) in pairs {
            let worst = (got - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(worst < 2e-5, "{worst}");
        }
    }
}
