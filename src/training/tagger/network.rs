//! The tagger's forward and backward pass over one micro-batch on one thread, with buffers that are used again.
//!
//! Whole-network passes of our own instead of a graph of tensors: nothing is allocated in a step, and a thread's
//! activations stay its own. The same network as a candle graph is the oracle of its tests.

use crate::kernels::batch_norm::{self, Saved};
use crate::kernels::depthwise::{self, Shape};
use crate::kernels::im2col::{col2im, im2col};
use crate::kernels::isa::Isa;
use crate::kernels::matmul::{Read, Write, matmul};
use crate::tagger::arch::{Arch, Kind, Layout, Unit};
use crate::tagger::regions::{pooling_weights, regions};

/// What a micro-batch is judged by.
pub struct Targets<'a> {
    /// Wanted probability of each tag, `[n, n_tags]`.
    pub tags: &'a [f32],
    /// How much each tag counts, `[n, n_tags]`.
    pub weights: &'a [f32],
    /// The teacher's features, `[n, n_embedding]`.
    pub features: &'a [f32],
    /// How much each photo's features count, `[n]`.
    pub feature_weights: &'a [f32],
    /// Multiplies every gradient, so that micro-batches add up to the mean over a step.
    pub scale: f32,
}

/// Sums over the photos of a micro-batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Losses {
    /// Masked binary cross-entropy, summed over tags.
    pub tags: f64,
    /// Weighted squared error of the embedding, summed over its numbers.
    pub features: f64,
}

/// Buffers and gradients of one thread.
pub struct Worker {
    arch: Arch,
    layout: Layout,
    isa: Isa,
    raw: Vec<Vec<f32>>,
    outputs: Vec<Vec<f32>>,
    saved: Vec<Saved>,
    patches: Vec<f32>,
    gradient: Vec<f32>,
    next_gradient: Vec<f32>,
    skipped: Vec<f32>,
    cell_logits: Vec<f32>,
    region_logits: Vec<f32>,
    /// Logits of the last micro-batch, `[n, n_tags]`.
    pub logits: Vec<f32>,
    /// Embeddings of the last micro-batch, `[n, n_embedding]`.
    pub embeddings: Vec<f32>,
    pooled: Vec<f32>,
    /// Gradients of the parameters, added to by [`Worker::backward`].
    pub gradients: Vec<f32>,
}

fn grow(buffer: &mut Vec<f32>, n: usize) {
    if buffer.len() < n {
        buffer.resize(n, 0.0);
    }
}

impl Worker {
    /// A worker for a network; buffers grow with the first micro-batch.
    pub fn new(arch: &Arch, isa: Isa) -> Self {
        let layout = arch.layout();
        let n_units = layout.units.len();
        Self {
            arch: arch.clone(),
            isa,
            raw: vec![Vec::new(); n_units],
            outputs: vec![Vec::new(); n_units],
            saved: layout.units.iter().map(|unit| Saved::new(unit.n_out)).collect(),
            patches: Vec::new(),
            gradient: Vec::new(),
            next_gradient: Vec::new(),
            skipped: Vec::new(),
            cell_logits: Vec::new(),
            region_logits: Vec::new(),
            logits: Vec::new(),
            embeddings: Vec::new(),
            pooled: Vec::new(),
            gradients: vec![0.0; layout.n_params],
            layout,
        }
    }

    /// Batch means and variances of the last micro-batch, in the order of the running statistics.
    pub fn batch_statistics(&self) -> impl Iterator<Item = f32> {
        self.saved.iter().flat_map(|saved| saved.mean.iter().chain(&saved.variance).copied())
    }

    /// Training forward pass of `images [n, side, side, 3]`; leaves logits and embeddings.
    ///
    /// # Panics
    /// If the images are shorter than their shape.
    pub fn forward(&mut self, params: &[f32], images: &[f32], n: usize, side: usize) {
        self.pass(params, None, images, n, side);
    }

