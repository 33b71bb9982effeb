use std::io::Cursor;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use secrecy::SecretString;

use super::event::{Event, EventKind, Impression, Level, Platform, Service, UnixMs};
use super::export::{ExportFormat, ExportOptions, Exported, export};
use super::import::{ImportError, Imported, import};
use super::log::{FeedbackLog, LogOptions};
use super::samples::{START, drawn_impression, event, impression, song, user};
use super::store::{KeyError, STORE_KEY_VARIABLE, key_from_environment};

fn open(dir: &Path) -> FeedbackLog {
    let options = LogOptions { segment_bytes: 8 << 10, keeps_embeddings: true, ..LogOptions::default() };
    FeedbackLog::open(dir, options).unwrap()
}

/// Two answers on Telegram and one on Discord, with presses and a like without a person.
fn fill(log: &FeedbackLog) {
    let first = Impression { embedding: Some(vec![0.1, -2.5]), model_version: "a,\"b\"".to_owned(), ..impression(1) };
    log.record_impression(first).unwrap();
    log.record_impression(drawn_impression(2)).unwrap();
    log.record_impression(Impression { platform: Platform::Discord, ..impression(3) }).unwrap();
    log.record_event(event(1, 1, EventKind::Up)).unwrap();
    log.record_event(event(2, 1, EventKind::LinkFollowed(Service::Spotify))).unwrap();
    log.record_event(Event { song: None, ..event(3, 2, EventKind::More) }).unwrap();
    log.record_event(Event { level: Level::Counts, song: Some(song(4)), ..event(4, 9, EventKind::Down) }).unwrap();
    log.set_user_level(user(5), Level::Off, START).unwrap();
}

fn export_all(log: &FeedbackLog, format: ExportFormat, is_training: bool, discord: bool) -> (Exported, Vec<u8>) {
    let mut out = Vec::new();
    let options = ExportOptions { format, is_training, includes_discord: discord };
    (export(log, options, &mut out).unwrap(), out)
}

fn whole(log: &FeedbackLog) -> String {
    String::from_utf8(export_all(log, ExportFormat::Jsonl, false, false).1).unwrap()
}

/// The export without what differs between stores that hold the same.
fn comparable(log: &FeedbackLog) -> Vec<String> {
    whole(log).lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn json_lines_bring_everything_to_another_store_once() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let old = open(from.path());
    fill(&old);
    let text = whole(&old);
    let options = LogOptions {
        has_discord_permission: true,
        keeps_embeddings: true,
        store_key: Some(SecretString::from("k".to_owned())),
        ..LogOptions::default()
    };
    let new = FeedbackLog::open(to.path(), options).unwrap();
    let first = import(&new, text.as_bytes()).unwrap();
    assert_eq!(first, Imported { n_stored: 6, n_duplicates: 0, n_refused: 0, n_counted_songs: 1 });
    assert_eq!(new.counts().unwrap(), old.counts().unwrap());
    assert_eq!(comparable(&new), comparable(&old));
    assert_eq!(new.user_level(user(5)), Some(Level::Off));
    let again = import(&new, text.as_bytes()).unwrap();
    assert_eq!((again.n_stored, again.n_duplicates), (0, 6));
    assert_eq!(new.counts().unwrap(), old.counts().unwrap());
    // A later export of the same store takes the place of the earlier one's counts.
    old.record_event(Event { level: Level::Counts, song: Some(song(4)), ..event(5, 8, EventKind::Down) }).unwrap();
    import(&new, whole(&old).as_bytes()).unwrap();
    assert_eq!(new.counts().unwrap(), old.counts().unwrap());
    // An export that comes home changes nothing.
    import(&old, whole(&old).as_bytes()).unwrap();
    assert_eq!(new.counts().unwrap(), old.counts().unwrap());
}

#[test]
fn an_export_of_the_first_version_is_read() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (old, new) = (open(from.path()), open(to.path()));
    old.record_impression(impression(1)).unwrap();
    let text = whole(&old);
    assert!(!text.contains("lottery"), "{text}");
    import(&new, text.replacen("\"version\":2", "\"version\":1", 1).as_bytes()).unwrap();
    assert_eq!(comparable(&new), comparable(&old));
}

#[test]
fn an_old_export_does_not_bring_back_the_erased() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    fill(&log);
    let before = whole(&log);
    log.erase_user(user(1), UnixMs(START.0 + 90_000)).unwrap();
    let after = comparable(&log);
    let imported = import(&log, before.as_bytes()).unwrap();
    assert_eq!((imported.n_stored, imported.n_refused), (0, 3));
    assert_eq!(comparable(&log), after);
    // And an erasure travels with the export.
    let other = tempfile::tempdir().unwrap();
    let other = open(other.path());
    import(&other, before.as_bytes()).unwrap();
    import(&other, whole(&log).as_bytes()).unwrap();
    assert_eq!(other.events().count(), 0);
}

