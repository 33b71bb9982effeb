//! Our side of `tagger.py`: writes a case with our outputs and gradients, then runs passes whenever it is told to, so
//! that the script can time both sides in turns.

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use image2song::kernels::batch_norm::Activation;
use image2song::kernels::isa::Isa;
use image2song::photo::{Decoded, Limits};
use image2song::tagger::arch::Arch;
use image2song::tagger::infer::{Inference, pixel};
use image2song::tagger::pool::pool;
use image2song::tagger::weights::{Precision, Weights};
use image2song::training::tagger::network::{Losses, Targets, Worker};
use image2song::training::tagger::optimizer::{AdamW, Step};
use safetensors::tensor::{Dtype, TensorView};

/// Photos of the case whose gradients are compared: one micro-batch.
const N_CHECKED: usize = 16;
const CHECKED_SIDE: usize = 96;
/// Photos of a timed step, per micro-batch, and their side.
const BATCH: usize = 64;
const MICRO_BATCH: usize = 16;
const TIMED_SIDE: usize = 112;
const N_THREADS: usize = 2;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, rest @ ..] = &args[..] else { bail!("usage: tagger-peer DIR [WEIGHTS [PHOTO]]") };
    let weights = match rest.first() {
        Some(path) => Weights::read(Path::new(path))?,
        None => smooth_weights(),
    };
    let rgb = match rest.get(1) {
        Some(path) => {
            let bytes = std::fs::read(path).with_context(|| format!("cannot open {path}"))?;
            Decoded::from_bytes(&bytes, &Limits::default())?.square(weights.arch.side).rgb
        }
        None => {
            let mut rng = fastrand::Rng::with_seed(1);
            (0..weights.arch.side.pow(2) * 3).map(|_| rng.u8(..)).collect()
        }
    };
    write_case(Path::new(dir), &weights, &rgb)?;
    answer(&weights, &rgb)
}

fn random(n: usize, low: f32, high: f32, rng: &mut fastrand::Rng) -> Vec<f32> {
    (0..n).map(|_| low + (high - low) * rng.f32()).collect()
}

/// Weights under which no activation comes near a kink, where the last digit of a sum would decide a gradient: most
/// channels pass everything, some are always 0 and some always 6.
fn smooth_weights() -> Weights {
    let arch = Arch::base(363, 64);
    let layout = arch.layout();
    let mut rng = fastrand::Rng::with_seed(2);
    let mut params = random(layout.n_params, -1.0, 1.0, &mut rng);
    let mut statistics = random(layout.n_statistics, -0.3, 0.3, &mut rng);
    for unit in &layout.units {
        let size = (3.0 / unit.fan_in() as f32).sqrt();
        params[unit.offset..][..unit.n_weights()].iter_mut().for_each(|weight| *weight *= size);
        let (gamma, beta) = params[unit.offset + unit.n_weights()..][..2 * unit.n_out].split_at_mut(unit.n_out);
        gamma.copy_from_slice(&random(unit.n_out, 0.3, 0.5, &mut rng));
        if unit.activation == Activation::Relu6 {
            beta.iter_mut().zip([3.0, 3.0, -4.0, 3.0, 3.0, 10.0].iter().cycle()).for_each(|(to, &from)| *to = from);
        }
        let variance = random(unit.n_out, 0.5, 2.0, &mut rng);
        statistics[unit.statistics + unit.n_out..][..unit.n_out].copy_from_slice(&variance);
    }
    let size = (3.0 / arch.n_features as f32).sqrt();
    params[layout.head..].iter_mut().for_each(|weight| *weight *= size);
    Weights { arch, params, statistics }
}

/// Training photos and what they are judged by.
struct Batch {
    images: Vec<f32>,
    tags: Vec<f32>,
    weights: Vec<f32>,
    features: Vec<f32>,
    feature_weights: Vec<f32>,
}

impl Batch {
    fn new(arch: &Arch, n: usize, side: usize) -> Self {
        let mut rng = fastrand::Rng::with_seed(3);
        Self {
            images: random(n * side * side * 3, -1.0, 1.0, &mut rng),
            tags: random(n * arch.n_tags, 0.0, 1.0, &mut rng),
            weights: random(n * arch.n_tags, 0.0, 1.0, &mut rng),
            features: random(n * arch.n_embedding, -1.0, 1.0, &mut rng),
            feature_weights: random(n, 0.0, 1.0, &mut rng),
        }
    }

    /// Adds the gradients of photos `first..first + n` of `n_all` to those of the worker.
    fn run(&self, arch: &Arch, worker: &mut Worker, params: &[f32], side: usize, first: usize, n: usize) -> Losses {
        let of = |values: &[f32]| -> std::ops::Range<usize> {
            let each = values.len() / self.feature_weights.len();
            first * each..(first + n) * each
        };
        let targets = Targets {
            tags: &self.tags[of(&self.tags)],
            weights: &self.weights[of(&self.weights)],
            features: &self.features[first * arch.n_embedding..(first + n) * arch.n_embedding],
            feature_weights: &self.feature_weights[first..first + n],
            scale: 1.0 / self.feature_weights.len() as f32,
        };
        let images = &self.images[of(&self.images)];
        worker.forward(params, images, n, side);
        worker.backward(params, images, n, side, &targets)
    }
}

