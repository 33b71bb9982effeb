//! Why a fine-tuning stops.

use std::path::{Path, PathBuf};

use crate::matcher::error::MatcherError;

/// Why a fine-tuning stops.
#[derive(Debug, thiserror::Error)]
pub enum FinetuneError {
    /// There is not enough to learn from; nothing was changed.
    #[error(
        "there are {n_events} usable likes and dislikes, at least {needed} are needed; let people vote for a while \
         (nothing was changed)"
    )]
    TooLittle {
        /// Usable likes and dislikes.
        n_events: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The output folder cannot be the base, and what stands there is of another run.
    #[error("{0}")]
    Setting(String),
    /// The model's files cannot be used.
    #[error(transparent)]
    Matcher(#[from] MatcherError),
    /// The folder cannot be listed.
    #[error(transparent)]
    Manifest(#[from] crate::manifest::ManifestError),
    /// The loss is no number any more.
    #[error("the fit went astray: its loss is no number; lower the learning rate")]
    Astray,
    /// A checkpoint is damaged.
    #[error("the checkpoint is damaged; start without --resume")]
    Checkpoint(#[from] safetensors::SafeTensorError),
    /// Tensors do not fit, or the device failed.
    #[error("the device failed")]
    Device(#[from] candle_core::Error),
}

impl FinetuneError {
    /// For `map_err`: the file.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}
