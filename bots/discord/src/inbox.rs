//! A bounded memory of what came lately.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// The last so many keys with a value each; older ones are forgotten.
pub struct Recent<T> {
    max: usize,
    kept: Mutex<(HashMap<String, T>, VecDeque<String>)>,
}

impl<T: Clone> Recent<T> {
    /// Remembers at most `max` keys.
    pub fn new(max: usize) -> Recent<T> {
        Recent { max, kept: Mutex::default() }
    }

    /// Keeps a value; the former one, if the key was known.
    pub fn put(&self, key: &str, value: T) -> Option<T> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (values, order) = &mut *kept;
        let former = values.insert(key.to_owned(), value);
        if former.is_none() {
            order.push_back(key.to_owned());
        }
        if order.len() > self.max
            && let Some(oldest) = order.pop_front()
        {
            values.remove(&oldest);
        }
        former
    }

    /// All keys that begin so, with their values.
    pub fn starting_with(&self, start: &str) -> Vec<(String, T)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0
            .iter()
            .filter(|(key, _)| key.starts_with(start))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<T> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).0.get(key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let recent = Recent::new(2);
        assert_eq!((recent.put("a", 1), recent.put("b", 2), recent.put("a", 3)), (None, None, Some(1)));
        assert_eq!(recent.put("c", 4), None);
        assert_eq!((recent.get("a"), recent.get("b"), recent.get("c")), (None, Some(2), Some(4)));
        assert_eq!(recent.starting_with("b"), [("b".to_owned(), 2)]);
    }
}
