//! What a model would have been worth on answers that another one gave: from logged answers with known chances, without
//! showing anything to anybody. Takes rows of the feedback log and two models, gives estimates with intervals and a
//! judgement; knows nothing of training.

pub mod cases;
pub mod estimate;
pub mod examination;
pub mod judgement;
pub mod like_model;
pub mod serving;

#[cfg(test)]
mod policy_tests;
#[cfg(test)]
pub mod pretend;
