//! Names without people behind them: random ids of answers, and keyed hashes in place of platform ids. Whoever has the
//! store but not the key cannot tell which account a hash belongs to, nor try all account numbers.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

use super::event::{Platform, SongRef};

/// Bytes of every id and hash here.
pub const ID_BYTES: usize = 16;
/// Characters of an id as text: 128 bits, five a character.
const TEXT_LEN: usize = 26;
/// RFC 4648 in lower case, without padding: safe in links, file names and button payloads.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; ID_BYTES]);

        impl $name {
            /// The id with these bytes.
            pub fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            pub fn as_bytes(&self) -> &[u8; ID_BYTES] {
                &self.0
            }

            /// 26 characters `a`-`z`, `2`-`7`.
            pub fn to_text(self) -> String {
                to_base32(&self.0)
            }

            /// Reads what [`Self::to_text`] wrote; `None` for anything else.
            pub fn parse(text: &str) -> Option<Self> {
                from_base32(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.to_text())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| D::Error::custom("an id has 26 characters a-z and 2-7"))
            }
        }
    };
}

id_type! {
    /// Name of one answer (a slate of songs shown for one question); random, so that it says nothing.
    ImpressionId
}
id_type! {
    /// Name of one press or reaction, the same each time the platform delivers it.
    EventId
}
id_type! {
    /// Keyed hash of a person on a platform. Its `Debug` form hides it.
    UserKey
}
id_type! {
    /// Keyed hash of a server, group or chat on a platform. Its `Debug` form hides it.
    CommunityKey
}

impl ImpressionId {
    /// A new random id.
    ///
    /// # Panics
    /// The system has no randomness to give, which no running system does.
    pub fn random() -> Self {
        let mut bytes = [0; ID_BYTES];
        getrandom::fill(&mut bytes).expect("the system's source of randomness works");
        Self(bytes)
    }
}

impl fmt::Debug for ImpressionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl fmt::Display for ImpressionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl fmt::Debug for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserKey(..)")
    }
}

impl fmt::Debug for CommunityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommunityKey(..)")
    }
}

/// Turns platform ids into keyed hashes: HMAC-SHA-256 of `kind:platform:raw id`, cut to 128 bits. The kind keeps a person
/// apart from the private chat that has the same number.
#[derive(Clone)]
pub struct KeyHasher {
    mac: Hmac<Sha256>,
}

impl KeyHasher {
    /// A hasher with the operator's key, which is kept outside the store. Short keys work, but can be guessed.
    ///
    /// # Panics
    /// Never: HMAC takes keys of every length.
    pub fn new(key: &SecretString) -> Self {
        let mac = Hmac::new_from_slice(key.expose_secret().as_bytes()).expect("HMAC takes keys of every length");
        Self { mac }
    }

    /// The person with this id on a platform.
    pub fn user(&self, platform: Platform, raw_id: &str) -> UserKey {
        UserKey(self.hash("user", platform, raw_id))
    }

    /// The server, group or chat with this id on a platform.
    pub fn community(&self, platform: Platform, raw_id: &str) -> CommunityKey {
        CommunityKey(self.hash("community", platform, raw_id))
    }

    /// The press or reaction that the platform names so: an interaction or callback id, or, where there is none, all
    /// that tells it from others (message, person, emoji, time), joined.
    pub fn event(&self, platform: Platform, raw_id: &str) -> EventId {
        EventId(self.hash("event", platform, raw_id))
    }

    /// A hash that tells this key from others without giving it away.
    pub(super) fn check_value(&self) -> String {
        to_base32(&self.digest(&[b"check value of the key"]))
    }

    fn hash(&self, kind: &str, platform: Platform, raw_id: &str) -> [u8; ID_BYTES] {
        self.digest(&[kind.as_bytes(), b":", platform.name().as_bytes(), b":", raw_id.as_bytes()])
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; ID_BYTES] {
        let mut mac = self.mac.clone();
        parts.iter().for_each(|part| mac.update(part));
        cut(&mac.finalize().into_bytes())
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher(..)")
    }
}

