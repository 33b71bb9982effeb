//! `image2song train tagger`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use indicatif::ProgressBar;

use super::terminal::progress_bar;
use crate::evaluation::tagger::Report;
use crate::training::tagger::run::{Observer, Options, train};
use crate::training::tagger::targets::Policy;

/// Flags of `train tagger`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  image2song train tagger --data ../shared/data --out runs/tagger
  image2song train tagger --data shop --out runs/shop --init models/base/tagger.safetensors --epochs 10 --no-soft")]
pub struct TrainTagger {
    /// Data folder; the photos are in its folder `photos` (docs/data-format.md)
    #[arg(long, env = "IMAGE2SONG_DATA")]
    data: PathBuf,
    /// Folder for weights, checkpoint and log
    #[arg(long)]
    out: PathBuf,
    /// Go on from the checkpoint in --out
    #[arg(long)]
    resume: bool,
    /// Start from these weights instead of random ones
    #[arg(long)]
    init: Option<PathBuf>,
    /// Passes over the photos
    #[arg(long, default_value_t = 40.0)]
    epochs: f64,
    /// Seed of everything random; same seed, data and threads give the same weights
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Photos per optimizer step
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Photos per micro-batch; must divide the batch
    #[arg(long, default_value_t = 16)]
    micro_batch: usize,
    /// Highest learning rate
    #[arg(long, default_value_t = 2.5e-3)]
    rate: f32,
    /// Weight decay
    #[arg(long, default_value_t = 0.03)]
    decay: f32,
    /// Sides in pixels and from which fraction of the training on each is used
    #[arg(long, default_value = "0:80,0.4:96,0.85:112", value_parser = parse_sides)]
    sides: Sides,
    /// Train on stated tags only, without soft tags and features of a teacher
    #[arg(long)]
    no_soft: bool,
    /// Weight of the teacher's features per number
    #[arg(long, default_value_t = 0.05)]
    feature_weight: f32,
    /// Threads; all cores if not given
    #[arg(long)]
    threads: Option<usize>,
    /// Epochs between validations
    #[arg(long, default_value_t = 2.0)]
    validate_every: f64,
}

/// Fraction of the training and side in pixels, ascending.
#[derive(Debug, Clone)]
struct Sides(Vec<(f64, usize)>);

fn parse_sides(text: &str) -> Result<Sides, String> {
    let wrong = || format!("{text:?} is not like 0:80,0.5:96 (fractions from 0 to 1 ascending, sides from 32 to 512)");
    let mut sides = Vec::new();
    for part in text.split(',') {
        let (from, side) = part.split_once(':').ok_or_else(wrong)?;
        let (from, side) = (from.trim().parse::<f64>(), side.trim().parse::<usize>());
        let (Ok(from), Ok(side)) = (from, side) else { return Err(wrong()) };
        let is_ascending = sides.last().is_none_or(|&(last, _)| last < from);
        if !(0.0..=1.0).contains(&from) || !(32..=512).contains(&side) || !is_ascending {
            return Err(wrong());
        }
        sides.push((from, side));
    }
    Ok(Sides(sides))
}

impl TrainTagger {
    /// Trains, showing progress on standard error, and prints the report of the last validation.
    ///
    /// # Errors
    /// The data cannot be used or the output folder cannot be written.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let options = Options {
            photos: self.data.join("photos"),
            out: self.out.clone(),
            resumes: self.resume,
            init: self.init.clone(),
            n_epochs: self.epochs,
            seed: self.seed,
            batch: self.batch,
            micro_batch: self.micro_batch,
            rate: self.rate,
            decay: self.decay,
            sides: self.sides.0.clone(),
            policy: Policy { uses_soft: !self.no_soft, ..Policy::default() },
            feature_weight: if self.no_soft { 0.0 } else { self.feature_weight },
            n_threads: self.threads.unwrap_or(cores),
            epochs_per_validation: self.validate_every,
        };
        let mut progress = Progress { bar: progress_bar() };
        let report = train(&options, &mut progress)?;
        progress.bar.finish_and_clear();
        anstream::println!("{}", summary(&report));
        Ok(ExitCode::SUCCESS)
    }
}

fn summary(report: &Report) -> String {
    let mean = &report.mean;
    format!(
        "mAP strict {:.3}, mAP {:.3}, top-1 {:.3}, recall@5 {:.3} (means of {} sources), calibration error {:.4}",
        mean.map_strict.unwrap_or(f64::NAN),
        mean.map.unwrap_or(f64::NAN),
        mean.top1,
        mean.recall5,
        report.sources.len(),
        report.calibration_error
    )
}

struct Progress {
    bar: ProgressBar,
}

impl Observer for Progress {
    fn stepped(&mut self, step: u64, n_steps: u64, loss: f64, images_per_second: f64) {
        self.bar.set_length(n_steps);
        self.bar.set_position(step);
        self.bar.set_message(format!("loss {loss:.3}, {images_per_second:.0} images/s"));
    }

    fn validated(&mut self, epoch: f64, report: &Report) {
        let line = format!("epoch {epoch:.1}: {}", summary(report));
        if self.bar.is_hidden() {
            anstream::eprintln!("{line}");
        } else {
            self.bar.println(line);
        }
    }
}
