//! The thread that answers: takes a question and whatever waits behind it, and answers them together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Instant;

use rayon::prelude::*;
use tokio::sync::mpsc::Receiver;

use super::handle::EngineCounts;
use super::question::{EngineFault, Found, Job, Ready, Steps, Tagged};
use crate::answer::compose::{Composed, Wish, compose};
use crate::answer::fault::PhotoFault;
use crate::answer::model::Model;
use crate::answer::sight::is_plain;
use crate::tagger::Tagging;

/// Starts the thread; it ends when the queue is closed and empty.
pub(super) fn start(
    max_batch: usize,
    counts: Arc<EngineCounts>,
    mut queue: Receiver<Job>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("engine".into()).spawn(move || {
        while let Some(first) = queue.blocking_recv() {
            let mut n_photos = first.photos.len();
            let mut batch = vec![first];
            while n_photos < max_batch
                && let Ok(next) = queue.try_recv()
            {
                n_photos += next.photos.len();
                batch.push(next);
            }
            counts.n_batches.fetch_add(1, Ordering::Relaxed);
            // One question per core: within one, the steps follow each other.
            batch.into_par_iter().for_each(|job| answer(job, &counts));
        }
    })
}

fn answer(job: Job, counts: &EngineCounts) {
    // Nobody waits any more: spend nothing on it.
    if job.reply.is_closed() || Instant::now() >= job.deadline {
        return;
    }
    let Job { model, photos, wished, decode_time, asked, queued, reply, .. } = job;
    let work = || {
        let queue = queued.elapsed();
        let tagging = Instant::now();
        let photos: Vec<Result<Arc<Tagged>, PhotoFault>> =
            photos.into_iter().map(|photo| tagged(&model, photo, counts)).collect();
        let tag = tagging.elapsed();
        let usable: Vec<&Tagged> = photos.iter().filter_map(|photo| photo.as_deref().ok()).collect();
        let Some(pooled) = pool(&usable) else {
            let fault = photos.into_iter().find_map(Result::err);
            return Err(EngineFault::BadPhotos(fault.unwrap_or_else(|| PhotoFault::new("empty", "there is no photo"))));
        };
        let wish = Wish {
            hint: &wished.hint,
            filter: &wished.filter,
            n_songs: wished.n_songs,
            community: wished.community.as_deref(),
            policy: wished.policy,
            seed: wished.seed,
        };
        let composed: Composed = compose(&model, &pooled.tagging, pooled.is_plain, wish);
        let steps = Steps { decode: decode_time, queue, tag, matching: composed.match_time, total: asked.elapsed() };
        Ok(Found { photos, pooled, composed, steps })
    };
    let answered = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        counts.n_panics.fetch_add(1, Ordering::Relaxed);
        Err(EngineFault::Internal("a question met a bug".into()))
    });
    // The asker may have gone meanwhile.
    let _ = reply.send(answered);
}

fn tagged(model: &Model, photo: Ready, counts: &EngineCounts) -> Result<Arc<Tagged>, PhotoFault> {
    match photo {
        Ready::Known(tagged) => Ok(tagged),
        Ready::Broken(fault) => Err(fault),
        Ready::Square(square) => {
            counts.n_tagged.fetch_add(1, Ordering::Relaxed);
            let work = AssertUnwindSafe(|| model.eye.tagger.tag(&square));
            let tagging = catch_unwind(work).map_err(|_| {
                counts.n_panics.fetch_add(1, Ordering::Relaxed);
                PhotoFault::internal("this photo met a bug in the tagger")
            })?;
            let tagging = tagging.map_err(|error| PhotoFault::internal_error(&error))?;
            Ok(Arc::new(Tagged { tagging, is_plain: is_plain(&square) }))
        }
    }
}

/// What several photos show together: each tag as in the photo that shows it most, the embedding as their mean. `None`
/// for no photos.
fn pool(photos: &[&Tagged]) -> Option<Tagged> {
    let (first, others) = photos.split_first()?;
    let mut pooled: Tagging = first.tagging.clone();
    for other in others {
        for (tag, &prob) in other.tagging.probs.iter().enumerate() {
            if prob > pooled.probs[tag] {
                pooled.probs[tag] = prob;
                pooled.region_idx[tag] = other.tagging.region_idx[tag];
            }
        }
        for (sum, value) in pooled.embedding.iter_mut().zip(&other.tagging.embedding) {
            *sum += value;
        }
    }
    let n = photos.len() as f32;
    pooled.embedding.iter_mut().for_each(|value| *value /= n);
    Some(Tagged { tagging: pooled, is_plain: photos.iter().all(|photo| photo.is_plain) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(probs: &[f32], region: u8) -> Tagged {
        let tagging = Tagging {
            probs: probs.to_vec(),
            region_idx: vec![region; probs.len()],
            embedding: vec![f32::from(region)],
        };
        Tagged { tagging, is_plain: false }
    }

    #[test]
    fn pooled_tags_are_those_of_the_photo_that_shows_them_most() {
        let (one, two) = (photo(&[0.9, 0.1, 0.4], 1), photo(&[0.2, 0.8, 0.4], 3));
        let pooled = pool(&[&one, &two]).unwrap();
        assert_eq!(pooled.tagging.probs, [0.9, 0.8, 0.4]);
        assert_eq!(pooled.tagging.region_idx, [1, 3, 1]);
        assert_eq!(pooled.tagging.embedding, [2.0]);
        assert_eq!(pool(&[&one]), Some(one));
        assert_eq!(pool(&[]), None);
    }
}
