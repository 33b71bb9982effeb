//! The command line: one file per subcommand, and the only place that prints. Results go to standard output, all else
//! to standard error. Takes arguments, gives an [`Outcome`] or an error that `main` prints once; does not know how
//! anything is computed.

pub mod args;
pub mod catalog;
pub mod catalog_build;
pub mod doctor;
pub mod eval;
pub mod eval_matcher;
pub mod eval_policy;
pub mod eval_tagger;
pub mod feedback;
pub mod finetune;
pub mod model;
pub mod photos;
pub mod promote;
pub mod report;
pub mod serve;
pub mod suggest;
pub mod tags;
pub mod tags_add;
pub mod tags_background;
pub mod tags_remove;
pub mod train;
pub mod train_matcher;
pub mod train_tagger;

mod deploying;
mod device;
mod fault;
mod input;
mod language;
mod learned;
mod loading;
mod output_human;
mod output_json;
mod pool;
mod report_table;
mod secrets;
mod song_choice;
mod tags_report;
mod terminal;

use std::ffi::OsString;
use std::io;

use anyhow::Context;
use clap::Parser;

use args::{Cli, Command, LogFormat};
use fault::SetupFault;

use crate::telemetry::redact::Redacting;

/// How a command that ran to its end ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything asked for was done.
    Done,
    /// It ran, and at least a part of it failed or the answer is no; the user has been told.
    Failed,
}

impl Outcome {
    /// 0 for [`Outcome::Done`], 1 for [`Outcome::Failed`].
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
        }
    }
}

/// Parses the arguments, the program's name first, and runs what they ask for.
///
/// # Errors
/// The set-up is unusable, or the command as a whole could not be done. What fails for one photo only is part of the
/// output instead. Wrong arguments do not return: they print their message and end the process with 2, as `--help`
/// and `--version` end it with 0.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Outcome> {
    let cli = Cli::parse_from(arguments);
    start_logging(&cli.command, cli.global.log_format, cli.global.is_quiet)?;
    let global = &cli.global;
    match cli.command {
        Command::Suggest(args) => suggest::run(global, &args),
        Command::Tags(args) => tags::run(global, &args),
        Command::Photos(args) => photos::run(global, &args),
        Command::Catalog(args) => catalog::run(global, &args),
        Command::Train(args) => train::run(&args),
        Command::Finetune(args) => finetune::run(global, &args),
        Command::Eval(args) => eval::run(global, &args),
        Command::Model(args) => model::run(global, &args),
        Command::Feedback(args) => feedback::run(&args),
        Command::Report(args) => report::run(global, &args),
        Command::Serve(args) => serve::run(global, &args),
        Command::Promote(args) => promote::run(global, &args),
        Command::Rollback(args) => promote::roll_back(&args),
        Command::Doctor(args) => doctor::run(global, &args),
    }
}

/// True if the error is a reader that has gone, which is its right.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
            || cause
                .downcast_ref::<serde_json::Error>()
                .is_some_and(|cause| cause.io_error_kind() == Some(io::ErrorKind::BrokenPipe))
    })
}

/// Prints an error with its causes, once, on standard error.
pub fn print_error(error: &anyhow::Error) {
    use anstyle::{AnsiColor, Style};
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    anstream::eprintln!("{red}error:{red:#} {error:#}");
}

/// 2 if the command line or the set-up is at fault, otherwise 1.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|cause| cause.is::<SetupFault>()) { 2 } else { 1 }
}

fn start_logging(command: &Command, format: LogFormat, is_quiet: bool) -> anyhow::Result<()> {
    use tracing_subscriber::filter::EnvFilter;
    let directives = match command {
        Command::Serve(args) if !is_quiet => serve::log_filter(args)?,
        _ if is_quiet => "error".to_owned(),
        _ => "warn".to_owned(),
    };
    let filter = match std::env::var("IMAGE2SONG_LOG") {
        Ok(own) => EnvFilter::try_new(own)
            .context("IMAGE2SONG_LOG holds no log filter; an example is IMAGE2SONG_LOG=image2song=debug")
            .map_err(SetupFault::from_error)?,
        Err(_) => EnvFilter::new(directives),
    };
    let subscriber = tracing_subscriber::fmt().with_writer(|| Redacting::new(io::stderr())).with_env_filter(filter);
    let is_serving = matches!(command, Command::Serve(_));
    let started = match format {
        LogFormat::Text if is_serving => subscriber.with_ansi(terminal::stderr_has_color()).compact().try_init(),
        LogFormat::Text => {
            let subscriber = subscriber.with_ansi(terminal::stderr_has_color()).without_time().with_target(false);
            subscriber.compact().try_init()
        }
        LogFormat::Json => subscriber.json().try_init(),
    };
    started.map_err(|source| anyhow::anyhow!("logging cannot be started: {source}"))
}
