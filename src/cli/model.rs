//! `model`: checks a model folder, or lists its files anew after a change.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::catalogue::load::Catalogue;
use crate::evaluation::checks::{CheckQuery, Checks};
use crate::manifest::Manifest;
use crate::training::matcher_data::{MatcherData, Split};

use super::Outcome;
use super::args::GlobalArgs;
use super::fault::SetupFault;
use super::loading;

/// Arguments of `model`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song model check
  image2song model check --model models/mine
  image2song model seal models/mine --name mine --version 2")]
pub struct ModelArgs {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Compare every file of the model folder with the size and hash in its manifest
    #[command(after_help = "Examples:\n  image2song model check\n  image2song model check --model models/mine --json")]
    Check {
        /// One JSON object instead of text
        #[arg(long = "json")]
        is_json: bool,
    },
    /// Write check queries from a data folder: what fine-tuning must not forget, without a photo in it
    #[command(after_help = "\
Examples:
  image2song model checks --data ../shared/data --out models/base/checks.bin
  image2song model checks --data shop --tags runs/tagger/tags.u8.zst --out models/shop/checks.bin

Seal the folder afterwards: `image2song model seal DIR`.")]
    Checks {
        /// Data folder with photos, songs and pairs (docs/data-format.md)
        #[arg(long, env = "IMAGE2SONG_DATA", hide_env_values = true, value_name = "DIR")]
        data: PathBuf,
        /// Tag probabilities of all photos as your tagger gives them; the soft tags of the data folder if not given
        #[arg(long, value_name = "FILE")]
        tags: Option<PathBuf>,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Write the manifest of a model folder from the files that are in it now
    #[command(after_help = "\
Examples:
  image2song model seal models/mine
  image2song model seal models/mine --name mine --version 2")]
    Seal {
        /// The model folder
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// Name of the model [default: that of the old manifest, else of the folder]
        #[arg(long)]
        name: Option<String>,
        /// Version of the model [default: that of the old manifest, else 0.1.0]
        #[arg(long)]
        version: Option<String>,
    },
}

/// Checks or seals a model folder.
///
/// # Errors
/// The folder is not whole, or cannot be read or written.
pub fn run(global: &GlobalArgs, args: &ModelArgs) -> anyhow::Result<Outcome> {
    let mut out = io::stdout().lock();
    match &args.command {
        ModelCommand::Check { is_json } => {
            let dir = loading::find(global.model.as_deref())?;
            let manifest = Manifest::open(&dir)?;
            manifest.check_hashes(&dir)?;
            let (dir, mib) = (dir.display(), manifest.total_bytes() as f64 / f64::from(1 << 20));
            let Manifest { name, version, files } = &manifest;
            if *is_json {
                serde_json::to_writer(&mut out, &manifest)?;
                writeln!(out)?;
            } else {
                writeln!(out, "{name} {version} in {dir}: {} files, {mib:.1} MiB, all as listed", files.len())?;
            }
        }
        ModelCommand::Checks { data, tags, out: path } => {
            let data = MatcherData::read(data, tags.as_deref())?;
            let dir = loading::find(global.model.as_deref())?;
            let catalogue = Catalogue::load(&dir.join("catalog"))?;
            if catalogue.len() != data.catalogue.len() {
                let (theirs, ours) = (data.catalogue.len(), catalogue.len());
                let text =
                    format!("the data folder has {theirs} songs, the model's catalogue {ours}; they must be the same");
                return Err(SetupFault::new(text).into());
            }
            let checks = checks_of(&data, &catalogue);
            let file = checks.to_bytes()?;
            std::fs::write(path, &file)?;
            let (n_val, n_train, n) = (checks.val.len(), checks.train.len(), file.len());
            writeln!(out, "{}: {n_val} queries to judge by, {n_train} to train with, {n} bytes", path.display())?;
        }
        ModelCommand::Seal { dir, name, version } => {
            if !dir.is_dir() {
                return Err(SetupFault::new(format!("{} is no folder", dir.display())).into());
            }
            let old = Manifest::read(dir).ok();
            let folder = dir.canonicalize()?.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = name.clone().or_else(|| Some(old.as_ref()?.name.clone())).unwrap_or(folder);
            let version = version.clone().or_else(|| Some(old?.version)).unwrap_or_else(|| "0.1.0".to_owned());
            let manifest = Manifest::of_folder(dir, &name, &version)?;
            manifest.write(dir)?;
            writeln!(out, "sealed {name} {version}: {} files", manifest.files.len())?;
        }
    }
    Ok(Outcome::Done)
}

/// Check queries to judge by, and to train with.
const N_CHECKS: [usize; 2] = [500, 1500];

fn checks_of(data: &MatcherData, catalogue: &Catalogue) -> Checks {
    let queries = |split, n: usize| -> Vec<CheckQuery> {
        let photos = data.photos.of_split(split);
        let n = n.min(photos.len());
        let chosen = (0..n).map(|i| photos[i * photos.len() / n]);
        chosen.map(|photo| CheckQuery::new(&data.photos.probs(photo), data.graded(photo))).collect()
    };
    Checks {
        catalogue: catalogue.digest().to_owned(),
        n_tags: data.photos.n_tags,
        val: queries(Split::Val, N_CHECKS[0]),
        train: queries(Split::Train, N_CHECKS[1]),
    }
}
