//! Which model serves: promoted, on trial, rolled back, and how the two arms of a trial compare. Takes model folders and
//! counts, gives a plan that outlives the process. Knows no engine, no platform and nobody who asks.

pub mod interval;

pub mod tally;

pub mod judgement;

pub mod plan;

pub mod plan_file;

pub mod status;

pub mod vault;

pub mod error;
