//! Metrics with baselines and intervals. Knows nothing of training.

pub mod ranking;

pub mod bootstrap;
