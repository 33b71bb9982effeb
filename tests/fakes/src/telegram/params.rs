//! Parameters of a call, from JSON or from a form, and which of them each method has.

use std::collections::HashMap;

use axum::extract::{FromRequest, Multipart, Request};
use bytes::Bytes;
use serde_json::{Map, Value};

/// The methods that the stand-in knows, each with its parameters.
const METHODS: [(&str, &str); 24] = [
    ("getMe", ""),
    ("getUpdates", "offset limit timeout allowed_updates"),
    ("setWebhook", "url certificate ip_address max_connections allowed_updates drop_pending_updates secret_token"),
    ("deleteWebhook", "drop_pending_updates"),
    ("getWebhookInfo", ""),
    (
        "sendMessage",
        "business_connection_id chat_id message_thread_id direct_messages_topic_id text parse_mode entities \
         link_preview_options disable_notification protect_content allow_paid_broadcast message_effect_id \
         suggested_post_parameters reply_parameters reply_markup",
    ),
    (
        "sendPhoto",
        "business_connection_id chat_id message_thread_id direct_messages_topic_id photo caption parse_mode \
         caption_entities show_caption_above_media has_spoiler disable_notification protect_content \
         allow_paid_broadcast message_effect_id suggested_post_parameters reply_parameters reply_markup",
    ),
    (
        "sendDocument",
        "business_connection_id chat_id message_thread_id direct_messages_topic_id document thumbnail caption \
         parse_mode caption_entities disable_content_type_detection disable_notification protect_content \
         allow_paid_broadcast message_effect_id suggested_post_parameters reply_parameters reply_markup",
    ),
    ("sendChatAction", "business_connection_id chat_id message_thread_id action"),
    (
        "editMessageText",
        "business_connection_id chat_id message_id inline_message_id text parse_mode entities link_preview_options \
         reply_markup",
    ),
    (
        "editMessageCaption",
        "business_connection_id chat_id message_id inline_message_id caption parse_mode caption_entities \
         show_caption_above_media reply_markup",
    ),
    ("editMessageReplyMarkup", "business_connection_id chat_id message_id inline_message_id reply_markup"),
    ("deleteMessage", "chat_id message_id"),
    ("answerCallbackQuery", "callback_query_id text show_alert url cache_time"),
    ("setMyCommands", "commands scope language_code"),
    ("getMyCommands", "scope language_code"),
    ("deleteMyCommands", "scope language_code"),
    ("setMessageReaction", "chat_id message_id reaction is_big"),
    ("getFile", "file_id"),
    ("getChat", "chat_id"),
    ("getChatMember", "chat_id user_id"),
    ("getChatAdministrators", "chat_id"),
    ("leaveChat", "chat_id"),
    ("setMyDescription", "description language_code"),
];

/// The usual spelling of a method's name, which the server compares without regard to case.
pub(super) fn method(name: &str) -> Option<&'static str> {
    METHODS.iter().map(|(method, _)| *method).find(|method| method.eq_ignore_ascii_case(name))
}

/// Names in a call that the method doesn't have; the server ignores them, a bot that sends them is wrong.
pub(super) fn unknown(method: &str, params: &Params) -> Vec<String> {
    let known = METHODS.iter().find(|(name, _)| *name == method).map_or("", |(_, known)| known);
    let is_unknown = |name: &&String| !known.split_whitespace().any(|known| known == *name);
    params.values.keys().filter(is_unknown).cloned().collect()
}

/// The parameters of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Params {
    pub values: Map<String, Value>,
    /// Uploaded files by the name of their part: file name and bytes.
    pub files: HashMap<String, (String, Bytes)>,
}

impl Params {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// A sentence about a body that can't be read.
    pub async fn read(request: Request) -> Result<Params, String> {
        let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|value| value.starts_with("multipart/form-data")) {
            return Params::from_form(request).await;
        }
        let is_json = content_type.is_some_and(|value| value.starts_with("application/json"));
        let body = Bytes::from_request(request, &()).await.map_err(|error| error.to_string())?;
        if body.is_empty() {
            return Ok(Params::default());
        }
        if !is_json {
            return Err("the body is neither JSON nor a form".to_owned());
        }
        let values = serde_json::from_slice(&body).map_err(|error| format!("the body is no JSON object: {error}"))?;
        Ok(Params { values, files: HashMap::new() })
    }

    async fn from_form(request: Request) -> Result<Params, String> {
        let mut form = Multipart::from_request(request, &()).await.map_err(|error| error.to_string())?;
        let mut params = Params::default();
        while let Some(field) = form.next_field().await.map_err(|error| error.to_string())? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let bytes = field.bytes().await.map_err(|error| error.to_string())?;
            match file_name {
                Some(file_name) => {
                    params.files.insert(name, (file_name, bytes));
                }
                None => {
                    let text = String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())?;
                    params.values.insert(name, Value::String(text));
                }
            }
        }
        Ok(params)
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    /// A whole number, also one written as text.
    pub fn int(&self, name: &str) -> Option<i64> {
        let value = self.values.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    /// A statement, also one written as text.
    pub fn is(&self, name: &str) -> bool {
        match self.values.get(name) {
            Some(Value::Bool(is)) => *is,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true") || text == "1",
            _ => false,
        }
    }

    /// A structure, also one written as the text of its JSON.
    pub fn json(&self, name: &str) -> Option<Value> {
        match self.values.get(name)? {
            Value::String(text) => serde_json::from_str(text).ok(),
            Value::Null => None,
            value => Some(value.clone()),
        }
    }

    /// The file of a parameter: uploaded under its own name, or under the name after `attach://`.
    pub fn file(&self, name: &str) -> Option<(String, Bytes)> {
        let part = self.text(name).and_then(|value| value.strip_prefix("attach://")).unwrap_or(name);
        self.files.get(part).cloned()
    }
}
