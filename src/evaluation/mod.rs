//! Metrics with baselines and intervals. Knows nothing of training.

pub mod ranking;

pub mod bootstrap;

pub mod bench;

pub mod baselines;

pub mod matcher;

pub mod spread;

pub mod language;
