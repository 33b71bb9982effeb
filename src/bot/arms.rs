//! Which model answers whom, and how the models' answers are liked.

use std::sync::Arc;

use image2song_contract::settings::Exploration;

use super::core::{Core, now_ms};
use crate::answer::model::Model;
use crate::deployment::tally::Standing;
use crate::engine::lineup::Lineup;
use crate::feedback::event::UnixMs;
use crate::feedback::ids::{CommunityKey, ImpressionId, UserKey};
use crate::matcher::draw::Policy;

impl Core {
    /// The model that answers somebody: always the same one for as long as a trial runs, also after a restart.
    pub(super) fn model_for(&self, user: UserKey, community: CommunityKey) -> Arc<Model> {
        let id = if self.options.splits_by_community { community.as_bytes() } else { user.as_bytes() };
        self.engine.lineup().at(|trial| self.hasher.point(&trial.name, id)).clone()
    }

    /// How chance takes part where a community chose so.
    pub(super) fn policy(&self, exploration: Exploration) -> Policy {
        Policy { temperature: exploration.temperature(), protects_first: self.options.protects_first }
    }

    /// The models that serve.
    pub fn lineup(&self) -> Arc<Lineup> {
        self.engine.lineup()
    }

    /// Lets these models serve from the next question on, and counts their answers from `since` on.
    pub fn set_lineup(&self, lineup: Lineup, since: UnixMs) {
        let share = lineup.trial.as_ref().map_or(0.0, |trial| trial.share);
        let mut arms = vec![(lineup.current.version.as_str(), 1.0 - share)];
        arms.extend(lineup.trial.as_ref().map(|trial| (trial.model.version.as_str(), share)));
        self.tally.begin(&arms, since);
        self.engine.set_lineup(lineup);
    }

    /// Counts the answers of the models anew from the log. Blocks for as long as it takes to read it.
    pub fn recount(&self) {
        if let Err(error) = self.tally.recount(self.feedback.iter()) {
            tracing::error!(%error, "likes of the models lack what could not be read");
            self.metrics.error("tally");
        }
    }

    /// How the models' answers are liked.
    pub fn standing(&self) -> Standing {
        self.tally.standing(UnixMs(now_ms()))
    }

    /// Why the model on trial should be stopped, if it should.
    pub fn harm(&self) -> Option<String> {
        self.tally.harm(UnixMs(now_ms()))
    }

    /// Counts that the models were changed, for a reason of this name.
    pub fn model_changed(&self, kind: &'static str) {
        self.metrics.model_changed(kind);
    }

    /// Looks at an answer again after something was done with it.
    pub(super) async fn tally_again(&self, id: ImpressionId) {
        let feedback = self.feedback.clone();
        // What cannot be read is noted; the press is kept all the same, and the next start counts it.
        if let Ok(Some(row)) = self.blocking(move || feedback.impression(id)).await {
            self.tally.judged(&row);
        }
    }
}
