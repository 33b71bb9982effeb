//! Settings of places and wishes of people.

use image2song_contract::answer::Refusal;
use image2song_contract::place::{Person, Place};
use image2song_contract::settings::{Change, Changers, Level, Privacy, Settings};

use super::core::Core;
use crate::feedback::event::UnixMs;

impl Core {
    pub(super) async fn changed(&self, place: Place, person: Person, change: Change) -> Result<Settings, Refusal> {
        let mut settings = self.settings_of(&place).await?;
        // In a private chat a person manages the own settings. What is kept of people is a manager's choice always.
        let is_open = settings.changers == Changers::Everybody
            && !matches!(change, Change::Level(_) | Change::Changers(_) | Change::Automatic(_));
        if !(person.is_manager || place.is_private || is_open) {
            return Err(Refusal::NotAllowed);
        }
        settings.apply(change, &place.channel);
        let (state, kept) = (self.state.clone(), settings.clone());
        self.blocking(move || state.set_settings(place.platform, &place.community, &kept)).await?;
        Ok(settings)
    }

    pub(super) async fn privacy_of(&self, place: &Place, person: &Person) -> Result<Privacy, Refusal> {
        let settings = self.settings_of(place).await?;
        let user = self.user(place, person);
        let feedback = self.feedback.clone();
        let export = self.blocking(move || feedback.export_user(user)).await?;
        let n_of = |kind: &str| export[kind].as_array().map_or(0, Vec::len);
        Ok(Privacy {
            chosen: self.feedback.user_level(user).map(Level::from),
            community: settings.level,
            effective: self.level(&settings, user),
            n_records: n_of("impressions") + n_of("events"),
            retention_days: self.options.retention_days,
        })
    }

    pub(super) async fn level_set(&self, place: &Place, person: &Person, level: Option<Level>) -> Result<(), Refusal> {
        let (feedback, user) = (self.feedback.clone(), self.user(place, person));
        self.blocking(move || feedback.set_user_level(user, level.map(Into::into), UnixMs::now())).await
    }

    pub(super) async fn exported(&self, place: &Place, person: &Person) -> Result<String, Refusal> {
        let (feedback, user) = (self.feedback.clone(), self.user(place, person));
        let export = self.blocking(move || feedback.export_user(user)).await?;
        serde_json::to_string_pretty(&export).map_err(|error| self.internal("export", &error))
    }

    pub(super) async fn erased(&self, place: &Place, person: &Person) -> Result<usize, Refusal> {
        let (feedback, user) = (self.feedback.clone(), self.user(place, person));
        let n = self.blocking(move || feedback.erase_user(user, UnixMs::now())).await?;
        let state = self.state.clone();
        self.blocking(move || state.forget_person(user)).await?;
        self.metrics.feedback("erasure");
        Ok(n as usize)
    }
}
