//! What can go wrong with the kept state.

use std::path::PathBuf;

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process has it.
    #[error("{} is in use by another process, most likely another `image2song serve`; stop it or set another [store] dir", dir.display())]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// The database fails.
    #[error("the state in {} cannot be used", dir.display())]
    Database {
        /// The folder.
        dir: PathBuf,
        /// What the database says.
        source: sled::Error,
    },
    /// A value is longer than may be kept.
    #[error("a value of {found} bytes is too long to be kept; the limit is {max}")]
    TooLong {
        /// Its length.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// A stored value cannot be read: it is damaged, or another key encrypted it.
    #[error("a stored value cannot be read: {fault}")]
    Unreadable {
        /// Why.
        fault: String,
    },
}
