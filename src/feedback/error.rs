//! What can go wrong with the log, by what can be done about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why the log could not do what was asked. Cheap to clone, since one fault can fail a whole group of writes.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FeedbackError {
    /// Another process has the store open.
    #[error(
        "{} is in use by another process, most likely `image2song serve`; stop it first, or work on a copy of the folder",
        dir.display()
    )]
    Locked {
        /// The store.
        dir: PathBuf,
    },
    /// The folder holds no store and none may be made.
    #[error("{} holds no feedback store; name the folder that `image2song serve` uses for feedback", dir.display())]
    NoStore {
        /// The folder.
        dir: PathBuf,
    },
    /// The key is not the one that the store was made with.
    #[error("{variable} is not the key that {} was made with; give the old one", dir.display())]
    WrongKey {
        /// Where the key comes from.
        variable: &'static str,
        /// The store.
        dir: PathBuf,
    },
    /// The store is encrypted and no key was given.
    #[error("{} is encrypted; give its key in {variable} or in the file that {variable}_FILE names", dir.display())]
    KeyMissing {
        /// Where the key comes from.
        variable: &'static str,
        /// The store.
        dir: PathBuf,
    },
    /// The store is not encrypted although a key was given.
    #[error(
        "{} was made without {variable}, so its values are not encrypted; export it, and import it into a new store with the key",
        dir.display()
    )]
    NotEncrypted {
        /// Where the key comes from.
        variable: &'static str,
        /// The store.
        dir: PathBuf,
    },
    /// Written by a newer program.
    #[error("{what} has version {found}, this program reads up to {known}; use the newer image2song that wrote it")]
    TooNew {
        /// What was read.
        what: String,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// The disk is full; nothing of the write is kept.
    #[error("the disk of {} is full; make room, then it works again by itself", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// The index cannot be used. It holds nothing that is not in the journal.
    #[error(
        "the index of the feedback store fails ({fault}); stop, move its folder `index-…` away and start again: it is rebuilt"
    )]
    Index {
        /// What its library says.
        fault: String,
    },
    /// Bytes that do not follow the format, or that another key encrypted.
    #[error("{what} is damaged: {fault}; `image2song feedback verify` says how much is")]
    Damaged {
        /// What was read.
        what: String,
        /// Where it departs.
        fault: &'static str,
    },
    /// A file is no whole export.
    #[error("line {line} of {} is none of a feedback export: {fault}", path.display())]
    BadExport {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        fault: String,
    },
    /// More than one record may hold.
    #[error("a feedback record has {bytes} bytes, the limit is {max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// A score or probability is no number.
    #[error("an answer has a score, probability or embedding that is not finite")]
    NotFinite,
    /// More is waiting than the log takes; try again in a moment.
    #[error("the feedback log is busy; try again")]
    Busy,
    /// The log has been closed.
    #[error("the feedback log is closed")]
    Closed,
}

impl FeedbackError {
    /// A fault of a file, told apart by whether the disk is full.
    pub(super) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { path, source: Arc::new(source) },
        }
    }

    /// True if a file is not there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    pub(super) fn damaged(what: impl Into<String>, fault: &'static str) -> Self {
        Self::Damaged { what: what.into(), fault }
    }
}

impl From<sled::Error> for FeedbackError {
    fn from(source: sled::Error) -> Self {
        Self::Index { fault: source.to_string() }
    }
}
