//! The port of the HTTP interface: answers as JSON text in the form of the command line's `--json`.

use bytes::Bytes;

use crate::bot::Pending;

/// What to answer and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiOptions {
    /// How many songs or tags; the usual number if not given, at most 50.
    pub n: Option<u8>,
    /// Words beside the photo.
    pub hint: String,
    /// Languages of the songs; all if empty.
    pub languages: Vec<String>,
    /// Whether explicit songs are left out.
    pub is_clean: bool,
}

/// An answer of the HTTP interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiAnswer {
    /// JSON.
    Json(String),
    /// The caller's fault, such as a broken photo or an unknown language; JSON `{"error":{"kind","message"}}`.
    Refused(String),
    /// Too much to do; seconds to wait.
    Busy(u64),
    /// Our fault; the id that is also in the log.
    Internal(String),
}

/// Whether requests would be answered now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Whether they would.
    pub is_ready: bool,
    /// JSON text with the state of each part.
    pub parts: String,
}

/// The program as the HTTP interface sees it.
pub trait Api: Send + Sync + 'static {
    /// Most bytes of a photo.
    fn max_bytes(&self) -> u64;

    /// Songs for a photo that the caller calls `name`.
    fn suggest(&self, name: String, photo: Bytes, options: ApiOptions) -> Pending<'_, ApiAnswer>;

    /// What a photo shows.
    fn tags(&self, name: String, photo: Bytes, options: ApiOptions) -> Pending<'_, ApiAnswer>;

    /// Songs of the catalogue whose title, artist or words are like `text`.
    fn songs(&self, text: String, n: u8) -> Pending<'_, ApiAnswer>;

    /// Metrics in the text form of OpenMetrics.
    fn metrics(&self) -> String;

    /// Whether requests would be answered now.
    fn readiness(&self) -> Readiness;

    /// Where a signed listen link leads, after it was counted; `None` if the signature is not ours.
    fn follow<'a>(&'a self, token: &'a str) -> Pending<'a, Option<String>>;
}
