//! REST: who asks, what limits and faults say, and where each request goes.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::TOKEN;
use super::body::{Body, Upload};
use super::fault::{Fault, Limited, take};
use super::ids::{Channel, InteractionId, MessageId};
use super::record::{Act, Call, Seen};
use super::refusal::Refusal;
use super::world::{SEND, Shared, World};

/// Largest request the real one takes, in bytes.
const MAX_REQUEST: usize = 25 << 20;

/// REST under `/api/v10`.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(handle).with_state(shared)
}

/// What a path means.
struct Route {
    call: Call,
    /// Channel or token by which the rate limit is kept.
    key: String,
    target: Target,
}

enum Target {
    Gateway,
    GatewayBot,
    Me,
    Application,
    Roles,
    Commands,
    Typing(Channel),
    Post(Channel),
    Message(Channel, MessageId),
    Reaction(Channel, MessageId, String),
    Callback(InteractionId, String),
    FollowUp(String),
    Answer(String, String),
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let line = format!("{method} {uri}");
    let route = shared.look(|world| route(world, &method, uri.path()));
    let call = route.as_ref().map_or(Call::Unknown, |route| route.call);
    let fault = shared.change(|world| take(&mut world.faults, call));
    if let Some(Fault::Slow(time)) = &fault {
        tokio::time::sleep(*time).await;
    }
    let body = read(request).await.unwrap_or_default();
    let (status, mut extra, answer) = shared.change(|world| {
        let answer = respond(world, route, &method, &headers, &body, fault);
        let status = answer.0.as_u16();
        world.calls.push(Seen { at: std::time::Instant::now(), call, line, status, body: body.json });
        answer
    });
    extra.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match answer {
        Answer::Json(json) => (status, extra, json.to_string()).into_response(),
        Answer::Empty => (status, extra).into_response(),
        Answer::Html => {
            extra.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            (status, extra, "<html><body>error code: 502</body></html>").into_response()
        }
    }
}

/// Body of an answer.
enum Answer {
    Json(Value),
    Empty,
    Html,
}

type Full = (StatusCode, HeaderMap, Answer);

fn refused(refusal: Refusal, headers: HeaderMap) -> Full {
    (refusal.status, headers, Answer::Json(refusal.body()))
}

fn limited(world: &mut World, key: &str, limited: &Limited) -> Full {
    world.limits.begin(key, limited);
    (StatusCode::TOO_MANY_REQUESTS, limited.headers(key), Answer::Json(limited.body()))
}

