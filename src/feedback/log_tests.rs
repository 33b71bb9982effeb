use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use secrecy::SecretString;

use super::error::FeedbackError;
use super::event::{Event, EventKind, Impression, Level, Platform, Reaction, Receipt, Service, UnixMs};
use super::ids::KeyHasher;
use super::journal_tests::SmallDisk;
use super::log::{FeedbackLog, LogOptions, SongCounts};
use super::opinion::Verdict;
use super::samples::{START, event, impression, impression_id, song, user};
use super::verify::verify;

const DAY: u64 = 24 * 60 * 60 * 1000;

fn options() -> LogOptions {
    LogOptions { segment_bytes: 8 << 10, cache_bytes: 4 << 20, ..LogOptions::default() }
}

fn encrypted(key: &str) -> LogOptions {
    LogOptions { store_key: Some(SecretString::from(key.to_owned())), ..options() }
}

fn open(dir: &Path) -> FeedbackLog {
    FeedbackLog::open(dir, options()).unwrap()
}

fn at(level: Level, event: Event) -> Event {
    Event { level, ..event }
}

fn counts(log: &FeedbackLog, position: u8) -> (u64, u64) {
    let counts = log.counts().unwrap().get(&song(position).song_id).copied().unwrap_or_default();
    (counts.up, counts.down)
}

#[track_caller]
fn assert_sound(dir: &Path, options: &LogOptions) {
    let report = verify(dir, options).unwrap();
    assert!(report.is_sound && report.n_torn == 0, "{report:?}");
}

/// True if the bytes are in any file below a folder.
fn is_on_disk(dir: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_on_disk(&path, bytes);
        }
        fs::read(&path).unwrap().windows(bytes.len()).any(|part| part == bytes)
    })
}

#[test]
fn what_was_recorded_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    assert_eq!(log.record_impression(impression(1)).unwrap(), Receipt::Stored);
    assert_eq!(log.record_event(event(1, 1, EventKind::Up)).unwrap(), Receipt::Stored);
    assert_eq!(log.record_event(event(2, 1, EventKind::LinkFollowed(Service::Deezer))).unwrap(), Receipt::Stored);
    let before = log.impression(impression_id(1)).unwrap().unwrap();
    drop(log);
    let log = open(dir.path());
    let row = log.impression(impression_id(1)).unwrap().unwrap();
    assert_eq!(row, before);
    assert_eq!(row.impression, impression(1));
    assert_eq!(row.events.len(), 2);
    let state = &row.state.songs[&(0, user(1))];
    assert_eq!((state.opinion.verdict(), state.links[&Service::Deezer]), (Some(Verdict::Up), 1));
    assert_eq!(counts(&log, 0), (1, 0));
    assert_eq!(log.high_water_mark(), 3);
    assert_eq!(log.impression(impression_id(2)).unwrap(), None);
    drop(log);
    assert_sound(dir.path(), &options());
}

#[test]
fn repeats_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    for expected in [Receipt::Stored, Receipt::Duplicate, Receipt::Duplicate] {
        assert_eq!(log.record_impression(impression(1)).unwrap(), expected);
        assert_eq!(log.record_event(event(1, 1, EventKind::Up)).unwrap(), expected);
    }
    let vote = Event { user: user(2), ..at(Level::Counts, event(2, 1, EventKind::Up)) };
    assert_eq!(log.record_event(vote.clone()).unwrap(), Receipt::Counted);
    assert_eq!(log.record_event(vote).unwrap(), Receipt::Duplicate);
    assert_eq!(counts(&log, 0), (2, 0));
    assert_eq!(log.stats().unwrap().n_events, 1);
    assert_eq!((log.counters().n_stored, log.counters().n_duplicates), (3, 5));
}