    /// Forward pass with running `statistics` in place of those of the batch, as in serving.
    ///
    /// # Panics
    /// If the images are shorter than their shape.
    pub fn infer(&mut self, params: &[f32], statistics: &[f32], images: &[f32], n: usize, side: usize) {
        self.pass(params, Some(statistics), images, n, side);
    }

    fn pass(&mut self, params: &[f32], statistics: Option<&[f32]>, images: &[f32], n: usize, side: usize) {
        let mut in_side = side;
        for i in 0..self.layout.units.len() {
            let unit = &self.layout.units[i];
            let out = unit.out(in_side);
            let n_out = n * out * out * unit.n_out;
            grow(&mut self.raw[i], n_out);
            grow(&mut self.outputs[i], n_out);
            let (before, from) = self.outputs.split_at_mut(i);
            let input = if i == 0 { images } else { &before[i - 1][..n * in_side * in_side * unit.n_in] };
            let raw = &mut self.raw[i][..n_out];
            let weights = &params[unit.offset..unit.offset + unit.n_weights()];
            convolve(self.isa, unit, input, weights, n, in_side, &mut self.patches, raw);
            let gamma = &params[unit.offset + unit.n_weights()..][..unit.n_out];
            let beta = &params[unit.offset + unit.n_weights() + unit.n_out..][..unit.n_out];
            let output = &mut from[0][..n_out];
            let saved = &mut self.saved[i];
            match statistics {
                None => batch_norm::forward(self.isa, raw, gamma, beta, unit.activation, saved, output),
                Some(statistics) => {
                    let (mean, variance) = statistics[unit.statistics..][..2 * unit.n_out].split_at(unit.n_out);
                    batch_norm::infer(self.isa, raw, gamma, beta, mean, variance, unit.activation, saved, output);
                }
            }
            if let Some(first) = unit.adds_input_of {
                for (output, &input) in output.iter_mut().zip(&before[first - 1]) {
                    *output += input;
                }
            }
            in_side = out;
        }
        self.head_forward(params, n, in_side);
    }

    fn head_forward(&mut self, params: &[f32], n: usize, map_side: usize) {
        let (cells, n_tags, n_features) = (map_side * map_side, self.arch.n_tags, self.arch.n_features);
        let n_embedding = self.arch.n_embedding;
        let n_regions = regions().len();
        let features = &self.outputs[self.layout.units.len() - 1][..n * cells * n_features];
        let weights = &params[self.layout.head..];
        grow(&mut self.cell_logits, n * cells * n_tags);
        grow(&mut self.region_logits, n * n_regions * n_tags);
        grow(&mut self.logits, n * n_tags);
        grow(&mut self.pooled, n * n_features);
        grow(&mut self.embeddings, n * n_embedding);
        // Averages over a region and the linear head commute, so the head runs once per cell, not once per region.
        matmul(
            n * cells,
            n_features,
            n_tags,
            features,
            Read::Plain,
            weights,
            Read::Plain,
            &mut self.cell_logits,
            Write::Over,
        );
        let bias = &weights[n_features * n_tags..][..n_tags];
        let pool = pooling_weights(map_side);
        for image in 0..n {
            let cell_logits = &self.cell_logits[image * cells * n_tags..];
            let region_logits = &mut self.region_logits[image * n_regions * n_tags..][..n_regions * n_tags];
            matmul(n_regions, cells, n_tags, &pool, Read::Plain, cell_logits, Read::Plain, region_logits, Write::Over);
            for row in region_logits.chunks_exact_mut(n_tags) {
                row.iter_mut().zip(bias).for_each(|(logit, bias)| *logit += bias);
            }
            let logits = &mut self.logits[image * n_tags..][..n_tags];
            pool_regions(region_logits, self.arch.sharpness, logits);
            let pooled = &mut self.pooled[image * n_features..][..n_features];
            pooled.fill(0.0);
            for cell in features[image * cells * n_features..][..cells * n_features].chunks_exact(n_features) {
                pooled.iter_mut().zip(cell).for_each(|(sum, &value)| *sum += value / cells as f32);
            }
        }
        if n_embedding > 0 {
            let weights = &params[self.layout.embedding..];
            for row in self.embeddings[..n * n_embedding].chunks_exact_mut(n_embedding) {
                row.copy_from_slice(&weights[n_features * n_embedding..][..n_embedding]);
            }
            let pooled = &self.pooled;
            matmul(
                n,
                n_features,
                n_embedding,
                pooled,
                Read::Plain,
                weights,
                Read::Plain,
                &mut self.embeddings,
                Write::Add,
            );
        }
    }

