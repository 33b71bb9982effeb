//! `eval`: stand-in.
use super::{Outcome, args::GlobalArgs};
/// Stand-in.
#[derive(Debug, clap::Args)]
pub struct EvalArgs {}
/// Stand-in.
pub fn run(_: &GlobalArgs, _: &EvalArgs) -> anyhow::Result<Outcome> {
    anyhow::bail!("not there yet")
}
