//! What a check before the start finds, and what to do about it.

/// One finding; its text is for the operator and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// All is well; what was found.
    Good(String),
    /// It works, but the operator may want to know.
    Advice(String),
    /// It cannot work; what to do.
    Bad(String),
}
