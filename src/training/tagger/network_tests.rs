//! The network's gradients against finite differences.

use super::network::*;
use super::oracle::tiny;
use crate::kernels::isa::Isa;
use crate::tagger::arch::Arch;

struct Case {
    arch: Arch,
    params: Vec<f32>,
    images: Vec<f32>,
    tags: Vec<f32>,
    weights: Vec<f32>,
    features: Vec<f32>,
}

const N: usize = 4;
const SIDE: usize = 24;

fn case() -> Case {
    let mut rng = fastrand::Rng::with_seed(11);
    let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.5).collect() };
    let arch = tiny();
    let layout = arch.layout();
    let mut params = random(layout.n_params);
    for unit in &layout.units {
        params[unit.offset + unit.n_weights()..][..unit.n_out].fill(1.0);
    }
    let images = random(N * SIDE * SIDE * 3);
    let tags = random(N * 5).iter().map(|x| x + 0.5).collect();
    let weights = random(N * 5).iter().map(|x| x + 0.5).collect();
    Case { arch, params, images, tags, weights, features: random(N * 3) }
}

fn run(case: &Case, params: &[f32], worker: &mut Worker) -> f64 {
    let targets = Targets {
        tags: &case.tags,
        weights: &case.weights,
        features: &case.features,
        feature_weights: &[1.0, 0.5, 0.0, 2.0],
        scale: 1.0,
    };
    worker.gradients.fill(0.0);
    worker.forward(params, &case.images, N, SIDE);
    let losses = worker.backward(params, &case.images, N, SIDE, &targets);
    losses.tags + losses.features
}

#[test]
fn gradients_equal_finite_differences_for_every_parameter_group() {
    let case = case();
    let layout = case.arch.layout();
    for isa in Isa::available() {
        let mut worker = Worker::new(&case.arch, isa);
        run(&case, &case.params, &mut worker);
        let gradients = worker.gradients.clone();
        // Along a random direction within each group, so that a single kink of an activation hardly matters.
        let mut groups: Vec<(usize, usize)> =
            layout.units.iter().map(|unit| (unit.offset, unit.n_weights() + 2 * unit.n_out)).collect();
        groups.push((layout.head, layout.embedding - layout.head));
        groups.push((layout.embedding, layout.n_params - layout.embedding));
        let mut rng = fastrand::Rng::with_seed(12);
        for (start, n) in groups {
            let direction: Vec<f32> = (0..n).map(|_| rng.f32() - 0.5).collect();
            // Small: in a net this narrow, kinks of the activations bend longer steps visibly.
            let step = 5e-5f32;
            let moved = |sign: f32| {
                let mut params = case.params.clone();
                for (p, d) in params[start..start + n].iter_mut().zip(&direction) {
                    *p += sign * step * d;
                }
                params
            };
            let expected = (run(&case, &moved(1.0), &mut worker) - run(&case, &moved(-1.0), &mut worker))
                / (2.0 * f64::from(step));
            let found: f64 =
                gradients[start..start + n].iter().zip(&direction).map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
            let size = gradients[start..start + n].iter().map(|g| g * g).sum::<f32>().sqrt();
            assert!(size > 0.0, "no gradient reaches the parameters from {start}");
            let tolerance = 0.02 * (f64::from(size) + 0.1);
            assert!((found - expected).abs() < tolerance, "at {start}: {found} and {expected}, {}", isa.name());
        }
    }
}