#[test]
fn repeats_in_one_group_are_written_once() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let (sender, receipts) = std::sync::mpsc::channel();
    for _ in 0..50 {
        let sender = sender.clone();
        log.append_event(event(1, 1, EventKind::Up), Box::new(move |answer| sender.send(answer.unwrap()).unwrap()));
    }
    let receipts: Vec<Receipt> = receipts.iter().take(50).collect();
    assert_eq!(receipts.iter().filter(|receipt| **receipt == Receipt::Stored).count(), 1);
    assert_eq!((log.high_water_mark(), counts(&log, 0)), (1, (1, 0)));
}

#[test]
fn a_late_impression_joins_events_that_came_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.record_event(event(1, 1, EventKind::Down)).unwrap();
    assert_eq!(log.iter().count(), 0);
    log.record_impression(impression(1)).unwrap();
    let row = log.impression(impression_id(1)).unwrap().unwrap();
    assert_eq!(row.state.songs[&(0, user(1))].opinion.verdict(), Some(Verdict::Down));
}

#[test]
fn each_level_keeps_what_it_says_and_the_lower_one_counts() {
    for (community, chosen, stored, counted) in [
        (Level::Off, None, false, false),
        (Level::Counts, None, false, true),
        (Level::Training, None, true, true),
        (Level::Training, Some(Level::Counts), false, true),
        (Level::Training, Some(Level::Off), false, false),
        (Level::Off, Some(Level::Training), false, false),
        (Level::Counts, Some(Level::Training), false, true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let log = open(dir.path());
        if let Some(chosen) = chosen {
            log.set_user_level(user(0), chosen, START).unwrap();
            log.set_user_level(user(1), chosen, START).unwrap();
        }
        assert_eq!(log.user_level(user(1)), chosen);
        log.record_impression(Impression { level: community, ..impression(1) }).unwrap();
        log.record_event(at(community, event(1, 1, EventKind::Up))).unwrap();
        log.record_event(at(community, event(2, 1, EventKind::Why))).unwrap();
        let stats = log.stats().unwrap();
        let case = format!("{community:?} {chosen:?}");
        assert_eq!(stats.n_impressions, u64::from(stored), "{case}");
        assert_eq!(stats.n_events, 2 * u64::from(stored), "{case}");
        assert_eq!(counts(&log, 0), (u64::from(counted), 0), "{case}");
        drop(log);
        let user_is_named = is_on_disk(dir.path(), user(1).as_bytes());
        assert_eq!(user_is_named, stored || chosen.is_some(), "{case}");
    }
}

#[test]
fn counted_likes_can_be_changed_and_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let vote = |n, kind| at(Level::Counts, event(n, 1, kind));
    for (n, kind, expected) in [
        (1, EventKind::Up, (1, 0)),
        (2, EventKind::Down, (0, 1)),
        (3, EventKind::Retracted, (0, 0)),
        (4, EventKind::ReactionAdded(Reaction::Up), (1, 0)),
        (5, EventKind::ReactionRemoved(Reaction::Up), (0, 0)),
    ] {
        log.record_event(vote(n, kind)).unwrap();
        assert_eq!(counts(&log, 0), expected, "after {kind:?}");
    }
    // An older press that arrives now changes nothing.
    assert_eq!(log.record_event(vote(1, EventKind::Up)).unwrap(), Receipt::Duplicate);
    assert_eq!(counts(&log, 0), (0, 0));
}

#[test]
fn what_must_not_be_kept_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let embedding = Some(vec![0.25; 8]);
    let log = open(dir.path());
    let mut discord = Impression { platform: Platform::Discord, embedding: embedding.clone(), ..impression(1) };
    log.record_impression(discord.clone()).unwrap();
    let kept = log.impression(impression_id(1)).unwrap().unwrap().impression;
    assert_eq!((kept.embedding, kept.may_train), (None, false));
    drop(log);
    let permitted = LogOptions { keeps_embeddings: true, has_discord_permission: true, ..options() };
    let log = FeedbackLog::open(dir.path(), permitted).unwrap();
    discord.id = impression_id(2);
    log.record_impression(discord).unwrap();
    let kept = log.impression(impression_id(2)).unwrap().unwrap().impression;
    assert_eq!((kept.embedding, kept.may_train), (embedding, true));
}

