//! How a running `serve` follows the plan of its store: loads what is promoted beside what serves, lets it answer once it
//! has passed its self-test, and stops a trial that harms.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::device::DeviceChoice;
use super::fault::SetupFault;
use super::language::Language;
use super::loading;
use crate::answer::model::Model;
use crate::bot::core::Core;
use crate::deployment::error::DeploymentError;
use crate::deployment::plan::{Placed, Plan};
use crate::deployment::plan_file::PlanFile;
use crate::deployment::status::Status;
use crate::deployment::vault::Vault;
use crate::engine::lineup::{Lineup, Trial};
use crate::feedback::event::UnixMs;

/// How often the plan is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Loads the models of a plan.
pub(super) struct Deployer {
    plans: PlanFile,
    vault: Vault,
    /// The model that the program was told to start with.
    named: Option<PathBuf>,
    device: DeviceChoice,
}

impl Deployer {
    /// For a store folder; `named` is the model folder of the command line.
    pub(super) fn new(store: &Path, named: Option<PathBuf>, device: DeviceChoice) -> Self {
        Self { plans: PlanFile::of(store), vault: Vault::of(store), named, device }
    }

    /// The models to start with, and the plan that says so. What cannot be loaded is taken back, down to the bundled model.
    ///
    /// # Errors
    /// The plan cannot be used, or the bundled model cannot be loaded.
    pub(super) fn first(&self) -> Result<(Lineup, Plan), SetupFault> {
        let mut plan = self.plans.read().map_err(SetupFault::from_error)?;
        loop {
            match self.lineup(&plan, None) {
                Ok(lineup) => return Ok((lineup, plan)),
                Err(fault) if plan.current.is_none() && plan.trial.is_none() => return Err(fault),
                Err(fault) => {
                    tracing::error!(%fault, "a promoted model cannot serve; what served before does");
                    plan = self.taken_back(&plan, &fault).map_err(SetupFault::from_error)?;
                }
            }
        }
    }

    /// The models of a plan, tested; those that are loaded already are taken from `before`.
    fn lineup(&self, plan: &Plan, before: Option<&Lineup>) -> Result<Lineup, SetupFault> {
        let mut loaded: Vec<Arc<Model>> = before.map(|before| before.loaded().cloned().collect()).unwrap_or_default();
        let current = self.model(plan.current.as_ref(), &mut loaded)?;
        let trial = plan.trial.as_ref().map(|trial| -> Result<Trial, SetupFault> {
            let model = self.model(Some(&trial.placed), &mut loaded)?;
            Ok(Trial { model, share: trial.share, name: trial.placed.digest.clone() })
        });
        let trial = trial.transpose()?;
        Ok(match before {
            Some(before) => before.followed_by(current, trial),
            None => Lineup::of(current, trial),
        })
    }

    fn model(&self, placed: Option<&Placed>, loaded: &mut Vec<Arc<Model>>) -> Result<Arc<Model>, SetupFault> {
        let dir = match placed {
            Some(placed) => self.vault.folder(placed),
            None => loading::find(self.named.as_deref())?,
        };
        let version = loading::version(&dir)?;
        if let Some(model) = loaded.iter().find(|model| model.version == version) {
            return Ok(model.clone());
        }
        // A language of names has to be chosen for the lexicon to be loaded; each answer then chooses its own.
        let model = Arc::new(loading::model_beside(&dir, self.device, Some(Language::En), loaded)?);
        loading::self_test(&model)?;
        loaded.push(model.clone());
        Ok(model)
    }

    /// Takes back what a plan did last, if it is still the plan.
    fn taken_back(&self, plan: &Plan, fault: &SetupFault) -> Result<Plan, DeploymentError> {
        let undo = |now: &mut Plan| match now.revision == plan.revision {
            true => now.refuse(&fault.to_string(), UnixMs::now()),
            false => Ok(()),
        };
        Ok(self.plans.change(undo)?.0)
    }

    /// Looks at the plan and at the arms once. Blocks, for as long as it takes to load a model.
    fn look(&self, core: &Core, seen: &mut Seen) {
        if let Some(reason) = core.harm() {
            match self.plans.change(|plan| Ok(plan.stop(&reason, UnixMs::now()))) {
                Ok((_, true)) => {
                    core.model_changed("stopped");
                    tracing::warn!(reason, "the trial is stopped");
                }
                Ok((_, false)) => {}
                Err(error) => tracing::error!(error = %chain(&error), "a harmful trial cannot be stopped"),
            }
        }
        match self.plans.read() {
            Ok(plan) if plan.revision != seen.revision => self.follow_plan(core, plan, seen),
            Ok(_) => {}
            Err(error) => seen.complain(chain(&error)),
        }
        let status =
            Status { revision: seen.revision, fault: seen.fault.clone(), at: UnixMs::now(), standing: core.standing() };
        if !seen.has_said(&status) {
            match status.write(self.plans.store()) {
                Ok(()) => seen.said = Some(status),
                Err(error) => tracing::warn!(error = %chain(&error), "the state of the models cannot be told"),
            }
        }
    }

    fn follow_plan(&self, core: &Core, plan: Plan, seen: &mut Seen) {
        match self.lineup(&plan, Some(&core.lineup())) {
            Ok(lineup) => {
                let trial = lineup.trial.as_ref().map(|trial| trial.model.version.clone());
                tracing::info!(model = lineup.current.version, trial, "other models serve");
                core.set_lineup(lineup, plan.since);
                core.model_changed("loaded");
                self.vault.sweep(&plan);
                (seen.revision, seen.fault) = (plan.revision, None);
            }
            Err(fault) => {
                core.model_changed("refused");
                seen.complain(fault.to_string());
                seen.revision = plan.revision;
                match self.taken_back(&plan, &fault) {
                    // What serves is what the plan says again; a plan that somebody changed meanwhile is looked at next.
                    Ok(after) if after.revision == plan.revision + 1 => seen.revision = after.revision,
                    Ok(_) => {}
                    Err(error) => tracing::error!(error = %chain(&error), "the plan cannot be taken back"),
                }
            }
        }
    }
}

/// What was seen and said last.
struct Seen {
    revision: u64,
    fault: Option<String>,
    said: Option<Status>,
}

impl Seen {
    /// Notes and logs a fault, once.
    fn complain(&mut self, fault: String) {
        if self.fault.as_ref() != Some(&fault) {
            tracing::error!(fault, "the plan cannot be followed; the models that serve go on");
            self.fault = Some(fault);
        }
    }

    fn has_said(&self, status: &Status) -> bool {
        self.said.as_ref().is_some_and(|said| {
            (said.revision, &said.fault, &said.standing) == (status.revision, &status.fault, &status.standing)
        })
    }
}

/// Follows the plan until it is aborted; `plan` is the one that `core` was started with.
pub(super) async fn follow(deployer: Arc<Deployer>, core: Arc<Core>, plan: Plan) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = Seen { revision: plan.revision, fault: None, said: None };
    loop {
        every.tick().await;
        let (deployer, core) = (deployer.clone(), core.clone());
        let looked = tokio::task::spawn_blocking(move || {
            deployer.look(&core, &mut seen);
            seen
        });
        match looked.await {
            Ok(next) => seen = next,
            Err(error) => {
                tracing::error!(%error, "looking at the plan met a bug; it is not followed any more");
                return;
            }
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
