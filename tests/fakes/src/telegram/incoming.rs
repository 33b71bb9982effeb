//! Messages that people write: what they contain, how the Bot API writes them, and whether they reach the bot.

use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::telegram::people::{ANONYMOUS_ADMIN, CHANNEL_FORWARDER, ChatId, User};
use crate::telegram::picture;
use crate::telegram::state::{State, StoredFile, now_s};

/// Long sides to which Telegram shrinks a photo, in pixels.
const SIDES: [u32; 4] = [90, 320, 800, 1280];
/// What a photo measures if its header can't be read.
const UNKNOWN_SIZE: (u32, u32) = (1280, 960);

/// A message before it is posted.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    text: Option<String>,
    caption: Option<String>,
    photo: Option<Bytes>,
    is_largest_first: bool,
    document: Option<Document>,
    reply_to: Option<i64>,
    topic: Option<i64>,
    album: Option<String>,
    via_bot: Option<User>,
    is_anonymous: bool,
    is_automatic_forward: bool,
    has_spoiler: bool,
}

#[derive(Clone, Debug)]
struct Document {
    name: Option<String>,
    mime_type: Option<String>,
    bytes: Bytes,
    n_bytes: u64,
}

impl Incoming {
    /// Text alone.
    pub fn text(text: &str) -> Incoming {
        Incoming { text: Some(text.to_owned()), ..Incoming::default() }
    }

    /// A photo, which the server offers in several sizes. All of them are served with the same bytes.
    pub fn photo(jpeg: &[u8]) -> Incoming {
        Incoming { photo: Some(Bytes::copy_from_slice(jpeg)), ..Incoming::default() }
    }

    /// A file.
    pub fn document(name: &str, mime_type: &str, bytes: &[u8]) -> Incoming {
        let document = Document {
            name: Some(name.to_owned()),
            mime_type: Some(mime_type.to_owned()),
            bytes: Bytes::copy_from_slice(bytes),
            n_bytes: bytes.len() as u64,
        };
        Incoming { document: Some(document), ..Incoming::default() }
    }

    /// Text below the photo or file.
    pub fn caption(mut self, caption: &str) -> Incoming {
        self.caption = Some(caption.to_owned()).filter(|caption| !caption.is_empty());
        self
    }

    /// An answer to another message.
    pub fn reply_to(mut self, message_id: i64) -> Incoming {
        self.reply_to = Some(message_id);
        self
    }

    /// In a topic.
    pub fn topic(mut self, thread_id: i64) -> Incoming {
        self.topic = Some(thread_id);
        self
    }

    /// A member of an album.
    pub fn album(mut self, group: &str) -> Incoming {
        self.album = Some(group.to_owned());
        self
    }

    /// Made by an inline bot.
    pub fn via_bot(mut self, bot: &User) -> Incoming {
        self.via_bot = Some(bot.clone());
        self
    }

    /// In the name of the group, by an administrator who hides.
    pub fn anonymously(mut self) -> Incoming {
        self.is_anonymous = true;
        self
    }

    /// A channel's post as it lands in the discussion group.
    pub fn forwarded_by_channel(mut self) -> Incoming {
        self.is_automatic_forward = true;
        self
    }

    /// Hidden until it is tapped.
    pub fn with_spoiler(mut self) -> Incoming {
        self.has_spoiler = true;
        self
    }

    /// The sizes of the photo in the other order, which the server doesn't exclude.
    pub fn largest_first(mut self) -> Incoming {
        self.is_largest_first = true;
        self
    }

    /// A file that is said to have so many bytes.
    pub fn of_size(mut self, n_bytes: u64) -> Incoming {
        if let Some(document) = &mut self.document {
            document.n_bytes = n_bytes;
        }
        self
    }

    /// A file without a type, as some clients send it.
    pub fn without_type(mut self) -> Incoming {
        if let Some(document) = &mut self.document {
            document.mime_type = None;
        }
        self
    }
}

/// Writes a message as the Bot API does and keeps it and its files. Gives its id.
pub(super) fn compose(state: &mut State, chat_id: ChatId, from: Option<&User>, incoming: &Incoming) -> i64 {
    let chat = state.chats.get_mut(&chat_id.0).expect("the script made this chat");
    let id = chat.next_message_id;
    chat.next_message_id += 1;
    if from.is_some_and(|from| from.is_bot) {
        chat.has_other_bot_spoken = true;
    }
    let chat_value = chat.value();
    let mut message = json!({ "message_id": id, "date": now_s(), "chat": chat_value });
    if let Some(from) = from {
        message["from"] = from.value();
    }
    if incoming.is_anonymous {
        let bot = User { username: Some("GroupAnonymousBot".to_owned()), ..User::bot(ANONYMOUS_ADMIN, "Group") };
        message["from"] = bot.value();
        message["sender_chat"] = chat_value;
    }
    if incoming.is_automatic_forward {
        message["from"] = User::new(CHANNEL_FORWARDER, "Telegram").value();
        message["sender_chat"] = json!({ "id": -100_777, "type": "channel", "title": "Channel" });
        message["is_automatic_forward"] = json!(true);
    }
    if let Some(text) = &incoming.text {
        message["text"] = json!(text);
        message["entities"] = entities(text);
    }
    if let Some(caption) = &incoming.caption {
        message["caption"] = json!(caption);
        message["caption_entities"] = entities(caption);
    }
    if let Some(photo) = &incoming.photo {
        message["photo"] = photo_sizes(state, photo, incoming.is_largest_first);
    }
    if let Some(document) = &incoming.document {
        message["document"] = document_value(state, document);
    }
    let mut topic = incoming.topic;
    if let Some(reply_to) = incoming.reply_to {
        let mut original = state.messages.get(&(chat_id.0, reply_to)).cloned().expect("the script posted this message");
        topic = topic.or(original["message_thread_id"].as_i64());
        if let Some(original) = original.as_object_mut() {
            original.remove("reply_to_message");
        }
        message["reply_to_message"] = original;
    }
    if let Some(topic) = topic {
        message["message_thread_id"] = json!(topic);
        message["is_topic_message"] = json!(true);
    }
    if let Some(album) = &incoming.album {
        message["media_group_id"] = json!(album);
    }
    if let Some(bot) = &incoming.via_bot {
        message["via_bot"] = bot.value();
    }
    if incoming.has_spoiler {
        message["has_media_spoiler"] = json!(true);
    }
    state.messages.insert((chat_id.0, id), message);
    id
}

