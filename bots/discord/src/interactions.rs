//! Commands and buttons. The acknowledgement is the first thing that happens: Discord gives three seconds for it.

use std::sync::Arc;

use image2song_contract::answer::Refusal;
use image2song_contract::ask::{Receipt, Trigger};
use image2song_contract::locale::{Locale, Value};
use image2song_contract::payload::{Payload, Verb};
use image2song_contract::place::{MessageId, Person, Place, Platform};
use serenity::model::Permissions;
use serenity::model::application::{
    CommandDataOptionValue, CommandInteraction, ComponentInteraction, Interaction, InteractionContext,
};

use crate::adapter::{self, Adapter};
use crate::api::{Defer, Show};
use crate::commands::{ABOUT, PRIVACY, SETTINGS, SONGS, SUGGEST};
use crate::photos::{self, Origin};
use crate::press::{Pressing, refuse, show_answer};
use crate::question::Question;
use crate::{privacy, settings};

/// Who acted where, and how to answer.
pub struct Caller {
    /// Where.
    pub place: Place,
    /// Who.
    pub person: Person,
    /// Language of the sentences.
    pub locale: Locale,
    /// The interaction's token.
    pub token: String,
}

impl Caller {
    /// Answers with what was deferred, or changes the message of the button.
    pub async fn answer(&self, adapter: &Adapter, show: Show) -> Option<MessageId> {
        match adapter.api.answer(&self.token, show).await {
            Ok(id) => Some(MessageId(id.to_string())),
            Err(error) => {
                tracing::warn!(kind = error.name(), code = error.code(), "an answer was not sent");
                None
            }
        }
    }

    /// Says something beside, to this person alone.
    pub async fn whisper(&self, adapter: &Adapter, show: Show) {
        if let Err(error) = adapter.api.follow_up(&self.token, Show { is_ephemeral: true, ..show }).await {
            tracing::warn!(kind = error.name(), code = error.code(), "a follow-up was not sent");
        }
    }
}

/// A command or button was used.
pub async fn on_interaction(adapter: Arc<Adapter>, interaction: Interaction) {
    // Told again after a resume, it is acknowledged already, and a second time is an error.
    if adapter.handled.put(&format!("i:{}", interaction.id()), ()).is_some() {
        return;
    }
    let Some(_working) = adapter.begin() else { return };
    match interaction {
        Interaction::Command(command) => on_command(&adapter, &command).await,
        Interaction::Component(component) => on_component(&adapter, &component).await,
        _ => {}
    }
}

async fn on_command(adapter: &Adapter, command: &CommandInteraction) {
    let is_question = [SONGS, SUGGEST].contains(&command.data.name.as_str());
    let defer = if is_question { Defer::Public } else { Defer::Ephemeral };
    if let Err(error) = adapter.api.defer(command.id, &command.token, defer).await {
        tracing::warn!(kind = error.name(), code = error.code(), "a command was not acknowledged");
        return;
    }
    let permissions = command.member.as_ref().and_then(|member| member.permissions);
    let person = adapter::person(command.user.id, Some(&command.locale), is_manager(permissions));
    let is_group = command.context == Some(InteractionContext::PrivateChannel);
    let place = adapter::place(command.guild_id, command.channel_id, command.user.id, is_group);
    let locale = adapter.bot.locale(&place, &person).await;
    let caller = Caller { place, person, locale, token: command.token.clone() };
    match command.data.name.as_str() {
        SONGS | SUGGEST => on_question(adapter, command, caller).await,
        SETTINGS => settings::on_command(adapter, command, caller).await,
        PRIVACY => privacy::on_command(adapter, caller).await,
        ABOUT => {
            let text = locale.tell("about", &[("version", Value::Text(&adapter.config.version))]);
            caller.answer(adapter, Show::text(text)).await;
        }
        _ => {
            caller.answer(adapter, Show::text(locale.say("too-old"))).await;
        }
    }
}

