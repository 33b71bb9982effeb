//! Interactions: uses of commands and presses of buttons, as the gateway tells them.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::ids::{Channel, InteractionId, MessageId, User};
use super::message::{View, member_json};
use super::post::Slash;
use super::world::World;

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// A slash or message command.
    Command,
    /// A button or menu under this message.
    Component(MessageId),
}

/// An interaction and how far its answer has come.
#[derive(Debug, Clone)]
pub struct Interaction {
    /// The secret with which it is answered.
    pub token: String,
    /// When it was sent.
    pub born: Instant,
    /// What was used.
    pub used: Used,
    /// Where.
    pub channel: Channel,
    /// Type of the first answer, once there is one.
    pub acknowledged: Option<u64>,
    /// Whether the first answer is for one person only.
    pub is_ephemeral: bool,
    /// The message that `@original` means.
    pub original: Option<MessageId>,
    /// Follow-ups so far.
    pub n_follow_ups: usize,
    /// Whether its late acknowledgement was complained of.
    pub is_complained: bool,
}

impl World {
    /// Somebody uses a slash command.
    ///
    /// # Panics
    /// When the command is not registered with such options: the script asks what no client offers.
    pub fn use_slash(&mut self, channel: Channel, user: User, slash: Slash) -> InteractionId {
        let command = self.command(&slash.name, 1);
        let registered = command["options"].as_array().cloned().unwrap_or_default();
        let mut options = Vec::new();
        let mut resolved = Map::new();
        for (name, photo) in slash.photos {
            let file = self.attach(channel, photo, None);
            resolved.insert(file.id.to_string(), self.attachment_json(&file));
            options.push(json!({ "name": name, "type": 11, "value": file.id.to_string() }));
        }
        for (name, value) in slash.values {
            let kind = match (&value, registered.iter().find(|option| option["name"] == json!(name))) {
                (_, Some(option)) => option["type"].clone(),
                (value, None) => panic!("/{} has no option {name} (for {value})", slash.name),
            };
            options.push(json!({ "name": name, "type": kind, "value": value }));
        }
        for option in &registered {
            let is_given =
                options.iter().any(|given| given["name"] == option["name"] && given["type"] == option["type"]);
            assert!(is_given || option["required"] != json!(true), "/{} needs {}", slash.name, option["name"]);
        }
        let mut data = json!({ "id": command["id"], "name": slash.name, "type": 1, "options": options });
        if !resolved.is_empty() {
            data["resolved"] = json!({ "attachments": resolved });
        }
        self.interact(channel, user, Used::Command, data, (&slash.locale, slash.permissions))
    }

    /// Somebody uses a command of the message's menu.
    ///
    /// # Panics
    /// When it is not registered.
    pub fn use_message_command(&mut self, name: &str, user: User, target: MessageId, locale: &str) -> InteractionId {
        let command = self.command(name, 3);
        let channel = self.messages[&target].channel;
        // The target is shown whole, whatever the intents.
        let message = self.message_json(target, View { has_content: true, is_event: false });
        let data = json!({
            "id": command["id"], "name": name, "type": 3, "target_id": target,
            "resolved": { "messages": { target.to_string(): message } }
        });
        self.interact(channel, user, Used::Command, data, (locale, super::post::MEMBER))
    }

    /// Somebody presses a button or chooses from a menu.
    pub fn use_component(&mut self, message: MessageId, user: User, data: Value, who: (&str, u64)) -> InteractionId {
        let channel = self.messages[&message].channel;
        self.interact(channel, user, Used::Component(message), data, who)
    }

    fn command(&self, name: &str, kind: u64) -> Value {
        let is_it = |command: &&Value| command["name"] == json!(name) && command["type"] == json!(kind);
        self.commands.iter().find(is_it).unwrap_or_else(|| panic!("no command {name} of type {kind}")).clone()
    }

    fn interact(&mut self, channel: Channel, user: User, used: Used, data: Value, who: (&str, u64)) -> InteractionId {
        let (locale, permissions) = who;
        let id = InteractionId(self.ids.next_id());
        let token = format!("aW50ZXJhY3Rpb24{:032x}", self.ids.next_id());
        let place = self.place(channel).expect("scripts act in channels that they made");
        let kind = if used == Used::Command { 2 } else { 3 };
        let owners = match place.has_bot {
            true => json!({ "0": place.guild.unwrap_or_default().to_string() }),
            false => json!({ "1": user }),
        };
        let mut json = json!({
            "id": id, "application_id": self.application.to_string(), "type": kind, "token": token, "version": 1,
            "channel_id": channel, "locale": locale, "entitlements": [], "attachment_size_limit": 10 << 20,
            "authorizing_integration_owners": owners, "context": if place.guild.is_some() { 0 } else { 1 },
            "app_permissions": place.rights.to_string(), "data": data
        });
        match place.guild {
            Some(guild) => {
                json["guild_id"] = json!(guild.to_string());
                json["guild_locale"] = json!(self.options.guild_locale);
                json["member"] = member_json(Some(self.user_json(user)), permissions);
            }
            None => json["user"] = self.user_json(user),
        }
        let mut original = None;
        if let Used::Component(message) = used {
            json["message"] = self.message_json(message, View { has_content: true, is_event: false });
            original = Some(message);
        }
        let (born, acknowledged) = (Instant::now(), None);
        let interaction = Interaction {
            token,
            born,
            used,
            channel,
            acknowledged,
            is_ephemeral: false,
            original,
            n_follow_ups: 0,
            is_complained: false,
        };
        self.interactions.insert(id, interaction);
        self.emit("INTERACTION_CREATE", |_, _| Some(json.clone()));
        id
    }
}
