//! Work on many items on a few threads, with the results in the order of the items and never many of them waiting.

use std::sync::mpsc::sync_channel;
use std::thread;

/// Calls `work` on each item and its position, on up to `n_threads` threads, and gives each result to `take` with
/// its item, in the order of the items, each as soon as those before it have been taken.
///
/// # Errors
/// The first error of `take`; no further item is begun then.
///
/// # Panics
/// If `work` panics.
pub fn in_order<'a, T: Sync, R: Send>(
    items: &'a [T],
    n_threads: usize,
    work: impl Fn(usize, &'a T) -> R + Sync,
    mut take: impl FnMut(&'a T, R) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let n_lanes = n_threads.min(items.len()).max(1);
    thread::scope(|scope| {
        // Item i goes to lane i mod n_lanes; a lane runs at most one result ahead of the taker.
        let lanes: Vec<_> = (0..n_lanes)
            .map(|lane| {
                let (sender, receiver) = sync_channel(1);
                let work = &work;
                scope.spawn(move || {
                    for (item_idx, item) in items.iter().enumerate().skip(lane).step_by(n_lanes) {
                        if sender.send(work(item_idx, item)).is_err() {
                            break;
                        }
                    }
                });
                receiver
            })
            .collect();
        for (item_idx, item) in items.iter().enumerate() {
            let lane = &lanes[item_idx % n_lanes];
            take(item, lane.recv().expect("a lane sends a result for each of its items"))?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn results_keep_the_order_of_the_items() {
        for n_threads in 1..5 {
            let items: Vec<u64> = (0..20).collect();
            let mut taken = Vec::new();
            let slow_evens = |item_idx: usize, item: &u64| {
                thread::sleep(Duration::from_millis(if item.is_multiple_of(2) { 3 } else { 0 }));
                (item_idx as u64, *item)
            };
            in_order(&items, n_threads, slow_evens, |item, result| {
                assert_eq!(*item, result.1);
                taken.push(result);
                Ok(())
            })
            .unwrap();
            assert_eq!(taken, items.iter().map(|&item| (item, item)).collect::<Vec<_>>());
        }
        in_order(&[] as &[u8], 2, |_, _| (), |_, ()| Ok(())).unwrap();
    }

    #[test]
    fn a_taker_that_fails_stops_the_work() {
        let begun = AtomicUsize::new(0);
        let items = vec![(); 1000];
        let count = |_: usize, (): &()| begun.fetch_add(1, Ordering::Relaxed);
        assert!(in_order(&items, 2, count, |_, _| anyhow::bail!("full")).is_err());
        assert!(begun.load(Ordering::Relaxed) < 20);
    }
}
