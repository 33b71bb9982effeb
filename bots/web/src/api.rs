//! `/v1`: the answers of the core as JSON.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use image2song_contract::api::{ApiAnswer, ApiOptions};
use image2song_contract::bot::Pending;

use crate::app::App;
use crate::fault::Fault;
use crate::intake::{self, KeyField, Upload};

const JSON: &str = "application/json";
/// One object a line, as the command line prints it.
const JSON_LINES: &str = "application/x-ndjson";

/// Options that `suggest` takes.
pub(crate) const SUGGEST_OPTIONS: [&str; 5] = ["n", "top", "hint", "language", "clean"];
const TAGS_OPTIONS: [&str; 2] = ["n", "top"];

/// `POST /v1/suggest`.
pub(crate) async fn suggest(State(app): State<Arc<App>>, request: Request) -> Result<Response, Fault> {
    each_photo(&app, request, &SUGGEST_OPTIONS, |app, name, photo, options| app.api.suggest(name, photo, options)).await
}

/// `POST /v1/tags`.
pub(crate) async fn tags(State(app): State<Arc<App>>, request: Request) -> Result<Response, Fault> {
    each_photo(&app, request, &TAGS_OPTIONS, |app, name, photo, options| app.api.tags(name, photo, options)).await
}

/// Asks for each photo in turn: one client's many photos shall not fill the queue that others stand in.
async fn each_photo(
    app: &App,
    request: Request,
    known: &[&str],
    ask: for<'a> fn(&'a App, String, axum::body::Bytes, ApiOptions) -> Pending<'a, ApiAnswer>,
) -> Result<Response, Fault> {
    app.gate.check(request.headers())?;
    let _place = app.gate.enter()?;
    let intake = intake::read(app, request, KeyField::Done).await?;
    let options = intake::options(&intake.fields, known)?;
    let mut lines = String::new();
    let mut faults = Vec::new();
    let n_photos = intake.photos.len();
    for Upload { name, bytes } in intake.photos {
        match app.in_time(ask(app, name.clone(), bytes, options.clone())).await {
            Ok(json) => {
                lines += json.trim_end();
                lines.push('\n');
            }
            Err(fault) => {
                lines += &fault.json(Some(&name));
                faults.push(fault);
            }
        }
    }
    let content_type = if n_photos == 1 { JSON } else { JSON_LINES };
    Ok(match faults.first() {
        Some(first) if faults.len() == n_photos => first.respond(content_type, lines),
        _ => ok(content_type, lines),
    })
}

/// `GET /v1/songs`.
pub(crate) async fn songs(State(app): State<Arc<App>>, request: Request) -> Result<Response, Fault> {
    app.gate.check(request.headers())?;
    let _place = app.gate.enter()?;
    let (mut wanted, mut n) = (String::new(), 10);
    for (name, value) in intake::query_pairs(request.uri())? {
        match name.as_str() {
            "q" => wanted = intake::text("q", &value)?,
            "n" | "top" => n = intake::count(&value)?,
            _ => {
                return Err(Fault::UnknownOption { name: name.chars().take(100).collect(), known: "q, n, top".into() });
            }
        }
    }
    if wanted.is_empty() {
        return Err(Fault::BadOption { name: "q", allowed: "a part of a title or an artist" });
    }
    let json = app.in_time(app.api.songs(wanted, n)).await?;
    Ok(ok(JSON, json.trim_end().to_owned() + "\n"))
}

fn ok(content_type: &'static str, body: String) -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
