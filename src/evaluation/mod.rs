//! Metrics with baselines and intervals. Knows nothing of training.

pub mod baselines;
pub mod bench;
pub mod bootstrap;
pub mod checks;
pub mod matcher;
pub mod policy;
pub mod ranking;
pub mod spread;
pub mod tagger;

pub mod language;
