//! Runs of hours: what is long past is let go, so that the stand-in itself stays small.

use std::time::{Duration, Instant};

use crate::telegram::Telegram;
use crate::telegram::state::now_s;

impl Telegram {
    /// Forgets messages, files and calls that are older than `age`. What the bot broke is remembered.
    pub fn forget(&self, age: Duration) {
        let Some(before) = Instant::now().checked_sub(age) else { return };
        let before_s = now_s().saturating_sub(age.as_secs());
        let mut state = self.shared.lock();
        state.files.retain(|_, file| file.at >= before);
        state.messages.retain(|_, message| message["date"].as_u64() >= Some(before_s));
        state.calls.retain(|call| call.at >= before);
        state.downloads.clear();
        let n_sent = state.sent.len();
        state.sent.retain(|sent| sent.at >= before);
        let n_gone = n_sent - state.sent.len();
        state.n_taken = state.n_taken.saturating_sub(n_gone);
    }
}
