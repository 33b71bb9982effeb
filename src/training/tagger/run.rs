//! The training loop: same data, seed and threads give the same weights, also when it was cut and resumed.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fastrand::Rng;
use serde_json::json;

use super::augment;
use super::checkpoint::{Checkpoint, CheckpointError, Progress};
use super::initial;
use super::network::{Losses, Targets, Worker};
use super::optimizer::{AdamW, Step};
use super::photos::Squares;
use super::predict::{calibrated_statistics, probabilities};
use super::targets::{Policy, TargetTable};
use crate::evaluation::tagger::{Report, Truth, report};
use crate::kernels::isa::Isa;
use crate::tagger::arch::Arch;
use crate::tagger::weights::{Precision, Weights, WeightsError};
use crate::training::labels::{DataError, Labels, Record};

/// What to train on and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder with photos and labels (`docs/data-format.md`).
    pub photos: PathBuf,
    /// Folder for weights, checkpoint and log.
    pub out: PathBuf,
    /// Go on from the checkpoint in `out`.
    pub resumes: bool,
    /// Weights to start from, instead of random ones; of the same network or of a shallower one.
    pub init: Option<PathBuf>,
    /// Passes over the photos.
    pub n_epochs: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Photos per optimizer step.
    pub batch: usize,
    /// Photos per micro-batch, whose statistics the batch norms use.
    pub micro_batch: usize,
    /// Highest learning rate.
    pub rate: f32,
    /// Decoupled weight decay.
    pub decay: f32,
    /// From which fraction of the training on which side is used, ascending.
    pub sides: Vec<(f64, usize)>,
    /// How labels become targets.
    pub policy: Policy,
    /// Weight of the teacher's features per number; 0 trains without them.
    pub feature_weight: f32,
    /// Threads.
    pub n_threads: usize,
    /// Epochs between validations.
    pub epochs_per_validation: f64,
}

/// Why a training stops.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The data folder.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The weights file.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Something else cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The options cannot work with these data.
    #[error("{0}")]
    Options(String),
}

/// Told of every step, for a progress bar.
pub trait Observer {
    /// `step` of `n_steps` is done.
    fn stepped(&mut self, step: u64, n_steps: u64, loss: f64, images_per_second: f64);
    /// A validation is done.
    fn validated(&mut self, epoch: f64, report: &Report);
}

/// Photos that count how often in an epoch: small sources are seen more often, since each source is judged alike.
fn repeats(records: &[&Record]) -> Vec<f64> {
    let count = |source: &str| records.iter().filter(|record| record.source == source).count();
    let mut sizes = std::collections::HashMap::new();
    for record in records {
        sizes.entry(record.source.as_str()).or_insert_with(|| count(&record.source));
    }
    // Chosen, not tuned: the fourth-root-like exponent keeps a source of 100 photos from being learned by heart.
    records.iter().map(|record| (2000.0 / sizes[record.source.as_str()] as f64).powf(0.35).clamp(1.0, 3.0)).collect()
}

/// Places of the photos of one epoch, in order; a fractional repeat comes in that fraction of the epochs.
fn epoch_order(repeats: &[f64], seed: u64, epoch: u64) -> Vec<usize> {
    let mut rng = Rng::with_seed(seed ^ epoch.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut order = Vec::new();
    for (at, &repeat) in repeats.iter().enumerate() {
        let n = repeat as usize + usize::from(rng.f64() < repeat.fract());
        order.extend(std::iter::repeat_n(at, n));
    }
    rng.shuffle(&mut order);
    order
}

/// Learning rate: linear warm-up over the first 3 %, then a half cosine down to 1 % of the peak.
fn rate_at(done: f64, peak: f32) -> f32 {
    const WARM_UP: f64 = 0.03;
    let factor = if done < WARM_UP {
        done / WARM_UP
    } else {
        0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * (done - WARM_UP) / (1.0 - WARM_UP)).cos())
    };
    peak * factor.max(1e-3) as f32
}

