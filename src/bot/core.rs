//! [`Core`]: everything that answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use image2song_contract::answer::Refusal;
use image2song_contract::ask::Intake;
use image2song_contract::health::Health;
use image2song_contract::place::{Person, Place};
use image2song_contract::settings::{Level, Settings};

use super::cooldown::Cooldowns;
use super::memory::Memory;
use super::redirect::Signer;
use crate::deployment::tally::{Rules, Tally};
use crate::engine::handle::Engine;
use crate::feedback::event::UnixMs;
use crate::feedback::ids::{CommunityKey, KeyHasher, UserKey};
use crate::feedback::log::FeedbackLog;
use crate::state::store::State;
use crate::telemetry::metrics::Metrics;

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct CoreOptions {
    /// Settings of communities that have made none.
    pub defaults: Settings,
    /// Whether chance leaves the first place to the best song.
    pub protects_first: bool,
    /// Whether a trial divides communities rather than people.
    pub splits_by_community: bool,
    /// A short hash of the configuration, for impressions.
    pub config_version: String,
    /// Where this program can be reached from outside, if it can; listen links then go through it and are counted.
    pub public_url: Option<String>,
    /// Days for which buttons of an answer work.
    pub slate_days: u32,
    /// Days for which feedback is kept.
    pub retention_days: u32,
    /// Whether embeddings of photos are kept at the level `training`.
    pub keeps_embeddings: bool,
    /// Most photos of one question.
    pub max_photos: usize,
}

/// Everything that answers; shared by all adapters.
pub struct Core {
    pub(super) engine: Engine,
    pub(super) state: State,
    pub(super) feedback: FeedbackLog,
    pub(super) hasher: KeyHasher,
    pub(super) metrics: Arc<Metrics>,
    pub(super) tally: Arc<Tally>,
    pub(super) options: CoreOptions,
    pub(super) healths: Vec<Arc<Health>>,
    pub(super) signer: Signer,
    /// Number of this run, for receipts.
    pub(super) run: u64,
    pub(super) people: Mutex<Cooldowns<UserKey>>,
    pub(super) channels: Mutex<Cooldowns<String>>,
    memory: Mutex<Memory>,
    /// Held while a slate's votes are read and written.
    pub(super) presses: tokio::sync::Mutex<()>,
}

/// What a core is made of.
pub struct Parts {
    /// The model's owner.
    pub engine: Engine,
    /// The kept state.
    pub state: State,
    /// The feedback log.
    pub feedback: FeedbackLog,
    /// Makes keyed hashes of platform ids.
    pub hasher: KeyHasher,
    /// Counts what happens.
    pub metrics: Arc<Metrics>,
    /// The adapters' health.
    pub healths: Vec<Arc<Health>>,
    /// Signs listen links.
    pub signer: Signer,
    /// Decides about trials.
    pub rules: Rules,
}

impl Core {
    /// Puts the parts together.
    ///
    /// # Errors
    /// The state cannot be used.
    pub fn new(parts: Parts, options: CoreOptions) -> Result<Self, crate::state::error::StateError> {
        let Parts { engine, state, feedback, hasher, metrics, healths, signer, rules } = parts;
        let run = state.next_run()?;
        Ok(Self {
            engine,
            state,
            feedback,
            hasher,
            metrics,
            tally: Arc::new(Tally::new(rules)),
            options,
            healths,
            signer,
            run,
            people: Mutex::new(Cooldowns::new()),
            channels: Mutex::new(Cooldowns::new()),
            memory: Mutex::new(Memory::new()),
            presses: tokio::sync::Mutex::new(()),
        })
    }

    /// Forgets what is older than it may be kept; call it daily. Blocks for as long as it takes to read all that is kept.
    pub fn sweep(&self) {
        let now = now_ms();
        let oldest = now.saturating_sub(u64::from(self.options.slate_days) * 24 * 3600 * 1000);
        match self.state.sweep(oldest, now) {
            Ok(n) => tracing::info!(n, "old slates and receipts are forgotten"),
            Err(error) => tracing::error!(%error, "old slates cannot be forgotten"),
        }
        match self.feedback.sweep(UnixMs(now)) {
            Ok(n) => tracing::info!(n, "old feedback is forgotten"),
            Err(error) => tracing::error!(%error, "old feedback cannot be forgotten"),
        }
    }

    /// Waits for what is being written and closes the engine's door; the rest closes when the core goes. Blocks.
    pub fn shut(&self) {
        self.engine.shut();
        if let Err(error) = self.state.flush() {
            tracing::error!(%error, "the kept state may lack the last moments");
        }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn intake_limits(&self) -> Intake {
        let options = self.engine.options();
        Intake { max_bytes: options.limits.max_bytes, max_photos: self.options.max_photos, enough_side: 256 }
    }

    /// Settings of a place; those of the operator where nobody has made any.
    pub(super) async fn settings_of(&self, place: &Place) -> Result<Settings, Refusal> {
        let (state, platform, community) = (self.state.clone(), place.platform, place.community.clone());
        let found = self.blocking(move || state.settings(platform, &community)).await?;
        Ok(found.unwrap_or_else(|| self.options.defaults.clone()))
    }

    pub(super) fn user(&self, place: &Place, person: &Person) -> UserKey {
        self.hasher.user(place.platform.into(), &person.user.0)
    }

    pub(super) fn community(&self, place: &Place) -> CommunityKey {
        self.hasher.community(place.platform.into(), &place.community.0)
    }

    /// What may be kept of a person in a place with these settings.
    pub(super) fn level(&self, settings: &Settings, user: UserKey) -> Level {
        let community = settings.level;
        self.feedback.user_level(user).map_or(community, |own| Level::from(own).min(community))
    }

    /// Runs work that waits for a disk where waiting is allowed. A failure is our fault and noted with an id.
    pub(super) async fn blocking<T, E, F>(&self, work: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        E: std::error::Error + Send + 'static,
        F: FnOnce() -> Result<T, E> + Send + 'static,
    {
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.internal("store", &error)),
            Err(error) => Err(self.internal("task", &error)),
        }
    }

    /// Notes a fault of ours under a new id.
    pub(super) fn internal(&self, kind: &'static str, error: &dyn std::error::Error) -> Refusal {
        let id = format!("{:08x}", fastrand::u32(..));
        let mut causes = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            causes += &format!(": {cause}");
            source = cause.source();
        }
        tracing::error!(id, kind, causes, "an answer failed");
        self.metrics.error(kind);
        Refusal::Internal { id }
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    UnixMs::now().0
}

/// A time as milliseconds since 1970; 0 for times before.
pub(super) fn unix_ms(time: SystemTime) -> UnixMs {
    UnixMs(time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis() as u64)
}
