//! What all handlers share.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use image2song_contract::api::{Api, ApiAnswer};
use image2song_contract::bot::Pending;
use image2song_contract::health::Health;

use crate::fault::Fault;
use crate::gate::Gate;
use crate::options::Options;

/// What all handlers share.
pub(crate) struct App {
    pub(crate) api: Arc<dyn Api>,
    pub(crate) health: Arc<Health>,
    pub(crate) options: Options,
    pub(crate) gate: Gate,
    /// Different in each process, so that ids of two runs do not meet in one log.
    id_base: u64,
    n_requests: AtomicU64,
}

impl App {
    pub(crate) fn new(api: Arc<dyn Api>, health: Arc<Health>, options: Options) -> Arc<Self> {
        let gate = Gate::new(&options);
        let id_base = RandomState::new().build_hasher().finish();
        Arc::new(Self { api, health, options, gate, id_base, n_requests: AtomicU64::new(0) })
    }

    /// A new id for a request.
    pub(crate) fn next_id(&self) -> String {
        let idx = self.n_requests.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-{idx:x}", self.id_base as u32)
    }

    /// The JSON of an answer that came in time.
    pub(crate) async fn in_time(&self, answer: Pending<'_, ApiAnswer>) -> Result<String, Fault> {
        let limit = self.options.answer_timeout;
        match tokio::time::timeout(limit, answer).await {
            Ok(ApiAnswer::Json(json)) => Ok(json),
            Ok(ApiAnswer::Refused(json)) => Err(Fault::refused(&json)),
            Ok(ApiAnswer::Busy(seconds)) => Err(Fault::Busy { seconds: seconds.max(1) }),
            Ok(ApiAnswer::Internal(id)) => Err(Fault::Internal { id }),
            Err(_) => Err(Fault::SlowAnswer(limit)),
        }
    }
}
