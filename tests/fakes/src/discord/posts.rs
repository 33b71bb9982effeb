//! Messages of the bot in channels: writing, changing, taking back, reactions.

use serde_json::{Value, json};

use super::body::{self, Body, Kind};
use super::ids::{Channel, MessageId};
use super::message::{Attached, Stored, View};
use super::post::Photo;
use super::record::Act;
use super::refusal::Refusal;
use super::world::{ATTACH, EMBED, HISTORY, Place, REACT, SEND, VIEW, World};

/// Whole, as answers to the bot's own requests are.
const WHOLE: View = View { has_content: true, is_event: false };

impl World {
    /// The channel, when the bot may do something in it.
    ///
    /// # Errors
    /// 10003 unknown, 50001 not visible, 50013 without the right, 50007 closed direct messages.
    pub fn allowed(&self, channel: Channel, right: u64) -> Result<Place, Refusal> {
        let place = self.place(channel).ok_or_else(|| Refusal::new(404, 10_003, "Unknown Channel"))?;
        if place.is_closed {
            return Err(Refusal::new(403, 50_007, "Cannot send messages to this user"));
        }
        if place.guild.is_some() && (!place.has_bot || place.rights & VIEW == 0) {
            return Err(Refusal::missing_access());
        }
        if place.guild.is_some() && place.rights & right != right {
            return Err(Refusal::missing_permissions());
        }
        Ok(place)
    }

    /// A message to a channel.
    ///
    /// # Errors
    /// As [`World::allowed`], for a wrong body, for a reply without the right to read back or to what is gone.
    pub fn post(&mut self, channel: Channel, body: &Body) -> Result<Value, Refusal> {
        let place = self.allowed(channel, SEND)?;
        body::check(Kind::Post, body, &mut self.violations)?;
        if !body.uploads.is_empty() {
            self.allowed(channel, ATTACH)?;
        }
        let nonce = body.json.get("nonce").filter(|nonce| !nonce.is_null()).map(Value::to_string);
        if body.json["enforce_nonce"] == json!(true)
            && let Some((id, _)) = self.messages.iter().find(|(_, stored)| nonce.is_some() && stored.nonce == nonce)
        {
            return Ok(self.message_json(*id, WHOLE));
        }
        let reply_to = self.reply_target(place, &body.json)?;
        let mut stored = Stored::new(channel, self.bot);
        stored.reply_to = reply_to.map(|to| (to, false));
        stored.nonce = nonce;
        let id = MessageId(self.ids.next_id());
        self.messages.insert(id, stored);
        self.apply(id, body);
        if place.guild.is_some() && place.rights & EMBED == 0 {
            self.messages.get_mut(&id).expect("written above").embeds.clear();
        }
        self.show_new(id);
        Ok(self.message_json(id, WHOLE))
    }

