//! The process that writes the feedback log is killed at random moments, again and again: nothing that was acknowledged
//! may be gone, and nothing there twice. This binary runs itself as the process that is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use image2song::feedback::event::{Event, EventKind, Level, Receipt, SongRef, UnixMs};
use image2song::feedback::ids::{EventId, ImpressionId, UserKey};
use image2song::feedback::log::{FeedbackLog, LogOptions};
use image2song::feedback::verify::verify;
use secrecy::SecretString;

const DIR_VARIABLE: &str = "IMAGE2SONG_CRASH_DIR";
const ROUND_VARIABLE: &str = "IMAGE2SONG_CRASH_ROUND";
const N_WRITERS: u64 = 8;
/// Rounds after which a new store is begun, so that looking through it does not take longer and longer.
const ROUNDS_PER_STORE: u64 = 25;
/// The person who has everything erased between other people's presses.
const ERASED: u64 = u64::MAX;

fn options() -> LogOptions {
    // Small files, so that kills hit their changes too; encrypted, so that a mixed-up record cannot pass.
    let store_key = Some(SecretString::from("crash".to_owned()));
    LogOptions { segment_bytes: 64 << 10, cache_bytes: 8 << 20, store_key, ..LogOptions::default() }
}

fn bytes(n: u64) -> [u8; 16] {
    let mut bytes = [0x5a; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    bytes
}

/// A like of its own answer, so that each one stored adds one to the count of the song.
fn event(n: u64, user: u64) -> Event {
    Event {
        id: EventId::from_bytes(bytes(n)),
        impression: ImpressionId::from_bytes(bytes(n)),
        user: UserKey::from_bytes(bytes(user)),
        generation: 0,
        song: Some(SongRef { position: 0, song_id: "song".to_owned() }),
        kind: EventKind::Up,
        time: UnixMs(n),
        order: 0,
        level: Level::Training,
    }
}

fn number_of(event: &Event) -> u64 {
    event.id.as_bytes()[..8].iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

/// One whole line at a time, so that a kill never leaves half of one in front of another.
fn say(what: &str, n: u64) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n{what} {n}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Not a test of its own: the process that is killed. Without its variable it does nothing.
#[test]
fn crash_writer() {
    let Some(dir) = std::env::var_os(DIR_VARIABLE) else { return };
    let round: u64 = std::env::var(ROUND_VARIABLE).unwrap().parse().unwrap();
    let log = FeedbackLog::open(Path::new(&dir), options()).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..N_WRITERS {
            let log = log.clone();
            scope.spawn(move || {
                for idx in 0_u64.. {
                    let n = (round << 40) + (idx << 8) + writer + 1;
                    assert_eq!(log.record_event(event(n, writer)).unwrap(), Receipt::Stored);
                    say("stored", n);
                    if writer == 0 && idx % 16 == 15 {
                        let user = UserKey::from_bytes(bytes(ERASED));
                        let own = Event { generation: log.generation(user), ..event(n + 100, ERASED) };
                        assert_eq!(log.record_event(own).unwrap(), Receipt::Stored);
                        log.erase_user(user, UnixMs(n + 100)).unwrap();
                        say("erased", n + 100);
                    }
                }
            });
        }
    });
}

/// Runs the writing process and kills it; gives what it said was stored, and the last one it said was erased.
fn run_and_kill(dir: &Path, round: u64, wait: Duration) -> (Vec<u64>, Option<u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["feedback_crash::crash_writer", "--exact", "--nocapture", "--test-threads=1"])
        .env(DIR_VARIABLE, dir)
        .env(ROUND_VARIABLE, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let (mut stored, mut erased) = (Vec::new(), None);
        for line in stdout.split(b'\n') {
            let line = String::from_utf8(line.unwrap()).unwrap();
            match line.split_once(' ').map(|(what, n)| (what, n.parse::<u64>())) {
                Some(("stored", Ok(n))) => stored.push(n),
                Some(("erased", Ok(n))) => erased = Some(n),
                _ => {}
            }
        }
        (stored, erased)
    });
    std::thread::sleep(wait);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success(), "the writing process ended before it was killed");
    assert_eq!(status.code(), None, "it was killed, it did not fail");
    reader.join().unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_there_twice() {
    let is_slow = std::env::var_os("IMAGE2SONG_SLOW_TESTS").is_some_and(|value| value == "1");
    let n_rounds = if is_slow { 1000 } else { 20 };
    let seed = std::env::var("IMAGE2SONG_CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("seed {seed}; IMAGE2SONG_CRASH_SEED repeats its waits");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut acknowledged = BTreeSet::new();
    let (mut n_acknowledged, mut n_stored) = (0, 0);
    for round in 1..=n_rounds {
        if round % ROUNDS_PER_STORE == 0 {
            dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            acknowledged.clear();
        }
        let wait = Duration::from_micros(random.u64(20_000..250_000));
        let (stored, erased) = run_and_kill(dir.path(), round, wait);
        n_acknowledged += stored.len();
        acknowledged.extend(stored);

        let log = FeedbackLog::open(dir.path(), options()).unwrap();
        let mut found: BTreeMap<u64, u64> = BTreeMap::new();
        for event in log.events() {
            let event = event.unwrap();
            let n = number_of(&event);
            *found.entry(n).or_default() += 1;
            if event.user == UserKey::from_bytes(bytes(ERASED)) {
                assert!(erased.is_none_or(|erased| n > erased), "round {round}: event {n} was erased up to {erased:?}");
            }
        }
        let lost: Vec<&u64> = acknowledged.iter().filter(|n| !found.contains_key(n)).collect();
        assert!(lost.is_empty(), "round {round}: {} acknowledged events lost: {lost:?}", lost.len());
        assert!(found.values().all(|times| *times == 1), "round {round}: doubled");
        let n_liked = log.counts().unwrap().get("song").map_or(0, |counts| counts.up);
        assert_eq!(n_liked, found.len() as u64, "round {round}: each event counts once");
        assert_eq!(log.counters().n_damaged, 0, "round {round}");
        n_stored = found.len();
        drop(log);
        if round % 10 == 0 {
            let report = verify(dir.path(), &options()).unwrap();
            assert!(report.is_sound, "round {round}: {report:?}");
        }
    }
    eprintln!("{n_rounds} rounds: {n_acknowledged} acknowledged, 0 lost, 0 doubled; {n_stored} in the last store");
    assert!(n_acknowledged > 0, "no round got as far as writing");
}
