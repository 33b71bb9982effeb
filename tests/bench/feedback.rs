//! How long it takes until a press is durable, and how many presses a second can be: the feedback log against plain sled
//! with a flush for each group, on the same disk in the same run. Note that sled's flush promises less: it survives a
//! crash of the process, while the log's fdatasync survives one of the machine.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use image2song::feedback::event::{Event, EventKind, Level, SongRef, UnixMs};
use image2song::feedback::ids::{EventId, ImpressionId, UserKey};
use image2song::feedback::log::{FeedbackLog, LogOptions};

const N_WRITERS: u64 = 32;
const GROUP_TIME: Duration = Duration::from_secs(3);

fn id(n: u64) -> [u8; 16] {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    bytes
}

fn event(n: u64) -> Event {
    Event {
        id: EventId::from_bytes(id(n)),
        impression: ImpressionId::from_bytes(id(n / 5)),
        user: UserKey::from_bytes(id(n % 1000)),
        generation: 0,
        song: Some(SongRef { position: (n % 5) as u8, song_id: format!("song-{}", n % 1000) }),
        kind: EventKind::Up,
        time: UnixMs(1_800_000_000_000 + n),
        order: n,
        level: Level::Training,
    }
}

/// Plain sled with group commit: a writer inserts and waits until a flush that began after it has ended.
struct PlainSled {
    db: sled::Db,
    /// Flushes that have begun and ended.
    epochs: Mutex<(u64, u64)>,
    ended: Condvar,
    is_over: Mutex<bool>,
}

impl PlainSled {
    fn open(dir: &Path) -> Arc<Self> {
        let db = sled::Config::new().path(dir).cache_capacity(64 << 20).flush_every_ms(None).open();
        let db = db.expect("a new folder can be used");
        let plain = Self { db, epochs: Mutex::default(), ended: Condvar::new(), is_over: Mutex::new(false) };
        let plain = Arc::new(plain);
        let flusher = Arc::clone(&plain);
        thread::spawn(move || {
            while !*flusher.is_over.lock().expect("no holder panics") {
                flusher.epochs.lock().expect("no holder panics").0 += 1;
                flusher.db.flush().expect("the disk works");
                let mut epochs = flusher.epochs.lock().expect("no holder panics");
                epochs.1 = epochs.0;
                flusher.ended.notify_all();
            }
        });
        plain
    }

    fn append(&self, event: &Event) {
        let value = serde_json::to_vec(event).expect("an event has a JSON form");
        self.db.insert(event.id.as_bytes(), value).expect("the disk works");
        let epochs = self.epochs.lock().expect("no holder panics");
        let needed = epochs.0 + 1;
        drop(self.ended.wait_while(epochs, |epochs| epochs.1 < needed).expect("no holder panics"));
    }
}

/// Lets all writers append for a while; gives events a second and the median wait.
fn grouped(append: impl Fn(u64) + Sync) -> (f64, Duration) {
    let next = AtomicU64::new(1 << 40);
    let start = Instant::now();
    let waits = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..N_WRITERS {
            scope.spawn(|| {
                let mut own = Vec::new();
                while start.elapsed() < GROUP_TIME {
                    let before = Instant::now();
                    append(next.fetch_add(1, Ordering::Relaxed));
                    own.push(before.elapsed());
                }
                waits.lock().expect("no writer panics").append(&mut own);
            });
        }
    });
    let elapsed = start.elapsed().as_secs_f64();
    let mut waits = waits.into_inner().expect("no writer panics");
    waits.sort();
    (waits.len() as f64 / elapsed, waits[waits.len() / 2])
}

fn feedback(criterion: &mut Criterion) {
    // On a real disk: the folder for temporary files may be memory.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build folder can be written");
    let key = secrecy::SecretString::from("a key for the bench".to_owned());
    let options = LogOptions { store_key: Some(key), ..LogOptions::default() };
    let log = FeedbackLog::open(&dir.path().join("log"), options).expect("a new folder can be used");
    let single = sled::Config::new().path(dir.path().join("single")).flush_every_ms(None).open();
    let single = single.expect("a new folder can be used");
    let n = AtomicU64::new(0);

    let mut group = criterion.benchmark_group("feedback");
    group.sample_size(50).measurement_time(Duration::from_secs(4)).warm_up_time(Duration::from_secs(1));
    group.bench_function("durable append", |bencher| {
        bencher.iter(|| log.record_event(event(n.fetch_add(1, Ordering::Relaxed))).expect("the disk works"));
    });
    group.bench_function("plain sled insert and flush", |bencher| {
        bencher.iter(|| {
            let event = event(n.fetch_add(1, Ordering::Relaxed));
            let value = serde_json::to_vec(&event).expect("an event has a JSON form");
            single.insert(event.id.as_bytes(), value).expect("the disk works");
            single.flush().expect("the disk works")
        });
    });
    group.finish();

    let plain = PlainSled::open(&dir.path().join("grouped"));
    for round in 1..=3 {
        let (rate, wait) = grouped(|n| drop(log.record_event(event(n)).expect("the disk works")));
        eprintln!("round {round}, {N_WRITERS} writers, log:        {rate:7.0} events/s, p50 {wait:?}");
        let (rate, wait) = grouped(|n| plain.append(&event(n)));
        eprintln!("round {round}, {N_WRITERS} writers, plain sled: {rate:7.0} events/s, p50 {wait:?}");
    }
    *plain.is_over.lock().expect("no holder panics") = true;
}

criterion_group!(benches, feedback);
criterion_main!(benches);