fn respond(
    world: &mut World,
    route: Option<Route>,
    method: &Method,
    headers: &HeaderMap,
    body: &Body,
    fault: Option<Fault>,
) -> Full {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if token.strip_prefix("Bot ") != Some(TOKEN) {
        return refused(Refusal::unauthorized(), HeaderMap::new());
    }
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !agent.starts_with("DiscordBot (") {
        world.violations.push(format!("the User-Agent is {agent:?}"));
    }
    let Some(route) = route else {
        world.violations.push(format!("{method} to a route that does not exist"));
        return refused(Refusal::new(404, 0, "404: Not Found"), HeaderMap::new());
    };
    let key = format!("{:?}/{}", route.call, route.key);
    if let Some((running, early)) = world.limits.broken(route.call, &key) {
        if let Some(early) = early {
            world.violations.push(format!("{:?} came {} ms before its limit ended", route.call, early.as_millis()));
        }
        return limited(world, &key, &running);
    }
    match fault {
        Some(Fault::Limited { after_s, code, is_global }) => {
            return limited(world, &key, &Limited { after_s, code, is_global });
        }
        Some(Fault::Refused(status, code)) => {
            return refused(Refusal::new(status, code, "refused by the script"), HeaderMap::new());
        }
        Some(Fault::Broken(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            return (status, HeaderMap::new(), Answer::Html);
        }
        _ => {}
    }
    let rate = match world.limits.count(route.call, &key, world.options.posts_per) {
        Ok(rate) => rate,
        Err(reached) => return limited(world, &key, &reached),
    };
    let done = act(world, route.target, method, body);
    if let Some(Fault::BrokenAfterwards(status)) = fault {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        return (status, rate, Answer::Html);
    }
    match done {
        Ok(Value::Null) => (StatusCode::NO_CONTENT, rate, Answer::Empty),
        Ok(json) => (StatusCode::OK, rate, Answer::Json(json)),
        Err(refusal) => refused(refusal, rate),
    }
}

fn act(world: &mut World, target: Target, method: &Method, body: &Body) -> Result<Value, Refusal> {
    match target {
        Target::Gateway => Ok(json!({ "url": world.urls.gateway })),
        Target::GatewayBot => Ok(json!({
            "url": world.urls.gateway, "shards": world.options.n_shards,
            "session_start_limit": { "total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 1 }
        })),
        Target::Me => Ok(world.user_json(world.bot)),
        Target::Application => Ok(world.application_json()),
        Target::Roles => Ok(world.roles_json()),
        Target::Commands => world.register(&body.json),
        Target::Typing(channel) => {
            world.allowed(channel, SEND)?;
            world.note(Act::Typing(channel));
            Ok(Value::Null)
        }
        Target::Post(channel) => world.post(channel, body),
        Target::Message(channel, message) if method == Method::GET => world.read(channel, message),
        Target::Message(channel, message) if method == Method::PATCH => world.edit(channel, message, body),
        Target::Message(channel, message) => world.delete(channel, message).map(|()| Value::Null),
        Target::Reaction(channel, message, emoji) if method == Method::PUT => {
            world.react(channel, message, emoji).map(|()| Value::Null)
        }
        Target::Reaction(channel, message, _) => world.read(channel, message).map(|_| Value::Null),
        Target::Callback(id, token) => world.answer_first(id, &token, body).map(|_| Value::Null),
        Target::FollowUp(token) => world.follow_up(&token, body),
        Target::Answer(token, name) if method == Method::PATCH => world.edit_answer(&token, &name, body),
        Target::Answer(token, name) if method == Method::DELETE => {
            world.delete_answer(&token, &name).map(|()| Value::Null)
        }
        Target::Answer(token, name) => {
            let id = world.by_token(&token)?;
            let message = world.answer_message(id, &name)?;
            Ok(world.message_json(message, super::message::View { has_content: true, is_event: false }))
        }
    }
}

fn route(world: &World, method: &Method, path: &str) -> Option<Route> {
    let parts: Vec<&str> = path.strip_prefix("/api/v10/")?.split('/').collect();
    let (app, guild) = (world.application.to_string(), world.guild.to_string());
    let id = |text: &str| text.parse::<u64>().ok();
    let to = |call, key: &str, target| Some(Route { call, key: key.to_owned(), target });
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["gateway"]) => to(Call::Gateway, "", Target::Gateway),
        ("GET", ["gateway", "bot"]) => to(Call::Gateway, "", Target::GatewayBot),
        ("GET", ["users", "@me"]) => to(Call::About, "", Target::Me),
        ("GET", ["applications", "@me"]) => to(Call::About, "", Target::Application),
        ("GET", ["guilds", of, "roles"]) if *of == guild => to(Call::About, of, Target::Roles),
        ("PUT", ["applications", of, "commands"]) if *of == app => to(Call::Commands, "", Target::Commands),
        ("POST", ["channels", c, "typing"]) => to(Call::Typing, c, Target::Typing(Channel(id(c)?))),
        ("POST", ["channels", c, "messages"]) => to(Call::Post, c, Target::Post(Channel(id(c)?))),
        ("GET" | "PATCH" | "DELETE", ["channels", c, "messages", m]) => {
            let call = match method.as_str() {
                "GET" => Call::Read,
                "PATCH" => Call::Edit,
                _ => Call::Delete,
            };
            to(call, c, Target::Message(Channel(id(c)?), MessageId(id(m)?)))
        }
        ("PUT" | "DELETE", ["channels", c, "messages", m, "reactions", emoji, "@me"]) => {
            to(Call::React, c, Target::Reaction(Channel(id(c)?), MessageId(id(m)?), decode(emoji)))
        }
        ("POST", ["interactions", i, token, "callback"]) => {
            to(Call::Callback, token, Target::Callback(InteractionId(id(i)?), (*token).to_owned()))
        }
        ("POST", ["webhooks", of, token]) if *of == app => {
            to(Call::FollowUp, token, Target::FollowUp((*token).to_owned()))
        }
        ("GET" | "PATCH" | "DELETE", ["webhooks", of, token, "messages", name]) if *of == app => {
            let call = if method == Method::DELETE { Call::DeleteAnswer } else { Call::EditAnswer };
            to(call, token, Target::Answer((*token).to_owned(), (*name).to_owned()))
        }
        _ => None,
    }
}

/// Reads JSON, or a form with its files; `None` when it breaks off.
async fn read(request: Request) -> Option<Body> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let bytes: Bytes = axum::body::to_bytes(request.into_body(), MAX_REQUEST).await.ok()?;
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        return Some(Body { json, uploads: Vec::new() });
    }
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let mut body = Body::default();
    while let Ok(Some(part)) = form.next_field().await {
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.file_name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.ok()?;
        if name == "payload_json" {
            body.json = serde_json::from_slice(&bytes).unwrap_or_default();
        } else if let Some(index) = name.strip_prefix("files[").and_then(|rest| rest.strip_suffix(']')) {
            body.uploads.push(Upload { index: index.to_owned(), name: file, bytes: bytes.to_vec() });
        }
    }
    Some(body)
}

/// Decodes `%F0%9F%91%8D`; what is no such code stays.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut idx = 0;
    while idx < bytes.len() {
        let code = text.get(idx + 1..idx + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(|_| bytes[idx] == b'%') {
            Some(byte) => {
                decoded.push(byte);
                idx += 3;
            }
            None => {
                decoded.push(bytes[idx]);
                idx += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_decoded() {
        assert_eq!(decode("%F0%9F%91%8D"), "👍");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("1%EF%B8%8F%E2%83%A3"), "1\u{fe0f}\u{20e3}");
    }
}
