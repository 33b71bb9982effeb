//! Pushes updates to the address that the bot set, in order, each until it is accepted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::telegram::state::{Shared, Webhook};

const RETRY_DELAY: Duration = Duration::from_millis(100);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs until it is aborted.
pub(super) async fn push(shared: Arc<Shared>) {
    let mut changes = shared.changes();
    loop {
        let next = {
            let state = shared.lock();
            state.webhook.clone().zip(state.updates.front().cloned())
        };
        let Some((webhook, update)) = next else {
            if changes.changed().await.is_err() {
                return;
            }
            continue;
        };
        let posted = tokio::time::timeout(ANSWER_TIMEOUT, post(&webhook, webhook.secret.as_deref(), &update)).await;
        let status = posted.ok().and_then(Result::ok).unwrap_or_default();
        {
            let mut state = shared.lock();
            state.webhook_answers.push(status);
            if (200..300).contains(&status) {
                state.updates.retain(|kept| kept["update_id"] != update["update_id"]);
            }
        }
        shared.notify();
        if !(200..300).contains(&status) {
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }
}

/// Posts one update and gives the status of the answer.
pub(super) async fn post(webhook: &Webhook, secret: Option<&str>, update: &Value) -> std::io::Result<u16> {
    let address = webhook.url.trim_start_matches("http://");
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let mut connection = TcpStream::connect(host).await?;
    let body = update.to_string();
    let secret = secret.map(|secret| format!("X-Telegram-Bot-Api-Secret-Token: {secret}\r\n")).unwrap_or_default();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{secret}\
         Connection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::InvalidData))
}
