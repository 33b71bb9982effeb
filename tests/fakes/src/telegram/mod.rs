//! A strict stand-in for the Telegram Bot API, on loopback.
//!
//! It takes what people do from a script, answers the bot as the real server does (with the real server's words), and
//! records what the bot did. What the real server refuses is refused; what it takes silently though a bot shouldn't do
//! it is kept in [`Telegram::violations`], which tests expect to be empty. It knows nothing of songs.

mod account;
mod editing;
pub mod fault;
mod forget;
mod html;
pub mod incoming;
pub mod keyboard;
mod params;
pub mod people;
mod picture;
pub mod record;
pub mod script;
mod sending;
mod server;
mod state;
mod updates;
mod webhook;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::telegram::people::{ChatId, User};
use crate::telegram::record::{BotMessage, Call, Download, Query};
use crate::telegram::state::{Shared, State, Webhook};

/// A token of the form that Telegram gives out; nobody owns it.
const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1";
const BOT_ID: i64 = 110_201_543;
/// The bot's name after the `@`.
pub const BOT_NAME: &str = "image2song_bot";
/// How often something that is waited for is looked at when nothing happens.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
const MAX_BODY: usize = 60 << 20;

/// The running stand-in; it stops when it is dropped.
pub struct Telegram {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Telegram {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Telegram {
    /// Listens on a free port of loopback.
    ///
    /// # Panics
    ///
    /// If loopback has no free port.
    pub async fn start() -> Telegram {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared::new(TOKEN, State::new(User::bot(BOT_ID, BOT_NAME))));
        let router = Router::new().fallback(server::answer).layer(DefaultBodyLimit::max(MAX_BODY));
        let router = router.with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move {
            // Ends only with its task.
            let _ = axum::serve(listener, router).await;
        });
        let pushing = tokio::spawn(webhook::push(Arc::clone(&shared)));
        Telegram { shared, address, tasks: vec![serving, pushing] }
    }

    /// The address to use instead of `https://api.telegram.org`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bot's token.
    pub fn token(&self) -> &str {
        &self.shared.token
    }
}

/// What the bot did.
impl Telegram {
    /// Rules that the bot broke without being refused.
    pub fn violations(&self) -> Vec<String> {
        self.shared.lock().violations.clone()
    }

    /// All messages of the bot as they stand now, in the order in which they were sent.
    pub fn messages(&self) -> Vec<BotMessage> {
        self.shared.lock().sent.clone()
    }

    /// A message of the bot as it stands now.
    pub fn message(&self, chat: ChatId, id: i64) -> Option<BotMessage> {
        self.shared.lock().sent.iter().find(|sent| sent.chat == chat && sent.id == id).cloned()
    }

    /// All calls of a method that arrived, in order.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.shared.lock().calls.iter().filter(|call| call.method == method).cloned().collect()
    }

    /// All files that were fetched, in order.
    pub fn downloads(&self) -> Vec<Download> {
        self.shared.lock().downloads.clone()
    }

    /// A press and what became of it.
    pub fn query(&self, id: &str) -> Option<Query> {
        self.shared.lock().queries.get(id).cloned()
    }

    /// The commands set for a scope and a language, as a JSON array.
    pub fn commands(&self, scope: &str, language_code: &str) -> Option<Value> {
        self.shared.lock().commands.get(&format!("{scope}/{language_code}")).cloned()
    }

    /// How many updates wait to be confirmed.
    pub fn n_pending_updates(&self) -> usize {
        self.shared.lock().updates.len()
    }

    /// The kinds of updates that were asked for; `None` means the default.
    pub fn allowed_updates(&self) -> Option<BTreeSet<String>> {
        self.shared.lock().allowed.as_ref().map(|allowed| allowed.iter().cloned().collect())
    }

    /// The address that updates are pushed to.
    pub fn webhook_url(&self) -> Option<String> {
        self.shared.lock().webhook.as_ref().map(|webhook| webhook.url.clone())
    }

    /// The statuses with which pushed updates were answered; 0 is no answer.
    pub fn webhook_answers(&self) -> Vec<u16> {
        self.shared.lock().webhook_answers.clone()
    }

    /// Posts an update to the webhook as somebody else would, with a secret of their choice. Gives the status.
    ///
    /// # Panics
    ///
    /// If no webhook is set or nobody listens there.
    pub async fn forge_webhook(&self, secret: Option<&str>, update: &Value) -> u16 {
        let webhook: Option<Webhook> = self.shared.lock().webhook.clone();
        let webhook = webhook.expect("a webhook is set");
        webhook::post(&webhook, secret, update).await.expect("the bot listens")
    }
}

/// Waiting for the bot.
impl Telegram {
    /// Waits until a look at the stand-in finds something.
    ///
    /// # Panics
    ///
    /// After the time is over, with what was waited for and what the bot did until then.
    pub async fn wait_for<T>(&self, what: &str, timeout: Duration, mut look: impl FnMut(&Telegram) -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + timeout;
        let mut changes = self.shared.changes();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            // What is looked at may also change without the stand-in.
            let _ = tokio::time::timeout(LOOK_INTERVAL, changes.changed()).await;
            if tokio::time::Instant::now() > deadline {
                panic!("no {what} within {timeout:?}; calls: {}", self.summary());
            }
        }
    }

    /// Waits for the next message of the bot that was not given yet.
    pub async fn wait_for_message(&self, timeout: Duration) -> BotMessage {
        self.wait_for("message", timeout, |telegram| {
            let mut state = telegram.shared.lock();
            let next = state.sent.get(state.n_taken).cloned()?;
            state.n_taken += 1;
            Some(next)
        })
        .await
    }

    /// Waits until a press was answered.
    pub async fn wait_for_answer(&self, query: &str, timeout: Duration) -> Query {
        let answered = |telegram: &Telegram| telegram.query(query).filter(|query| query.answer.is_some());
        self.wait_for("answer to the press", timeout, answered).await
    }

    /// Waits until all updates are confirmed.
    pub async fn wait_until_confirmed(&self, timeout: Duration) {
        self.wait_for("confirmation", timeout, |telegram| (telegram.n_pending_updates() == 0).then_some(())).await;
    }

    /// Lets some time pass and gives the messages that came meanwhile: tests expect none.
    pub async fn messages_within(&self, time: Duration) -> Vec<BotMessage> {
        tokio::time::sleep(time).await;
        let mut state = self.shared.lock();
        let new = state.sent[state.n_taken..].to_vec();
        state.n_taken = state.sent.len();
        new
    }

    /// Methods and refusals of the last calls, for the message of a test that fails.
    fn summary(&self) -> String {
        let state = self.shared.lock();
        let line = |call: &Call| match &call.refusal {
            Some(refusal) => format!("{} ({refusal})", call.method),
            None => call.method.to_owned(),
        };
        let skipped = state.calls.len().saturating_sub(30);
        let calls: Vec<String> = state.calls[skipped..].iter().map(line).collect();
        format!("{}; violations: {:?}", calls.join(", "), state.violations)
    }
}
