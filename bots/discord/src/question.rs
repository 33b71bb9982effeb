//! Questions in messages: recognised, journaled, answered by one reply.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use image2song_contract::answer::{Answer, Refusal};
use image2song_contract::ask::{Ask, Receipt, Trigger};
use image2song_contract::bot::Received;
use image2song_contract::locale::{Locale, Value};
use image2song_contract::phrasing;
use image2song_contract::place::{self, Person, Place, Platform};
use image2song_contract::supervise::caught;
use serenity::model::channel::{Message, MessageReferenceKind, MessageType};
use serenity::model::id::{ChannelId, GuildId, MessageId, UserId};

use crate::adapter::{self, Adapter};
use crate::answer;
use crate::api::Show;
use crate::photos::{self, Link, Origin};
use crate::press::Pressing;
use crate::typing::Typing;

/// Most characters of the words beside a photo.
const MAX_HINT: usize = 300;

/// A question, however it was asked.
pub struct Question {
    /// Where.
    pub place: Place,
    /// By whom.
    pub person: Person,
    /// Whether somebody asked.
    pub trigger: Trigger,
    /// Its photos.
    pub links: Vec<Link>,
    /// Words beside them.
    pub hint: String,
    /// Language of the songs, if chosen.
    pub language: Option<String>,
    /// Mood, if chosen.
    pub mood: Option<String>,
    /// How to find the photos again.
    pub origin: Origin,
}

impl Adapter {
    /// Downloads, asks the core, and adds what the core cannot know of photos that did not arrive. Whether a photo was
    /// hidden comes with the answer.
    pub async fn ask(&self, question: Question) -> Result<(Answer, bool), Refusal> {
        let loaded = self.load(&question.links, question.origin.source).await;
        if let Some(fault) = loaded.fault() {
            return Err(Refusal::BadPhoto(fault));
        }
        self.links.put(&question.origin.key, question.links);
        let ask = Ask {
            place: question.place,
            person: question.person,
            photos: loaded.photos,
            hint: question.hint,
            language: question.language,
            mood: question.mood,
            trigger: question.trigger,
            origin: question.origin.text(),
        };
        let answered = match caught(self.bot.suggest(ask)).await {
            Some(answered) => answered,
            None => {
                self.health.panicked();
                Err(self.internal("the core panicked"))
            }
        };
        let mut answer = answered?;
        answer.sights.extend(loaded.faults);
        answer.n_left_out = answer.n_left_out.max(loaded.n_left_out);
        Ok((answer, loaded.is_spoiler))
    }
}

/// A message was written.
pub async fn on_message(adapter: Arc<Adapter>, message: Message) {
    if !is_person(&adapter, &message) || adapter.handled.get(&key(message.id)).is_some() {
        return;
    }
    let Some(trigger) = trigger(&adapter, &message).await else { return };
    // Told again after a resume, it is the same question.
    if adapter.handled.put(&key(message.id), ()).is_some() {
        return;
    }
    let Some(_working) = adapter.begin() else { return };
    let guild = message.guild_id.map_or(0, |guild| guild.get());
    let note = format!("m {} {} {guild} {}", message.channel_id, message.id, message.author.id);
    let receipt = Receipt { platform: Platform::Discord, key: key(message.id), note };
    if adapter.bot.receive(receipt).await == Ok(Received::Again) {
        return;
    }
    answer_message(&adapter, &message, trigger).await;
}

/// Key under which a message is known to be handled.
fn key(message: MessageId) -> String {
    format!("m:{message}")
}

/// Whether a person wrote it: no bot, no webhook, nobody but a writer, not the bot itself.
fn is_person(adapter: &Adapter, message: &Message) -> bool {
    let is_writing = matches!(message.kind, MessageType::Regular | MessageType::InlineReply);
    is_writing && !message.author.bot && message.webhook_id.is_none() && !adapter.is_me(message.author.id)
}

fn place(message: &Message) -> Place {
    adapter::place(message.guild_id, message.channel_id, message.author.id, false)
}