/// 1 for convolution and head weights, 0 for biases and batch norms, which decay would only disturb.
fn decays(arch: &Arch) -> Vec<f32> {
    let layout = arch.layout();
    let mut decays = vec![0.0; layout.n_params];
    for unit in &layout.units {
        decays[unit.offset..unit.offset + unit.n_weights()].fill(1.0);
    }
    decays[layout.head..][..arch.n_features * arch.n_tags].fill(1.0);
    decays[layout.embedding..][..arch.n_features * arch.n_embedding].fill(1.0);
    decays
}

/// A training in progress.
struct Run<'a> {
    options: &'a Options,
    arch: Arch,
    labels: &'a Labels,
    /// Record index of each training photo, and of each validation photo.
    train: Vec<usize>,
    validation: Vec<usize>,
    train_squares: Squares,
    validation_squares: Squares,
    targets: TargetTable,
    repeats: Vec<f64>,
    workers: Vec<Worker>,
    decays: Vec<f32>,
}

/// Trains a tagger and leaves `tagger.safetensors` (best on validation), `checkpoint.safetensors`, `tags.txt` and
/// `log.jsonl` in the output folder; returns the best validation report.
///
/// # Errors
/// The data cannot be used, the checkpoint does not fit, or the output folder cannot be written.
pub fn train(options: &Options, observer: &mut dyn Observer) -> Result<Report, TrainError> {
    std::fs::create_dir_all(&options.out).map_err(|source| TrainError::Write { path: options.out.clone(), source })?;
    let labels = Labels::read(&options.photos)?;
    let tags_path = options.out.join("tags.txt");
    std::fs::write(&tags_path, labels.vocabulary.names().join("\n") + "\n")
        .map_err(|source| TrainError::Write { path: tags_path, source })?;
    let mut run = Run::new(options, &labels)?;
    let mut state = run.start()?;
    let steps_per_epoch = (run.repeats.iter().sum::<f64>() / options.batch as f64).max(1.0);
    let n_steps = (options.n_epochs * steps_per_epoch).ceil() as u64;
    let log_path = options.out.join("log.jsonl");
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log_path)
        .map_err(|source| TrainError::Write { path: log_path.clone(), source })?;
    let mut best = None;
    let mut queue = Queue::new(&run.repeats, options, state.progress.step);
    let per_validation = ((options.epochs_per_validation * steps_per_epoch) as u64).max(1);
    let (mut since, mut n_images) = (Instant::now(), 0usize);
    let mut recent = Losses::default();
    while state.progress.step < n_steps {
        let done = state.progress.step as f64 / n_steps as f64;
        let batch = queue.next(&run.repeats);
        let side = options.sides.iter().rfind(|(from, _)| *from <= done).map_or(run.arch.side, |&(_, side)| side);
        let losses = run.step(&mut state, &batch, side, rate_at(done, options.rate));
        recent.tags += losses.tags;
        recent.features += losses.features;
        n_images += batch.len();
        let step = state.progress.step;
        if step.is_multiple_of(20) || step == n_steps {
            let speed = n_images as f64 / since.elapsed().as_secs_f64();
            let (tags, features) = (recent.tags / n_images as f64, recent.features / n_images as f64);
            observer.stepped(step, n_steps, tags + features, speed);
            let line = json!({"step": step, "epoch": step as f64 / steps_per_epoch, "side": side, "loss_tags": tags,
                "loss_features": features, "rate": rate_at(done, options.rate), "images_per_second": speed});
            write_line(&mut log, &log_path, &line)?;
            (since, n_images, recent) = (Instant::now(), 0, Losses::default());
        }
        if step.is_multiple_of(per_validation) || step == n_steps {
            let report = run.validate(&mut state)?;
            let epoch = step as f64 / steps_per_epoch;
            observer.validated(epoch, &report);
            write_line(&mut log, &log_path, &json!({"step": step, "epoch": epoch, "validation": report}))?;
            best = Some(report);
            since = Instant::now();
        }
    }
    match best {
        Some(report) => Ok(report),
        None => run.validate(&mut state),
    }
}

fn write_line(log: &mut File, path: &Path, line: &serde_json::Value) -> Result<(), TrainError> {
    writeln!(log, "{line}").map_err(|source| TrainError::Write { path: path.to_owned(), source })
}

/// The photos of all epochs one after the other, in batches.
struct Queue {
    epoch: u64,
    order: Vec<usize>,
    at: usize,
    seed: u64,
    batch: usize,
}

