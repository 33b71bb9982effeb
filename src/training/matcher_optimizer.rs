//! AdamW over named variables, with a state that can be stored.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

/// Moments of each parameter.
#[derive(Debug, Clone)]
pub struct AdamW {
    /// Added to the root of the second moment: gradients much smaller than it move little instead of as far as all others.
    pub epsilon: f32,
    /// Steps done.
    pub step: u64,
    /// First and second moments by name.
    pub moments: BTreeMap<String, (Vec<f32>, Vec<f32>)>,
}

const BETAS: (f32, f32) = (0.9, 0.98);
const DECAY: f32 = 0.01;

/// Norm at which the gradient is cut.
const MAX_NORM: f32 = 5.0;

impl Default for AdamW {
    fn default() -> Self {
        Self { epsilon: 1e-8, step: 0, moments: BTreeMap::new() }
    }
}

impl AdamW {
    /// Moves the variables against their gradients; returns the norm of the gradient. A variable without a gradient
    /// stays.
    ///
    /// # Errors
    /// Tensors cannot be read or set.
    pub fn step(&mut self, vars: &BTreeMap<String, Var>, gradients: &GradStore, rate: f32) -> Result<f32> {
        self.step += 1;
        let mut all: Vec<(&String, &Var, Vec<f32>)> = Vec::with_capacity(vars.len());
        for (name, var) in vars {
            if let Some(gradient) = gradients.get(var) {
                all.push((name, var, gradient.flatten_all()?.to_vec1()?));
            }
        }
        let norm = all.iter().flat_map(|g| &g.2).map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt() as f32;
        let cut = if norm > MAX_NORM { MAX_NORM / norm } else { 1.0 };
        let (bias1, bias2) = (1.0 - BETAS.0.powi(self.step as i32), 1.0 - BETAS.1.powi(self.step as i32));
        for (name, var, gradient) in all {
            let (m, v) = self
                .moments
                .entry(name.clone())
                .or_insert_with(|| (vec![0.0; gradient.len()], vec![0.0; gradient.len()]));
            let mut values = var.flatten_all()?.to_vec1::<f32>()?;
            let rate = rate * rate_factor(name);
            let decay = if var.rank() > 1 && name != "tags.vectors" { DECAY * rate } else { 0.0 };
            for (((x, g), m), v) in values.iter_mut().zip(&gradient).zip(m).zip(v) {
                let g = g * cut;
                *m = BETAS.0 * *m + (1.0 - BETAS.0) * g;
                *v = BETAS.1 * *v + (1.0 - BETAS.1) * g * g;
                *x -= decay * *x + rate * (*m / bias1) / ((*v / bias2).sqrt() + self.epsilon);
            }
            var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?;
        }
        Ok(norm)
    }
}

/// Single numbers such as temperatures, and what is learned by tag, must travel further than entries of a matrix.
fn rate_factor(name: &str) -> f32 {
    match name {
        "lyric.scale" | "song.scale" | "attention.worth" | "woken.scales" => 10.0,
        "woken.marks" | "woken.exponent" | "tags.exponent" | "tags.importance" | "prior.features" => 3.0,
        "affinity" => 2.0,
        _ => 1.0,
    }
}