/// Whether the message is for the bot.
async fn trigger(adapter: &Adapter, message: &Message) -> Option<Trigger> {
    let has_photo = !photos::links(photos::of_message(message)).is_empty();
    let mentions = adapter.mentions();
    let is_named = mentions.iter().any(|mention| message.content.contains(mention));
    // A reply to an answer of the bot names it too, but is small talk unless it brings a photo.
    let is_pinged = message.mentions.iter().any(|user| adapter.is_me(user.id)) && has_photo;
    if message.guild_id.is_none() || is_named || is_pinged {
        return Some(Trigger::Asked);
    }
    let guild = message.guild_id?;
    if !message.mention_roles.is_empty() {
        let own = adapter.own_role(guild).await;
        if own.is_some_and(|role| message.mention_roles.contains(&role)) {
            return Some(Trigger::Asked);
        }
    }
    if !has_photo || !adapter.reads_content.load(Ordering::Relaxed) {
        return None;
    }
    let place = place(message);
    let settings = adapter.bot.settings(&place).await;
    settings.automatic.contains(&place.channel).then_some(Trigger::Automatic)
}

/// Answers a message that is journaled, and closes it.
async fn answer_message(adapter: &Arc<Adapter>, message: &Message, trigger: Trigger) {
    let (place, person) = (place(message), adapter::person(message.author.id, None, false));
    adapter.health.count("request", if trigger == Trigger::Asked { "message" } else { "automatic" });
    if let Err(refusal) = adapter.bot.admit(&place, &person, trigger).await {
        // Where it is switched off it is silent to all but commands.
        if trigger == Trigger::Asked && refusal != Refusal::SwitchedOff {
            let locale = adapter.bot.locale(&place, &person).await;
            reply(adapter, message, Show::text(adapter.say(&refusal, locale))).await;
        }
    } else {
        let _typing = Typing::start(adapter.api.clone(), message.channel_id);
        answer_admitted(adapter, message, trigger, place, person).await;
    }
    adapter.bot.close(Platform::Discord, &key(message.id)).await;
}

async fn answer_admitted(adapter: &Arc<Adapter>, message: &Message, trigger: Trigger, place: Place, person: Person) {
    let locale = adapter.bot.locale(&place, &person).await;
    let (links, source, is_hidden) = find_photos(adapter, message).await;
    if links.is_empty() {
        let files = photos::of_message(message);
        let text = if is_hidden {
            let command = locale.say("command-suggest-songs");
            locale.tell("hidden-photo", &[("command", Value::Text(&command))])
        } else if files.is_empty() {
            locale.say("no-photo")
        } else {
            locale.say("not-a-photo")
        };
        reply(adapter, message, Show::text(text)).await;
        return;
    }
    let hint = if trigger == Trigger::Asked { hint(&message.content) } else { String::new() };
    let origin = Origin { source: Some((message.channel_id, source)), key: key(message.id) };
    let (language, mood) = (None, None);
    let question = Question { place, person, trigger, links, hint, language, mood, origin };
    match adapter.ask(question).await {
        Ok((answer, is_spoiler)) => {
            let shown = answer::show(&answer, adapter.bot.intake(), is_spoiler, false);
            if let Some(id) = reply(adapter, message, shown).await {
                adapter.bot.posted(Platform::Discord, answer.slate, place::MessageId(id.to_string())).await;
            }
        }
        // Nobody asked, so nobody waits for a reason.
        Err(_) if trigger == Trigger::Automatic => {}
        Err(refusal) => drop(reply(adapter, message, Show::text(adapter.say(&refusal, locale))).await),
    }
}

