//! The training loop on a small made data folder: repeatable, and the same when it was cut in the middle.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::run::{Observer, Options, TrainError, train};
use super::targets::Policy;
use crate::evaluation::tagger::Report;
use crate::tagger::weights::Weights;

/// Photos of one colour each, named by it: files, no soft tags, as a team might begin.
fn write_data(dir: &Path) {
    let mut lines = String::new();
    for photo in 0..18 {
        let (tag, color) = [("red", [200, 30, 30]), ("green", [30, 200, 30])][photo % 2];
        let split = if photo % 3 == 2 { "val" } else { "train" };
        image::RgbImage::from_pixel(40, 30, image::Rgb(color)).save(dir.join(format!("p{photo}.png"))).unwrap();
        lines += &serde_json::json!({"id": format!("p{photo}"), "split": split, "source": "ours", "tags": [tag]})
            .to_string();
        lines.push('\n');
    }
    std::fs::write(dir.join("photos.jsonl"), lines).unwrap();
    std::fs::write(dir.join("tags.txt"), "red\ngreen\n").unwrap();
    std::fs::write(dir.join("sources.json"), r#"{"ours":{"knows":["red","green"]}}"#).unwrap();
}

fn options(data: &Path, out: &Path) -> Options {
    Options {
        photos: data.to_owned(),
        out: out.to_owned(),
        resumes: false,
        init: None,
        n_epochs: 2.0,
        seed: 5,
        batch: 4,
        micro_batch: 2,
        rate: 1e-3,
        decay: 0.01,
        sides: vec![(0.0, 32)],
        policy: Policy::default(),
        feature_weight: 0.0,
        n_threads: 2,
        epochs_per_validation: 0.5,
    }
}

/// Panics at a validation, as near to a cut as a test can come.
struct Watch {
    n_validations: usize,
    cut_at: Option<usize>,
}

impl Watch {
    fn new(cut_at: Option<usize>) -> Self {
        Self { n_validations: 0, cut_at }
    }
}

impl Observer for Watch {
    fn stepped(&mut self, _: u64, _: u64, loss: f64, _: f64) {
        assert!(loss.is_finite());
    }

    fn validated(&mut self, _: f64, _: &Report) {
        self.n_validations += 1;
        assert_ne!(Some(self.n_validations), self.cut_at, "cut here");
    }
}

fn trained(out: &Path) -> (Vec<u8>, Weights) {
    let checkpoint = std::fs::read(out.join("checkpoint.safetensors")).unwrap();
    (checkpoint, Weights::read(&out.join("tagger.safetensors")).unwrap())
}

#[test]
fn same_seed_gives_the_same_weights_also_after_a_cut() {
    let dirs: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let [data, whole, again, cut] = [0, 1, 2, 3].map(|i| dirs[i].path());
    write_data(data);
    train(&options(data, whole), &mut Watch::new(None)).unwrap();
    train(&options(data, again), &mut Watch::new(None)).unwrap();
    assert!(trained(whole) == trained(again));

    let stopped = catch_unwind(AssertUnwindSafe(|| train(&options(data, cut), &mut Watch::new(Some(2)))));
    assert!(stopped.is_err());
    assert!(trained(whole).0 != trained(cut).0);
    let resumed = Options { resumes: true, ..options(data, cut) };
    train(&resumed, &mut Watch::new(None)).unwrap();
    assert!(trained(whole) == trained(cut));

    let other = Options { seed: 6, ..options(data, again) };
    train(&other, &mut Watch::new(None)).unwrap();
    assert!(trained(whole).0 != trained(again).0);
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let dirs: Vec<_> = (0..2).map(|_| tempfile::tempdir().unwrap()).collect();
    let [data, out] = [0, 1].map(|i| dirs[i].path());
    write_data(data);
    let resumed = |options: Options| train(&Options { resumes: true, ..options }, &mut Watch::new(None));
    assert!(matches!(resumed(options(data, out)), Err(TrainError::Checkpoint(_))));
    train(&Options { n_epochs: 0.5, ..options(data, out) }, &mut Watch::new(None)).unwrap();
    for options in [Options { seed: 6, ..options(data, out) }, Options { n_threads: 1, ..options(data, out) }] {
        assert!(matches!(resumed(options), Err(TrainError::Options(_))));
    }
}