fn write_case(dir: &Path, weights: &Weights, rgb: &[u8]) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    weights.write(&dir.join("tagger.safetensors"), Precision::F32)?;
    let Weights { arch, params, statistics } = weights;
    let side = arch.side;
    let mut tensors: HashMap<&str, (Vec<usize>, Vec<f32>)> = HashMap::new();
    let mut inference = Inference::new(arch, params, statistics);
    let seen = inference.run(rgb, side);
    let (logits, _) = pool(seen.region_logits, arch.n_tags, arch.sharpness);
    let n_regions = seen.region_logits.len() / arch.n_tags;
    tensors.insert("photo", (vec![1, side, side, 3], rgb.iter().map(|&byte| pixel(byte)).collect()));
    tensors.insert("served.region_logits", (vec![1, n_regions, arch.n_tags], seen.region_logits.to_vec()));
    tensors.insert("served.logits", (vec![1, arch.n_tags], logits));
    tensors.insert("served.pooled", (vec![1, arch.n_features], seen.pooled.to_vec()));
    tensors.insert("served.embedding", (vec![1, arch.n_embedding], seen.embedding.to_vec()));
    let n = N_CHECKED;
    let batch = Batch::new(arch, n, CHECKED_SIDE);
    let mut worker = Worker::new(arch, Isa::best());
    let losses = batch.run(arch, &mut worker, params, CHECKED_SIDE, 0, n);
    // The backward pass wrote over the outputs, so they come from a pass of their own.
    let mut fresh = Worker::new(arch, Isa::best());
    fresh.forward(params, &batch.images, n, CHECKED_SIDE);
    tensors.insert("trained.logits", (vec![n, arch.n_tags], fresh.logits[..n * arch.n_tags].to_vec()));
    tensors.insert("trained.gradients", (vec![worker.gradients.len()], worker.gradients));
    tensors.insert("trained.loss", (vec![1], vec![((losses.tags + losses.features) / n as f64) as f32]));
    tensors.insert("images", (vec![n, CHECKED_SIDE, CHECKED_SIDE, 3], batch.images));
    tensors.insert("tags", (vec![n, arch.n_tags], batch.tags));
    tensors.insert("weights", (vec![n, arch.n_tags], batch.weights));
    tensors.insert("features", (vec![n, arch.n_embedding], batch.features));
    tensors.insert("feature_weights", (vec![n, 1], batch.feature_weights));
    let bytes: Vec<(&str, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, (shape, values))| (name, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        .collect();
    let views =
        bytes.iter().map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    std::fs::write(dir.join("case.safetensors"), safetensors::serialize(views.collect::<Result<Vec<_>>>()?, None)?)?;
    Ok(())
}

/// Obeys lines of standard input, `step` or `serve`, and answers each with `done`.
fn answer(weights: &Weights, rgb: &[u8]) -> Result<()> {
    let Weights { arch, params, statistics } = weights;
    let mut inference = Inference::new(arch, params, statistics);
    let mut workers: Vec<Worker> = (0..N_THREADS).map(|_| Worker::new(arch, Isa::best())).collect();
    let batch = Batch::new(arch, BATCH, TIMED_SIDE);
    let mut params = params.clone();
    let mut optimizer = AdamW::new(&params);
    let decays = vec![1.0; params.len()];
    println!(
        "{}",
        serde_json::json!({"isa": Isa::best().name(), "batch": BATCH, "micro_batch": MICRO_BATCH,
        "side": TIMED_SIDE, "threads": N_THREADS})
    );
    for (n_done, line) in (0u64..).zip(std::io::stdin().lock().lines()) {
        match line?.as_str() {
            "serve" => {
                inference.run(rgb, arch.side);
            }
            "step" => {
                std::thread::scope(|scope| {
                    for (thread, worker) in workers.iter_mut().enumerate() {
                        let (batch, params) = (&batch, &params);
                        scope.spawn(move || {
                            worker.gradients.fill(0.0);
                            for first in (thread * MICRO_BATCH..BATCH).step_by(N_THREADS * MICRO_BATCH) {
                                batch.run(arch, worker, params, TIMED_SIDE, first, MICRO_BATCH);
                            }
                        });
                    }
                });
                let gradients: Vec<&[f32]> = workers.iter().map(|worker| worker.gradients.as_slice()).collect();
                let step = Step { rate: 1e-4, decay: 0.03, n_done, average_decay: 0.999 };
                optimizer.step(&mut params, &gradients, &decays, step, N_THREADS);
            }
            other => bail!("unknown command {other:?}; known are step and serve"),
        }
        println!("done");
        std::io::stdout().flush()?;
    }
    Ok(())
}
