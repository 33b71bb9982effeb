//! What goes wrong on purpose, and how a refusal looks on the wire.

use std::time::Duration;

use serde_json::{Value, json};

/// Something that goes wrong with the next calls of a method.
#[derive(Clone, Debug)]
pub enum Fault {
    /// 429: too many messages; the chat stays closed for so many seconds.
    TooManyRequests {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// 502 with a page of HTML, as the gateway before the real server writes it.
    BadGateway,
    /// Any other refusal.
    Refuse {
        /// HTTP status, and `error_code` in the body.
        code: u16,
        /// `description` in the body.
        description: String,
    },
    /// The connection breaks and nothing was done.
    Cut,
    /// It was done, but the connection breaks before the answer.
    LoseAnswer,
    /// The answer takes so long.
    Slow(Duration),
}

impl Fault {
    /// Another instance polls with the same token.
    pub fn conflict() -> Fault {
        Fault::Refuse { code: 409, description: CONFLICT.to_owned() }
    }

    /// A refusal of the server.
    pub fn refuse(code: u16, description: &str) -> Fault {
        Fault::Refuse { code, description: description.to_owned() }
    }
}

pub(super) const CONFLICT: &str =
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
pub(super) const WEBHOOK_ACTIVE: &str =
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
pub(super) const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are \
                                       exactly the same as a current content and reply markup of the message";
pub(super) const QUERY_TOO_OLD: &str = "query is too old and response timeout expired or query ID is invalid";
pub(super) const MIGRATED: &str = "group chat was upgraded to a supergroup chat";

/// A call that was refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub code: u16,
    pub description: String,
    pub parameters: Option<Value>,
}

impl Refusal {
    /// A refusal with the description as it stands.
    pub fn new(code: u16, description: &str) -> Refusal {
        Refusal { code, description: description.to_owned(), parameters: None }
    }

    /// 400, with the words that the server puts in front.
    pub fn bad_request(description: &str) -> Refusal {
        Refusal::new(400, &format!("Bad Request: {description}"))
    }

    /// 429 with the seconds to wait.
    pub fn flood(retry_after: u64) -> Refusal {
        Refusal {
            parameters: Some(json!({ "retry_after": retry_after })),
            ..Refusal::new(429, &format!("Too Many Requests: retry after {retry_after}"))
        }
    }

    /// 400 of a group that is a supergroup now.
    pub fn migrated(to: i64) -> Refusal {
        Refusal { parameters: Some(json!({ "migrate_to_chat_id": to })), ..Refusal::bad_request(MIGRATED) }
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let mut body = json!({ "ok": false, "error_code": self.code, "description": self.description });
        if let Some(parameters) = &self.parameters {
            body["parameters"] = parameters.clone();
        }
        body
    }
}

/// What a method gives.
pub(super) type Outcome = Result<Value, Refusal>;
