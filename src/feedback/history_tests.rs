use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use proptest::prelude::*;
use secrecy::SecretString;

use super::error::FeedbackError;
use super::event::{Event, EventKind, Impression, Level, Platform, UnixMs};
use super::export::{ExportFormat, ExportOptions, export};
use super::history::{History, HistoryOptions};
use super::import::import;
use super::log::{FeedbackLog, LogOptions, Row};
use super::opinion::Verdict;
use super::samples::{START, event, impression, song, user};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn options() -> LogOptions {
    LogOptions { segment_bytes: 2 << 10, cache_bytes: 4 << 20, ..LogOptions::default() }
}

fn open(dir: &Path) -> FeedbackLog {
    FeedbackLog::open(dir, options()).unwrap()
}

fn read(sources: &[&Path]) -> History {
    let sources: Vec<PathBuf> = sources.iter().map(|path| path.to_path_buf()).collect();
    History::read(&sources, &HistoryOptions::default()).unwrap()
}

fn rows(log: &FeedbackLog) -> Vec<Row> {
    log.iter().map(Result::unwrap).collect()
}

fn export_to(log: &FeedbackLog, path: &Path) {
    let options = ExportOptions { format: ExportFormat::Jsonl, is_training: false, includes_discord: false };
    export(log, options, fs::File::create(path).unwrap()).unwrap();
}

#[track_caller]
fn assert_same(history: &History, log: &FeedbackLog) {
    assert_eq!(history.rows, rows(log));
    let counts: Vec<_> = history.counts.clone().into_iter().collect();
    assert_eq!(counts, log.counts_without_events().unwrap());
    assert_eq!((history.high_water_mark, history.n_damaged), (log.high_water_mark(), 0));
}

/// What is done with a log, as numbers that a shrinking test makes smaller.
#[derive(Debug, Clone)]
enum Op {
    Answer { n: u64, who: u64, day: u64 },
    Press { n: u64, on: u64, who: u64, position: u8, kind: usize, day: u64, is_counted: bool },
    Erase { who: u64, day: u64 },
    Sweep { day: u64 },
    Level { who: u64, level: usize },
    TakeOver { high_water: u64, up: u64 },
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    let (n, who, day) = (0_u64..12, 0_u64..4, 0_u64..300);
    let press = (0_u64..60, n.clone(), who.clone(), 0_u8..3, 0..EventKind::NAMED.len(), day.clone(), any::<bool>());
    prop_oneof![
        6 => (n, who.clone(), day.clone()).prop_map(|(n, who, day)| Op::Answer { n, who, day }),
        12 => press.prop_map(|(n, on, who, position, kind, day, is_counted)| {
            Op::Press { n, on, who, position, kind, day, is_counted }
        }),
        2 => (who.clone(), day.clone()).prop_map(|(who, day)| Op::Erase { who, day }),
        1 => day.prop_map(|day| Op::Sweep { day }),
        1 => (who, 0_usize..3).prop_map(|(who, level)| Op::Level { who, level }),
        1 => (1_u64..4, 0_u64..5).prop_map(|(high_water, up)| Op::TakeOver { high_water, up }),
        1 => Just(Op::Reopen),
    ]
}

