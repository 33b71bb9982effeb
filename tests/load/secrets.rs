//! Everything goes wrong at the highest level of the log; no token may appear in what is written.

use std::time::Duration;

use image2song_fakes::discord::TOKEN;
use image2song_fakes::discord::fault::Fault as DiscordFault;
use image2song_fakes::discord::record::Call;
use image2song_fakes::telegram::fault::Fault;

use crate::doors::{DiscordDoor, Door, TelegramDoor, WebDoor};
use crate::photos::{Choice, Photos};
use crate::world::{World, drive, settle};

const METHODS: [&str; 7] =
    ["getUpdates", "getMe", "getFile", "download", "sendMessage", "sendChatAction", "answerCallbackQuery"];
const CALLS: [Call; 7] =
    [Call::Post, Call::Typing, Call::Callback, Call::EditAnswer, Call::Download, Call::Resized, Call::Commands];
/// Pieces of a token at least so long are searched for: a token must not come out in parts either.
const PIECE: usize = 16;

/// Prints where a token was found; nowhere, it is hoped.
pub async fn run(photos: &mut Photos) {
    let world = World::start(&[("IMAGE2SONG_LOG", "trace")]).await;
    let mut doors: Vec<Box<dyn Door>> = vec![
        Box::new(TelegramDoor::new(world.telegram.clone())),
        Box::new(DiscordDoor::new(world.discord.clone())),
        Box::new(WebDoor::new(&world.program.address)),
    ];
    let faults = [
        Fault::TooManyRequests { retry_after: 1 },
        Fault::BadGateway,
        Fault::Cut,
        Fault::LoseAnswer,
        Fault::refuse(400, "Bad Request: something"),
        Fault::refuse(403, "Forbidden: bot was blocked by the user"),
        Fault::refuse(500, "Internal Server Error"),
        Fault::conflict(),
    ];
    for fault in &faults {
        for method in METHODS {
            let is_poll = method == "getUpdates";
            if !is_poll || !matches!(fault, Fault::Refuse { code: 400 | 403, .. }) {
                world.telegram.fail(method, fault.clone());
            }
        }
    }
    for call in CALLS {
        let limited = DiscordFault::Limited { after_s: 0.2, code: None, is_global: false };
        for fault in [
            limited,
            DiscordFault::Broken(502),
            DiscordFault::Refused(403, 50_013),
            DiscordFault::BrokenAfterwards(500),
        ] {
            world.discord.fail(call, 2, fault);
        }
    }
    for n in 0..8 {
        for door in &mut doors {
            drive(door.as_mut(), photos, Choice::Hostile, 8.0, Duration::from_secs(1)).await;
        }
        match n % 4 {
            0 => world.discord.drop_sockets(),
            1 => world.discord.expire_links(),
            2 => world.discord.op9(n % 8 == 2),
            _ => world.discord.close(Some(4000)),
        }
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    for door in &doors {
        settle(door.as_ref()).await;
    }
    let (key, n_telegram) = (world.telegram.token().to_owned(), world.telegram.calls("sendMessage").len());
    let log = world.program.log();
    println!(
        "\nTokens in {:.1} MB of log at level trace ({n_telegram} messages sent by Telegram)",
        log.len() as f64 / 1e6
    );
    println!("    lines by level: {}", levels(&log));
    for (name, token) in
        [("Telegram", key.split_once(':').map_or(key.as_str(), |(_, secret)| secret)), ("Discord", TOKEN)]
    {
        println!("    {name}: {} pieces of {PIECE} characters found", found(&log, token));
    }
    world.program.stop().await;
}

fn levels(log: &str) -> String {
    let count = |level: &str| log.lines().filter(|line| line.contains(&format!("\"level\":\"{level}\""))).count();
    ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].map(|level| format!("{level} {}", count(level))).join(", ")
}

/// How many pieces of a token stand in a text, also written as in an address.
fn found(log: &str, token: &str) -> usize {
    let chars: Vec<char> = token.chars().collect();
    let pieces = chars.windows(PIECE).map(|piece| piece.iter().collect::<String>());
    pieces.filter(|piece| log.contains(piece.as_str()) || log.contains(&piece.replace(':', "%3A"))).count()
}
