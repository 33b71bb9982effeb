//! Fine-tuning on likes: from logged answers to an adapter of a few kB. Takes cases of the feedback log and a model, gives
//! a model folder with what was learned; knows nothing of platforms. `docs/FINETUNING.md` has the formulas.

pub mod checkpoint;
pub mod error;
pub mod features;
pub mod fit;
pub mod folder;
pub mod graph;
pub mod pairs;
pub mod run;

#[cfg(test)]
mod finetune_tests;
