//! Parts follow.
