//! The native passes judged against the same network as a candle graph: outputs, losses and every gradient.

use candle_core::{Device, Result, Tensor};

use super::network::{Targets, Worker};
use crate::kernels::batch_norm::Activation;
use crate::kernels::isa::Isa;
use crate::kernels::ops::Route;
use crate::tagger::arch::{Arch, Stage};
use crate::tagger::graph::Graph;

pub(super) fn tiny() -> Arch {
    let stage = |channels, n_blocks, stride| Stage { expand: 2, channels, n_blocks, stride };
    Arch {
        side: 32,
        stem: vec![16, 16],
        stages: vec![stage(16, 1, 1), stage(32, 2, 2)],
        n_features: 32,
        n_tags: 5,
        n_embedding: 3,
        sharpness: 1.5,
    }
}

struct Case {
    arch: Arch,
    n: usize,
    side: usize,
    params: Vec<f32>,
    statistics: Vec<f32>,
    images: Vec<f32>,
    tags: Vec<f32>,
    weights: Vec<f32>,
    features: Vec<f32>,
    feature_weights: Vec<f32>,
}

impl Case {
    fn new(arch: Arch, n: usize, side: usize) -> Self {
        let layout = arch.layout();
        let mut rng = fastrand::Rng::with_seed(21);
        let mut random =
            |n: usize, low: f32, high: f32| -> Vec<f32> { (0..n).map(|_| low + (high - low) * rng.f32()).collect() };
        let mut params = random(layout.n_params, -1.0, 1.0);
        for unit in &layout.units {
            let size = (3.0 / unit.fan_in() as f32).sqrt();
            params[unit.offset..][..unit.n_weights()].iter_mut().for_each(|w| *w *= size);
            let norm = &mut params[unit.offset + unit.n_weights()..][..2 * unit.n_out];
            norm[..unit.n_out].copy_from_slice(&random(unit.n_out, 0.7, 1.3));
        }
        let head = (3.0 / arch.n_features as f32).sqrt();
        params[layout.head..].iter_mut().for_each(|w| *w *= head);
        let mut statistics = random(layout.n_statistics, -0.3, 0.3);
        for unit in &layout.units {
            let variance = random(unit.n_out, 0.5, 2.0);
            statistics[unit.statistics + unit.n_out..][..unit.n_out].copy_from_slice(&variance);
        }
        Self {
            n,
            side,
            params,
            statistics,
            images: random(n * side * side * 3, -1.0, 1.0),
            tags: random(n * arch.n_tags, 0.0, 1.0),
            weights: random(n * arch.n_tags, 0.0, 1.0),
            features: random(n * arch.n_embedding, -1.0, 1.0),
            feature_weights: random(n, 0.0, 1.0),
            arch,
        }
    }

    /// Away from the kinks of the activations, where another order of sums may flip a gradient: most channels pass
    /// everything, some are always 0 and some always 6.
    fn without_kinks(mut self) -> Self {
        for unit in self.arch.layout().units {
            let norm = &mut self.params[unit.offset + unit.n_weights()..][..2 * unit.n_out];
            let (gamma, beta) = norm.split_at_mut(unit.n_out);
            gamma.iter_mut().for_each(|gamma| *gamma *= 0.4);
            if unit.activation == Activation::Relu6 {
                beta.iter_mut().zip([3.0, 3.0, -4.0, 3.0, 3.0, 10.0].iter().cycle()).for_each(|(to, &from)| *to = from);
            }
        }
        self
    }

    fn graph(&self, route: Route) -> Graph {
        Graph::new(&self.arch, &self.params, &self.statistics, route, &Device::Cpu).unwrap()
    }

    fn images(&self) -> Tensor {
        Tensor::from_slice(&self.images, (self.n, self.side, self.side, 3), &Device::Cpu).unwrap()
    }

    fn targets(&self) -> Targets<'_> {
        Targets {
            tags: &self.tags,
            weights: &self.weights,
            features: &self.features,
            feature_weights: &self.feature_weights,
            scale: 1.0,
        }
    }

    /// The loss that [`Worker::backward`] takes the gradient of.
    fn loss(&self, logits: &Tensor, embedding: &Tensor) -> Result<Tensor> {
        let of = |values: &[f32], like: &Tensor| Tensor::from_slice(values, like.shape(), &Device::Cpu);
        let softplus = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
        let entropy = ((logits.relu()? - (logits * of(&self.tags, logits)?)?)? + softplus)?;
        let errors = (embedding - of(&self.features, embedding)?)?.sqr()?;
        let feature_weights = Tensor::from_slice(&self.feature_weights, (self.n, 1), &Device::Cpu)?;
        (entropy * of(&self.weights, logits)?)?.sum_all()? + errors.broadcast_mul(&feature_weights)?.sum_all()?
    }
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn length(values: impl Iterator<Item = f32>) -> f32 {
    values.map(|x| x * x).sum::<f32>().sqrt()
}