    fn reply_target(&self, place: Place, json: &Value) -> Result<Option<MessageId>, Refusal> {
        let reference = &json["message_reference"];
        let Some(to) = reference["message_id"].as_str().and_then(|id| id.parse().ok()).map(MessageId) else {
            return Ok(None);
        };
        if place.guild.is_some() && place.rights & HISTORY == 0 {
            return Err(Refusal::new(400, 160_002, "Cannot reply without permission to read message history"));
        }
        let is_there = self.messages.get(&to).is_some_and(|stored| !stored.is_deleted);
        if !is_there && reference["fail_if_not_exists"] != json!(false) {
            return Err(Refusal::form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message"));
        }
        Ok(is_there.then_some(to))
    }

    /// A message in a channel that the bot itself wrote and may change.
    ///
    /// # Errors
    /// As [`World::allowed`]; 10008 when it is gone or for one person only; 50005 when it is another's.
    pub fn own_message(&mut self, channel: Channel, message: MessageId) -> Result<MessageId, Refusal> {
        self.allowed(channel, 0)?;
        let stored = self.messages.get(&message).filter(|it| it.channel == channel && !it.is_deleted);
        match stored {
            None => Err(Refusal::unknown_message()),
            Some(stored) if stored.is_ephemeral => {
                self.violations.push("an ephemeral answer was addressed through its channel".to_owned());
                Err(Refusal::unknown_message())
            }
            Some(stored) if stored.author != self.bot => {
                Err(Refusal::new(403, 50_005, "Cannot edit a message authored by another user"))
            }
            Some(_) => Ok(message),
        }
    }

    /// Changes an own message.
    ///
    /// # Errors
    /// As [`World::own_message`], and for a wrong body.
    pub fn edit(&mut self, channel: Channel, message: MessageId, body: &Body) -> Result<Value, Refusal> {
        let message = self.own_message(channel, message)?;
        body::check(Kind::Edit, body, &mut self.violations)?;
        self.apply(message, body);
        self.show_change(message);
        Ok(self.message_json(message, WHOLE))
    }

    /// Takes an own message back.
    ///
    /// # Errors
    /// As [`World::own_message`].
    pub fn delete(&mut self, channel: Channel, message: MessageId) -> Result<(), Refusal> {
        let message = self.own_message(channel, message)?;
        self.remove(message);
        Ok(())
    }

    /// A message read again, with fresh links.
    ///
    /// # Errors
    /// As [`World::allowed`] with the right to read back; 10008 when it is gone.
    pub fn read(&self, channel: Channel, message: MessageId) -> Result<Value, Refusal> {
        self.allowed(channel, HISTORY)?;
        let found =
            self.messages.get(&message).filter(|it| it.channel == channel && !it.is_deleted && !it.is_ephemeral);
        found.ok_or_else(Refusal::unknown_message)?;
        let view = View { has_content: self.options.has_message_content, is_event: false };
        Ok(self.message_json(message, view))
    }

    /// Adds an own reaction.
    ///
    /// # Errors
    /// As [`World::allowed`]; 10008 when the message is gone.
    pub fn react(&mut self, channel: Channel, message: MessageId, emoji: String) -> Result<(), Refusal> {
        self.allowed(channel, REACT | HISTORY)?;
        if self.messages.get(&message).is_none_or(|stored| stored.channel != channel || stored.is_deleted) {
            return Err(Refusal::unknown_message());
        }
        self.announce_reaction(message, self.bot, &emoji, true);
        self.note(Act::Reacted { message, emoji });
        Ok(())
    }

    /// Puts the content of a body into a message; what the body does not name stays.
    pub fn apply(&mut self, id: MessageId, body: &Body) {
        let channel = self.messages[&id].channel;
        let listed = body.json["attachments"].as_array().cloned();
        let mut files: Vec<Attached> = self.messages[&id].files.clone();
        if let Some(listed) = &listed {
            files.retain(|file| listed.iter().any(|item| is_id(&item["id"], &file.id.to_string())));
        }
        for upload in &body.uploads {
            let item = listed.iter().flatten().find(|item| is_id(&item["id"], &upload.index));
            let alt = item.and_then(|item| item["description"].as_str()).map(str::to_owned);
            let is_png = upload.bytes.starts_with(b"\x89PNG");
            let photo = Photo::file(
                &upload.name,
                upload.bytes.clone(),
                if is_png { "image/png" } else { "image/jpeg" },
                Some((640, 480)),
            );
            files.push(self.attach(channel, photo, alt));
        }
        let stored = self.messages.get_mut(&id).expect("callers name messages that are there");
        stored.files = files;
        if let Some(text) = body.json.get("content") {
            stored.text = text.as_str().unwrap_or_default().to_owned();
        }
        if let Some(embeds) = body.json.get("embeds") {
            stored.embeds = embeds.as_array().cloned().unwrap_or_default();
        }
        if let Some(components) = body.json.get("components") {
            stored.components = components.as_array().cloned().unwrap_or_default();
        }
    }

    /// Tells that a message of the bot is new: it comes back to the bot as an event, like everybody's.
    pub fn show_new(&mut self, id: MessageId) {
        self.note(Act::Posted(id));
        self.announce_message("MESSAGE_CREATE", id);
    }

    /// Tells that a message of the bot has changed.
    pub fn show_change(&mut self, id: MessageId) {
        self.messages.get_mut(&id).expect("callers name messages that are there").n_edits += 1;
        self.note(Act::Edited(id));
        self.announce_message("MESSAGE_UPDATE", id);
    }

    /// Takes a message of the bot away.
    pub fn remove(&mut self, id: MessageId) {
        self.messages.get_mut(&id).expect("callers name messages that are there").is_deleted = true;
        self.note(Act::Deleted(id));
        self.announce_deleted(id);
    }
}

fn is_id(value: &Value, id: &str) -> bool {
    value.to_string().trim_matches('"') == id
}
