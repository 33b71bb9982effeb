//! Calls of the Bot API whose parameters are JSON, made by hand: the library's own way sleeps for ten seconds on every
//! answer of a server that fails, before it tells anybody.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use teloxide::RequestError;
use teloxide::requests::{HasPayload, JsonRequest, Output, Payload, Request};
use teloxide::types::ChatId;

use crate::api::Api;
use crate::fault::Fault;

/// What the server answers: a result, or a description of what is wrong.
#[derive(Deserialize)]
struct Reply<T> {
    result: Option<T>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

/// What helps against a refusal.
#[derive(Default, Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
    migrate_to_chat_id: Option<ChatId>,
}

impl Api {
    /// Makes a call, once.
    ///
    /// # Errors
    /// What the server says, or that it can't be reached. No error holds the address, for the token is part of it.
    pub async fn call<P>(&self, request: JsonRequest<P>) -> Result<P::Output, Fault>
    where
        P: Payload + Serialize,
        P::Output: DeserializeOwned,
    {
        let body = serde_json::to_string(request.payload_ref()).map_err(|_| Fault::Other)?;
        let bot = self.bot();
        let mut url = bot.api_url();
        url.path_segments_mut().map_err(|()| Fault::Other)?.push(&format!("bot{}", bot.token())).push(P::NAME);
        let sending = bot.client().post(url).header("Content-Type", "application/json").body(body).send();
        let response = sending.await.map_err(|_| Fault::Network)?;
        if response.status().is_server_error() {
            return Err(Fault::Network);
        }
        let bytes = response.bytes().await.map_err(|_| Fault::Network)?;
        read(&bytes)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let reply: Reply<T> = serde_json::from_slice(bytes).map_err(|_| Fault::Network)?;
    reply.result.ok_or_else(|| {
        Fault::of_refusal(&reply.description, reply.parameters.retry_after, reply.parameters.migrate_to_chat_id)
    })
}

/// Makes a call that sends a file, once. The library does it.
///
/// # Errors
/// As [`Api::call`].
pub async fn upload<R: Request<Err = RequestError>>(request: R) -> Result<Output<R>, Fault> {
    request.send().await.map_err(|error| Fault::of(&error))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_and_refusals_are_told_apart() {
        assert_eq!(read::<bool>(br#"{"ok":true,"result":true}"#), Ok(true));
        for (reply, fault) in [
            (
                &br#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":7}}"#[..],
                Fault::Flood(Duration::from_secs(7)),
            ),
            (
                br#"{"ok":false,"description":"upgraded","parameters":{"migrate_to_chat_id":-1001}}"#,
                Fault::Moved(ChatId(-1001)),
            ),
            (br#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#, Fault::Token),
            (b"<html>", Fault::Network),
        ] {
            assert_eq!(read::<bool>(reply), Err(fault));
        }
    }
}