#[test]
fn what_does_not_fit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let large = Impression { model_version: "x".repeat(70_000), ..impression(1) };
    assert!(matches!(log.record_impression(large), Err(FeedbackError::TooLarge { max: 65536, .. })));
    let mut odd = impression(2);
    odd.slate[0].score = f32::NAN;
    assert!(matches!(log.record_impression(odd), Err(FeedbackError::NotFinite)));
    assert_eq!((log.high_water_mark(), log.counters().n_failed), (0, 2));
}

#[test]
fn erasing_a_person_reaches_index_journal_and_late_writes() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    for n in 0..30 {
        log.record_impression(impression(n)).unwrap();
        log.record_event(Event { user: user(n % 3), ..event(n, n, EventKind::Up) }).unwrap();
    }
    log.set_user_level(user(1), Level::Training, START).unwrap();
    let generation = log.generation(user(1));
    let now = UnixMs(START.0 + 5000);
    assert_eq!(counts(&log, 0), (30, 0));
    assert_eq!(log.erase_user(user(1), now).unwrap(), 10);
    assert_eq!(counts(&log, 0), (20, 0));
    assert_eq!(log.generation(user(1)), generation + 1);
    assert_eq!(log.user_level(user(1)), Some(Level::Training));
    log.set_user_level(user(2), Level::Counts, START).unwrap();
    log.set_user_level(user(2), None, START).unwrap();
    assert_eq!(log.user_level(user(2)), None);

    // Begun before the erasure and written after it, by either sign.
    let late = Event { user: user(1), time: UnixMs(now.0 + 1), ..event(100, 1, EventKind::Up) };
    assert_eq!(log.record_event(late.clone()).unwrap(), Receipt::TooLate);
    let late = Event { generation: generation + 1, time: now, ..late };
    assert_eq!(log.record_event(late.clone()).unwrap(), Receipt::TooLate);
    assert_eq!(log.record_event(at(Level::Counts, late.clone())).unwrap(), Receipt::TooLate);
    let own = Impression { user: user(1), time: now, ..impression(200) };
    assert_eq!(log.record_impression(own).unwrap(), Receipt::TooLate);
    let export = log.export_user(user(1)).unwrap();
    assert_eq!((export["events"].as_array().unwrap().len(), export["generation"].as_u64()), (0, Some(1)));

    // A new wish of the person counts.
    let fresh = Event { time: UnixMs(now.0 + 1), ..late };
    assert_eq!(log.record_event(fresh).unwrap(), Receipt::Stored);
    assert_eq!(log.erase_user(user(0), now).unwrap(), 40);
    assert_eq!(log.iter().count(), 0);
    drop(log);

    assert_sound(dir.path(), &options());
    // The index drops erased bytes from its own files at the next start; the journal has done so already.
    assert!(!is_on_disk(&dir.path().join("journal"), event(1, 1, EventKind::Up).id.as_bytes()));
    drop(open(dir.path()));
    for n in [1, 4, 28] {
        assert!(!is_on_disk(dir.path(), event(n, n, EventKind::Up).id.as_bytes()), "event {n}");
    }
    assert!(is_on_disk(dir.path(), event(2, 2, EventKind::Up).id.as_bytes()), "the others stay");
    let log = open(dir.path());
    assert_eq!((log.generation(user(0)), log.generation(user(1))), (1, 1));
    assert_eq!(counts(&log, 0), (11, 0));
}

