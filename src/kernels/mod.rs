//! Hot loops, each with its scalar twin; the only module with `unsafe`. Knows nothing of models.

pub mod attend;

pub mod gru;

pub mod scan;
