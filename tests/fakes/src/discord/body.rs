//! What a message body may hold: Discord's limits, and the habits that this project asks of its bot.

use serde_json::{Map, Value, json};

use super::components;
use super::refusal::Refusal;

/// Largest text of a message, in code points.
pub const MAX_CONTENT: usize = 2000;
/// Largest sum of all text in the embeds of a message, in code points.
const MAX_EMBED_SUM: usize = 6000;
/// Largest description (alternative text) of a file, in code points.
const MAX_ALT: usize = 1024;
/// Largest file, in bytes.
const MAX_FILE: usize = 10 << 20;

/// What kind of request brings the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A message to a channel.
    Post,
    /// A change of a message in a channel.
    Edit,
    /// A message through an interaction's token.
    Webhook,
    /// A change through an interaction's token.
    WebhookEdit,
    /// The data of an interaction's first answer.
    Callback,
}

impl Kind {
    fn fields(self) -> &'static [&'static str] {
        match self {
            Kind::Post => &[
                "content",
                "nonce",
                "enforce_nonce",
                "tts",
                "embeds",
                "allowed_mentions",
                "message_reference",
                "components",
                "sticker_ids",
                "attachments",
                "flags",
                "poll",
            ],
            Kind::Edit | Kind::WebhookEdit => {
                &["content", "embeds", "flags", "allowed_mentions", "components", "attachments"]
            }
            Kind::Webhook | Kind::Callback => {
                &["content", "tts", "embeds", "allowed_mentions", "components", "attachments", "flags", "poll"]
            }
        }
    }

    /// Which flags may be set: suppressed embeds everywhere, ephemeral through interactions, silent where new.
    fn flags(self) -> u64 {
        match self {
            Kind::Post => 1 << 2 | 1 << 12,
            Kind::Edit | Kind::WebhookEdit => 1 << 2,
            Kind::Webhook | Kind::Callback => 1 << 2 | 1 << 6 | 1 << 12,
        }
    }
}

/// A file that came with a body: its index, name and bytes.
#[derive(Debug, Clone)]
pub struct Upload {
    /// `n` of the form's part `files[n]`.
    pub index: String,
    /// File name.
    pub name: String,
    /// The file itself.
    pub bytes: Vec<u8>,
}

/// A body and its files, as read from JSON or from a form.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// The JSON part; null when there was none.
    pub json: Value,
    /// The files.
    pub uploads: Vec<Upload>,
}

/// Passes a body that Discord would take; adds to `violations` what it would take, but this project's bot must not send.
///
/// # Errors
/// The refusal Discord would answer with.
pub fn check(kind: Kind, body: &Body, violations: &mut Vec<String>) -> Result<(), Refusal> {
    let Value::Object(fields) = &body.json else {
        return Err(Refusal::new(400, 50_109, "The request body contains invalid JSON."));
    };
    if let Some(unknown) = fields.keys().find(|key| !kind.fields().contains(&key.as_str())) {
        violations.push(format!("{kind:?} sends the unknown field {unknown}"));
    }
    let n_content = length(fields.get("content"), "content", MAX_CONTENT)?;
    let n_embeds = check_embeds(fields.get("embeds"))?;
    let n_components = components::check(fields.get("components"))?;
    check_files(fields, body)?;
    check_flags(kind, fields)?;
    if fields.get("nonce").is_some_and(|nonce| nonce.to_string().trim_matches('"').chars().count() > 25) {
        return Err(Refusal::form("nonce", "NONCE_TYPE_TOO_LONG", "Nonce must be at most 25 characters."));
    }
    let is_new = matches!(kind, Kind::Post | Kind::Webhook);
    if is_new && n_content + n_embeds + n_components + body.uploads.len() == 0 {
        return Err(Refusal::new(400, 50_006, "Cannot send an empty message"));
    }
    check_habits(kind, fields, violations);
    check_embed_files(fields, body, violations);
    Ok(())
}

/// Length of a text in code points; 0 when absent or null.
///
/// # Errors
/// Code 50035 when it is longer than `max` or no text.
pub fn length(text: Option<&Value>, place: &str, max: usize) -> Result<usize, Refusal> {
    match text {
        None | Some(Value::Null) => Ok(0),
        Some(Value::String(text)) if text.chars().count() <= max => Ok(text.chars().count()),
        Some(Value::String(_)) => {
            Err(Refusal::form(place, "BASE_TYPE_BAD_LENGTH", &format!("Must be {max} or fewer in length.")))
        }
        Some(_) => Err(Refusal::form(place, "STRING_TYPE_CONVERT", "Could not interpret as string.")),
    }
}

/// Items of a list; none when absent or null.
///
/// # Errors
/// Code 50035 when there are more than `max` or it is no list.
pub fn list<'a>(value: Option<&'a Value>, place: &str, max: usize) -> Result<&'a [Value], Refusal> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) if items.len() <= max => Ok(items),
        Some(Value::Array(_)) => {
            Err(Refusal::form(place, "BASE_TYPE_MAX_LENGTH", &format!("Must be {max} or fewer in length.")))
        }
        Some(_) => Err(Refusal::form(place, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")),
    }
}

