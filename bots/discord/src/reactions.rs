//! Reactions under answers.

use std::sync::Arc;
use std::time::SystemTime;

use image2song_contract::ask::{self, Sign};
use image2song_contract::place::MessageId;
use serenity::model::channel::{Reaction, ReactionType};

use crate::adapter::{self, Adapter};

/// A reaction was put or taken away.
pub async fn on_reaction(adapter: Arc<Adapter>, reaction: Reaction, is_added: bool) {
    let Some(user) = reaction.user_id.filter(|user| !adapter.is_me(*user)) else { return };
    let is_bot = reaction.member.as_ref().is_some_and(|member| member.user.bot);
    // Told only when a reaction is put; the core knows which messages are answers.
    let is_foreign = reaction.message_author_id.is_some_and(|author| !adapter.is_me(author));
    let ReactionType::Unicode(emoji) = &reaction.emoji else { return };
    let Some(sign) = Sign::of_emoji(emoji).filter(|_| !is_bot && !is_foreign) else { return };
    let Some(_working) = adapter.begin() else { return };
    let Some(key) = change_key(&adapter, &format!("{}:{user}:{emoji}", reaction.message_id), is_added) else { return };
    adapter.health.count("request", "reaction");
    let told = adapter.bot.react(ask::Reaction {
        place: adapter::place(reaction.guild_id, reaction.channel_id, user, false),
        person: adapter::person(user, None, false),
        message: MessageId(reaction.message_id.to_string()),
        sign,
        is_added,
        key,
        at: SystemTime::now(),
    });
    if let Err(refusal) = told.await {
        adapter.health.count("error", refusal.name());
    }
}

/// A key for this change. Discord gives none, and a resume tells changes again: one that changes nothing has no key.
fn change_key(adapter: &Adapter, what: &str, is_added: bool) -> Option<String> {
    let n = match adapter.reactions.get(what) {
        Some((was_added, _)) if was_added == is_added => return None,
        Some((_, n)) => n + 1,
        None => 0,
    };
    adapter.reactions.put(what, (is_added, n));
    // The minute keeps the counts of two runs apart; within one run the number does.
    let minute = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() / 60);
    Some(format!("r:{what}:{is_added}:{n}:{minute}"))
}
