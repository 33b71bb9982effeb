//! A long time of good and bad photos through all doors, with presses: memory, files and threads must not grow, and no
//! acknowledged press may be missing afterwards.

use std::time::{Duration, Instant};

use crate::Settings;
use crate::doors::{DiscordDoor, Door, TelegramDoor, WebDoor};
use crate::figures::{Came, Figures, quantile};
use crate::photos::{Choice, Photos};
use crate::presses::Presser;
use crate::program::{Sample, load_average};
use crate::world::{World, drive, settle};

/// After each such time the fakes forget what is past and a line is printed.
const LAP: Duration = Duration::from_secs(20);
const AGE: Duration = Duration::from_secs(15);
const PRESSES_PER_S: u64 = 5;

/// Prints a line for each lap.
pub async fn run(settings: &Settings, photos: &mut Photos) {
    let mut world = World::start(&[]).await;
    let telegram = TelegramDoor::new(world.telegram.clone());
    let people = telegram.people.clone();
    let mut doors: Vec<Box<dyn Door>> = vec![
        Box::new(telegram),
        Box::new(DiscordDoor::of_commands(world.discord.clone())),
        Box::new(WebDoor::new(&world.program.address)),
    ];
    println!(
        "\nSoak: {} photos/s over three doors, half of them hostile, for {} s, {} kills",
        settings.soak_per_s, settings.soak_seconds, settings.n_kills
    );
    println!(
        "{:>6} {:>7} {:>6} {:>8} |{:>7}{:>6}{:>6}{:>6}{:>6} |{:>6}{:>6} | load",
        "s", "MB", "files", "threads", "songs", "busy", "said", "none", "twice", "p50", "p95"
    );
    let (began, mut samples) = (Instant::now(), Vec::new());
    let mut presser = Presser::new(world.telegram.clone());
    let n_laps = settings.soak_seconds.div_ceil(LAP.as_secs()).max(1);
    let kill_every = n_laps / (settings.n_kills + 1);
    for lap in 0..n_laps {
        let figures = lap_of(&mut doors, photos, settings.soak_per_s, &mut presser, &people).await;
        let sample = world.program.sample();
        print_lap(&sample, began, &figures);
        samples.push(sample);
        let is_killed = settings.n_kills > 0 && (lap + 1) % kill_every == 0 && lap + 1 < n_laps;
        if is_killed {
            world.kill_and_start().await;
            doors[2] = Box::new(WebDoor::new(&world.program.address));
            samples.clear();
        }
        world.telegram.forget(AGE);
        world.discord.forget(AGE);
    }
    presser.settle().await;
    trend(&samples);
    println!("    peak memory {:.0} MB; violations {:?}", world.program.peak_mb(), world.violations());
    world.program.stop().await;
    presser.compare(&world.dir.path().join("store")).print();
}

async fn lap_of(
    doors: &mut [Box<dyn Door>],
    photos: &mut Photos,
    per_s: f64,
    presser: &mut Presser,
    people: &[(image2song_fakes::telegram::people::User, image2song_fakes::telegram::people::ChatId)],
) -> Figures {
    let began = Instant::now();
    doors.iter_mut().for_each(|door| door.begin());
    while began.elapsed() < LAP {
        let slice = Duration::from_secs(1) / 3;
        for door in doors.iter_mut() {
            drive(door.as_mut(), photos, Choice::Hostile, per_s, slice).await;
            for _ in 0..PRESSES_PER_S / 3 + 1 {
                presser.press(people);
            }
        }
        presser.look();
    }
    let mut all = Vec::new();
    for door in doors.iter() {
        all.extend(settle(door.as_ref()).await.0);
    }
    presser.look();
    Figures(all)
}

fn print_lap(sample: &Sample, began: Instant, figures: &Figures) {
    let times = figures.times_ms(&[Came::Songs]);
    println!(
        "{:>6.0} {:>7.1} {:>6} {:>8} |{:>7}{:>6}{:>6}{:>6}{:>6} |{:>6.0}{:>6.0} | {:.1}",
        began.elapsed().as_secs_f64(),
        sample.rss_mb,
        sample.n_files,
        sample.n_threads,
        figures.n(Came::Songs),
        figures.n(Came::Busy),
        figures.n(Came::Sentence),
        figures.n(Came::Nothing),
        figures.n_doubled(),
        quantile(&times, 0.5),
        quantile(&times, 0.95),
        load_average()
    );
}

/// Prints how memory and files changed over the second half, when caches are full.
fn trend(samples: &[Sample]) {
    let half = &samples[samples.len() / 2..];
    let (Some(first), Some(last)) = (half.first(), half.last()) else { return };
    let minutes = (last.at - first.at).as_secs_f64() / 60.0;
    println!(
        "    second half: memory {:+.1} MB in {minutes:.1} min (from {:.1}), files {:+}, threads {:+}",
        last.rss_mb - first.rss_mb,
        first.rss_mb,
        last.n_files as i64 - first.n_files as i64,
        last.n_threads as i64 - first.n_threads as i64
    );
}
