//! Datasets, losses and loops that make the model files. Knows nothing of serving.

pub mod labels;
pub mod pairs;
pub mod tagger;
