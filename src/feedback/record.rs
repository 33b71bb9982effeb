//! What one journal record says, and its bytes. Every record begins with the version of its schema, so that a journal
//! may hold records of several: a reader takes its own version and the one before, and refuses newer ones.

use super::codec::{Decoder, Encoder};
use super::error::FeedbackError;
use super::event::{Event, EventKind, Impression, Level, Platform, Shown, SongRef, TagProb, UnixMs};
use super::ids::{CommunityKey, EventId, ID_BYTES, ImpressionId, Mark, UserKey};
use super::log::SongCounts;

/// Version of the records written here. There has been no other yet; the next one must go on reading this one (the
/// store in `tests/fixtures/feedback_v1` sees to it).
pub(super) const SCHEMA_VERSION: u8 = 1;

/// Likes and dislikes of songs.
pub(super) type Totals = Vec<(String, SongCounts)>;

/// What a person can choose, by its number in records.
const CHOICES: [Option<Level>; 4] = [Some(Level::ALL[0]), Some(Level::ALL[1]), Some(Level::ALL[2]), None];
/// Number of the choice to choose nothing.
const NO_LEVEL: u8 = 3;

/// What one journal record says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record {
    /// An answer was shown.
    Impression(Impression),
    /// Somebody did something with one.
    Event(Event),
    /// Somebody unnamed likes or dislikes a song, or does no longer.
    Vote { mark: Mark, song_id: String, kind: EventKind, time: UnixMs, order: u64 },
    /// A person chose a level, or took the choice back.
    UserLevel { user: UserKey, level: Option<Level>, time: UnixMs },
    /// All of a person up to here is erased.
    Erased { user: UserKey, generation: u32, time: UnixMs },
    /// Answers and events from before `before`, and votes from before `votes_before`, are forgotten; `carried` is what
    /// all songs have after it apart from the votes that remain.
    Swept { before: UnixMs, votes_before: UnixMs, carried: Totals },
    /// Counts of another store up to its record `high_water`, in place of what came from it before.
    Imported { origin: [u8; ID_BYTES], high_water: u64, totals: Totals },
}

impl Record {
    /// Bytes of the record, schema version first.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        to.byte(SCHEMA_VERSION);
        match self {
            Self::Impression(impression) => encode_impression(to.byte(0), impression),
            Self::Event(event) => encode_event(to.byte(1), event),
            Self::Vote { mark, song_id, kind, time, order } => {
                to.byte(2).id(&mark.0).text(song_id).byte(kind.code() as u8).number(time.0).number(*order);
            }
            Self::UserLevel { user, level, time } => {
                to.byte(3).id(user.as_bytes()).byte(level.map_or(NO_LEVEL, |level| level as u8)).number(time.0);
            }
            Self::Erased { user, generation, time } => {
                to.byte(4).id(user.as_bytes()).number(u64::from(*generation)).number(time.0);
            }
            Self::Swept { before, votes_before, carried } => {
                encode_totals(to.byte(5).number(before.0).number(votes_before.0), carried);
            }
            Self::Imported { origin, high_water, totals } => {
                encode_totals(to.byte(6).id(origin).number(*high_water), totals);
            }
        }
        to.finish()
    }

    /// Reads a record.
    ///
    /// # Errors
    /// It is of a newer schema or follows none.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FeedbackError> {
        let mut from = Decoder::new(bytes);
        let version = from.byte()?;
        if version > SCHEMA_VERSION {
            let (found, known) = (u32::from(version), u32::from(SCHEMA_VERSION));
            return Err(FeedbackError::TooNew { what: "a feedback record".to_owned(), found, known });
        }
        if version == 0 {
            return Err(FeedbackError::damaged("a feedback record", "its schema version is 0"));
        }
        let record = match from.byte()? {
            0 => Self::Impression(decode_impression(&mut from)?),
            1 => Self::Event(decode_event(&mut from)?),
            2 => Self::Vote {
                mark: Mark(from.id()?),
                song_id: from.text()?,
                kind: decode_kind(&mut from)?,
                time: UnixMs(from.number()?),
                order: from.number()?,
            },
            3 => Self::UserLevel {
                user: UserKey::from_bytes(from.id()?),
                level: from.choice(&CHOICES)?,
                time: UnixMs(from.number()?),
            },
            4 => Self::Erased {
                user: UserKey::from_bytes(from.id()?),
                generation: from.small()?,
                time: UnixMs(from.number()?),
            },
            5 => Self::Swept {
                before: UnixMs(from.number()?),
                votes_before: UnixMs(from.number()?),
                carried: decode_totals(&mut from)?,
            },
            6 => Self::Imported { origin: from.id()?, high_water: from.number()?, totals: decode_totals(&mut from)? },
            _ => return Err(FeedbackError::damaged("a feedback record", "its kind is unknown")),
        };
        from.finish()?;
        Ok(record)
    }
}

fn encode_impression(to: &mut Encoder, impression: &Impression) {
    to.id(impression.id.as_bytes()).number(impression.time.0).id(impression.community.as_bytes());
    to.byte(impression.platform as u8).id(impression.user.as_bytes()).text(&impression.model_version);
    to.text(&impression.catalogue_version).text(&impression.config_version).text(&impression.language);
    to.list(&impression.slate, |to, shown| {
        to.text(&shown.song_id).byte(shown.position).float(shown.score).float(shown.propensity);
    });
    to.list(&impression.tags, |to, tag| {
        to.number(u64::from(tag.tag)).float(tag.prob);
    });
    to.flag(impression.embedding.is_some());
    if let Some(embedding) = &impression.embedding {
        to.list(embedding, |to, value| {
            to.float(*value);
        });
    }
    to.flag(impression.is_sure).number(u64::from(impression.answer_ms)).byte(impression.level as u8);
    to.flag(impression.may_train);
}

