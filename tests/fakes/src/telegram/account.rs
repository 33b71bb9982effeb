//! Methods about the bot itself, its commands, its webhook, files and members of chats.

use serde_json::{Value, json};

use crate::telegram::fault::{Outcome, Refusal};
use crate::telegram::params::Params;
use crate::telegram::state::{State, Webhook};
use crate::telegram::updates;

const MAX_COMMANDS: usize = 100;
const MAX_DOWNLOAD_BYTES: u64 = 20 << 20;

pub(super) fn me(state: &State) -> Value {
    let mut me = state.bot.value();
    me["can_join_groups"] = json!(true);
    me["can_read_all_group_messages"] = json!(state.reads_all);
    for name in ["supports_inline_queries", "can_connect_to_business", "has_main_web_app"] {
        me[name] = json!(false);
    }
    me
}

/// The key of a command list: its scope and language.
pub(super) fn commands_key(params: &Params) -> String {
    let scope = params.json("scope").unwrap_or_else(|| json!({ "type": "default" }));
    format!("{}/{}", scope["type"].as_str().unwrap_or("default"), params.text("language_code").unwrap_or_default())
}

pub(super) fn set_commands(state: &mut State, params: &Params) -> Outcome {
    let commands = params.json("commands").unwrap_or(Value::Null);
    let Some(list) = commands.as_array() else {
        return Err(Refusal::bad_request("expected an Array of BotCommand"));
    };
    if list.len() > MAX_COMMANDS {
        return Err(Refusal::bad_request("BOT_COMMANDS_TOO_MUCH"));
    }
    let field = |command: &Value, name: &str| command[name].as_str().unwrap_or_default().to_owned();
    for command in list {
        let name = field(command, "command");
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !(1..=32).contains(&name.len()) || !name.chars().all(is_name) {
            return Err(Refusal::bad_request("BOT_COMMAND_INVALID"));
        }
        if !(1..=256).contains(&field(command, "description").chars().count()) {
            return Err(Refusal::bad_request("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
    }
    if params.text("language_code").is_some_and(|code| !code.is_empty() && code.len() != 2) {
        return Err(Refusal::bad_request("invalid language code specified"));
    }
    state.commands.insert(commands_key(params), commands);
    Ok(json!(true))
}

pub(super) fn get_commands(state: &State, params: &Params) -> Value {
    state.commands.get(&commands_key(params)).cloned().unwrap_or_else(|| json!([]))
}

pub(super) fn delete_commands(state: &mut State, params: &Params) -> Value {
    state.commands.remove(&commands_key(params));
    json!(true)
}

/// Sets where updates are pushed to. The real server takes `https` on four ports only; the stand-in, which has no
/// certificates, takes `http` on loopback as a server run with `--local` does.
pub(super) fn set_webhook(state: &mut State, params: &Params) -> Outcome {
    let url = params.text("url").unwrap_or_default().to_owned();
    updates::remember_allowed(state, params);
    if params.is("drop_pending_updates") {
        state.updates.clear();
    }
    if url.is_empty() {
        state.webhook = None;
        return Ok(json!(true));
    }
    if !url.starts_with("http://127.0.0.1:") {
        return Err(Refusal::bad_request("bad webhook: An HTTPS URL must be provided for webhook"));
    }
    let secret = params.text("secret_token").filter(|secret| !secret.is_empty()).map(str::to_owned);
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if secret.as_ref().is_some_and(|secret| secret.len() > 256 || !secret.chars().all(is_allowed)) {
        return Err(Refusal::bad_request("secret token contains unallowed characters"));
    }
    state.webhook = Some(Webhook { url, secret });
    Ok(json!(true))
}

pub(super) fn delete_webhook(state: &mut State, params: &Params) -> Value {
    state.webhook = None;
    if params.is("drop_pending_updates") {
        state.updates.clear();
    }
    json!(true)
}

pub(super) fn webhook_info(state: &State) -> Value {
    let url = state.webhook.as_ref().map_or("", |webhook| &webhook.url);
    let mut info = json!({
        "url": url, "has_custom_certificate": false, "pending_update_count": state.updates.len(),
    });
    if let Some(allowed) = &state.allowed {
        info["allowed_updates"] = json!(allowed);
    }
    info
}

pub(super) fn file(state: &State, params: &Params) -> Outcome {
    let id = params.text("file_id").unwrap_or_default();
    if state.files.values().any(|file| file.unique_id == id) {
        return Err(Refusal::bad_request("wrong remote file identifier specified: Wrong string length"));
    }
    let Some(file) = state.files.get(id) else {
        return Err(Refusal::bad_request("wrong file_id or the file is temporarily unavailable"));
    };
    if file.n_bytes > MAX_DOWNLOAD_BYTES {
        return Err(Refusal::bad_request("file is too big"));
    }
    Ok(json!({
        "file_id": id, "file_unique_id": file.unique_id, "file_size": file.n_bytes, "file_path": file.path,
    }))
}

pub(super) fn chat(state: &mut State, params: &Params) -> Outcome {
    let chat = state.chat(params.int("chat_id").unwrap_or_default())?;
    let mut value = chat.value();
    // Required of the full form of a chat.
    value["accent_color_id"] = json!(0);
    value["max_reaction_count"] = json!(11);
    value["accepted_gift_types"] = json!({
        "unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false, "premium_subscription": false,
    });
    Ok(value)
}

fn member_value(user: Value, status: &str) -> Value {
    let mut member = json!({ "status": status, "user": user });
    match status {
        "creator" => member["is_anonymous"] = json!(false),
        "administrator" => {
            for right in [
                "can_be_edited",
                "is_anonymous",
                "can_manage_chat",
                "can_delete_messages",
                "can_manage_video_chats",
                "can_restrict_members",
                "can_promote_members",
                "can_change_info",
                "can_invite_users",
                "can_post_stories",
                "can_edit_stories",
                "can_delete_stories",
            ] {
                member[right] = json!(right == "can_manage_chat" || right == "can_change_info");
            }
        }
        _ => {}
    }
    member
}

pub(super) fn member(state: &mut State, params: &Params) -> Outcome {
    let user = params.int("user_id").unwrap_or_default();
    let chat = state.chat(params.int("chat_id").unwrap_or_default())?;
    match chat.members.get(&user) {
        Some((user, status)) => Ok(member_value(user.value(), status)),
        None => Err(Refusal::bad_request("user not found")),
    }
}

pub(super) fn administrators(state: &mut State, params: &Params) -> Outcome {
    let chat = state.chat(params.int("chat_id").unwrap_or_default())?;
    if !chat.is_group() {
        return Err(Refusal::bad_request("there are no administrators in the private chat"));
    }
    let admins = chat.members.values().filter(|(_, status)| *status != "member");
    Ok(admins.map(|(user, status)| member_value(user.value(), status)).collect())
}
