//! The port of the adapters.

use image2song_contract::answer::{Answer, Pressed, Refusal, Why};
use image2song_contract::ask::{Ask, Intake, Photo, Press, Reaction, Receipt, Trigger};
use image2song_contract::bot::{Pending, Received, SongBot};
use image2song_contract::locale::Locale;
use image2song_contract::payload::SlateId;
use image2song_contract::place::{CommunityId, MessageId, Person, Place, Platform};
use image2song_contract::settings::{Change, Level, Privacy, Settings};

use super::core::{Core, now_ms};

impl SongBot for Core {
    fn intake(&self) -> Intake {
        self.intake_limits()
    }

    fn admit<'a>(&'a self, place: &'a Place, person: &'a Person, trigger: Trigger) -> Pending<'a, Result<(), Refusal>> {
        Box::pin(self.admitted(place, person, trigger))
    }

    fn suggest(&self, ask: Ask) -> Pending<'_, Result<Answer, Refusal>> {
        Box::pin(async move {
            let platform = ask.place.platform;
            let answer = self.answered(ask).await;
            self.metrics.request(platform, "suggest", answer.as_ref().err().map(Refusal::name));
            answer
        })
    }

    fn posted(&self, platform: Platform, slate: SlateId, message: MessageId) -> Pending<'_, ()> {
        Box::pin(async move {
            let state = self.state.clone();
            let kept = self.blocking(move || state.set_slate_under(platform, &message, slate)).await;
            if kept.is_err() {
                tracing::warn!("reactions under an answer will not count");
            }
        })
    }

    fn press(&self, press: Press) -> Pending<'_, Result<Pressed, Refusal>> {
        Box::pin(async move {
            let platform = press.place.platform;
            let pressed = self.pressed(press).await;
            self.metrics.request(platform, "press", pressed.as_ref().err().map(Refusal::name));
            pressed
        })
    }

    fn why(&self, slate: SlateId, photos: Vec<Photo>) -> Pending<'_, Result<Why, Refusal>> {
        Box::pin(self.explained(slate, photos))
    }

    fn react(&self, reaction: Reaction) -> Pending<'_, Result<(), Refusal>> {
        Box::pin(self.reacted(reaction))
    }

    fn locale<'a>(&'a self, place: &'a Place, person: &'a Person) -> Pending<'a, Locale> {
        Box::pin(async {
            let settings = self.settings_of(place).await.unwrap_or_else(|_| self.options.defaults.clone());
            Self::locale_of(&settings, person)
        })
    }

    fn settings<'a>(&'a self, place: &'a Place) -> Pending<'a, Settings> {
        Box::pin(async { self.settings_of(place).await.unwrap_or_else(|_| self.options.defaults.clone()) })
    }

    fn change(&self, place: Place, person: Person, change: Change) -> Pending<'_, Result<Settings, Refusal>> {
        Box::pin(self.changed(place, person, change))
    }

    fn privacy<'a>(&'a self, place: &'a Place, person: &'a Person) -> Pending<'a, Result<Privacy, Refusal>> {
        Box::pin(self.privacy_of(place, person))
    }

    fn set_level<'a>(
        &'a self,
        place: &'a Place,
        person: &'a Person,
        level: Option<Level>,
    ) -> Pending<'a, Result<(), Refusal>> {
        Box::pin(self.level_set(place, person, level))
    }

    fn export<'a>(&'a self, place: &'a Place, person: &'a Person) -> Pending<'a, Result<String, Refusal>> {
        Box::pin(self.exported(place, person))
    }

    fn erase<'a>(&'a self, place: &'a Place, person: &'a Person) -> Pending<'a, Result<usize, Refusal>> {
        Box::pin(self.erased(place, person))
    }

    fn receive(&self, receipt: Receipt) -> Pending<'_, Result<Received, Refusal>> {
        Box::pin(async move {
            let (state, run) = (self.state.clone(), self.run);
            let Receipt { platform, key, note } = receipt;
            let is_new = self.blocking(move || state.receive(platform, &key, note, run, now_ms())).await?;
            Ok(if is_new { Received::New } else { Received::Again })
        })
    }

    fn close<'a>(&'a self, platform: Platform, key: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            let (state, key) = (self.state.clone(), key.to_owned());
            // One that stays open is apologised for after a restart: kind, if not needed.
            let _ = self.blocking(move || state.close(platform, &key)).await;
        })
    }

    fn left_open(&self, platform: Platform) -> Pending<'_, Vec<Receipt>> {
        Box::pin(async move {
            let (state, run) = (self.state.clone(), self.run);
            let open = self.blocking(move || state.take_left_open(platform, run)).await.unwrap_or_default();
            open.into_iter().map(|(key, note)| Receipt { platform, key, note }).collect()
        })
    }

    fn recall<'a>(&'a self, platform: Platform, name: &'a str) -> Pending<'a, Option<String>> {
        Box::pin(async move {
            let (state, name) = (self.state.clone(), name.to_owned());
            self.blocking(move || state.value(platform, &name)).await.ok().flatten()
        })
    }

    fn remember<'a>(&'a self, platform: Platform, name: &'a str, value: String) -> Pending<'a, ()> {
        Box::pin(async move {
            let (state, name) = (self.state.clone(), name.to_owned());
            let _ = self.blocking(move || state.set_value(platform, &name, &value)).await;
        })
    }

    fn left(&self, platform: Platform, community: CommunityId) -> Pending<'_, ()> {
        Box::pin(async move {
            let state = self.state.clone();
            let _ = self.blocking(move || state.forget_settings(platform, &community)).await;
        })
    }

    fn moved(&self, platform: Platform, from: CommunityId, to: CommunityId) -> Pending<'_, ()> {
        Box::pin(async move {
            let state = self.state.clone();
            let moved = self.blocking(move || state.move_settings(platform, &from, &to)).await;
            if moved.is_err() {
                tracing::warn!("settings of a group that was upgraded stay behind");
            }
        })
    }
}
