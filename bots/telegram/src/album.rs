//! Albums: photos sent together arrive one by one, without an end mark, and are one question.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use image2song_contract::ask::Trigger;
use tokio::time::Instant;

use crate::task::Question;

/// What keys of albums start with.
pub const PREFIX: &str = "a:";
/// An album counts as complete when no member came for this long.
const QUIET: Duration = Duration::from_millis(1200);
/// Most members that are kept; albums have at most ten.
const MAX_KEPT: usize = 10;

/// A member that waits for its album: the key of its receipt, and its question.
type Member = (String, Question);

/// The albums that are arriving.
#[derive(Default)]
pub struct Albums {
    open: Mutex<HashMap<String, (Vec<Member>, Instant)>>,
}

/// A complete album.
pub struct Album {
    /// Keys of the receipts of all members.
    pub keys: Vec<String>,
    /// All members as one question.
    pub question: Question,
}

/// The key of an album: groups of members are unique per chat.
pub fn key(question: &Question) -> Option<String> {
    question.album.as_ref().map(|album| format!("{PREFIX}{}:{album}", question.spot.chat))
}

impl Albums {
    /// Adds a member. Who adds the first one waits and gets the whole album; the others get nothing.
    pub async fn collect(&self, album: &str, receipt: String, question: Question) -> Option<Album> {
        if !self.add(album, (receipt, question)) {
            return None;
        }
        loop {
            let complete_at = self.last(album)? + QUIET;
            if complete_at <= Instant::now() {
                break;
            }
            tokio::time::sleep_until(complete_at).await;
        }
        let (members, _) = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(album)?;
        merge(members)
    }

    /// Tells whether the member is the first.
    fn add(&self, album: &str, member: Member) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (members, last) = open.entry(album.to_owned()).or_insert_with(|| (Vec::new(), Instant::now()));
        *last = Instant::now();
        members.push(member);
        members.len() == 1
    }

    fn last(&self, album: &str) -> Option<Instant> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(album).map(|(_, last)| *last)
    }
}

/// One question of all members, in the order in which they were sent; it replies to the one with words, or to the first.
fn merge(mut members: Vec<Member>) -> Option<Album> {
    members.sort_by_key(|(_, question)| question.spot.message);
    let keys = members.iter().map(|(key, _)| key.clone()).collect();
    let questions: Vec<Question> = members.into_iter().map(|(_, question)| question).collect();
    let is_asked = |question: &&Question| question.trigger == Trigger::Asked;
    let has_words = |question: &&Question| !question.hint.is_empty();
    let lead = questions.iter().filter(is_asked).find(has_words);
    let lead = lead.or_else(|| questions.iter().find(is_asked)).or_else(|| questions.iter().find(has_words));
    let lead = lead.or(questions.first())?;
    let hints: Vec<&str> = questions.iter().map(|question| question.hint.as_str()).filter(|h| !h.is_empty()).collect();
    let photos = questions.iter().flat_map(|question| question.photos.clone()).take(MAX_KEPT).collect();
    let question = Question {
        photos,
        hint: hints.join(" "),
        has_spoiler: questions.iter().any(|question| question.has_spoiler),
        ..lead.clone()
    };
    Some(Album { keys, question })
}

#[cfg(test)]
mod tests {
    use image2song_contract::place::{Person, UserId};
    use teloxide::types::ChatId;

    use super::*;
    use crate::task::{PhotoRef, Spot};

    fn member(message: i32, hint: &str, trigger: Trigger) -> Member {
        let person = Person { user: UserId("1".into()), language: None, is_manager: false };
        let spot = Spot { chat: ChatId(1), message, topic: None, is_private: false, person };
        let photo = PhotoRef { file_id: message.to_string(), name: String::new(), n_bytes: None };
        let (album, hint) = (Some("g".to_owned()), hint.to_owned());
        let question = Question { spot, photos: vec![photo], hint, trigger, album, has_spoiler: false };
        (format!("m:1:{message}"), question)
    }

    #[test]
    fn the_order_is_that_of_sending_and_the_caption_leads() {
        let members = vec![
            member(7, "", Trigger::Automatic),
            member(5, "", Trigger::Automatic),
            member(6, "calm", Trigger::Asked),
        ];
        let album = merge(members).unwrap();
        let ids: Vec<&str> = album.question.photos.iter().map(|photo| photo.file_id.as_str()).collect();
        assert_eq!(ids, ["5", "6", "7"]);
        assert_eq!((album.question.spot.message, album.question.hint.as_str()), (6, "calm"));
        assert_eq!((album.question.trigger, album.keys.len()), (Trigger::Asked, 3));
        let album = merge(vec![member(2, "", Trigger::Asked), member(1, "", Trigger::Asked)]).unwrap();
        assert_eq!(album.question.spot.message, 1);
    }

    #[tokio::test]
    async fn one_waits_and_gets_all() {
        let albums = Albums::default();
        let add = |message| {
            let (key, question) = member(message, "", Trigger::Asked);
            albums.collect("a:1:g", key, question)
        };
        let (first, second) = tokio::join!(add(1), add(2));
        assert_eq!(first.unwrap().keys.len(), 2);
        assert!(second.is_none());
    }
}
