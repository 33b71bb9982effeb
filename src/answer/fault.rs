//! Why a photo has no answer while others can have theirs.

use crate::photo::PhotoError;

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
        Self::internal(chain(error))
    }
}

impl From<PhotoError> for PhotoFault {
    fn from(error: PhotoError) -> Self {
        let kind = error.kind();
        Self::new(kind, chain(&error))
    }
}

/// An error and its causes in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        message.push_str(&format!(": {source}"));
        cause = source.source();
    }
    message
}
