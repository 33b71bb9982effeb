//! What is asked of the engine, and what it answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::answer::compose::Composed;
use crate::answer::fault::PhotoFault;
use crate::answer::model::Model;
use crate::matcher::draw::Policy;
use crate::matcher::suggest::Filter;
use crate::photo::Square;
use crate::tagger::Tagging;

/// One photo of a question.
#[derive(Debug, Clone)]
pub enum Input {
    /// The bytes of a file.
    File(Bytes),
    /// A photo that was tagged before, by the same eye.
    Known(Arc<Tagged>),
}

/// What a photo shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Tagged {
    /// Its tags.
    pub tagging: Tagging,
    /// Whether it is of one color, so that nothing in it is sure.
    pub is_plain: bool,
}

/// What is wished beside the photos.
#[derive(Debug, Clone, Default)]
pub struct Wished {
    /// Words that join the tags.
    pub hint: String,
    /// Which songs may be suggested.
    pub filter: Filter,
    /// How many songs; 0 asks for the tags only.
    pub n_songs: usize,
    /// Whose taste counts: a community as its adapter is named; nobody's but that of all if `None`.
    pub community: Option<String>,
    /// How chance takes part.
    pub policy: Policy,
    /// Decides what chance does.
    pub seed: u64,
}

/// What came of a question.
#[derive(Debug, Clone)]
pub struct Found {
    /// What each photo shows, in the order of the question, or why it cannot be used.
    pub photos: Vec<Result<Arc<Tagged>, PhotoFault>>,
    /// What all usable photos show together; each tag with its loudest photo.
    pub pooled: Tagged,
    /// The songs.
    pub composed: Composed,
    /// How long the steps took.
    pub steps: Steps,
}

/// How long the steps of a question took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Steps {
    /// Decoding and shrinking.
    pub decode: Duration,
    /// Waiting for the engine.
    pub queue: Duration,
    /// Tagging.
    pub tag: Duration,
    /// Finding songs.
    pub matching: Duration,
    /// All of it.
    pub total: Duration,
}

/// Why there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineFault {
    /// None of the photos can be used; why the first one cannot.
    #[error("{}", .0.message)]
    BadPhotos(PhotoFault),
    /// As much is waiting as may wait, or the deadline passed.
    #[error("the engine is busy")]
    Busy,
    /// Our fault.
    #[error("the engine failed: {0}")]
    Internal(String),
}

/// A photo ready for the tagger.
pub(super) enum Ready {
    /// To be tagged.
    Square(Square),
    /// Tagged before.
    Known(Arc<Tagged>),
    /// Not to be used.
    Broken(PhotoFault),
}

/// A question in the queue.
pub(super) struct Job {
    /// Who answers, whatever serves by then.
    pub(super) model: Arc<Model>,
    pub(super) photos: Vec<Ready>,
    pub(super) wished: Wished,
    pub(super) decode_time: Duration,
    pub(super) asked: Instant,
    pub(super) queued: Instant,
    pub(super) deadline: Instant,
    pub(super) reply: oneshot::Sender<Result<Found, EngineFault>>,
}
