//! Times from photo to answer at an even rate and at ten times as much, through each door.

use std::time::Duration;

use crate::Settings;
use crate::doors::{DiscordDoor, Door, TelegramDoor, WebDoor};
use crate::figures::{Came, Figures, print_histogram, quantile};
use crate::photos::{Choice, Photos};
use crate::program::load_average;
use crate::world::{World, drive, settle};

const OVERLOAD: f64 = 10.0;
/// Before anything is measured, caches of the processor and the allocator fill.
const WARM_UP: Duration = Duration::from_secs(3);
const OVERLOAD_TIME: Duration = Duration::from_secs(15);
const STEPS: [&str; 5] = ["decode", "queue", "tag", "match", "total"];

/// Prints a row for each door and kind of load.
pub async fn run(settings: &Settings, photos: &mut Photos) {
    let world = World::start(&[]).await;
    let mut doors: Vec<Box<dyn Door>> = vec![
        Box::new(TelegramDoor::new(world.telegram.clone())),
        Box::new(DiscordDoor::new(world.discord.clone())),
        Box::new(WebDoor::new(&world.program.address)),
    ];
    for door in &mut doors {
        drive(door.as_mut(), photos, Choice::Distinct, settings.photos_per_s / 2.0, WARM_UP).await;
        settle(door.as_ref()).await;
    }
    println!("\nPhoto to answer, {} photos/s for {} s through each door", settings.photos_per_s, settings.seconds);
    head();
    for door in &mut doors {
        for choice in [Choice::Distinct, Choice::Repeated] {
            let time = Duration::from_secs(settings.seconds);
            round(&world, door.as_mut(), photos, choice, settings.photos_per_s, time, true).await;
        }
    }
    println!("\nTen times as much for {} s, then the first rate again", OVERLOAD_TIME.as_secs());
    head();
    doors[1] = Box::new(DiscordDoor::of_commands(world.discord.clone()));
    for door in &mut doors {
        let rate = settings.photos_per_s * OVERLOAD;
        round(&world, door.as_mut(), photos, Choice::Distinct, rate, OVERLOAD_TIME, true).await;
        round(&world, door.as_mut(), photos, Choice::Distinct, settings.photos_per_s, WARM_UP * 2, false).await;
    }
    println!("violations: {:?}", world.violations());
    println!("stopped in {:.1} s", world.program.stop().await.as_secs_f64());
}

fn head() {
    println!(
        "{:<9}{:<9}{:>6}{:>6} |{:>7}{:>6}{:>6}{:>6}{:>6} |{:>6}{:>6}{:>6}{:>7} |{:>6}{:>7}{:>6}{:>6}{:>6} |{:>5}{:>7}",
        "door",
        "photos",
        "per s",
        "n",
        "songs",
        "busy",
        "said",
        "none",
        "twice",
        "p50",
        "p95",
        "p99",
        "max",
        "dec",
        "queue",
        "tag",
        "match",
        "total",
        "load",
        "late"
    );
}

async fn round(
    world: &World,
    door: &mut dyn Door,
    photos: &mut Photos,
    choice: Choice,
    per_s: f64,
    time: Duration,
    has_histogram: bool,
) {
    door.begin();
    world.program.forget_peak();
    let (before, cpu) = (world.program.metrics().await, world.program.cpu());
    let late_ms = drive(door, photos, choice, per_s, time).await;
    let (after_cpu, n_threads) = (world.program.cpu(), world.program.sample().n_threads);
    let figures = settle(door).await;
    let after = world.program.metrics().await;
    let times = figures.times_ms(&[Came::Songs]);
    let all = figures.times_ms(&[Came::Songs, Came::Busy, Came::Sentence]);
    let name = if choice == Choice::Repeated { "repeated" } else { "distinct" };
    let n = figures.0.len();
    let [decode, queue, tag, matching, total] = STEPS.map(|step| after.step_ms(&before, step));
    println!(
        "{:<9}{:<9}{:>6.0}{:>6} |{:>7}{:>6}{:>6}{:>6}{:>6} |{:>6.0}{:>6.0}{:>6.0}{:>7.0} |{:>6.1}{:>7.1}{:>6.1}{:>6.1}{:>6.1} |{:>5.1}{:>7.0}",
        door.name(),
        name,
        per_s,
        n,
        figures.n(Came::Songs),
        figures.n(Came::Busy),
        figures.n(Came::Sentence),
        figures.n(Came::Nothing),
        figures.n_doubled(),
        quantile(&times, 0.5),
        quantile(&times, 0.95),
        quantile(&times, 0.99),
        all.last().copied().unwrap_or_default(),
        decode,
        queue,
        tag,
        matching,
        total,
        load_average(),
        late_ms
    );
    let s = (after_cpu.at - cpu.at).as_secs_f64();
    let (program, own) = (after_cpu.program_s - cpu.program_s, after_cpu.own_s - cpu.own_s);
    let (busy, there) = (after_cpu.busy_s - cpu.busy_s, after_cpu.all_s - cpu.all_s);
    println!(
        "    processor: program {:.0} % of a core ({:.1} ms a photo), fakes {:.0} %, others {:.0} %, of {:.0} cores; \
         memory at most {:.0} MB, {} threads",
        100.0 * program / s,
        1000.0 * program / n.max(1) as f64,
        100.0 * own / s,
        100.0 * (busy - program - own) / s,
        there / s,
        world.program.peak_mb(),
        n_threads
    );
    if has_histogram {
        histogram(&figures, &times);
    }
}

fn histogram(figures: &Figures, times: &[f64]) {
    print_histogram(times);
    let busy = figures.times_ms(&[Came::Busy]);
    if !busy.is_empty() {
        let [p50, p95, max] = [0.5, 0.95, 1.0].map(|part| quantile(&busy, part));
        println!("    busy after p50 {p50:.0}, p95 {p95:.0}, max {max:.0} ms");
    }
}
