//! What is remembered in memory only, and only for a while: photos of the last answers, so that they can be explained, and
//! what the last photos showed, so that the same photo is not tagged twice.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use bytes::Bytes;
use image2song_contract::payload::SlateId;
use sha2::{Digest, Sha256};

use crate::engine::question::Tagged;

/// Most bytes of photos remembered.
const MAX_PHOTO_BYTES: usize = 32 << 20;
/// Photos whose tags are remembered, some 3 kB each.
const MAX_TAGGED: usize = 512;

/// What names a photo as an eye sees it: SHA-256 of its bytes and of the eye's print.
pub(super) type PhotoHash = [u8; 32];

/// The hash of a photo's bytes for an eye.
pub(super) fn photo_hash(eye: &str, bytes: &[u8]) -> PhotoHash {
    Sha256::new().chain_update(bytes).chain_update(eye).finalize().into()
}

/// A map that forgets its oldest entries once their costs exceed a limit.
#[derive(Debug)]
struct Recent<K, V> {
    entries: HashMap<K, (V, usize)>,
    order: VecDeque<K>,
    cost: usize,
    max_cost: usize,
}

impl<K: Eq + Hash + Clone, V> Recent<K, V> {
    fn new(max_cost: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), cost: 0, max_cost }
    }

    fn put(&mut self, key: K, value: V, cost: usize) {
        if cost > self.max_cost || self.entries.contains_key(&key) {
            return;
        }
        self.cost += cost;
        self.order.push_back(key.clone());
        self.entries.insert(key, (value, cost));
        while self.cost > self.max_cost
            && let Some(oldest) = self.order.pop_front()
        {
            self.cost -= self.entries.remove(&oldest).map_or(0, |(_, cost)| cost);
        }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(value, _)| value)
    }
}

/// What is remembered.
#[derive(Debug)]
pub(super) struct Memory {
    photos: Recent<SlateId, Vec<Bytes>>,
    tagged: Recent<PhotoHash, Arc<Tagged>>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { photos: Recent::new(MAX_PHOTO_BYTES), tagged: Recent::new(MAX_TAGGED) }
    }

    /// Remembers the photos of an answer.
    pub(super) fn keep_photos(&mut self, slate: SlateId, photos: Vec<Bytes>) {
        let cost = photos.iter().map(Bytes::len).sum();
        self.photos.put(slate, photos, cost);
    }

    /// The photos of an answer, if they are still remembered.
    pub(super) fn photos(&self, slate: SlateId) -> Option<Vec<Bytes>> {
        self.photos.get(&slate).cloned()
    }

    /// Remembers what a photo shows.
    pub(super) fn keep_tagged(&mut self, photo: PhotoHash, tagged: Arc<Tagged>) {
        self.tagged.put(photo, tagged, 1);
    }

    /// What a photo shows, if it was tagged lately.
    pub(super) fn tagged(&self, photo: &PhotoHash) -> Option<Arc<Tagged>> {
        self.tagged.get(photo).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first_and_nothing_larger_than_all_stays() {
        let mut recent = Recent::new(10);
        recent.put('a', 1, 4);
        recent.put('b', 2, 4);
        recent.put('a', 9, 4);
        recent.put('c', 3, 4);
        assert_eq!((recent.get(&'a'), recent.get(&'b'), recent.get(&'c')), (None, Some(&2), Some(&3)));
        recent.put('d', 4, 11);
        assert_eq!((recent.get(&'d'), recent.cost), (None, 8));
    }
}
