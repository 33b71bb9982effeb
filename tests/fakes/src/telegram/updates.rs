//! `getUpdates`: what confirms, what is kept, how long it waits, and who is thrown out.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::telegram::fault::{CONFLICT, Outcome, Refusal, WEBHOOK_ACTIVE};
use crate::telegram::params::Params;
use crate::telegram::state::{Shared, State};

const MAX_TIMEOUT_S: i64 = 50;
/// The same offset again within this time is a bot that spins.
const SPIN: Duration = Duration::from_secs(3);
const TIGHT_SPIN: Duration = Duration::from_millis(500);
/// How long it may take to notice that a client hung up.
const HANG_UP: Duration = Duration::from_millis(200);
/// A conflict that follows another is answered late.
const CONFLICT_DELAY: Duration = Duration::from_secs(3);

/// Kinds of updates that can be asked for.
const KINDS: [&str; 23] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
];

/// Remembers the kinds that a call asks for; without a readable list the old ones stay.
pub(super) fn remember_allowed(state: &mut State, params: &Params) {
    let Some(Value::Array(kinds)) = params.json("allowed_updates") else { return };
    let Some(kinds) = kinds.iter().map(Value::as_str).collect::<Option<Vec<&str>>>() else { return };
    let known: Vec<&str> = kinds.into_iter().filter(|kind| KINDS.contains(kind)).collect();
    state.allowed = (!known.is_empty()).then(|| known.into_iter().map(str::to_owned).collect());
}

/// Answers a poll.
pub(super) async fn get(shared: &Shared, params: &Params) -> Outcome {
    let mut limit = params.int("limit").filter(|limit| (1..=100).contains(limit)).unwrap_or(100);
    let mut timeout_s = params.int("timeout").unwrap_or(0).clamp(0, MAX_TIMEOUT_S);
    let offset = params.int("offset").unwrap_or(0);
    if let Some(delay) = webhook_conflict(shared) {
        tokio::time::sleep(delay).await;
        return Err(Refusal::new(409, WEBHOOK_ACTIVE));
    }
    let poll = {
        let mut state = shared.lock();
        remember_allowed(&mut state, params);
        confirm(&mut state, offset);
        let now = Instant::now();
        if let Some((_, at)) = state.last_poll.filter(|(last, at)| *last == offset && now - *at < SPIN) {
            if timeout_s < SPIN.as_secs() as i64 {
                timeout_s = SPIN.as_secs() as i64;
            }
            if now - at < TIGHT_SPIN {
                limit = 1;
            }
        }
        state.last_poll = Some((offset, now));
        state.poll += 1;
        state.poll
    };
    shared.notify();
    wait(shared, poll, limit as usize, Duration::from_secs(timeout_s as u64)).await
}

/// How long the refusal of a poll is held back while a webhook is set; `None` without one.
fn webhook_conflict(shared: &Shared) -> Option<Duration> {
    let mut state = shared.lock();
    state.webhook.as_ref()?;
    let is_repeated = state.last_conflict.is_some_and(|at| at.elapsed() < CONFLICT_DELAY);
    state.last_conflict = Some(Instant::now());
    Some(if is_repeated { CONFLICT_DELAY } else { Duration::ZERO })
}

/// Forgets the updates that an offset confirms.
fn confirm(state: &mut State, offset: i64) {
    if offset < 0 {
        let n_kept = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        let n_dropped = state.updates.len().saturating_sub(n_kept);
        state.updates.drain(..n_dropped);
    } else {
        state.updates.retain(|update| update["update_id"].as_i64() >= Some(offset));
    }
}

/// Waits for updates, for a newer poll, or for the end of the time.
async fn wait(shared: &Shared, poll: u64, limit: usize, timeout: Duration) -> Outcome {
    let deadline = tokio::time::Instant::now() + timeout;
    let mut changes = shared.changes();
    loop {
        let is_outdone = {
            let state = shared.lock();
            if state.poll == poll && !state.updates.is_empty() {
                return Ok(state.updates.iter().take(limit).cloned().collect());
            }
            state.poll != poll
        };
        if is_outdone {
            // A client that has just hung up is not a second one; with its connection this ends here.
            tokio::time::sleep(HANG_UP).await;
            let mut state = shared.lock();
            state.last_conflict = Some(Instant::now());
            state.violate("two getUpdates at once".to_owned());
            return Err(Refusal::new(409, CONFLICT));
        }
        if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
            return Ok(Value::Array(Vec::new()));
        }
    }
}
