//! `feedback`: describes, writes out, reads in and checks the store in which `serve` keeps what people thought of songs.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};

use crate::feedback::error::FeedbackError;
use crate::feedback::export::{ExportFormat, ExportOptions, export};
use crate::feedback::import::import;
use crate::feedback::log::{FeedbackLog, LogOptions};
use crate::feedback::store::{STORE_KEY_VARIABLE, USER_KEY_VARIABLE, key_from_environment};
use crate::feedback::verify::{VerifyReport, verify};

use super::Outcome;
use super::fault::SetupFault;
use super::output_json::write_line;

/// What every subcommand says about keys.
const KEYS_HELP: &str = "\
Keys: a store that was made with IMAGE2SONG_USER_KEY or IMAGE2SONG_STORE_KEY needs them here too, in the variable
or in the file that IMAGE2SONG_USER_KEY_FILE or IMAGE2SONG_STORE_KEY_FILE names. The store must not be in use:
stop `image2song serve` first, or work on a copy of the folder.";

/// Arguments of `feedback`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song feedback stats --store feedback/
  image2song feedback export --store feedback/ --format jsonl --out backup.jsonl")]
pub struct FeedbackArgs {
    #[command(subcommand)]
    command: FeedbackCommand,
}

#[derive(Debug, Subcommand)]
enum FeedbackCommand {
    /// Say how much the store holds
    #[command(after_help = format!("\
Examples:
  image2song feedback stats --store feedback/
  image2song feedback stats --store feedback/ --json

{KEYS_HELP}"))]
    Stats {
        /// The store
        #[command(flatten)]
        store: StoreArgs,
        /// One JSON object instead of text
        #[arg(long = "json")]
        is_json: bool,
    },
    /// Write the store out: all of it as JSON lines, or a table of the songs shown
    #[command(after_help = format!("\
Examples:
  image2song feedback export --store feedback/ --format jsonl --out backup.jsonl
  image2song feedback export --store feedback/ --format parquet --training --out train.parquet

JSON lines without --training hold everything, and `feedback import` reads them. All other exports are tables with a
row for each song that was shown.

{KEYS_HELP}"))]
    Export(ExportArgs),
    /// Read a JSON lines export into a store; doing it again changes nothing
    #[command(after_help = format!("\
Examples:
  image2song feedback import backup.jsonl --store feedback/
  image2song feedback import other-machine.jsonl --store new-feedback/ --json

A store that does not exist is made, encrypted if a store key is given.

{KEYS_HELP}"))]
    Import {
        /// The export
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The store
        #[command(flatten)]
        store: StoreArgs,
        /// One JSON object instead of text
        #[arg(long = "json")]
        is_json: bool,
    },
    /// Read every record of the journal and compare the index with it; changes nothing
    #[command(after_help = format!("\
Examples:
  image2song feedback verify --store feedback/
  image2song feedback verify --store feedback/ --json

Exit code 1 if something is damaged.

{KEYS_HELP}"))]
    Verify {
        /// The store
        #[command(flatten)]
        store: StoreArgs,
        /// One JSON object instead of text
        #[arg(long = "json")]
        is_json: bool,
    },
}

/// The store to work on.
#[derive(Debug, Args)]
struct StoreArgs {
    /// Folder of the store
    #[arg(long = "store", value_name = "DIR")]
    dir: PathBuf,
}

/// Arguments of `feedback export`.
#[derive(Debug, Args)]
struct ExportArgs {
    /// The store
    #[command(flatten)]
    store: StoreArgs,
    /// Form of the export
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: FormatChoice,
    /// File to write; one that is there is replaced when the new one is whole
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only what training may use, without the hashes of people and communities
    #[arg(long = "training")]
    is_training: bool,
    /// With --training: what came from Discord too; only if you hold Discord's permission to train on it
    #[arg(long = "include-discord", requires = "is_training")]
    includes_discord: bool,
}

/// Form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatChoice {
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values
    Csv,
    /// Apache Parquet
    Parquet,
}

/// Describes, writes out, reads in or checks a store.
///
/// # Errors
/// The store is in use or cannot be opened with the keys given, or a file cannot be read or written.
pub fn run(args: &FeedbackArgs) -> anyhow::Result<Outcome> {
    match &args.command {
        FeedbackCommand::Stats { store, is_json } => stats(&store.dir, *is_json),
        FeedbackCommand::Export(args) => write_out(args),
        FeedbackCommand::Import { file, store, is_json } => read_in(file, &store.dir, *is_json),
        FeedbackCommand::Verify { store, is_json } => check(&store.dir, *is_json),
    }
}

/// Options with the keys of the environment.
fn options() -> anyhow::Result<LogOptions> {
    let key = |variable| key_from_environment(variable, |name| env::var(name).ok()).map_err(SetupFault::from_error);
    let (user_key, store_key) = (key(USER_KEY_VARIABLE)?, key(STORE_KEY_VARIABLE)?);
    Ok(LogOptions { user_key, store_key, may_create: false, ..LogOptions::default() })
}

fn open(dir: &Path, options: LogOptions) -> anyhow::Result<FeedbackLog> {
    FeedbackLog::open(dir, options).map_err(fault)
}

