//! `tags background`: stores what photos look like in general to a model's tagger in its folder.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use rayon::prelude::*;

use super::Outcome;
use super::args::GlobalArgs;
use super::device::DeviceChoice;
use super::loading;
use crate::addon::background::{Background, FILE_NAME, N_PHOTOS};
use crate::manifest::Manifest;
use crate::photo::Square;
use crate::training::labels::{Labels, Record};
use crate::training::tagger::photos::Squares;

/// Arguments of `tags background`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song tags background --data my-data --model models/mine
  image2song tags background --data my-data --photos 8000

The bundled model has its background. A tagger that you trained needs its own, made once after the training; the model
folder's manifest is written anew. No photo is stored, only numbers from which none can be made.")]
pub struct BackgroundArgs {
    /// Data folder; docs/data-format.md describes it
    #[arg(long, env = "IMAGE2SONG_DATA", hide_env_values = true, value_name = "DIR")]
    data: PathBuf,
    /// Photos to look at, evenly taken from the training split
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = clap::value_parser!(u32).range(N_PHOTOS as i64..=100_000))]
    photos: u32,
    /// Where to compute: cpu, or cuda:N in a build with CUDA
    #[arg(long, env = "IMAGE2SONG_DEVICE", hide_env_values = true, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceChoice,
}

/// Makes the background of a model folder.
///
/// # Errors
/// The data or the model cannot be used, or there are too few photos.
pub fn run(global: &GlobalArgs, args: &BackgroundArgs) -> anyhow::Result<Outcome> {
    let dir = loading::find(global.model.as_deref())?;
    let tagger = loading::tagger(&dir, args.device)?;
    let digest = loading::tagger_digest(&dir)?;
    let photos = args.data.join("photos");
    let labels = Labels::read(&photos)?;
    let of_split: Vec<&Record> = labels.records.iter().filter(|record| record.split == "train").collect();
    let n_wanted = of_split.len().min(args.photos as usize);
    if n_wanted < N_PHOTOS {
        bail!("{} has {n_wanted} photos of split \"train\"; at least {N_PHOTOS} are needed", photos.display());
    }
    let chosen: Vec<&Record> = (0..n_wanted).map(|i| of_split[i * of_split.len() / n_wanted]).collect();
    let squares = Squares::read(&photos, &chosen, tagger.side())?;
    let features = |at: usize| -> anyhow::Result<Vec<f32>> {
        let square = Square::from_rgb(squares.side, squares.get(at).to_vec()).context("a square has whole pixels")?;
        Ok(tagger.features(&square)?)
    };
    let features: Vec<Vec<f32>> = (0..n_wanted).into_par_iter().map(features).collect::<anyhow::Result<_>>()?;
    let background = Background::of(&digest, &features);
    let background = background.context("the tagger has too few features to learn tags from")?;
    background.write(&dir)?;
    let Manifest { name, version, .. } = Manifest::read(&dir)?;
    Manifest::of_folder(&dir, &name, &version)?.write(&dir)?;
    let path = dir.join(FILE_NAME);
    let kib = std::fs::metadata(&path).map_or(0, |meta| meta.len() / 1024);
    anstream::println!("{}: {n_wanted} photos in {kib} KiB; the manifest lists it", path.display());
    Ok(Outcome::Done)
}