fn store(state: &mut State, prefix: &str, folder: &str, bytes: Bytes, n_bytes: u64) -> (String, String) {
    let number = state.next_id();
    let (id, unique_id) = (format!("{prefix}AAIBfile{number}AgADBA"), format!("AQADuniq{number}"));
    let path = format!("{folder}/file_{number}");
    let file = StoredFile { unique_id: unique_id.clone(), path, n_bytes, bytes, at: Instant::now() };
    state.files.insert(id.clone(), file);
    (id, unique_id)
}

fn photo_sizes(state: &mut State, jpeg: &Bytes, is_largest_first: bool) -> Value {
    let (width, height) = picture::size(jpeg).unwrap_or(UNKNOWN_SIZE);
    let long = width.max(height).max(1);
    let mut sides: Vec<u32> = SIDES.into_iter().filter(|side| *side < long).collect();
    sides.push(long);
    let mut sizes = Vec::new();
    for side in sides {
        let n_bytes = (jpeg.len() as u64 * u64::from(side) / u64::from(long)).max(1);
        let (id, unique_id) = store(state, "AgAC", "photos", jpeg.clone(), n_bytes);
        sizes.push(json!({
            "file_id": id, "file_unique_id": unique_id, "file_size": n_bytes,
            "width": (width * side / long).max(1), "height": (height * side / long).max(1),
        }));
    }
    if is_largest_first {
        sizes.reverse();
    }
    Value::Array(sizes)
}

fn document_value(state: &mut State, document: &Document) -> Value {
    let (id, unique_id) = store(state, "BQAC", "documents", document.bytes.clone(), document.n_bytes);
    let mut value = json!({ "file_id": id, "file_unique_id": unique_id, "file_size": document.n_bytes });
    if let Some(name) = &document.name {
        value["file_name"] = json!(name);
    }
    if let Some(mime_type) = &document.mime_type {
        value["mime_type"] = json!(mime_type);
    }
    value
}

/// Commands and mentions in a text, with offsets in UTF-16 as the Bot API counts.
fn entities(text: &str) -> Value {
    let mut entities = Vec::new();
    let mut offset = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let trimmed = word.trim_end();
        let kind = match trimmed.chars().next() {
            Some('/') => "bot_command",
            Some('@') => "mention",
            _ => "",
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || (kind == "bot_command" && c == '@');
        let n_name = trimmed.chars().skip(1).take_while(|c| is_name(*c)).count();
        if !kind.is_empty() && n_name > 0 {
            entities.push(json!({ "type": kind, "offset": offset, "length": n_name + 1 }));
        }
        offset += word.encode_utf16().count();
    }
    Value::Array(entities)
}

/// Whether a message reaches the bot: in groups, privacy mode keeps back what is neither a command for it, nor an answer
/// to it, nor sent through it; messages of other bots never arrive.
pub(super) fn is_for_bot(state: &State, chat_id: ChatId, message: &Value) -> bool {
    let Some(chat) = state.chats.get(&chat_id.0).filter(|chat| chat.is_group()) else { return true };
    let from = &message["from"];
    let is_other_bot = from["is_bot"] == true && from["id"] != ANONYMOUS_ADMIN;
    if is_other_bot {
        return false;
    }
    if state.reads_all || chat.is_bot_admin {
        return true;
    }
    let is_reply = message["reply_to_message"]["from"]["id"] == state.bot.id;
    let is_via = message["via_bot"]["id"] == state.bot.id;
    let name = state.bot.username.as_deref().unwrap_or_default();
    let lists = [("text", "entities"), ("caption", "caption_entities")];
    let commands = lists.iter().flat_map(|(text, entities)| {
        let text: Vec<u16> = message[*text].as_str().unwrap_or_default().encode_utf16().collect();
        let is_command = |entity: &&Value| entity["type"] == "bot_command";
        let list: Vec<Value> =
            message[*entities].as_array().into_iter().flatten().filter(is_command).cloned().collect();
        list.into_iter().filter_map(move |entity| {
            let start = entity["offset"].as_u64()? as usize;
            let end = start + entity["length"].as_u64()? as usize;
            Some(String::from_utf16_lossy(text.get(start..end)?))
        })
    });
    let is_command = commands.into_iter().any(|command| match command.split_once('@') {
        Some((_, addressee)) => addressee.eq_ignore_ascii_case(name),
        None => !chat.has_other_bot_spoken,
    });
    is_reply || is_via || is_command
}
