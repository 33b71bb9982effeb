//! Songs that fit a photo, each with its reason: a CNN tags the photo's regions, the tags steer attention over the
//! words of a lyric that a bidirectional RNN has read, and an MLP on each side maps both into a joint space.

pub mod photo;

pub mod tagger;

pub mod lyric;

pub mod catalogue;

pub mod matcher;

pub mod kernels;

pub mod explain;

pub mod addon;

pub mod answer;

pub mod training;

pub mod evaluation;

pub mod feedback;

pub mod calendar;

pub mod manifest;

pub mod config;

pub mod deployment;

pub mod telemetry;

pub mod engine;

pub mod report;

pub mod state;

pub mod bot;

pub mod cli;

#[cfg(test)]
mod test_data;
