//! `feedback` from the outside: a store made by the library, read by the program.

use std::fs;
use std::path::Path;

use image2song::feedback::event::{Event, EventKind, Impression, Level, Platform, Shown, SongRef, TagProb, UnixMs};
use image2song::feedback::ids::{EventId, ImpressionId, KeyHasher};
use image2song::feedback::log::{FeedbackLog, LogOptions};
use secrecy::SecretString;

use super::program::{Answer, run, run_with};

const USER_KEY: &str = "the key of the people";
const STORE_KEY: &str = "the key of the store";
const KEYS: [(&str, &str); 2] = [("IMAGE2SONG_USER_KEY", USER_KEY), ("IMAGE2SONG_STORE_KEY", STORE_KEY)];

fn options() -> LogOptions {
    LogOptions {
        user_key: Some(SecretString::from(USER_KEY.to_owned())),
        store_key: Some(SecretString::from(STORE_KEY.to_owned())),
        ..LogOptions::default()
    }
}

fn open(dir: &Path) -> FeedbackLog {
    FeedbackLog::open(dir, options()).unwrap()
}

/// A store with an answer on each of two platforms and a press on each.
fn store(dir: &Path) {
    let log = open(dir);
    let hasher = KeyHasher::new(&SecretString::from(USER_KEY.to_owned()));
    for (n, platform) in [(1, Platform::Telegram), (2, Platform::Discord)] {
        let id = ImpressionId::from_bytes([n; 16]);
        let user = hasher.user(platform, "8138478876571");
        let time = UnixMs::now();
        log.record_impression(Impression {
            id,
            time,
            community: hasher.community(platform, "77"),
            platform,
            user,
            generation: 0,
            model_version: "1".to_owned(),
            catalogue_version: "1".to_owned(),
            config_version: "1".to_owned(),
            language: "en".to_owned(),
            slate: vec![Shown { song_id: "hello".to_owned(), position: 0, score: 3.5, propensity: 1.0 }],
            tags: vec![TagProb { tag: 4, prob: 0.5 }],
            embedding: None,
            is_sure: true,
            lottery: None,
            answer_ms: 100,
            level: Level::Training,
            may_train: true,
        })
        .unwrap();
        log.record_event(Event {
            id: EventId::from_bytes([n; 16]),
            impression: id,
            user,
            generation: 0,
            song: Some(SongRef { position: 0, song_id: "hello".to_owned() }),
            kind: EventKind::Up,
            time,
            order: 0,
            level: Level::Training,
        })
        .unwrap();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn feedback(words: &[&str], code: i32) -> Answer {
    run_with(&[&["feedback"], words].concat(), b"", &KEYS).expect_code(code)
}

#[test]
fn stats_and_verify_say_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path());
    let stats = feedback(&["stats", "--store", text(dir.path()), "--json"], 0).one();
    assert_eq!((stats["n_impressions"].as_u64(), stats["n_events"].as_u64()), (Some(2), Some(2)));
    assert_eq!(stats["high_water_mark"], 4);
    let shown = feedback(&["stats", "--store", text(dir.path())], 0).stdout;
    assert!(shown.contains("answers        2") && shown.contains("up to record 4"), "{shown}");
    let report = feedback(&["verify", "--store", text(dir.path()), "--json"], 0).one();
    assert_eq!((report["is_sound"].as_bool(), report["n_records"].as_u64()), (Some(true), Some(4)));
    assert!(feedback(&["verify", "--store", text(dir.path())], 0).stdout.ends_with("sound\n"));
}

#[test]
fn an_export_is_read_into_a_new_store() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to, file) = (dir.path().join("from"), dir.path().join("to"), dir.path().join("backup.jsonl"));
    store(&from);
    feedback(&["export", "--store", text(&from), "--format", "jsonl", "--out", text(&file)], 0);
    let import = ["import", text(&file), "--store", text(&to), "--json"];
    assert_eq!(feedback(&import, 0).one()["n_stored"], 4);
    assert_eq!(feedback(&import, 0).one()["n_duplicates"], 4);
    assert_eq!(open(&to).counts().unwrap(), open(&from).counts().unwrap());
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let cut = feedback(&import, 1);
    assert!(cut.stderr.contains("was cut off after line"), "{}", cut.stderr);
    for hidden in ["8138478876571", USER_KEY, STORE_KEY] {
        assert!(!whole.contains(hidden));
    }
}

