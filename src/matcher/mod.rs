//! Tags in, ranked songs with reasons out. Knows nothing of pixels or platforms.

pub mod songs;

pub mod weights;

pub mod network;

pub mod shortlist;

pub mod ranker;

pub mod error;
