//! How an adapter is doing: counters that it raises, and that health checks and metrics read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::place::Platform;

/// What an adapter is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not connected yet.
    Starting,
    /// Hears its platform.
    Up,
    /// Does not hear it; being mended.
    Down,
    /// Ended on purpose, or for a reason that only a person can mend.
    Stopped,
}

impl State {
    /// Its name in health answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Down => "down",
            Self::Stopped => "stopped",
        }
    }
}

/// The health of one adapter, shared between it, its supervisor and who asks.
#[derive(Debug)]
pub struct Health {
    platform: Platform,
    state: Mutex<(State, Option<String>)>,
    /// Seconds since 1970 at the last sign of life; 0 for none yet.
    last_life: AtomicI64,
    counts: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    n_restarts: AtomicU64,
    n_panics: AtomicU64,
}

impl Health {
    /// Of an adapter that starts.
    pub fn new(platform: Platform) -> Arc<Self> {
        Arc::new(Self {
            platform,
            state: Mutex::new((State::Starting, None)),
            last_life: AtomicI64::new(0),
            counts: Mutex::default(),
            n_restarts: AtomicU64::new(0),
            n_panics: AtomicU64::new(0),
        })
    }

    /// Its platform.
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// What a person must know or mend, if anything.
    pub fn advice(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Sets what it is doing, and what a person should mend.
    pub fn set(&self, state: State, advice: Option<String>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (state, advice);
    }

    /// The platform was heard: an event, a heartbeat's answer, an empty poll.
    pub fn live(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
        self.last_life.store(now, Ordering::Relaxed);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(state.0, State::Starting | State::Down) {
            state.0 = State::Up;
        }
    }

    /// Seconds since the platform was last heard, if ever.
    pub fn silent_s(&self) -> Option<u64> {
        let last = self.last_life.load(Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
        (last > 0).then(|| (now - last).max(0).unsigned_abs())
    }

    /// Raises a counter; `what` and `kind` are few fixed words (`request`/`mention`, `error`/`429`), never anybody's text.
    pub fn count(&self, what: &'static str, kind: &'static str) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry((what, kind)).or_default() += 1;
    }

    /// All counters.
    pub fn counts(&self) -> Vec<((&'static str, &'static str), u64)> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(&name, &n)| (name, n)).collect()
    }

    /// A handler panicked; the others go on.
    pub fn panicked(&self) {
        self.n_panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Panics so far.
    pub fn n_panics(&self) -> u64 {
        self.n_panics.load(Ordering::Relaxed)
    }

    /// The adapter was started anew.
    pub fn restarted(&self) {
        self.n_restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// Restarts so far.
    pub fn n_restarts(&self) -> u64 {
        self.n_restarts.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_of_life_mends_but_does_not_revive() {
        let health = Health::new(Platform::Telegram);
        assert_eq!((health.state(), health.silent_s()), (State::Starting, None));
        health.live();
        assert_eq!(health.state(), State::Up);
        assert!(health.silent_s().is_some_and(|s| s < 60));
        health.set(State::Stopped, Some("mend the token".into()));
        health.live();
        assert_eq!((health.state(), health.advice().as_deref()), (State::Stopped, Some("mend the token")));
    }

    #[test]
    fn counters_add_up() {
        let health = Health::new(Platform::Discord);
        health.count("error", "429");
        health.count("error", "429");
        health.count("request", "slash");
        assert_eq!(health.counts(), [(("error", "429"), 2), (("request", "slash"), 1)]);
    }
}
