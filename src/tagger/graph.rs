//! The tagger's network as a candle graph, NHWC throughout: what runs on devices other than the CPU, and the oracle of
//! the passes that are written by hand. Knows nothing of losses or of files.

use std::ops::Range;

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var, bail};

use super::arch::{Arch, Kind, Layout, Unit};
use super::regions::{pooling_weights, regions};
use super::weights::{Slot, slots};
use crate::kernels::batch_norm::EPSILON;
use crate::kernels::composed::activate;
use crate::kernels::ops::{Route, batch_norm, depthwise, patches};

/// A trainable tensor.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// `units.{i}.weight`, `.gamma`, `.beta`, `head.weight`, `head.bias`, `embedding.weight` or `embedding.bias`.
    pub name: String,
    /// Where its numbers lie in the flat parameters of [`Layout`].
    pub range: Range<usize>,
    /// The tensor.
    pub var: Var,
}

/// What the network says of `n` photos.
#[derive(Debug, Clone)]
pub struct Output {
    /// Logit of each tag in each region, `[n, n_regions, n_tags]`.
    pub region_logits: Tensor,
    /// Log-mean-exp over regions, `[n, n_tags]`.
    pub logits: Tensor,
    /// Features averaged over the whole photo, `[n, n_features]`.
    pub pooled: Tensor,
    /// `[n, n_embedding]`, unless the network has none.
    pub embedding: Option<Tensor>,
    /// The final feature maps, `[n, cells, n_features]`.
    pub map: Tensor,
}

/// Batch norms that use their running statistics, or those of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Serving,
    Training,
}

/// The network with its parameters on one device.
#[derive(Debug)]
pub struct Graph {
    arch: Arch,
    layout: Layout,
    route: Route,
    device: Device,
    parameters: Vec<Parameter>,
    /// Running mean and variance of each unit, `[n_out]` each.
    statistics: Vec<(Tensor, Tensor)>,
}

impl Graph {
    /// A network from the flat parameters and running statistics of its [`Layout`].
    ///
    /// # Errors
    /// There are too many or too few numbers, or the device fails.
    pub fn new(arch: &Arch, params: &[f32], statistics: &[f32], route: Route, device: &Device) -> Result<Self> {
        let layout = arch.layout();
        if params.len() != layout.n_params {
            bail!("{} parameters were given, the network has {}", params.len(), layout.n_params);
        }
        let parameters = slots(arch, &layout)
            .into_iter()
            .filter(|slot| !slot.is_statistic)
            .map(|Slot { name, shape, offset, .. }| {
                let range = offset..offset + shape.iter().product::<usize>();
                let var = Var::from_slice(&params[range.clone()], shape, device)?;
                Ok(Parameter { name, range, var })
            })
            .collect::<Result<_>>()?;
        let mut graph =
            Self { arch: arch.clone(), layout, route, device: device.clone(), parameters, statistics: vec![] };
        graph.set_statistics(statistics)?;
        Ok(graph)
    }

    /// Replaces the running statistics, in the order of [`Layout`].
    ///
    /// # Errors
    /// There are too many or too few numbers, or the device fails.
    pub fn set_statistics(&mut self, statistics: &[f32]) -> Result<()> {
        if statistics.len() != self.layout.n_statistics {
            bail!("{} statistics were given, the network has {}", statistics.len(), self.layout.n_statistics);
        }
        let read = |start: usize, n: usize| Tensor::from_slice(&statistics[start..start + n], n, &self.device);
        let of =
            |unit: &Unit| Ok((read(unit.statistics, unit.n_out)?, read(unit.statistics + unit.n_out, unit.n_out)?));
        self.statistics = self.layout.units.iter().map(of).collect::<Result<_>>()?;
        Ok(())
    }

    /// Every trainable tensor, in the order of the flat parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Copies all parameters out, flat.
    ///
    /// # Errors
    /// The device fails.
    pub fn params(&self) -> Result<Vec<f32>> {
        let mut params = vec![0.0; self.layout.n_params];
        for parameter in &self.parameters {
            params[parameter.range.clone()].copy_from_slice(&flat(parameter.var.as_tensor())?);
        }
        Ok(params)
    }

    /// Copies all gradients out, flat, in the order of the parameters.
    ///
    /// # Errors
    /// The device fails, or a parameter has no gradient.
    pub fn gradients(&self, store: &GradStore) -> Result<Vec<f32>> {
        let mut gradients = vec![0.0; self.layout.n_params];
        for parameter in &self.parameters {
            let Some(gradient) = store.get(&parameter.var) else { bail!("{} has no gradient", parameter.name) };
            gradients[parameter.range.clone()].copy_from_slice(&flat(gradient)?);
        }
        Ok(gradients)
    }

