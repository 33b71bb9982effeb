//! The port of the HTTP interface: the same answers as `--json` gives.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use image2song_contract::answer::Refusal;
use image2song_contract::api::{Api, ApiAnswer, ApiOptions, Readiness};
use image2song_contract::bot::Pending;
use image2song_contract::health::State;
use image2song_contract::place::Platform;
use serde::Serialize;
use serde_json::json;

use super::core::{Core, now_ms};
use super::keep::Happened;
use super::memory::photo_hash;
use super::redirect::Service;
use crate::answer::compose;
use crate::answer::fault::PhotoFault;
use crate::answer::json::{FailedAnswer, SongEntry, TagsAnswer, TagsTimes, millis, tag_entries};
use crate::answer::links::Links;
use crate::answer::model::Model;
use crate::engine::question::{EngineFault, Found, Input, Wished};
use crate::feedback::event::{EventKind, Service as Followed, UnixMs};
use crate::matcher::suggest::Filter;

/// Songs, tags and found songs of an answer that asks for no number.
const N_SONGS: u8 = 5;
const N_TAGS: u8 = 8;
/// Most of them.
const MAX: u8 = 50;

/// Songs that a search found.
#[derive(Serialize)]
struct FoundSongs<'a> {
    songs: Vec<FoundSong<'a>>,
}

/// A song that a search found, and where to listen.
#[derive(Serialize)]
struct FoundSong<'a> {
    #[serde(flatten)]
    song: SongEntry<'a>,
    links: Links,
}

impl Api for Core {
    fn max_bytes(&self) -> u64 {
        self.engine.options().limits.max_bytes
    }

    fn suggest(&self, name: String, photo: Bytes, options: ApiOptions) -> Pending<'_, ApiAnswer> {
        Box::pin(async move {
            // Nobody can be known by an address, and what comes of these answers is not logged: no trial, no chance.
            let model = self.engine.model();
            let known = |code: &&String| model.catalogue.languages().any(|(language, _)| language == *code);
            if let Some(unknown) = options.languages.iter().find(|code| !known(code)) {
                let all: Vec<&str> = model.catalogue.languages().map(|(code, _)| code).collect();
                let message = format!("the catalogue has no songs in language {unknown:?}; it has {}", all.join(", "));
                return self.refused(&name, &PhotoFault::new("unknown_language", message));
            }
            let filter =
                Filter { languages: options.languages, allows_explicit: !options.is_clean, ..Filter::default() };
            let n_songs = usize::from(options.n.unwrap_or(N_SONGS).clamp(1, MAX));
            let wished = Wished { hint: options.hint, filter, n_songs, ..Wished::default() };
            let found = match self.asked(&model, photo, wished).await {
                Ok(found) => found,
                Err(fault) => return self.api_fault(&name, fault, "suggest"),
            };
            self.metrics.steps(&found.steps);
            self.metrics.request(Platform::Web, "suggest", None);
            let steps = found.steps;
            let ms = compose::times(steps.decode, steps.tag, steps.matching, steps.total);
            self.json(&compose::entry(&name, &found.composed, ms, &model))
        })
    }

    fn tags(&self, name: String, photo: Bytes, options: ApiOptions) -> Pending<'_, ApiAnswer> {
        Box::pin(async move {
            let (started, model) = (Instant::now(), self.engine.model());
            let found = match self.asked(&model, photo, Wished::default()).await {
                Ok(found) => found,
                Err(fault) => return self.api_fault(&name, fault, "tags"),
            };
            self.metrics.request(Platform::Web, "tags", None);
            let n = usize::from(options.n.unwrap_or(N_TAGS).clamp(1, MAX));
            let tagging = &found.pooled.tagging;
            let tags: Vec<_> = tagging.top(n).into_iter().map(|(tag, _)| compose::seen(tagging, tag)).collect();
            let ms = TagsTimes {
                decode: millis(found.steps.decode),
                tag: millis(found.steps.tag),
                total: millis(started.elapsed()),
            };
            self.json(&TagsAnswer { photo: &name, tags: tag_entries(&tags, &model.eye.names), ms })
        })
    }

    fn songs(&self, text: String, n: u8) -> Pending<'_, ApiAnswer> {
        Box::pin(async move {
            let catalogue = self.engine.model().catalogue.clone();
            let found = self.blocking(move || {
                let songs = catalogue.search(&text, usize::from(n.clamp(1, MAX)));
                let entry = |song| {
                    let song = catalogue.song(song);
                    FoundSong { links: Links::to(song.artist, song.title), song: song.into() }
                };
                serde_json::to_string(&FoundSongs { songs: songs.into_iter().map(entry).collect() })
            });
            match found.await {
                Ok(songs) => ApiAnswer::Json(songs),
                Err(refusal) => internal(refusal),
            }
        })
    }

    fn metrics(&self) -> String {
        self.metrics.text(self.engine.counts(), &self.feedback.counters(), &self.healths, &self.standing())
    }

    fn readiness(&self) -> Readiness {
        let adapter = |health: &Arc<image2song_contract::health::Health>| {
            json!({
                "platform": health.platform().name(),
                "state": health.state().name(),
                "silent_s": health.silent_s(),
                "advice": health.advice(),
            })
        };
        let adapters: Vec<_> = self.healths.iter().map(adapter).collect();
        let is_hearing = self.healths.iter().all(|health| health.state() == State::Up);
        let lineup = self.engine.lineup();
        let trial = lineup.trial.as_ref().map(|trial| &trial.model.version);
        let model = &lineup.current.version;
        let parts = json!({ "ready": is_hearing, "model": model, "trial": trial, "adapters": adapters }).to_string();
        Readiness { is_ready: is_hearing, parts }
    }

    fn follow<'a>(&'a self, token: &'a str) -> Pending<'a, Option<String>> {
        Box::pin(async move {
            let (id, rank, service) = self.signer.read(token)?;
            let slate = self.slate(id).await.ok()??;
            let lineup = self.engine.lineup();
            let catalogue = &lineup.able(&slate.model_version, &slate.vocabulary)?.catalogue;
            let song = catalogue.by_id(slate.songs.get(usize::from(rank.checked_sub(1)?))?)?;
            let song = catalogue.song(song);
            let links = Links::to(song.artist, song.title);
            let (url, followed) = match service {
                Service::Spotify => (links.spotify, Followed::Spotify),
                Service::Youtube => (links.youtube, Followed::Youtube),
                Service::Apple => (links.apple, Followed::Apple),
                Service::Deezer => (links.deezer, Followed::Deezer),
            };
            let at = UnixMs(now_ms());
            // Nobody signs in to follow a link: it counts for the answer, not for a person.
            let user = self.hasher.user(Platform::Web.into(), "somebody");
            let key = format!("{token}:{}", at.0);
            let happened = Happened {
                platform: Platform::Web,
                key: &key,
                user,
                kind: EventKind::LinkFollowed(followed),
                rank,
                at,
                level: slate.level,
            };
            // A link works whether or not it could be counted.
            let _ = self.log_event(id, &slate, happened).await;
            Some(url)
        })
    }
}

