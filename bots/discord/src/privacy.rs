//! `/privacy`: what is kept of the asker, and how to refuse, see or delete it. For the asker's eyes alone.

use image2song_contract::answer::Refusal;
use image2song_contract::locale::Value;
use image2song_contract::phrasing;
use image2song_contract::settings::Level;
use serenity::builder::{CreateActionRow, CreateAttachment, CreateButton};
use serenity::model::application::{ButtonStyle, ComponentInteraction};

use crate::adapter::Adapter;
use crate::api::Show;
use crate::interactions::Caller;

/// Begins the ids of the buttons.
pub const PREFIX: &str = "p1:";

/// Id of the button that takes a choice back.
const UNSET: &str = "unset";

/// What each button is called, by its id; choices stand in the first row.
const BUTTONS: [(&str, &str, ButtonStyle); 6] = [
    ("off", "privacy-set-off", ButtonStyle::Secondary),
    ("counts", "privacy-set-counts", ButtonStyle::Secondary),
    ("training", "privacy-set-training", ButtonStyle::Secondary),
    (UNSET, "privacy-set-unset", ButtonStyle::Secondary),
    ("export", "privacy-export", ButtonStyle::Primary),
    ("erase", "privacy-erase", ButtonStyle::Danger),
];

/// Shows what is kept.
pub async fn on_command(adapter: &Adapter, caller: Caller) {
    adapter.health.count("request", "privacy");
    match panel(adapter, &caller, None).await {
        Ok(show) => drop(caller.answer(adapter, show).await),
        Err(refusal) => drop(caller.answer(adapter, Show::text(adapter.say(&refusal, caller.locale))).await),
    }
}

/// Does what a button asks for.
pub async fn on_component(adapter: &Adapter, component: &ComponentInteraction, caller: Caller) {
    let (place, person) = (&caller.place, &caller.person);
    let wanted = component.data.custom_id.trim_start_matches(PREFIX);
    let level = Level::ALL.into_iter().find(|level| level.name() == wanted);
    let done = match (wanted, level) {
        ("export", _) => return export(adapter, &caller).await,
        ("erase", _) => {
            let erased = adapter.bot.erase(place, person).await;
            erased.map(|n| caller.locale.tell("privacy-erased", &[("n", Value::Number(n as u64))]))
        }
        (UNSET, None) | (_, Some(_)) => {
            let set = adapter.bot.set_level(place, person, level).await;
            set.map(|()| caller.locale.say("saved"))
        }
        _ => Err(Refusal::TooOld),
    };
    let shown = match done {
        Ok(said) => panel(adapter, &caller, Some(said)).await,
        Err(refusal) => Err(refusal),
    };
    match shown {
        Ok(show) => drop(caller.answer(adapter, show).await),
        Err(refusal) => caller.whisper(adapter, Show::text(adapter.say(&refusal, caller.locale))).await,
    }
}

/// All that is kept, as a file beside the panel, for it may be long.
async fn export(adapter: &Adapter, caller: &Caller) {
    let show = match adapter.bot.export(&caller.place, &caller.person).await {
        Ok(json) => {
            let file = CreateAttachment::bytes(json.into_bytes(), "image2song.json");
            Show { file: Some(file), ..Show::text(caller.locale.say("privacy-exported")) }
        }
        Err(refusal) => Show::text(adapter.say(&refusal, caller.locale)),
    };
    caller.whisper(adapter, show).await;
}

async fn panel(adapter: &Adapter, caller: &Caller, said: Option<String>) -> Result<Show, Refusal> {
    let privacy = adapter.bot.privacy(&caller.place, &caller.person).await?;
    let mut lines = vec![format!("**{}**", caller.locale.say("privacy-title"))];
    lines.extend(phrasing::privacy(caller.locale, &privacy));
    lines.extend(said);
    let button = |(id, label, style): (&str, &str, ButtonStyle)| {
        CreateButton::new(format!("{PREFIX}{id}")).label(phrasing::cut(&caller.locale.say(label), 80)).style(style)
    };
    let rows = BUTTONS.map(button).chunks(4).map(|row| CreateActionRow::Buttons(row.into())).collect();
    Ok(Show { rows, ..Show::text(lines.join("\n")) })
}
