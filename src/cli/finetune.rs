//! `finetune`: a community's likes become a better model, in a folder of its own.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Outcome;
use super::args::GlobalArgs;
use super::device::DeviceChoice;
use super::fault::SetupFault;
use super::learned::{Chooser, LogArgs, told};
use super::output_json::write_line;
use super::terminal::progress_bar;
use crate::feedback::ids::CommunityKey;
use crate::training::finetune::error::FinetuneError;
use crate::training::finetune::fit::Settings;
use crate::training::finetune::graph::Depth;
use crate::training::finetune::run::{self, Plan, Scope};

/// Arguments of `finetune`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song finetune --feedback feedback/ --base models/base --out models/ours
  image2song finetune --feedback feedback/ --base models/ours --out models/ours-2 --community each
  image2song finetune --feedback backup.jsonl --out models/ours --depth attention --resume

Learns from answers that people allowed for training, with their likes and dislikes as they stand after all retractions
and erasures; at least 200 are needed. Writes a whole model folder with finetune.json (what it was learned from) and
judgement.json (whether it may be shown; `image2song promote` asks it). Songs are not read anew: what is learned is a few
kB. The same log and seed give the same bytes. docs/FINETUNING.md has the formulas and the limits.

Exit codes: 0 done, 1 too few likes or something failed, 2 wrong usage or set-up. Whether the model passes is told, and
is no fault.")]
pub struct FinetuneArgs {
    #[command(flatten)]
    log: LogArgs,
    /// Model to start from [default: as --model]
    #[arg(long, value_name = "DIR")]
    base: Option<PathBuf>,
    /// Folder for the new model; a finished model there is never overwritten
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Learn the taste of this community (its key in the log), or of `each` with enough likes; of all together if not given
    #[arg(long = "community", value_name = "KEY|each")]
    communities: Vec<String>,
    /// What is trained
    #[arg(long, value_enum, default_value = "head")]
    depth: DepthFlag,
    /// Where to compute: cpu, or cuda:N in a build with CUDA
    #[arg(long, env = "IMAGE2SONG_DEVICE", hide_env_values = true, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceChoice,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Go on from the checkpoint of an interrupted run in --out
    #[arg(long = "resume")]
    resumes: bool,
    /// One JSON object instead of text
    #[arg(long = "json")]
    is_json: bool,
}

/// Names of the depths.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DepthFlag {
    /// The photo's place among songs, and a prior over languages, decades, genres and artists
    Head,
    /// Also where attention looks, and how much each tag counts; about ten times as long
    Attention,
}

/// Fine-tunes.
///
/// # Errors
/// There are too few likes, or files cannot be used.
pub fn run(global: &GlobalArgs, args: &FinetuneArgs) -> anyhow::Result<Outcome> {
    let (scope, communities) = scope(&args.communities)?;
    let device = args.device.open()?;
    let base = Chooser::load(args.base.as_deref().or(global.model.as_deref()))?;
    let log = args.log.read(&base.catalogue, communities)?;
    let depth = match args.depth {
        DepthFlag::Head => Depth::Head,
        DepthFlag::Attention => Depth::Attention,
    };
    let plan = Plan {
        scope,
        settings: Settings { depth, seed: args.seed, ..Settings::default() },
        resumes: args.resumes,
        high_water_mark: log.high_water_mark,
        device,
    };
    let bar = if global.is_quiet { indicatif::ProgressBar::hidden() } else { progress_bar() };
    let outcome = run::run(&base.base(), &log.cases, &plan, &args.out, &mut |what, done, n| {
        bar.set_length(n as u64);
        bar.set_position(done as u64);
        bar.set_message(what.to_owned());
    });
    bar.finish_and_clear();
    let outcome = outcome.map_err(|error| match error {
        FinetuneError::Setting(text) => SetupFault::new(text).into(),
        error => anyhow::Error::from(error),
    })?;
    let mut out = anstream::stdout().lock();
    if args.is_json {
        write_line(&mut out, &outcome)?;
        return Ok(Outcome::Done);
    }
    use std::io::Write;
    writeln!(out, "{} is in {}", outcome.version, args.out.display())?;
    for line in &outcome.fits {
        match &line.fitted {
            None => writeln!(out, "  {}: {} votes, too few for a taste of its own", line.who, line.n_votes)?,
            Some(fitted) => writeln!(
                out,
                "  {}: {} votes, loss on later answers {:.4} -> {:.4}, {:.0} % of the change stays, {} bytes",
                line.who,
                line.n_votes,
                fitted.held_out.0,
                fitted.held_out.1,
                100.0 * line.share,
                line.n_bytes
            )?,
        }
    }
    writeln!(out, "\n{}", told(&outcome.judgement))?;
    Ok(Outcome::Done)
}

/// Whose taste is meant, and the communities that the log is cut to.
fn scope(named: &[String]) -> Result<(Scope, Vec<CommunityKey>), SetupFault> {
    if named.is_empty() {
        return Ok((Scope::All, Vec::new()));
    }
    if named.iter().any(|name| name == "each") {
        return Ok((Scope::Communities, Vec::new()));
    }
    let key = |name: &String| {
        CommunityKey::parse(name).ok_or_else(|| {
            SetupFault::new(format!(
                "{name:?} is no key of a community; exports of the log name them (26 characters a-z and 2-7), or take each"
            ))
        })
    };
    Ok((Scope::Communities, named.iter().map(key).collect::<Result<_, _>>()?))
}
