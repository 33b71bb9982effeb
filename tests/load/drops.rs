//! The gateway of Discord breaks a thousand times while people ask: nothing is lost, nothing answered twice.

use std::time::{Duration, Instant};

use image2song_fakes::discord::record::Act;

use crate::Settings;
use crate::doors::{DiscordDoor, Door};
use crate::figures::Came;
use crate::photos::{Choice, Photos};
use crate::program::load_average;
use crate::world::{World, settle};

/// So many questions are asked around each drop: before it, while nobody listens, after it.
const N_AROUND: usize = 3;

/// Between two drops.
const PAUSE: Duration = Duration::from_millis(100);

/// Prints what came of the questions.
pub async fn run(settings: &Settings, photos: &mut Photos) {
    let world = World::start(&[]).await;
    let mut door = DiscordDoor::new(world.discord.clone());
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    for n in 0..settings.n_drops {
        door.ask(photos.next(Choice::Repeated));
        match n % 4 {
            0 | 1 => world.discord.drop_sockets(),
            2 => world.discord.close(Some(4000)),
            _ => world.discord.op7(),
        }
        let dropped = Instant::now();
        door.ask(photos.next(Choice::Repeated));
        // The fake notices the end of a connection when it is told of it, so first the old one has to go.
        let n_back = n + 1;
        world
            .discord
            .wait("session after a drop", |world| {
                let n = world.acts.iter().filter(|(_, act)| is_back(act)).count();
                (n > n_back).then_some(())
            })
            .await;
        slowest = slowest.max(dropped.elapsed());
        door.ask(photos.next(Choice::Repeated));
        // Drops are tried here, not overload: without a pause more would be asked than is ever answered.
        tokio::time::sleep(PAUSE).await;
    }
    let time = began.elapsed();
    let figures = settle(&door).await;
    let metrics = world.program.metrics().await;
    let of = |what: &str| metrics.sum(&["adapter_events", "discord", what]);
    let n_asked = settings.n_drops * N_AROUND;
    println!("\n{} drops of the gateway in {:.0} s, load {:.1}", settings.n_drops, time.as_secs_f64(), load_average());
    println!(
        "    asked {n_asked}: songs {}, busy {}, another sentence {}, nothing {}, twice {}",
        figures.n(Came::Songs),
        figures.n(Came::Busy),
        figures.n(Came::Sentence),
        figures.n(Came::Nothing),
        figures.n_doubled()
    );
    let n_resumed = world.discord.n_acts(|act| matches!(act, Act::Resumed { .. }));
    let n_fresh = world.discord.n_acts(|act| matches!(act, Act::Identified { .. }));
    println!(
        "    sessions resumed {n_resumed}, begun {n_fresh}; the program counts {} resumed, {} started anew; slowest return {:.2} s",
        of("resumed"),
        metrics.sum(&["adapter_restarts", "discord"]),
        slowest.as_secs_f64()
    );
    let violations = world.violations();
    println!("    {} violations: {:?}", violations.len(), &violations[..violations.len().min(5)]);
    world.program.stop().await;
}

/// Whether the program is connected again.
fn is_back(act: &Act) -> bool {
    matches!(act, Act::Resumed { .. } | Act::Identified { .. })
}
