//! `train`: the tagger or the matcher, on the user's own data.

use clap::{Args, Subcommand};

use super::Outcome;
use super::train_matcher::TrainMatcher;
use super::train_tagger::TrainTagger;

/// Arguments of `train`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song train tagger --data ../shared/data --out runs/tagger
  image2song train tagger --data my-photos --out runs/mine --no-soft --resume")]
pub struct TrainArgs {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Train the network that gives photos their tags
    Tagger(TrainTagger),
    /// Train the network that chooses songs by tags
    Matcher(TrainMatcher),
}

/// Trains.
///
/// # Errors
/// The data cannot be used, or the output folder cannot be written.
pub fn run(args: &TrainArgs) -> anyhow::Result<Outcome> {
    match &args.part {
        Part::Tagger(args) => args.run().map(|_| Outcome::Done),
        Part::Matcher(args) => args.run().map(|()| Outcome::Done),
    }
}