/// Tells a store that cannot be opened as it was asked for from one that fails.
fn fault(error: FeedbackError) -> anyhow::Error {
    match error {
        FeedbackError::NoStore { .. }
        | FeedbackError::WrongKey { .. }
        | FeedbackError::KeyMissing { .. }
        | FeedbackError::NotEncrypted { .. } => SetupFault::from_error(error).into(),
        error => error.into(),
    }
}

fn stats(dir: &Path, is_json: bool) -> anyhow::Result<Outcome> {
    let stats = open(dir, options()?)?.stats()?;
    let mut out = io::stdout().lock();
    if is_json {
        write_line(&mut out, &stats)?;
        return Ok(Outcome::Done);
    }
    let mib = |n_bytes: u64| n_bytes as f64 / f64::from(1 << 20);
    writeln!(out, "answers        {}", stats.n_impressions)?;
    writeln!(out, "events         {}", stats.n_events)?;
    writeln!(out, "songs counted  {}", stats.n_songs)?;
    writeln!(out, "people         {} with a choice of their own or an erasure", stats.n_users)?;
    writeln!(out, "journal        {:.1} MiB, up to record {}", mib(stats.journal_bytes), stats.high_water_mark)?;
    writeln!(out, "index          {:.1} MiB", mib(stats.index_bytes))?;
    if stats.counters.n_rebuilt > 0 {
        writeln!(out, "The index was damaged; it was set aside and rebuilt from the journal.")?;
    }
    if stats.counters.n_damaged > 0 {
        writeln!(out, "{} journal records are damaged; see `feedback verify`.", stats.counters.n_damaged)?;
    }
    Ok(Outcome::Done)
}

fn write_out(args: &ExportArgs) -> anyhow::Result<Outcome> {
    let log = open(&args.store.dir, options()?)?;
    if args.includes_discord {
        tracing::warn!(
            "Discord's policy forbids training on message content without its permission; you say you hold it"
        );
    }
    let format = match args.format {
        FormatChoice::Jsonl => ExportFormat::Jsonl,
        FormatChoice::Csv => ExportFormat::Csv,
        FormatChoice::Parquet => ExportFormat::Parquet,
    };
    let options = ExportOptions { format, is_training: args.is_training, includes_discord: args.includes_discord };
    let draft = draft_of(&args.out);
    let cannot = || format!("cannot write {}", args.out.display());
    let mut file = BufWriter::new(File::create(&draft).with_context(cannot)?);
    let exported = match export(&log, options, &mut file) {
        Ok(exported) => exported,
        Err(error) => {
            // What is there of it is useless; that it cannot be removed is not worth a second message.
            let _ = fs::remove_file(&draft);
            return Err(error).with_context(cannot);
        }
    };
    file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all()).with_context(cannot)?;
    fs::rename(&draft, &args.out).with_context(cannot)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{} answers, {} events in {}", exported.n_impressions, exported.n_events, args.out.display())?;
    if exported.n_left_out > 0 {
        writeln!(out, "{} answers are left out: training may not use them", exported.n_left_out)?;
    }
    Ok(Outcome::Done)
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".draft");
    path.with_file_name(name)
}

fn read_in(file: &Path, dir: &Path, is_json: bool) -> anyhow::Result<Outcome> {
    let input = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    // What may be kept was decided where the rows were stored first.
    let options = LogOptions { may_create: true, keeps_embeddings: true, has_discord_permission: true, ..options()? };
    let log = open(dir, options)?;
    let imported = import(&log, BufReader::new(input)).with_context(|| format!("cannot read in {}", file.display()))?;
    let mut out = io::stdout().lock();
    if is_json {
        write_line(&mut out, &imported)?;
    } else {
        writeln!(
            out,
            "{} new, {} known, {} refused (erased, too old, or more than their people allow), counts of {} songs",
            imported.n_stored, imported.n_duplicates, imported.n_refused, imported.n_counted_songs
        )?;
    }
    Ok(Outcome::Done)
}

fn check(dir: &Path, is_json: bool) -> anyhow::Result<Outcome> {
    let report = verify(dir, &options()?).map_err(fault)?;
    let mut out = io::stdout().lock();
    if is_json {
        write_line(&mut out, &report)?;
    } else {
        show_report(&mut out, &report)?;
    }
    Ok(if report.is_sound { Outcome::Done } else { Outcome::Failed })
}

fn show_report(out: &mut impl Write, report: &VerifyReport) -> io::Result<()> {
    let VerifyReport { n_files, n_records, last_record, last_indexed, n_damaged, n_unreadable, n_differing, .. } =
        report;
    writeln!(out, "journal  {n_records} records in {n_files} files, the last is number {last_record}")?;
    writeln!(out, "index    up to record {last_indexed}")?;
    if report.n_torn > 0 {
        writeln!(out, "The last write was cut off. It was never acknowledged; the next start drops it.")?;
    }
    if n_damaged + n_unreadable > 0 {
        let n_places = n_damaged + n_unreadable;
        writeln!(
            out,
            "DAMAGED: {n_places} places of the journal cannot be read; restore it from a copy or an export."
        )?;
    }
    if let Some(fault) = &report.index_fault {
        writeln!(out, "DAMAGED: {fault}")?;
    }
    if *n_differing > 0 {
        writeln!(
            out,
            "DAMAGED: {n_differing} entries of the index differ from the journal; move its folder away and start again: it is rebuilt."
        )?;
    }
    if report.is_sound {
        writeln!(out, "sound")?;
    }
    Ok(())
}
