//! Listen links that pass by here to be counted: which song of which answer at which service, signed. The address behind
//! is made from the catalogue, so a link can lead nowhere else.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use image2song_contract::payload::SlateId;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Bytes of what is signed: slate, rank, service.
const BODY: usize = 18;
/// Bytes of the signature, cut from HMAC-SHA-256: too many to guess for a link that only leads to a search page.
const MAC: usize = 10;

/// Where a song can be heard, in the order of the links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Spotify,
    Youtube,
    Apple,
    Deezer,
}

impl Service {
    pub(super) const ALL: [Self; 4] = [Self::Spotify, Self::Youtube, Self::Apple, Self::Deezer];
}

/// Signs listen links and reads them back.
#[derive(Clone)]
pub struct Signer {
    mac: Hmac<Sha256>,
}

impl Signer {
    /// With the operator's key.
    pub fn new(key: &SecretString) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).expect("HMAC takes every key");
        mac.update(b"listen link:");
        Self { mac }
    }

    /// The token of a link.
    pub(super) fn token(&self, slate: SlateId, rank: u8, service: Service) -> String {
        let mut body = slate.0.to_vec();
        body.extend([rank, service as u8]);
        let mut mac = self.mac.clone();
        mac.update(&body);
        body.extend_from_slice(&mac.finalize().into_bytes()[..MAC]);
        BASE32_NOPAD.encode(&body).to_ascii_lowercase()
    }

    /// What a token of ours says; `None` for any other.
    pub(super) fn read(&self, token: &str) -> Option<(SlateId, u8, Service)> {
        // Longer ones are not even decoded.
        if token.len() != BASE32_NOPAD.encode_len(BODY + MAC) {
            return None;
        }
        let bytes = BASE32_NOPAD.decode(token.to_ascii_uppercase().as_bytes()).ok()?;
        let (body, signature) = bytes.split_at_checked(BODY)?;
        let mut mac = self.mac.clone();
        mac.update(body);
        mac.verify_truncated_left(signature).ok()?;
        let slate = SlateId(body[..16].try_into().ok()?);
        Some((slate, body[16], *Service::ALL.get(usize::from(body[17]))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_cannot_be_changed() {
        let signer = Signer::new(&"key".into());
        let token = signer.token(SlateId([9; 16]), 3, Service::Apple);
        assert_eq!(signer.read(&token), Some((SlateId([9; 16]), 3, Service::Apple)));
        assert_eq!(Signer::new(&"other".into()).read(&token), None);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
            assert_eq!(signer.read(std::str::from_utf8(&changed).unwrap()), None, "at {at}");
        }
        for foreign in ["", "a", "https://example.org", &"a".repeat(10_000)] {
            assert_eq!(signer.read(foreign), None);
        }
    }
}
