//! The songs that can be suggested: a songs file in, a compact catalogue out; by number, by id or by a search in titles
//! and artists. Knows nothing of photos or of ranking.

pub mod song;

pub mod source;

pub mod weigh;

pub mod build;

pub mod format;

pub mod load;

pub mod search;

pub mod census;

pub mod ragged;

pub mod error;
