//! What a script lets people do: write, attach photos, use commands.

use serde_json::{Map, Value, json};

use super::ids::{Channel, MessageId, User};

/// A file somebody attaches.
#[derive(Debug, Clone)]
pub struct Photo {
    /// File name, shown and part of the link.
    pub name: String,
    /// The file itself.
    pub bytes: Vec<u8>,
    /// What Discord says it is; the bot must not trust it.
    pub content_type: String,
    /// Width and height as Discord measured them; `None` for what it takes for no picture.
    pub size: Option<(u32, u32)>,
    /// What the media proxy gives for it when asked for another size or format; `None`: the file itself.
    pub proxied: Option<Vec<u8>>,
    /// Size Discord tells, where it is not that of the bytes.
    pub told_bytes: Option<u64>,
}

impl Photo {
    /// A JPEG file that Discord measured as 640x480.
    pub fn jpeg(name: &str, bytes: impl Into<Vec<u8>>) -> Photo {
        Photo::file(name, bytes, "image/jpeg", Some((640, 480)))
    }

    /// Any file.
    pub fn file(name: &str, bytes: impl Into<Vec<u8>>, content_type: &str, size: Option<(u32, u32)>) -> Photo {
        let (name, content_type) = (name.to_owned(), content_type.to_owned());
        Photo { name, bytes: bytes.into(), content_type, size, proxied: None, told_bytes: None }
    }

    /// With what the media proxy gives for it.
    pub fn proxied_as(mut self, bytes: impl Into<Vec<u8>>) -> Photo {
        self.proxied = Some(bytes.into());
        self
    }

    /// With a size that is told but need not be true.
    pub fn told_as(mut self, n_bytes: u64) -> Photo {
        self.told_bytes = Some(n_bytes);
        self
    }
}

/// Who a message seems to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A person.
    Person,
    /// Another bot.
    Bot,
    /// A webhook.
    Webhook,
    /// Discord itself: the note that a member joined.
    System,
}

/// A message to be written.
#[derive(Debug, Clone)]
pub struct Post {
    /// Where.
    pub channel: Channel,
    /// By whom.
    pub author: User,
    /// Its text.
    pub text: String,
    /// Its files.
    pub photos: Vec<Photo>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// Whether a reply mentions the author of what it answers.
    pub pings_author: bool,
    /// The message it forwards.
    pub forward: Option<MessageId>,
    /// Who it seems to come from.
    pub sender: Sender,
}

impl Post {
    /// A message with neither text nor files.
    pub fn new(channel: Channel, author: User) -> Post {
        Post {
            channel,
            author,
            text: String::new(),
            photos: Vec::new(),
            reply_to: None,
            pings_author: true,
            forward: None,
            sender: Sender::Person,
        }
    }

    /// With this text.
    pub fn text(mut self, text: impl Into<String>) -> Post {
        self.text = text.into();
        self
    }

    /// With one more file.
    pub fn photo(mut self, photo: Photo) -> Post {
        self.photos.push(photo);
        self
    }

    /// As an answer to a message.
    pub fn reply_to(mut self, message: MessageId) -> Post {
        self.reply_to = Some(message);
        self
    }

    /// As an answer that does not mention whom it answers.
    pub fn without_ping(mut self) -> Post {
        self.pings_author = false;
        self
    }

    /// As a forward of a message.
    pub fn forward(mut self, message: MessageId) -> Post {
        self.forward = Some(message);
        self
    }

    /// As somebody who is no person.
    pub fn sender(mut self, sender: Sender) -> Post {
        self.sender = sender;
        self
    }
}

/// A slash command to be used.
#[derive(Debug, Clone)]
pub struct Slash {
    /// Name without the slash.
    pub name: String,
    /// Values by option name; an attachment's stands in `photos`.
    pub values: Map<String, Value>,
    /// Files by option name.
    pub photos: Vec<(String, Photo)>,
    /// Language of the user's client.
    pub locale: String,
    /// The user's rights in the channel.
    pub permissions: u64,
}

/// What an ordinary member may do: see, write, attach, read back, react.
pub const MEMBER: u64 = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 6;

/// The right to manage the server.
pub const MANAGE_GUILD: u64 = 1 << 5;

impl Slash {
    /// The command without options, by an ordinary member whose client speaks English.
    pub fn new(name: &str) -> Slash {
        let locale = "en-US".to_owned();
        Slash { name: name.to_owned(), values: Map::new(), photos: Vec::new(), locale, permissions: MEMBER }
    }

    /// With a value for an option.
    pub fn value(mut self, option: &str, value: impl Into<Value>) -> Slash {
        self.values.insert(option.to_owned(), value.into());
        self
    }

    /// With a file for an option.
    pub fn photo(mut self, option: &str, photo: Photo) -> Slash {
        self.photos.push((option.to_owned(), photo));
        self
    }

    /// With the client in another language.
    pub fn locale(mut self, locale: &str) -> Slash {
        self.locale = locale.to_owned();
        self
    }

    /// By somebody with more rights.
    pub fn permissions(mut self, permissions: u64) -> Slash {
        self.permissions |= permissions;
        self
    }
}

/// The emoji of a reaction on the wire.
pub fn emoji(name: &str) -> Value {
    json!({ "id": null, "name": name })
}
