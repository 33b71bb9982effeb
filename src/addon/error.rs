//! Why a team's own tags cannot be had.

use std::path::PathBuf;

use crate::lyric::packed::PackedError;
use crate::manifest::ManifestError;

/// Why an add-on, its list or its background cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddonError {
    /// A file or folder cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file or folder cannot be written.
    #[error("{path} cannot be written")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A list of tags that does not follow the format.
    #[error("{path}: {fault}; docs/TAGS.md describes the file")]
    List {
        /// The file.
        path: PathBuf,
        /// What was found and what is allowed.
        fault: String,
    },
    /// A file of an add-on or a background that does not follow the format.
    #[error("{path}: {fault}; make it anew with `image2song tags add`")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found and what is allowed.
        fault: String,
    },
    /// The files of an add-on are not those that its manifest lists.
    #[error("the add-on {path} is not whole")]
    Manifest {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        source: Box<ManifestError>,
    },
    /// The add-on was made for another tagger.
    #[error(
        "the add-on {path} was made for a tagger with sha256 {made_for}, the model's is {found}: features of different \
         taggers mean different things; make it anew for this model with `image2song tags add`, or name the model that it \
         was made for with --model"
    )]
    OtherBase {
        /// The folder.
        path: PathBuf,
        /// Begin of the digest that it was made for.
        made_for: String,
        /// Begin of the digest of the model's tagger.
        found: String,
    },
    /// The background cannot be used.
    #[error(
        "{path} cannot be used: {fault}; learning tags needs what photos look like in general: make it with \
         `image2song tags background --data DIR`"
    )]
    Background {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: String,
    },
    /// A file cannot be packed.
    #[error("it cannot be packed")]
    Packed(#[from] PackedError),
}
