//! The tagger's speed: depthwise convolution, serving and a training step, each beside candle's own operations as they
//! are (NCHW, grouped convolutions, batch norm from single operations). Prints the ratios first, measured in turns.

use std::hint::black_box;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Result, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use image2song::kernels::batch_norm::{Activation, EPSILON};
use image2song::kernels::depthwise::{self, Shape};
use image2song::kernels::isa::Isa;
use image2song::kernels::ops::Route;
use image2song::tagger::arch::{Arch, Kind, Layout, Unit};
use image2song::tagger::graph::Graph;
use image2song::tagger::infer::Inference;
use image2song::training::tagger::network::{Targets, Worker};

const SERVED_SIDE: usize = 128;
const TRAINED_SIDE: usize = 112;
const MICRO_BATCH: usize = 8;

fn random(n: usize, rng: &mut fastrand::Rng) -> Vec<f32> {
    (0..n).map(|_| rng.f32() - 0.5).collect()
}

/// The base network with random numbers.
struct Model {
    arch: Arch,
    params: Vec<f32>,
    statistics: Vec<f32>,
    images: Vec<f32>,
    rgb: Vec<u8>,
}

impl Model {
    fn new() -> Self {
        let arch = Arch::base(363, 64);
        let layout = arch.layout();
        let mut rng = fastrand::Rng::with_seed(1);
        let mut params = random(layout.n_params, &mut rng);
        for unit in &layout.units {
            let scale = (12.0 / unit.fan_in() as f32).sqrt();
            params[unit.offset..][..unit.n_weights()].iter_mut().for_each(|weight| *weight *= scale);
            params[unit.offset + unit.n_weights()..][..unit.n_out].fill(1.0);
        }
        Self {
            params,
            statistics: (0..layout.n_statistics).map(|_| rng.f32() + 0.5).collect(),
            images: random(MICRO_BATCH * TRAINED_SIDE * TRAINED_SIDE * 3, &mut rng),
            rgb: (0..SERVED_SIDE * SERVED_SIDE * 3).map(|_| rng.u8(..)).collect(),
            arch,
        }
    }

    fn native_step(&self, worker: &mut Worker) {
        let (n, n_tags, n_embedding) = (MICRO_BATCH, self.arch.n_tags, self.arch.n_embedding);
        let (tags, features) = (vec![0.5; n * n_tags], vec![0.0; n * n_embedding]);
        let (weights, feature_weights) = (vec![1.0; n * n_tags], vec![1.0; n]);
        let targets = Targets {
            tags: &tags,
            weights: &weights,
            features: &features,
            feature_weights: &feature_weights,
            scale: 1.0 / n as f32,
        };
        worker.gradients.fill(0.0);
        worker.forward(&self.params, &self.images, n, TRAINED_SIDE);
        black_box(worker.backward(&self.params, &self.images, n, TRAINED_SIDE, &targets));
    }

    fn graph_step(&self, graph: &Graph) -> Result<()> {
        let shape = (MICRO_BATCH, TRAINED_SIDE, TRAINED_SIDE, 3);
        let images = Tensor::from_slice(&self.images, shape, &Device::Cpu)?;
        let loss = graph.train(&images)?.0.logits.sqr()?.mean_all()?;
        black_box(loss.backward()?);
        Ok(())
    }
}

/// The convolutions as candle has them: NCHW, and a depthwise one is a grouped one.
struct AsIs {
    layout: Layout,
    units: Vec<[Var; 3]>,
}

impl AsIs {
    fn new(model: &Model) -> Result<Self> {
        let layout = model.arch.layout();
        let of = |unit: &Unit| {
            let Unit { n_in, n_out, offset, .. } = *unit;
            let n_weights = unit.n_weights();
            let weight = Tensor::from_slice(&model.params[offset..][..n_weights], n_weights, &Device::Cpu)?;
            let weight = match unit.kind {
                Kind::Dense => weight.reshape((3, 3, n_in, n_out))?.permute((3, 2, 0, 1))?,
                Kind::Depthwise => weight.reshape((3, 3, 1, n_out))?.permute((3, 2, 0, 1))?,
                Kind::Pointwise => weight.reshape((1, 1, n_in, n_out))?.permute((3, 2, 0, 1))?,
            };
            let ones = Tensor::ones((1, n_out, 1, 1), DType::F32, &Device::Cpu)?;
            let weight = Var::from_tensor(&weight.contiguous()?)?;
            Ok([weight, Var::from_tensor(&ones)?, Var::from_tensor(&ones.zeros_like()?)?])
        };
        Ok(Self { units: layout.units.iter().map(of).collect::<Result<_>>()?, layout })
    }

    /// Features, with batch norm by the statistics of the batch: serving would save a few of its passes.
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let mut inputs: Vec<Tensor> = Vec::new();
        let mut x = images.clone();
        for (unit, [weight, gamma, beta]) in self.layout.units.iter().zip(&self.units) {
            inputs.push(x.clone());
            let (padding, groups) = match unit.kind {
                Kind::Dense => (1, 1),
                Kind::Depthwise => (1, unit.n_in),
                Kind::Pointwise => (0, 1),
            };
            let raw = x.conv2d(weight, padding, unit.stride, 1, groups)?;
            let mean = raw.mean_keepdim((0, 2, 3))?;
            let centered = raw.broadcast_sub(&mean)?;
            let variance = centered.sqr()?.mean_keepdim((0, 2, 3))?;
            let scale = gamma.div(&(variance + f64::from(EPSILON))?.sqrt()?)?;
            x = centered.broadcast_mul(&scale)?.broadcast_add(beta)?;
            if unit.activation == Activation::Relu6 {
                x = x.clamp(0f32, 6f32)?;
            }
            if let Some(first) = unit.adds_input_of {
                x = (x + &inputs[first])?;
            }
        }
        Ok(x)
    }
}

