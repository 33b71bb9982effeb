//! Methods that change what stands in a chat, and answers to presses.

use serde_json::{Value, json};

use crate::telegram::fault::{NOT_MODIFIED, Outcome, QUERY_TOO_OLD, Refusal};
use crate::telegram::keyboard::{self, Button};
use crate::telegram::params::Params;
use crate::telegram::people::ChatKind;
use crate::telegram::record::BotMessage;
use crate::telegram::sending::{MAX_CAPTION, MAX_TEXT, Text, check_links, read_text};
use crate::telegram::state::{State, now_s};

const MAX_ANSWER: usize = 200;
const MAX_DELETE_AGE_S: u64 = 48 * 3600;
/// Reactions that a bot may set: enough of Telegram's list for a bot that says "seen" or "liked".
const REACTIONS: [&str; 12] = ["👍", "👎", "❤", "🔥", "🥰", "👏", "😁", "🤔", "🎉", "👀", "🙏", "👌"];

/// The message that a call names, if it is the bot's.
fn own<'a>(state: &'a mut State, params: &Params, method: &str) -> Result<&'a mut BotMessage, Refusal> {
    let Some(chat) = params.int("chat_id") else { return Err(Refusal::bad_request("chat_id is empty")) };
    let Some(id) = params.int("message_id") else {
        return Err(Refusal::bad_request("message identifier is not specified"));
    };
    state.chat(chat)?;
    state.check_flood(chat, method)?;
    let is_there = state.messages.contains_key(&(chat, id));
    let found = state.sent.iter_mut().find(|sent| sent.chat.0 == chat && sent.id == id && !sent.is_deleted);
    match (found, is_there) {
        (Some(sent), true) => Ok(sent),
        (None, true) => Err(Refusal::bad_request("message can't be edited")),
        (_, false) => Err(Refusal::bad_request("message to edit not found")),
    }
}

/// Writes new content into a message of the bot, unless nothing is new.
fn change(state: &mut State, params: &Params, method: &str, text: Option<(&str, Text)>) -> Outcome {
    let markup = params.json("reply_markup");
    let keyboard: Vec<Vec<Button>> = keyboard::read(markup.as_ref())?;
    if let Some((_, text)) = &text {
        check_links(state, params, text);
    }
    let sent = own(state, params, method)?;
    let is_same_text = text.as_ref().is_none_or(|(_, text)| text.source == sent.source);
    if is_same_text && keyboard == sent.keyboard {
        return Err(Refusal::bad_request(NOT_MODIFIED));
    }
    sent.n_edits += 1;
    sent.keyboard = keyboard;
    let key = (sent.chat.0, sent.id);
    let field = text.map(|(field, text)| {
        sent.source = text.source;
        sent.text = text.parsed.text.clone();
        sent.links = text.parsed.links;
        sent.parse_mode = text.parse_mode;
        (field, text.parsed.text)
    });
    let Some(value) = state.messages.get_mut(&key).and_then(Value::as_object_mut) else { return Ok(json!(true)) };
    value.insert("edit_date".to_owned(), json!(now_s()));
    value.remove("reply_markup");
    if let Some(markup) = markup {
        value.insert("reply_markup".to_owned(), markup);
    }
    if let Some((field, text)) = field {
        value.insert(field.to_owned(), json!(text));
    }
    Ok(Value::Object(value.clone()))
}

pub(super) fn edit_text(state: &mut State, params: &Params) -> Outcome {
    let text = read_text(params, "text", MAX_TEXT)?;
    let sent = own(state, params, "editMessageText")?;
    if sent.photo.is_some() || sent.document.is_some() {
        return Err(Refusal::bad_request("there is no text in the message to edit"));
    }
    change(state, params, "editMessageText", Some(("text", text)))
}

pub(super) fn edit_caption(state: &mut State, params: &Params) -> Outcome {
    let text = read_text(params, "caption", MAX_CAPTION)?;
    let sent = own(state, params, "editMessageCaption")?;
    if sent.photo.is_none() && sent.document.is_none() {
        return Err(Refusal::bad_request("there is no caption in the message to edit"));
    }
    change(state, params, "editMessageCaption", Some(("caption", text)))
}

pub(super) fn edit_keyboard(state: &mut State, params: &Params) -> Outcome {
    change(state, params, "editMessageReplyMarkup", None)
}

pub(super) fn delete(state: &mut State, params: &Params) -> Outcome {
    let Some(chat) = params.int("chat_id") else { return Err(Refusal::bad_request("chat_id is empty")) };
    let id = params.int("message_id").unwrap_or_default();
    let at = state.chat(chat)?;
    let may_delete_others = at.is_bot_admin || at.kind == ChatKind::Private;
    let own_id = state.bot.id;
    let Some(message) = state.messages.get(&(chat, id)) else {
        return Err(Refusal::bad_request("message to delete not found"));
    };
    let age_s = now_s().saturating_sub(message["date"].as_u64().unwrap_or_default());
    if age_s > MAX_DELETE_AGE_S || (message["from"]["id"] != own_id && !may_delete_others) {
        return Err(Refusal::bad_request("message can't be deleted for everyone"));
    }
    state.messages.remove(&(chat, id));
    if let Some(sent) = state.sent.iter_mut().find(|sent| sent.chat.0 == chat && sent.id == id) {
        sent.is_deleted = true;
    }
    Ok(json!(true))
}

pub(super) fn answer_query(state: &mut State, params: &Params) -> Outcome {
    let id = params.text("callback_query_id").unwrap_or_default().to_owned();
    let text = params.text("text").unwrap_or_default();
    if text.encode_utf16().count() > MAX_ANSWER {
        return Err(Refusal::bad_request("MESSAGE_TOO_LONG"));
    }
    let is_twice = state.queries.get(&id).is_some_and(|query| query.answer.is_some());
    if is_twice {
        state.violate(format!("query {id} was answered twice"));
    }
    match state.queries.get_mut(&id) {
        Some(query) if !query.is_expired && !is_twice => {
            query.answer = Some(text.to_owned());
            query.is_alert = params.is("show_alert");
            Ok(json!(true))
        }
        _ => Err(Refusal::bad_request(QUERY_TOO_OLD)),
    }
}

pub(super) fn set_reaction(state: &mut State, params: &Params) -> Outcome {
    let chat = params.int("chat_id").unwrap_or_default();
    let id = params.int("message_id").unwrap_or_default();
    state.chat(chat)?;
    if !state.messages.contains_key(&(chat, id)) {
        return Err(Refusal::bad_request("message to react not found"));
    }
    let reactions = params.json("reaction").and_then(|value| value.as_array().cloned()).unwrap_or_default();
    let is_known = |reaction: &Value| reaction["emoji"].as_str().is_some_and(|emoji| REACTIONS.contains(&emoji));
    if !reactions.iter().all(is_known) {
        return Err(Refusal::bad_request("REACTION_INVALID"));
    }
    let bot = state.bot.id;
    state.reactions.insert((chat, id, bot), reactions);
    Ok(json!(true))
}
