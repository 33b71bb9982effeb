//! The list of commands that Telegram shows, set per language and only when it changed.

use image2song_contract::bot::SongBot;
use image2song_contract::locale::Locale;
use image2song_contract::place::Platform;
use teloxide::payloads::setters::*;
use teloxide::prelude::Requester;
use teloxide::types::BotCommand;

use crate::api::Api;
use crate::styled::short;

/// Commands with the names of their descriptions.
const COMMANDS: [(&str, &str); 5] = [
    ("songs", "command-songs"),
    ("settings", "command-settings"),
    ("privacy", "command-privacy"),
    ("about", "command-about"),
    ("help", "command-help"),
];
const MAX_DESCRIPTION: usize = 256;
/// What the core keeps of them.
const KEPT: &str = "commands";

fn list(locale: Locale) -> Vec<BotCommand> {
    let command = |(name, description)| BotCommand::new(name, short(&locale.say(description), MAX_DESCRIPTION));
    COMMANDS.map(command).into()
}

/// A number that changes with the commands or the bot (FNV-1a, which is the same on every machine and version).
fn fingerprint(bot: u64) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(&bot.to_string());
    for command in Locale::ALL.into_iter().flat_map(list) {
        add(&command.command);
        add(&command.description);
    }
    format!("{hash:016x}")
}

/// Sets the commands of all languages unless they are set already. What fails is tried again with the next start.
pub async fn register(api: &Api, core: &dyn SongBot, bot: u64) {
    let fingerprint = fingerprint(bot);
    if core.recall(Platform::Telegram, KEPT).await.as_ref() == Some(&fingerprint) {
        return;
    }
    let english = api.bot().set_my_commands(list(Locale::En));
    let own = Locale::ALL.map(|locale| api.bot().set_my_commands(list(locale)).language_code(locale.code()));
    for request in std::iter::once(english).chain(own) {
        if let Err(fault) = api.call(request).await {
            api.note("setMyCommands", fault);
            tracing::warn!(fault = fault.name(), "the list of commands could not be set");
            return;
        }
    }
    core.remember(Platform::Telegram, KEPT, fingerprint).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_fit_and_change_with_the_bot() {
        for command in Locale::ALL.into_iter().flat_map(list) {
            assert!((1..=256).contains(&command.description.chars().count()), "{command:?}");
        }
        assert_eq!(fingerprint(1), fingerprint(1));
        assert_ne!(fingerprint(1), fingerprint(2));
    }
}
