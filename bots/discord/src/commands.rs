//! The commands that people see in Discord, in all languages, and their registration when they changed.

use image2song_contract::locale::Locale;
use image2song_contract::place::Platform;
use serenity::builder::{CreateCommand, CreateCommandOption};
use serenity::json::json;
use serenity::model::Permissions;
use serenity::model::application::{CommandOptionType, CommandType, InstallationContext, InteractionContext};

use crate::adapter::Adapter;
use crate::rest::RestError;

/// `/songs`.
pub const SONGS: &str = "songs";
/// The command of a message's menu, by the name in English; the payload carries this one whatever people see.
pub const SUGGEST: &str = "Suggest songs";
/// `/songs-settings`.
pub const SETTINGS: &str = "songs-settings";
/// `/privacy`.
pub const PRIVACY: &str = "privacy";
/// `/about`.
pub const ABOUT: &str = "about";

/// Most characters of a description.
const MAX_DESCRIPTION: usize = 100;

/// Discord's codes of a language. American English is named, or British readers' text would be shown to Americans.
fn codes(locale: Locale) -> &'static [&'static str] {
    match locale {
        Locale::En => &["en-US", "en-GB"],
        Locale::Ja => &["ja"],
        Locale::De => &["de"],
        Locale::Fr => &["fr"],
        Locale::Es => &["es-ES", "es-419"],
        Locale::Pt => &["pt-BR"],
        Locale::Zh => &["zh-CN", "zh-TW"],
        Locale::Ko => &["ko"],
    }
}

fn localized() -> impl Iterator<Item = (Locale, &'static str)> {
    Locale::ALL.into_iter().flat_map(|locale| codes(locale).iter().map(move |code| (locale, *code)))
}

fn text(locale: Locale, message: &str) -> String {
    image2song_contract::phrasing::cut(&locale.say(message), MAX_DESCRIPTION)
}

fn slash(name: &str, description: &str) -> CreateCommand {
    let mut command = everywhere(CreateCommand::new(name).description(text(Locale::En, description)));
    for (locale, code) in localized() {
        command = command.description_localized(code, text(locale, description));
    }
    command
}

/// Installed by a server or by a person, used in servers, with the bot, and among people.
fn everywhere(command: CreateCommand) -> CreateCommand {
    command
        .add_integration_type(InstallationContext::Guild)
        .add_integration_type(InstallationContext::User)
        .add_context(InteractionContext::Guild)
        .add_context(InteractionContext::BotDm)
        .add_context(InteractionContext::PrivateChannel)
}

fn option(kind: CommandOptionType, name: &str, description: &str) -> CreateCommandOption {
    let mut option = CreateCommandOption::new(kind, name, text(Locale::En, description));
    for (locale, code) in localized() {
        option = option.description_localized(code, text(locale, description));
    }
    option
}

/// All commands.
pub fn all() -> Vec<CreateCommand> {
    let mut suggest = everywhere(CreateCommand::new(SUGGEST).kind(CommandType::Message));
    for (locale, code) in localized() {
        suggest =
            suggest.name_localized(code, image2song_contract::phrasing::cut(&locale.say("command-suggest-songs"), 32));
    }
    let mut language = option(CommandOptionType::String, "language", "command-songs-language");
    for locale in Locale::ALL {
        language = language.add_string_choice(locale.say("language-name"), locale.code());
    }
    let songs = slash(SONGS, "command-songs")
        .add_option(option(CommandOptionType::Attachment, "photo", "command-songs-photo").required(true))
        .add_option(option(CommandOptionType::String, "hint", "command-songs-hint"))
        .add_option(language)
        .add_option(option(CommandOptionType::String, "mood", "command-songs-mood"));
    let settings = slash(SETTINGS, "command-settings")
        .default_member_permissions(Permissions::MANAGE_GUILD)
        .add_option(option(CommandOptionType::String, "song-languages", "command-songs-language"))
        .add_option(option(CommandOptionType::Integer, "channel-pause", "settings-channel-cooldown"));
    vec![suggest, songs, settings, slash(PRIVACY, "command-privacy"), slash(ABOUT, "command-about")]
}

/// Name under which the core remembers what was registered.
const REMEMBERED: &str = "commands";

/// Registers the commands, if they are not those that were registered last for this application.
///
/// # Errors
/// As all requests.
pub async fn register(adapter: &Adapter, application: u64) -> Result<(), RestError> {
    let commands = all();
    let wanted = format!("{application}:{:016x}", hash(&json!(commands).to_string()));
    if adapter.bot.recall(Platform::Discord, REMEMBERED).await.as_deref() == Some(&wanted) {
        return Ok(());
    }
    adapter.api.register(&commands).await?;
    adapter.bot.remember(Platform::Discord, REMEMBERED, wanted).await;
    Ok(())
}

/// FNV-1a: the same with every build, which the standard library's hash is not.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_the_commands_alone() {
        assert_eq!(json!(all()).to_string(), json!(all()).to_string());
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_ne!(hash("a"), hash("b"));
    }

    #[test]
    fn commands_speak_all_languages() {
        let all = json!(all());
        let songs = all.as_array().unwrap().iter().find(|command| command["name"] == SONGS).unwrap();
        let descriptions = songs["description_localizations"].as_object().unwrap();
        assert_eq!(descriptions.len(), localized().count());
        assert_ne!(descriptions["de"], descriptions["en-US"]);
        assert_eq!(songs["options"][0]["required"], true);
    }
}
