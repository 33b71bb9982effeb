//! A report over a million events, from a store and from an export, against the least that any reader of the export must
//! do: parse each line with serde_json, on the same threads. Times and their ratio; the peak of memory where the system
//! tells it.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image2song::catalogue::load::Catalogue;
use image2song::feedback::archive::Archive;
use image2song::feedback::event::UnixMs;
use image2song::feedback::history::{History, HistoryOptions};
use image2song::feedback::import::import;
use image2song::feedback::log::{FeedbackLog, LogOptions};
use image2song::report::build::{Period, Report};
use image2song::report::facets::Facets;
use image2song::report::page::page;
use rayon::prelude::*;

#[path = "../fixtures/community.rs"]
mod community;

const UNTIL_MS: u64 = 1_795_478_400_000;
const N_ROUNDS: usize = 3;

/// The median of a few runs.
fn time<T>(mut run: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..N_ROUNDS)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed()
        })
        .collect();
    times.sort();
    times[N_ROUNDS / 2]
}

/// What serde_json alone takes for the same lines, on all threads.
fn parse_only(path: &Path) -> usize {
    let lines: Vec<String> = BufReader::new(File::open(path).unwrap()).lines().map(Result::unwrap).collect();
    lines.par_iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap().is_object() as usize).sum()
}

fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn main() {
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base/catalog");
    let catalogue = Catalogue::load(&catalogue).expect("the bundled catalogue loads");
    let facets = Facets::of(&catalogue);
    let songs = catalogue.songs().map(|song| catalogue.song(song).id.to_owned()).collect();
    // A first argument that is a number makes a smaller world.
    let n_answers = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(630_000);
    let world = community::World { seed: 1, n_answers, n_people: 50_000, n_days: 60, until_ms: UNTIL_MS, songs };
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build folder can be written");
    let exported = dir.path().join("export.jsonl");
    let (n_answers, n_events) =
        world.write(&mut BufWriter::new(File::create(&exported).expect("the disk works"))).expect("the disk works");
    eprintln!("{n_answers} answers, {n_events} events, {} MB", exported.metadata().unwrap().len() / 1_000_000);
    let period = Period { n_days: Some(30), until: UnixMs(UNTIL_MS) };
    let report = |path: &PathBuf| {
        let archive = Archive::read(std::slice::from_ref(path), None).expect("the log can be read");
        page(&Report::new(&archive, &facets, period)).expect("the charts can be drawn").len()
    };
    let before = peak_mib();
    let from_export = time(|| report(&exported));
    eprintln!("report from the export:      {from_export:?}, peak {:?} MiB (before {before:?})", peak_mib());
    let parsed = time(|| parse_only(&exported));
    eprintln!("serde_json alone, threads:   {parsed:?}");
    eprintln!("ratio: {:.2}", from_export.as_secs_f64() / parsed.as_secs_f64());
    let store = dir.path().join("store");
    let log = FeedbackLog::open(&store, LogOptions::default()).expect("a new folder can be used");
    import(&log, BufReader::new(File::open(&exported).expect("it was written"))).expect("it is whole");
    drop(log);
    let from_store = time(|| report(&store));
    eprintln!("report from the store:       {from_store:?}");
    let archive = time(|| Archive::read(std::slice::from_ref(&store), None).expect("the log can be read").len());
    eprintln!("of this, reading the store:  {archive:?}");
    let history = time(|| {
        History::read(std::slice::from_ref(&store), &HistoryOptions::default()).expect("the log can be read").rows.len()
    });
    eprintln!("history of the store:        {history:?}, peak {:?} MiB", peak_mib());
}
