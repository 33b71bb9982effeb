//! Commands and buttons. The acknowledgement is the first thing that happens: Discord gives three seconds for it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use image2song_contract::answer::{Answer, Pressed, Refusal, Vote, Why};
use image2song_contract::ask::{Press, Receipt, Trigger};
use image2song_contract::locale::{Locale, Value};
use image2song_contract::payload::{Payload, Verb};
use image2song_contract::phrasing;
use image2song_contract::place::{MessageId, Person, Place, Platform};
use image2song_contract::settings::Level;
use serenity::builder::CreateAttachment;
use serenity::model::Permissions;
use serenity::model::application::{
    CommandDataOptionValue, CommandInteraction, ComponentInteraction, Interaction, InteractionContext,
};
use serenity::model::channel::Message;

use crate::adapter::{self, Adapter};
use crate::answer;
use crate::api::{Defer, Show};
use crate::commands::{ABOUT, PRIVACY, SETTINGS, SONGS, SUGGEST};
use crate::photos::{self, Origin};
use crate::question::Question;
use crate::{privacy, settings};

/// Most characters of a text message.
const MAX_TEXT: usize = 2000;
/// Most characters of an alternative text.
const MAX_ALT: usize = 1024;

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
    let receipt = Receipt { platform: Platform::Discord, key: key.clone(), note: format!("i {}", command.token) };
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

async fn show_answer(adapter: &Adapter, caller: &Caller, answer: &Answer, is_spoiler: bool, is_more: bool) {
    let shown = answer::show(answer, adapter.bot.intake(), is_spoiler, is_more);
    if let Some(id) = caller.answer(adapter, shown).await {
        adapter.bot.posted(Platform::Discord, answer.slate, id).await;
    }
}

async fn refuse(adapter: &Adapter, caller: &Caller, refusal: &Refusal) {
    caller.answer(adapter, Show::text(adapter.say(refusal, caller.locale))).await;
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
        Some(payload) => on_press(adapter, component, caller, payload).await,
        None if id.starts_with(settings::PREFIX) => settings::on_component(adapter, component, caller).await,
        None if id.starts_with(privacy::PREFIX) => privacy::on_component(adapter, component, caller).await,
        None => refuse(adapter, &caller, &Refusal::TooOld).await,
    }
}

async fn on_press(adapter: &Adapter, component: &ComponentInteraction, caller: Caller, payload: Payload) {
    adapter.health.count("request", "button");
    let born = u64::try_from(component.id.created_at().unix_timestamp()).unwrap_or_default();
    let pressed = adapter.bot.press(Press {
        place: caller.place.clone(),
        person: caller.person.clone(),
        payload,
        key: format!("i:{}", component.id),
        at: UNIX_EPOCH.checked_add(Duration::from_secs(born)).unwrap_or_else(SystemTime::now),
    });
    match pressed.await {
        Ok(Pressed::Voted { vote, level }) => {
            caller.answer(adapter, Show::text(caller.locale.say(thanks(vote, level)))).await;
        }
        Ok(Pressed::More(answer)) => {
            show_answer(adapter, &caller, &answer, is_hidden(&component.message), true).await;
        }
        Ok(Pressed::Why) => explain(adapter, component, &caller, payload).await,
        Ok(Pressed::Delete) => {
            if let Err(error) = adapter.api.take_back(&component.token).await {
                tracing::warn!(kind = error.name(), code = error.code(), "an answer was not taken away");
            }
        }
        // The button's own message stays; what is said stands beside it.
        Err(refusal) if payload.verb == Verb::Delete => {
            let text = match refusal {
                Refusal::NotAllowed => caller.locale.say("not-yours"),
                refusal => adapter.say(&refusal, caller.locale),
            };
            caller.whisper(adapter, Show::text(text)).await;
        }
        Err(refusal) => refuse(adapter, &caller, &refusal).await,
    }
}

fn thanks(vote: Vote, level: Level) -> &'static str {
    match (vote, level) {
        (Vote::None, _) => "voted-none",
        (_, Level::Off) => "voted-off",
        (Vote::Up, _) => "voted-up",
        (Vote::Down, _) => "voted-down",
    }
}

/// Whether an answer hides what the photo shows.
fn is_hidden(message: &Message) -> bool {
    message.embeds.first().and_then(|embed| embed.description.as_deref()).is_some_and(|text| text.starts_with("||"))
}

/// The explanation picture, to the asker alone; in words where the photo cannot be had any more.
async fn explain(adapter: &Adapter, component: &ComponentInteraction, caller: &Caller, payload: Payload) {
    let first = adapter.bot.why(payload.slate, Vec::new()).await;
    let explained = match first {
        Ok(Why::PhotoNeeded { origin }) => {
            let photos = adapter.load_again(&origin).await;
            if photos.is_empty() {
                Ok(Why::PhotoNeeded { origin })
            } else {
                adapter.bot.why(payload.slate, photos).await
            }
        }
        explained => explained,
    };
    match explained {
        Ok(Why::Picture { png, alt_text }) => {
            let alt = phrasing::cut(&alt_text, MAX_ALT);
            let file = CreateAttachment::bytes(png.to_vec(), "why.png").description(alt);
            let text = caller.locale.say("why-text");
            caller.answer(adapter, Show { file: Some(file), ..Show::text(text) }).await;
        }
        Ok(Why::PhotoNeeded { .. }) => {
            let reasons = reasons(&component.message);
            let text = caller.locale.tell("why-gone", &[("reasons", Value::Text(&reasons))]);
            caller.answer(adapter, Show::text(phrasing::cut(&text, MAX_TEXT))).await;
        }
        Err(refusal) => refuse(adapter, caller, &refusal).await,
    }
}

/// The reasons as they stand in an answer: the second line of each song, which is escaped already.
fn reasons(message: &Message) -> String {
    let fields = message.embeds.iter().flat_map(|embed| &embed.fields);
    let lines = fields.filter_map(|field| field.value.lines().nth(1).filter(|line| line.contains('→')));
    lines.collect::<Vec<_>>().join("; ")
}
