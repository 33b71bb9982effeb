//! Datasets, losses and loops that make the model files. Knows nothing of serving.

pub mod finetune;
pub mod labels;
pub mod matcher;
pub mod matcher_batch;
pub mod matcher_checkpoint;
pub mod matcher_data;
pub mod matcher_error;
pub mod matcher_net;
pub mod matcher_optimizer;
pub mod matcher_table;
pub mod pairs;
pub mod tagger;