#[test]
fn a_sweep_forgets_rows_and_marks_but_no_counts() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let late = |event: Event, n_days: u64| Event { time: UnixMs(event.time.0 + n_days * DAY), ..event };
    log.record_impression(impression(1)).unwrap();
    log.record_impression(Impression { time: UnixMs(START.0 + 100 * DAY), ..impression(2) }).unwrap();
    log.record_event(event(1, 1, EventKind::Up)).unwrap();
    log.record_event(late(event(2, 2, EventKind::Up), 100)).unwrap();
    let vote = |n, on, days| late(at(Level::Counts, event(n, on, EventKind::Down)), days);
    log.record_event(vote(3, 3, 0)).unwrap();
    log.record_event(vote(4, 4, 170)).unwrap();
    assert_eq!(counts(&log, 0), (2, 2));

    let now = UnixMs(START.0 + 190 * DAY);
    assert_eq!(log.sweep(now).unwrap(), 2);
    assert_eq!(counts(&log, 0), (2, 2), "likes stay counted");
    assert_eq!(log.iter().count(), 1);
    assert_eq!(log.record_event(event(5, 1, EventKind::Up)).unwrap(), Receipt::TooLate);
    assert_eq!(log.record_event(vote(3, 3, 0)).unwrap(), Receipt::TooLate);
    // A vote whose mark is still there can be taken back.
    let back = Event { kind: EventKind::Retracted, order: 9, ..vote(4, 4, 171) };
    assert_eq!(log.record_event(back).unwrap(), Receipt::Counted);
    assert_eq!(counts(&log, 0), (2, 1));
    assert_eq!(log.sweep(now).unwrap(), 0, "again: nothing");
    drop(log);
    assert!(!is_on_disk(&dir.path().join("journal"), event(1, 1, EventKind::Up).id.as_bytes()));
    assert_sound(dir.path(), &options());
}

#[test]
fn a_damaged_index_is_set_aside_and_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    for n in 0..20 {
        log.record_impression(impression(n)).unwrap();
        log.record_event(event(n, n, EventKind::Up)).unwrap();
    }
    log.erase_user(user(7), START).unwrap();
    drop(log);
    drop(open(dir.path()));
    let newest = |dir: &Path| {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        names.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("index-")).max().unwrap()
    };
    let index = newest(dir.path());
    for entry in fs::read_dir(&index).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::write(&path, vec![0xa5; 4096]).unwrap();
        }
    }
    let log = open(dir.path());
    assert_eq!(log.counters().n_rebuilt, 1);
    assert_eq!((log.iter().count(), counts(&log, 0)), (20, (20, 0)));
    assert_eq!(log.generation(user(7)), 1);
    drop(log);
    assert!(
        fs::read_dir(dir.path())
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_str().unwrap().starts_with("set-aside-index-") })
    );
    fs::remove_dir_all(newest(dir.path())).unwrap();
    assert_eq!(counts(&open(dir.path()), 0), (20, 0), "a missing index is rebuilt too");
    assert_sound(dir.path(), &options());
}

#[test]
fn keys_are_checked_at_the_door() {
    let dir = tempfile::tempdir().unwrap();
    let with_user = |key: &str| LogOptions { user_key: Some(SecretString::from(key.to_owned())), ..encrypted("store") };
    let log = FeedbackLog::open(dir.path(), with_user("user")).unwrap();
    let who = log.hasher().unwrap().user(Platform::Telegram, "17");
    assert_eq!(who, KeyHasher::new(&SecretString::from("user".to_owned())).user(Platform::Telegram, "17"));
    log.record_event(Event { user: who, ..event(1, 1, EventKind::Up) }).unwrap();
    assert!(matches!(FeedbackLog::open(dir.path(), with_user("user")), Err(FeedbackError::Locked { .. })));
    drop(log);
    let message = |options| FeedbackLog::open(dir.path(), options).unwrap_err().to_string();
    assert!(message(with_user("other")).contains("IMAGE2SONG_USER_KEY is not the key"));
    assert!(message(encrypted("other")).contains("IMAGE2SONG_STORE_KEY is not the key"));
    assert!(message(options()).contains("give its key in IMAGE2SONG_STORE_KEY"));
    assert_eq!(counts(&FeedbackLog::open(dir.path(), encrypted("store")).unwrap(), 0), (1, 0));
    for secret in [who.as_bytes().as_slice(), song(0).song_id.as_bytes()] {
        assert!(!is_on_disk(&dir.path().join("journal"), secret), "the journal is encrypted");
    }
    let plain = tempfile::tempdir().unwrap();
    drop(open(plain.path()));
    let message = FeedbackLog::open(plain.path(), encrypted("store")).unwrap_err().to_string();
    assert!(message.contains("import it into a new store with the key"), "{message}");
    let absent = LogOptions { may_create: false, ..options() };
    assert!(matches!(FeedbackLog::open(&plain.path().join("x"), absent), Err(FeedbackError::NoStore { .. })));
}

