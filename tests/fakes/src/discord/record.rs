//! What the fake writes down about the bot.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::ids::{Channel, InteractionId, MessageId};

/// A kind of request to the fake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// Where the gateway is.
    Gateway,
    /// Who the bot, or its application, is; roles of a server.
    About,
    /// Registering commands.
    Commands,
    /// Showing that the bot writes.
    Typing,
    /// A message to a channel.
    Post,
    /// A change of a message in a channel.
    Edit,
    /// Taking back a message in a channel.
    Delete,
    /// Reading a message again.
    Read,
    /// Adding or taking back an own reaction.
    React,
    /// First answer to an interaction.
    Callback,
    /// A change of an answer to an interaction, or of a follow-up.
    EditAnswer,
    /// A further answer to an interaction.
    FollowUp,
    /// Taking back an answer to an interaction.
    DeleteAnswer,
    /// A file from the CDN.
    Download,
    /// A file from the media proxy.
    Resized,
    /// What the real one does not have.
    Unknown,
}

impl Call {
    /// Whether the global rate limit passes it by.
    pub fn is_interaction(self) -> bool {
        matches!(self, Call::Callback | Call::EditAnswer | Call::FollowUp | Call::DeleteAnswer)
    }
}

/// A request as it came and was answered.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When it came.
    pub at: Instant,
    /// Its kind.
    pub call: Call,
    /// Method and path with query.
    pub line: String,
    /// Status of the answer.
    pub status: u16,
    /// JSON body; null when there was none.
    pub body: Value,
}

/// Something the bot did that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// It wrote a message, or filled a deferred answer.
    Posted(MessageId),
    /// It changed a message.
    Edited(MessageId),
    /// It took a message back.
    Deleted(MessageId),
    /// It acknowledged an interaction: with which type, and how long after it was sent.
    Acknowledged {
        /// Which.
        interaction: InteractionId,
        /// Type of the answer: 4 message, 5 deferred message, 6 deferred change, 7 change.
        kind: u64,
        /// Time since the gateway sent the interaction.
        after: Duration,
    },
    /// It showed that it writes.
    Typing(Channel),
    /// It added a reaction.
    Reacted {
        /// To which message.
        message: MessageId,
        /// Which emoji.
        emoji: String,
    },
    /// It registered so many commands.
    Commands(usize),
    /// It began a session with these intents.
    Identified {
        /// The intents' bits.
        intents: u64,
    },
    /// It wanted to begin a session too soon after the last.
    IdentifiedTooSoon,
    /// It took up a session again, from this event on.
    Resumed {
        /// Last event it had seen.
        seq: u64,
    },
    /// It closed its connection, with this code.
    Closed {
        /// Close code; `None` when the connection broke or had none.
        code: Option<u16>,
    },
}

/// A file the bot sent along.
#[derive(Debug, Clone)]
pub struct Sent {
    /// File name.
    pub name: String,
    /// The file itself.
    pub bytes: Vec<u8>,
    /// Alternative text.
    pub alt: Option<String>,
}

/// A button under a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it says; an emoji alone stands here too.
    pub label: String,
    /// What a press brings; `None` for a link.
    pub custom_id: Option<String>,
    /// Where it leads; `None` for a button to press.
    pub url: Option<String>,
    /// Whether it cannot be pressed.
    pub is_disabled: bool,
}

/// A message of the bot as people see it.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Its id.
    pub id: MessageId,
    /// Where it stands.
    pub channel: Channel,
    /// Its text.
    pub text: String,
    /// Its embeds as sent.
    pub embeds: Vec<Value>,
    /// Its rows of components as sent.
    pub components: Vec<Value>,
    /// Its files.
    pub files: Vec<Sent>,
    /// What it answers.
    pub reply_to: Option<MessageId>,
    /// The interaction it answers.
    pub interaction: Option<InteractionId>,
    /// Whether only one person sees it.
    pub is_ephemeral: bool,
    /// Whether it was taken back.
    pub is_deleted: bool,
    /// How often it was changed after it was first seen.
    pub n_edits: usize,
}

impl Posted {
    /// All text a person reads: message, embeds with their fields, labels of buttons; a line each.
    pub fn all_text(&self) -> String {
        let mut lines = vec![self.text.clone()];
        for embed in &self.embeds {
            let parts = ["/author/name", "/title", "/description"];
            lines.extend(parts.iter().filter_map(|part| Some(embed.pointer(part)?.as_str()?.to_owned())));
            for field in embed.get("fields").and_then(Value::as_array).into_iter().flatten() {
                lines.extend(["name", "value"].iter().filter_map(|key| Some(field.get(*key)?.as_str()?.to_owned())));
            }
            lines.extend(embed.pointer("/footer/text").and_then(Value::as_str).map(str::to_owned));
        }
        lines.extend(self.buttons().into_iter().map(|button| button.label));
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }

    /// All buttons, row by row.
    pub fn buttons(&self) -> Vec<Button> {
        let rows = self.components.iter().filter_map(|row| row.get("components")?.as_array());
        let is_button = |item: &&Value| item.get("type").and_then(Value::as_u64) == Some(2);
        rows.flatten().filter(is_button).map(button).collect()
    }

    /// What a press on the first button brings whose label holds `text`.
    pub fn custom_id(&self, text: &str) -> Option<String> {
        self.buttons().into_iter().find(|button| button.label.contains(text))?.custom_id
    }
}

fn button(item: &Value) -> Button {
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let parts = [text("/emoji/name"), text("/label")];
    Button {
        label: parts.into_iter().flatten().collect::<Vec<_>>().join(" "),
        custom_id: text("/custom_id"),
        url: text("/url"),
        is_disabled: item.get("disabled").and_then(Value::as_bool).unwrap_or_default(),
    }
}
