//! [`Engine`]: the door to the model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::lineup::Lineup;
use super::question::{EngineFault, Found, Input, Job, Ready, Wished};
use super::worker;
use crate::answer::fault::PhotoFault;
use crate::answer::model::Model;
use crate::photo::{Decoded, Limits};

/// How much an engine takes at a time.
#[derive(Debug, Clone, Copy)]
pub struct EngineOptions {
    /// Questions that may be inside: being decoded, waiting, being answered.
    pub capacity: usize,
    /// Photos that are decoded at the same time; each may take some hundred MB while it is.
    pub n_decoders: usize,
    /// Most photos that are answered together.
    pub max_batch: usize,
    /// Longest time from question to answer.
    pub deadline: Duration,
    /// Limits of a photo.
    pub limits: Limits,
}

impl Default for EngineOptions {
    fn default() -> Self {
        let n_cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            capacity: 64,
            n_decoders: n_cores.min(4),
            max_batch: 8,
            deadline: Duration::from_secs(5),
            limits: Limits::default(),
        }
    }
}

/// What the engine has done; for metrics and readiness.
#[derive(Debug, Default)]
pub struct EngineCounts {
    /// Questions inside now.
    pub n_inside: AtomicUsize,
    /// Questions that were turned away at the door.
    pub n_refused: AtomicU64,
    /// Questions whose deadline passed.
    pub n_late: AtomicU64,
    /// Photos or questions in which a panic was caught.
    pub n_panics: AtomicU64,
    /// Batches.
    pub n_batches: AtomicU64,
    /// Photos tagged.
    pub n_tagged: AtomicU64,
}

/// A handle on the engine; clones share it. The thread ends when the last handle goes or the engine is shut.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    lineup: RwLock<Arc<Lineup>>,
    options: EngineOptions,
    door: Arc<Semaphore>,
    /// Threads of their own: decoders use memory by the MB, which the allocator keeps for each thread that once had it.
    decoders: ThreadPool,
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    worker: Mutex<Option<JoinHandle<()>>>,
    counts: Arc<EngineCounts>,
}

impl Engine {
    /// Starts the thread that answers.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(lineup: Lineup, options: EngineOptions) -> std::io::Result<Self> {
        let counts = Arc::new(EngineCounts::default());
        let decoders = ThreadPoolBuilder::new()
            .num_threads(options.n_decoders.max(1))
            .thread_name(|number| format!("decoder-{number}"));
        let (sender, receiver) = mpsc::channel(options.capacity.max(1));
        let worker = worker::start(options.max_batch, counts.clone(), receiver)?;
        let inner = Inner {
            lineup: RwLock::new(Arc::new(lineup)),
            options,
            door: Arc::new(Semaphore::new(options.capacity)),
            decoders: decoders.build().map_err(std::io::Error::other)?,
            queue: Mutex::new(Some(sender)),
            worker: Mutex::new(Some(worker)),
            counts,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The models that serve now. Who asks more than once for one answer asks with the same model each time.
    pub fn lineup(&self) -> Arc<Lineup> {
        self.inner.lineup.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The model that answers whoever is not part of a trial.
    pub fn model(&self) -> Arc<Model> {
        self.lineup().current.clone()
    }

    /// Lets other models serve from the next question on. Questions inside are answered by the model they came with.
    pub fn set_lineup(&self, lineup: Lineup) {
        *self.inner.lineup.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lineup);
    }

    /// How much it takes.
    pub fn options(&self) -> &EngineOptions {
        &self.inner.options
    }

    /// What it has done.
    pub fn counts(&self) -> &EngineCounts {
        &self.inner.counts
    }

    /// Answers a question with a model. A broken photo among others is told in its place; nothing waits longer than the deadline.
    ///
    /// # Errors
    /// No photo can be used, too much is waiting, or our fault.
    pub async fn ask(&self, model: Arc<Model>, photos: Vec<Input>, wished: Wished) -> Result<Found, EngineFault> {
        let inner = &self.inner;
        let Ok(_inside) = inner.door.try_acquire() else {
            inner.counts.n_refused.fetch_add(1, Ordering::Relaxed);
            return Err(EngineFault::Busy);
        };
        let _counted = Counted::new(&inner.counts.n_inside);
        let answer = tokio::time::timeout(inner.options.deadline, self.answered(model, photos, wished)).await;
        answer.unwrap_or_else(|_| {
            inner.counts.n_late.fetch_add(1, Ordering::Relaxed);
            Err(EngineFault::Busy)
        })
    }

    async fn answered(&self, model: Arc<Model>, photos: Vec<Input>, wished: Wished) -> Result<Found, EngineFault> {
        let asked = Instant::now();
        let mut ready = Vec::with_capacity(photos.len());
        for photo in photos {
            ready.push(match photo {
                Input::Known(tagged) => Ready::Known(tagged),
                Input::File(bytes) => self.decoded(&model, bytes).await?,
            });
        }
        let is_broken = |photo: &Ready| matches!(photo, Ready::Broken(_));
        if ready.iter().all(is_broken) {
            let fault =
                ready.into_iter().find_map(|photo| if let Ready::Broken(fault) = photo { Some(fault) } else { None });
            let none = || PhotoFault::new("empty", "there is no photo; send at least one");
            return Err(EngineFault::BadPhotos(fault.unwrap_or_else(none)));
        }
        let (reply, answer) = oneshot::channel();
        let queued = Instant::now();
        let deadline = asked + self.inner.options.deadline;
        let job = Job { model, photos: ready, wished, decode_time: queued - asked, asked, queued, deadline, reply };
        let queue = self.inner.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let queue = queue.ok_or(EngineFault::Busy)?;
        queue.try_send(job).map_err(|_| EngineFault::Busy)?;
        drop(queue);
        answer.await.unwrap_or(Err(EngineFault::Busy))
    }

    /// Decodes a photo where blocking is allowed; a panic of a decoder is that photo's fault.
    async fn decoded(&self, model: &Model, bytes: Bytes) -> Result<Ready, EngineFault> {
        let (side, limits) = (model.eye.tagger.side(), self.inner.options.limits);
        let counts = self.inner.counts.clone();
        let decode = move || Decoded::from_bytes(&bytes, &limits).map(|decoded| decoded.square(side));
        let work = move || match catch_unwind(AssertUnwindSafe(decode)) {
            Ok(Ok(square)) => Ready::Square(square),
            Ok(Err(error)) => Ready::Broken(error.into()),
            Err(_) => {
                counts.n_panics.fetch_add(1, Ordering::Relaxed);
                Ready::Broken(PhotoFault::internal("this photo met a bug in the decoder"))
            }
        };
        let (give, ready) = oneshot::channel();
        self.inner.decoders.spawn(move || {
            // Nobody waits any more: spend nothing on it.
            if !give.is_closed() {
                let _ = give.send(work());
            }
        });
        ready.await.map_err(|error| EngineFault::Internal(error.to_string()))
    }

    /// Takes no more questions, answers those in the queue and ends the thread. Blocks until it has ended.
    pub fn shut(&self) {
        self.inner.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.inner.door.close();
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(worker) = worker
            && worker.join().is_err()
        {
            tracing::error!("the engine's thread ended by a panic");
        }
    }
}

/// Raises a gauge while it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(gauge: &'a AtomicUsize) -> Self {
        gauge.fetch_add(1, Ordering::Relaxed);
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
