//! A square photo in, tags with probabilities and the region that spoke loudest out. Knows nothing of songs.

pub mod arch;
pub mod graph;
pub mod head;
pub mod infer;
pub mod pool;
pub mod regions;
pub mod vocabulary;
pub mod weights;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Tensor};

use crate::kernels::ops::Route;
use crate::photo::Square;
use arch::Arch;
use graph::Graph;
use head::{Head, region_features};
use infer::Inference;
use vocabulary::{TagId, Vocabulary, VocabularyError};
use weights::{Weights, WeightsError};

/// File of the tag list in a model folder.
pub const TAGS_FILE: &str = "tags.txt";
/// File of the weights in a model folder.
pub const WEIGHTS_FILE: &str = "tagger.safetensors";

/// Why a photo cannot be tagged.
#[derive(Debug, thiserror::Error)]
pub enum TaggerError {
    /// The tag list cannot be read.
    #[error("cannot open {path}; a model folder needs its tag list")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The tag list cannot be used.
    #[error("{path} is no tag list")]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: VocabularyError,
    },
    /// The weights cannot be used.
    #[error("the tagger cannot be loaded")]
    Weights(#[from] WeightsError),
    /// Tag list and weights are not of one model.
    #[error("{path} has {n_tags} tags, the weights beside it have {n_outputs}; both must come from one training")]
    Mismatch {
        /// The tag list.
        path: PathBuf,
        /// Tags of the list.
        n_tags: usize,
        /// Tags of the weights.
        n_outputs: usize,
    },
    /// The square holds another number of bytes than its side says.
    #[error("the square has {found} bytes, {expected} are needed for {side} pixels a side, at least 1")]
    Square {
        /// Bytes found.
        found: usize,
        /// Bytes needed.
        expected: usize,
        /// Pixels a side.
        side: usize,
    },
    /// A further tag has a name that cannot be used.
    #[error("the names of the further tags cannot be used")]
    Names(#[source] VocabularyError),
    /// A head of another network.
    #[error("the head has {found:?} tags and features, needed are {expected:?}")]
    Head {
        /// Tags and features of the head.
        found: (usize, usize),
        /// Names given and features of the tagger.
        expected: (usize, usize),
    },
    /// The device failed.
    #[error("the device failed; `--device cpu` always works")]
    Device(#[from] candle_core::Error),
}

/// What runs the network.
#[derive(Debug)]
enum Executor {
    /// One idle set of buffers for each thread that has tagged at the same time.
    Native {
        first: Inference,
        idle: Mutex<Vec<Inference>>,
    },
    Graph(Graph, Device),
}

/// A trained tagger, ready to serve; threads may share it and run side by side.
#[derive(Debug)]
pub struct Tagger {
    /// The tags of the network, then those of the head beside it.
    vocabulary: Vocabulary,
    n_features: usize,
    /// Tags of the network itself.
    n_own: usize,
    side: usize,
    sharpness: f32,
    executor: Executor,
    head: Option<Head>,
}

impl Tagger {
    /// Loads [`TAGS_FILE`] and [`WEIGHTS_FILE`] of a model folder. On the CPU kernels of our own run, elsewhere candle's.
    ///
    /// # Errors
    /// A file is missing, damaged, or not of the same model as the other; or the device fails.
    pub fn load(dir: &Path, device: &Device) -> Result<Self, TaggerError> {
        let path = dir.join(TAGS_FILE);
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|source| TaggerError::Open { path: path.clone(), source })?;
        let vocabulary = Vocabulary::parse(&text);
        let vocabulary = vocabulary.map_err(|source| TaggerError::Vocabulary { path: path.clone(), source })?;
        let weights = Weights::read(&dir.join(WEIGHTS_FILE))?;
        let (n_tags, n_outputs) = (vocabulary.len(), weights.arch.n_tags);
        if n_tags != n_outputs {
            return Err(TaggerError::Mismatch { path, n_tags, n_outputs });
        }
        Self::new(vocabulary, &weights, device)
    }

    /// A tagger of loaded weights, whose tags the vocabulary names.
    ///
    /// # Errors
    /// The device fails.
    ///
    /// # Panics
    /// If the vocabulary has another number of tags than the weights.
    pub fn new(vocabulary: Vocabulary, weights: &Weights, device: &Device) -> Result<Self, TaggerError> {
        let Weights { arch, params, statistics } = weights;
        assert_eq!(vocabulary.len(), arch.n_tags, "the vocabulary names every tag of the weights");
        let executor = if device.is_cpu() {
            let first = Inference::new(arch, params, statistics);
            Executor::Native { first, idle: Mutex::default() }
        } else {
            Executor::Graph(Graph::new(arch, params, statistics, Route::of(device), device)?, device.clone())
        };
        let Arch { n_features, n_tags, side, sharpness, .. } = *arch;
        Ok(Self { vocabulary, n_features, n_own: n_tags, side, sharpness, executor, head: None })
    }

    /// The same tagger with further tags of these names, given by a head on its features; those of an earlier head go.
    ///
    /// # Errors
    /// A name stands twice or is one of the tagger's own, the tags are too many, or the head has another number of tags or
    /// features.
    pub fn with_head(mut self, names: &[String], head: Head) -> Result<Self, TaggerError> {
        let (found, expected) = ((head.n_tags(), head.n_features()), (names.len(), self.n_features));
        if found != expected {
            return Err(TaggerError::Head { found, expected });
        }
        self.vocabulary = self.vocabulary.first(self.n_own).with(names).map_err(TaggerError::Names)?;
        self.head = Some(head);
        Ok(self)
    }

    /// The tags it can give, in the order of [`Tagging::probs`].
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Pixels a side of the squares that it was calibrated for.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Numbers of a feature vector.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Sharpness of the log-mean-exp over regions.
    pub fn sharpness(&self) -> f32 {
        self.sharpness
    }

    /// Tags of the network itself; those of a head beside it follow in [`Tagger::vocabulary`].
    pub fn n_own(&self) -> usize {
        self.n_own
    }

    /// Tags a photo. Squares of another size than [`Tagger::side`] work, with other probabilities.
    ///
    /// # Errors
    /// The square has not the bytes that its side says, or the device fails.
    pub fn tag(&self, square: &Square) -> Result<Tagging, TaggerError> {
        self.see(square, |region_logits, pooled, map| self.tagging(region_logits, pooled, map))
    }

    /// Features of each region of a photo, `[n_regions, n_features]`: what a head reads.
    ///
    /// # Errors
    /// As [`Tagger::tag`].
    pub fn features(&self, square: &Square) -> Result<Vec<f32>, TaggerError> {
        self.see(square, |_, _, map| region_features(map, self.n_features))
    }

    /// Hands the logits of regions, pooled features and feature map of a photo on.
    fn see<T>(&self, square: &Square, take: impl FnOnce(&[f32], &[f32], &[f32]) -> T) -> Result<T, TaggerError> {
        let (found, expected, side) = (square.rgb.len(), square.side * square.side * 3, square.side);
        if found != expected || side == 0 {
            return Err(TaggerError::Square { found, expected, side });
        }
        match &self.executor {
            Executor::Native { first, idle } => {
                let ready = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut inference = ready.unwrap_or_else(|| first.clone());
                let seen = inference.run(&square.rgb, side);
                let taken = take(seen.region_logits, seen.pooled, seen.map);
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(inference);
                Ok(taken)
            }
            Executor::Graph(graph, device) => {
                let pixels: Vec<f32> = square.rgb.iter().map(|&byte| infer::pixel(byte)).collect();
                let output = graph.serve(&Tensor::from_vec(pixels, (1, side, side, 3), device)?)?;
                let flat = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
                Ok(take(&flat(&output.region_logits)?, &flat(&output.pooled)?, &flat(&output.map)?))
            }
        }
    }

    fn tagging(&self, region_logits: &[f32], pooled: &[f32], map: &[f32]) -> Tagging {
        let (mut logits, mut region_idx) = pool::pool(region_logits, self.n_own, self.sharpness);
        if let Some(head) = &self.head {
            let (further, loudest) = head.pooled(&region_features(map, self.n_features), self.sharpness);
            logits.extend(further);
            region_idx.extend(loudest);
        }
        let probs = logits.iter().map(|&logit| 1.0 / (1.0 + (-logit).exp())).collect();
        Tagging { probs, region_idx, embedding: pooled.to_vec() }
    }
}

/// What the tagger says of one photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Tagging {
    /// Probability in `[0, 1]` of each tag of the vocabulary, `[n_tags]`.
    pub probs: Vec<f32>,
    /// Index into [`regions::regions`] of the region that spoke loudest for each tag, `[n_tags]`.
    pub region_idx: Vec<u8>,
    /// Pooled features of the whole photo, `[n_features]`.
    pub embedding: Vec<f32>,
}

