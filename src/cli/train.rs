//! `train`: stand-in.
use super::{Outcome, args::GlobalArgs};
/// Stand-in.
#[derive(Debug, clap::Args)]
pub struct TrainArgs {}
/// Stand-in.
pub fn run(_: &GlobalArgs, _: &TrainArgs) -> anyhow::Result<Outcome> {
    anyhow::bail!("not there yet")
}