/// The photos of a message, or of the one that it answers; which message holds them; whether one may be hidden from us.
async fn find_photos(adapter: &Adapter, message: &Message) -> (Vec<Link>, MessageId, bool) {
    let own = photos::links(photos::of_message(message));
    let reference = message.message_reference.as_ref().filter(|it| it.kind == MessageReferenceKind::Default);
    let Some(answered) = reference.and_then(|reference| reference.message_id).filter(|_| own.is_empty()) else {
        return (own, message.id, false);
    };
    if let Some(told) = &message.referenced_message {
        let links = photos::links(photos::of_message(told));
        if !links.is_empty() {
            return (links, answered, false);
        }
    }
    match adapter.api.read(message.channel_id, answered).await {
        Ok(read) => {
            let links = photos::links(photos::of_message(&read));
            let is_blank = links.is_empty() && read.content.is_empty() && read.embeds.is_empty();
            (links, answered, is_blank && !read.author.bot)
        }
        // What may not be read may well hold a photo; what is gone does not.
        Err(error) => (own, answered, error.name() == "403"),
    }
}

async fn reply(adapter: &Adapter, message: &Message, show: Show) -> Option<MessageId> {
    match adapter.api.reply(message.channel_id, message.id, show).await {
        Ok(id) => Some(id),
        Err(error) => {
            tracing::warn!(kind = error.name(), code = error.code(), "a reply was not sent");
            None
        }
    }
}

/// The words of a message without mentions of anybody, channels, and servers' own emoji.
fn hint(content: &str) -> String {
    let mut plain = String::new();
    let mut rest = content;
    while let Some(start) = rest.find('<') {
        let (before, marked) = rest.split_at(start);
        plain.push_str(before);
        let is_mark = ["<@", "<#", "<:", "<a:", "</", "<t:"].iter().any(|open| marked.starts_with(open));
        match marked.find('>').filter(|_| is_mark) {
            Some(end) => rest = &marked[end + 1..],
            None => {
                plain.push('<');
                rest = &marked[1..];
            }
        }
    }
    plain.push_str(rest);
    let words: Vec<&str> = plain.split_whitespace().collect();
    phrasing::cut(&words.join(" "), MAX_HINT)
}

/// Answers what an earlier run left open, or apologises, once.
pub async fn answer_left_open(adapter: Arc<Adapter>) {
    for receipt in adapter.bot.left_open(Platform::Discord).await {
        let Some(_working) = adapter.begin() else { return };
        adapter.health.count("request", "left-open");
        match receipt.note.split(' ').collect::<Vec<_>>().as_slice() {
            ["m", ids @ ..] if ids.len() == 4 => {
                let id = |idx: usize| ids[idx].parse::<u64>().unwrap_or_default();
                answer_again(&adapter, [id(0).max(1), id(1).max(1)], id(2), id(3).max(1)).await;
            }
            ["i", token, locale] => {
                let text = Locale::of_tag(locale).unwrap_or_default().say("apology");
                // After a quarter of an hour nobody can answer it any more.
                let _ = adapter.api.answer(token, Show::text(text)).await;
            }
            _ => {
                if let Some(pressing) = Pressing::from_note(&receipt.note) {
                    pressing.answer(&adapter).await;
                }
            }
        }
        adapter.bot.close(Platform::Discord, &receipt.key).await;
    }
}

async fn answer_again(adapter: &Arc<Adapter>, [channel, message]: [u64; 2], guild: u64, user: u64) {
    let (channel, id) = (ChannelId::new(channel), MessageId::new(message));
    let guild = (guild > 0).then(|| GuildId::new(guild.max(1)));
    adapter.handled.put(&key(id), ());
    let read = adapter.api.read(channel, id).await;
    if let Ok(mut message) = read {
        message.guild_id = guild;
        if let Some(trigger) = trigger(adapter, &message).await {
            return answer_message(adapter, &message, trigger).await;
        }
    }
    let user = UserId::new(user);
    let (place, person) = (adapter::place(guild, channel, user, false), adapter::person(user, None, false));
    let text = adapter.bot.locale(&place, &person).await.say("apology");
    let _ = adapter.api.reply(channel, id, Show::text(text)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_remain_of_a_message() {
        assert_eq!(hint("<@123> rainy,  in French <@!4> <#5> <:wave:6> please"), "rainy, in French please");
        assert_eq!(hint("a < b <@1>"), "a < b");
        assert_eq!(hint("<@1"), "<@1");
        assert_eq!(hint(&"é".repeat(400)).chars().count(), MAX_HINT);
    }
}
