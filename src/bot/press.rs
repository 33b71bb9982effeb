//! Presses, reactions and explanations.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use image2song_contract::answer::{Answer, Pressed, Refusal, SongLine, Vote, Why};
use image2song_contract::ask::{Photo, Press, Reaction, Sign};
use image2song_contract::payload::{SlateId, Verb};
use image2song_contract::phrasing;

use super::ask::files;
use super::core::{Core, now_ms, unix_ms};
use super::keep::Happened;
use crate::answer::compose::{Wish, compose, seen};
use crate::answer::drawing;
use crate::answer::model::Model;
use crate::engine::question::{Input, Tagged, Wished};
use crate::feedback::event::{EventKind, Reaction as Feeling};
use crate::feedback::ids::ImpressionId;
use crate::matcher::diversify::lead_artist;
use crate::matcher::suggest::{Filter, Suggestion};
use crate::photo::Decoded;
use crate::state::slate::Slate;
use crate::tagger::Tagging;

/// Words of liked songs that join the question for more.
const N_LIKED_WORDS: usize = 3;
/// Tags drawn on an explanation.
const MAX_DRAWN: usize = 6;

impl Core {
    pub(super) async fn pressed(&self, press: Press) -> Result<Pressed, Refusal> {
        let id = press.payload.slate;
        let slate = self.slate(id).await?.ok_or(Refusal::TooOld)?;
        // A forged button could name an answer of somewhere else.
        if slate.community != self.community(&press.place) {
            return Err(Refusal::TooOld);
        }
        let settings = self.settings_of(&press.place).await?;
        let user = self.user(&press.place, &press.person);
        let level = self.level(&settings, user).min(slate.level);
        let happened = |kind, rank| Happened {
            platform: press.place.platform,
            key: &press.key,
            user,
            kind,
            rank,
            at: unix_ms(press.at),
            level,
        };
        match press.payload.verb {
            Verb::Up | Verb::Down => {
                let vote = self.voted(&press, happened).await?;
                Ok(Pressed::Voted { vote, level })
            }
            Verb::More => {
                self.log_event(id, &slate, happened(EventKind::More, 0)).await?;
                self.more(&slate, press.place.platform).await.map(Pressed::More)
            }
            Verb::Why => {
                self.log_event(id, &slate, happened(EventKind::Why, 0)).await?;
                Ok(Pressed::Why)
            }
            Verb::Delete if user == slate.asker || press.person.is_manager => {
                self.log_event(id, &slate, happened(EventKind::Delete, 0)).await?;
                Ok(Pressed::Delete)
            }
            Verb::Delete => Err(Refusal::NotAllowed),
        }
    }

