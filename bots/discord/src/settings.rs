//! `/songs-settings`: a panel for those who may change them; the core decides who may.

use std::time::Duration;

use image2song_contract::answer::Refusal;
use image2song_contract::locale::{Locale, Value};
use image2song_contract::place::ChannelId;
use image2song_contract::settings::{Change, Changers, Exploration, Level, Settings};
use serenity::builder::{
    CreateActionRow, CreateButton, CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption,
};
use serenity::model::application::{
    ButtonStyle, CommandDataOptionValue, CommandInteraction, ComponentInteraction, ComponentInteractionDataKind,
};

use crate::adapter::Adapter;
use crate::api::Show;
use crate::interactions::{Caller, text_option};

/// Begins the ids of the panel's parts.
pub const PREFIX: &str = "s1:";

/// Pauses that can be chosen, in seconds.
const PAUSES_S: [u64; 6] = [0, 3, 10, 30, 60, 300];

/// Shows the panel, after what the command itself changes.
pub async fn on_command(adapter: &Adapter, command: &CommandInteraction, caller: Caller) {
    let mut settings = adapter.bot.settings(&caller.place).await;
    let may = caller.place.is_private || caller.person.is_manager || settings.changers == Changers::Everybody;
    if !may {
        caller.answer(adapter, Show::text(adapter.say(&Refusal::NotAllowed, caller.locale))).await;
        return;
    }
    let mut changes = Vec::new();
    if let Some(text) = text_option(command, "song-languages") {
        let codes = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|code| (2..=3).contains(&code.len()));
        changes.push(Change::SongLanguages(codes.map(str::to_ascii_lowercase).collect()));
    }
    let pause = command.data.options.iter().find(|option| option.name == "channel-pause");
    if let Some(CommandDataOptionValue::Integer(seconds)) = pause.map(|option| &option.value) {
        changes.push(Change::ChannelCooldown(Duration::from_secs(seconds.unsigned_abs())));
    }
    for change in changes {
        match adapter.bot.change(caller.place.clone(), caller.person.clone(), change).await {
            Ok(changed) => settings = changed,
            Err(refusal) => {
                caller.answer(adapter, Show::text(adapter.say(&refusal, caller.locale))).await;
                return;
            }
        }
    }
    caller.answer(adapter, panel(&settings, &caller.place.channel, caller.locale)).await;
}

/// Changes what a part of the panel says, and shows it so.
pub async fn on_component(adapter: &Adapter, component: &ComponentInteraction, caller: Caller) {
    let chosen = match &component.data.kind {
        ComponentInteractionDataKind::StringSelect { values } => values.first().map(String::as_str),
        _ => None,
    };
    let id = component.data.custom_id.trim_start_matches(PREFIX);
    let (name, value) = id.split_once(':').unwrap_or((id, ""));
    let Some(change) = change(name, chosen.unwrap_or(value)) else {
        caller.whisper(adapter, Show::text(adapter.say(&Refusal::TooOld, caller.locale))).await;
        return;
    };
    match adapter.bot.change(caller.place.clone(), caller.person.clone(), change).await {
        Ok(settings) => {
            // In the language that may just have been chosen.
            let locale = adapter.bot.locale(&caller.place, &caller.person).await;
            caller.answer(adapter, panel(&settings, &caller.place.channel, locale)).await;
        }
        Err(refusal) => caller.whisper(adapter, Show::text(adapter.say(&refusal, caller.locale))).await,
    }
}

/// What a part with a value asks for; `None` for what no panel of ours has.
fn change(name: &str, value: &str) -> Option<Change> {
    let is_on = || match value {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    };
    Some(match name {
        "locale" if value == "auto" => Change::Locale(None),
        "locale" => Change::Locale(Some(Locale::of_tag(value)?)),
        "songs" => Change::NSongs(value.parse().ok()?),
        "level" => Change::Level(Level::ALL.into_iter().find(|level| level.name() == value)?),
        "pause" => Change::PersonCooldown(Duration::from_secs(value.parse().ok()?)),
        "explicit" => Change::AllowsExplicit(is_on()?),
        "muted" => Change::Muted(is_on()?),
        "automatic" => Change::Automatic(is_on()?),
        "chance" => Change::Exploration(Exploration::of_name(value)?),
        "everybody" => Change::Changers(if is_on()? { Changers::Everybody } else { Changers::Managers }),
        _ => return None,
    })
}