#[test]
fn training_exports_leave_discord_out_unless_told() {
    let dir = tempfile::tempdir().unwrap();
    let (from, file) = (dir.path().join("from"), dir.path().join("train"));
    store(&from);
    let base = ["export", "--store", text(&from), "--training", "--out", text(&file)];
    let answer = feedback(&[&base[..], &["--format", "csv"]].concat(), 0);
    assert!(answer.stdout.contains("1 answers are left out"), "{}", answer.stdout);
    let csv = fs::read_to_string(&file).unwrap();
    assert!(csv.contains("telegram") && !csv.contains("discord"), "{csv}");
    let answer = feedback(&[&base[..], &["--format", "csv", "--include-discord"]].concat(), 0);
    assert!(answer.stderr.contains("permission"), "{}", answer.stderr);
    assert!(fs::read_to_string(&file).unwrap().contains("discord"));
    feedback(&[&base[..], &["--format", "parquet"]].concat(), 0);
    assert!(fs::read(&file).unwrap().starts_with(b"PAR1"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no draft is left");
    let words = ["feedback", "export", "--store", "x", "--format", "csv", "--out", "y", "--include-discord"];
    assert!(run(&words).expect_code(2).stderr.contains("--training"));
}

#[test]
fn a_store_in_use_is_said_to_be() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    for command in ["stats", "verify"] {
        let answer = feedback(&[command, "--store", text(dir.path())], 1);
        assert!(
            answer.stderr.contains("in use by another process, most likely `image2song serve`"),
            "{}",
            answer.stderr
        );
    }
    drop(log);
    feedback(&["stats", "--store", text(dir.path())], 0);
}

#[test]
fn wrong_keys_and_folders_are_the_set_ups_fault() {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path());
    let stats = ["feedback", "stats", "--store", text(dir.path())];
    let said = |variables: &[(&str, &str)]| run_with(&stats, b"", variables).expect_code(2).stderr;
    assert!(said(&[]).contains("IMAGE2SONG_STORE_KEY_FILE"));
    assert!(said(&[("IMAGE2SONG_STORE_KEY", "guess")]).contains("is not the key"));
    assert!(said(&[KEYS[1], ("IMAGE2SONG_USER_KEY", "guess")]).contains("IMAGE2SONG_USER_KEY is not the key"));
    assert!(said(&[("IMAGE2SONG_STORE_KEY_FILE", "/does/not/exist")]).contains("cannot be read"));
    assert!(said(&[("IMAGE2SONG_STORE_KEY", "")]).contains("openssl rand"));
    let key_file = dir.path().join("key");
    fs::write(&key_file, format!("{STORE_KEY}\n")).unwrap();
    run_with(&stats, b"", &[("IMAGE2SONG_STORE_KEY_FILE", text(&key_file))]).expect_code(0);
    let empty = tempfile::tempdir().unwrap();
    let answer = feedback(&["stats", "--store", text(empty.path())], 2);
    assert!(answer.stderr.contains("holds no feedback store"), "{}", answer.stderr);
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0, "looking makes no store");
}

#[test]
fn damage_is_found() {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path());
    let path = dir.path().join("journal/00000001-00000001.log");
    let mut bytes = fs::read(&path).unwrap();
    bytes[80] ^= 1;
    fs::write(&path, bytes).unwrap();
    let report = feedback(&["verify", "--store", text(dir.path()), "--json"], 1).one();
    assert_eq!((report["is_sound"].as_bool(), report["n_damaged"].as_u64()), (Some(false), Some(1)));
    assert!(feedback(&["verify", "--store", text(dir.path())], 1).stdout.contains("DAMAGED: 1 places"));
}