#[test]
fn a_full_disk_is_said_and_over_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let disk = SmallDisk::new(1 << 30);
    let log = FeedbackLog::open_on(Box::new(disk.clone()), dir.path(), options()).unwrap();
    log.record_event(event(0, 1, EventKind::Up)).unwrap();
    disk.room.store(0, Ordering::Relaxed);
    let error = log.record_event(event(1, 1, EventKind::Up)).unwrap_err();
    assert!(error.to_string().contains("is full; make room"), "{error}");
    disk.room.store(1 << 30, Ordering::Relaxed);
    assert_eq!(log.record_event(event(1, 1, EventKind::Up)).unwrap(), Receipt::Stored);
    drop(log);
    assert_sound(dir.path(), &options());
    assert_eq!(open(dir.path()).stats().unwrap().n_events, 2);
}

#[test]
fn a_panicking_receiver_does_not_stop_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.append_event(event(1, 1, EventKind::Up), Box::new(|_| panic!("on purpose")));
    assert_eq!(log.record_event(event(2, 1, EventKind::Up)).unwrap(), Receipt::Stored);
    assert_eq!(log.stats().unwrap().n_events, 2);
}

#[test]
fn the_store_of_version_1_opens() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feedback_v1");
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("journal")).unwrap();
    for name in ["store.json", "journal/00000001-00000001.log"] {
        fs::copy(fixture.join(name), dir.path().join(name)).unwrap();
    }
    let log = FeedbackLog::open(dir.path(), encrypted("a key for tests")).unwrap();
    assert_eq!(log.counters().n_damaged, 0);
    let row = log.impression(impression_id(1)).unwrap().unwrap();
    assert_eq!((row.impression, row.events.len()), (impression(1), 2));
    assert_eq!(counts(&log, 0), (1, 0));
    assert_eq!(log.counts().unwrap()["song-3"], SongCounts { up: 0, down: 1 });
    assert_eq!((log.user_level(user(5)), log.generation(user(6))), (Some(Level::Counts), 1));
}

/// Writes the store that the test above reads, for the day when version 2 comes and version 1 must be kept.
#[test]
fn a_store_of_version_1_can_be_written() {
    let written = tempfile::tempdir().unwrap();
    let target = std::env::var_os("IMAGE2SONG_WRITE_FEEDBACK_V1").map(std::path::PathBuf::from);
    let dir = target.as_deref().unwrap_or(written.path());
    let log = FeedbackLog::open(dir, LogOptions { segment_bytes: 2048, ..encrypted("a key for tests") }).unwrap();
    log.record_impression(impression(1)).unwrap();
    log.record_event(event(1, 1, EventKind::Up)).unwrap();
    log.record_event(event(2, 1, EventKind::LinkFollowed(Service::Apple))).unwrap();
    let vote = Event { song: Some(song(3)), ..at(Level::Counts, event(3, 1, EventKind::Down)) };
    log.record_event(vote).unwrap();
    log.set_user_level(user(5), Level::Counts, START).unwrap();
    drop(log);
    let log = FeedbackLog::open(dir, encrypted("a key for tests")).unwrap();
    log.erase_user(user(6), START).unwrap();
    assert_eq!(log.high_water_mark(), 6);
}

/// All of one person's events about one song, as the model keeps them.
type Model = BTreeMap<(u64, u8, u64), Vec<(EventKind, u64, u64)>>;

