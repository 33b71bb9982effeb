//! The tagger's network as data: which convolutions follow each other, and where each one's parameters lie.
//!
//! A stem of two dense 3x3 convolutions at stride 2, then inverted residuals (Sandler et al. 2018): expand by 1x1,
//! depthwise 3x3, project by 1x1. The dense second convolution replaces the usual expansion at the largest map, where
//! a CPU is bound by memory traffic rather than by arithmetic.

use serde::{Deserialize, Serialize};

use crate::kernels::batch_norm::Activation;
use crate::kernels::im2col::out_side;

/// A run of inverted residuals with the same width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Widening of the block's inner channels.
    pub expand: usize,
    /// Channels between the blocks.
    pub channels: usize,
    /// How many blocks.
    pub n_blocks: usize,
    /// Stride of the first block.
    pub stride: usize,
}

/// A network: everything that decides the shapes of its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arch {
    /// Side in pixels of the squares that it is served with.
    pub side: usize,
    /// Output channels of the stem's convolutions, each at stride 2.
    pub stem: Vec<usize>,
    /// Inverted residuals.
    pub stages: Vec<Stage>,
    /// Channels of the final feature map.
    pub n_features: usize,
    /// Tags of the head.
    pub n_tags: usize,
    /// Numbers of the embedding, which is trained to be the teacher's features; 0 for none.
    pub n_embedding: usize,
    /// Sharpness of the log-mean-exp over regions.
    pub sharpness: f32,
}

/// What a unit convolves with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 3x3 over all channels.
    Dense,
    /// 3x3 within each channel.
    Depthwise,
    /// 1x1 over all channels.
    Pointwise,
}

/// One convolution with its batch norm and activation.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// What it convolves with.
    pub kind: Kind,
    /// Input channels.
    pub n_in: usize,
    /// Output channels.
    pub n_out: usize,
    /// 1 or 2.
    pub stride: usize,
    /// What follows the normalization.
    pub activation: Activation,
    /// The unit whose input is added to this one's output.
    pub adds_input_of: Option<usize>,
    /// Where its weights begin in the parameters; gamma and beta follow.
    pub offset: usize,
    /// Where its running mean begins in the statistics; the variance follows.
    pub statistics: usize,
}

impl Unit {
    /// Numbers in the weights, `[taps * n_in, n_out]` (depthwise `[9, n_out]`).
    pub fn n_weights(&self) -> usize {
        self.fan_in() * self.n_out
    }

    /// Inputs that one output sums over.
    pub fn fan_in(&self) -> usize {
        match self.kind {
            Kind::Dense => 9 * self.n_in,
            Kind::Depthwise => 9,
            Kind::Pointwise => self.n_in,
        }
    }

    /// Side of its output.
    pub fn out(&self, side: usize) -> usize {
        if self.kind == Kind::Pointwise { side } else { out_side(side, self.stride) }
    }
}

/// The units of a network and where the head's parameters lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Convolutions, first to last.
    pub units: Vec<Unit>,
    /// Begin of the head's weights `[n_features, n_tags]`; the bias follows.
    pub head: usize,
    /// Begin of the embedding's weights `[n_features, n_embedding]`; the bias follows.
    pub embedding: usize,
    /// Numbers in the parameters.
    pub n_params: usize,
    /// Numbers in the running statistics.
    pub n_statistics: usize,
}

impl Arch {
    /// The network that training makes for a vocabulary. The bundled model 0.2.0 has five and six blocks in its last two
    /// stages: a training that starts from it may add blocks.
    pub fn base(n_tags: usize, n_embedding: usize) -> Self {
        let stage = |expand, channels, n_blocks, stride| Stage { expand, channels, n_blocks, stride };
        Self {
            side: 128,
            stem: vec![16, 32],
            stages: vec![
                stage(3, 32, 1, 1),
                stage(4, 48, 3, 2),
                stage(4, 96, 5, 2),
                stage(4, 128, 6, 1),
                stage(4, 208, 8, 2),
            ],
            n_features: 768,
            n_tags,
            n_embedding,
            sharpness: 1.0,
        }
    }