impl Tagging {
    /// The `n` most probable tags, most probable first; ties go to the lower id.
    pub fn top(&self, n: usize) -> Vec<(TagId, f32)> {
        let mut ranked: Vec<(TagId, f32)> = self.probs.iter().enumerate().map(|(i, &p)| (TagId(i as u16), p)).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(n);
        ranked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weights::Precision;

    fn folder(n_tags: usize) -> (tempfile::TempDir, Weights) {
        let dir = tempfile::tempdir().unwrap();
        let arch = Arch { n_tags: 7, side: 64, ..Arch::base(7, 4) };
        let layout = arch.layout();
        let mut rng = fastrand::Rng::with_seed(51);
        let params = (0..layout.n_params).map(|_| 0.2 * rng.f32() - 0.08).collect();
        let statistics = (0..layout.n_statistics).map(|_| 0.5 + rng.f32()).collect();
        let weights = Weights { arch, params, statistics };
        weights.write(&dir.path().join(WEIGHTS_FILE), Precision::F16).unwrap();
        let tags: Vec<String> = (0..n_tags).map(|i| format!("tag {i}")).collect();
        std::fs::write(dir.path().join(TAGS_FILE), tags.join("\n")).unwrap();
        (dir, weights)
    }

    fn square(side: usize, seed: u64) -> Square {
        let mut rng = fastrand::Rng::with_seed(seed);
        Square { side, rgb: (0..side * side * 3).map(|_| rng.u8(..)).collect() }
    }

    #[test]
    fn a_model_folder_tags_photos() {
        let (dir, _) = folder(7);
        let tagger = Tagger::load(dir.path(), &Device::Cpu).unwrap();
        assert_eq!((tagger.side(), tagger.vocabulary().len()), (64, 7));
        let tagging = tagger.tag(&square(64, 1)).unwrap();
        assert_eq!((tagging.probs.len(), tagging.region_idx.len(), tagging.embedding.len()), (7, 7, 768));
        assert!(tagging.probs.iter().all(|p| (0.0..=1.0).contains(p)), "{tagging:?}");
        assert!(tagging.region_idx.iter().all(|&region| usize::from(region) < regions::regions().len()));
    }

    #[test]
    fn the_graph_tags_as_the_native_passes() {
        let (dir, weights) = folder(7);
        let native = Tagger::load(dir.path(), &Device::Cpu).unwrap();
        let weights = Weights { ..Weights::read(&dir.path().join(WEIGHTS_FILE)).unwrap_or(weights) };
        let Weights { arch, params, statistics } = &weights;
        let graph = Graph::new(arch, params, statistics, Route::Composed, &Device::Cpu).unwrap();
        let other = Tagger {
            vocabulary: native.vocabulary.clone(),
            executor: Executor::Graph(graph, Device::Cpu),
            ..Tagger::load(dir.path(), &Device::Cpu).unwrap()
        };
        for seed in 0..3 {
            let (found, expected) = (native.tag(&square(64, seed)).unwrap(), other.tag(&square(64, seed)).unwrap());
            for (found, expected) in found.probs.iter().zip(&expected.probs) {
                assert!((found - expected).abs() < 1e-4, "{found} and {expected}");
            }
            assert_eq!(found.region_idx, expected.region_idx);
        }
    }

    #[test]
    fn threads_may_share_a_tagger() {
        let (dir, _) = folder(7);
        let tagger = Tagger::load(dir.path(), &Device::Cpu).unwrap();
        let expected: Vec<Tagging> = (0..4).map(|seed| tagger.tag(&square(64, seed)).unwrap()).collect();
        std::thread::scope(|scope| {
            for (seed, expected) in expected.iter().enumerate() {
                let tagger = &tagger;
                scope.spawn(move || {
                    for _ in 0..5 {
                        assert_eq!(&tagger.tag(&square(64, seed as u64)).unwrap(), expected);
                    }
                });
            }
        });
    }

    #[test]
    fn unusable_folders_and_squares_are_refused() {
        let (dir, _) = folder(6);
        let mismatch = Tagger::load(dir.path(), &Device::Cpu);
        assert!(matches!(mismatch, Err(TaggerError::Mismatch { n_tags: 6, n_outputs: 7, .. })));
        std::fs::write(dir.path().join(TAGS_FILE), "").unwrap();
        assert!(matches!(Tagger::load(dir.path(), &Device::Cpu), Err(TaggerError::Vocabulary { .. })));
        std::fs::remove_file(dir.path().join(TAGS_FILE)).unwrap();
        assert!(matches!(Tagger::load(dir.path(), &Device::Cpu), Err(TaggerError::Open { .. })));
        let (dir, _) = folder(7);
        let tagger = Tagger::load(dir.path(), &Device::Cpu).unwrap();
        for (side, n) in [(64, 10), (0, 0)] {
            let square = Square { side, rgb: vec![0; n] };
            assert!(matches!(tagger.tag(&square), Err(TaggerError::Square { .. })));
        }
        std::fs::remove_file(dir.path().join(WEIGHTS_FILE)).unwrap();
        assert!(matches!(Tagger::load(dir.path(), &Device::Cpu), Err(TaggerError::Weights(_))));
    }
}
