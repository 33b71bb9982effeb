//! Runs of hours: what is long past is let go, so that the fake itself stays small.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::Discord;
use super::ids::{born_s, unix_now};

/// Events of a session that a resume may still ask for.
const N_REPLAYED: usize = 2000;

/// A file is a little older than the message that holds it, and must outlive it.
const SLACK_S: f64 = 5.0;

/// The id in a file's path, `/attachments/<channel>/<id>/<name>`.
fn file_id(path: &str) -> Option<u64> {
    path.split('/').nth(3)?.parse().ok()
}

impl Discord {
    /// Forgets messages, files, requests and interactions that are older than `age`. What the bot broke is remembered.
    pub fn forget(&self, age: Duration) {
        let Some(before) = Instant::now().checked_sub(age) else { return };
        let before_s = unix_now() - age.as_secs_f64();
        self.shared.change(|world| {
            world.complain_of_silence();
            let n_acts = world.acts.len();
            world.acts.retain(|(at, _)| *at >= before);
            world.n_taken = world.n_taken.saturating_sub(n_acts - world.acts.len());
            world.calls.retain(|call| call.at >= before);
            world.interactions.retain(|_, interaction| interaction.born >= before);
            world.messages.retain(|_, message| message.written >= before_s);
            world.files.retain(|path, _| file_id(path).is_none_or(|id| born_s(id) >= before_s - SLACK_S));
            for session in world.sessions.values_mut() {
                // Numbers of events are places in this list, so the places stay.
                let n_past = session.log.len().saturating_sub(N_REPLAYED);
                session.log[..n_past].fill(Value::Null);
            }
        });
    }
}