    /// Losses of the last forward pass, and their gradients added to [`Worker::gradients`].
    ///
    /// # Panics
    /// If the arguments are not those of the last forward pass.
    pub fn backward(&mut self, params: &[f32], images: &[f32], n: usize, side: usize, targets: &Targets) -> Losses {
        let sides: Vec<usize> = std::iter::once(side)
            .chain(self.layout.units.iter().scan(side, |side, unit| {
                *side = unit.out(*side);
                Some(*side)
            }))
            .collect();
        let losses = self.head_backward(params, n, sides[sides.len() - 1], targets);
        for i in (0..self.layout.units.len()).rev() {
            let unit = self.layout.units[i].clone();
            let (in_side, out) = (sides[i], sides[i + 1]);
            let n_out = n * out * out * unit.n_out;
            let n_in = n * in_side * in_side * unit.n_in;
            if unit.adds_input_of.is_some() {
                grow(&mut self.skipped, n_out);
                self.skipped[..n_out].copy_from_slice(&self.gradient[..n_out]);
            }
            let (weights_end, gradient) = (unit.offset + unit.n_weights(), &mut self.gradient[..n_out]);
            let gamma = &params[weights_end..weights_end + unit.n_out];
            let (d_weights, d_norm) =
                self.gradients[unit.offset..weights_end + 2 * unit.n_out].split_at_mut(unit.n_weights());
            let (d_gamma, d_beta) = d_norm.split_at_mut(unit.n_out);
            let raw = &self.raw[i][..n_out];
            batch_norm::backward(self.isa, raw, gamma, unit.activation, &mut self.saved[i], gradient, d_gamma, d_beta);
            let input = if i == 0 { images } else { &self.outputs[i - 1][..n_in] };
            let weights = &params[unit.offset..weights_end];
            grow(&mut self.next_gradient, n_in);
            let d_input = (i > 0).then_some(&mut self.next_gradient[..n_in]);
            convolve_backward(
                self.isa,
                &unit,
                input,
                weights,
                n,
                in_side,
                &mut self.patches,
                gradient,
                d_weights,
                d_input,
            );
            std::mem::swap(&mut self.gradient, &mut self.next_gradient);
            // The block whose first unit this is ends two units later.
            let ends_here = self.layout.units.get(i + 2).is_some_and(|last| last.adds_input_of == Some(i));
            if ends_here {
                self.gradient[..n_in].iter_mut().zip(&self.skipped).for_each(|(sum, &skipped)| *sum += skipped);
            }
        }
        losses
    }

