//! The two kinds of fault the command line tells apart: a set-up that nothing can run with, and a photo that cannot be
//! answered while the others can.

use crate::photo::PhotoError;

/// The command line or the set-up (arguments, model folder, device) is at fault; nothing was done. Exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SetupFault {
    message: String,
}

impl SetupFault {
    /// A fault with its message, which ends with what to try next.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// A fault of the set-up that another part found; the message holds the chain of causes.
    pub fn from_error(error: impl Into<anyhow::Error>) -> Self {
        Self { message: format!("{:#}", error.into()) }
    }
}

/// Why one photo has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoFault {
    /// A word a program can act on, listed in docs/json.md.
    pub kind: &'static str,
    /// What was found, what is allowed, what to try.
    pub message: String,
}

impl PhotoFault {
    /// A fault of the given kind.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Our fault: a bug or a broken model, not the photo's.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("internal", message)
    }

    /// Our fault with its chain of causes.
    pub fn internal_error(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            message.push_str(&format!(": {source}"));
            cause = source.source();
        }
        Self::internal(message)
    }
}

impl From<PhotoError> for PhotoFault {
    fn from(error: PhotoError) -> Self {
        let kind = error.kind();
        Self::new(kind, format!("{:#}", anyhow::Error::new(error)))
    }
}