impl Queue {
    fn new(repeats: &[f64], options: &Options, n_done: u64) -> Self {
        let mut queue = Self {
            epoch: 0,
            order: epoch_order(repeats, options.seed, 0),
            at: 0,
            seed: options.seed,
            batch: options.batch,
        };
        for _ in 0..n_done {
            queue.next(repeats);
        }
        queue
    }

    fn next(&mut self, repeats: &[f64]) -> Vec<usize> {
        let mut batch = Vec::with_capacity(self.batch);
        while batch.len() < self.batch {
            if self.at == self.order.len() {
                self.epoch += 1;
                self.order = epoch_order(repeats, self.seed, self.epoch);
                self.at = 0;
            }
            let n = (self.batch - batch.len()).min(self.order.len() - self.at);
            batch.extend_from_slice(&self.order[self.at..self.at + n]);
            self.at += n;
        }
        batch
    }
}

impl<'a> Run<'a> {
    fn new(options: &'a Options, labels: &'a Labels) -> Result<Self, TrainError> {
        let n_embedding = labels.features.as_ref().filter(|_| options.feature_weight > 0.0).map_or(0, |f| f.n);
        let arch = Arch::base(labels.vocabulary.len(), n_embedding);
        let split = |name: &str| -> Vec<usize> {
            (0..labels.records.len()).filter(|&i| labels.records[i].split == name).collect()
        };
        let (train, validation) = (split("train"), split("val"));
        if train.is_empty() || validation.is_empty() || !options.batch.is_multiple_of(options.micro_batch) {
            return Err(TrainError::Options(format!(
                "{} photos of split train, {} of split val, batch {} in micro-batches of {}; both splits need photos and \
                 the micro-batch must divide the batch",
                train.len(),
                validation.len(),
                options.batch,
                options.micro_batch
            )));
        }
        let of = |idxs: &[usize]| idxs.iter().map(|&i| &labels.records[i]).collect::<Vec<_>>();
        let train_records = of(&train);
        Ok(Self {
            train_squares: Squares::read(&options.photos, &train_records, arch.side)?,
            validation_squares: Squares::read(&options.photos, &of(&validation), arch.side)?,
            targets: TargetTable::build(labels, &options.policy),
            repeats: repeats(&train_records),
            workers: (0..options.n_threads).map(|_| Worker::new(&arch, Isa::best())).collect(),
            decays: decays(&arch),
            options,
            labels,
            train,
            validation,
            arch,
        })
    }

    fn start(&self) -> Result<Checkpoint, TrainError> {
        if self.options.resumes {
            let state = Checkpoint::read(&self.options.out.join("checkpoint.safetensors"))?;
            let Progress { arch, seed, n_threads, .. } = &state.progress;
            if *arch != self.arch || (*seed, *n_threads) != (self.options.seed, self.options.n_threads) {
                let network = if *arch == self.arch { "the same network" } else { "another network or tag list" };
                return Err(TrainError::Options(format!(
                    "the checkpoint is of {network}, seed {seed} and {n_threads} threads; go on with --seed {seed} \
                     --threads {n_threads} and the same tags, or begin anew without --resume"
                )));
            }
            return Ok(state);
        }
        let priors = self.targets.priors(&self.train);
        let mut params = initial::random(&self.arch, &priors, &mut Rng::with_seed(self.options.seed));
        if let Some(path) = &self.options.init {
            initial::graft(&self.arch, &mut params, &Weights::read(path)?)
                .map_err(|reason| TrainError::Options(format!("cannot start from {}: {reason}", path.display())))?;
        }
        let progress = Progress {
            arch: self.arch.clone(),
            step: 0,
            seed: self.options.seed,
            n_threads: self.options.n_threads,
            best: 0.0,
        };
        Ok(Checkpoint { progress, optimizer: AdamW::new(&params), params })
    }

