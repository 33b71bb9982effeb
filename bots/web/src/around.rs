//! What happens around every request: an id, a caught panic, headers that keep browsers from harm, one line in the log.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use image2song_contract::supervise::caught;

use crate::app::App;
use crate::fault::Fault;
use crate::routes;

/// Set on every response that does not say otherwise.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
];

/// Handles a request. The log gets method, route, status, time and id: no path with a token in it, no query, no header.
pub(crate) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = app.next_id();
    let method = name_of(request.method());
    let route = routes::name_of(request.uri().path());
    let mut response = match caught(next.run(request)).await {
        Some(response) => response,
        None => {
            app.health.panicked();
            tracing::error!(id, route, "a handler panicked");
            Fault::Internal { id: id.clone() }.into_response()
        }
    };
    guard(response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let status = response.status();
    app.health.count("request", route);
    app.health.count("status", class(status.as_u16()));
    let ms = started.elapsed().as_millis() as u64;
    if ["/healthz", "/readyz", "/metrics"].contains(&route) {
        tracing::debug!(id, method, route, status = status.as_u16(), ms, "request");
    } else {
        tracing::info!(id, method, route, status = status.as_u16(), ms, "request");
    }
    response
}

fn guard(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// A method by its name; one that was made up could hold anything.
fn name_of(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    known.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}

/// The status as a word for a counter.
fn class(status: u16) -> &'static str {
    match status {
        200..300 => "2xx",
        300..400 => "3xx",
        401 => "401",
        408 => "408",
        413 => "413",
        429 => "429",
        400..500 => "4xx",
        503 => "503",
        _ => "5xx",
    }
}
