//! One file per subcommand; the only place that prints.

pub mod train_tagger;
