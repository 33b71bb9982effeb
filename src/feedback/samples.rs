//! Made-up answers and presses for tests.

use super::event::{Event, EventKind, Impression, Level, Lottery, Platform, Shown, SongRef, TagProb, UnixMs};
use super::ids::{CommunityKey, EventId, ImpressionId, UserKey};

/// When the samples happen: 2027-01-15.
pub(super) const START: UnixMs = UnixMs(1_800_000_000_000);

fn bytes(kind: u8, n: u64) -> [u8; 16] {
    let mut bytes = [kind; 16];
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    bytes
}

pub(super) fn user(n: u64) -> UserKey {
    UserKey::from_bytes(bytes(1, n))
}

pub(super) fn impression_id(n: u64) -> ImpressionId {
    ImpressionId::from_bytes(bytes(2, n))
}

pub(super) fn song(position: u8) -> SongRef {
    SongRef { position, song_id: format!("song-{position}") }
}

/// Answer number `n`, asked by person 0 on Telegram, with five songs.
pub(super) fn impression(n: u64) -> Impression {
    let shown = |position: u8| Shown {
        song_id: song(position).song_id,
        position,
        score: 9.5 - f32::from(position),
        propensity: 1.0,
    };
    Impression {
        id: impression_id(n),
        time: UnixMs(START.0 + n),
        community: CommunityKey::from_bytes(bytes(3, 0)),
        platform: Platform::Telegram,
        user: user(0),
        generation: 0,
        model_version: "1.0.0".to_owned(),
        catalogue_version: "2026-11".to_owned(),
        config_version: "default".to_owned(),
        language: "en".to_owned(),
        slate: (0..5).map(shown).collect(),
        tags: vec![TagProb { tag: 17, prob: 0.75 }, TagProb { tag: 300, prob: 0.5 }],
        embedding: None,
        is_sure: true,
        lottery: None,
        answer_ms: 240,
        level: Level::Training,
        may_train: true,
    }
}

/// Answer number `n`, its songs drawn from seven.
pub(super) fn drawn_impression(n: u64) -> Impression {
    let lottery = Lottery {
        temperature: 0.5,
        protects_first: true,
        pool: vec![9.5, 8.5, 7.5, 6.5, 5.5, 1.25, -0.5],
        places: vec![0, 1, 2, 4, 6],
    };
    let mut impression = Impression { lottery: Some(lottery), ..impression(n) };
    impression.slate.iter_mut().skip(1).for_each(|shown| shown.propensity = 0.25);
    impression
}

/// Event number `n` on answer `on`, by person 1, about its first song.
pub(super) fn event(n: u64, on: u64, kind: EventKind) -> Event {
    Event {
        id: EventId::from_bytes(bytes(4, n)),
        impression: impression_id(on),
        user: user(1),
        generation: 0,
        song: Some(song(0)),
        kind,
        time: UnixMs(START.0 + 1000 + n),
        order: n,
        level: Level::Training,
    }
}