    /// Takes a vote: the same again takes it back, the other replaces it. The log comes first: what it does not hold is not
    /// acknowledged either.
    async fn voted<'a>(
        &self,
        press: &'a Press,
        happened: impl Fn(EventKind, u8) -> Happened<'a>,
    ) -> Result<Vote, Refusal> {
        let (id, rank) = (press.payload.slate, press.payload.rank);
        let _one_at_a_time = self.presses.lock().await;
        let mut slate = self.slate(id).await?.ok_or(Refusal::TooOld)?;
        if usize::from(rank) > slate.songs.len() {
            return Err(Refusal::TooOld);
        }
        let of = |vote: i8| [Vote::Down, Vote::None, Vote::Up][(vote + 1) as usize];
        let who = format!("{}:{rank}", self.user(&press.place, &press.person).to_text());
        let before = slate.votes.get(&who).copied().unwrap_or_default();
        if !slate.is_new_press(&press.key) {
            return Ok(of(before));
        }
        let wanted = if press.payload.verb == Verb::Up { 1 } else { -1 };
        let (after, kind) = match (before == wanted, wanted) {
            (true, _) => (0, EventKind::Retracted),
            (false, 1) => (1, EventKind::Up),
            (false, _) => (-1, EventKind::Down),
        };
        self.log_event(id, &slate, happened(kind, rank)).await?;
        slate.votes.insert(who, after);
        self.keep(id, &slate).await?;
        Ok(of(after))
    }

    /// Further songs for a question: none that was shown, none of an artist that was disliked, and with the words that a
    /// liked song woke.
    async fn more(&self, slate: &Slate, platform: image2song_contract::place::Platform) -> Result<Answer, Refusal> {
        let lineup = self.engine.lineup();
        // The model that began goes on, so that an asker stays with it and its answers count for it.
        let model = lineup.answering(&slate.model_version, &slate.vocabulary).ok_or(Refusal::TooOld)?;
        let catalogue = &model.catalogue;
        let tagged = retagged(model, slate);
        let earlier: Vec<String> = slate.earlier.iter().chain(&slate.songs).cloned().collect();
        let artists = |sign| slate.voted(sign).into_iter().filter_map(|idx| catalogue.by_id(&slate.songs[idx]));
        let excluded_artists = artists(-1).map(|song| lead_artist(catalogue.artist(song))).collect();
        let mut hint = slate.hint.clone();
        if !slate.voted(1).is_empty() {
            let query = model.matcher.query(&tagged.tagging, &slate.hint);
            let taste = model.tastes.of(Some(&slate.community.to_text()));
            for song in artists(1) {
                let (_, evidence) = model.matcher.explain_song(&query, song, &taste);
                for one in evidence.iter().take(N_LIKED_WORDS) {
                    hint += &format!(" {}", one.word);
                }
            }
        }
        let filter = Filter {
            languages: slate.languages.clone(),
            allows_explicit: slate.allows_explicit,
            excluded: earlier.iter().filter_map(|id| catalogue.by_id(id)).collect::<HashSet<_>>(),
            excluded_artists,
        };
        let wished = Wished {
            hint,
            filter,
            n_songs: slate.songs.len().max(1),
            community: Some(slate.community.to_text()),
            policy: self.policy(slate.exploration),
            seed: fastrand::u64(..),
        };
        let inputs = vec![Input::Known(Arc::new(tagged))];
        let found = self.engine.ask(model.clone(), inputs, wished).await.map_err(|fault| self.refusal(fault))?;
        if found.composed.suggestions.is_empty() {
            return Err(Refusal::NothingFits);
        }
        let id = SlateId(*ImpressionId::random().as_bytes());
        let songs = found.composed.suggestions.iter().map(|s| catalogue.song(s.song).id.to_owned()).collect();
        let next = Slate {
            asked_ms: now_ms(),
            model_version: model.version.clone(),
            vocabulary: model.prints.vocabulary.clone(),
            songs,
            earlier,
            votes: Default::default(),
            pressed: Vec::new(),
            ..slate.clone()
        };
        self.keep(id, &next).await?;
        self.log_impression(id, &next, &found, model, platform);
        let songs = self.lines(model, id, &found.composed.suggestions, slate.locale);
        Ok(Answer {
            slate: id,
            locale: slate.locale,
            sights: Vec::new(),
            n_left_out: 0,
            songs,
            is_sure: true,
            notice: None,
        })
    }

    pub(super) async fn explained(&self, id: SlateId, photos: Vec<Photo>) -> Result<Why, Refusal> {
        let slate = self.slate(id).await?.ok_or(Refusal::TooOld)?;
        let photos = if photos.is_empty() { self.memory().photos(id) } else { Some(files(photos)) };
        let Some(photos) = photos.filter(|photos| !photos.is_empty()) else {
            return Ok(Why::PhotoNeeded { origin: slate.origin });
        };
        let lineup = self.engine.lineup();
        let model = lineup.able(&slate.model_version, &slate.vocabulary).ok_or(Refusal::TooOld)?.clone();
        let (tagged, limits) = (retagged(&model, &slate), self.engine.options().limits);
        let (hint, ids, locale) = (slate.hint.clone(), slate.songs.clone(), slate.locale);
        let (seer, community) = (model.clone(), slate.community.to_text());
        let work = move || -> Result<(Vec<u8>, Vec<Suggestion>), crate::photo::PhotoError> {
            let decoded = first_decoded(&photos, &limits)?;
            let model = &seer;
            let query = model.matcher.query(&tagged.tagging, &hint);
            let taste = model.tastes.of(Some(&community));
            let suggestion = |song| {
                let (score, evidence) = model.matcher.explain_song(&query, song, &taste);
                Suggestion { song, score, evidence }
            };
            let songs: Vec<Suggestion> =
                ids.iter().filter_map(|id| model.catalogue.by_id(id)).map(suggestion).collect();
            let filter = Filter::default();
            let wish = Wish::certain(&hint, &filter, 0);
            let mut telling = compose(model, &tagged.tagging, tagged.is_plain, wish).telling;
            if telling.is_empty() {
                telling = tagged.tagging.top(3).into_iter().map(|(tag, _)| seen(&tagged.tagging, tag)).collect();
            }
            telling.truncate(MAX_DRAWN);
            Ok((drawing::png(&decoded, &telling, &songs, model, Some(locale.code())), songs))
        };
        let (png, songs) = self.blocking(work).await?;
        let lines: Vec<SongLine> = self.lines(&model, id, &songs, locale);
        Ok(Why::Picture { png: Bytes::from(png), alt_text: phrasing::alt_text(&lines, locale) })
    }

    pub(super) async fn reacted(&self, reaction: Reaction) -> Result<(), Refusal> {
        let (state, platform, message) = (self.state.clone(), reaction.place.platform, reaction.message.clone());
        let Some(id) = self.blocking(move || state.slate_under(platform, &message)).await? else { return Ok(()) };
        let Some(slate) = self.slate(id).await? else { return Ok(()) };
        let settings = self.settings_of(&reaction.place).await?;
        let user = self.user(&reaction.place, &reaction.person);
        let level = self.level(&settings, user).min(slate.level);
        let (feeling, ranks): (Feeling, Vec<u8>) = match reaction.sign {
            Sign::Up => (Feeling::Up, (1..=slate.songs.len() as u8).collect()),
            Sign::Down => (Feeling::Down, (1..=slate.songs.len() as u8).collect()),
            Sign::Song(rank) => (Feeling::Up, vec![rank]),
        };
        let kind =
            if reaction.is_added { EventKind::ReactionAdded(feeling) } else { EventKind::ReactionRemoved(feeling) };
        for rank in ranks.into_iter().filter(|rank| usize::from(*rank) <= slate.songs.len()) {
            let key = format!("{}:{rank}", reaction.key);
            let at = unix_ms(reaction.at);
            self.log_event(id, &slate, Happened { platform, key: &key, user, kind, rank, at, level }).await?;
        }
        Ok(())
    }

    pub(super) async fn slate(&self, id: SlateId) -> Result<Option<Slate>, Refusal> {
        let state = self.state.clone();
        self.blocking(move || state.slate(id)).await
    }
}

/// What a slate's photos showed, from what is kept of it.
fn retagged(model: &Model, slate: &Slate) -> Tagged {
    let tagger = &model.eye.tagger;
    let n_tags = tagger.vocabulary().len();
    // Tags of an add-on keep their numbers only as long as model and add-on stay the same.
    let n_known = if slate.model_version == model.version { n_tags } else { tagger.n_own() };
    let mut tagging = Tagging { probs: vec![0.0; n_tags], region_idx: vec![0; n_tags], embedding: Vec::new() };
    for &(tag, prob, region) in &slate.tags {
        let tag = usize::from(tag);
        if tag < n_known && usize::from(region) < crate::tagger::regions::regions().len() {
            (tagging.probs[tag], tagging.region_idx[tag]) = (prob, region);
        }
    }
    Tagged { tagging, is_plain: slate.is_plain }
}

/// The first photo that can be decoded; if none can, why the last one cannot.
fn first_decoded(photos: &[Bytes], limits: &crate::photo::Limits) -> Result<Decoded, crate::photo::PhotoError> {
    let mut last = Err(crate::photo::PhotoError::Empty);
    for photo in photos {
        last = Decoded::from_bytes(photo, limits);
        if last.is_ok() {
            break;
        }
    }
    last
}