#[test]
fn cut_and_foreign_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    fill(&log);
    let text = whole(&log);
    for n_bytes in [text.len() - 1, text.len() - 20, text.len() / 2] {
        let error = import(&log, &text.as_bytes()[..n_bytes]);
        // Without its last line end the file is whole all the same.
        assert!(matches!(error, Err(ImportError::CutOff { .. })) || n_bytes == text.len() - 1, "{n_bytes}: {error:?}");
    }
    for foreign in ["", "{}\n", "hello\n", "{\"counts\":{\"song_id\":\"a\",\"up\":1,\"down\":0}}\n"] {
        assert!(matches!(import(&log, foreign.as_bytes()), Err(ImportError::NoHeader)), "{foreign}");
    }
    let newer = text.replacen("\"version\":2", "\"version\":3", 1);
    assert!(matches!(import(&log, newer.as_bytes()), Err(ImportError::TooNew { found: 3, known: 2 })));
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(2, "{\"song\":1}");
    assert!(matches!(import(&log, lines.join("\n").as_bytes()), Err(ImportError::BadLine { line: 3, .. })));
}

#[test]
fn training_exports_leave_discord_and_people_out() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    fill(&log);
    let (exported, text) = export_all(&log, ExportFormat::Jsonl, true, false);
    assert_eq!(exported, Exported { n_impressions: 2, n_events: 3, n_left_out: 1 });
    let text = String::from_utf8(text).unwrap();
    let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 10);
    assert!(rows.iter().all(|row| row["platform"] == "telegram" && row["user"] == "" && row["community"] == ""));
    assert_eq!(
        (rows[0]["n_up"].as_i64(), rows[0]["n_links"].as_i64(), rows[5]["n_more"].as_i64()),
        (Some(1), Some(1), Some(1))
    );
    assert_eq!((rows[0]["tags"].as_str(), rows[0]["embedding"].as_str()), (Some("17:0.75 300:0.5"), Some("0.1 -2.5")));
    let (exported, _) = export_all(&log, ExportFormat::Csv, true, true);
    assert_eq!((exported.n_impressions, exported.n_left_out), (3, 0));
    assert!(whole(&log).contains("\"platform\":\"discord\""), "a backup holds everything");
    let drawn = |row: &serde_json::Value| (row["temperature"].as_f64(), row["pool_idx"].as_i64());
    assert_eq!((drawn(&rows[4]), drawn(&rows[9])), ((Some(0.0), Some(-1)), (Some(0.5), Some(6))));
}

#[test]
fn csv_quotes_what_needs_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    fill(&log);
    let text = String::from_utf8(export_all(&log, ExportFormat::Csv, false, false).1).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 16);
    assert!(lines[0].starts_with("impression,time_ms,platform,community,user,"));
    assert!(lines[1].contains(",\"a,\"\"b\"\"\","), "{}", lines[1]);
    assert!(lines[6..].iter().all(|line| line.split(',').count() == 29), "{text}");
}

#[test]
fn parquet_holds_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    fill(&log);
    let (_, bytes) = export_all(&log, ExportFormat::Parquet, false, false);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::io::copy(&mut Cursor::new(bytes), &mut file.as_file()).unwrap();
    let reader = SerializedFileReader::new(file.reopen().unwrap()).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!((rows.len(), reader.metadata().file_metadata().schema().get_fields().len()), (15, 29));
    let column = |name: &str| rows[0].get_column_iter().position(|(found, _)| found == name).unwrap();
    assert_eq!(rows[0].get_string(column("song_id")).unwrap(), "song-0");
    assert_eq!(rows[0].get_float(column("score")).unwrap(), 9.5);
    assert_eq!(rows[0].get_long(column("n_up")).unwrap(), 1);
    assert!(rows[0].get_bool(column("is_sure")).unwrap());
    let lottery = |row: &parquet::record::Row| {
        let pool = row.get_string(column("pool")).unwrap().clone();
        (row.get_float(column("temperature")).unwrap(), pool, row.get_long(column("pool_idx")).unwrap())
    };
    assert_eq!(lottery(&rows[0]), (0.0, String::new(), -1));
    assert_eq!(lottery(&rows[9]), (0.5, "9.5 8.5 7.5 6.5 5.5 1.25 -0.5".to_owned(), 6));
    assert!(
        !rows[0].get_bool(column("protects_first")).unwrap() && rows[9].get_bool(column("protects_first")).unwrap()
    );
}

#[test]
fn keys_come_from_a_variable_or_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from a file\n").unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let get = |values: &[(&str, &str)], asked: &str| {
        values.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned())
    };
    let key = |values: &[(&str, &str)]| key_from_environment(STORE_KEY_VARIABLE, |asked| get(values, asked));
    use secrecy::ExposeSecret;
    let (plain, in_file) = (STORE_KEY_VARIABLE, "IMAGE2SONG_STORE_KEY_FILE");
    assert!(key(&[]).unwrap().is_none());
    assert_eq!(key(&[(plain, "k")]).unwrap().unwrap().expose_secret(), "k");
    assert_eq!(key(&[(in_file, &path)]).unwrap().unwrap().expose_secret(), "from a file");
    assert!(matches!(key(&[(plain, "k"), (in_file, &path)]), Err(KeyError::Both { .. })));
    assert!(matches!(key(&[(plain, " ")]), Err(KeyError::Empty { .. })));
    assert!(matches!(key(&[(in_file, "/does/not/exist")]), Err(KeyError::Unreadable { .. })));
}