    /// What the network says of `images [n, side, side, 3]`, whose pixels are scaled to `[-1, 1]`, when it serves.
    ///
    /// # Errors
    /// The shape does not fit, or the device fails.
    pub fn serve(&self, images: &Tensor) -> Result<Output> {
        Ok(self.run(images, Mode::Serving)?.0)
    }

    /// As [`Graph::serve`] in training, and the batch's statistics `[n_statistics]` in the order of the running ones.
    ///
    /// # Errors
    /// The shape does not fit, or the device fails.
    pub fn train(&self, images: &Tensor) -> Result<(Output, Tensor)> {
        let (output, statistics) = self.run(images, Mode::Training)?;
        Ok((output, Tensor::cat(&statistics, 0)?))
    }

    fn run(&self, images: &Tensor, mode: Mode) -> Result<(Output, Vec<Tensor>)> {
        let mut inputs: Vec<Tensor> = Vec::new();
        let mut statistics = Vec::new();
        let mut x = images.clone();
        for (i, unit) in self.layout.units.iter().enumerate() {
            inputs.push(x.clone());
            let raw = self.convolve(i, unit, &x)?;
            let shape = raw.dims4()?;
            let rows = raw.reshape(((), unit.n_out))?;
            let y = match mode {
                Mode::Serving => self.normalize(i, unit, &rows)?,
                Mode::Training => {
                    let [gamma, beta] = [1, 2].map(|part| self.parameters[3 * i + part].var.as_tensor());
                    let (y, mean, variance) = batch_norm(self.route, &rows, gamma, beta, unit.activation)?;
                    statistics.extend([mean, variance]);
                    y
                }
            };
            x = y.reshape(shape)?;
            if let Some(first) = unit.adds_input_of {
                x = (x + &inputs[first])?;
            }
        }
        Ok((self.head(&x)?, statistics))
    }

    /// The unit's convolution, `[n, out, out, n_out]`.
    fn convolve(&self, i: usize, unit: &Unit, x: &Tensor) -> Result<Tensor> {
        let weight = self.parameters[3 * i].var.as_tensor();
        let (n, side, _, _) = x.dims4()?;
        let out = unit.out(side);
        match unit.kind {
            Kind::Depthwise => depthwise(self.route, x, weight, unit.stride),
            Kind::Pointwise => x.reshape((n * side * side, unit.n_in))?.matmul(weight)?.reshape((n, out, out, ())),
            Kind::Dense => patches(self.route, x, unit.stride)?.matmul(weight)?.reshape((n, out, out, ())),
        }
    }

    /// Batch norm by running statistics, and the activation.
    fn normalize(&self, i: usize, unit: &Unit, rows: &Tensor) -> Result<Tensor> {
        let [gamma, beta] = [1, 2].map(|part| self.parameters[3 * i + part].var.as_tensor());
        let (mean, variance) = &self.statistics[i];
        let scale = gamma.div(&(variance + f64::from(EPSILON))?.sqrt()?)?;
        let shift = (beta - (mean * &scale)?)?;
        activate(&rows.broadcast_mul(&scale)?.broadcast_add(&shift)?, unit.activation)
    }

    fn head(&self, features: &Tensor) -> Result<Output> {
        let (n, side, _, n_features) = features.dims4()?;
        let (cells, n_regions) = (side * side, regions().len());
        let [weight, bias] = [0, 1].map(|part| self.parameters[3 * self.layout.units.len() + part].var.as_tensor());
        let rows = features.reshape((n * cells, n_features))?;
        let cell_logits = rows.matmul(weight)?.reshape((n, cells, self.arch.n_tags))?;
        let pool = Tensor::from_vec(pooling_weights(side), (n_regions, cells), &self.device)?;
        let pool = pool.broadcast_as((n, n_regions, cells))?.contiguous()?;
        let region_logits = pool.matmul(&cell_logits)?.broadcast_add(bias)?;
        let sharpness = f64::from(self.arch.sharpness);
        // Subtracting the highest changes nothing but the rounding, so no gradient has to pass through it.
        let highest = region_logits.max_keepdim(1)?.detach();
        let mean = (region_logits.broadcast_sub(&highest)? * sharpness)?.exp()?.mean(1)?;
        let logits = ((mean.log()? / sharpness)? + highest.squeeze(1)?)?;
        let map = rows.reshape((n, cells, n_features))?;
        let pooled = map.mean(1)?;
        let embedding = if self.arch.n_embedding > 0 {
            let [weight, bias] = [2, 3].map(|part| self.parameters[3 * self.layout.units.len() + part].var.as_tensor());
            Some(pooled.matmul(weight)?.broadcast_add(bias)?)
        } else {
            None
        };
        Ok(Output { region_logits, logits, pooled, embedding, map })
    }
}

fn flat(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.contiguous()?.flatten_all()?.to_vec1()
}
