//! What operators and their tools ask: alive, ready, metrics, the description of the interface; and listen links.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::fault::Fault;

/// The description of `/v1` and all other paths.
pub(crate) const OPENAPI: &str = include_str!("../assets/openapi.json");

/// Longer listen links are not ours.
const MAX_TOKEN: usize = 2048;

#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Value>,
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "ok\n").into_response()
}

/// `GET /readyz`: photos would be answered now. The parts are for whoever may ask.
pub(crate) async fn readyz(State(app): State<Arc<App>>, request: Request) -> Response {
    let readiness = app.api.readiness();
    let status = if readiness.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let knows = app.gate.knows(request.headers());
    let parts = knows.then(|| serde_json::from_str(&readiness.parts).unwrap_or(Value::String(readiness.parts)));
    // A bool and a JSON value always serialize.
    let body = serde_json::to_string(&Ready { ready: readiness.is_ready, parts }).unwrap_or_default() + "\n";
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(app): State<Arc<App>>, request: Request) -> Result<Response, Fault> {
    app.gate.check(request.headers())?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], app.api.metrics()).into_response())
}

/// `GET /openapi.json`.
pub(crate) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// `GET /go/{token}`: counts a listen link and leads on. The target is in the token, signed by the core, and nothing in
/// the request can change it.
pub(crate) async fn go(
    State(app): State<Arc<App>>,
    method: Method,
    token: Result<Path<String>, PathRejection>,
) -> Result<Response, Fault> {
    // A look at the headers alone is a program's, not a listener's: it must not count.
    if method == Method::HEAD {
        return Err(Fault::Method);
    }
    let Path(token) = token.map_err(|_| Fault::NotFound)?;
    let is_token =
        token.len() <= MAX_TOKEN && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~=".contains(&b));
    if !is_token {
        return Err(Fault::NotFound);
    }
    let limit = app.options.answer_timeout;
    let followed = tokio::time::timeout(limit, app.api.follow(&token)).await.map_err(|_| Fault::SlowAnswer(limit))?;
    let target = followed.filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    let location = target.and_then(|url| HeaderValue::from_str(&url).ok()).ok_or(Fault::NotFound)?;
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}
