//! The sign that the bot writes, kept alive while an answer is made.

use std::sync::Arc;
use std::time::Duration;

use serenity::model::id::ChannelId;
use tokio::task::JoinHandle;

use crate::api::Api;

/// The sign fades after some ten seconds.
const AGAIN: Duration = Duration::from_secs(8);

/// Shown until this is dropped.
pub struct Typing(JoinHandle<()>);

impl Typing {
    /// Begins at once. That it fails is no fault of the answer, so it is only counted.
    pub fn start(api: Arc<Api>, channel: ChannelId) -> Typing {
        Typing(tokio::spawn(async move {
            while api.typing(channel).await.is_ok() {
                tokio::time::sleep(AGAIN).await;
            }
        }))
    }
}

impl Drop for Typing {
    fn drop(&mut self) {
        self.0.abort();
    }
}
