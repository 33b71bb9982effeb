//! The training loop of the matcher: rounds of steps; before each round the songs that score high without a grade are
//! found anew for the round's photos.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_core::Device;
use rayon::prelude::*;

use super::matcher_batch::{Form, Hard, Recipe, Sampler};
use super::matcher_checkpoint as checkpoint;
use super::matcher_data::{MatcherData, Split};
use super::matcher_error::MatcherTrainError;
use super::matcher_net::{Net, loss};
use super::matcher_optimizer::AdamW;
use super::matcher_table::start;
use crate::evaluation::bootstrap::mean;
use crate::evaluation::ranking::measure;
use crate::matcher::network::table_rows;
use crate::matcher::ranker::{Ranker, SHORTLIST};
use crate::matcher::shortlist::highest;
use crate::matcher::weights::{Pooling, Sizes, Weights};

/// What a run does.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where `matcher.safetensors`, the checkpoint and the log go.
    pub out: PathBuf,
    /// Goes on from the checkpoint there.
    pub resumes: bool,
    /// Rounds in all.
    pub n_rounds: usize,
    /// Steps of a round.
    pub n_steps: usize,
    /// Seed of all that is drawn.
    pub seed: u64,
    /// How states are pooled.
    pub pooling: Pooling,
    /// Share of artists whose songs are not seen.
    pub held_out: f64,
    /// Numbers in the state of one direction.
    pub n_hidden: usize,
    /// Share of batches that show songs as word sequences.
    pub lyric_share: f64,
    /// Highest learning rate.
    pub rate: f32,
}

/// Photos of a round: each is drawn about four times, so finding its hard songs pays.
const PHOTOS_PER_ROUND: usize = 2000;

/// Songs found for a photo, of which batches draw.
const N_FOUND: usize = 64;

/// Photos of val that are looked at between rounds.
const N_WATCHED: usize = 300;

/// How the batches are made up; chosen for about a third of a second a step on one core (AVX-512).
const RECIPE: Recipe = Recipe { n_photos: 32, n_graded: 6, n_hard: 5, n_random: 64, max_words: 72 };

/// Whether the song's artist is unseen in training: by a hash of the first name in the credit, so that it does not
/// depend on the order of songs.
pub fn is_held_out(artist: &str, share: f64) -> bool {
    let lead = artist.to_lowercase();
    let lead =
        lead.split([',', '&']).next().unwrap_or_default().split(" feat").next().unwrap_or_default().trim().to_owned();
    let hash = lead.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    (hash >> 11) as f64 / (1u64 << 53) as f64 <= share && share > 0.0
}

/// Told of every step: steps done, of how many, and the mean loss of the last round (none in the first).
pub type Observer<'a> = dyn FnMut(usize, usize, Option<f64>) + 'a;

/// Trains a matcher and writes it; returns its parameters.
///
/// # Errors
/// Files cannot be read or written, or tensors do not fit.
pub fn train(
    data: &MatcherData,
    settings: &Settings,
    device: &Device,
    observer: &mut Observer,
) -> Result<Weights, MatcherTrainError> {
    std::fs::create_dir_all(&settings.out).map_err(MatcherTrainError::open(&settings.out))?;
    let is_known: Vec<bool> =
        data.catalogue.songs().map(|s| !is_held_out(data.catalogue.artist(s), settings.held_out)).collect();
    let photos = data.photos.of_split(Split::Train);
    if photos.is_empty() {
        return Err(MatcherTrainError::Content("the data folder has no photo of split train".to_owned()));
    }
    let sizes = Sizes {
        n_vector: data.space.dim(),
        n_hidden: settings.n_hidden,
        n_keys: 48,
        n_joint: 128,
        n_tags: data.vocabulary.len(),
    };
    let mut weights = Weights::initial(sizes, settings.pooling, start(data, &photos, &is_known), settings.seed);
    let checkpoint_path = settings.out.join("matcher.checkpoint");
    let (first_round, optimizer) =
        if settings.resumes { checkpoint::load(&checkpoint_path, &mut weights)? } else { (0, AdamW::default()) };
    let rows = table_rows(&weights, &data.songs);
    let mut run = Run {
        data,
        settings,
        net: Net::new(&weights, device)?,
        optimizer,
        sampler: Sampler::new(data, RECIPE, &rows, &photos, &is_known),
        photos: &photos,
        is_known: &is_known,
        device,
    };
    let log_path = settings.out.join("matcher.log.jsonl");
    let mut log = open_log(&log_path, settings.resumes)?;
    let mut last_loss = None;
    for round in first_round..settings.n_rounds {
        let line = run.round(round, &weights, &mut |step, n_steps| observer(step, n_steps, last_loss))?;
        last_loss = Some(line.loss);
        run.net.write_to(&mut weights)?;
        let is_last = round + 1 == settings.n_rounds;
        let watched = (is_last || round % 4 == 3).then(|| watch(data, &weights, &is_known));
        let line = serde_json::json!({
            "round": round + 1, "step": run.optimizer.step, "loss": line.loss, "rate": line.rate,
            "steps_per_s": line.steps_per_s, "mining_s": line.mining_s, "val_ndcg10": watched,
        });
        writeln!(log, "{line}").map_err(MatcherTrainError::open(&log_path))?;
        checkpoint::save(&checkpoint_path, round + 1, &weights, &run.optimizer)?;
        weights.save(&settings.out.join("matcher.safetensors"))?;
    }
    Ok(weights)
}

