//! A set-up that nothing can run with.

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
