//! Training of the tagger: photos with masked labels and soft tags in, weights out.

pub mod augment;
pub mod checkpoint;
mod initial;
pub mod network;
pub mod optimizer;
pub mod photos;
pub mod predict;
pub mod run;
pub mod targets;

#[cfg(test)]
mod oracle;

#[cfg(test)]
mod network_tests;

#[cfg(test)]
mod run_tests;
