//! What can go wrong with a deployment.

use std::io;
use std::path::PathBuf;

use crate::manifest::ManifestError;

/// Why a model is not deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// A file of the deployment cannot be read or written.
    #[error("{path} cannot be used; see that the store folder can be written and has room")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The plan does not follow the format.
    #[error("{path} is no deployment of this program: {fault}; move it away to begin anew with the bundled model")]
    Malformed {
        /// The plan.
        path: PathBuf,
        /// Where it departs.
        fault: String,
    },
    /// The plan was written by a newer program.
    #[error("{path} has version {found}, this program reads up to {known}; use the newer image2song that wrote it")]
    TooNew {
        /// The plan.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// There is nothing to go back to.
    #[error("no model was promoted and none is on trial, so there is nothing to roll back")]
    NothingToUndo,
    /// The model serves already.
    #[error("{model} is promoted already")]
    AlreadyCurrent {
        /// Its name and version.
        model: String,
    },
    /// Two different models have the same name and version, so that the log could not tell them apart.
    #[error(
        "another model is called {model} already, and the log tells models apart by name and version; give this one \
         another version with `image2song model seal DIR --version`"
    )]
    SameName {
        /// Name and version of both.
        model: String,
    },
    /// The model folder is not whole.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl DeploymentError {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }
}
