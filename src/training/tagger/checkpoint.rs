//! The state of a training, so that it can be cut anywhere and go on: parameters, optimizer, average, step.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::optimizer::AdamW;
use crate::tagger::arch::Arch;

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It cannot be read or written.
    #[error("cannot open the checkpoint {path}; start without --resume to begin anew")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is damaged or of another network.
    #[error("the checkpoint {path} cannot be used: {reason}; start without --resume to begin anew")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found and what is needed.
        reason: String,
    },
}

/// Where a training stands, besides the numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The network.
    pub arch: Arch,
    /// Optimizer steps done.
    pub step: u64,
    /// Seed of everything random.
    pub seed: u64,
    /// Threads, which decide the order of sums.
    pub n_threads: usize,
    /// Best validation score so far.
    pub best: f64,
}

/// Everything that a training needs to go on.
pub struct Checkpoint {
    /// Where it stands.
    pub progress: Progress,
    /// Parameters.
    pub params: Vec<f32>,
    /// Optimizer and average.
    pub optimizer: AdamW,
}

const PARTS: [&str; 4] = ["params", "first", "second", "average"];

impl Checkpoint {
    /// Writes the checkpoint in one step: a cut leaves the one before.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let parts = [&self.params, &self.optimizer.first, &self.optimizer.second, &self.optimizer.average];
        let bytes: Vec<Vec<u8>> =
            parts.iter().map(|part| part.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
        let views: Vec<(&str, TensorView)> = PARTS
            .iter()
            .zip(&bytes)
            .map(|(&name, bytes)| {
                let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes).expect("four bytes a number");
                (name, view)
            })
            .collect();
        let progress = serde_json::to_string(&self.progress).expect("progress is plain numbers");
        let metadata = Some(HashMap::from([("progress".to_owned(), progress)]));
        let bytes = safetensors::serialize(views, metadata).expect("names are unique and shapes fit");
        let draft = path.with_extension("draft");
        std::fs::write(&draft, bytes)
            .and_then(|()| std::fs::rename(&draft, path))
            .map_err(|source| CheckpointError::Open { path: path.to_owned(), source })
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// It is missing, damaged, or its parts do not fit its network.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let content = |reason: String| CheckpointError::Content { path: path.to_owned(), reason };
        let bytes = std::fs::read(path).map_err(|source| CheckpointError::Open { path: path.to_owned(), source })?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| content(error.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| content(error.to_string()))?;
        let progress = metadata.metadata().as_ref().and_then(|entries| entries.get("progress"));
        let progress = progress.ok_or_else(|| content("it holds no progress".to_owned()))?;
        let progress: Progress = serde_json::from_str(progress).map_err(|error| content(error.to_string()))?;
        progress.arch.check().map_err(content)?;
        let n_params = progress.arch.layout().n_params;
        let part = |name: &str| -> Result<Vec<f32>, CheckpointError> {
            let tensor = tensors.tensor(name).map_err(|error| content(error.to_string()))?;
            if tensor.dtype() != Dtype::F32 || tensor.shape() != [n_params] {
                return Err(content(format!("{name} has the shape {:?}, needed is [{n_params}]", tensor.shape())));
            }
            Ok(tensor.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect())
        };
        let [params, first, second, average] = [part(PARTS[0])?, part(PARTS[1])?, part(PARTS[2])?, part(PARTS[3])?];
        Ok(Self { progress, params, optimizer: AdamW { first, second, average } })
    }
}