fn open_log(path: &Path, appends: bool) -> Result<std::fs::File, MatcherTrainError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).append(appends).truncate(!appends);
    options.open(path).map_err(MatcherTrainError::open(path))
}

struct RoundLine {
    loss: f64,
    rate: f32,
    steps_per_s: f64,
    mining_s: f64,
}

struct Run<'a> {
    data: &'a MatcherData,
    settings: &'a Settings,
    net: Net,
    optimizer: AdamW,
    sampler: Sampler<'a>,
    photos: &'a [usize],
    is_known: &'a [bool],
    device: &'a Device,
}

impl Run<'_> {
    fn round(
        &mut self,
        round: usize,
        weights: &Weights,
        stepped: &mut dyn FnMut(usize, usize),
    ) -> Result<RoundLine, MatcherTrainError> {
        let mut rng = fastrand::Rng::with_seed(self.settings.seed.wrapping_mul(1_000_003) ^ round as u64);
        let mut pool: Vec<usize> = self.photos.to_vec();
        rng.shuffle(&mut pool);
        pool.truncate(PHOTOS_PER_ROUND);
        let begun = Instant::now();
        let hard = if round == 0 { Hard::new() } else { find_hard(self.data, weights, &pool, self.is_known) };
        self.sampler.set_hard(&hard);
        let mining_s = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        let (mut total, mut rate) = (0.0, 0.0);
        for step in 0..self.settings.n_steps {
            let photos: Vec<usize> =
                (0..RECIPE.n_photos.min(pool.len())).map(|i| pool[(step * RECIPE.n_photos + i) % pool.len()]).collect();
            if (step + 1) * RECIPE.n_photos % pool.len() < RECIPE.n_photos {
                rng.shuffle(&mut pool);
            }
            let form = if rng.f64() < self.settings.lyric_share { Form::Lyric } else { Form::Bag };
            let batch = self.sampler.batch(&photos, &hard, form, &mut rng, self.device)?;
            let loss = loss(&self.net.scores(&batch)?, &batch)?;
            rate = self.rate(round * self.settings.n_steps + step);
            self.optimizer.step(&self.net.vars, &loss.backward()?, rate)?;
            total += f64::from(loss.to_scalar::<f32>()?);
            stepped(round * self.settings.n_steps + step + 1, self.settings.n_rounds * self.settings.n_steps);
        }
        if !total.is_finite() {
            return Err(MatcherTrainError::Content("the loss is no number any more; lower --rate".to_owned()));
        }
        let steps_per_s = self.settings.n_steps as f64 / begun.elapsed().as_secs_f64();
        Ok(RoundLine { loss: total / self.settings.n_steps as f64, rate, steps_per_s, mining_s })
    }

    /// A short rise, then half a cosine down to a hundredth.
    fn rate(&self, step: usize) -> f32 {
        let n = (self.settings.n_rounds * self.settings.n_steps) as f32;
        let at = step as f32 / n;
        let rise = (step as f32 / 150.0).min(1.0);
        self.settings.rate * rise * (0.01 + 0.99 * 0.5 * (1.0 + (std::f32::consts::PI * at).cos()))
    }
}

/// For each photo the songs that score high without attention and have no grade for it.
fn find_hard(data: &MatcherData, weights: &Weights, photos: &[usize], is_known: &[bool]) -> Hard {
    let ranker = Ranker::new(weights.clone(), data.songs.clone());
    let find = |&photo: &usize| {
        let probe = ranker.probe(&data.photos.probs(photo));
        let scores = ranker.shortlist.scores(&ranker.network, &ranker.songs, &probe);
        let graded: Vec<u32> = data.graded(photo).map(|p| p.0).collect();
        (photo, highest(&scores, N_FOUND, |song| is_known[song as usize] && !graded.contains(&song)))
    };
    photos.par_iter().map(find).collect()
}

/// Mean nDCG@10 on some photos of val, as served.
fn watch(data: &MatcherData, weights: &Weights, is_known: &[bool]) -> f64 {
    let ranker = Ranker::new(weights.clone(), data.songs.clone());
    let photos = data.photos.of_split(Split::Val);
    let stride = (photos.len() / N_WATCHED).max(1);
    let one = |&photo: &usize| {
        let graded: Vec<(u32, f32)> = data.graded(photo).filter(|p| is_known[p.0 as usize]).collect();
        let probe = ranker.probe(&data.photos.probs(photo));
        let ranked: Vec<u32> =
            ranker.rank(&probe, SHORTLIST, |song| is_known[song as usize]).into_iter().map(|r| r.0).collect();
        measure(&ranked, &graded, data.songs.len()).map(|m| m.ndcg10)
    };
    let values: Vec<f64> = photos.iter().step_by(stride).filter_map(one).collect();
    mean(&values)
}

#[cfg(test)]
#[path = "matcher_tests.rs"]
mod tests;
