//! Methods that put something into a chat.

use std::time::Instant;

use serde_json::{Value, json};

use crate::telegram::fault::{Outcome, Refusal};
use crate::telegram::html::{self, Parsed};
use crate::telegram::keyboard;
use crate::telegram::params::Params;
use crate::telegram::people::{ANONYMOUS_ADMIN, ChatId, ChatKind};
use crate::telegram::picture;
use crate::telegram::record::BotMessage;
use crate::telegram::state::{State, now_s};

pub(super) const MAX_TEXT: usize = 4096;
pub(super) const MAX_CAPTION: usize = 1024;
const MAX_PHOTO_BYTES: usize = 10 << 20;
const MAX_UPLOAD_BYTES: usize = 50 << 20;
const MAX_PHOTO_SIDES: u32 = 10_000;
const MAX_PHOTO_RATIO: u32 = 20;
/// The thread of a forum that is no topic: it must not be named.
const GENERAL: i64 = 1;

const ACTIONS: [&str; 11] = [
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

/// A text after the checks that all texts pass.
pub(super) struct Text {
    pub source: String,
    pub parsed: Parsed,
    pub parse_mode: Option<String>,
}

/// Reads and checks the text or caption of a call.
pub(super) fn read_text(params: &Params, name: &str, max: usize) -> Result<Text, Refusal> {
    let source = params.text(name).unwrap_or_default().to_owned();
    let parse_mode = params.text("parse_mode").map(str::to_owned);
    let parsed = match parse_mode.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("") => Parsed { text: source.trim().to_owned(), links: Vec::new() },
        Some("html") => {
            html::parse(&source).map_err(|fault| Refusal::bad_request(&format!("can't parse entities: {fault}")))?
        }
        Some(_) => return Err(Refusal::bad_request("unsupported parse_mode")),
    };
    if parsed.text.encode_utf16().count() > max {
        let what = if name == "text" { "message is too long" } else { "message caption is too long" };
        return Err(Refusal::bad_request(what));
    }
    if name == "text" && parsed.text.is_empty() {
        return Err(Refusal::bad_request("message text is empty"));
    }
    Ok(Text { source, parsed, parse_mode })
}

/// Notes links that no person could open, and a preview that would unfold below a text with links.
pub(super) fn check_links(state: &mut State, params: &Params, text: &Text) {
    for link in text.parsed.links.iter().filter(|link| !keyboard::is_link(link)) {
        state.violate(format!("a link to {link:?}, which Telegram drops"));
    }
    let is_disabled = params.json("link_preview_options").is_some_and(|options| options["is_disabled"] == true);
    if params.text("text").is_some() && !text.parsed.links.is_empty() && !is_disabled {
        state.violate("a text with links and without link_preview_options.is_disabled".to_owned());
    }
}

/// Where a message goes: the chat, the message it answers and the topic.
struct Target {
    chat: i64,
    reply_to: Option<i64>,
    topic: Option<i64>,
}

fn target(state: &mut State, params: &Params, method: &str) -> Result<Target, Refusal> {
    let Some(chat) = params.int("chat_id") else { return Err(Refusal::bad_request("chat_id is empty")) };
    state.chat(chat)?;
    state.check_flood(chat, method)?;
    let reply_to = reply_target(state, chat, params)?;
    let inherited = reply_to.and_then(|id| state.messages[&(chat, id)]["message_thread_id"].as_i64());
    let named = params.int("message_thread_id");
    let at = state.chat(chat)?;
    let is_unknown = |topic: &i64| at.kind != ChatKind::Forum || *topic == GENERAL || !at.topics.contains_key(topic);
    if named.as_ref().is_some_and(is_unknown) {
        return Err(Refusal::bad_request("message thread not found"));
    }
    let topic = named.or(inherited);
    if topic.and_then(|topic| at.topics.get(&topic)).is_some_and(|is_closed| *is_closed) {
        return Err(Refusal::bad_request("TOPIC_CLOSED"));
    }
    Ok(Target { chat, reply_to, topic })
}

/// The message that is answered, if it is still there.
fn reply_target(state: &mut State, chat: i64, params: &Params) -> Result<Option<i64>, Refusal> {
    let Some(reply) = params.json("reply_parameters") else { return Ok(None) };
    let Some(id) = reply["message_id"].as_i64() else {
        return Err(Refusal::bad_request("parameter \"message_id\" is required in reply_parameters"));
    };
    let Some(message) = state.messages.get(&(chat, id)) else {
        if reply["allow_sending_without_reply"] == true {
            return Ok(None);
        }
        return Err(Refusal::bad_request("message to be replied not found"));
    };
    let from = &message["from"];
    if from["is_bot"] == true && from["id"] != ANONYMOUS_ADMIN && from["id"] != state.bot.id {
        state.violate(format!("a reply to message {id} of another bot"));
    }
    Ok(Some(id))
}

