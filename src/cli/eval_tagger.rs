//! `image2song eval tagger`: the served network on labelled photos, beside what needs no photo and what it learned from.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use super::Outcome;
use crate::evaluation::tagger::{Report, Row, Truth, report};
use crate::photo::Square;
use crate::tagger::Tagger;
use crate::training::labels::{Labels, Record};
use crate::training::tagger::photos::Squares;
use crate::training::tagger::run::truth;

/// Flags of `eval tagger`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song eval tagger --data ../shared/data
  image2song eval tagger --data shop --model runs/shop --split test --json")]
pub struct EvalTagger {
    /// Data folder; the photos are in its folder `photos` (docs/data-format.md)
    #[arg(long, env = "IMAGE2SONG_DATA", hide_env_values = true)]
    data: PathBuf,
    /// Photos of which split are judged
    #[arg(long, default_value = "val")]
    split: String,
    /// Also write what the tagger says of every photo of the folder, in the form of the soft tags, for `train matcher`
    #[arg(long, value_name = "FILE")]
    write_tags: Option<PathBuf>,
    /// One JSON object instead of a table
    #[arg(long = "json")]
    is_json: bool,
}

/// The tagger's report with its baselines.
#[derive(Debug, Serialize)]
struct Comparison {
    split: String,
    tagger: Report,
    /// Each tag's share of the training photos, the same for every photo.
    prior: Report,
    /// Soft tags of the teacher network, where the data folder has them.
    teacher: Option<Report>,
}

impl EvalTagger {
    /// Judges the tagger of a model folder.
    ///
    /// # Errors
    /// The data or the model cannot be used, or the split has no photo.
    pub fn run(&self, model: &Path) -> anyhow::Result<Outcome> {
        let photos = self.data.join("photos");
        let labels = Labels::read(&photos)?;
        let tagger = Tagger::load(model, &candle_core::Device::Cpu)?;
        if tagger.vocabulary() != &labels.vocabulary {
            bail!("the model in {} has another tag list than {}", model.display(), photos.display());
        }
        let judged: Vec<usize> = (0..labels.records.len()).filter(|&i| labels.records[i].split == self.split).collect();
        if judged.is_empty() {
            bail!("no photo of {} is of split {:?}; --split names the one to judge", photos.display(), self.split);
        }
        if let Some(path) = &self.write_tags {
            let all: Vec<usize> = (0..labels.records.len()).collect();
            let probs = probabilities(&tagger, &labels, &all, &photos)?;
            let bytes: Vec<u8> = probs.iter().map(|p| (p.sqrt() * 255.0).round() as u8).collect();
            let packed = zstd::encode_all(bytes.as_slice(), 9).context("the tags cannot be compressed")?;
            std::fs::write(path, packed).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let truths: Vec<Truth> = judged.iter().map(|&i| truth(&labels, i)).collect();
        let judge = |probs: &[f32]| report(&truths, probs, labels.vocabulary.len());
        let comparison = Comparison {
            split: self.split.clone(),
            tagger: judge(&probabilities(&tagger, &labels, &judged, &photos)?),
            prior: judge(&prior(&labels).repeat(judged.len())),
            teacher: teacher(&labels, &judged).map(|probs| judge(&probs)),
        };
        if self.is_json {
            let json = serde_json::to_string(&comparison).context("the report cannot be written as JSON")?;
            anstream::println!("{json}");
        } else {
            print(&comparison);
        }
        Ok(Outcome::Done)
    }
}

/// Tag probabilities of some records by the served network, `[n, n_tags]`.
///
/// # Errors
/// A photo is missing or cannot be decoded.
pub fn probabilities(tagger: &Tagger, labels: &Labels, records: &[usize], photos: &Path) -> anyhow::Result<Vec<f32>> {
    let of: Vec<&Record> = records.iter().map(|&i| &labels.records[i]).collect();
    let squares = Squares::read(photos, &of, tagger.side())?;
    let rows = (0..records.len()).into_par_iter().map(|at| {
        let square = Square::from_rgb(squares.side, squares.get(at).to_vec()).context("a square has whole pixels")?;
        Ok(tagger.tag(&square)?.probs)
    });
    Ok(rows.collect::<anyhow::Result<Vec<Vec<f32>>>>()?.concat())
}

fn prior(labels: &Labels) -> Vec<f32> {
    let mut counts = vec![0.0f32; labels.vocabulary.len()];
    let train = labels.records.iter().filter(|record| record.split == "train");
    let n_train = train.clone().count().max(1) as f32;
    train.flat_map(|record| &record.tags).for_each(|tag| counts[usize::from(tag.0)] += 1.0 / n_train);
    counts
}

fn teacher(labels: &Labels, records: &[usize]) -> Option<Vec<f32>> {
    let n_tags = labels.vocabulary.len();
    let soft = labels.soft.as_ref()?;
    let rows = records.iter().flat_map(|&i| &soft[i * n_tags..(i + 1) * n_tags]);
    Some(rows.map(|&byte| (f32::from(byte) / 255.0).powi(2)).collect())
}

fn print(comparison: &Comparison) {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    anstream::println!(
        "{:16} {:>6} {:>5} {:>7} {:>7} {:>6} {:>6} {:>8}   {:>6} {:>7}",
        "source",
        "photos",
        "tags",
        "strict",
        "mAP",
        "top-1",
        "open",
        "recall@5",
        "prior",
        "teacher"
    );
    let all = |report: &Report| report.sources.iter().chain([&report.mean]).cloned().collect::<Vec<Row>>();
    let priors = all(&comparison.prior);
    let teachers = comparison.teacher.as_ref().map(all);
    for (i, row) in all(&comparison.tagger).iter().enumerate() {
        let teacher = teachers.as_ref().and_then(|rows| rows[i].map_strict);
        anstream::println!(
            "{:16} {:>6} {:>5} {:>7} {:>7} {:>6.3} {:>6.3} {:>8.3}   {:>6} {:>7}",
            row.source,
            row.n_photos,
            row.n_tags_strict,
            number(row.map_strict),
            number(row.map),
            row.top1,
            row.top1_open,
            row.recall5,
            number(priors[i].map_strict),
            number(teacher)
        );
    }
    anstream::println!(
        "\nstrict: mean average precision with unsure tags as absent (the last two columns too); tags with at least 3 \
         positives of those that the source knows or states; open: the best tag is stated or unsure\n\
         calibration error {:.4} over stated and denied labels, 15 bins",
        comparison.tagger.calibration_error
    );
}