    /// Whether the numbers make sense, before anything is allocated after them.
    ///
    /// # Errors
    /// Says which number is out of its range, and the range.
    pub fn check(&self) -> Result<(), String> {
        let range = |what: &str, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(format!("{what} is {value}; allowed are {low} to {high}"))
        };
        range("side", self.side, 32, 512)?;
        range("stem layers", self.stem.len(), 1, 4)?;
        range("stages", self.stages.len(), 1, 16)?;
        let stages = self.stages.iter().map(|stage| stage.channels);
        for channels in self.stem.iter().copied().chain(stages).chain([self.n_features]) {
            range("channels", channels, 16, 4096)?;
            if !channels.is_multiple_of(16) {
                return Err(format!("channels are {channels}; multiples of 16 are allowed"));
            }
        }
        for stage in &self.stages {
            range("expand", stage.expand, 1, 8)?;
            range("blocks", stage.n_blocks, 1, 32)?;
            range("stride", stage.stride, 1, 2)?;
        }
        range("tags", self.n_tags, 1, 4096)?;
        range("embedding", self.n_embedding, 0, 1024)?;
        if !(self.sharpness > 0.0 && self.sharpness <= 100.0) {
            return Err(format!("sharpness is {}; allowed is above 0 to 100", self.sharpness));
        }
        Ok(())
    }

    /// Lays the parameters out.
    pub fn layout(&self) -> Layout {
        let mut layout = Layout { units: Vec::new(), head: 0, embedding: 0, n_params: 0, n_statistics: 0 };
        let mut n_in = 3;
        for &n_out in &self.stem {
            layout.push(Kind::Dense, n_in, n_out, 2, Activation::Relu6, None);
            n_in = n_out;
        }
        for stage in &self.stages {
            for block in 0..stage.n_blocks {
                let stride = if block == 0 { stage.stride } else { 1 };
                let inner = n_in * stage.expand;
                let first = layout.units.len();
                layout.push(Kind::Pointwise, n_in, inner, 1, Activation::Relu6, None);
                layout.push(Kind::Depthwise, inner, inner, stride, Activation::Relu6, None);
                let residual = (stride == 1 && n_in == stage.channels).then_some(first);
                layout.push(Kind::Pointwise, inner, stage.channels, 1, Activation::Linear, residual);
                n_in = stage.channels;
            }
        }
        layout.push(Kind::Pointwise, n_in, self.n_features, 1, Activation::Relu6, None);
        layout.head = layout.n_params;
        layout.embedding = layout.head + (self.n_features + 1) * self.n_tags;
        layout.n_params = layout.embedding + (self.n_features + 1) * self.n_embedding;
        layout
    }
}

impl Layout {
    fn push(
        &mut self,
        kind: Kind,
        n_in: usize,
        n_out: usize,
        stride: usize,
        activation: Activation,
        adds_input_of: Option<usize>,
    ) {
        let unit = Unit {
            kind,
            n_in,
            n_out,
            stride,
            activation,
            adds_input_of,
            offset: self.n_params,
            statistics: self.n_statistics,
        };
        self.n_params += unit.n_weights() + 2 * n_out;
        self.n_statistics += 2 * n_out;
        self.units.push(unit);
    }

    /// Multiply-accumulates of one photo of the given side, without the head.
    pub fn n_macs(&self, side: usize) -> usize {
        let mut side = side;
        self.units
            .iter()
            .map(|unit| {
                side = unit.out(side);
                side * side * unit.n_weights()
            })
            .sum()
    }

    /// Side of the final feature map.
    pub fn map_side(&self, side: usize) -> usize {
        self.units.iter().fold(side, |side, unit| unit.out(side))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_lie_end_to_end() {
        let arch = Arch::base(363, 64);
        let layout = arch.layout();
        for pair in layout.units.windows(2) {
            assert_eq!(pair[0].offset + pair[0].n_weights() + 2 * pair[0].n_out, pair[1].offset);
            assert_eq!(pair[0].n_out, pair[1].n_in);
        }
        assert_eq!(layout.map_side(128), 4);
        println!("{} parameters, {} multiply-accumulates at 96 px", layout.n_params, layout.n_macs(96));
    }
}
