//! What an update asks for, as plain data: it is journaled as it stands and worked on from the journal after a crash.

use std::time::{Duration, SystemTime};

use image2song_contract::ask::{Sign, Trigger};
use image2song_contract::place::{ChannelId, CommunityId, MessageId, Person, Place, Platform};
use serde::{Deserialize, Serialize};
use teloxide::types::{ChatId, MessageId as Number, ThreadId};

/// Where something was said and by whom.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Spot {
    /// The chat.
    pub chat: ChatId,
    /// The message's number in its chat; 0 where there is no message.
    pub message: i32,
    /// The topic; `None` outside of topics and in the general one, which must not be named.
    pub topic: Option<i32>,
    /// Whether one person and the bot are alone.
    pub is_private: bool,
    /// Who.
    pub person: Person,
}

impl Spot {
    /// The place as the core knows it. A topic is a channel of its own.
    pub fn place(&self) -> Place {
        let chat = self.chat.to_string();
        let channel = self.topic.map_or_else(|| chat.clone(), |topic| format!("{chat}/{topic}"));
        Place {
            platform: Platform::Telegram,
            community: CommunityId(chat),
            channel: ChannelId(channel),
            is_private: self.is_private,
        }
    }

    /// The topic as the API takes it.
    pub fn thread(&self) -> Option<ThreadId> {
        self.topic.map(|topic| ThreadId(Number(topic)))
    }
}

/// The core's name of a message: Telegram counts per chat.
pub fn message_id(chat: ChatId, message: i32) -> MessageId {
    MessageId(format!("{chat}:{message}"))
}

/// A point in time from Telegram's seconds since 1970.
pub fn time(at_s: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(at_s)
}

/// A photo that is still at Telegram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhotoRef {
    /// By which it is fetched.
    pub file_id: String,
    /// A file's name; empty of a photo.
    pub name: String,
    /// Its size in bytes, where Telegram tells.
    pub n_bytes: Option<u64>,
}

/// A question.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Where and by whom; the answer replies to this message.
    pub spot: Spot,
    /// The photos.
    pub photos: Vec<PhotoRef>,
    /// Words beside them.
    pub hint: String,
    /// Whether somebody asked.
    pub trigger: Trigger,
    /// The album that the photo came in.
    pub album: Option<String>,
    /// Whether the photo is hidden until it is tapped.
    pub has_spoiler: bool,
}

/// Commands without a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// How to ask.
    Help,
    /// What the bot is.
    About,
    /// What is kept.
    Privacy,
    /// Settings of the chat.
    Settings,
}

/// What an update asks for.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub enum Task {
    /// Songs for photos.
    Ask(Question),
    /// Songs, but there is no photo.
    NoPhoto(Spot),
    /// Songs, but for something that is no photo.
    NotAPhoto(Spot),
    /// A command.
    Command(Spot, Command),
    /// A press of a button; the spot is the bot's message and the person who pressed.
    Press {
        /// Below which message, by whom.
        spot: Spot,
        /// Id of the press.
        query: String,
        /// What the button carries.
        data: String,
        /// Whether the message has words under a cover.
        has_spoiler: bool,
        /// The reasons that the message gives for its songs.
        #[serde(default)]
        reasons: String,
    },
    /// A change of somebody's reactions.
    React {
        /// Below which message, by whom.
        spot: Spot,
        /// What was put (`true`) and taken away.
        changes: Vec<(Sign, bool)>,
        /// When, in seconds since 1970.
        at_s: u64,
        /// Id of the update.
        update: u64,
    },
    /// The bot was added to a group.
    Added {
        /// Where and by whom.
        spot: Spot,
        /// When, in seconds since 1970.
        at_s: u64,
    },
    /// The bot was removed from a group.
    Left {
        /// The group.
        chat: ChatId,
        /// When, in seconds since 1970.
        at_s: u64,
    },
    /// A group has a new id.
    Moved {
        /// The old id.
        from: ChatId,
        /// The new id.
        to: ChatId,
    },
}

impl Task {
    /// The same for the same update, and for no other.
    pub fn key(&self) -> String {
        let message = |kind: &str, spot: &Spot| format!("{kind}:{}:{}", spot.chat, spot.message);
        match self {
            Self::Ask(Question { spot, .. }) | Self::NoPhoto(spot) | Self::NotAPhoto(spot) => message("m", spot),
            Self::Command(spot, _) => message("m", spot),
            Self::Press { query, .. } => format!("q:{query}"),
            Self::React { update, .. } => format!("r:{update}"),
            Self::Added { spot, at_s } => format!("in:{}:{at_s}", spot.chat),
            Self::Left { chat, at_s } => format!("out:{chat}:{at_s}"),
            Self::Moved { from, .. } => format!("to:{from}"),
        }
    }

    /// The chat it comes from.
    pub fn chat(&self) -> ChatId {
        match self {
            Self::Ask(Question { spot, .. }) => spot.chat,
            Self::NoPhoto(spot) | Self::NotAPhoto(spot) | Self::Command(spot, _) => spot.chat,
            Self::Press { spot, .. } | Self::React { spot, .. } | Self::Added { spot, .. } => spot.chat,
            Self::Left { chat, .. } => *chat,
            Self::Moved { to, .. } => *to,
        }
    }

    /// Its name in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ask(Question { trigger: Trigger::Automatic, .. }) => "automatic",
            Self::Ask(Question { spot, .. }) if spot.is_private => "private",
            Self::Ask(_) => "group",
            Self::NoPhoto(_) => "no-photo",
            Self::NotAPhoto(_) => "not-a-photo",
            Self::Command(..) => "command",
            Self::Press { .. } => "press",
            Self::React { .. } => "reaction",
            Self::Added { .. } => "added",
            Self::Left { .. } => "left",
            Self::Moved { .. } => "moved",
        }
    }
}