fn panel(settings: &Settings, channel: &ChannelId, locale: Locale) -> Show {
    let seconds = |time: Duration| locale.tell("seconds", &[("n", Value::Number(time.as_secs()))]);
    let languages = match settings.song_languages.as_slice() {
        [] => "✳".to_owned(),
        codes => codes.join(", "),
    };
    let text = format!(
        "{}\n{}: {languages}\n{}: {}",
        locale.say("settings-title"),
        locale.say("command-songs-language"),
        locale.say("settings-channel-cooldown"),
        seconds(settings.channel_cooldown)
    );
    let locales = [None].into_iter().chain(Locale::ALL.map(Some)).map(|choice| {
        let (label, value) = match choice {
            None => (locale.say("settings-language-auto"), "auto"),
            Some(choice) => (choice.say("language-name"), choice.code()),
        };
        (label, value.to_owned(), settings.locale == choice)
    });
    let songs = (1..=5u8).map(|n| (n.to_string(), n.to_string(), settings.n_songs == n));
    let levels = Level::ALL.map(|level| {
        let label = locale.say(&format!("level-{}", level.name()));
        (label, level.name().to_owned(), settings.level == level)
    });
    let pauses = PAUSES_S.map(|s| {
        let time = Duration::from_secs(s);
        (seconds(time), s.to_string(), settings.person_cooldown == time)
    });
    let rows = vec![
        menu("locale", &locale.say("settings-language"), locales),
        menu("songs", &locale.say("settings-songs"), songs),
        menu("level", &locale.say("settings-level"), levels.into_iter()),
        menu("pause", &locale.say("settings-person-cooldown"), pauses.into_iter()),
        switches(settings, channel, locale),
    ];
    Show { rows, ..Show::text(text) }
}

/// A menu; each choice says what it is about, for a chosen one hides the menu's own name.
fn menu(name: &str, title: &str, choices: impl Iterator<Item = (String, String, bool)>) -> CreateActionRow {
    let option = |(label, value, is_chosen): (String, String, bool)| {
        let label = image2song_contract::phrasing::cut(&format!("{title}: {label}"), 100);
        CreateSelectMenuOption::new(label, value).default_selection(is_chosen)
    };
    let options = choices.map(option).collect();
    let menu = CreateSelectMenu::new(format!("{PREFIX}{name}"), CreateSelectMenuKind::String { options });
    CreateActionRow::SelectMenu(menu.placeholder(title))
}

fn switches(settings: &Settings, channel: &ChannelId, locale: Locale) -> CreateActionRow {
    let on_off = |is_on: bool| locale.say(if is_on { "on" } else { "off" });
    let is_muted = settings.muted.contains(channel);
    let is_automatic = settings.automatic.contains(channel);
    let is_everybody = settings.changers == Changers::Everybody;
    let here = locale.say(if is_muted { "settings-here-off" } else { "settings-here-on" });
    let changers = locale.say(if is_everybody { "settings-changers-everybody" } else { "settings-changers-managers" });
    // A panel has five rows and a row five buttons, so chance is no menu: each press leads to the next choice.
    let chance = locale.say(&format!("exploration-{}", settings.exploration.name()));
    let chance = (format!("chance:{}", next(settings.exploration)), "settings-exploration", chance);
    let parts = [
        ("explicit", settings.allows_explicit, "settings-explicit", on_off(settings.allows_explicit)),
        ("muted", is_muted, "settings-here", here),
        ("automatic", is_automatic, "settings-automatic", on_off(is_automatic)),
        ("everybody", is_everybody, "settings-changers", changers),
    ];
    // The id says what a press makes of it, so a press twice is a press once.
    let flip = |(name, is_set, title, now): (&str, bool, &'static str, String)| {
        (format!("{name}:{}", u8::from(!is_set)), title, now)
    };
    let button = |(step, title, now): (String, &str, String)| {
        let label = image2song_contract::phrasing::cut(&format!("{}: {now}", locale.say(title)), 80);
        CreateButton::new(format!("{PREFIX}{step}")).label(label).style(ButtonStyle::Secondary)
    };
    CreateActionRow::Buttons(parts.map(flip).into_iter().chain([chance]).map(button).collect())
}

/// The choice after this one, in a circle.
fn next(exploration: Exploration) -> &'static str {
    let names = Exploration::CHOICES.map(|(name, _)| name);
    let at = names.iter().position(|name| *name == exploration.name()).unwrap_or_default();
    names[(at + 1) % names.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_panel_has_is_a_change() {
        assert_eq!(change("songs", "3"), Some(Change::NSongs(3)));
        assert_eq!(change("locale", "auto"), Some(Change::Locale(None)));
        assert_eq!(change("muted", "1"), Some(Change::Muted(true)));
        assert_eq!(change("chance", "off"), Some(Change::Exploration(Exploration::default())));
        assert_eq!(Exploration::CHOICES.map(|(_, choice)| next(choice)), ["little", "some", "much", "off"]);
        for (name, value) in
            [("songs", "x"), ("locale", "tlh"), ("muted", "yes"), ("level", "all"), ("chance", "1"), ("x", "1")]
        {
            assert_eq!(change(name, value), None, "{name} {value}");
        }
    }
}
