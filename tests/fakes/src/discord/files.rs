//! The CDN and the media proxy: files behind links that expire.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::fault::{Fault, take};
use super::ids::unix_now;
use super::record::{Call, Seen};
use super::world::{Shared, World};

/// The CDN, beside REST.
pub fn cdn(shared: Arc<Shared>) -> Router {
    Router::new().route("/attachments/{channel}/{id}/{name}", axum::routing::get(download)).with_state(shared)
}

/// The media proxy, which resizes and converts.
pub fn media(shared: Arc<Shared>) -> Router {
    Router::new().route("/attachments/{channel}/{id}/{name}", axum::routing::get(resized)).with_state(shared)
}

async fn download(State(shared): State<Arc<Shared>>, headers: HeaderMap, uri: Uri) -> Response {
    give(shared, headers, uri, Call::Download).await
}

async fn resized(State(shared): State<Arc<Shared>>, headers: HeaderMap, uri: Uri) -> Response {
    give(shared, headers, uri, Call::Resized).await
}

async fn give(shared: Arc<Shared>, headers: HeaderMap, uri: Uri, call: Call) -> Response {
    let fault = shared.change(|world| take(&mut world.faults, call));
    if let Some(Fault::Slow(time)) = fault {
        tokio::time::sleep(time).await;
    }
    shared.change(|world| {
        if headers.contains_key(header::AUTHORIZATION) {
            world.violations.push("the token was sent to the CDN".to_owned());
        }
        let response = answer(world, &uri, call, fault);
        let (line, status) = (format!("GET {uri}"), response.status().as_u16());
        world.calls.push(Seen { at: Instant::now(), call, line, status, body: Value::Null });
        response
    })
}

fn answer(world: &mut World, uri: &Uri, call: Call, fault: Option<Fault>) -> Response {
    match fault {
        Some(Fault::Redirected(to)) => {
            let to = HeaderValue::from_str(&to).unwrap_or(HeaderValue::from_static("/"));
            return (StatusCode::FOUND, [(header::LOCATION, to)]).into_response();
        }
        Some(Fault::Refused(status, _) | Fault::Broken(status)) => {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response();
        }
        _ => {}
    }
    let gone = (StatusCode::NOT_FOUND, "This content is no longer available.").into_response();
    let query: Vec<(&str, &str)> =
        uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')).collect();
    let hex = |key: &str| {
        let value = query.iter().find(|(name, _)| *name == key)?.1;
        u64::from_str_radix(value, 16).ok()
    };
    let is_fresh =
        hex("ex").is_some_and(|expiry| expiry as f64 > unix_now()) && hex("hm") == Some(world.link_generation);
    let Some(photo) = world.files.get(uri.path()).filter(|_| is_fresh) else {
        return gone;
    };
    let wanted: Vec<&(&str, &str)> = query.iter().filter(|(key, _)| !["ex", "is", "hm"].contains(key)).collect();
    if call == Call::Download || wanted.is_empty() {
        return ([(header::CONTENT_TYPE, photo.content_type.clone())], photo.bytes.clone()).into_response();
    }
    let proxied = photo.proxied.clone().or(photo.size.map(|_| photo.bytes.clone()));
    if let Some((key, value)) = wanted.iter().find(|(key, value)| !is_known(key, value)) {
        world.violations.push(format!("the media proxy was asked for {key}={value}"));
        return StatusCode::BAD_REQUEST.into_response();
    }
    match proxied {
        Some(bytes) => ([(header::CONTENT_TYPE, "image/jpeg".to_owned())], bytes).into_response(),
        // What it takes for no picture it does not convert.
        None => StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response(),
    }
}

fn is_known(key: &str, value: &str) -> bool {
    match key {
        "width" | "height" => value.parse().is_ok_and(|side: u32| (1..=4096).contains(&side)),
        "format" => ["jpeg", "png", "webp"].contains(&value),
        "quality" => ["lossless", "low", "high"].contains(&value),
        _ => false,
    }
}

/// A time in which even a busy machine has answered.
pub const SOON: Duration = Duration::from_secs(60);