/// Keeps a message of the bot and gives it as the Bot API writes it.
fn keep(state: &mut State, target: &Target, params: &Params, message: BotMessage, content: Value) -> Value {
    let bot = state.bot.value();
    let Some(chat) = state.chats.get_mut(&target.chat) else { return Value::Null };
    let id = chat.next_message_id;
    chat.next_message_id += 1;
    chat.has_other_bot_spoken = false;
    let mut value = json!({ "message_id": id, "date": now_s(), "chat": chat.value(), "from": bot });
    for (name, field) in content.as_object().into_iter().flatten() {
        value[name] = field.clone();
    }
    if let Some(markup) = params.json("reply_markup") {
        value["reply_markup"] = markup;
    }
    if let Some(topic) = target.topic {
        value["message_thread_id"] = json!(topic);
        value["is_topic_message"] = json!(true);
    }
    if let Some(reply_to) = target.reply_to {
        let mut original = state.messages[&(target.chat, reply_to)].clone();
        if let Some(original) = original.as_object_mut() {
            original.remove("reply_to_message");
        }
        value["reply_to_message"] = original;
    }
    state.messages.insert((target.chat, id), value.clone());
    state.sent.push(BotMessage { id, ..message });
    value
}

fn bot_message(target: &Target, text: Text, keyboard: Vec<Vec<keyboard::Button>>) -> BotMessage {
    BotMessage {
        chat: ChatId(target.chat),
        id: 0,
        source: text.source,
        text: text.parsed.text,
        parse_mode: text.parse_mode,
        links: text.parsed.links,
        photo: None,
        document: None,
        keyboard,
        reply_to: target.reply_to,
        topic: target.topic,
        n_edits: 0,
        is_deleted: false,
        at: Instant::now(),
    }
}

pub(super) fn message(state: &mut State, params: &Params) -> Outcome {
    let target = target(state, params, "sendMessage")?;
    let text = read_text(params, "text", MAX_TEXT)?;
    let keyboard = keyboard::read(params.json("reply_markup").as_ref())?;
    check_links(state, params, &text);
    let content = json!({ "text": text.parsed.text });
    Ok(keep(state, &target, params, bot_message(&target, text, keyboard), content))
}

pub(super) fn photo(state: &mut State, params: &Params) -> Outcome {
    let target = target(state, params, "sendPhoto")?;
    let text = read_text(params, "caption", MAX_CAPTION)?;
    let keyboard = keyboard::read(params.json("reply_markup").as_ref())?;
    let Some((_, bytes)) = params.file("photo") else {
        return Err(Refusal::bad_request("there is no photo in the request"));
    };
    if bytes.len() > MAX_PHOTO_BYTES {
        let description = format!(
            "file of size {} bytes is too big for a photo; the maximum size is {MAX_PHOTO_BYTES} bytes",
            bytes.len()
        );
        return Err(Refusal::bad_request(&description));
    }
    let Some((width, height)) = picture::size(&bytes) else { return Err(Refusal::bad_request("IMAGE_PROCESS_FAILED")) };
    let ratio = width.max(height) / width.min(height).max(1);
    if width + height > MAX_PHOTO_SIDES || ratio > MAX_PHOTO_RATIO {
        return Err(Refusal::bad_request("PHOTO_INVALID_DIMENSIONS"));
    }
    let number = state.next_id();
    let size = json!({
        "file_id": format!("AgACsent{number}"), "file_unique_id": format!("AQADsent{number}"),
        "width": width, "height": height, "file_size": bytes.len(),
    });
    let content = json!({ "photo": [size], "caption": text.parsed.text });
    let message = BotMessage { photo: Some(bytes), ..bot_message(&target, text, keyboard) };
    Ok(keep(state, &target, params, message, content))
}

pub(super) fn document(state: &mut State, params: &Params) -> Outcome {
    let target = target(state, params, "sendDocument")?;
    let text = read_text(params, "caption", MAX_CAPTION)?;
    let keyboard = keyboard::read(params.json("reply_markup").as_ref())?;
    let Some((name, bytes)) = params.file("document") else {
        return Err(Refusal::bad_request("there is no document in the request"));
    };
    if bytes.is_empty() {
        return Err(Refusal::bad_request("file must be non-empty"));
    }
    if bytes.len() > MAX_UPLOAD_BYTES {
        return Err(Refusal::new(413, "Request Entity Too Large"));
    }
    let number = state.next_id();
    let content = json!({
        "document": {
            "file_id": format!("BQACsent{number}"), "file_unique_id": format!("AgADsent{number}"),
            "file_name": name, "file_size": bytes.len(),
        },
        "caption": text.parsed.text,
    });
    let message = BotMessage { document: Some((name, bytes)), ..bot_message(&target, text, keyboard) };
    Ok(keep(state, &target, params, message, content))
}

pub(super) fn chat_action(state: &mut State, params: &Params) -> Outcome {
    target(state, params, "sendChatAction")?;
    match params.text("action") {
        Some(action) if ACTIONS.contains(&action) => Ok(json!(true)),
        _ => Err(Refusal::bad_request("wrong parameter action in request")),
    }
}
