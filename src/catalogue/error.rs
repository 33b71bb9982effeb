//! What can be wrong with a songs file or a catalogue.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::lyric::packed::PackedError;

/// Why a catalogue cannot be built, written or used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file is missing or cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The catalogue file is missing bytes, changed, or of another version.
    #[error("cannot use {file}; copy it anew or write it with `image2song catalog build`")]
    Unusable {
        /// Name of the file.
        file: String,
        /// What is wrong.
        source: PackedError,
    },
    /// Lines of a songs file cannot be used.
    #[error("{file}: {faults}")]
    BadSongs {
        /// Name of the file.
        file: String,
        /// The lines and what is wrong with them; at least one.
        faults: Faults,
    },
    /// The songs file is larger than what can be handled.
    #[error("{file}, line {line}: more than {max} {what}; split the file")]
    TooMuch {
        /// Name of the file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        max: usize,
    },
    /// The songs file holds no song.
    #[error("{file} holds no song; write one JSON object a line with at least title, artist, language and words")]
    NoSongs {
        /// Name of the file.
        file: String,
    },
    /// What was read does not fit the catalogue's format.
    #[error("the songs do not fit a catalogue file")]
    DoesNotFit {
        /// What there is too much of.
        #[from]
        source: PackedError,
    },
}

/// What is wrong with a line of a songs file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// Line, from 1.
    pub line: usize,
    /// What is missing or wrong, and what is expected.
    pub fault: String,
}

/// Lines that cannot be used: the first ones, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// The first faulty lines, at most [`Faults::MAX_SHOWN`].
    pub first: Vec<LineFault>,
    /// How many lines are faulty.
    pub n_lines: usize,
}

impl Faults {
    /// Faulty lines that are kept for showing.
    pub const MAX_SHOWN: usize = 20;

    /// Takes down a faulty line.
    pub fn add(&mut self, line: usize, fault: String) {
        self.n_lines += 1;
        if self.first.len() < Self::MAX_SHOWN {
            self.first.push(LineFault { line, fault });
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (fault_idx, fault) in self.first.iter().enumerate() {
            let separator = if fault_idx == 0 { "" } else { "\n  " };
            write!(f, "{separator}line {}: {}", fault.line, fault.fault)?;
        }
        match self.n_lines - self.first.len() {
            0 => Ok(()),
            n_more => write!(f, "\n  and {n_more} more lines"),
        }
    }
}
