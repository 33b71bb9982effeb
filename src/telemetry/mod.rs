//! What a running program tells about itself: metrics here, logs through `tracing`. Takes plain counts and times; knows
//! nobody's words and no song.

mod arms;
pub mod metrics;
pub mod redact;
