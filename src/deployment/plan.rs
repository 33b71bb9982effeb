//! What serves, what is on trial, what served before, and how it came about.

use serde::{Deserialize, Serialize};

use super::error::DeploymentError;
use crate::feedback::event::UnixMs;

/// Version of the plan; a reader takes its own and older ones.
pub const PLAN_VERSION: u32 = 1;
/// Models that can be gone back to, the latest last.
const MAX_PREVIOUS: usize = 5;

/// A model in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Its name and version, as the log names it.
    pub model: String,
    /// Hash of its manifest, which also names its folder.
    pub digest: String,
}

/// A model on trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The model.
    pub placed: Placed,
    /// Share of the askers whom it answers, above 0 and below 1.
    pub share: f64,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A model answers everybody.
    Promoted,
    /// A model answers a share.
    Tried,
    /// A person took it back.
    RolledBack,
    /// A trial was stopped because it harmed.
    Stopped,
    /// A model could not be loaded or did not answer; what served before goes on.
    Refused,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub at: UnixMs,
    /// What.
    pub action: Action,
    /// The model that it was done to; `None` for the bundled one.
    pub model: Option<Placed>,
    /// Its share of the askers then.
    pub share: f64,
    /// Why.
    pub reason: String,
    /// Whether it was done against a judgement.
    pub is_forced: bool,
}

/// What is to serve. A change is a new revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the format.
    pub version: u32,
    /// Grows with each change.
    pub revision: u64,
    /// The model that answers; `None`: the one that the program is started with.
    pub current: Option<Placed>,
    /// The model that answers a share.
    pub trial: Option<Trial>,
    /// What answered before the current model, the latest last.
    pub previous: Vec<Option<Placed>>,
    /// Since when both are as they are.
    pub since: UnixMs,
    /// All that was done, the latest last.
    pub history: Vec<Step>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            version: PLAN_VERSION,
            revision: 0,
            current: None,
            trial: None,
            previous: Vec::new(),
            since: UnixMs(0),
            history: Vec::new(),
        }
    }
}

impl Plan {
    /// Lets a model answer everybody. A trial ends by it.
    ///
    /// # Errors
    /// It does already, or another one is called like it.
    pub fn promote(&mut self, placed: Placed, why: (&str, bool), now: UnixMs) -> Result<(), DeploymentError> {
        self.check_new(&placed)?;
        self.note(Action::Promoted, Some(placed.clone()), 1.0, why, now);
        self.previous.push(self.current.replace(placed));
        if self.previous.len() > MAX_PREVIOUS {
            self.previous.remove(0);
        }
        self.trial = None;
        Ok(())
    }

    /// Lets a model answer a share of the askers, in place of one that is on trial.
    ///
    /// # Errors
    /// It answers everybody already, or another one is called like it.
    pub fn try_out(
        &mut self,
        placed: Placed,
        share: f64,
        why: (&str, bool),
        now: UnixMs,
    ) -> Result<(), DeploymentError> {
        self.check_new(&placed)?;
        self.note(Action::Tried, Some(placed.clone()), share, why, now);
        self.trial = Some(Trial { placed, share });
        Ok(())
    }

    /// Goes back: ends the trial if there is one, else returns to what answered before.
    ///
    /// # Errors
    /// There is neither.
    pub fn roll_back(&mut self, reason: &str, now: UnixMs) -> Result<(), DeploymentError> {
        self.undo(Action::RolledBack, reason, now)
    }

    /// Ends the trial because it harms. False if there is none.
    pub fn stop(&mut self, reason: &str, now: UnixMs) -> bool {
        self.trial.is_some() && self.undo(Action::Stopped, reason, now).is_ok()
    }

    /// Goes back because the model that was named last cannot be loaded.
    ///
    /// # Errors
    /// There is nothing to go back to.
    pub fn refuse(&mut self, reason: &str, now: UnixMs) -> Result<(), DeploymentError> {
        self.undo(Action::Refused, reason, now)
    }

    /// Digests of all models that may serve again.
    pub fn digests(&self) -> impl Iterator<Item = &str> {
        let placed = self.current.iter().chain(self.trial.iter().map(|trial| &trial.placed));
        placed.chain(self.previous.iter().flatten()).map(|placed| placed.digest.as_str())
    }

    fn undo(&mut self, action: Action, reason: &str, now: UnixMs) -> Result<(), DeploymentError> {
        match self.trial.take() {
            Some(trial) => self.note(action, Some(trial.placed), 0.0, (reason, false), now),
            None => {
                let before = self.previous.pop().ok_or(DeploymentError::NothingToUndo)?;
                let gone = std::mem::replace(&mut self.current, before);
                self.note(action, gone, 0.0, (reason, false), now);
            }
        }
        Ok(())
    }