/// `found` differs from `expected` by less than `tolerance` times the latter's length, or by less than `floor` does.
fn assert_near_or(found: &[f32], expected: &[f32], tolerance: f32, floor: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = length(expected.iter().copied());
    let error = length(found.iter().zip(expected).map(|(a, b)| a - b));
    assert!(error < tolerance * size.max(floor), "{what}: off by {error}, the length is {size}");
}

fn assert_near(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_near_or(found, expected, tolerance, 0.0, what);
}

/// Compares the passes of each pair of instruction set and route.
fn check(case: &Case, pairs: impl Fn(Isa, Route) -> bool) {
    let tolerance = 1e-4;
    for route in Isa::available().into_iter().map(Route::Kernels).chain([Route::Composed]) {
        let graph = case.graph(route);
        let (output, statistics) = graph.train(&case.images()).unwrap();
        let loss = case.loss(&output.logits, output.embedding.as_ref().unwrap()).unwrap();
        let store = loss.backward().unwrap();
        let expected = graph.gradients(&store).unwrap();
        // A batch norm takes a shift of its input out again, so some gradients are nothing but rounding.
        let floor = 1e-2 * length(expected.iter().copied());
        for isa in Isa::available().into_iter().filter(|&isa| pairs(isa, route)) {
            let what = format!("{} against {route:?}", isa.name());
            let mut worker = Worker::new(&case.arch, isa);
            worker.forward(&case.params, &case.images, case.n, case.side);
            assert_near(&worker.logits, &flat(&output.logits), tolerance, &format!("logits, {what}"));
            let embedding = flat(output.embedding.as_ref().unwrap());
            assert_near(&worker.embeddings, &embedding, tolerance, &format!("embeddings, {what}"));
            let found: Vec<f32> = worker.batch_statistics().collect();
            assert_near(&found, &flat(&statistics), tolerance, &format!("statistics, {what}"));
            let losses = worker.backward(&case.params, &case.images, case.n, case.side, &case.targets());
            let total = [(losses.tags + losses.features) as f32];
            assert_near(&total, &[loss.to_scalar().unwrap()], tolerance, &format!("loss, {what}"));
            for parameter in graph.parameters() {
                let range = parameter.range.clone();
                let what = format!("gradient of {}, {what}", parameter.name);
                assert_near_or(&worker.gradients[range.clone()], &expected[range], tolerance, floor, &what);
            }
        }
    }
}

#[test]
fn native_passes_equal_the_graph_on_the_same_kernels() {
    for case in [Case::new(tiny(), 3, 40), Case::new(Arch::base(37, 24), 4, 64)] {
        check(&case, |isa, route| route == Route::Kernels(isa));
    }
}

#[test]
fn native_passes_equal_the_graph_on_every_route() {
    // Enough photos and pixels that the statistics of the last, smallest map are well conditioned.
    for case in [Case::new(tiny(), 3, 40), Case::new(Arch::base(37, 24), 6, 96)] {
        check(&case.without_kinks(), |_, _| true);
    }
}

#[test]
fn every_trainable_tensor_receives_a_gradient() {
    let case = Case::new(Arch::base(37, 24), 2, 64);
    let graph = case.graph(Route::of(&Device::Cpu));
    let (output, _) = graph.train(&case.images()).unwrap();
    let loss = case.loss(&output.logits, output.embedding.as_ref().unwrap()).unwrap();
    let store = loss.backward().unwrap();
    let mut n_covered = 0;
    for parameter in graph.parameters() {
        let gradient = flat(store.get(&parameter.var).expect("the parameter has a gradient"));
        assert_eq!(gradient.len(), parameter.range.len(), "{}", parameter.name);
        assert!(gradient.iter().any(|&g| g != 0.0), "the gradient of {} is zero", parameter.name);
        n_covered += gradient.len();
    }
    assert_eq!(n_covered, case.arch.layout().n_params, "the tensors cover all parameters");
    assert_eq!(graph.params().unwrap(), case.params);
}

#[test]
fn the_graph_serves_with_running_statistics_as_it_trains_with_those_of_the_batch() {
    let case = Case::new(tiny(), 3, 40);
    for route in [Route::Kernels(Isa::best()), Route::Composed] {
        let mut graph = case.graph(route);
        let (trained, statistics) = graph.train(&case.images()).unwrap();
        let other = graph.serve(&case.images()).unwrap();
        assert!(flat(&other.logits).iter().zip(flat(&trained.logits)).any(|(a, b)| (a - b).abs() > 1e-2));
        graph.set_statistics(&flat(&statistics)).unwrap();
        let served = graph.serve(&case.images()).unwrap();
        assert_near(&flat(&served.logits), &flat(&trained.logits), 1e-4, "logits");
        assert_near(&flat(&served.region_logits), &flat(&trained.region_logits), 1e-4, "region logits");
    }
}