fn decode_impression(from: &mut Decoder) -> Result<Impression, FeedbackError> {
    Ok(Impression {
        id: ImpressionId::from_bytes(from.id()?),
        time: UnixMs(from.number()?),
        community: CommunityKey::from_bytes(from.id()?),
        platform: from.choice(&Platform::ALL)?,
        user: UserKey::from_bytes(from.id()?),
        generation: 0,
        model_version: from.text()?,
        catalogue_version: from.text()?,
        config_version: from.text()?,
        language: from.text()?,
        slate: from.list(|from| {
            let (song_id, position) = (from.text()?, from.byte()?);
            Ok(Shown { song_id, position, score: from.float()?, propensity: from.float()? })
        })?,
        tags: from.list(|from| Ok(TagProb { tag: from.small()?, prob: from.float()? }))?,
        embedding: match from.flag()? {
            true => Some(from.list(Decoder::float)?),
            false => None,
        },
        is_sure: from.flag()?,
        answer_ms: from.small()?,
        level: from.choice(&Level::ALL)?,
        may_train: from.flag()?,
    })
}

fn encode_event(to: &mut Encoder, event: &Event) {
    to.id(event.id.as_bytes()).id(event.impression.as_bytes()).id(event.user.as_bytes());
    to.flag(event.song.is_some());
    if let Some(song) = &event.song {
        to.byte(song.position).text(&song.song_id);
    }
    to.byte(event.kind.code() as u8).number(event.time.0).number(event.order).byte(event.level as u8);
}

fn decode_event(from: &mut Decoder) -> Result<Event, FeedbackError> {
    Ok(Event {
        id: EventId::from_bytes(from.id()?),
        impression: ImpressionId::from_bytes(from.id()?),
        user: UserKey::from_bytes(from.id()?),
        generation: 0,
        song: match from.flag()? {
            true => Some(SongRef { position: from.byte()?, song_id: from.text()? }),
            false => None,
        },
        kind: decode_kind(from)?,
        time: UnixMs(from.number()?),
        order: from.number()?,
        level: from.choice(&Level::ALL)?,
    })
}

fn decode_kind(from: &mut Decoder) -> Result<EventKind, FeedbackError> {
    from.choice(&EventKind::NAMED).map(|(kind, _)| kind)
}

pub(super) fn encode_totals(to: &mut Encoder, totals: &Totals) {
    to.list(totals, |to, (song_id, counts)| {
        to.text(song_id).number(counts.up).number(counts.down);
    });
}

pub(super) fn decode_totals(from: &mut Decoder) -> Result<Totals, FeedbackError> {
    from.list(|from| {
        let song_id = from.text()?;
        Ok((song_id, SongCounts { up: from.number()?, down: from.number()? }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::samples::{event, impression, user};

    fn records() -> Vec<Record> {
        let totals = vec![("song-a".to_owned(), SongCounts { up: 3, down: 1 })];
        let mut with_embedding = impression(1);
        with_embedding.embedding = Some(vec![0.5, -1.0]);
        let mut slate_wide = event(2, 3, EventKind::More);
        slate_wide.song = None;
        let time = UnixMs(1_800_000_000_000);
        let vote = |kind| Record::Vote { mark: Mark([9; 16]), song_id: "song-b".to_owned(), kind, time, order: 7 };
        let mut records: Vec<Record> = EventKind::NAMED.iter().map(|(kind, _)| vote(*kind)).collect();
        records.extend([
            Record::Impression(impression(0)),
            Record::Impression(with_embedding),
            Record::Event(event(1, 2, EventKind::Up)),
            Record::Event(slate_wide),
            Record::UserLevel { user: user(1), level: Some(Level::Counts), time },
            Record::UserLevel { user: user(1), level: None, time },
            Record::Erased { user: user(1), generation: 2, time },
            Record::Swept { before: UnixMs(1), votes_before: UnixMs(2), carried: totals.clone() },
            Record::Imported { origin: [4; 16], high_water: 11, totals },
        ]);
        records
    }

    #[test]
    fn records_survive_their_bytes() {
        for record in records() {
            assert_eq!(Record::decode(&record.encode()).unwrap(), record);
        }
    }

    #[test]
    fn cut_and_lengthened_records_are_refused() {
        for record in records() {
            let mut bytes = record.encode();
            for n_bytes in 0..bytes.len() {
                assert!(Record::decode(&bytes[..n_bytes]).is_err(), "{n_bytes} bytes of {record:?}");
            }
            bytes.push(0);
            assert!(Record::decode(&bytes).is_err());
        }
    }

    #[test]
    fn a_newer_record_is_refused_with_the_remedy() {
        let mut bytes = records()[0].encode();
        bytes[0] = SCHEMA_VERSION + 1;
        let message = Record::decode(&bytes).unwrap_err().to_string();
        assert!(message.contains("version 2, this program reads up to 1; use the newer image2song"), "{message}");
        bytes[0] = 0;
        assert!(matches!(Record::decode(&bytes), Err(FeedbackError::Damaged { .. })));
    }
}
