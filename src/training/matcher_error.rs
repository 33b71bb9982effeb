//! Why a matcher cannot be trained, or its data cannot be read.

use std::path::{Path, PathBuf};

use crate::catalogue::error::CatalogueError;
use crate::lyric::error::LyricError;
use crate::lyric::packed::PackedError;
use crate::matcher::error::MatcherError;
use crate::training::labels::DataError;

/// Why a training of the matcher stops.
#[derive(Debug, thiserror::Error)]
pub enum MatcherTrainError {
    /// A file cannot be read or written.
    #[error("cannot open {path}; docs/data-format.md lists what a data folder needs")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file, or a setting, is not what it should be; the text says what was found and what is allowed.
    #[error("{0}")]
    Content(String),
    /// Photos, labels or pairs of the data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Words or the lexicon cannot be used.
    #[error(transparent)]
    Lyric(#[from] LyricError),
    /// The songs cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The catalogue that was built of the songs cannot be read back.
    #[error(transparent)]
    Packed(#[from] PackedError),
    /// Weights cannot be read or written.
    #[error(transparent)]
    Matcher(#[from] MatcherError),
    /// A checkpoint is damaged.
    #[error("the checkpoint is damaged; start without --resume to begin anew")]
    Checkpoint(#[from] safetensors::SafeTensorError),
    /// Tensors do not fit, or the device failed.
    #[error("the device failed")]
    Device(#[from] candle_core::Error),
}

impl MatcherTrainError {
    /// For `map_err`: the file that could not be opened.
    pub fn open(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Open { path, source }
    }
}
