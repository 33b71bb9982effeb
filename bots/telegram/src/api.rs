//! Calls of the Bot API with everything that goes wrong around them: waits after 429, groups with new ids, dead chats,
//! servers that fail, tags that Telegram can't read.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use image2song_contract::bot::SongBot;
use image2song_contract::health::Health;
use image2song_contract::place::{CommunityId, Platform};
use teloxide::Bot;
use teloxide::types::ChatId;

use crate::fault::Fault;
use crate::gate::Gate;

/// How often a call is made at most when the chat is flooded, and when the server or the way to it fails.
const MAX_FLOODS: u32 = 5;
const MAX_FAILURES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The Bot API, with manners.
pub struct Api {
    /// The client. Its `Debug` shows the token, so it stays in here.
    bot: Bot,
    gate: Gate,
    core: Arc<dyn SongBot>,
    health: Arc<Health>,
}

impl Api {
    /// Calls through a client.
    pub fn new(bot: Bot, core: Arc<dyn SongBot>, health: Arc<Health>) -> Self {
        Self { bot, gate: Gate::default(), core, health }
    }

    /// The client, for calls that concern no chat.
    pub fn bot(&self) -> &Bot {
        &self.bot
    }

    /// Whether a chat has to wait or is dead: what can be left out there is left out.
    pub fn is_closed(&self, chat: ChatId) -> bool {
        self.gate.is_held(chat) || self.gate.is_dead(chat)
    }

    /// Somebody wrote in a chat, so it can be written to.
    pub fn revive(&self, chat: ChatId) {
        self.gate.revive(chat);
    }

    /// Notes a call that failed, without anybody's words.
    pub fn note(&self, method: &'static str, fault: Fault) {
        self.health.count("telegram-error", fault.name());
        tracing::debug!(method, fault = fault.name(), "a call of the Bot API failed");
    }

    /// Makes a call about a chat until it succeeds or can't be helped. What was lost on the way is sent once more:
    /// better an answer twice than none.
    pub async fn deliver<T, R>(
        &self,
        method: &'static str,
        chat: ChatId,
        call: impl Fn(ChatId) -> R,
    ) -> Result<T, Fault>
    where
        R: Future<Output = Result<T, Fault>>,
    {
        let mut chat = chat;
        let (mut n_floods, mut n_failures, mut has_moved) = (0, 0, false);
        loop {
            if !self.gate.pass(chat).await {
                return Err(Fault::Dead);
            }
            let fault = match call(chat).await {
                Ok(done) => return Ok(done),
                Err(fault) => fault,
            };
            self.note(method, fault);
            match fault {
                Fault::Flood(wait) if n_floods < MAX_FLOODS => {
                    n_floods += 1;
                    self.gate.hold(chat, wait + Duration::from_secs(1));
                }
                Fault::Moved(to) if !has_moved => {
                    has_moved = true;
                    self.moved(chat, to).await;
                    chat = to;
                }
                Fault::Network if n_failures < MAX_FAILURES => {
                    tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(n_failures)).await;
                    n_failures += 1;
                }
                Fault::Dead => {
                    self.gate.bury(chat);
                    return Err(fault);
                }
                _ => return Err(fault),
            }
        }
    }

    /// A group has a new id.
    pub async fn moved(&self, from: ChatId, to: ChatId) {
        let id = |chat: ChatId| CommunityId(chat.to_string());
        self.core.moved(Platform::Telegram, id(from), id(to)).await;
    }
}
