//! The HTTP side: paths, the token, faults, and the envelope around each answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State as AxumState};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::telegram::fault::{Fault, Outcome, Refusal};
use crate::telegram::params::{self, Params};
use crate::telegram::record::{Call, Download};
use crate::telegram::state::Shared;
use crate::telegram::{account, editing, sending, updates};

const BAD_GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad \
                           Gateway</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n";

/// Answers any request.
pub(super) async fn answer(AxumState(shared): AxumState<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.trim_start_matches('/').splitn(3, '/').collect();
    let (is_file, token, rest) = match parts.as_slice() {
        ["file", bot, rest] => (true, bot.strip_prefix("bot"), *rest),
        [bot, rest] => (false, bot.strip_prefix("bot"), *rest),
        _ => (false, None, ""),
    };
    match token.map(decode) {
        Some(token) if token == shared.token => {}
        Some(token) if token.contains(':') => return refuse(&Refusal::new(401, "Unauthorized")),
        _ => return refuse(&Refusal::new(404, "Not Found")),
    }
    if is_file {
        return download(&shared, rest).await;
    }
    let Some(method) = params::method(rest) else {
        shared.lock().violate(format!("unknown method {rest}"));
        return refuse(&Refusal::new(404, "Not Found: method not found"));
    };
    match Params::read(request).await {
        Ok(params) => call(&shared, method, params).await,
        Err(fault) => {
            shared.lock().violate(format!("{method}: {fault}"));
            refuse(&Refusal::bad_request(&fault))
        }
    }
}

async fn call(shared: &Arc<Shared>, method: &'static str, params: Params) -> Response {
    let (call_idx, fault) = {
        let mut state = shared.lock();
        for name in params::unknown(method, &params) {
            state.violate(format!("{method} has no parameter {name}"));
        }
        let call = Call { method, params: params.values.clone(), at: Instant::now(), refusal: None };
        state.calls.push(call);
        (state.calls.len() - 1, state.take_fault(method))
    };
    let outcome = match &fault {
        Some(Fault::Cut) => return cut(),
        Some(Fault::BadGateway) => return (StatusCode::BAD_GATEWAY, BAD_GATEWAY).into_response(),
        Some(Fault::Refuse { code, description }) => Err(Refusal::new(*code, description)),
        Some(Fault::TooManyRequests { retry_after }) => Err(flood(shared, &params, *retry_after)),
        Some(Fault::Slow(delay)) => {
            tokio::time::sleep(*delay).await;
            run(shared, method, &params).await
        }
        Some(Fault::LoseAnswer) | None => run(shared, method, &params).await,
    };
    if let Err(refusal) = &outcome {
        shared.lock().calls[call_idx].refusal = Some(refusal.description.clone());
    }
    shared.notify();
    match (fault, outcome) {
        (Some(Fault::LoseAnswer), _) => cut(),
        (_, Ok(result)) => respond(200, &json!({ "ok": true, "result": result })),
        (_, Err(refusal)) => refuse(&refusal),
    }
}

/// Closes a chat for a while and gives the refusal that says so.
fn flood(shared: &Shared, params: &Params, retry_after: u64) -> Refusal {
    let now = Instant::now();
    let mut state = shared.lock();
    if let Some(chat) = params.int("chat_id").and_then(|id| state.chats.get_mut(&id)) {
        chat.flood = Some((now, now + Duration::from_secs(retry_after)));
    }
    Refusal::flood(retry_after)
}

async fn run(shared: &Arc<Shared>, method: &str, params: &Params) -> Outcome {
    if method == "getUpdates" {
        return updates::get(shared, params).await;
    }
    let mut state = shared.lock();
    match method {
        "getMe" => Ok(account::me(&state)),
        "setWebhook" => account::set_webhook(&mut state, params),
        "deleteWebhook" => Ok(account::delete_webhook(&mut state, params)),
        "getWebhookInfo" => Ok(account::webhook_info(&state)),
        "sendMessage" => sending::message(&mut state, params),
        "sendPhoto" => sending::photo(&mut state, params),
        "sendDocument" => sending::document(&mut state, params),
        "sendChatAction" => sending::chat_action(&mut state, params),
        "editMessageText" => editing::edit_text(&mut state, params),
        "editMessageCaption" => editing::edit_caption(&mut state, params),
        "editMessageReplyMarkup" => editing::edit_keyboard(&mut state, params),
        "deleteMessage" => editing::delete(&mut state, params),
        "answerCallbackQuery" => editing::answer_query(&mut state, params),
        "setMessageReaction" => editing::set_reaction(&mut state, params),
        "setMyCommands" => account::set_commands(&mut state, params),
        "getMyCommands" => Ok(account::get_commands(&state, params)),
        "deleteMyCommands" => Ok(account::delete_commands(&mut state, params)),
        "getFile" => account::file(&state, params),
        "getChat" => account::chat(&mut state, params),
        "getChatMember" => account::member(&mut state, params),
        "getChatAdministrators" => account::administrators(&mut state, params),
        _ => Ok(json!(true)),
    }
}

/// Gives the bytes of a file, whose path usually comes with an encoded slash.
async fn download(shared: &Shared, raw_path: &str) -> Response {
    let path = decode(raw_path);
    let (fault, found) = {
        let mut state = shared.lock();
        let fault = state.take_fault("download");
        let found = state.files.iter().find(|(_, file)| file.path == path);
        let found = found.map(|(id, file)| (id.clone(), file.bytes.clone()));
        if let Some((file_id, _)) = &found {
            state.downloads.push(Download { file_id: file_id.clone(), raw_path: raw_path.to_owned() });
        }
        (fault, found)
    };
    shared.notify();
    match fault {
        Some(Fault::Cut | Fault::LoseAnswer) => return cut(),
        Some(Fault::BadGateway) => return (StatusCode::BAD_GATEWAY, BAD_GATEWAY).into_response(),
        Some(Fault::Refuse { code, description }) => return refuse(&Refusal::new(code, &description)),
        Some(Fault::TooManyRequests { retry_after }) => return refuse(&Refusal::flood(retry_after)),
        Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
        None => {}
    }
    match found {
        Some((_, bytes)) => ([("content-type", "application/octet-stream")], bytes).into_response(),
        None => refuse(&Refusal::new(404, "Not Found")),
    }
}

fn respond(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

fn refuse(refusal: &Refusal) -> Response {
    respond(refusal.code, &refusal.body())
}

/// An answer whose body breaks off, which closes the connection.
fn cut() -> Response {
    let broken = futures_util::stream::once(async {
        Err::<Bytes, std::io::Error>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Body::from_stream(broken).into_response()
}

/// Replaces `%XX` by the byte it stands for.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = rest.get(1..3).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
