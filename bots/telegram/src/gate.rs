//! Which chats have to wait after a 429, and which can't be written to any more.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use teloxide::types::ChatId;
use tokio::time::Instant;

/// How far apart messages to a chat go out after its wait is over, and for how long this care is taken.
const PACE: Duration = Duration::from_secs(1);
const CARE: Duration = Duration::from_secs(60);
/// Most dead chats that are remembered; one more call to a forgotten one does no harm.
const MAX_DEAD: usize = 10_000;

/// The waits of all chats.
#[derive(Default)]
pub struct Gate {
    /// When the next message may go out, per chat that had a 429 of late.
    waits: Mutex<HashMap<ChatId, Instant>>,
    dead: Mutex<HashSet<ChatId>>,
}

impl Gate {
    /// Returns when a message may go out; `false` if the chat is dead.
    pub async fn pass(&self, chat: ChatId) -> bool {
        loop {
            if self.is_dead(chat) {
                return false;
            }
            let Some(until) = self.turn(chat) else { return true };
            tokio::time::sleep_until(until).await;
        }
    }

    /// Takes the turn of a chat, or tells when to ask again.
    fn turn(&self, chat: ChatId) -> Option<Instant> {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let until = *waits.get(&chat)?;
        let now = Instant::now();
        if until > now {
            return Some(until);
        }
        if now - until > CARE {
            waits.remove(&chat);
        } else {
            waits.insert(chat, now + PACE);
        }
        None
    }

    /// Whether a chat has to wait: what can be left out, such as "typing", is left out.
    pub fn is_held(&self, chat: ChatId) -> bool {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.get(&chat).is_some_and(|until| *until > Instant::now())
    }

    /// A chat has to wait.
    pub fn hold(&self, chat: ChatId, time: Duration) {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).insert(chat, Instant::now() + time);
    }

    /// Whether a chat can't be written to.
    pub fn is_dead(&self, chat: ChatId) -> bool {
        self.dead.lock().unwrap_or_else(PoisonError::into_inner).contains(&chat)
    }

    /// A chat can't be written to any more.
    pub fn bury(&self, chat: ChatId) {
        let mut dead = self.dead.lock().unwrap_or_else(PoisonError::into_inner);
        if dead.len() >= MAX_DEAD {
            dead.clear();
        }
        dead.insert(chat);
    }

    /// Somebody wrote in a chat, so it lives.
    pub fn revive(&self, chat: ChatId) {
        self.dead.lock().unwrap_or_else(PoisonError::into_inner).remove(&chat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_chat_waits_and_the_others_go_on() {
        let gate = Gate::default();
        let (slow, free) = (ChatId(1), ChatId(2));
        gate.hold(slow, Duration::from_secs(3600));
        assert!(gate.is_held(slow) && !gate.is_held(free));
        assert!(gate.pass(free).await);
        gate.hold(slow, Duration::ZERO);
        assert!(gate.pass(slow).await);
        // The next one keeps its distance.
        assert!(gate.is_held(slow));
    }

    #[tokio::test]
    async fn dead_chats_are_left_alone_until_they_speak() {
        let gate = Gate::default();
        gate.bury(ChatId(1));
        assert!(!gate.pass(ChatId(1)).await);
        gate.revive(ChatId(1));
        assert!(gate.pass(ChatId(1)).await);
    }
}
