//! The page at `/`: a form, and its answer as HTML. Without scripts the form is posted and the page comes back whole;
//! the script asks for the answer alone and puts it in place. Sentences come from the locale files.

use std::sync::{Arc, LazyLock};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use image2song_contract::html::escape;
use image2song_contract::locale::{Locale, Value};
use sha2::{Digest, Sha256};

use crate::api::SUGGEST_OPTIONS;
use crate::app::App;
use crate::fault::Fault;
use crate::gate::check_site;
use crate::html::fill;
use crate::intake::{self, KeyField, Upload};
use crate::view;

const TEMPLATE: &str = include_str!("../assets/page.html");
const STYLE: &str = include_str!("../assets/page.css");
const SCRIPT: &str = include_str!("../assets/page.js");

const HTML: &str = "text/html; charset=utf-8";

/// Sentences of the page that stand in the template under their own names.
const SENTENCES: [&str; 14] = [
    "web-title",
    "web-lead",
    "web-photo",
    "web-hint",
    "web-hint-example",
    "web-choices",
    "web-languages",
    "web-any",
    "web-count",
    "web-clean",
    "web-send",
    "web-looking",
    "web-unreachable",
    "web-programs",
];

/// Languages of songs to choose from, by their own names.
const LANGUAGES: [(&str, &str); 10] = [
    ("en", "English"),
    ("es", "Español"),
    ("pt", "Português"),
    ("fr", "Français"),
    ("de", "Deutsch"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("zh", "中文"),
];

/// Only our own style and script, by their hashes; nothing from elsewhere; pictures from the page itself.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", BASE64.encode(&Sha256::digest(text.as_bytes())));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data: blob:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// What was asked, to stand in the form again.
#[derive(Debug, Default)]
struct Asked {
    hint: String,
    language: String,
    count: String,
    is_clean: bool,
}

/// `GET /`.
pub(crate) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let locale = locale_of(&headers);
    whole(&app, locale, &Asked::default(), "", StatusCode::OK)
}

/// `POST /`.
pub(crate) async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let locale = locale_of(&headers);
    let mut asked = Asked::default();
    // The script says so in a header, because a request that is refused early has no fields.
    let is_part = headers.contains_key("x-part");
    let found = ask(&app, request, &mut asked, is_part, locale).await;
    let (part, status, retry) = match found {
        Ok(part) => (part, StatusCode::OK, None),
        Err(fault) => {
            let sentence = sentence(&app, locale, &fault);
            let retry = fault.respond(HTML, String::new()).headers_mut().remove(header::RETRY_AFTER);
            (view::fault(&sentence), fault.status(), retry)
        }
    };
    let mut response = match is_part {
        true => html(status, part),
        false => whole(&app, locale, &asked, &part, status),
    };
    if let Some(value) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

async fn ask(app: &App, request: Request, asked: &mut Asked, is_part: bool, locale: Locale) -> Result<String, Fault> {
    check_site(request.headers())?;
    let key = if app.gate.knows(request.headers()) { KeyField::Done } else { KeyField::Awaited };
    let _place = app.gate.enter()?;
    let mut intake = intake::read(app, request, key).await?;
    // Where no key is needed the browser may still bring the field along.
    intake.fields.retain(|(name, _)| name != "key");
    for (name, value) in &intake.fields {
        match name.as_str() {
            "hint" => asked.hint.clone_from(value),
            "language" => asked.language.clone_from(value),
            "n" => asked.count.clone_from(value),
            "clean" => asked.is_clean = true,
            _ => {}
        }
    }
    let options = intake::options(&intake.fields, &SUGGEST_OPTIONS)?;
    let Some(Upload { name, bytes }) = intake.photos.into_iter().next() else { return Err(Fault::NoPhoto) };
    let json = app.in_time(app.api.suggest(name, bytes.clone(), options)).await?;
    let picture = if is_part { view::Picture::OfScript } else { view::Picture::of(&bytes) };
    view::songs(&json, picture, locale).map_err(|error| {
        tracing::error!(%error, "the core's answer is not the documented JSON");
        Fault::Internal { id: app.next_id() }
    })
}

/// The sentence for a person.
fn sentence(app: &App, locale: Locale, fault: &Fault) -> String {
    let mib = app.api.max_bytes() >> 20;
    match fault.kind() {
        "no_photo" => locale.say("web-no-photo"),
        "unsupported_format" | "unsupported_content_type" => locale.say("not-a-photo"),
        "too_many_bytes" | "too_many_pixels" | "side_too_long" => {
            locale.tell("too-large", &[("mib", Value::Number(mib))])
        }
        "truncated" | "corrupt" | "empty" | "cut_off" | "bad_form" | "slow_body" => locale.say("damaged"),
        "key" => locale.say("web-wrong-key"),
        "busy" | "slow_answer" => {
            let seconds = if let Fault::Busy { seconds } = fault { *seconds } else { 1 };
            locale.tell("busy", &[("seconds", Value::Number(seconds))])
        }
        "internal" => {
            let id = if let Fault::Internal { id } = fault { id.as_str() } else { "" };
            locale.tell("internal", &[("id", Value::Text(id))])
        }
        _ => fault.to_string(),
    }
}

/// The page with an answer, or without one.
fn whole(app: &App, locale: Locale, asked: &Asked, answer: &str, status: StatusCode) -> Response {
    let sentences: Vec<(&str, String)> = SENTENCES.iter().map(|name| (*name, escape(&locale.say(name)))).collect();
    let max_bytes = app.api.max_bytes();
    let mib = ("mib", Value::Number(max_bytes >> 20));
    let key = match app.gate.needs_key() {
        true => fill(include_str!("../assets/key.html"), &[("web-key", &escape(&locale.say("web-key")))]),
        false => String::new(),
    };
    let values = [
        ("lang", locale.code().to_owned()),
        ("style", STYLE.to_owned()),
        ("script", SCRIPT.to_owned()),
        ("key", key),
        ("answer", answer.to_owned()),
        ("hint", escape(&asked.hint)),
        ("languages", choices(&LANGUAGES, &asked.language)),
        ("counts", choices(&[("5", "5"), ("10", "10"), ("20", "20")], &asked.count)),
        ("clean", if asked.is_clean { " checked" } else { "" }.to_owned()),
        ("max-bytes", max_bytes.to_string()),
        ("formats", escape(&locale.tell("web-formats", &[mib]))),
        ("too-large", escape(&locale.tell("too-large", &[mib]))),
    ];
    let all: Vec<(&str, &str)> = sentences.iter().chain(&values).map(|(name, value)| (*name, value.as_str())).collect();
    html(status, fill(TEMPLATE, &all))
}

fn choices(all: &[(&str, &str)], chosen: &str) -> String {
    let choice = |&(value, name): &(&str, &str)| {
        let mark = if value == chosen { " selected" } else { "" };
        format!("<option value=\"{value}\"{mark}>{name}</option>")
    };
    all.iter().map(choice).collect()
}

fn html(status: StatusCode, body: String) -> Response {
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(HTML)),
        (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
        (header::VARY, HeaderValue::from_static("accept-language")),
    ];
    (status, headers, body).into_response()
}

/// The first language of the browser that the page speaks.
fn locale_of(headers: &HeaderMap) -> Locale {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tags = wanted.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    tags.take(20).find_map(Locale::of_tag).unwrap_or_default()
}
