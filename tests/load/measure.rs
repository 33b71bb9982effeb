//! The real program under load, against the stand-ins of the platforms on the same machine. Prints what it measured and
//! judges nothing: times depend on the machine and on what else it does, so the load stands beside each figure.
//!
//! `cargo bench --bench load -- [rate] [drops] [soak] [secrets] [--seconds N] [--per-s N] [--drops N] [--soak-seconds N]
//! [--soak-per-s N] [--kills N]`; without names, a short `rate`.

mod doors;
mod drops;
mod figures;
mod http;
mod photos;
mod presses;
mod program;
mod rate;
mod secrets;
mod soak;
mod world;

use crate::photos::Photos;

/// How much of everything.
struct Settings {
    seconds: u64,
    photos_per_s: f64,
    n_drops: usize,
    soak_seconds: u64,
    soak_per_s: f64,
    n_kills: u64,
}

impl Settings {
    /// From `--name value`; what is not named has its default.
    fn read(words: &[String]) -> Settings {
        let value = |name: &str, default: f64| {
            let at = words.iter().position(|word| word == name);
            at.and_then(|at| words.get(at + 1)?.parse().ok()).unwrap_or(default)
        };
        Settings {
            seconds: value("--seconds", 10.0) as u64,
            photos_per_s: value("--per-s", 20.0),
            n_drops: value("--drops", 1000.0) as usize,
            soak_seconds: value("--soak-seconds", 600.0) as u64,
            soak_per_s: value("--soak-per-s", 50.0),
            n_kills: value("--kills", 0.0) as u64,
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    if !std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base").exists() {
        println!("there is no model to serve");
        return;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let settings = Settings::read(&words);
    let is_asked = |name: &str| words.iter().any(|word| word == name);
    let has_names = ["rate", "drops", "soak", "secrets"].iter().any(|name| is_asked(name));
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{n_cores} cores, load {:.1} before the start", program::load_average());
    let mut photos = Photos::new();
    if is_asked("rate") || !has_names {
        rate::run(&settings, &mut photos).await;
    }
    if is_asked("drops") {
        drops::run(&settings, &mut photos).await;
    }
    if is_asked("secrets") {
        secrets::run(&mut photos).await;
    }
    if is_asked("soak") {
        soak::run(&settings, &mut photos).await;
    }
}