    fn head_backward(&mut self, params: &[f32], n: usize, map_side: usize, targets: &Targets) -> Losses {
        let (cells, n_tags, n_features) = (map_side * map_side, self.arch.n_tags, self.arch.n_features);
        let n_embedding = self.arch.n_embedding;
        let n_regions = regions().len();
        let mut losses = Losses::default();
        let pool = pooling_weights(map_side);
        let head = self.layout.head;
        for image in 0..n {
            let rows = image * n_tags..(image + 1) * n_tags;
            let region_logits = &mut self.region_logits[image * n_regions * n_tags..][..n_regions * n_tags];
            let logits = &mut self.logits[rows.clone()];
            let (wanted, weights) = (&targets.tags[rows.clone()], &targets.weights[rows]);
            losses.tags += region_gradients(region_logits, logits, wanted, weights, targets.scale, self.arch.sharpness);
            let bias = &mut self.gradients[head + n_features * n_tags..][..n_tags];
            for row in region_logits.chunks_exact(n_tags) {
                bias.iter_mut().zip(row).for_each(|(sum, &gradient)| *sum += gradient);
            }
            let cell_logits = &mut self.cell_logits[image * cells * n_tags..][..cells * n_tags];
            matmul(
                cells,
                n_regions,
                n_tags,
                &pool,
                Read::Transposed,
                region_logits,
                Read::Plain,
                cell_logits,
                Write::Over,
            );
        }
        let features = &self.outputs[self.layout.units.len() - 1][..n * cells * n_features];
        let cell_gradients = &self.cell_logits[..n * cells * n_tags];
        let d_head = &mut self.gradients[head..head + n_features * n_tags];
        matmul(
            n_features,
            n * cells,
            n_tags,
            features,
            Read::Transposed,
            cell_gradients,
            Read::Plain,
            d_head,
            Write::Add,
        );
        grow(&mut self.gradient, n * cells * n_features);
        let weights = &params[head..head + n_features * n_tags];
        let gradient = &mut self.gradient[..n * cells * n_features];
        matmul(
            n * cells,
            n_tags,
            n_features,
            cell_gradients,
            Read::Plain,
            weights,
            Read::Transposed,
            gradient,
            Write::Over,
        );
        if n_embedding > 0 {
            losses.features = self.embedding_backward(params, n, cells, targets);
        }
        losses
    }

    fn embedding_backward(&mut self, params: &[f32], n: usize, cells: usize, targets: &Targets) -> f64 {
        let (n_features, n_embedding) = (self.arch.n_features, self.arch.n_embedding);
        let mut loss = 0.0;
        let embeddings = &mut self.embeddings[..n * n_embedding];
        for (image, row) in embeddings.chunks_exact_mut(n_embedding).enumerate() {
            let weight = targets.feature_weights[image];
            for (value, &wanted) in row.iter_mut().zip(&targets.features[image * n_embedding..]) {
                let error = *value - wanted;
                loss += f64::from(weight * error * error);
                *value = 2.0 * weight * error * targets.scale;
            }
        }
        let (d_weights, d_bias) = self.gradients[self.layout.embedding..].split_at_mut(n_features * n_embedding);
        for row in embeddings.chunks_exact(n_embedding) {
            d_bias.iter_mut().zip(row).for_each(|(sum, &gradient)| *sum += gradient);
        }
        let pooled = &mut self.pooled[..n * n_features];
        matmul(n_features, n, n_embedding, pooled, Read::Transposed, embeddings, Read::Plain, d_weights, Write::Add);
        let weights = &params[self.layout.embedding..];
        matmul(n, n_embedding, n_features, embeddings, Read::Plain, weights, Read::Transposed, pooled, Write::Over);
        for (image, pooled) in pooled.chunks_exact(n_features).enumerate() {
            let cells_of = &mut self.gradient[image * cells * n_features..][..cells * n_features];
            for cell in cells_of.chunks_exact_mut(n_features) {
                cell.iter_mut().zip(pooled).for_each(|(sum, &gradient)| *sum += gradient / cells as f32);
            }
        }
        loss
    }
}

/// Log-mean-exp over regions, `log(mean_r exp(s * z_r)) / s`, of `region_logits [n_regions, n_tags]`.
fn pool_regions(region_logits: &[f32], sharpness: f32, logits: &mut [f32]) {
    let n_tags = logits.len();
    let n_regions = (region_logits.len() / n_tags) as f32;
    for (tag, logit) in logits.iter_mut().enumerate() {
        let column = || region_logits.iter().skip(tag).step_by(n_tags);
        let highest = column().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        let sum: f32 = column().map(|&z| (sharpness * (z - highest)).exp()).sum();
        *logit = highest + (sum / n_regions).ln() / sharpness;
    }
}

