//! The webhook: Telegram sends updates, and takes an answer of 200 for "you may forget it".

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use image2song_contract::supervise::{End, StopSignal, stopped};
use teloxide::payloads::setters::*;
use teloxide::prelude::Requester;
use teloxide::types::AllowedUpdate;
use tokio::net::TcpListener;

use crate::adapter::Adapter;
use crate::config::{self, Secret};
use crate::fault::Fault;
use crate::wire::upload;

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// How often it is checked that Telegram still sends here.
const CHECK_INTERVAL: Duration = Duration::from_secs(30);

struct Receiver {
    adapter: Arc<Adapter>,
    secret: Secret,
}

/// Listens until it is told to stop or can't go on.
pub async fn run(
    adapter: &Arc<Adapter>,
    (listen, url, secret): (SocketAddr, &str, &Secret),
    stop: StopSignal,
    grace: Duration,
) -> End {
    let listener = match TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(error) => return End::Hopeless(format!("telegram.webhook_listen {listen} can't be used: {error}")),
    };
    let receiver = Arc::new(Receiver { adapter: Arc::clone(adapter), secret: secret.clone() });
    let router = Router::new().route(&config::path(url), post(receive)).with_state(receiver);
    let mut stopping = stop.clone();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move { stopped(&mut stopping).await });
    let mut serving = tokio::spawn(async move { serving.await });
    let mut stop = stop;
    let end = tokio::select! {
        end = register(adapter, url, secret) => end,
        _ = &mut serving => End::Broken("the webhook's listener ended".into()),
        () = stopped(&mut stop) => End::Stopped,
    };
    // Connections that Telegram keeps open would hold the listener.
    if tokio::time::timeout(grace, &mut serving).await.is_err() {
        serving.abort();
    }
    adapter.finish(grace).await;
    end
}

/// Tells Telegram where to send, and goes on checking that it does.
async fn register(adapter: &Adapter, url: &str, secret: &Secret) -> End {
    let Ok(address) = url.parse() else { return End::Hopeless("telegram.webhook_url is no address".into()) };
    let kinds = [
        AllowedUpdate::Message,
        AllowedUpdate::CallbackQuery,
        AllowedUpdate::MessageReaction,
        AllowedUpdate::MyChatMember,
    ];
    let request = adapter.api.bot().set_webhook(address).secret_token(secret.expose()).allowed_updates(kinds);
    if let Err(fault) = upload(request).await {
        adapter.api.note("setWebhook", fault);
        return match fault {
            Fault::Network | Fault::Flood(_) => End::Broken("the webhook could not be set".into()),
            _ => End::Hopeless("Telegram refuses the webhook; it needs https on port 443, 80, 88 or 8443".into()),
        };
    }
    adapter.health.live();
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        match adapter.api.call(adapter.api.bot().get_webhook_info()).await {
            Ok(info) if info.url.as_ref().is_some_and(|set| set.as_str() == url) => adapter.health.live(),
            Ok(_) => return End::Broken("another program took the webhook away".into()),
            Err(fault) => adapter.api.note("getWebhookInfo", fault),
        }
    }
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let given = headers.get(SECRET_HEADER).map_or(&[][..], |value| value.as_bytes());
    if !is_same(given, receiver.secret.expose().as_bytes()) {
        receiver.adapter.health.count("telegram-error", "webhook-secret");
        return StatusCode::UNAUTHORIZED;
    }
    receiver.adapter.health.live();
    match serde_json::from_slice(&body) {
        // What could not be journaled is sent again by Telegram.
        Ok(update) if !receiver.adapter.take(&update).await => StatusCode::SERVICE_UNAVAILABLE,
        Ok(_) => StatusCode::OK,
        Err(_) => {
            receiver.adapter.health.count("telegram-error", "unreadable");
            StatusCode::OK
        }
    }
}

/// Compares in a time that does not depend on where the first difference is.
fn is_same(given: &[u8], expected: &[u8]) -> bool {
    let difference = given.iter().zip(expected).fold(0, |difference, (a, b)| difference | (a ^ b));
    given.len() == expected.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_compared_whole() {
        assert!(is_same(b"abc", b"abc"));
        for given in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!is_same(given, b"abc"));
        }
    }
}
