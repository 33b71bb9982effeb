//! `image2song train matcher`.

use std::path::PathBuf;

use candle_core::Device;
use clap::{Args, ValueEnum};

use super::terminal::progress_bar;
use crate::matcher::weights::Pooling;
use crate::training::matcher::{Settings, train};
use crate::training::matcher_data::MatcherData;

/// Flags of `train matcher`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  image2song train matcher --data ../shared/data --out runs/matcher
  image2song train matcher --data shop --tags runs/tagger/tags.u8.zst --out runs/shop --resume")]
pub struct TrainMatcher {
    /// Data folder with photos, songs, pairs and lexicon (docs/data-format.md)
    #[arg(long, env = "IMAGE2SONG_DATA")]
    data: PathBuf,
    /// Folder for weights, checkpoint and log
    #[arg(long)]
    out: PathBuf,
    /// Tag probabilities of all photos as your tagger gives them; the soft tags of the data folder if not given
    #[arg(long)]
    tags: Option<PathBuf>,
    /// Go on from the checkpoint in --out
    #[arg(long)]
    resume: bool,
    /// Rounds; before each, the songs that score high without fitting are found anew
    #[arg(long, default_value_t = 12)]
    rounds: usize,
    /// Steps of a round
    #[arg(long, default_value_t = 150)]
    steps: usize,
    /// Seed of everything random; same seed and data give the same weights
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How the states of a song's words become one vector
    #[arg(long, value_enum, default_value = "attention")]
    pooling: PoolingFlag,
    /// Share of artists whose songs are kept from training, to judge songs of unseen artists
    #[arg(long, default_value_t = 0.0)]
    hold_out: f64,
    /// Numbers in the state of each direction
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    /// Share of batches that show songs as word sequences, not as bags of keywords
    #[arg(long, default_value_t = 0.3)]
    lyric_share: f64,
    /// Highest learning rate
    #[arg(long, default_value_t = 2e-3)]
    rate: f32,
}

/// Names of the ways to pool.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PoolingFlag {
    /// Tag attention
    Attention,
    /// The mean, with the worth of words to tags, for comparison
    Woken,
    /// The mean and nothing that knows the tags, for comparison
    Mean,
}

impl TrainMatcher {
    /// Trains, on the CPU; weights, checkpoint and log are in `--out` then.
    ///
    /// # Errors
    /// The data cannot be used, or the output folder cannot be written.
    pub fn run(&self) -> anyhow::Result<()> {
        anyhow::ensure!((0.0..1.0).contains(&self.hold_out), "--hold-out is {}, allowed is 0 to 1", self.hold_out);
        let data = MatcherData::read(&self.data, self.tags.as_deref())?;
        let settings = Settings {
            out: self.out.clone(),
            resumes: self.resume,
            n_rounds: self.rounds,
            n_steps: self.steps,
            seed: self.seed,
            pooling: match self.pooling {
                PoolingFlag::Attention => Pooling::Attention,
                PoolingFlag::Woken => Pooling::Woken,
                PoolingFlag::Mean => Pooling::Mean,
            },
            held_out: self.hold_out,
            n_hidden: self.hidden,
            lyric_share: self.lyric_share,
            rate: self.rate,
        };
        let bar = progress_bar();
        train(&data, &settings, &Device::Cpu, &mut |step, n_steps, loss| {
            bar.set_length(n_steps as u64);
            bar.set_position(step as u64);
            bar.set_message(loss.map_or_else(String::new, |loss| format!("loss {loss:.3}")));
        })?;
        bar.finish_and_clear();
        Ok(())
    }
}
