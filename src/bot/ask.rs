//! Questions: photos and words in, a slate out.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use image2song_contract::answer::{Answer, PhotoFault, PhotoSight, Refusal};
use image2song_contract::ask::{Ask, Photo, Trigger};
use image2song_contract::locale::Locale;
use image2song_contract::payload::SlateId;
use image2song_contract::place::{Person, Place};
use image2song_contract::settings::Settings;

use super::core::{Core, now_ms};
use super::hint::Hint;
use super::memory::photo_hash;
use super::words::names;
use crate::answer::fault;
use crate::answer::model::Model;
use crate::engine::question::{EngineFault, Found, Input, Tagged, Wished};
use crate::feedback::ids::ImpressionId;
use crate::matcher::suggest::Filter;
use crate::state::slate::Slate;

/// Least probability of a tag that people are told of.
const MIN_TOLD_PROB: f32 = 0.1;
/// Most tags told of a photo.
const N_TOLD: usize = 5;
/// Tags of a slate that are kept for further songs; the others hardly count.
const N_KEPT: usize = 32;

impl Core {
    /// Whether to answer here; starts the pauses if so.
    pub(super) async fn admitted(&self, place: &Place, person: &Person, trigger: Trigger) -> Result<(), Refusal> {
        let settings = self.settings_of(place).await?;
        let is_chosen = settings.automatic.contains(&place.channel);
        if settings.muted.contains(&place.channel) || (trigger == Trigger::Automatic && !is_chosen) {
            return Err(Refusal::SwitchedOff);
        }
        let (user, now) = (self.user(place, person), Instant::now());
        let channel = format!("{}:{}", place.platform.name(), place.channel.0);
        let mut people = self.people.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut channels = self.channels.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let waits = [
            people.wait(&user, settings.person_cooldown, now),
            channels.wait(&channel, settings.channel_cooldown, now),
        ];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(Refusal::Cooldown { wait });
        }
        people.start(user, now, Settings::MAX_COOLDOWN);
        if !settings.channel_cooldown.is_zero() {
            channels.start(channel, now, Settings::MAX_COOLDOWN);
        }
        Ok(())
    }

    /// The language of the sentences.
    pub(super) fn locale_of(settings: &Settings, person: &Person) -> Locale {
        let own = person.language.as_deref().and_then(Locale::of_tag);
        settings.locale.or(own).unwrap_or_default()
    }

    pub(super) async fn answered(&self, ask: Ask) -> Result<Answer, Refusal> {
        let asked_ms = now_ms();
        let settings = self.settings_of(&ask.place).await?;
        let locale = Self::locale_of(&settings, &ask.person);
        let mut hint = Hint::parse(&ask.hint);
        if let Some(mood) = &ask.mood {
            hint.words = format!("{} {}", hint.words, Hint::parse(mood).words).trim().to_owned();
        }
        let (user, community) = (self.user(&ask.place, &ask.person), self.community(&ask.place));
        let model = self.model_for(user, community);
        let filter = filter(&model, &settings, &ask, &hint)?;
        let n_left_out = ask.photos.len().saturating_sub(self.options.max_photos);
        let photos: Vec<Photo> = ask.photos.into_iter().take(self.options.max_photos).collect();
        let n_songs = usize::from(settings.n_songs);
        let wished = Wished {
            hint: hint.words.clone(),
            filter: filter.clone(),
            n_songs,
            community: Some(community.to_text()),
            policy: self.policy(settings.exploration),
            seed: fastrand::u64(..),
        };
        let found = self.found(&model, &photos, wished).await?;
        self.metrics.steps(&found.steps);
        if found.composed.suggestions.is_empty() {
            return Err(Refusal::NothingFits);
        }
        let level = self.level(&settings, user);
        let id = SlateId(*ImpressionId::random().as_bytes());
        let slate = Slate {
            asked_ms,
            community,
            asker: user,
            locale,
            model_version: model.version.clone(),
            vocabulary: model.prints.vocabulary.clone(),
            exploration: settings.exploration,
            tags: kept_tags(&found),
            is_plain: found.pooled.is_plain,
            hint: hint.words,
            languages: filter.languages,
            allows_explicit: filter.allows_explicit,
            songs: found.composed.suggestions.iter().map(|s| model.catalogue.song(s.song).id.to_owned()).collect(),
            earlier: Vec::new(),
            votes: Default::default(),
            level,
            origin: ask.origin,
            pressed: Vec::new(),
        };
        self.keep(id, &slate).await?;
        self.log_impression(id, &slate, &found, &model, ask.place.platform);
        self.memory().keep_photos(id, photos.iter().map(|photo| photo.bytes.clone()).collect());
        let notice = self.first_notice(user, level).await;
        let sights = sights(&model, &photos, &found, locale);
        let songs = self.lines(&model, id, &found.composed.suggestions, locale);
        Ok(Answer { slate: id, locale, sights, n_left_out, songs, is_sure: found.composed.is_sure, notice })
    }

    /// Asks the engine, with what photos showed before where they are the same.
    async fn found(&self, model: &Arc<Model>, photos: &[Photo], wished: Wished) -> Result<Found, Refusal> {
        let hashes: Vec<_> = photos.iter().map(|photo| photo_hash(&model.prints.eye, &photo.bytes)).collect();
        let inputs: Vec<Input> = {
            let memory = self.memory();
            let input = |(hash, photo): (_, &Photo)| match memory.tagged(hash) {
                Some(tagged) => {
                    self.metrics.cached();
                    Input::Known(tagged)
                }
                None => Input::File(photo.bytes.clone()),
            };
            hashes.iter().zip(photos).map(input).collect()
        };
        let found = self.engine.ask(model.clone(), inputs, wished).await.map_err(|fault| self.refusal(fault))?;
        let mut memory = self.memory();
        for (hash, photo) in hashes.iter().zip(&found.photos) {
            if let Ok(tagged) = photo {
                memory.keep_tagged(*hash, tagged.clone());
            }
        }
        Ok(found)
    }

    /// A fault of the engine as people are told.
    pub(super) fn refusal(&self, fault: EngineFault) -> Refusal {
        match fault {
            EngineFault::BadPhotos(fault) if fault.kind == "internal" => {
                self.internal("photo", &EngineFault::Internal(fault.message))
            }
            EngineFault::BadPhotos(fault) => Refusal::BadPhoto(photo_fault(&fault)),
            EngineFault::Busy => Refusal::Busy { retry_after: self.engine.options().deadline },
            EngineFault::Internal(_) => self.internal("engine", &fault),
        }
    }
}

