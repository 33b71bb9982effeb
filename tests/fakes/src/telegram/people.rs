//! Who talks where: users, and chats of each kind with what the server remembers of them.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::{Value, json};

/// The account that stands for an administrator who posts in the name of the group.
pub const ANONYMOUS_ADMIN: i64 = 1_087_968_824;

/// The account that stands for a channel whose posts land in its discussion group.
pub const CHANNEL_FORWARDER: i64 = 777_000;

/// A person or a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The number that Telegram gave.
    pub id: i64,
    /// What the person is called.
    pub first_name: String,
    /// Name after the `@`.
    pub username: Option<String>,
    /// Language of the person's client, as `de` or `pt-br`.
    pub language_code: Option<String>,
    /// Whether it is a bot.
    pub is_bot: bool,
}

impl User {
    /// A person without a language.
    pub fn new(id: i64, first_name: &str) -> User {
        User { id, first_name: first_name.to_owned(), username: None, language_code: None, is_bot: false }
    }

    /// A person whose client speaks a language.
    pub fn with_language(id: i64, first_name: &str, language_code: &str) -> User {
        User { language_code: Some(language_code.to_owned()), ..User::new(id, first_name) }
    }

    /// Another bot.
    pub fn bot(id: i64, username: &str) -> User {
        User { username: Some(username.to_owned()), is_bot: true, ..User::new(id, username) }
    }

    /// The user as the Bot API writes it.
    pub(super) fn value(&self) -> Value {
        let mut value = json!({ "id": self.id, "is_bot": self.is_bot, "first_name": self.first_name });
        if let Some(username) = &self.username {
            value["username"] = json!(username);
        }
        if let Some(language_code) = &self.language_code {
            value["language_code"] = json!(language_code);
        }
        value
    }
}

/// The number of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChatId(pub i64);

/// The kinds of chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatKind {
    /// One person and the bot.
    Private,
    /// A small group of the old kind.
    Group,
    /// A large group.
    Supergroup,
    /// A large group with topics.
    Forum,
    /// A channel.
    Channel,
}

/// What the server remembers of a chat.
pub(super) struct Chat {
    pub id: i64,
    pub kind: ChatKind,
    pub title: String,
    /// Status of each member by user id, as `creator`, `administrator` or `member`.
    pub members: HashMap<i64, (User, &'static str)>,
    pub is_bot_admin: bool,
    /// Code and description with which sending is refused, such as a 403 of somebody who blocked the bot.
    pub refusal: Option<(u16, String)>,
    pub migrated_to: Option<i64>,
    /// Topics by thread id, and whether each is closed.
    pub topics: HashMap<i64, bool>,
    /// Whether a bot other than ours was the last one to speak: then bare commands are not for ours.
    pub has_other_bot_spoken: bool,
    pub next_message_id: i64,
    /// From when and until when sending is refused after a 429.
    pub flood: Option<(Instant, Instant)>,
}

impl Chat {
    pub fn new(id: i64, kind: ChatKind, title: &str) -> Chat {
        Chat {
            id,
            kind,
            title: title.to_owned(),
            members: HashMap::new(),
            is_bot_admin: false,
            refusal: None,
            migrated_to: None,
            topics: HashMap::new(),
            has_other_bot_spoken: false,
            next_message_id: 1,
            flood: None,
        }
    }

    /// Whether several people talk here.
    pub fn is_group(&self) -> bool {
        matches!(self.kind, ChatKind::Group | ChatKind::Supergroup | ChatKind::Forum)
    }

    /// The chat as the Bot API writes it.
    pub fn value(&self) -> Value {
        match self.kind {
            ChatKind::Private => json!({ "id": self.id, "type": "private", "first_name": self.title }),
            ChatKind::Group => json!({ "id": self.id, "type": "group", "title": self.title }),
            ChatKind::Supergroup => json!({ "id": self.id, "type": "supergroup", "title": self.title }),
            ChatKind::Forum => {
                json!({ "id": self.id, "type": "supergroup", "title": self.title, "is_forum": true })
            }
            ChatKind::Channel => json!({ "id": self.id, "type": "channel", "title": self.title }),
        }
    }
}