    fn step(&mut self, state: &mut Checkpoint, batch: &[usize], side: usize, rate: f32) -> Losses {
        let mut workers = std::mem::take(&mut self.workers);
        let n_threads = workers.len();
        let micro_batches: Vec<&[usize]> = batch.chunks(self.options.micro_batch).collect();
        let (params, step) = (&state.params, state.progress.step);
        let this = &*self;
        let losses: Vec<Losses> = std::thread::scope(|scope| {
            let running: Vec<_> = workers
                .iter_mut()
                .enumerate()
                .map(|(thread, worker)| {
                    let micro_batches = &micro_batches;
                    scope.spawn(move || {
                        worker.gradients.fill(0.0);
                        let mut losses = Losses::default();
                        for (i, photos) in micro_batches.iter().enumerate().skip(thread).step_by(n_threads) {
                            let seed = this.options.seed ^ (step << 8 | i as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93);
                            let part = this.micro_batch(worker, params, photos, side, seed, 1.0 / batch.len() as f32);
                            losses.tags += part.tags;
                            losses.features += part.features;
                        }
                        losses
                    })
                })
                .collect();
            running.into_iter().map(|thread| thread.join().expect("a training thread panicked")).collect()
        });
        let gradients: Vec<&[f32]> = workers.iter().map(|worker| worker.gradients.as_slice()).collect();
        // The average must not hang on the random start: it follows quickly at first.
        let average_decay = 0.999f32.min((1.0 + step as f32) / (10.0 + step as f32));
        let step = Step { rate, decay: self.options.decay, n_done: step, average_decay };
        state.optimizer.step(&mut state.params, &gradients, &self.decays, step, n_threads);
        state.progress.step += 1;
        self.workers = workers;
        losses.iter().fold(Losses::default(), |sum, part| Losses {
            tags: sum.tags + part.tags,
            features: sum.features + part.features,
        })
    }

    fn micro_batch(
        &self,
        worker: &mut Worker,
        params: &[f32],
        photos: &[usize],
        side: usize,
        seed: u64,
        scale: f32,
    ) -> Losses {
        let n = photos.len();
        let n_embedding = self.arch.n_embedding;
        let mut rng = Rng::with_seed(seed);
        let mut images = Vec::with_capacity(n * side * side * 3);
        let (mut tags, mut weights) = (Vec::new(), Vec::new());
        let mut features = Vec::with_capacity(n * n_embedding);
        for &photo in photos {
            augment::random_view(self.train_squares.get(photo), self.train_squares.side, side, &mut rng, &mut images);
            self.targets.append(self.train[photo], &mut tags, &mut weights);
            if let Some(table) = self.labels.features.as_ref().filter(|_| n_embedding > 0) {
                features.extend(table.row(self.train[photo]));
            }
        }
        let feature_weights = vec![self.options.feature_weight; n];
        let targets =
            Targets { tags: &tags, weights: &weights, features: &features, feature_weights: &feature_weights, scale };
        worker.forward(params, &images, n, side);
        worker.backward(params, &images, n, side, &targets)
    }

    /// Judges the averaged weights, keeps them if they are the best so far, and writes the checkpoint.
    fn validate(&mut self, state: &mut Checkpoint) -> Result<Report, TrainError> {
        let params = state.optimizer.average.clone();
        let side = self.arch.side;
        let statistics = calibrated_statistics(&mut self.workers, &params, &self.train_squares, side);
        let probs = probabilities(&mut self.workers, &self.arch, &params, &statistics, &self.validation_squares, side);
        let truths: Vec<Truth> = self.validation.iter().map(|&i| truth(self.labels, i)).collect();
        let report = report(&truths, &probs, self.arch.n_tags);
        let score = report.mean.map_strict.unwrap_or(0.0);
        if score >= state.progress.best {
            state.progress.best = score;
            let weights = Weights { arch: self.arch.clone(), params, statistics };
            weights.write(&self.options.out.join("tagger.safetensors"), Precision::F16)?;
        }
        state.write(&self.options.out.join("checkpoint.safetensors"))?;
        Ok(report)
    }
}

/// What a record says, for evaluation.
pub fn truth(labels: &Labels, record_idx: usize) -> Truth<'_> {
    let record = &labels.records[record_idx];
    let idxs = |tags: &[crate::tagger::vocabulary::TagId]| tags.iter().map(|tag| usize::from(tag.0)).collect();
    Truth {
        source: &record.source,
        stated: idxs(&record.tags),
        unsure: idxs(&record.unsure),
        known: idxs(labels.known_to(&record.source)),
    }
}