fn is_manager(permissions: Option<Permissions>) -> bool {
    permissions.is_some_and(|held| held.intersects(Permissions::MANAGE_GUILD | Permissions::ADMINISTRATOR))
}

/// Text of an option.
pub fn text_option(command: &CommandInteraction, name: &str) -> Option<String> {
    let option = command.data.options.iter().find(|option| option.name == name)?;
    match &option.value {
        CommandDataOptionValue::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// `/songs`, or the command of a message's menu.
async fn on_question(adapter: &Adapter, command: &CommandInteraction, caller: Caller) {
    let key = format!("i:{}", command.id);
    let receipt = Receipt {
        platform: Platform::Discord,
        key: key.clone(),
        note: format!("i {} {}", command.token, caller.locale.code()),
    };
    // It is new, for no interaction is told twice over a restart; what matters is that it is closed below.
    drop(adapter.bot.receive(receipt).await);
    adapter.health.count("request", if command.data.name == SONGS { "slash" } else { "menu" });
    let target = command.data.resolved.messages.values().next();
    let links = match target {
        Some(message) => photos::links(photos::of_message(message)),
        None => photos::links(&command.data.resolved.attachments.values().cloned().collect::<Vec<_>>()),
    };
    let source = target.map(|message| (message.channel_id, message.id));
    if links.is_empty() {
        let has_files = target.is_none_or(|message| !photos::of_message(message).is_empty());
        let text = caller.locale.say(if has_files { "not-a-photo" } else { "no-photo" });
        caller.answer(adapter, Show::text(text)).await;
    } else {
        let question = Question {
            place: caller.place.clone(),
            person: caller.person.clone(),
            trigger: Trigger::Asked,
            links,
            hint: text_option(command, "hint").unwrap_or_default(),
            language: text_option(command, "language"),
            mood: text_option(command, "mood"),
            origin: Origin { source, key: key.clone() },
        };
        let answered = match adapter.bot.admit(&caller.place, &caller.person, Trigger::Asked).await {
            Ok(()) => adapter.ask(question).await,
            Err(refusal) => Err(refusal),
        };
        match answered {
            Ok((answer, is_spoiler)) => show_answer(adapter, &caller, &answer, is_spoiler, false).await,
            Err(refusal) => refuse(adapter, &caller, &refusal).await,
        }
    }
    adapter.bot.close(Platform::Discord, &key).await;
}

async fn on_component(adapter: &Adapter, component: &ComponentInteraction) {
    let id = component.data.custom_id.as_str();
    let payload: Option<Payload> = id.parse().ok();
    let is_panel = id.starts_with(settings::PREFIX) || id.starts_with(privacy::PREFIX);
    let defer = match payload.map(|payload| payload.verb) {
        Some(Verb::More) => Defer::Public,
        Some(Verb::Delete) => Defer::Update,
        None if is_panel => Defer::Update,
        _ => Defer::Ephemeral,
    };
    if let Err(error) = adapter.api.defer(component.id, &component.token, defer).await {
        tracing::warn!(kind = error.name(), code = error.code(), "a button was not acknowledged");
        return;
    }
    let permissions = component.member.as_ref().and_then(|member| member.permissions);
    let person = adapter::person(component.user.id, Some(&component.locale), is_manager(permissions));
    let is_group = component.context == Some(InteractionContext::PrivateChannel);
    let place = adapter::place(component.guild_id, component.channel_id, component.user.id, is_group);
    let locale = adapter.bot.locale(&place, &person).await;
    let caller = Caller { place, person, locale, token: component.token.clone() };
    match payload {
        Some(payload) => Pressing::new(component, caller, payload).take(adapter).await,
        None if id.starts_with(settings::PREFIX) => settings::on_component(adapter, component, caller).await,
        None if id.starts_with(privacy::PREFIX) => privacy::on_component(adapter, component, caller).await,
        None => refuse(adapter, &caller, &Refusal::TooOld).await,
    }
}
