//! Serving on the CPU: one photo at a time on one thread, batch norms folded into packed weights, three buffers used
//! again and again. Threads run photos side by side: a clone shares the weights and has its own buffers.

use std::sync::Arc;

use super::arch::{Arch, Kind, Layout, Unit};
use super::regions::{pooling_weights, regions};
use crate::kernels::batch_norm::{Activation, fold};
use crate::kernels::depthwise::Shape;
use crate::kernels::fused::depthwise::depthwise;
use crate::kernels::fused::product::{PANEL, Product, pack, product};
use crate::kernels::fused::{Grid, clear_border};
use crate::kernels::isa::Isa;

/// What the network says of one photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen<'a> {
    /// Logit of each tag in each region, `[n_regions, n_tags]`.
    pub region_logits: &'a [f32],
    /// Features averaged over the whole photo, `[n_features]`.
    pub pooled: &'a [f32],
    /// The embedding, `[n_embedding]`.
    pub embedding: &'a [f32],
    /// The final feature map, `[cells, n_features]`.
    pub map: &'a [f32],
}

/// A unit with its batch norm folded in, and the buffers that it works on.
#[derive(Debug)]
struct Step {
    unit: Unit,
    /// Packed, but `[9, n_out]` if depthwise.
    weights: Vec<f32>,
    bias: Vec<f32>,
    /// Whether the output gets a border, because the next unit is a 3x3.
    has_border: bool,
    from: usize,
    to: usize,
    added: Option<usize>,
}

#[derive(Debug)]
struct Weights {
    arch: Arch,
    steps: Vec<Step>,
    /// Packed `[n_features, n_tags]`.
    head: Vec<f32>,
    head_bias: Vec<f32>,
    /// `[n_features, n_embedding]`.
    embedding: Vec<f32>,
    embedding_bias: Vec<f32>,
}

/// The network ready to serve.
#[derive(Debug)]
pub struct Inference {
    isa: Isa,
    weights: Arc<Weights>,
    maps: [Vec<f32>; 3],
    region_logits: Vec<f32>,
    pooled: Vec<f32>,
    embedding: Vec<f32>,
}

impl Clone for Inference {
    /// Shares the weights and starts with empty buffers.
    fn clone(&self) -> Self {
        Self::with(self.isa, Arc::clone(&self.weights))
    }
}

impl Inference {
    /// A network from the flat parameters and running statistics of its [`Layout`].
    ///
    /// # Panics
    /// If there are fewer numbers than the layout has.
    pub fn new(arch: &Arch, params: &[f32], statistics: &[f32]) -> Self {
        Self::on(Isa::best(), arch, params, statistics)
    }

    /// As [`Inference::new`], on a given instruction set.
    ///
    /// # Panics
    /// If there are fewer numbers than the layout has.
    pub fn on(isa: Isa, arch: &Arch, params: &[f32], statistics: &[f32]) -> Self {
        let layout = arch.layout();
        let (n_head, n_embedding) = (arch.n_features * arch.n_tags, arch.n_features * arch.n_embedding);
        let weights = Weights {
            steps: steps(&layout, params, statistics),
            head: pack(&params[layout.head..][..n_head], arch.n_features, arch.n_tags),
            head_bias: params[layout.head + n_head..][..arch.n_tags].to_vec(),
            embedding: params[layout.embedding..][..n_embedding].to_vec(),
            embedding_bias: params[layout.embedding + n_embedding..][..arch.n_embedding].to_vec(),
            arch: arch.clone(),
        };
        Self::with(isa, Arc::new(weights))
    }

    fn with(isa: Isa, weights: Arc<Weights>) -> Self {
        Self { isa, weights, maps: Default::default(), region_logits: vec![], pooled: vec![], embedding: vec![] }
    }

