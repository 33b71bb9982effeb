//! Why a request has no answer: a status, a word for programs and a sentence for people.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The request holds no photo.
    #[error("there is no photo; send its bytes as the body, or as the field `photo` of a form")]
    NoPhoto,
    /// An option that does not exist.
    #[error("there is no option {name:?}; options here are {known}")]
    UnknownOption {
        /// As it came.
        name: String,
        /// Names of those that exist.
        known: String,
    },
    /// An option with a value that cannot be.
    #[error("{name} must be {allowed}")]
    BadOption {
        /// Its name.
        name: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
    /// The body is not what its type says.
    #[error("the body is no whole multipart form")]
    BadForm,
    /// The client went away while it sent.
    #[error("the body ended before its time")]
    CutOff,
    /// A type of body that is not read here.
    #[error("send a photo with `Content-Type: image/jpeg` (or png, webp, gif, bmp), or a multipart/form-data form")]
    ContentType,
    /// The photo or the request is too large.
    #[error("more than {max_bytes} bytes; send a smaller photo, or fewer in one request")]
    TooLarge {
        /// Most bytes.
        max_bytes: u64,
    },
    /// Too many photos in one request.
    #[error("more than {max} photos in one request")]
    TooManyPhotos {
        /// Most photos.
        max: usize,
    },
    /// The body came too slowly.
    #[error("the body took longer than {} s", .0.as_secs())]
    SlowBody(Duration),
    /// The answer took too long.
    #[error("there was no answer within {} s; try again", .0.as_secs())]
    SlowAnswer(Duration),
    /// Too much to do.
    #[error("busy; try again in {seconds} s")]
    Busy {
        /// When to try again.
        seconds: u64,
    },
    /// No key, or a wrong one.
    #[error("this needs the API key, as `Authorization: Bearer …` or `X-Api-Key: …`")]
    Key,
    /// A page of another site sent this through somebody's browser.
    #[error("pages of other sites may not ask from a browser; ask from a server, with a key")]
    CrossSite,
    /// No such path, song link or the like.
    #[error("there is nothing here; /openapi.json says what there is")]
    NotFound,
    /// The path exists, but not for this method.
    #[error("this path does not take this method; the header Allow says which it takes")]
    Method,
    /// The core refused: the caller's fault.
    #[error("{message}")]
    Refused {
        /// A word of the list in docs/json.md.
        kind: String,
        /// What was found and what is allowed.
        message: String,
    },
    /// Our fault.
    #[error("something went wrong here; it is noted as {id}")]
    Internal {
        /// The id in the log.
        id: String,
    },
}

/// `{"photo"?,"error":{"kind","message"}}`, as in every answer of the command line.
#[derive(Debug, Serialize, Deserialize)]
struct Failed {
    #[serde(skip_serializing_if = "Option::is_none")]
    photo: Option<String>,
    error: Entry,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    kind: String,
    message: String,
}

impl Fault {
    /// Reads `{"error":{"kind","message"}}` of the core.
    pub(crate) fn refused(json: &str) -> Self {
        match serde_json::from_str::<Failed>(json) {
            Ok(Failed { error: Entry { kind, message }, .. }) => Self::Refused { kind, message },
            Err(_) => Self::Refused { kind: "refused".into(), message: "the request was refused".into() },
        }
    }

    /// A word to act on; those of photos are listed in docs/json.md.
    pub fn kind(&self) -> &str {
        match self {
            Self::NoPhoto => "no_photo",
            Self::UnknownOption { .. } | Self::BadOption { .. } => "bad_option",
            Self::BadForm => "bad_form",
            Self::CutOff => "cut_off",
            Self::ContentType => "unsupported_content_type",
            Self::TooLarge { .. } => "too_many_bytes",
            Self::TooManyPhotos { .. } => "too_many_photos",
            Self::SlowBody(_) => "slow_body",
            Self::SlowAnswer(_) => "slow_answer",
            Self::Busy { .. } => "busy",
            Self::Key => "key",
            Self::CrossSite => "cross_site",
            Self::NotFound => "not_found",
            Self::Method => "method",
            Self::Refused { kind, .. } => kind,
            Self::Internal { .. } => "internal",
        }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoPhoto | Self::UnknownOption { .. } | Self::BadOption { .. } | Self::BadForm | Self::CutOff => {
                StatusCode::BAD_REQUEST
            }
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } | Self::TooManyPhotos { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody(_) => StatusCode::REQUEST_TIMEOUT,
            Self::SlowAnswer(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Key => StatusCode::UNAUTHORIZED,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Refused { kind, .. } => match kind.as_str() {
                "too_many_bytes" | "too_many_pixels" | "side_too_long" => StatusCode::PAYLOAD_TOO_LARGE,
                "unsupported_format" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "truncated" | "corrupt" => StatusCode::UNPROCESSABLE_ENTITY,
                _ => StatusCode::BAD_REQUEST,
            },
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// One line of JSON; `photo` is what the caller calls the photo.
    pub(crate) fn json(&self, photo: Option<&str>) -> String {
        let error = Entry { kind: self.kind().to_owned(), message: self.to_string() };
        // Two strings always serialize.
        serde_json::to_string(&Failed { photo: photo.map(str::to_owned), error }).unwrap_or_default() + "\n"
    }

    /// A response with this fault's status and headers.
    pub(crate) fn respond(&self, content_type: &'static str, body: String) -> Response {
        let mut response = (self.status(), [(header::CONTENT_TYPE, content_type)], body).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Busy { seconds } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::Key => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        self.respond("application/json", self.json(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_core_refuses_has_the_status_of_its_kind() {
        for (kind, status) in [
            ("too_many_bytes", 413),
            ("too_many_pixels", 413),
            ("side_too_long", 413),
            ("unsupported_format", 415),
            ("truncated", 422),
            ("corrupt", 422),
            ("empty", 400),
            ("unknown_language", 400),
        ] {
            let fault = Fault::refused(&format!("{{\"error\":{{\"kind\":\"{kind}\",\"message\":\"m\"}}}}"));
            assert_eq!((fault.kind(), fault.status().as_u16()), (kind, status));
        }
        assert_eq!(Fault::refused("nonsense").kind(), "refused");
    }

    #[test]
    fn the_json_is_that_of_the_command_line() {
        let fault = Fault::Refused { kind: "empty".into(), message: "the photo is \"empty\"".into() };
        assert_eq!(
            fault.json(Some("a.jpg")),
            "{\"photo\":\"a.jpg\",\"error\":{\"kind\":\"empty\",\"message\":\"the photo is \\\"empty\\\"\"}}\n"
        );
        assert!(Fault::NoPhoto.json(None).starts_with("{\"error\":{\"kind\":\"no_photo\""));
    }
}
