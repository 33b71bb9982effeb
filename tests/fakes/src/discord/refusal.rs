//! How Discord says no.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// An answer that is no success: HTTP status, Discord's own code, the text and, for a wrong body, where it is wrong.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// Discord's code; 0 where it has none.
    pub code: u32,
    /// English text.
    pub message: String,
    /// Nested tree of faults in the body, or null.
    pub errors: Value,
}

impl Refusal {
    /// With a status, a code and a text.
    pub fn new(status: u16, code: u32, message: &str) -> Refusal {
        let status = StatusCode::from_u16(status).expect("statuses here are written by hand");
        Refusal { status, code, message: message.to_owned(), errors: Value::Null }
    }

    /// The body is wrong at a place (dotted path), as code 50035.
    pub fn form(place: &str, code: &str, message: &str) -> Refusal {
        let mut tree = json!({ "_errors": [{ "code": code, "message": message }] });
        for part in place.rsplit('.') {
            tree = json!({ part: tree });
        }
        Refusal { errors: tree, ..Refusal::new(400, 50_035, "Invalid Form Body") }
    }

    /// A wrong token.
    pub fn unauthorized() -> Refusal {
        Refusal::new(401, 0, "401: Unauthorized")
    }

    /// A right that is missing.
    pub fn missing_permissions() -> Refusal {
        Refusal::new(403, 50_013, "Missing Permissions")
    }

    /// A channel the bot cannot see.
    pub fn missing_access() -> Refusal {
        Refusal::new(403, 50_001, "Missing Access")
    }

    /// A message that is not there.
    pub fn unknown_message() -> Refusal {
        Refusal::new(404, 10_008, "Unknown Message")
    }

    /// An interaction that is not there, or was not acknowledged in time.
    pub fn unknown_interaction() -> Refusal {
        Refusal::new(404, 10_062, "Unknown interaction")
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        match &self.errors {
            Value::Null => json!({ "message": self.message, "code": self.code }),
            errors => json!({ "message": self.message, "code": self.code, "errors": errors }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_a_body_are_nested() {
        let body = Refusal::form("components.0", "X", "Y").body();
        assert_eq!(body["errors"], json!({ "components": { "0": { "_errors": [{ "code": "X", "message": "Y" }] } } }));
        assert_eq!(body["code"], 50_035);
    }
}
