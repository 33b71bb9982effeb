//! What can be wrong with a matcher's files.

use std::io;
use std::path::PathBuf;

use crate::lyric::error::LyricError;
use crate::lyric::packed::PackedError;
use crate::tagger::vocabulary::VocabularyError;

/// Why a matcher cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MatcherError {
    /// The file is missing or cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no safetensors file, or a damaged one.
    #[error("the matcher's file is damaged; copy it anew")]
    Format {
        /// What is wrong.
        source: safetensors::SafeTensorError,
    },
    /// The file holds something else than a matcher of this version.
    #[error("the file is no matcher: {fault}; train one with `image2song train matcher`")]
    NoMatcher {
        /// What is wrong.
        fault: String,
    },
    /// The file holds something else than a taste for this matcher.
    #[error("the taste cannot be used: {fault}; fine-tune anew with `image2song finetune`, or take the file away")]
    NoTaste {
        /// What is wrong.
        fault: String,
    },
    /// The tag list is unusable.
    #[error("the model's tags.txt is unusable")]
    Vocabulary {
        /// What is wrong.
        source: VocabularyError,
    },
    /// The song vectors cannot be stored.
    #[error("the song vectors cannot be stored")]
    Vectors {
        /// What is wrong.
        source: PackedError,
    },
    /// Words, vectors or the lexicon cannot be had.
    #[error(transparent)]
    Lyric(#[from] LyricError),
}

impl MatcherError {
    pub(super) fn format(source: safetensors::SafeTensorError) -> Self {
        Self::Format { source }
    }
}