    /// What the network says of a photo `[side, side, 3]` of sRGB bytes. Buffers grow with the first photo of a size;
    /// after it nothing is allocated but some hundred bytes.
    ///
    /// # Panics
    /// If there are not `side * side * 3` bytes, or none.
    pub fn run(&mut self, square_rgb: &[u8], side: usize) -> Seen<'_> {
        assert!(side > 0 && square_rgb.len() == side * side * 3, "{} bytes for {side} px", square_rgb.len());
        let weights = Arc::clone(&self.weights);
        read_image(square_rgb, side, &mut self.maps[0]);
        let mut in_side = side;
        for step in &weights.steps {
            let mut to = std::mem::take(&mut self.maps[step.to]);
            let added = step.added.map_or(&[][..], |slot| &self.maps[slot]);
            step.run(self.isa, &self.maps[step.from], in_side, added, &mut to);
            self.maps[step.to] = to;
            in_side = step.unit.out(in_side);
        }
        self.head(&weights, in_side);
        let last = weights.steps.last().map_or(0, |step| step.to);
        let map = &self.maps[last][..in_side * in_side * weights.arch.n_features];
        Seen { region_logits: &self.region_logits, pooled: &self.pooled, embedding: &self.embedding, map }
    }

    fn head(&mut self, weights: &Weights, side: usize) {
        let (cells, &Arch { n_features, n_tags, .. }) = (side * side, &weights.arch);
        let n_padded = n_tags.next_multiple_of(PANEL);
        let last = weights.steps.last().map_or(0, |step| step.to);
        let mut cell_logits = std::mem::take(&mut self.maps[(last + 1) % 3]);
        grow(&mut cell_logits, cells * n_padded);
        let features = &self.maps[last][..cells * n_features];
        let shape = Product {
            rows: cells,
            runs: 1,
            run: n_features,
            run_pitch: 0,
            from: Grid::plain(cells, n_features),
            to: Grid::plain(cells, n_padded),
            channels: n_padded,
            bounds: Activation::Linear.bounds(),
        };
        // The bias waits for the regions, of which there are fewer than cells or about as many.
        product(self.isa, &shape, features, &weights.head, &vec![0.0; n_padded], &[], &mut cell_logits);
        self.region_logits.clear();
        for weights_of_cells in pooling_weights(side).chunks_exact(cells) {
            let start = self.region_logits.len();
            self.region_logits.extend_from_slice(&weights.head_bias);
            let logits = &mut self.region_logits[start..];
            for (cell, &weight) in cell_logits.chunks_exact(n_padded).zip(weights_of_cells) {
                if weight > 0.0 {
                    logits.iter_mut().zip(cell).for_each(|(logit, &value)| *logit += weight * value);
                }
            }
        }
        debug_assert_eq!(self.region_logits.len(), regions().len() * n_tags);
        self.pooled.clear();
        self.pooled.resize(n_features, 0.0);
        for cell in features.chunks_exact(n_features) {
            self.pooled.iter_mut().zip(cell).for_each(|(sum, &value)| *sum += value / cells as f32);
        }
        self.embedding.clone_from(&weights.embedding_bias);
        if !self.embedding.is_empty() {
            for (row, &feature) in weights.embedding.chunks_exact(weights.arch.n_embedding).zip(&self.pooled) {
                self.embedding.iter_mut().zip(row).for_each(|(sum, &weight)| *sum += feature * weight);
            }
        }
        self.maps[(last + 1) % 3] = cell_logits;
    }
}

