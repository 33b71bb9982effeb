//! What can be wrong with the files that this module reads.

use std::io;
use std::path::{Path, PathBuf};

use super::packed::PackedError;

/// Why words, vectors or the lexicon cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LyricError {
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
    /// A line of a text file is wrong.
    #[error("{file}, line {line}: {fault}")]
    BadLine {
        /// Name of the file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong and what is expected.
        fault: String,
    },
    /// Two files that belong together do not fit.
    #[error("{}: {fault}", path.display())]
    Misfit {
        /// The file that has the wrong size.
        path: PathBuf,
        /// What is wrong.
        fault: String,
    },
    /// A bundled file is of another kind or version, or damaged.
    #[error("cannot use {file}; copy the file anew or write it again with `image2song catalog build`")]
    Unusable {
        /// Name of the file.
        file: String,
        /// What is wrong.
        source: PackedError,
    },
}

/// The bytes of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LyricError> {
    std::fs::read(path).map_err(|source| LyricError::Unreadable { path: path.to_owned(), source })
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> Result<String, LyricError> {
    std::fs::read_to_string(path).map_err(|source| LyricError::Unreadable { path: path.to_owned(), source })
}

/// Writes a file as a whole: beside it first, then renamed, so that a cut-off run leaves the old one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), LyricError> {
    let unwritable = |source| LyricError::Unwritable { path: path.to_owned(), source };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, bytes).map_err(unwritable)?;
    std::fs::rename(&beside, path).map_err(unwritable)
}
