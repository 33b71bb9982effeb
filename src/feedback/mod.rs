//! The feedback log: what was shown, and what people did with it, so that the model can get better and nobody's wish is
//! lost. Takes [`event::Impression`]s and [`event::Event`]s, promises that what it acknowledged survives a crash, and
//! gives counts, exports and erasure. Knows no platform, no photo and no name; people are keyed hashes.
//!
//! An append-only journal is the truth; an index beside it (sled) answers questions and can be rebuilt at any time.

pub mod archive;
pub mod error;
pub mod event;
pub mod export;
pub mod history;
pub mod ids;
pub mod import;
pub mod log;
pub mod opinion;
pub mod store;
pub mod verify;

mod apply;
mod codec;
mod gather;
mod index;
mod journal;
mod record;
pub mod seal;
mod segment;
mod storage;
mod table;
mod writer;

#[cfg(test)]
mod export_tests;
#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod journal_tests;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod opinion_tests;
#[cfg(test)]
mod samples;
