//! `catalog`: stand-in.
use super::{Outcome, args::GlobalArgs};
/// Stand-in.
#[derive(Debug, clap::Args)]
pub struct CatalogArgs {}
/// Stand-in.
pub fn run(_: &GlobalArgs, _: &CatalogArgs) -> anyhow::Result<Outcome> {
    anyhow::bail!("not there yet")
}
