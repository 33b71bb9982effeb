//! The network in training's own form applied to many photos, for validation while it trains.

use super::augment;
use super::network::Worker;
use super::photos::Squares;
use crate::tagger::arch::Arch;

/// Photos that the running statistics are averaged over.
const N_CALIBRATION: usize = 1024;
const MICRO_BATCH: usize = 16;

/// Batch-norm statistics of the given weights over plain training photos: the averaged weights never saw a batch, and
/// serving sees another size than training, so statistics gathered while training would fit neither.
pub fn calibrated_statistics(workers: &mut [Worker], params: &[f32], squares: &Squares, side: usize) -> Vec<f32> {
    let stride = (squares.len() / N_CALIBRATION).max(1);
    let photos: Vec<usize> = (0..squares.len()).step_by(stride).take(N_CALIBRATION).collect();
    let n_threads = workers.len();
    let batches: Vec<&[usize]> = photos.chunks(MICRO_BATCH).collect();
    let sums: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let running: Vec<_> = workers
            .iter_mut()
            .enumerate()
            .map(|(thread, worker)| {
                let batches = &batches;
                scope.spawn(move || {
                    let mut sums = Vec::new();
                    let mut images = Vec::new();
                    for photos in batches.iter().skip(thread).step_by(n_threads) {
                        images.clear();
                        photos.iter().for_each(|&photo| augment::plain(squares.get(photo), &mut images));
                        worker.forward(params, &images, photos.len(), side);
                        let statistics = worker.batch_statistics().map(|value| f64::from(value) * photos.len() as f64);
                        if sums.is_empty() {
                            sums = statistics.collect();
                        } else {
                            sums.iter_mut().zip(statistics).for_each(|(sum, value)| *sum += value);
                        }
                    }
                    sums
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("a validation thread panicked")).collect()
    });
    let n_statistics = sums.iter().map(Vec::len).max().unwrap_or(0);
    (0..n_statistics)
        .map(|i| (sums.iter().filter_map(|part| part.get(i)).sum::<f64>() / photos.len() as f64) as f32)
        .collect()
}

/// Tag probabilities of all photos, `[n, n_tags]`.
pub fn probabilities(
    workers: &mut [Worker],
    arch: &Arch,
    params: &[f32],
    statistics: &[f32],
    squares: &Squares,
    side: usize,
) -> Vec<f32> {
    let n_tags = arch.n_tags;
    let mut probs = vec![0.0f32; squares.len() * n_tags];
    let n_threads = workers.len();
    let mut shares: Vec<Vec<(usize, &mut [f32])>> = (0..n_threads).map(|_| Vec::new()).collect();
    for (batch, part) in probs.chunks_mut(MICRO_BATCH * n_tags).enumerate() {
        shares[batch % n_threads].push((batch * MICRO_BATCH, part));
    }
    std::thread::scope(|scope| {
        for (worker, share) in workers.iter_mut().zip(shares) {
            scope.spawn(move || {
                let mut images = Vec::new();
                for (first, part) in share {
                    let n = part.len() / n_tags;
                    images.clear();
                    (first..first + n).for_each(|photo| augment::plain(squares.get(photo), &mut images));
                    worker.infer(params, statistics, &images, n, side);
                    part.iter_mut().zip(&worker.logits).for_each(|(p, &z)| *p = 1.0 / (1.0 + (-z).exp()));
                }
            });
        }
    });
    probs
}
