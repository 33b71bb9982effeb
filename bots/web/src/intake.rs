//! Reads what a request brings: photos and options, from a form or as bare bytes, never more than is allowed.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Query, Request};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use image2song_contract::api::ApiOptions;

use crate::app::App;
use crate::fault::Fault;
use crate::gate::Account;

/// Most bytes of a field that is no photo.
const MAX_FIELD: usize = 4096;
/// Most characters of the words beside a photo and of a search.
const MAX_TEXT: usize = 200;
/// Most characters of a photo's name.
const MAX_NAME: usize = 100;
/// How long the rest of a body that is too large is read and thrown away: a client that still sends sees no answer.
const LINGER: Duration = Duration::from_secs(2);

/// A photo as it came.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

/// What a request brought.
#[derive(Debug)]
pub(crate) struct Intake {
    /// In their order, at least one.
    pub(crate) photos: Vec<Upload>,
    /// Options by name, of the address and the form.
    pub(crate) fields: Vec<(String, String)>,
    /// Room for their bytes, given back with them.
    account: Account,
}

/// Where the key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyField {
    /// It was shown, or none is needed.
    Done,
    /// In the form's field `key`, which must come before the photo.
    Awaited,
}

/// Reads a request to its end, within the time allowed.
pub(crate) async fn read(app: &App, request: Request, key: KeyField) -> Result<Intake, Fault> {
    let limit = app.options.body_timeout;
    tokio::time::timeout(limit, read_all(app, request, key)).await.unwrap_or(Err(Fault::SlowBody(limit)))
}

async fn read_all(app: &App, request: Request, mut key: KeyField) -> Result<Intake, Fault> {
    let fields = query_pairs(request.uri())?;
    let mut intake = Intake { photos: Vec::new(), fields, account: app.gate.account() };
    let is_form = match content_type(request.headers()).as_str() {
        "multipart/form-data" => true,
        "application/octet-stream" | "image/jpeg" | "image/png" | "image/webp" | "image/gif" | "image/bmp" => false,
        // What a browser or system may call a photo all the same; the bytes decide.
        other if other.starts_with("image/") => false,
        _ => return Err(Fault::ContentType),
    };
    let max_photo = app.api.max_bytes();
    let max_bytes = if is_form { app.options.max_request_bytes } else { max_photo };
    if announced(request.headers()).is_some_and(|n| n > max_bytes) {
        discard(request.into_body()).await;
        return Err(Fault::TooLarge { max_bytes });
    }
    if is_form {
        let mut form = Multipart::from_request(request, &()).await.map_err(|_| Fault::BadForm)?;
        while let Some(field) = form.next_field().await.map_err(|error| form_fault(&error, max_bytes))? {
            take_field(app, &mut intake, field, &mut key).await?;
        }
    } else if key == KeyField::Done {
        let name = intake.fields.iter().position(|(name, _)| name == "name").map(|idx| intake.fields.remove(idx).1);
        let bytes = read_bare(request.into_body(), &mut intake.account, max_photo).await?;
        intake.photos.push(Upload { name: clean_name(name.as_deref().unwrap_or_default(), 0), bytes });
    }
    match key {
        KeyField::Awaited => Err(Fault::Key),
        KeyField::Done if intake.photos.is_empty() => Err(Fault::NoPhoto),
        KeyField::Done => Ok(intake),
    }
}

/// Takes one field of a form into the intake.
async fn take_field(app: &App, intake: &mut Intake, mut field: Field<'_>, key: &mut KeyField) -> Result<(), Fault> {
    let is_photo = field.name() == Some("photo");
    let n_before = intake.photos.len();
    let max_bytes = if is_photo { app.api.max_bytes() } else { MAX_FIELD as u64 };
    if is_photo && *key == KeyField::Awaited {
        return Err(Fault::Key);
    }
    if is_photo && n_before == app.options.max_photos {
        return Err(Fault::TooManyPhotos { max: n_before });
    }
    let mut bytes = Vec::new();
    let whole = app.options.max_request_bytes;
    while let Some(part) = field.chunk().await.map_err(|error| form_fault(&error, whole))? {
        if (bytes.len() + part.len()) as u64 > max_bytes {
            return Err(Fault::TooLarge { max_bytes });
        }
        intake.account.take(part.len())?;
        bytes.extend_from_slice(&part);
    }
    if is_photo {
        // A form whose photo was left empty sends a part without name and content.
        let file = field.file_name().unwrap_or_default();
        if !(bytes.is_empty() && file.is_empty()) {
            intake.photos.push(Upload { name: clean_name(file, n_before), bytes: bytes.into() });
        }
        return Ok(());
    }
    let text = String::from_utf8(bytes).map_err(|_| Fault::BadForm)?;
    let name = field.name().unwrap_or_default();
    if name == "key" && *key == KeyField::Awaited {
        if !app.gate.opens(text.as_bytes()) {
            return Err(Fault::Key);
        }
        *key = KeyField::Done;
    } else {
        intake.fields.push((name.to_owned(), text));
    }
    Ok(())
}