/// Times two things in turns and prints the medians and their ratio.
fn compare(what: &str, n: usize, names: [&str; 2], ours: &mut dyn FnMut(), peer: &mut dyn FnMut()) {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1e3
    };
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..n {
        a.push(time(ours));
        b.push(time(peer));
    }
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let (a, b) = (a[n / 2], b[n / 2]);
    println!("{what}: {} {a:.2} ms, {} {b:.2} ms, {:.1}x (medians of {n}, wall)", names[0], names[1], b / a);
}

/// Inputs of a depthwise convolution and its gradients, for both sides.
struct DepthwiseCase {
    shape: Shape,
    images: Vec<f32>,
    weights: Vec<f32>,
    gradients: Vec<f32>,
}

impl DepthwiseCase {
    fn new(channels: usize, side: usize) -> Self {
        let mut rng = fastrand::Rng::with_seed(2);
        let shape = Shape { n: 1, side, channels, stride: 1 };
        let n = side * side * channels;
        let weights = random(9 * channels, &mut rng);
        Self { shape, images: random(n, &mut rng), weights, gradients: random(n, &mut rng) }
    }

    fn ours(&self, isa: Isa, work: &mut [Vec<f32>; 3]) {
        let [outputs, d_images, d_weights] = work;
        depthwise::forward(isa, self.shape, &self.images, &self.weights, outputs);
        depthwise::image_gradient(isa, self.shape, &self.gradients, &self.weights, d_images);
        depthwise::weight_gradient(isa, self.shape, &self.gradients, &self.images, d_weights);
        black_box(work);
    }

    fn work(&self) -> [Vec<f32>; 3] {
        [vec![0.0; self.images.len()], vec![0.0; self.images.len()], vec![0.0; self.weights.len()]]
    }

    fn candle(&self) -> Result<()> {
        let Shape { side, channels, .. } = self.shape;
        let images = Var::from_slice(&self.images, (1, channels, side, side), &Device::Cpu)?;
        let weights = Var::from_slice(&self.weights, (channels, 1, 3, 3), &Device::Cpu)?;
        let gradients = Tensor::from_slice(&self.gradients, (1, channels, side, side), &Device::Cpu)?;
        let output = images.conv2d(&weights, 1, 1, 1, channels)?;
        black_box((output * gradients)?.sum_all()?.backward()?);
        Ok(())
    }
}

fn ratios(_: &mut Criterion) {
    let isa = Isa::best();
    println!("instruction set {}, one thread of ours, candle as it likes", isa.name());
    for (channels, side) in [(96, 32), (512, 8)] {
        let case = DepthwiseCase::new(channels, side);
        let mut work = case.work();
        let what = format!("depthwise {channels} x {side} x {side}, forward and gradients");
        compare(&what, 9, ["ours", "candle"], &mut || case.ours(isa, &mut work), &mut || case.candle().unwrap());
    }
    let model = Model::new();
    let as_is = AsIs::new(&model).unwrap();
    let mut inference = Inference::new(&model.arch, &model.params, &model.statistics);
    let photo = Tensor::zeros((1, 3, SERVED_SIDE, SERVED_SIDE), DType::F32, &Device::Cpu).unwrap();
    let mut serve = || {
        black_box(inference.run(&model.rgb, SERVED_SIDE));
    };
    let mut candle_serve = || {
        black_box(as_is.forward(&photo).unwrap());
    };
    compare("serving at 128 px", 9, ["ours", "candle"], &mut serve, &mut candle_serve);
    let mut worker = Worker::new(&model.arch, isa);
    let shape = (MICRO_BATCH, 3, TRAINED_SIDE, TRAINED_SIDE);
    let images = Tensor::from_slice(&model.images, shape, &Device::Cpu).unwrap();
    let mut train = || model.native_step(&mut worker);
    let mut candle_train = || {
        let loss = as_is.forward(&images).unwrap().sqr().unwrap().mean_all().unwrap();
        black_box(loss.backward().unwrap());
    };
    compare("training step of 8 at 112 px", 1, ["ours", "candle"], &mut train, &mut candle_train);
    let graph = Graph::new(&model.arch, &model.params, &model.statistics, Route::Kernels(isa), &Device::Cpu).unwrap();
    let mut graph_train = || model.graph_step(&graph).unwrap();
    compare("training step of 8 at 112 px", 5, ["ours", "graph on our kernels"], &mut train, &mut graph_train);
}

fn kernels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("depthwise, forward and gradients");
    for (channels, side) in [(96, 32), (512, 8)] {
        let case = DepthwiseCase::new(channels, side);
        let mut work = case.work();
        for isa in Isa::available() {
            let name = format!("{channels} x {side} x {side} {}", isa.name());
            group.bench_function(name, |bencher| bencher.iter(|| case.ours(isa, &mut work)));
        }
    }
}

fn passes(criterion: &mut Criterion) {
    let model = Model::new();
    let mut group = criterion.benchmark_group("tagger");
    group.sample_size(20).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1));
    for isa in Isa::available() {
        let mut inference = Inference::on(isa, &model.arch, &model.params, &model.statistics);
        group.bench_function(format!("serve 128 px {}", isa.name()), |bencher| {
            bencher.iter(|| black_box(inference.run(&model.rgb, SERVED_SIDE).pooled[0]));
        });
    }
    let mut worker = Worker::new(&model.arch, Isa::best());
    group.bench_function("train 8 at 112 px", |bencher| bencher.iter(|| model.native_step(&mut worker)));
}

criterion_group!(benches, ratios, kernels, passes);
criterion_main!(benches);
