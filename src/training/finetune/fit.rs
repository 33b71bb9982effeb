//! The loop: batches of answers and check queries, early stopping on later answers.

use std::path::Path;

use super::checkpoint::{self, Progress, State};
use super::error::FinetuneError;
use super::features::Item;
use super::graph::{Depth, Graph, Ground};
use crate::matcher::adapter::Adapter;
use crate::training::matcher_optimizer::AdamW;

/// How a fit is done.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Settings {
    /// What is trained.
    pub depth: Depth,
    /// Seed of all that is drawn.
    pub seed: u64,
    /// Highest learning rate.
    pub rate: f32,
    /// Weight of the anchor.
    pub anchor: f64,
    /// Most steps.
    pub max_steps: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { depth: Depth::Head, seed: 1, rate: 0.02, anchor: 1.0, max_steps: 1200 }
    }
}

/// Answers and check queries of a step.
const N_ANSWERS: usize = 256;
const N_CHECKS: usize = 32;

/// Least steps: a small log is one batch, which the optimizer goes over again and again.
const MIN_STEPS: usize = 240;

/// Epsilon of the optimizer: what the log says little of has gradients far below it and stays near where it was, where plain
/// Adam would move it as far as what the log is clear about.
const EPSILON: f32 = 0.01;

/// Looks at the later answers in a fit, and how many may pass without a better one.
const N_LOOKS: usize = 20;
const PATIENCE: usize = 6;

/// What there is to fit.
#[derive(Debug)]
pub struct Material<'a> {
    /// Answers with pairs, earlier ones.
    pub train: &'a [Item],
    /// Later ones, which decide when to stop.
    pub later: &'a [Item],
    /// Check queries.
    pub anchors: &'a [Item],
}

/// What came of a fit.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Fitted {
    /// Steps done, and the one that was best.
    pub n_steps: usize,
    /// Steps of the best numbers; 0 if the later answers were predicted best without any change.
    pub best_step: usize,
    /// Mean loss on the later answers' pairs, before and with the best numbers; ln 2 is that of a coin.
    pub held_out: (f64, f64),
}

/// Told of steps done and of how many there are at most.
pub type Observer<'a> = dyn FnMut(usize, usize) + 'a;

fn sum_of_weights(items: &[Item]) -> f64 {
    items.iter().flat_map(|item| &item.pairs).map(|pair| f64::from(pair.weight)).sum()
}

/// Mean loss of items' pairs.
fn held_out(graph: &Graph, ground: &Ground<'_>, items: &[Item]) -> Result<f64, FinetuneError> {
    let mut total = 0.0;
    for part in items.chunks(N_ANSWERS) {
        let batch = graph.batch(&part.iter().collect::<Vec<_>>(), ground)?;
        total += f64::from(graph.pair_loss(&batch, ground)?.to_scalar::<f32>()?);
    }
    Ok(total / sum_of_weights(items).max(1e-9))
}

/// Fits an adapter. `run` names settings and log, so that a checkpoint of another run is not taken up; without `path`
/// none is written. The same material, settings and seed give the same numbers.
///
/// # Errors
/// The loss is no number, a checkpoint cannot be written, or the device failed.
pub fn fit(
    ground: &Ground<'_>,
    material: &Material<'_>,
    settings: &Settings,
    resume: Option<(&Path, &str)>,
    observer: &mut Observer,
) -> Result<(Adapter, Fitted), FinetuneError> {
    let graph = Graph::new(ground, settings.depth, settings.seed)?;
    let n_steps = (6 * material.train.len() / N_ANSWERS).clamp(MIN_STEPS, settings.max_steps.max(MIN_STEPS));
    let between = n_steps.div_ceil(N_LOOKS);
    let known = match resume {
        Some((path, run)) => checkpoint::load(path, run, &graph.vars)?,
        None => None,
    };
    let mut state = match known {
        Some(state) => state,
        None => {
            let start = held_out(&graph, ground, material.later)?;
            let run = resume.map_or(String::new(), |(_, run)| run.to_owned());
            let progress = Progress { run, step: 0, best: (start, 0), losses: vec![start] };
            State { progress, best: checkpoint::values(&graph.vars)?, optimizer: AdamW::default() }
        }
    };
    state.optimizer.epsilon = EPSILON;
    let weight = sum_of_weights(material.train).max(1.0);
    while state.progress.step < n_steps {
        let step = state.progress.step;
        let loss = loss(&graph, ground, material, settings, step, weight)?;
        if !loss.to_scalar::<f32>()?.is_finite() {
            return Err(FinetuneError::Astray);
        }
        let at = step as f32 / n_steps as f32;
        let rate = settings.rate * ((step + 1) as f32 / 10.0).min(1.0);
        let rate = rate * (0.02 + 0.98 * 0.5 * (1.0 + (std::f32::consts::PI * at).cos()));
        state.optimizer.step(&graph.vars, &loss.backward()?, rate)?;
        state.progress.step += 1;
        observer(state.progress.step, n_steps);
        if state.progress.step.is_multiple_of(between) || state.progress.step == n_steps {
            let now = held_out(&graph, ground, material.later)?;
            state.progress.losses.push(now);
            if now < state.progress.best.0 {
                state.progress.best = (now, state.progress.step);
                state.best = checkpoint::values(&graph.vars)?;
            }
            if let Some((path, _)) = resume {
                checkpoint::save(path, &state, &checkpoint::values(&graph.vars)?)?;
            }
            if state.progress.step - state.progress.best.1 > PATIENCE * between {
                break;
            }
        }
    }
    checkpoint::set(&graph.vars, &state.best)?;
    let fitted = Fitted {
        n_steps: state.progress.step,
        best_step: state.progress.best.1,
        held_out: (state.progress.losses[0], state.progress.best.0),
    };
    let adapter = match fitted.best_step {
        0 => Adapter::default(),
        _ => graph.adapter(ground)?.rounded(),
    };
    Ok((adapter, fitted))
}

/// The loss of a step; which answers it sees depends on the step and the seed alone, so that a resumed fit goes on alike.
fn loss(
    graph: &Graph,
    ground: &Ground<'_>,
    material: &Material<'_>,
    settings: &Settings,
    step: usize,
    weight: f64,
) -> Result<candle_core::Tensor, FinetuneError> {
    let drawn = drawn(material.train, N_ANSWERS, step, settings.seed);
    let share = material.train.len() as f64 / drawn.len().max(1) as f64;
    let batch = graph.batch(&drawn, ground)?;
    let pairs = (graph.pair_loss(&batch, ground)? * (share / weight))?;
    let mut loss = (pairs + (graph.pull()? * (1.0 / weight))?)?;
    let anchors = self::drawn(material.anchors, N_CHECKS, step, settings.seed ^ 0x5eed);
    if !anchors.is_empty() && settings.anchor > 0.0 {
        let batch = graph.batch(&anchors, ground)?;
        loss = (loss + (graph.anchor(&batch, ground)? * settings.anchor)?)?;
    }
    Ok(loss)
}

/// The items of a step: all of them are seen once before any is seen twice.
fn drawn(items: &[Item], n: usize, step: usize, seed: u64) -> Vec<&Item> {
    if items.len() <= n {
        return items.iter().collect();
    }
    let per_round = items.len() / n;
    let mut order: Vec<usize> = (0..items.len()).collect();
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003) ^ (step / per_round) as u64);
    rng.shuffle(&mut order);
    order[(step % per_round) * n..][..n].iter().map(|&idx| &items[idx]).collect()
}
