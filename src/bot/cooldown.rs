//! Pauses between questions, in memory: a restart forgives.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// When somebody or something last asked.
#[derive(Debug)]
pub(super) struct Cooldowns<K> {
    last: HashMap<K, Instant>,
}

impl<K: Eq + Hash> Cooldowns<K> {
    /// Entries from which on old ones are thrown out.
    const MANY: usize = 10_000;

    pub(super) fn new() -> Self {
        Self { last: HashMap::new() }
    }

    /// How long `key` has to wait yet; nothing if it may ask now.
    pub(super) fn wait(&self, key: &K, pause: Duration, now: Instant) -> Option<Duration> {
        let since = now.saturating_duration_since(*self.last.get(key)?);
        pause.checked_sub(since).filter(|wait| !wait.is_zero())
    }

    /// `key` asks now.
    pub(super) fn start(&mut self, key: K, now: Instant, longest: Duration) {
        if self.last.len() >= Self::MANY {
            self.last.retain(|_, last| now.saturating_duration_since(*last) < longest);
        }
        self.last.insert(key, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_passes() {
        let (mut cooldowns, now, pause) = (Cooldowns::new(), Instant::now(), Duration::from_secs(3));
        assert_eq!(cooldowns.wait(&"a", pause, now), None);
        cooldowns.start("a", now, pause);
        assert_eq!(cooldowns.wait(&"a", pause, now + Duration::from_secs(1)), Some(Duration::from_secs(2)));
        assert_eq!(cooldowns.wait(&"a", pause, now + pause), None);
        assert_eq!(cooldowns.wait(&"a", Duration::ZERO, now), None);
        assert_eq!(cooldowns.wait(&"b", pause, now), None);
    }

    #[test]
    fn many_entries_do_not_pile_up() {
        let (mut cooldowns, now) = (Cooldowns::new(), Instant::now());
        for key in 0..Cooldowns::<usize>::MANY {
            cooldowns.start(key, now, Duration::from_secs(1));
        }
        cooldowns.start(usize::MAX, now + Duration::from_secs(2), Duration::from_secs(1));
        assert_eq!(cooldowns.last.len(), 1);
    }
}