fn run(dir: &Path, mut log: FeedbackLog, ops: &[Op]) -> FeedbackLog {
    let at = |day: u64| UnixMs(START.0 + day * DAY);
    for (idx, op) in ops.iter().enumerate() {
        match *op {
            Op::Answer { n, who, day } => {
                let generation = log.generation(user(who));
                let made = Impression { user: user(who), time: at(day), generation, ..impression(n) };
                log.record_impression(made).unwrap();
            }
            Op::Press { n, on, who, position, kind, day, is_counted } => {
                let level = if is_counted { Level::Counts } else { Level::Training };
                let (user, kind) = (user(who), EventKind::NAMED[kind].0);
                let made = Event { user, song: Some(song(position)), time: at(day), level, ..event(n, on, kind) };
                log.record_event(Event { generation: log.generation(user), order: idx as u64, ..made }).unwrap();
            }
            Op::Erase { who, day } => {
                log.erase_user(user(who), at(day)).unwrap();
            }
            Op::Sweep { day } => {
                log.sweep(UnixMs(at(day).0 + 60 * DAY)).unwrap();
            }
            Op::Level { who, level } => log.set_user_level(user(who), Level::ALL[level], START).unwrap(),
            Op::TakeOver { high_water, up } => {
                let totals = vec![(song(0).song_id, super::log::SongCounts { up, down: 1 })];
                log.import_totals([9; 16], high_water, totals).unwrap();
            }
            Op::Reopen => {
                drop(log);
                log = open(dir);
            }
        }
    }
    log
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn the_history_of_a_store_is_what_its_index_says(ops in prop::collection::vec(op(), 0..120)) {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("store");
        // Read while it is open and after it was closed, and from an export.
        let log = run(&store, open(&store), &ops);
        assert_same(&read(&[&store]), &log);
        let exported = dir.path().join("export.jsonl");
        export_to(&log, &exported);
        assert_same(&read(&[&exported]), &log);
        drop(log);
        let closed = read(&[&store]);
        assert_same(&closed, &open(&store));
        // The same thing twice is there once.
        let both = read(&[&exported, &store]);
        prop_assert_eq!((&both.rows, &both.counts), (&closed.rows, &closed.counts));
    }

    #[test]
    fn the_order_of_sources_does_not_matter(
        first in prop::collection::vec(op(), 0..60),
        second in prop::collection::vec(op(), 0..60),
        later in prop::collection::vec(op(), 0..30),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        let (old_a, new_b) = (dir.path().join("a.jsonl"), dir.path().join("b.jsonl"));
        let log = run(&a, open(&a), &first);
        export_to(&log, &old_a);
        run(&a, log, &later);
        let log = run(&b, open(&b), &second);
        export_to(&log, &new_b);
        drop(log);
        let expected = read(&[&a, &b, &old_a, &new_b]);
        for order in [[&new_b, &old_a, &b, &a], [&old_a, &a, &new_b, &b], [&b, &new_b, &a, &old_a]] {
            let found = read(&order.map(PathBuf::as_path));
            prop_assert_eq!((&found.rows, &found.counts), (&expected.rows, &expected.counts));
            prop_assert_eq!(&found.sources, &expected.sources);
        }
    }
}

#[test]
fn a_store_that_is_being_written_is_read_without_a_lock() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..600 {
                log.record_impression(impression(n)).unwrap();
                log.record_event(event(n, n, EventKind::Up)).unwrap();
                if n % 50 == 49 {
                    // Rewrites the journal's files under the reader.
                    log.erase_user(user(9 + n), UnixMs(1)).unwrap();
                    log.sweep(UnixMs(START.0)).unwrap();
                }
            }
            is_over.store(true, Ordering::Release);
        });
        let mut n_before = 0;
        while !is_over.load(Ordering::Acquire) {
            let history = read(&[dir.path()]);
            assert_eq!(history.n_damaged, 0);
            assert!(history.rows.len() >= n_before, "{} after {n_before}", history.rows.len());
            n_before = history.rows.len();
            assert!(history.rows.iter().filter(|row| row.events.len() == 1).count() + 1 >= n_before);
        }
    });
    assert_eq!(read(&[dir.path()]).rows.len(), 600);
    assert_same(&read(&[dir.path()]), &log);
}

#[test]
fn an_erasure_in_one_source_holds_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let (store, old) = (dir.path().join("store"), dir.path().join("old.jsonl"));
    let log = open(&store);
    log.record_impression(impression(1)).unwrap();
    log.record_event(event(1, 1, EventKind::Up)).unwrap();
    log.record_event(Event { user: user(2), ..event(2, 1, EventKind::Down) }).unwrap();
    export_to(&log, &old);
    assert_eq!(read(&[&old]).rows[0].events.len(), 2);
    log.erase_user(user(1), UnixMs(START.0 + 90_000)).unwrap();
    for sources in [[old.as_path(), &store], [&store, &old]] {
        let row = &read(&sources).rows[0];
        let verdicts: Vec<_> = row.state.songs.values().map(|song| song.opinion.verdict()).collect();
        assert_eq!(verdicts, [Some(Verdict::Down)]);
    }
}