impl Step {
    fn run(&self, isa: Isa, from: &[f32], side: usize, added: &[f32], to: &mut Vec<f32>) {
        let Unit { kind, n_in, n_out, stride, .. } = self.unit;
        let bounds = self.unit.activation.bounds();
        let out = self.unit.out(side);
        let n_cells = if self.has_border { (out + 2) * (out + 2) } else { out * out };
        grow(to, n_cells * n_out);
        if self.has_border {
            clear_border(to, out, n_out);
        }
        if kind == Kind::Depthwise {
            let shape = Shape { n: 1, side, channels: n_out, stride };
            depthwise(isa, shape, from, &self.weights, &self.bias, bounds, to);
            return;
        }
        let pitch = (side + 2) * n_in;
        let (runs, run, from_grid) = match kind {
            Kind::Dense => (3, 3 * n_in, Grid { start: 0, width: out, pitch: stride * pitch, step: stride * n_in }),
            _ => (1, n_in, Grid::plain(side * side, n_in)),
        };
        let shape = Product {
            rows: out * out,
            runs,
            run,
            run_pitch: pitch,
            from: from_grid,
            to: if self.has_border { Grid::bordered(out, n_out) } else { Grid::plain(out * out, n_out) },
            channels: n_out,
            bounds,
        };
        product(isa, &shape, from, &self.weights, &self.bias, added, to);
    }
}

fn grow(buffer: &mut Vec<f32>, n: usize) {
    if buffer.len() < n {
        buffer.resize(n, 0.0);
    }
}

/// What the network reads for a byte of a photo, in `[-1, 1]`.
pub fn pixel(byte: u8) -> f32 {
    f32::from(byte) / 127.5 - 1.0
}

/// The photo's pixels, with a border of zeros.
fn read_image(square_rgb: &[u8], side: usize, map: &mut Vec<f32>) {
    let pitch = (side + 2) * 3;
    grow(map, (side + 2) * pitch);
    clear_border(map, side, 3);
    for (row, bytes) in map[pitch..].chunks_exact_mut(pitch).zip(square_rgb.chunks_exact(side * 3)) {
        row[3..].iter_mut().zip(bytes).for_each(|(to, &byte)| *to = pixel(byte));
    }
}

/// Folds the batch norms and says which of three buffers each unit reads and writes.
fn steps(layout: &Layout, params: &[f32], statistics: &[f32]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::with_capacity(layout.units.len());
    for (i, unit) in layout.units.iter().enumerate() {
        let from = steps.last().map_or(0, |step| step.to);
        // The input of a block waits for the block's last unit, two units later.
        let waits = (i..i + 3).filter_map(|last| layout.units.get(last)?.adds_input_of).find(|&first| first <= i);
        let waiting = waits.map(|first| steps.get(first).map_or(from, |step| step.from));
        let to = (0..3).find(|&slot| slot != from && Some(slot) != waiting).expect("two of three buffers are taken");
        let (weights, bias) = folded(unit, params, statistics);
        let has_border = layout.units.get(i + 1).is_some_and(|next| next.kind != Kind::Pointwise);
        let added = unit.adds_input_of.and(waiting);
        steps.push(Step { unit: unit.clone(), weights, bias, has_border, from, to, added });
    }
    steps
}

