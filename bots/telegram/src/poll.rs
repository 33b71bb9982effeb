//! Long polling. An offset, which makes Telegram forget, is sent only after the updates before it are in the journal.

use std::sync::Arc;
use std::time::Duration;

use image2song_contract::supervise::{End, StopSignal, stopped};
use serde::Serialize;
use serde_json::Value;
use teloxide::prelude::Requester;
use teloxide::requests::{JsonRequest, Payload};

use crate::adapter::Adapter;
use crate::fault::Fault;

/// How long a poll waits. It must stay below the client's limit of 17 s for a whole call.
const TIMEOUT_S: u8 = 10;
/// Kinds of updates, named in every poll: a server that forgot them would send no reactions.
pub const KINDS: [&str; 4] = ["message", "callback_query", "message_reaction", "my_chat_member"];
/// Another instance that takes over ends within this many polls; one that stays makes ours end.
const MAX_CONFLICTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// How long the last call may take.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(3);

/// `getUpdates` whose updates stay JSON, so that one which the library can't read harms no other.
#[derive(Clone, Serialize)]
struct Updates {
    offset: u64,
    limit: u8,
    timeout: u8,
    allowed_updates: [&'static str; KINDS.len()],
}

impl Payload for Updates {
    type Output = Vec<Value>;

    const NAME: &'static str = "GetUpdates";
}

/// Where polling stands.
struct Poller {
    adapter: Arc<Adapter>,
    /// The first update that was not journaled; 0 before the first one.
    offset: u64,
    n_conflicts: u32,
    n_failures: u32,
}

/// Polls until it is told to stop or can't go on.
pub async fn run(adapter: &Arc<Adapter>, mut stop: StopSignal, grace: Duration) -> End {
    let mut poller = Poller { adapter: Arc::clone(adapter), offset: 0, n_conflicts: 0, n_failures: 0 };
    let end = tokio::select! {
        end = poller.poll() => end,
        () = stopped(&mut stop) => End::Stopped,
    };
    adapter.finish(grace).await;
    if end == End::Stopped {
        poller.confirm().await;
    }
    end
}

impl Poller {
    fn request(&self, limit: u8, timeout: u8) -> JsonRequest<Updates> {
        let updates = Updates { offset: self.offset, limit, timeout, allowed_updates: KINDS };
        JsonRequest::new(self.adapter.api.bot().clone(), updates)
    }

    async fn poll(&mut self) -> End {
        loop {
            match self.adapter.api.call(self.request(100, TIMEOUT_S)).await {
                Ok(updates) => {
                    self.adapter.health.live();
                    (self.n_conflicts, self.n_failures) = (0, 0);
                    self.take(&updates).await;
                }
                Err(fault) => {
                    self.adapter.api.note("getUpdates", fault);
                    if let Some(end) = self.mend(fault).await {
                        return end;
                    }
                }
            }
        }
    }

    /// Journals updates in their order; stops at one that can't be, so that Telegram keeps it.
    async fn take(&mut self, updates: &[Value]) {
        for update in updates {
            let Some(id) = update["update_id"].as_u64() else { continue };
            if !self.adapter.take(update).await {
                self.pause().await;
                return;
            }
            self.offset = id + 1;
        }
    }

    /// Does something against a fault, or says that only a person can.
    async fn mend(&mut self, fault: Fault) -> Option<End> {
        match fault {
            Fault::Token => {
                return Some(End::Hopeless("Telegram refuses the token; copy it anew from @BotFather".into()));
            }
            Fault::Conflict => {
                self.n_conflicts += 1;
                if self.n_conflicts >= MAX_CONFLICTS {
                    let advice = "another program polls Telegram with this token; stop it or give each its own bot";
                    return Some(End::Hopeless(advice.into()));
                }
                self.pause().await;
            }
            Fault::Webhook => {
                let api = &self.adapter.api;
                if let Err(fault) = api.call(api.bot().delete_webhook()).await {
                    api.note("deleteWebhook", fault);
                }
                self.pause().await;
            }
            Fault::Flood(wait) => tokio::time::sleep(wait + Duration::from_secs(1)).await,
            _ => self.pause().await,
        }
        None
    }

    /// Waits, longer each time.
    async fn pause(&mut self) {
        let pause = FIRST_PAUSE * 2_u32.pow(self.n_failures.min(10));
        self.n_failures += 1;
        tokio::time::sleep(pause.min(MAX_PAUSE)).await;
    }

    /// Tells Telegram what was journaled, so that the next start is not given it again.
    async fn confirm(&self) {
        let confirming = self.adapter.api.call(self.request(1, 0));
        if self.offset > 0 && tokio::time::timeout(CONFIRM_TIMEOUT, confirming).await.is_err() {
            tracing::debug!("the last updates could not be confirmed; they will be recognized");
        }
    }
}
