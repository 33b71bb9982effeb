//! Reactions under answers.

use std::sync::Arc;
use std::time::SystemTime;

use image2song_contract::ask::{self, Sign};
use image2song_contract::place;
use serenity::model::channel::{Reaction, ReactionType};
use serenity::model::id::{ChannelId, GuildId, MessageId, UserId};

use crate::adapter::{self, Adapter};

/// The message that has the reactions.
#[derive(Debug, Clone, Copy)]
pub struct Under {
    /// Its server.
    pub guild: Option<GuildId>,
    /// Its channel.
    pub channel: ChannelId,
    /// Its id.
    pub message: MessageId,
}

/// A reaction was put or taken away.
pub async fn on_reaction(adapter: Arc<Adapter>, reaction: Reaction, is_added: bool) {
    let Some(user) = reaction.user_id.filter(|user| !adapter.is_me(*user)) else { return };
    let is_bot = reaction.member.as_ref().is_some_and(|member| member.user.bot);
    // Told only when a reaction is put; the core knows which messages are answers.
    let is_foreign = reaction.message_author_id.is_some_and(|author| !adapter.is_me(author));
    let ReactionType::Unicode(emoji) = &reaction.emoji else { return };
    if is_bot || is_foreign {
        return;
    }
    let Some(_working) = adapter.begin() else { return };
    let under = Under { guild: reaction.guild_id, channel: reaction.channel_id, message: reaction.message_id };
    change(&adapter, under, user, emoji, is_added).await;
}

/// Somebody who may do so took away all reactions under a message, or all with one emoji. Whose they were is not told, so
/// those go that this process saw.
pub async fn on_cleared(adapter: Arc<Adapter>, under: Under, emoji: Option<ReactionType>) {
    let Some(_working) = adapter.begin() else { return };
    let start = format!("{}:", under.message);
    for (what, (is_added, _)) in adapter.reactions.starting_with(&start) {
        let Some((user, own)) = what[start.len()..].split_once(':') else { continue };
        let is_meant = match &emoji {
            None => true,
            Some(ReactionType::Unicode(emoji)) => emoji == own,
            Some(_) => false,
        };
        if let Some(user) = user.parse().ok().filter(|_| is_added && is_meant) {
            change(&adapter, under, user, own, false).await;
        }
    }
}

async fn change(adapter: &Adapter, under: Under, user: UserId, emoji: &str, is_added: bool) {
    let Some(sign) = Sign::of_emoji(emoji) else { return };
    let Some(key) = change_key(adapter, &format!("{}:{user}:{emoji}", under.message), is_added) else { return };
    adapter.health.count("request", "reaction");
    let told = adapter.bot.react(ask::Reaction {
        place: adapter::place(under.guild, under.channel, user, false),
        person: adapter::person(user, None, false),
        message: place::MessageId(under.message.to_string()),
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