impl Core {
    async fn asked(&self, model: &Arc<Model>, photo: Bytes, wished: Wished) -> Result<Found, EngineFault> {
        let hash = photo_hash(&model.prints.eye, &photo);
        let known = self.memory().tagged(&hash);
        let input = known.map_or(Input::File(photo), |tagged| {
            self.metrics.cached();
            Input::Known(tagged)
        });
        let found = self.engine.ask(model.clone(), vec![input], wished).await?;
        if let Some(Ok(tagged)) = found.photos.first() {
            self.memory().keep_tagged(hash, tagged.clone());
        }
        Ok(found)
    }

    fn api_fault(&self, name: &str, fault: EngineFault, kind: &'static str) -> ApiAnswer {
        match fault {
            EngineFault::BadPhotos(fault) if fault.kind != "internal" => {
                self.metrics.request(Platform::Web, kind, Some(fault.kind));
                self.refused(name, &fault)
            }
            EngineFault::Busy => {
                self.metrics.request(Platform::Web, kind, Some("busy"));
                ApiAnswer::Busy(self.engine.options().deadline.as_secs().max(1))
            }
            fault => {
                self.metrics.request(Platform::Web, kind, Some("internal"));
                internal(self.internal("engine", &fault))
            }
        }
    }

    fn refused(&self, name: &str, fault: &PhotoFault) -> ApiAnswer {
        match self.json(&FailedAnswer::of(name, fault)) {
            ApiAnswer::Json(text) => ApiAnswer::Refused(text),
            other => other,
        }
    }

    fn json(&self, value: &impl Serialize) -> ApiAnswer {
        serde_json::to_string(value).map_or_else(|error| ApiAnswer::Internal(error.to_string()), ApiAnswer::Json)
    }
}

/// Our fault, with the id that is also in the log.
fn internal(refusal: Refusal) -> ApiAnswer {
    match refusal {
        Refusal::Internal { id } => ApiAnswer::Internal(id),
        other => ApiAnswer::Internal(other.name().to_owned()),
    }
}