/// A body that is a photo.
async fn read_bare(mut body: Body, account: &mut Account, max_bytes: u64) -> Result<Bytes, Fault> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(part) = frame.map_err(|_| Fault::CutOff)?.into_data() else { continue };
        if (bytes.len() + part.len()) as u64 > max_bytes {
            discard(body).await;
            return Err(Fault::TooLarge { max_bytes });
        }
        account.take(part.len())?;
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.into())
}

/// Reads on for a moment and keeps nothing.
async fn discard(mut body: Body) {
    let rest = async { while let Some(Ok(_)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {} };
    let _ = tokio::time::timeout(LINGER, rest).await;
}

fn form_fault(error: &MultipartError, max_bytes: u64) -> Fault {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE { Fault::TooLarge { max_bytes } } else { Fault::BadForm }
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The length that the body is said to have.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A name without folders and control characters; numbered if nothing is left of it.
fn clean_name(given: &str, n_before: usize) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    match name.trim() {
        "" if n_before == 0 => "photo".into(),
        "" => format!("photo {}", n_before + 1),
        name => name.into(),
    }
}

/// Names and values after the question mark.
pub(crate) fn query_pairs(uri: &Uri) -> Result<Vec<(String, String)>, Fault> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    pairs.map(|Query(pairs)| pairs).map_err(|_| Fault::BadOption { name: "the query", allowed: "UTF-8" })
}

/// Options from fields. `known` are the names that may stand there; an empty value is as if the field were not there.
pub(crate) fn options(fields: &[(String, String)], known: &[&str]) -> Result<ApiOptions, Fault> {
    let mut options = ApiOptions::default();
    for (name, value) in fields {
        if !known.contains(&name.as_str()) {
            let name = name.chars().take(MAX_NAME).collect();
            return Err(Fault::UnknownOption { name, known: known.join(", ") });
        }
        match name.as_str() {
            _ if value.is_empty() => {}
            "n" | "top" => options.n = Some(count(value)?),
            "hint" => options.hint = text("hint", value)?,
            "language" => options.languages.extend(languages(value)?),
            "clean" => options.is_clean = flag(value)?,
            _ => {}
        }
    }
    Ok(options)
}

/// A number of songs or tags.
pub(crate) fn count(value: &str) -> Result<u8, Fault> {
    let wrong = Fault::BadOption { name: "n", allowed: "a number from 1 to 50" };
    value.parse().ok().filter(|n| (1..=50).contains(n)).ok_or(wrong)
}

/// Words that a person wrote.
pub(crate) fn text(name: &'static str, value: &str) -> Result<String, Fault> {
    let value = value.trim();
    match value.chars().count() {
        0..=MAX_TEXT => Ok(value.to_owned()),
        _ => Err(Fault::BadOption { name, allowed: "at most 200 characters" }),
    }
}

fn languages(value: &str) -> Result<Vec<String>, Fault> {
    let codes: Vec<String> = value.split(',').map(|code| code.trim().to_ascii_lowercase()).collect();
    let is_code = |code: &String| (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase());
    match codes.iter().all(is_code) && codes.len() <= 20 {
        true => Ok(codes),
        false => Err(Fault::BadOption { name: "language", allowed: "ISO 639-1 codes such as en,fr" }),
    }
}

fn flag(value: &str) -> Result<bool, Fault> {
    match value {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err(Fault::BadOption { name: "clean", allowed: "true or false" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_folders_and_control_characters() {
        for (given, name) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\photos\\a.jpg", "a.jpg"),
            ("a\nb\u{7}.jpg", "ab.jpg"),
            ("浜辺.jpg", "浜辺.jpg"),
            ("", "photo"),
            ("folder/", "photo"),
        ] {
            assert_eq!(clean_name(given, 0), name);
        }
        assert_eq!(clean_name(" ", 2), "photo 3");
        assert_eq!(clean_name(&"x".repeat(500), 0).len(), MAX_NAME);
    }

    #[test]
    fn options_are_checked() {
        let fields = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let known = ["n", "top", "hint", "language", "clean"];
        let given =
            fields(&[("top", "7"), ("hint", " rainy "), ("language", "en, FR"), ("language", "ja"), ("clean", "on")]);
        let read = options(&given, &known).unwrap();
        let languages = ["en", "fr", "ja"].map(str::to_owned).into();
        assert_eq!(read, ApiOptions { n: Some(7), hint: "rainy".into(), languages, is_clean: true });
        assert_eq!(options(&fields(&[("n", ""), ("clean", "")]), &known).unwrap(), ApiOptions::default());
        for (name, value) in
            [("n", "0"), ("n", "51"), ("n", "-1"), ("language", "english"), ("language", "e n"), ("clean", "perhaps")]
        {
            assert_eq!(options(&fields(&[(name, value)]), &known).unwrap_err().kind(), "bad_option", "{name}={value}");
        }
        assert!(options(&fields(&[("hint", &"x".repeat(201))]), &known).is_err());
        let unknown = options(&fields(&[("hnt", "x")]), &known).unwrap_err().to_string();
        assert!(unknown.contains("\"hnt\"") && unknown.contains("hint"), "{unknown}");
    }
}
