//! Presses of the buttons below an answer.

use std::time::SystemTime;

use image2song_contract::answer::{Pressed, Refusal, Why};
use image2song_contract::ask::{Photo, Press};
use image2song_contract::locale::{Locale, Value};
use image2song_contract::payload::{Payload, SlateId, Verb};
use image2song_contract::phrasing;
use teloxide::types::InputFile;

use crate::adapter::Adapter;
use crate::ask::photos_of;
use crate::calls::typing;
use crate::fault::Fault;
use crate::styled::{MAX_CAPTION, MAX_TEXT, Styled, short};
use crate::task::Spot;
use crate::{menu, privacy, render};

/// What a button stands below, and who pressed it.
#[derive(Clone, Copy)]
pub struct Below<'a> {
    /// The message and the person.
    pub spot: &'a Spot,
    /// Whether the message has words under a cover.
    pub has_spoiler: bool,
    /// The reasons that the message gives for its songs.
    pub reasons: &'a str,
}

impl Adapter {
    /// Takes a press, whatever the button carries.
    pub async fn press(&self, below: Below<'_>, query: &str, data: &str) -> Result<(), Fault> {
        let Below { spot, has_spoiler, .. } = below;
        if let Some(step) = data.strip_prefix(menu::PREFIX) {
            return self.press_settings(spot, query, step).await;
        }
        if let Some(step) = data.strip_prefix(privacy::PREFIX) {
            return self.press_privacy(spot, query, step).await;
        }
        let locale = self.locale(spot).await;
        let payload = data.parse::<Payload>().ok().filter(|_| spot.message != 0);
        let Some(payload) = payload else {
            self.api.answer_press(query, &self.why_not(locale, &Refusal::TooOld), true).await;
            return Ok(());
        };
        let mut person = spot.person.clone();
        if payload.verb == Verb::Delete && !person.is_manager {
            person.is_manager = self.api.is_manager(spot.chat, &person.user.0).await;
        }
        let (place, at) = (spot.place(), SystemTime::now());
        let pressed = self.core.press(Press { place, person, payload, key: query.to_owned(), at }).await;
        match pressed {
            Ok(Pressed::Voted { vote, level }) => {
                self.api.answer_press(query, &phrasing::voted(locale, vote, level), false).await;
                Ok(())
            }
            Ok(Pressed::More(answer)) => {
                self.api.answer_press(query, "", false).await;
                self.post(spot, &render::more(&answer, has_spoiler), &answer).await
            }
            Ok(Pressed::Why) => {
                self.api.answer_press(query, "", false).await;
                self.explain(below, payload.slate, locale).await
            }
            Ok(Pressed::Delete) => {
                self.api.answer_press(query, &locale.say("deleted"), false).await;
                self.take_away(spot, locale).await
            }
            Err(refusal) => {
                let words = phrasing::press_refusal(&refusal, payload.verb, locale, self.core.intake());
                self.api.answer_press(query, &words, true).await;
                Ok(())
            }
        }
    }

    /// Deletes an answer; one that is too old to be deleted loses its words and buttons.
    async fn take_away(&self, spot: &Spot, locale: Locale) -> Result<(), Fault> {
        match self.api.delete(spot).await {
            Err(Fault::NotHere) => self.api.edit(spot, &Styled::of(&locale.say("deleted")), None).await,
            deleted => deleted,
        }
    }

    /// Answers with the explanation picture, whose photo may have to be fetched once more.
    async fn explain(&self, below: Below<'_>, slate: SlateId, locale: Locale) -> Result<(), Fault> {
        let Below { spot, has_spoiler: hides, reasons } = below;
        let _typing = typing(&self.api, spot);
        let mut why = self.core.why(slate, Vec::new()).await;
        if let Ok(Why::PhotoNeeded { origin }) = &why {
            let fetched = self.fetch(&photos_of(origin)).await;
            let photos: Vec<Photo> = fetched.into_iter().filter_map(|(_, photo)| photo.ok()).collect();
            if !photos.is_empty() {
                why = self.core.why(slate, photos).await;
            }
        }
        match why {
            Ok(Why::Picture { png, alt_text }) => {
                let caption = caption(locale, &alt_text, hides);
                let file = InputFile::memory(png).file_name("why.png");
                match self.api.picture(spot, file, &caption, hides).await {
                    // Pictures are not allowed there; words may be.
                    Err(Fault::NotHere | Fault::Other) => self.api.reply(spot, &caption, None).await.map(drop),
                    sent => sent,
                }
            }
            Ok(Why::PhotoNeeded { .. }) => {
                let words = locale.tell("why-gone", &[("reasons", Value::Text(reasons))]);
                let words = short(&words, MAX_TEXT);
                let mut text = Styled::default();
                if hides {
                    text.spoiler(&words)
                } else {
                    text.text(&words)
                };
                self.api.reply(spot, &text, None).await.map(drop)
            }
            Err(refusal) => self.say(spot, &self.why_not(locale, &refusal)).await,
        }
    }
}

/// What the picture shows, for who does not see it.
fn caption(locale: Locale, alt_text: &str, hides: bool) -> Styled {
    let title = locale.say("why-text");
    let rest = short(alt_text, MAX_CAPTION - title.encode_utf16().count() - 1);
    let mut caption = Styled::default();
    caption.bold(&title).newline();
    if hides {
        caption.spoiler(&rest);
    } else {
        caption.text(&rest);
    }
    caption
}