/// Names what one person thinks of one shown song, without naming the person: keyed by the person's own hash, it can
/// be recomputed for a given person and answer, but not turned back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Mark(pub(super) [u8; ID_BYTES]);

impl Mark {
    pub(super) fn of(user: UserKey, impression: ImpressionId, song: &SongRef) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(&user.0).expect("HMAC takes keys of every length");
        mac.update(&impression.0);
        mac.update(&[song.position]);
        mac.update(song.song_id.as_bytes());
        Self(cut(&mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark(..)")
    }
}

fn cut(digest: &[u8]) -> [u8; ID_BYTES] {
    std::array::from_fn(|idx| digest[idx])
}

fn to_base32(bytes: &[u8; ID_BYTES]) -> String {
    let bits = u128::from_be_bytes(*bytes);
    // 26 characters hold 130 bits: the last one carries the three that remain, two zero bits after them.
    let digit = |idx: usize| {
        let shift = 123 - 5 * idx as i32;
        let digit = if shift >= 0 { bits >> shift } else { bits << -shift };
        char::from(ALPHABET[(digit & 31) as usize])
    };
    (0..TEXT_LEN).map(digit).collect()
}

fn from_base32(text: &str) -> Option<[u8; ID_BYTES]> {
    if text.len() != TEXT_LEN {
        return None;
    }
    let mut bits = 0_u128;
    for (idx, byte) in text.bytes().enumerate() {
        let digit = match byte {
            b'a'..=b'z' => u128::from(byte - b'a'),
            b'2'..=b'7' => u128::from(byte - b'2') + 26,
            _ => return None,
        };
        if idx + 1 < TEXT_LEN {
            bits = bits << 5 | digit;
        } else if digit & 3 == 0 {
            bits = bits << 3 | digit >> 2;
        } else {
            return None;
        }
    }
    Some(bits.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(key: &str) -> KeyHasher {
        KeyHasher::new(&SecretString::from(key.to_owned()))
    }

    #[test]
    fn ids_survive_their_text_form() {
        for _ in 0..200 {
            let id = ImpressionId::random();
            assert_eq!(ImpressionId::parse(&id.to_text()), Some(id));
            assert_eq!(id.to_text().len(), TEXT_LEN);
        }
        // RFC 4648 of "foobarfoobarfoob" without padding.
        assert_eq!(ImpressionId(*b"foobarfoobarfoob").to_text(), "mzxw6ytbojtg633cmfzgm33pmi");
    }

    #[test]
    fn other_texts_are_no_ids() {
        let id = ImpressionId([7; 16]).to_text();
        let longer = format!("{id}a");
        let with_spare_bits = format!("{}b", &id[..25]);
        for text in ["", "a", &id.to_uppercase(), &longer, &with_spare_bits, "ääääääääääääa"] {
            assert_eq!(ImpressionId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn hashes_depend_on_key_kind_platform_and_id() {
        let one = hasher("one");
        let base = *one.user(Platform::Telegram, "17").as_bytes();
        assert_eq!(base, *one.user(Platform::Telegram, "17").as_bytes());
        let others = [
            *one.user(Platform::Telegram, "18").as_bytes(),
            *one.user(Platform::Discord, "17").as_bytes(),
            *one.community(Platform::Telegram, "17").as_bytes(),
            *one.event(Platform::Telegram, "17").as_bytes(),
            *hasher("two").user(Platform::Telegram, "17").as_bytes(),
        ];
        assert!(others.iter().all(|other| *other != base));
        assert_ne!(one.check_value(), hasher("two").check_value());
    }

    #[test]
    fn hashes_of_people_stay_out_of_debug_output() {
        let user = hasher("one").user(Platform::Discord, "81384788765712384");
        let text = format!("{user:?} {:?} {:?}", hasher("secret"), CommunityKey(*user.as_bytes()));
        assert_eq!(text, "UserKey(..) KeyHasher(..) CommunityKey(..)");
    }
}