    fn check_new(&self, placed: &Placed) -> Result<(), DeploymentError> {
        if self.current.as_ref() == Some(placed) {
            return Err(DeploymentError::AlreadyCurrent { model: placed.model.clone() });
        }
        let known = self.history.iter().filter_map(|step| step.model.as_ref());
        match known.filter(|known| known.model == placed.model).any(|known| known.digest != placed.digest) {
            true => Err(DeploymentError::SameName { model: placed.model.clone() }),
            false => Ok(()),
        }
    }

    fn note(&mut self, action: Action, model: Option<Placed>, share: f64, why: (&str, bool), now: UnixMs) {
        let (reason, is_forced) = why;
        self.revision += 1;
        self.since = now;
        self.history.push(Step { at: now, action, model, share, reason: reason.to_owned(), is_forced });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(name: &str) -> Placed {
        Placed { model: name.to_owned(), digest: format!("digest of {name}") }
    }

    const WHY: (&str, bool) = ("", false);

    #[test]
    fn what_was_promoted_can_be_taken_back_to_the_bundled_model() {
        let mut plan = Plan::default();
        plan.promote(placed("a"), WHY, UnixMs(1)).unwrap();
        plan.promote(placed("b"), ("we know better", true), UnixMs(2)).unwrap();
        plan.try_out(placed("c"), 0.1, WHY, UnixMs(3)).unwrap();
        assert_eq!(plan.digests().collect::<Vec<_>>(), ["digest of b", "digest of c", "digest of a"]);
        plan.roll_back("worse", UnixMs(4)).unwrap();
        assert_eq!((plan.trial.as_ref(), plan.current.as_ref()), (None, Some(&placed("b"))));
        plan.roll_back("worse", UnixMs(5)).unwrap();
        assert_eq!(plan.current, Some(placed("a")));
        plan.roll_back("worse", UnixMs(6)).unwrap();
        assert_eq!((plan.current.as_ref(), plan.revision, plan.since), (None, 6, UnixMs(6)));
        assert!(matches!(plan.roll_back("worse", UnixMs(7)), Err(DeploymentError::NothingToUndo)));
        let actions: Vec<Action> = plan.history.iter().map(|step| step.action).collect();
        use Action::{Promoted, RolledBack, Tried};
        assert_eq!(actions, [Promoted, Promoted, Tried, RolledBack, RolledBack, RolledBack]);
        assert!(plan.history[1].is_forced && plan.history[1].reason == "we know better");
    }

    #[test]
    fn a_trial_ends_by_harm_by_refusal_and_by_promotion() {
        let mut plan = Plan::default();
        assert!(!plan.stop("it harms", UnixMs(1)));
        plan.try_out(placed("a"), 0.5, WHY, UnixMs(2)).unwrap();
        assert!(plan.stop("it harms", UnixMs(3)));
        assert_eq!((plan.trial.as_ref(), plan.history.last().unwrap().action), (None, Action::Stopped));
        plan.try_out(placed("a"), 0.5, WHY, UnixMs(4)).unwrap();
        plan.refuse("it does not answer", UnixMs(5)).unwrap();
        assert_eq!((plan.trial.as_ref(), plan.history.last().unwrap().action), (None, Action::Refused));
        plan.try_out(placed("a"), 0.5, WHY, UnixMs(6)).unwrap();
        plan.promote(placed("a"), WHY, UnixMs(7)).unwrap();
        assert_eq!((plan.trial.as_ref(), plan.current.as_ref()), (None, Some(&placed("a"))));
    }

    #[test]
    fn one_name_is_one_model() {
        let mut plan = Plan::default();
        plan.promote(placed("a"), WHY, UnixMs(1)).unwrap();
        assert!(matches!(plan.promote(placed("a"), WHY, UnixMs(2)), Err(DeploymentError::AlreadyCurrent { .. })));
        let other = Placed { digest: "other".to_owned(), ..placed("a") };
        assert!(matches!(plan.try_out(other, 0.1, WHY, UnixMs(2)), Err(DeploymentError::SameName { .. })));
        assert_eq!(plan.revision, 1);
        for n in 0..10 {
            plan.promote(placed(&n.to_string()), WHY, UnixMs(3)).unwrap();
        }
        assert_eq!(plan.previous.len(), MAX_PREVIOUS);
    }
}
