//! `eval`: figures of a model on labelled data, beside baselines.

use clap::{Args, Subcommand};

use super::Outcome;
use super::args::GlobalArgs;
use super::eval_matcher::EvalMatcher;
use super::eval_policy::EvalPolicy;
use super::eval_tagger::EvalTagger;
use super::loading::find;

/// Arguments of `eval`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song eval tagger --data ../shared/data
  image2song eval matcher --data ../shared/data --photos 1000 --json
  image2song eval policy --feedback feedback/ --model models/base --model models/ours")]
pub struct EvalArgs {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// How well the tags fit labelled photos
    Tagger(EvalTagger),
    /// How well the songs fit photos, beside simpler ways to choose them
    Matcher(EvalMatcher),
    /// What a model would have been worth on logged answers, beside the current one
    Policy(EvalPolicy),
}

/// Evaluates.
///
/// # Errors
/// The data or the model cannot be used.
pub fn run(global: &GlobalArgs, args: &EvalArgs) -> anyhow::Result<Outcome> {
    match &args.part {
        Part::Tagger(args) => args.run(&find(global.model.as_deref())?),
        Part::Policy(args) => args.run(),
        Part::Matcher(args) if args.weights.is_some() => args.run(None),
        Part::Matcher(args) => args.run(Some(&find(global.model.as_deref())?)),
    }
}
