//! Keeps an adapter running: what panics, returns or falls silent is started anew, with growing pauses.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::watch;

use crate::health::{Health, State};

/// Why an adapter ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was told to stop.
    Stopped,
    /// Something that a new start may mend; what, without anybody's text.
    Broken(String),
    /// Something that only a person can mend, such as a wrong token; what to do.
    Hopeless(String),
}

/// Told when to stop; clones hear the same.
pub type StopSignal = watch::Receiver<bool>;

/// When a silent adapter is started anew, and how long to wait before.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Without a sign of life for this long, it counts as dead.
    pub max_silence: Duration,
    /// Pause before the first new start; doubles up to `max_pause`.
    pub first_pause: Duration,
    /// Longest pause.
    pub max_pause: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_silence: Duration::from_secs(120),
            first_pause: Duration::from_secs(1),
            max_pause: Duration::from_secs(60),
        }
    }
}

/// Runs `start` until it is told to stop or cannot be helped. Each start gets its own stop signal, which also fires when
/// the watchdog gives it up.
pub async fn supervise<F, R>(health: Arc<Health>, policy: Policy, mut stop: StopSignal, mut start: F) -> End
where
    F: FnMut(StopSignal) -> R,
    R: Future<Output = End> + Send + 'static,
{
    let mut pause = policy.first_pause;
    loop {
        let (give_up, given_up) = watch::channel(false);
        let began = tokio::time::Instant::now();
        health.live();
        health.set(State::Starting, None);
        let mut running = tokio::spawn(caught(start(given_up)));
        let mut watchdog = tokio::time::interval(policy.max_silence / 8);
        let end = loop {
            tokio::select! {
                ended = &mut running => break match ended {
                    Ok(Some(end)) => end,
                    Ok(None) | Err(_) => {
                        health.panicked();
                        End::Broken("it panicked".into())
                    }
                },
                _ = watchdog.tick() => {
                    if health.silent_s().is_some_and(|s| s > policy.max_silence.as_secs()) {
                        health.set(State::Down, None);
                        let _ = give_up.send(true);
                        if tokio::time::timeout(Duration::from_secs(5), &mut running).await.is_err() {
                            running.abort();
                        }
                        break End::Broken(format!("silent for {} s", policy.max_silence.as_secs()));
                    }
                }
                () = stopped(&mut stop) => {
                    let _ = give_up.send(true);
                    if tokio::time::timeout(Duration::from_secs(10), &mut running).await.is_err() {
                        running.abort();
                    }
                    break End::Stopped;
                }
            }
        };
        match end {
            End::Broken(reason) => {
                tracing::warn!(platform = health.platform().name(), reason, "adapter is started anew");
                health.set(State::Down, None);
                health.restarted();
            }
            End::Stopped => {
                health.set(State::Stopped, None);
                return End::Stopped;
            }
            End::Hopeless(advice) => {
                tracing::error!(platform = health.platform().name(), advice, "adapter cannot run");
                health.set(State::Stopped, Some(advice.clone()));
                return End::Hopeless(advice);
            }
        }
        if began.elapsed() > policy.max_pause {
            pause = policy.first_pause;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopped(&mut stop) => {
                health.set(State::Stopped, None);
                return End::Stopped;
            }
        }
        pause = (pause * 2).min(policy.max_pause);
    }
}

/// Returns when the signal says stop; also when nobody is left who could say it.
pub async fn stopped(stop: &mut StopSignal) {
    while !*stop.borrow_and_update() {
        if stop.changed().await.is_err() {
            return;
        }
    }
}

/// What a future returns, or `None` if it panics.
pub async fn caught<R: Future>(future: R) -> Option<R::Output> {
    struct Caught<R>(Pin<Box<R>>);

    impl<R: Future> Future for Caught<R> {
        type Output = Option<R::Output>;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            match std::panic::catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
                Err(_) => Poll::Ready(None),
            }
        }
    }

    Caught(Box::pin(future)).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::place::Platform;

    fn policy() -> Policy {
        Policy { max_silence: Duration::from_secs(2), first_pause: Duration::ZERO, max_pause: Duration::ZERO }
    }

    #[tokio::test]
    async fn what_panics_or_returns_is_started_anew_until_it_is_told_to_stop() {
        let (stop, stopping) = watch::channel(false);
        let health = Health::new(Platform::Telegram);
        let n_starts = Arc::new(AtomicUsize::new(0));
        let count = n_starts.clone();
        let end = supervise(health.clone(), policy(), stopping, move |mut given_up| {
            let start = count.fetch_add(1, Ordering::SeqCst);
            let stop = stop.clone();
            async move {
                match start {
                    0 => panic!("a handler's fault"),
                    1 => End::Broken("the line fell".into()),
                    _ => {
                        stop.send(true).unwrap();
                        stopped(&mut given_up).await;
                        End::Stopped
                    }
                }
            }
        })
        .await;
        assert_eq!(end, End::Stopped);
        assert_eq!(n_starts.load(Ordering::SeqCst), 3);
        assert_eq!((health.n_restarts(), health.n_panics(), health.state()), (2, 1, State::Stopped));
    }

    #[tokio::test]
    async fn what_falls_silent_is_given_up() {
        let (_stop, stopping) = watch::channel(false);
        let health = Health::new(Platform::Discord);
        let n_starts = Arc::new(AtomicUsize::new(0));
        let count = n_starts.clone();
        let end = supervise(health.clone(), policy(), stopping, move |mut given_up| {
            let start = count.fetch_add(1, Ordering::SeqCst);
            async move {
                if start == 1 {
                    return End::Hopeless("mend it".into());
                }
                stopped(&mut given_up).await;
                End::Stopped
            }
        })
        .await;
        assert_eq!(end, End::Hopeless("mend it".into()));
        assert_eq!((health.n_restarts(), health.advice().as_deref()), (1, Some("mend it")));
    }
}
