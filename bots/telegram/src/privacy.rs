//! `/privacy`: what is kept, and the buttons that show, change and delete it.

use image2song_contract::locale::{Locale, Value};
use image2song_contract::phrasing;
use image2song_contract::settings::{Level, Privacy};
use teloxide::types::{ChatId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile};

use crate::adapter::Adapter;
use crate::fault::Fault;
use crate::styled::Styled;
use crate::task::Spot;

/// What the buttons carry first.
pub const PREFIX: &str = "prv:";
/// What the button carries that takes a choice back.
const UNSET: &str = "unset";
/// In groups only these first lines are shown: the others are about the person.
const N_PUBLIC_LINES: usize = 1;

impl Adapter {
    /// Answers `/privacy`.
    pub async fn show_privacy(&self, spot: &Spot) -> Result<(), Fault> {
        let locale = self.locale(spot).await;
        match self.core.privacy(&spot.place(), &spot.person).await {
            Ok(privacy) => {
                let (text, buttons) = (text(locale, &privacy, spot.is_private), self.privacy_buttons(locale, spot));
                self.api.reply(spot, &text, Some(buttons)).await.map(drop)
            }
            Err(refusal) => self.say(spot, &self.why_not(locale, &refusal)).await,
        }
    }

    /// In a group the buttons are for everybody who presses them; what is about one person is shown in private.
    fn privacy_buttons(&self, locale: Locale, spot: &Spot) -> InlineKeyboardMarkup {
        let button =
            |name: &str, step: &str| InlineKeyboardButton::callback(locale.say(name), format!("{PREFIX}{step}"));
        let mut rows: Vec<Vec<InlineKeyboardButton>> = vec![
            vec![button("privacy-set-off", "off"), button("privacy-set-counts", "counts")],
            vec![button("privacy-set-training", "training"), button("privacy-set-unset", UNSET)],
        ];
        if spot.is_private {
            rows.push(vec![button("privacy-export", "export"), button("privacy-erase", "erase")]);
        } else if let Ok(url) = format!("https://t.me/{}?start=privacy", self.me.username).parse() {
            rows.push(vec![InlineKeyboardButton::url(locale.say("privacy-title"), url)]);
        }
        InlineKeyboardMarkup::new(rows)
    }

    /// Takes a press of one of the buttons.
    pub async fn press_privacy(&self, spot: &Spot, query: &str, step: &str) -> Result<(), Fault> {
        let locale = self.locale(spot).await;
        let (place, person) = (spot.place(), &spot.person);
        let level = Level::ALL.into_iter().find(|level| level.name() == step);
        let done = match (step, level) {
            (UNSET, None) | (_, Some(_)) => {
                self.core.set_level(&place, person, level).await.map(|()| locale.say("saved"))
            }
            ("erase", None) => {
                let erased = self.core.erase(&place, person).await;
                erased.map(|n| locale.tell("privacy-erased", &[("n", Value::Number(n as u64))]))
            }
            ("export", None) => match self.core.export(&place, person).await {
                Ok(json) => return self.export(spot, query, locale, json).await,
                Err(refusal) => Err(refusal),
            },
            _ => Err(image2song_contract::answer::Refusal::TooOld),
        };
        match done {
            Ok(words) => {
                self.api.answer_press(query, &words, step == "erase").await;
                self.refresh(spot, locale).await
            }
            Err(refusal) => {
                self.api.answer_press(query, &self.why_not(locale, &refusal), true).await;
                Ok(())
            }
        }
    }

    /// Sends what is stored about a person to that person alone.
    async fn export(&self, spot: &Spot, query: &str, locale: Locale, json: String) -> Result<(), Fault> {
        let Ok(person) = spot.person.user.0.parse() else { return Ok(()) };
        let file = InputFile::memory(json.into_bytes()).file_name("image2song.json");
        let words = locale.say("privacy-exported");
        let sent = self.api.file(ChatId(person), file, &words).await;
        self.api.answer_press(query, if sent.is_ok() { &words } else { "" }, false).await;
        sent
    }

    /// Shows in private what holds now; a message in a group is not about one person.
    async fn refresh(&self, spot: &Spot, locale: Locale) -> Result<(), Fault> {
        if !spot.is_private || spot.message == 0 {
            return Ok(());
        }
        match self.core.privacy(&spot.place(), &spot.person).await {
            Ok(privacy) => {
                let buttons = self.privacy_buttons(locale, spot);
                self.api.edit(spot, &text(locale, &privacy, true), Some(buttons)).await
            }
            Err(_) => Ok(()),
        }
    }
}

fn text(locale: Locale, privacy: &Privacy, is_private: bool) -> Styled {
    let lines = phrasing::privacy(locale, privacy);
    let n_lines = if is_private { lines.len() } else { N_PUBLIC_LINES };
    let mut text = Styled::default();
    text.bold(&locale.say("privacy-title"));
    for line in lines.iter().take(n_lines) {
        text.newline().text(line);
    }
    if !is_private {
        let community = locale.say(&format!("level-{}", privacy.community.name()));
        text.newline().text(&format!("{}: {community}", locale.say("settings-level")));
    }
    text
}