fn check_embeds(embeds: Option<&Value>) -> Result<usize, Refusal> {
    let embeds = list(embeds, "embeds", 10)?;
    let mut sum = 0;
    for (idx, embed) in embeds.iter().enumerate() {
        let place = |part: &str| format!("embeds.{idx}.{part}");
        sum += length(embed.get("title"), &place("title"), 256)?;
        sum += length(embed.get("description"), &place("description"), 4096)?;
        sum += length(embed.pointer("/footer/text"), &place("footer.text"), 2048)?;
        sum += length(embed.pointer("/author/name"), &place("author.name"), 256)?;
        for (field_idx, field) in list(embed.get("fields"), &place("fields"), 25)?.iter().enumerate() {
            let place = |part: &str| format!("embeds.{idx}.fields.{field_idx}.{part}");
            let name = length(field.get("name"), &place("name"), 256)?;
            let value = length(field.get("value"), &place("value"), 1024)?;
            if name == 0 || value == 0 {
                return Err(Refusal::form(&place("name"), "BASE_TYPE_REQUIRED", "This field is required"));
            }
            sum += name + value;
        }
        for part in ["/url", "/image/url", "/thumbnail/url"] {
            let url = embed.pointer(part).and_then(Value::as_str);
            if url.is_some_and(|url| !["http://", "https://", "attachment://"].iter().any(|s| url.starts_with(s))) {
                return Err(Refusal::form(&place("url"), "URL_TYPE_INVALID_SCHEME", "Scheme must be http(s)."));
            }
        }
    }
    if sum > MAX_EMBED_SUM {
        return Err(Refusal::form("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000"));
    }
    Ok(embeds.len())
}

fn check_files(fields: &Map<String, Value>, body: &Body) -> Result<(), Refusal> {
    if body.uploads.len() > 10 {
        return Err(Refusal::new(400, 30_015, "Maximum number of attachments in a message reached (10)"));
    }
    if body.uploads.iter().any(|upload| upload.bytes.len() > MAX_FILE) {
        return Err(Refusal::new(400, 40_005, "Request entity too large"));
    }
    for (idx, attachment) in list(fields.get("attachments"), "attachments", 10)?.iter().enumerate() {
        length(attachment.get("description"), &format!("attachments.{idx}.description"), MAX_ALT)?;
        let id = attachment.get("id").map(|id| id.to_string().trim_matches('"').to_owned()).unwrap_or_default();
        // Small numbers name the parts of the form, large ones files that the message has already.
        let is_kept = id.parse::<u64>().is_ok_and(|id| id > 1 << 32);
        if !is_kept && !body.uploads.iter().any(|upload| upload.index == id) {
            return Err(Refusal::form(
                &format!("attachments.{idx}.id"),
                "ATTACHMENT_NOT_FOUND",
                "Uploaded file not found.",
            ));
        }
    }
    Ok(())
}

fn check_flags(kind: Kind, fields: &Map<String, Value>) -> Result<(), Refusal> {
    let flags = fields.get("flags").and_then(Value::as_u64).unwrap_or_default();
    match flags & !kind.flags() {
        0 => Ok(()),
        _ => Err(Refusal::form("flags", "MESSAGE_FLAGS_INVALID", "These flags cannot be set here.")),
    }
}

fn check_habits(kind: Kind, fields: &Map<String, Value>, violations: &mut Vec<String>) {
    match fields.get("allowed_mentions") {
        // A deferral has no text, so nothing to mention; neither has a change of components alone.
        None => {
            let shows_text = ["content", "embeds"].iter().any(|key| {
                fields.get(*key).is_some_and(|value| !value.is_null() && *value != json!([]) && *value != json!(""))
            });
            if shows_text {
                violations.push(format!("{kind:?} shows text without allowed_mentions, so all mentions are on"));
            }
        }
        Some(allowed) => {
            let is_empty = |key| allowed.get(key).is_none_or(|value| value.as_array().is_some_and(Vec::is_empty));
            if allowed.get("parse").is_none() || !["parse", "users", "roles"].into_iter().all(is_empty) {
                violations.push(format!("{kind:?} allows mentions: {allowed}"));
            }
            if allowed.get("replied_user").and_then(Value::as_bool) == Some(true) {
                violations.push(format!("{kind:?} pings the author it answers"));
            }
        }
    }
    if let Some(reference) = fields.get("message_reference")
        && reference.get("fail_if_not_exists").and_then(Value::as_bool) != Some(false)
    {
        violations.push(format!("{kind:?} fails when the message it answers is gone"));
    }
}

fn check_embed_files(fields: &Map<String, Value>, body: &Body, violations: &mut Vec<String>) {
    for embed in fields.get("embeds").and_then(Value::as_array).into_iter().flatten() {
        for part in ["/image/url", "/thumbnail/url"] {
            let name = embed.pointer(part).and_then(Value::as_str).and_then(|url| url.strip_prefix("attachment://"));
            if let Some(name) = name.filter(|name| !body.uploads.iter().any(|upload| upload.name == **name)) {
                violations.push(format!("an embed shows attachment://{name}, which was not sent along"));
            }
        }
    }
}
