//! What the HTTP interface allows, and the API key.

use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Bounds of the HTTP interface and its key.
#[derive(Debug)]
pub struct Options {
    /// Who shows it may use `/v1`, the form and `/metrics`; everybody if there is none, which only loopback may have.
    pub key: Option<SecretString>,
    /// Most questions at work at once; one more is answered with 503.
    pub max_concurrent: usize,
    /// Most open connections; one more waits in the system's queue.
    pub max_connections: usize,
    /// Most photos in one request.
    pub max_photos: usize,
    /// Most bytes of one request.
    pub max_request_bytes: u64,
    /// Most bytes of photos held in memory for all requests together; a request that needs more is answered with 503.
    pub max_held_bytes: u64,
    /// For the head of a request, also on a connection that is kept open.
    pub head_timeout: Duration,
    /// For the body of a request.
    pub body_timeout: Duration,
    /// For the answer to one photo.
    pub answer_timeout: Duration,
    /// After this a connection is closed, whatever it does.
    pub max_connection_age: Duration,
    /// What requests get to end when the server stops.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            key: None,
            max_concurrent: 32,
            max_connections: 512,
            max_photos: 8,
            max_request_bytes: 64 << 20,
            max_held_bytes: 128 << 20,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(15),
            max_connection_age: Duration::from_secs(600),
            drain: Duration::from_secs(10),
        }
    }
}

/// The key as its SHA-256, so that what is compared has one length and the key itself need not be kept.
#[derive(Clone)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// Of the key that the operator chose.
    pub(crate) fn new(secret: &SecretString) -> Self {
        Self(Sha256::digest(secret.expose_secret().as_bytes()).into())
    }

    /// Whether it is this one; takes as long for every wrong one of the same length.
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        let differing = self.0.iter().zip(shown).fold(0, |all, (own, other)| black_box(all | (own ^ other)));
        black_box(differing) == 0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_opens_and_none_is_shown() {
        let secret = SecretString::from("sesame-sesame");
        let key = Key::new(&secret);
        assert!(key.is(b"sesame-sesame"));
        for wrong in [&b""[..], b"sesame", b"sesame-sesamf", b"sesame-sesame\0", b"Sesame-sesame"] {
            assert!(!key.is(wrong));
        }
        let shown = format!("{key:?} {:?}", Options { key: Some(secret), ..Options::default() });
        assert!(!shown.contains("sesame"), "{shown}");
    }
}