/// `w' = w * gamma / sqrt(variance + eps)` and `b' = beta - mean * gamma / sqrt(variance + eps)`.
fn folded(unit: &Unit, params: &[f32], statistics: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let n_out = unit.n_out;
    let mut weights = params[unit.offset..][..unit.n_weights()].to_vec();
    let (gamma, beta) = params[unit.offset + unit.n_weights()..][..2 * n_out].split_at(n_out);
    let (mean, variance) = statistics[unit.statistics..][..2 * n_out].split_at(n_out);
    let (mut scale, mut bias) = (vec![0.0; n_out], vec![0.0; n_out]);
    fold(gamma, beta, mean, variance, &mut scale, &mut bias);
    for row in weights.chunks_exact_mut(n_out) {
        row.iter_mut().zip(&scale).for_each(|(weight, scale)| *weight *= scale);
    }
    if unit.kind != Kind::Depthwise {
        weights = pack(&weights, unit.fan_in(), n_out);
    }
    (weights, bias)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::super::arch::Stage;
    use super::super::graph::Graph;
    use super::*;
    use crate::kernels::ops::Route;

    fn tiny() -> Arch {
        let stage = |channels, n_blocks, stride| Stage { expand: 2, channels, n_blocks, stride };
        Arch {
            side: 32,
            stem: vec![16, 16],
            stages: vec![stage(16, 2, 1), stage(32, 2, 2), stage(48, 1, 1)],
            n_features: 32,
            n_tags: 5,
            n_embedding: 0,
            sharpness: 1.5,
        }
    }

    /// Parameters and statistics under which no layer dies or explodes.
    fn numbers(arch: &Arch) -> (Vec<f32>, Vec<f32>) {
        let layout = arch.layout();
        let mut rng = fastrand::Rng::with_seed(41);
        let mut params: Vec<f32> = (0..layout.n_params).map(|_| 2.0 * rng.f32() - 1.0).collect();
        let mut statistics = vec![0.0; layout.n_statistics];
        for unit in &layout.units {
            let size = (3.0 / unit.fan_in() as f32).sqrt();
            params[unit.offset..][..unit.n_weights()].iter_mut().for_each(|weight| *weight *= size);
            params[unit.offset + unit.n_weights()..][..unit.n_out].iter_mut().for_each(|g| *g = 1.0 + 0.3 * *g);
            let (mean, variance) = statistics[unit.statistics..][..2 * unit.n_out].split_at_mut(unit.n_out);
            mean.iter_mut().for_each(|mean| *mean = 0.4 * rng.f32() - 0.2);
            variance.iter_mut().for_each(|variance| *variance = 0.5 + rng.f32());
        }
        (params, statistics)
    }

    fn assert_near(found: &[f32], expected: &[f32], what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        let size = expected.iter().fold(0.0f32, |size, x| size.max(x.abs()));
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-4 * size, "{what} at {i}: {found} and {expected}");
        }
    }

    #[test]
    fn photos_are_seen_as_by_the_graph() {
        let mut rng = fastrand::Rng::with_seed(42);
        for (arch, sides) in [(tiny(), [32, 17]), (Arch::base(363, 64), [128, 96])] {
            let (params, statistics) = numbers(&arch);
            let graph = Graph::new(&arch, &params, &statistics, Route::Composed, &Device::Cpu).unwrap();
            for side in sides {
                let rgb: Vec<u8> = (0..side * side * 3).map(|_| rng.u8(..)).collect();
                let pixels: Vec<f32> = rgb.iter().map(|&byte| f32::from(byte) / 127.5 - 1.0).collect();
                let image = Tensor::from_vec(pixels, (1, side, side, 3), &Device::Cpu).unwrap();
                let expected = graph.serve(&image).unwrap();
                let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                for isa in Isa::available() {
                    let mut inference = Inference::on(isa, &arch, &params, &statistics);
                    let what = format!("{side} px {}", isa.name());
                    // Twice, because the second photo meets the buffers of the first.
                    for _ in 0..2 {
                        let seen = inference.run(&rgb, side);
                        assert_near(seen.region_logits, &flat(&expected.region_logits), &what);
                        assert_near(seen.pooled, &flat(&expected.pooled), &what);
                        match &expected.embedding {
                            Some(embedding) => assert_near(seen.embedding, &flat(embedding), &what),
                            None => assert!(seen.embedding.is_empty()),
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_photo_is_seen_alike_after_one_of_another_size() {
        let arch = tiny();
        let (params, statistics) = numbers(&arch);
        let mut rng = fastrand::Rng::with_seed(43);
        let mut photo = |side: usize| -> Vec<u8> { (0..side * side * 3).map(|_| rng.u8(..)).collect() };
        let (small, large) = (photo(24), photo(48));
        let mut inference = Inference::new(&arch, &params, &statistics);
        let before = inference.run(&small, 24).region_logits.to_vec();
        inference.run(&large, 48);
        assert_eq!(inference.run(&small, 24).region_logits, before);
        assert_eq!(inference.clone().run(&small, 24).region_logits, before);
    }
}