/// Weighted binary cross-entropy of one photo; `region_logits` become its gradients by region, `logits` those by tag.
fn region_gradients(
    region_logits: &mut [f32],
    logits: &mut [f32],
    wanted: &[f32],
    weights: &[f32],
    scale: f32,
    sharpness: f32,
) -> f64 {
    let n_tags = logits.len();
    let n_regions = (region_logits.len() / n_tags) as f32;
    let mut loss = 0.0;
    for (tag, logit) in logits.iter_mut().enumerate() {
        let (z, weight, wanted) = (*logit, weights[tag], wanted[tag]);
        loss += f64::from(weight * (z.max(0.0) - z * wanted + (-z.abs()).exp().ln_1p()));
        let gradient = weight * (1.0 / (1.0 + (-z).exp()) - wanted) * scale;
        for region in region_logits.iter_mut().skip(tag).step_by(n_tags) {
            // d logmeanexp / d z_r is the softmax over regions: exp(s * (z_r - z)) / n_regions.
            *region = gradient * (sharpness * (*region - z)).exp() / n_regions;
        }
        *logit = gradient;
    }
    loss
}

#[allow(clippy::too_many_arguments, reason = "slices and their sizes")]
fn convolve(
    isa: Isa,
    unit: &Unit,
    input: &[f32],
    weights: &[f32],
    n: usize,
    side: usize,
    patches: &mut Vec<f32>,
    raw: &mut [f32],
) {
    let out = unit.out(side);
    let rows = n * out * out;
    match unit.kind {
        Kind::Pointwise => {
            matmul(rows, unit.n_in, unit.n_out, input, Read::Plain, weights, Read::Plain, raw, Write::Over);
        }
        Kind::Depthwise => {
            let shape = Shape { n, side, channels: unit.n_in, stride: unit.stride };
            depthwise::forward(isa, shape, input, weights, raw);
        }
        Kind::Dense => {
            grow(patches, rows * 9 * unit.n_in);
            im2col(input, side, unit.n_in, unit.stride, n, patches);
            matmul(rows, 9 * unit.n_in, unit.n_out, patches, Read::Plain, weights, Read::Plain, raw, Write::Over);
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "slices and their sizes")]
fn convolve_backward(
    isa: Isa,
    unit: &Unit,
    input: &[f32],
    weights: &[f32],
    n: usize,
    side: usize,
    patches: &mut Vec<f32>,
    gradient: &[f32],
    d_weights: &mut [f32],
    d_input: Option<&mut [f32]>,
) {
    let out = unit.out(side);
    let rows = n * out * out;
    match unit.kind {
        Kind::Pointwise => {
            matmul(unit.n_in, rows, unit.n_out, input, Read::Transposed, gradient, Read::Plain, d_weights, Write::Add);
            if let Some(d_input) = d_input {
                matmul(
                    rows,
                    unit.n_out,
                    unit.n_in,
                    gradient,
                    Read::Plain,
                    weights,
                    Read::Transposed,
                    d_input,
                    Write::Over,
                );
            }
        }
        Kind::Depthwise => {
            let shape = Shape { n, side, channels: unit.n_in, stride: unit.stride };
            depthwise::weight_gradient(isa, shape, gradient, input, d_weights);
            if let Some(d_input) = d_input {
                depthwise::image_gradient(isa, shape, gradient, weights, d_input);
            }
        }
        Kind::Dense => {
            let n_taps = 9 * unit.n_in;
            grow(patches, rows * n_taps);
            im2col(input, side, unit.n_in, unit.stride, n, patches);
            matmul(n_taps, rows, unit.n_out, patches, Read::Transposed, gradient, Read::Plain, d_weights, Write::Add);
            if let Some(d_input) = d_input {
                matmul(
                    rows,
                    unit.n_out,
                    n_taps,
                    gradient,
                    Read::Plain,
                    weights,
                    Read::Transposed,
                    patches,
                    Write::Over,
                );
                col2im(patches, side, unit.n_in, unit.stride, n, d_input);
            }
        }
    }
}