fn verdict_of(events: &[(EventKind, u64, u64)]) -> Option<Verdict> {
    let mut events = events.to_vec();
    events.sort_by_key(|(_, time, order)| (*time, *order));
    events.dedup();
    let last =
        |kinds: &[EventKind]| events.iter().rposition(|(kind, ..)| kinds.contains(kind)).map(|at| (at, events[at].0));
    let press = last(&[EventKind::Up, EventKind::Down, EventKind::Retracted]);
    let liked = last(&[EventKind::ReactionAdded(Reaction::Up), EventKind::ReactionRemoved(Reaction::Up)]);
    let disliked = last(&[EventKind::ReactionAdded(Reaction::Down), EventKind::ReactionRemoved(Reaction::Down)]);
    let verdict = |(at, kind): (usize, EventKind)| match kind {
        EventKind::Up | EventKind::ReactionAdded(Reaction::Up) => Some((at, Verdict::Up)),
        EventKind::Down | EventKind::ReactionAdded(Reaction::Down) => Some((at, Verdict::Down)),
        _ => None,
    };
    [press, liked, disliked].into_iter().flatten().filter_map(verdict).max_by_key(|(at, _)| *at).map(|(_, v)| v)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_state_is_a_function_of_the_set_of_events(
        made in prop::collection::vec((0_u64..2, 0_u8..3, 1_u64..4, 0..EventKind::NAMED.len(), 0_u64..5, any::<bool>()), 1..40),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        erased in prop::option::of(1_u64..4),
    ) {
        let events: Vec<Event> = made.iter().zip(1..).map(|((on, position, who, kind, time, is_counted), n)| Event {
            user: user(*who),
            song: Some(song(*position)),
            time: UnixMs(START.0 + time),
            // Each person has one level, as in life; it decides what is kept.
            level: if *who == 3 || (*is_counted && *who == 2) { Level::Counts } else { Level::Training },
            ..event(n, *on, EventKind::NAMED[*kind].0)
        }).collect();
        let mut sent: Vec<&Event> = order.iter().map(|idx| idx.get(&events)).collect();
        sent.extend(&events);

        let dir = tempfile::tempdir().unwrap();
        let log = open(dir.path());
        for (idx, event) in sent.iter().enumerate() {
            if idx == sent.len() / 2 {
                for n in 0..2 {
                    log.record_impression(impression(n)).unwrap();
                }
            }
            log.record_event((*event).clone()).unwrap();
        }
        if let Some(erased) = erased {
            log.erase_user(user(erased), UnixMs(START.0 + 100)).unwrap();
        }
        drop(log);
        let log = open(dir.path());

        let (mut stored, mut counted) = (Model::new(), Model::new());
        for ((on, position, who, kind, time, _), event) in made.iter().zip(&events) {
            let is_counted = event.level == Level::Counts;
            if !is_counted && erased == Some(*who) {
                continue;
            }
            let model = if is_counted { &mut counted } else { &mut stored };
            model.entry((*on, *position, *who)).or_default().push((EventKind::NAMED[*kind].0, *time, event.order));
        }
        let mut expected: BTreeMap<String, SongCounts> = BTreeMap::new();
        for ((_, position, _), events) in stored.iter().chain(&counted) {
            let Some(verdict) = verdict_of(events) else { continue };
            let counts = expected.entry(song(*position).song_id).or_default();
            *(if verdict == Verdict::Up { &mut counts.up } else { &mut counts.down }) += 1;
        }
        prop_assert_eq!(log.counts().unwrap(), expected);
        for on in 0..2 {
            let row = log.impression(impression_id(on)).unwrap().unwrap();
            for ((position, who), state) in &row.state.songs {
                let who = (1..4).find(|n| user(*n) == *who).unwrap();
                prop_assert_eq!(state.opinion.verdict(), verdict_of(&stored[&(on, *position, who)]));
            }
        }
        drop(log);
        let report = verify(dir.path(), &options()).unwrap();
        prop_assert!(report.is_sound, "{:?}", report);
    }
}