/// Which songs a question allows.
fn filter(model: &Model, settings: &Settings, ask: &Ask, hint: &Hint) -> Result<Filter, Refusal> {
    let known = |code: &String| model.catalogue.languages().any(|(language, _)| language == code);
    let own: Vec<String> =
        ask.language.iter().map(|code| code.trim().to_lowercase()).filter(|c| !c.is_empty()).collect();
    let languages = [own, hint.languages.clone(), settings.song_languages.clone()];
    let languages = languages.into_iter().find(|languages| !languages.is_empty()).unwrap_or_default();
    // A language that the catalogue lacks must not come back as songs in every language.
    if !languages.is_empty() && !languages.iter().any(known) {
        return Err(Refusal::NothingFits);
    }
    Ok(Filter { languages, allows_explicit: settings.allows_explicit, ..Filter::default() })
}

/// What each photo shows, for people.
fn sights(model: &Model, photos: &[Photo], found: &Found, locale: Locale) -> Vec<PhotoSight> {
    let sight = |(idx, (photo, tagged)): (usize, (&Photo, &Result<Arc<Tagged>, fault::PhotoFault>))| {
        let name = if photo.name.is_empty() { (idx + 1).to_string() } else { photo.name.clone() };
        match tagged {
            Err(fault) => PhotoSight { name, tags: Vec::new(), fault: Some(photo_fault(fault)) },
            Ok(tagged) => {
                let top = tagged.tagging.top(N_TOLD).into_iter();
                let told = top.filter(|(_, prob)| *prob >= MIN_TOLD_PROB && !tagged.is_plain);
                let seen: Vec<_> = told.map(|(tag, _)| crate::answer::compose::seen(&tagged.tagging, tag)).collect();
                PhotoSight { name, tags: names(model, &seen, locale), fault: None }
            }
        }
    };
    photos.iter().zip(&found.photos).enumerate().map(sight).collect()
}

/// The tags of all photos together that count, with their regions.
fn kept_tags(found: &Found) -> Vec<(u16, f32, u8)> {
    let tagging = &found.pooled.tagging;
    let kept = |(tag, prob): (crate::tagger::vocabulary::TagId, f32)| {
        (tag.0, (prob * 1e4).round() / 1e4, tagging.region_idx[usize::from(tag.0)])
    };
    tagging.top(N_KEPT).into_iter().map(kept).collect()
}

/// What a person is told of a photo that cannot be used.
fn photo_fault(fault: &fault::PhotoFault) -> PhotoFault {
    match fault.kind {
        // The message names what was found; of these only does it help to say "as JPEG".
        "unsupported_format"
            if ["HEIC", "AVIF", "TIFF", "raw photo", "JPEG XL", "JPEG 2000"]
                .iter()
                .any(|f| fault.message.contains(f)) =>
        {
            PhotoFault::UnknownFormat
        }
        "unsupported_format" | "empty" => PhotoFault::NotAPhoto,
        "too_many_bytes" | "too_many_pixels" | "side_too_long" => PhotoFault::TooLarge,
        _ => PhotoFault::Damaged,
    }
}

/// The bytes of photos.
pub(super) fn files(photos: Vec<Photo>) -> Vec<Bytes> {
    photos.into_iter().map(|photo| photo.bytes).collect()
}
