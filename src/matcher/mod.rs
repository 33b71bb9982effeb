//! Tags in, ranked songs with reasons out. Knows nothing of pixels or platforms.

pub mod songs;

pub mod weights;

pub mod linear;

pub mod probe;

pub mod facts;

pub mod adapter;

pub mod taste;

pub mod tastes;

pub mod network;

pub mod shortlist;

pub mod ranker;

pub mod query;

pub mod draw;

pub mod suggest;

pub mod diversify;

pub mod explain;

pub mod store;

pub mod reasons;

pub mod own_tags;

pub mod error;
