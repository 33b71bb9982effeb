//! One file per subcommand; the only place that prints.

pub mod train_matcher;

pub mod eval_matcher;
