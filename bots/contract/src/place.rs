//! Who asks and where: opaque ids of the platforms, which no log may show.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where people talk to the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Discord.
    Discord,
    /// Telegram.
    Telegram,
    /// The HTTP interface.
    Web,
}

impl Platform {
    /// Its name in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discord => "discord",
            Self::Telegram => "telegram",
            Self::Web => "web",
        }
    }
}

/// An id as the platform gives it. It stands for a person or a place: `Debug` shows that there is one, never which.
macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

opaque_id! {
    /// A person's id.
    UserId
}
opaque_id! {
    /// A server's, group's or (in a private chat) the person's id: what settings belong to.
    CommunityId
}
opaque_id! {
    /// A channel's or chat's id.
    ChannelId
}
opaque_id! {
    /// A message's id, unique on its platform; where the platform counts per chat, the chat is part of it.
    MessageId
}

/// Where something was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its platform.
    pub platform: Platform,
    /// What settings belong to.
    pub community: CommunityId,
    /// Where in the community.
    pub channel: ChannelId,
    /// Whether one person and the bot are alone.
    pub is_private: bool,
}

/// Who said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The person's id; for an anonymous administrator or a channel, its own id.
    pub user: UserId,
    /// The language of the person's app as the platform tells it (`pt-br`, `zh-CN`), if it does.
    pub language: Option<String>,
    /// Whether the person may manage the community, as far as the platform told with this message.
    pub is_manager: bool,
}
