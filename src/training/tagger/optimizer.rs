//! AdamW (Loshchilov and Hutter 2019) over one flat parameter vector, with an exponential moving average of the weights.

/// Settings of one step.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Learning rate.
    pub rate: f32,
    /// Decoupled weight decay, per unit of learning rate.
    pub decay: f32,
    /// Steps done before this one.
    pub n_done: u64,
    /// How much of the average is kept.
    pub average_decay: f32,
}

/// State of the optimizer.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamW {
    /// First moments, `[n_params]`.
    pub first: Vec<f32>,
    /// Second moments, `[n_params]`.
    pub second: Vec<f32>,
    /// Moving average of the parameters, `[n_params]`.
    pub average: Vec<f32>,
}

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

impl AdamW {
    /// Starts from some parameters.
    pub fn new(params: &[f32]) -> Self {
        Self { first: vec![0.0; params.len()], second: vec![0.0; params.len()], average: params.to_vec() }
    }

    /// One step; `gradients` are those of several workers, added up here; `decays[i]` is 1 where weight decay holds.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn step(&mut self, params: &mut [f32], gradients: &[&[f32]], decays: &[f32], step: Step, n_threads: usize) {
        let n = params.len();
        assert!(gradients.iter().all(|g| g.len() == n) && decays.len() == n, "lengths differ from {n}");
        let t = (step.n_done + 1) as i32;
        let (bias1, bias2) = (1.0 - BETA1.powi(t), 1.0 - BETA2.powi(t));
        let chunk = n.div_ceil(n_threads.max(1));
        std::thread::scope(|scope| {
            let parts = params
                .chunks_mut(chunk)
                .zip(self.first.chunks_mut(chunk))
                .zip(self.second.chunks_mut(chunk))
                .zip(self.average.chunks_mut(chunk))
                .enumerate();
            for (part, (((params, first), second), average)) in parts {
                let start = part * chunk;
                scope.spawn(move || {
                    for i in 0..params.len() {
                        let gradient: f32 = gradients.iter().map(|g| g[start + i]).sum();
                        first[i] += (1.0 - BETA1) * (gradient - first[i]);
                        second[i] += (1.0 - BETA2) * (gradient * gradient - second[i]);
                        let move_by = first[i] / bias1 / ((second[i] / bias2).sqrt() + EPSILON);
                        params[i] -= step.rate * (move_by + step.decay * decays[start + i] * params[i]);
                        average[i] += (1.0 - step.average_decay) * (params[i] - average[i]);
                    }
                });
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_minimum_of_a_bowl_and_decays_what_it_should() {
        let mut params = vec![3.0f32, -2.0, 1.0];
        let mut optimizer = AdamW::new(&params);
        for n_done in 0..2000 {
            let gradients = [2.0 * (params[0] - 1.0), 2.0 * (params[1] - 0.5), 0.0];
            let step = Step { rate: 0.01, decay: 0.1, n_done, average_decay: 0.9 };
            optimizer.step(&mut params, &[&gradients], &[0.0, 0.0, 1.0], step, 2);
        }
        assert!((params[0] - 1.0).abs() < 1e-2 && (params[1] - 0.5).abs() < 1e-2, "{params:?}");
        assert!((params[2] - (1.0f32 - 0.001).powi(2000)).abs() < 1e-3, "{params:?}");
        assert!((optimizer.average[0] - params[0]).abs() < 1e-2);
    }
}
