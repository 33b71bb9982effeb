//! Gateway sessions: what each was sent, so that a resume can be answered, and who is listening.

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::ids::{Channel, MessageId, User};
use super::message::{View, member_json};
use super::post::emoji;
use super::world::World;

/// Events of servers' messages.
pub const GUILD_MESSAGES: u64 = 1 << 9;
/// Reactions in servers.
pub const GUILD_REACTIONS: u64 = 1 << 10;
/// Events of direct messages.
pub const DIRECT_MESSAGES: u64 = 1 << 12;
/// Reactions in direct messages.
pub const DIRECT_REACTIONS: u64 = 1 << 13;
/// Content of messages that are not for the bot.
pub const MESSAGE_CONTENT: u64 = 1 << 15;
/// What this project's bot has to ask for: servers, messages and reactions in both.
pub const REQUIRED: u64 = 1 | GUILD_MESSAGES | GUILD_REACTIONS | DIRECT_MESSAGES | DIRECT_REACTIONS;

/// What goes out over a connection.
#[derive(Debug, Clone)]
pub enum Frame {
    /// A payload.
    Json(Value),
    /// The end, with a code or without.
    Close(Option<u16>),
    /// The connection breaks.
    Cut,
}

/// A session.
pub struct Session {
    /// What it asked to hear.
    pub intents: u64,
    /// Which connection it is, of how many.
    pub shard: (u64, u64),
    /// Dispatches so far; the number of the first is 1.
    pub log: Vec<Value>,
    /// The connection, while there is one.
    pub outlet: Option<UnboundedSender<Frame>>,
}

impl Session {
    /// Whether an event is for this connection: servers are spread by their ids, all else is told to the first.
    fn is_told(&self, name: &str, data: &Value) -> bool {
        let key = if name.starts_with("GUILD_") { "id" } else { "guild_id" };
        let guild: u64 = data[key].as_str().and_then(|guild| guild.parse().ok()).unwrap_or_default();
        (guild >> 22) % self.shard.1 == self.shard.0
    }

    /// Adds an event and sends it, where somebody listens.
    pub fn dispatch(&mut self, name: &str, data: Value) {
        let payload = json!({ "op": 0, "s": self.log.len() + 1, "t": name, "d": data });
        self.log.push(payload.clone());
        if let Some(outlet) = &self.outlet {
            // A listener that is gone hears of it when it resumes.
            let _ = outlet.send(Frame::Json(payload));
        }
    }
}

impl World {
    /// Sends an event to all sessions, as each may see it.
    pub fn emit(&mut self, name: &str, data: impl Fn(&World, u64) -> Option<Value>) {
        let mut sessions = std::mem::take(&mut self.sessions);
        for session in sessions.values_mut() {
            if let Some(data) = data(self, session.intents)
                && session.is_told(name, &data)
            {
                session.dispatch(name, data);
            }
        }
        self.sessions = sessions;
    }

    /// The intent under which something in a channel is heard.
    fn heard_with(&self, channel: Channel, in_guild: u64, direct: u64) -> u64 {
        match self.place(channel) {
            Some(place) if place.guild.is_some() && place.has_bot => in_guild,
            Some(place) if place.guild.is_none() => direct,
            // Where the bot is no member it hears nothing.
            _ => 0,
        }
    }

    /// Tells that a message was written or changed.
    pub fn announce_message(&mut self, name: &str, id: MessageId) {
        let (channel, is_ephemeral) = (self.messages[&id].channel, self.messages[&id].is_ephemeral);
        let wanted = self.heard_with(channel, GUILD_MESSAGES, DIRECT_MESSAGES);
        if is_ephemeral {
            return;
        }
        self.emit(name, |world, intents| {
            let view = View { has_content: intents & MESSAGE_CONTENT != 0, is_event: true };
            (intents & wanted != 0).then(|| world.message_json(id, view))
        });
    }

    /// Tells that a message is gone.
    pub fn announce_deleted(&mut self, id: MessageId) {
        let channel = self.messages[&id].channel;
        let guild = self.place(channel).and_then(|place| place.guild).map(|guild| guild.to_string());
        let wanted = self.heard_with(channel, GUILD_MESSAGES, DIRECT_MESSAGES);
        let data = json!({ "id": id, "channel_id": channel, "guild_id": guild });
        self.emit("MESSAGE_DELETE", |_, intents| (intents & wanted != 0).then(|| data.clone()));
    }

    /// Tells that somebody reacted, or took a reaction back.
    pub fn announce_reaction(&mut self, id: MessageId, user: User, name: &str, is_added: bool) {
        let stored = &self.messages[&id];
        let (channel, author) = (stored.channel, stored.author);
        let guild = self.place(channel).and_then(|place| place.guild).map(|guild| guild.to_string());
        let wanted = self.heard_with(channel, GUILD_REACTIONS, DIRECT_REACTIONS);
        let mut data = json!({
            "user_id": user, "channel_id": channel, "message_id": id, "emoji": emoji(name), "burst": false, "type": 0
        });
        if let Some(guild) = &guild {
            data["guild_id"] = json!(guild);
        }
        if is_added {
            data["message_author_id"] = author.into();
            data["burst_colors"] = json!([]);
            if guild.is_some() {
                data["member"] = member_json(Some(self.user_json(user)), 0);
                data["member"].as_object_mut().map(|member| member.remove("permissions"));
            }
        }
        let event = if is_added { "MESSAGE_REACTION_ADD" } else { "MESSAGE_REACTION_REMOVE" };
        self.emit(event, |_, intents| (intents & wanted != 0).then(|| data.clone()));
    }

    /// The first event of a session.
    pub fn ready_json(&self, session_id: &str, shard: Value) -> Value {
        // The flags tell whether the content intent may be asked for by an application that is not verified.
        let flags = if self.options.has_message_content { 1 << 19 } else { 0 };
        let mut user = self.user_json(self.bot);
        for (key, value) in [("verified", json!(true)), ("mfa_enabled", json!(true)), ("email", Value::Null)] {
            user[key] = value;
        }
        json!({
            "v": 10, "user": user, "session_id": session_id, "resume_gateway_url": self.urls.gateway,
            "guilds": [{ "id": self.guild.to_string(), "unavailable": true }], "shard": shard,
            "application": { "id": self.application.to_string(), "flags": flags }
        })
    }
}
