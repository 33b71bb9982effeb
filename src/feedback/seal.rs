//! Encryption of what is stored: XChaCha20-Poly1305 with a random nonce, bound to the place where the value lies, so that
//! values cannot be read, changed, or moved to another key or record without notice.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::error::FeedbackError;

const NONCE_BYTES: usize = 24;
const PLAIN: u8 = 0;
const SEALED: u8 = 1;

/// Seals and opens values; without a key it only marks them as plain.
#[derive(Clone)]
pub struct Seal {
    cipher: Option<XChaCha20Poly1305>,
}

impl Seal {
    /// With the key that encrypts; without one, values are marked as plain.
    pub fn new(key: Option<&SecretString>) -> Self {
        let cipher = key.map(|key| {
            let mut digest = Sha256::new();
            digest.update(b"image2song feedback values:");
            digest.update(key.expose_secret().as_bytes());
            XChaCha20Poly1305::new(&digest.finalize())
        });
        Self { cipher }
    }

    /// The value as it is stored at `place`.
    pub fn close(&self, place: &[u8], value: &[u8]) -> Vec<u8> {
        let Some(cipher) = &self.cipher else {
            return [&[PLAIN], value].concat();
        };
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the system's source of randomness works");
        let payload = Payload { msg: value, aad: place };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).expect("values are far below the cipher's limit");
        [&[SEALED], &nonce[..], &sealed].concat()
    }

    /// The value that was stored at `place`.
    ///
    /// # Errors
    /// It was changed, moved, or sealed with another key, or it is plain in a store that is encrypted.
    pub fn open(&self, place: &[u8], stored: &[u8]) -> Result<Vec<u8>, FeedbackError> {
        let fault = |fault| FeedbackError::damaged("a stored value", fault);
        let (form, rest) = stored.split_first().ok_or_else(|| fault("it is empty"))?;
        match (*form, &self.cipher) {
            (PLAIN, None) => Ok(rest.to_vec()),
            (SEALED, Some(cipher)) => {
                let (nonce, sealed) =
                    rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| fault("it ends too early"))?;
                let payload = Payload { msg: sealed, aad: place };
                cipher
                    .decrypt(&XNonce::from(*nonce), payload)
                    .map_err(|_| fault("it was changed, or encrypted with another key"))
            }
            (PLAIN, Some(_)) => Err(fault("it is not encrypted in a store that is")),
            (SEALED, None) => Err(fault("it is encrypted in a store that is not")),
            _ => Err(fault("its form is unknown")),
        }
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.cipher.is_some() { "Seal(..)" } else { "Seal(none)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(key: &str) -> Seal {
        Seal::new(Some(&SecretString::from(key.to_owned())))
    }

    #[test]
    fn sealed_values_open_at_their_place_with_their_key_only() {
        let stored = seal("key").close(b"place", b"value");
        assert!(!stored.windows(5).any(|part| part == b"value"));
        assert_eq!(seal("key").open(b"place", &stored).unwrap(), b"value");
        assert!(seal("key").open(b"other place", &stored).is_err());
        assert!(seal("other key").open(b"place", &stored).is_err());
        assert!(Seal::new(None).open(b"place", &stored).is_err());
        assert_ne!(seal("key").close(b"place", b"value"), stored, "each has its own nonce");
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let stored = seal("key").close(b"place", b"value");
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(seal("key").open(b"place", &flipped).is_err(), "bit {bit}");
        }
        for n_bytes in 0..stored.len() {
            assert!(seal("key").open(b"place", &stored[..n_bytes]).is_err());
        }
    }

    #[test]
    fn a_plain_value_is_not_taken_for_an_encrypted_one() {
        let stored = Seal::new(None).close(b"place", b"value");
        assert_eq!(Seal::new(None).open(b"place", &stored).unwrap(), b"value");
        assert!(seal("key").open(b"place", &stored).is_err());
    }
}
