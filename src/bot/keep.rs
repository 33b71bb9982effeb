//! What is written down of answers and presses.

use image2song_contract::answer::Refusal;
use image2song_contract::payload::SlateId;
use image2song_contract::place::Platform;
use image2song_contract::settings::Level;

use super::core::Core;
use crate::answer::compose::Lots;
use crate::answer::model::Model;
use crate::engine::question::Found;
use crate::feedback::error::FeedbackError;
use crate::feedback::event::{Event, EventKind, Impression, Lottery, Receipt, Shown, SongRef, TagProb, UnixMs};
use crate::feedback::ids::{ImpressionId, UserKey};
use crate::matcher::suggest::Suggestion;
use crate::state::slate::Slate;

/// An event but for what the core knows anyway.
pub(super) struct Happened<'a> {
    pub(super) platform: Platform,
    pub(super) key: &'a str,
    pub(super) user: UserKey,
    pub(super) kind: EventKind,
    /// Rank of the song from 1; 0 for the whole slate.
    pub(super) rank: u8,
    pub(super) at: UnixMs,
    pub(super) level: Level,
}

impl Core {
    /// Keeps a slate so that its buttons work after a crash.
    pub(super) async fn keep(&self, id: SlateId, slate: &Slate) -> Result<(), Refusal> {
        let (state, slate) = (self.state.clone(), slate.clone());
        self.blocking(move || {
            state.set_slate(id, &slate)?;
            state.flush()
        })
        .await
    }

    /// Writes an answer into the feedback log where the level allows it. Nobody waits for it.
    pub(super) fn log_impression(&self, id: SlateId, slate: &Slate, found: &Found, model: &Model, platform: Platform) {
        if slate.level == Level::Off {
            return;
        }
        let lots = found.composed.lots.as_ref();
        let shown = |(position, (song_id, suggestion)): (usize, (&String, &Suggestion))| Shown {
            song_id: song_id.clone(),
            position: position as u8,
            score: suggestion.score,
            // Without chance what is shown was certain to be.
            propensity: lots.and_then(|lots| lots.drawn.get(position)).map_or(1.0, |drawn| drawn.propensity),
        };
        let impression = Impression {
            id: ImpressionId::from_bytes(id.0),
            time: UnixMs(slate.asked_ms),
            community: slate.community,
            platform: platform.into(),
            user: slate.asker,
            generation: self.feedback.generation(slate.asker),
            model_version: slate.model_version.clone(),
            catalogue_version: model.catalogue.digest().chars().take(12).collect(),
            config_version: self.options.config_version.clone(),
            language: slate.locale.code().to_owned(),
            slate: slate.songs.iter().zip(&found.composed.suggestions).enumerate().map(shown).collect(),
            tags: slate.tags.iter().map(|&(tag, prob, _)| TagProb { tag: tag.into(), prob }).collect(),
            embedding: self.options.keeps_embeddings.then(|| found.pooled.tagging.embedding.clone()),
            is_sure: found.composed.is_sure,
            lottery: lots.map(lottery),
            answer_ms: found.steps.total.as_millis().min(u128::from(u32::MAX)) as u32,
            level: slate.level.into(),
            may_train: true,
        };
        let (metrics, tally) = (self.metrics.clone(), self.tally.clone());
        let (id, at, version) = (impression.id, impression.time, impression.model_version.clone());
        self.feedback.append_impression(
            impression,
            Box::new(move |outcome| match outcome {
                Ok(receipt) => {
                    metrics.feedback("impression");
                    if receipt == Receipt::Stored {
                        tally.shown(id, &version, at);
                    }
                }
                Err(error) => {
                    metrics.error("feedback");
                    tracing::error!(%error, "an answer is missing in the feedback log");
                }
            }),
        );
    }

    /// Writes an event down; returns when it is durable, or at once where the level is off.
    pub(super) async fn log_event(&self, id: SlateId, slate: &Slate, happened: Happened<'_>) -> Result<(), Refusal> {
        if happened.level == Level::Off {
            return Ok(());
        }
        let song = happened.rank.checked_sub(1).and_then(|position| {
            let song_id = slate.songs.get(usize::from(position))?.clone();
            Some(SongRef { position, song_id })
        });
        let event = Event {
            id: self.hasher.event(happened.platform.into(), happened.key),
            impression: ImpressionId::from_bytes(id.0),
            user: happened.user,
            generation: self.feedback.generation(happened.user),
            song,
            kind: happened.kind,
            time: happened.at,
            order: 0,
            level: happened.level.into(),
        };
        let name = happened.kind.name();
        let (sender, receiver) = tokio::sync::oneshot::channel::<Result<Receipt, FeedbackError>>();
        self.feedback.append_event(
            event,
            Box::new(move |outcome| {
                // The asker may have gone meanwhile; the event is kept all the same.
                let _ = sender.send(outcome);
            }),
        );
        match receiver.await {
            Ok(Ok(receipt)) => {
                self.metrics.feedback(name);
                if receipt == Receipt::Stored {
                    self.tally_again(ImpressionId::from_bytes(id.0)).await;
                }
                Ok(())
            }
            Ok(Err(FeedbackError::Busy)) => Err(Refusal::Busy { retry_after: std::time::Duration::from_secs(2) }),
            Ok(Err(error)) => Err(self.internal("feedback", &error)),
            Err(error) => Err(self.internal("feedback", &error)),
        }
    }

    /// What to tell somebody of what is kept, if it was not told before.
    pub(super) async fn first_notice(&self, user: UserKey, level: Level) -> Option<Level> {
        let state = self.state.clone();
        let what = format!("notice-{}", level.name());
        let is_first = self.blocking(move || state.is_first(&what, &user.to_text())).await;
        is_first.is_ok_and(|is_first| is_first).then_some(level)
    }
}

/// A draw as the log has it.
fn lottery(lots: &Lots) -> Lottery {
    Lottery {
        temperature: lots.policy.temperature,
        protects_first: lots.policy.protects_first,
        pool: lots.scores.clone(),
        places: lots.drawn.iter().map(|drawn| drawn.idx as u8).collect(),
    }
}
