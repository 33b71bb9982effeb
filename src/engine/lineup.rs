//! Which models serve: the one that answers, perhaps one on trial for a share of the askers, and some that answered
//! before, so that the buttons of older answers work.

use std::sync::Arc;

use crate::answer::model::Model;

/// Models that no longer answer new questions but are still held. They share with the others what is the same in both.
const MAX_FORMER: usize = 2;

/// A model on trial.
#[derive(Clone)]
pub struct Trial {
    /// The model.
    pub model: Arc<Model>,
    /// Share of the askers whom it answers, in [0, 1].
    pub share: f64,
    /// What names this trial, so that each divides the askers anew.
    pub name: String,
}

/// The models that serve.
#[derive(Clone)]
pub struct Lineup {
    /// Answers everybody but the share of the trial.
    pub current: Arc<Model>,
    /// A model on trial.
    pub trial: Option<Trial>,
    /// Models that answered before, the latest first.
    former: Vec<Arc<Model>>,
}

impl Lineup {
    /// The first of a run.
    pub fn of(current: Arc<Model>, trial: Option<Trial>) -> Self {
        Self { current, trial, former: Vec::new() }
    }

    /// What follows this one: those who are not in it any more stay for a while.
    pub fn followed_by(&self, current: Arc<Model>, trial: Option<Trial>) -> Self {
        let mut next = Self::of(current, trial);
        for model in self.loaded() {
            if next.former.len() < MAX_FORMER && next.loaded().all(|other| other.version != model.version) {
                next.former.push(model.clone());
            }
        }
        next
    }

    /// All models that are held, those that answer first.
    pub fn loaded(&self) -> impl Iterator<Item = &Arc<Model>> {
        std::iter::once(&self.current).chain(self.trial.iter().map(|trial| &trial.model)).chain(&self.former)
    }

    /// The model for an asker at this point of [0, 1): the trial has the points below its share, so that whoever it
    /// answers stays with it when the share grows.
    pub fn at(&self, point: impl FnOnce(&Trial) -> f64) -> &Arc<Model> {
        match &self.trial {
            Some(trial) if point(trial) < trial.share => &trial.model,
            _ => &self.current,
        }
    }

    /// The model that gives more songs for an answer: the one that gave it if it still answers, else one that does and can
    /// go on, and only then one that answers no more.
    pub fn answering(&self, version: &str, vocabulary: &str) -> Option<&Arc<Model>> {
        let mut answering = std::iter::once(&self.current).chain(self.trial.iter().map(|trial| &trial.model));
        let itself = answering.clone().find(|model| model.version == version);
        let is_alike = |model: &&Arc<Model>| vocabulary.is_empty() || model.prints.vocabulary == vocabulary;
        itself.or_else(|| answering.find(is_alike)).or_else(|| self.able(version, vocabulary))
    }

    /// A model that can go on with what a model of this version began: itself, or one whose tags have the same numbers.
    /// An empty `vocabulary` is from before it was written down, when there was only one.
    pub fn able(&self, version: &str, vocabulary: &str) -> Option<&Arc<Model>> {
        let itself = self.loaded().find(|model| model.version == version);
        let is_alike = |model: &&Arc<Model>| vocabulary.is_empty() || model.prints.vocabulary == vocabulary;
        itself.or_else(|| self.loaded().find(is_alike))
    }
}
