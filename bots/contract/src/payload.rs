//! What a button carries: `v1:<verb>:<slate>:<rank>`, at most 64 bytes, never anything of a person.
//!
//! Old buttons live for years and can be forged, so the version leads and everything is checked on the way in.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

/// Id of an answer's slate: 128 random bits, in text as 26 letters of base 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlateId(pub [u8; 16]);

impl fmt::Display for SlateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE32_NOPAD.encode(&self.0).to_ascii_lowercase())
    }
}

impl FromStr for SlateId {
    type Err = PayloadError;

    fn from_str(text: &str) -> Result<Self, PayloadError> {
        let bytes = BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).map_err(|_| PayloadError)?;
        Ok(Self(bytes.try_into().map_err(|_| PayloadError)?))
    }
}

/// What a press asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// The song of the rank is liked; once more takes it back.
    Up,
    /// The song of the rank is disliked; once more takes it back.
    Down,
    /// Further songs.
    More,
    /// Why these songs: the explanation picture.
    Why,
    /// Take the answer away.
    Delete,
}

impl Verb {
    const ALL: [(Self, &'static str); 5] =
        [(Self::Up, "up"), (Self::Down, "down"), (Self::More, "more"), (Self::Why, "why"), (Self::Delete, "del")];

    /// Whether it is about one song.
    pub fn has_rank(self) -> bool {
        matches!(self, Self::Up | Self::Down)
    }
}

/// A button's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Payload {
    /// What it asks for.
    pub verb: Verb,
    /// Of which answer.
    pub slate: SlateId,
    /// Which song, from 1; 0 if it is about the whole answer.
    pub rank: u8,
}

/// Text that is no payload of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a button of this bot; expected v1:<verb>:<slate>:<rank>")]
pub struct PayloadError;

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = Verb::ALL.iter().find(|(verb, _)| *verb == self.verb).map_or("", |(_, name)| name);
        write!(f, "v1:{verb}:{}:{}", self.slate, self.rank)
    }
}

impl FromStr for Payload {
    type Err = PayloadError;

    fn from_str(text: &str) -> Result<Self, PayloadError> {
        let mut parts = text.split(':');
        let mut next = || parts.next().ok_or(PayloadError);
        if next()? != "v1" {
            return Err(PayloadError);
        }
        let name = next()?;
        let verb = Verb::ALL.iter().find(|(_, known)| *known == name).ok_or(PayloadError)?.0;
        let slate = next()?.parse()?;
        let rank: u8 = next()?.parse().map_err(|_| PayloadError)?;
        if parts.next().is_some() || (rank > 0) != verb.has_rank() || rank > 10 {
            return Err(PayloadError);
        }
        Ok(Self { verb, slate, rank })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back_and_fit_the_strictest_platform() {
        for (verb, _) in Verb::ALL {
            let rank = if verb.has_rank() { 10 } else { 0 };
            let payload = Payload { verb, slate: SlateId([0xA7; 16]), rank };
            let text = payload.to_string();
            assert!(text.len() <= 64, "{text}");
            assert_eq!(text.parse(), Ok(payload));
        }
    }

    #[test]
    fn foreign_and_forged_payloads_are_refused() {
        let slate = SlateId([1; 16]);
        for text in [
            String::new(),
            "v1".to_owned(),
            "v2:up:aaaa:1".to_owned(),
            "v1:up:aaaa:1".to_owned(),
            format!("v1:up:{slate}:0"),
            format!("v1:up:{slate}:11"),
            format!("v1:more:{slate}:1"),
            format!("v1:jump:{slate}:1"),
            format!("v1:up:{slate}:1:1"),
            format!("v1:up:{slate}:-1"),
            "👍".repeat(40),
        ] {
            assert!(text.parse::<Payload>().is_err(), "{text}");
        }
    }
}
