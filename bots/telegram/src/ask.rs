//! Questions: fetch the photos, ask the core, render the answer.

use std::sync::Arc;

use image2song_contract::answer::{Answer, PhotoFault, PhotoSight, Refusal};
use image2song_contract::ask::{Ask, Photo, Trigger};
use teloxide::types::{ChatId, InlineKeyboardMarkup};
use tokio::task::JoinSet;

use crate::adapter::Adapter;
use crate::calls::typing;
use crate::fault::Fault;
use crate::render;
use crate::styled::Styled;
use crate::task::{PhotoRef, Question, Spot, message_id};

impl Adapter {
    /// Answers a question.
    pub async fn ask(&self, mut question: Question) -> Result<(), Fault> {
        let (place, person) = (question.spot.place(), question.spot.person.clone());
        if let Err(refusal) = self.core.admit(&place, &person, question.trigger).await {
            return self.refuse(&question, &refusal).await;
        }
        let typing = typing(&self.api, &question.spot);
        let intake = self.core.intake();
        let n_left_out = question.photos.len().saturating_sub(intake.max_photos);
        question.photos.truncate(intake.max_photos);
        let fetched = self.fetch(&question.photos).await;
        let photos: Vec<Photo> = fetched.iter().filter_map(|(_, photo)| photo.clone().ok()).collect();
        if photos.is_empty() {
            let fault = fetched.iter().find_map(|(_, photo)| photo.as_ref().err().copied());
            let refusal = Refusal::BadPhoto(fault.unwrap_or(PhotoFault::Unreachable));
            return self.refuse(&question, &refusal).await;
        }
        let ask = Ask {
            place,
            person,
            photos,
            hint: question.hint.clone(),
            language: None,
            mood: None,
            trigger: question.trigger,
            origin: origin(&question.photos),
        };
        let answer = self.core.suggest(ask).await;
        drop(typing);
        match answer {
            Err(refusal) => self.refuse(&question, &refusal).await,
            Ok(mut answer) => {
                complete(&mut answer, &fetched, n_left_out);
                let text = render::answer(&answer, intake, question.has_spoiler);
                self.post(&question.spot, &text, &answer).await
            }
        }
    }

    /// Sends an answer and tells the core where it stands.
    pub async fn post(&self, spot: &Spot, text: &Styled, answer: &Answer) -> Result<(), Fault> {
        let buttons: InlineKeyboardMarkup = render::buttons(answer);
        let (chat, message): (ChatId, i32) = self.api.reply(spot, text, Some(buttons)).await?;
        self.core.posted(answer.slate, message_id(chat, message)).await;
        Ok(())
    }

    /// Tells why there is no answer; nobody who didn't ask is told.
    async fn refuse(&self, question: &Question, refusal: &Refusal) -> Result<(), Fault> {
        self.health.count("refusal", refusal.name());
        if question.trigger == Trigger::Automatic {
            return Ok(());
        }
        let locale = self.locale(&question.spot).await;
        self.say(&question.spot, &self.why_not(locale, refusal)).await
    }

    /// Fetches photos at the same time. Gives for each its name in the answer and what came of it, in their order.
    pub async fn fetch(&self, refs: &[PhotoRef]) -> Vec<(String, Result<Photo, PhotoFault>)> {
        let mut fetching = JoinSet::new();
        for (idx, photo) in refs.iter().cloned().enumerate() {
            let (files, api) = (Arc::clone(&self.files), Arc::clone(&self.api));
            fetching.spawn(async move { (idx, files.get(&api, &photo).await) });
        }
        let mut fetched: Vec<(String, Result<Photo, PhotoFault>)> =
            (1..).zip(refs).map(|(number, photo)| (name(number, photo), Err(PhotoFault::Unreachable))).collect();
        while let Some(done) = fetching.join_next().await {
            let Ok((idx, photo)) = done else { continue };
            let (name, slot) = &mut fetched[idx];
            // With one photo only there is nothing to tell apart.
            *slot = photo.map(|photo| if refs.len() > 1 { Photo { name: name.clone(), ..photo } } else { photo });
        }
        fetched
    }
}

/// What a photo is called among others: its file's name, or its number.
fn name(number: usize, photo: &PhotoRef) -> String {
    if photo.name.is_empty() { number.to_string() } else { photo.name.clone() }
}

/// Adds to an answer what the core could not know: photos that were not fetched.
fn complete(answer: &mut Answer, fetched: &[(String, Result<Photo, PhotoFault>)], n_left_out: usize) {
    answer.n_left_out += n_left_out;
    for (idx, (name, photo)) in fetched.iter().enumerate() {
        if let Err(fault) = photo {
            let sight = PhotoSight { name: name.clone(), tags: Vec::new(), fault: Some(*fault) };
            answer.sights.insert(idx.min(answer.sights.len()), sight);
        }
    }
}

/// By which the photos can be fetched once more.
fn origin(photos: &[PhotoRef]) -> String {
    // A list of strings can always be written.
    serde_json::to_string(photos).unwrap_or_default()
}

/// The photos of a reference; none if it is not ours.
pub fn photos_of(origin: &str) -> Vec<PhotoRef> {
    serde_json::from_str(origin).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use image2song_contract::fake;
    use image2song_contract::locale::Locale;

    use super::*;

    #[test]
    fn photos_that_were_not_fetched_have_their_line() {
        let mut answer = fake::answer(Locale::En);
        let photo = Photo { name: "2".into(), bytes: Default::default() };
        let fetched = [("1".to_owned(), Err(PhotoFault::TooLarge)), ("2".to_owned(), Ok(photo))];
        complete(&mut answer, &fetched, 4);
        assert_eq!(answer.n_left_out, 4);
        let faults: Vec<_> = answer.sights.iter().map(|sight| sight.fault).collect();
        assert_eq!(faults, [Some(PhotoFault::TooLarge), None]);
    }

    #[test]
    fn references_come_back() {
        let photos = vec![PhotoRef { file_id: "AgAC\"1".into(), name: "a.jpg".into(), n_bytes: Some(3) }];
        assert_eq!(photos_of(&origin(&photos)), photos);
        assert_eq!(photos_of("nonsense"), []);
    }
}