#[test]
fn counts_without_people_are_added_once() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b, exported) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("a.jsonl"));
    let (log, other) = (open(&a), open(&b));
    let vote = |n, who| Event { level: Level::Counts, user: user(who), ..event(n, n, EventKind::Up) };
    log.record_event(vote(1, 1)).unwrap();
    export_to(&log, &exported);
    log.record_event(vote(2, 1)).unwrap();
    other.record_event(vote(3, 2)).unwrap();
    import(&other, fs::read(&exported).unwrap().as_slice()).unwrap();
    let up = |sources: &[&Path]| read(sources).counts[&song(0).song_id].up;
    assert_eq!((up(&[&a]), up(&[&exported]), up(&[&b])), (2, 1, 2));
    // What b took over from a is known better to a itself.
    assert_eq!((up(&[&a, &b]), up(&[&b, &exported]), up(&[&exported, &a, &b])), (3, 2, 3));
}

#[test]
fn an_encrypted_store_needs_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let key = |key: &str| Some(SecretString::from(key.to_owned()));
    let log = FeedbackLog::open(dir.path(), LogOptions { store_key: key("right"), ..options() }).unwrap();
    log.record_impression(Impression { platform: Platform::Discord, ..impression(1) }).unwrap();
    let read = |store_key| History::read(&[dir.path().to_owned()], &HistoryOptions { store_key });
    assert_same(&read(key("right")).unwrap(), &log);
    assert!(matches!(read(key("wrong")), Err(FeedbackError::WrongKey { .. })));
    assert!(matches!(read(None), Err(FeedbackError::KeyMissing { .. })));
    let plain = tempfile::tempdir().unwrap();
    open(plain.path()).record_impression(impression(1)).unwrap();
    let sources = [plain.path().to_owned(), dir.path().to_owned()];
    let history = History::read(&sources, &HistoryOptions { store_key: key("right") }).unwrap();
    assert_eq!(history.rows.len(), 1, "a plain store beside it needs no key; the same answer counts once");
}

#[test]
fn damage_is_counted_and_a_torn_end_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let log = FeedbackLog::open(dir.path(), LogOptions { segment_bytes: 1 << 20, ..options() }).unwrap();
    for n in 0..10 {
        log.record_impression(impression(n)).unwrap();
    }
    drop(log);
    let path = dir.path().join("journal/00000001-00000001.log");
    let whole = fs::read(&path).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let mut torn = whole.clone();
    torn[end - 20..].fill(0);
    fs::write(&path, &torn).unwrap();
    let history = read(&[dir.path()]);
    assert_eq!((history.rows.len(), history.n_damaged, history.high_water_mark), (9, 0, 9));
    let mut damaged = whole;
    damaged[60] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let history = read(&[dir.path()]);
    assert_eq!((history.rows.len(), history.n_damaged, history.high_water_mark), (9, 1, 10));
}

#[test]
fn what_is_no_whole_source_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (store, exported) = (dir.path().join("store"), dir.path().join("export.jsonl"));
    let log = open(&store);
    log.record_impression(impression(1)).unwrap();
    log.record_event(event(1, 1, EventKind::Up)).unwrap();
    export_to(&log, &exported);
    let text = fs::read_to_string(&exported).unwrap();
    let message = |text: &str| {
        fs::write(&exported, text).unwrap();
        History::read(std::slice::from_ref(&exported), &HistoryOptions::default()).unwrap_err().to_string()
    };
    let lines: Vec<&str> = text.lines().collect();
    assert!(message(&lines[..lines.len() - 1].join("\n")).contains("cut off"));
    assert!(message(&[lines[0], lines[1], lines[lines.len() - 1]].join("\n")).contains("cut off"));
    assert!(message(&format!("{text}{}\n", lines[1])).contains("follows the end"));
    assert!(message(&text.replacen("\"version\":2", "\"version\":3", 1)).contains("use the newer image2song"));
    assert!(message(&text.replacen("\"impression\"", "\"song\"", 1)).starts_with("line 2 of "));
    for foreign in ["", "\n", "{}\n", "hello", "{\"end\":{\"n_lines\":0}}\n"] {
        assert!(message(foreign).contains("does not begin with a header"), "{foreign}");
    }
    let none = History::read(&[dir.path().to_owned()], &HistoryOptions::default());
    assert!(matches!(none, Err(FeedbackError::NoStore { .. })));
    fs::write(&exported, text.trim_end()).unwrap();
    assert_same(&read(&[&exported]), &log);
}
