//! `promote` and `rollback`: which model serves, at once where `serve` runs and from its next start where it does not.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::Outcome;
use super::args::GlobalArgs;
use super::device::DeviceChoice;
use super::fault::SetupFault;
use super::loading;
use super::output_json::write_line;
use super::serve;
use crate::deployment::judgement;
use crate::deployment::plan::{Plan, Step};
use crate::deployment::plan_file::PlanFile;
use crate::deployment::status::{Presence, Status};
use crate::deployment::tally::Standing;
use crate::deployment::vault::Vault;
use crate::feedback::event::UnixMs;
use crate::manifest::Manifest;

/// Longest wait for a running `serve` to take a model up.
const PATIENCE: Duration = Duration::from_secs(120);
/// Steps of the history that are shown.
const N_SHOWN: usize = 10;

/// Which store is meant.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// Folder of the store [default: store.dir of the settings]
    #[arg(id = "store", long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// File with settings
    #[arg(long, value_name = "FILE.toml", env = "IMAGE2SONG_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

/// Arguments of `promote`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song promote models/ours --share 10%     on trial: a tenth of the people get its answers
  image2song promote models/ours                 for everybody
  image2song promote --status                    who serves, and how the arms of a trial stand
  image2song promote models/ours --force \"reviewed by hand on 2027-01-20\"

A model needs a judgement.json that passes and is about its weights; --force does without and notes the reason. The folder
is copied into the store. A running `image2song serve` takes the model up at once, without a restart; otherwise it
serves from the next start on. `image2song rollback` takes it back.")]
pub struct PromoteArgs {
    /// The model folder
    #[arg(value_name = "DIR", required_unless_present = "is_status", conflicts_with = "is_status")]
    dir: Option<PathBuf>,
    /// Only for this share of the people or communities, such as 10% or 0.1
    #[arg(long, value_name = "SHARE", requires = "dir")]
    share: Option<Share>,
    /// Promote against the judgement; the reason is noted
    #[arg(long, value_name = "REASON", requires = "dir")]
    force: Option<String>,
    /// Show what serves, what is on trial, how both are liked, and what was done
    #[arg(long = "status")]
    is_status: bool,
    /// One JSON object instead of text
    #[arg(long = "json")]
    is_json: bool,
    /// The store
    #[command(flatten)]
    store: StoreArgs,
    /// Where to test the model: cpu, or cuda:N in a build with CUDA
    #[arg(long, env = "IMAGE2SONG_DEVICE", hide_env_values = true, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceChoice,
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song rollback
  image2song rollback --reason \"people dislike it\"

Ends a trial if there is one; otherwise returns to the model that served before the last promotion. Done again, it goes
back further, at last to the bundled model.")]
pub struct RollbackArgs {
    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    /// One JSON object instead of text
    #[arg(long = "json")]
    is_json: bool,
    /// The store
    #[command(flatten)]
    store: StoreArgs,
}

/// A share of the askers, above 0 and below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent, 100.0));
        let share = number.trim().parse::<f64>().map(|number| number / scale).unwrap_or(f64::NAN);
        if share > 0.0 && share < 1.0 {
            return Ok(Self(share));
        }
        Err("a share lies above 0% and below 100%, such as 10% or 0.1; without --share everybody gets the model"
            .to_owned())
    }
}

impl StoreArgs {
    fn folder(&self) -> Result<PathBuf, SetupFault> {
        match &self.dir {
            Some(dir) => Ok(dir.clone()),
            None => Ok(serve::config(self.config.as_deref())?.store.dir),
        }
    }
}

/// Promotes a model, or shows how things stand.
///
/// # Errors
/// The folder holds no model that answers, the plan cannot be changed, or the running `serve` refuses the model.
pub fn run(global: &GlobalArgs, args: &PromoteArgs) -> anyhow::Result<Outcome> {
    let store = args.store.folder()?;
    let Some(dir) = &args.dir else {
        show(&store, args.is_json)?;
        return Ok(Outcome::Done);
    };
    let dir = loading::find(Some(dir))?;
    let manifest = Manifest::open(&dir).map_err(SetupFault::from_error)?;
    let objections = judgement::objections(&dir, &manifest);
    let reason = args.force.as_deref().unwrap_or_default().trim();
    if args.force.is_some() && reason.is_empty() {
        return Err(SetupFault::new("--force needs a reason, which the history keeps").into());
    }
    if args.force.is_none() && !objections.is_empty() {
        bail!(
            "{} {} is not promoted:\n  {}\nnothing was changed; --force \"REASON\" promotes it all the same",
            manifest.name,
            manifest.version,
            objections.join("\n  ")
        );
    }
    check_name(global, &dir, &manifest)?;
    // The same test that a running serve makes: a model that fails it is not even copied.
    loading::self_test(&loading::model_with(&dir, args.device, None, None)?)?;
    let placed = Vault::of(&store).place(&dir)?;
    let (model, why, now) = (placed.model.clone(), (reason, args.force.is_some()), UnixMs::now());
    let (plan, ()) = PlanFile::of(&store).change(|plan| match args.share {
        Some(Share(share)) => plan.try_out(placed, share, why, now),
        None => plan.promote(placed, why, now),
    })?;
    let to_whom = args.share.map_or("everybody".to_owned(), |Share(share)| format!("{} of the askers", percent(share)));
    told(&store, &plan, args.is_json, &format!("{model} answers {to_whom}"))
}

/// Takes back the last promotion or trial.
///
/// # Errors
/// There is none, or the plan cannot be changed, or a running `serve` cannot go back.
pub fn roll_back(args: &RollbackArgs) -> anyhow::Result<Outcome> {
    let store = args.store.folder()?;
    let (plan, ()) = PlanFile::of(&store).change(|plan| plan.roll_back(&args.reason, UnixMs::now()))?;
    let model = plan.current.as_ref().map_or("the bundled model", |placed| placed.model.as_str());
    told(&store, &plan, args.is_json, &format!("{model} answers everybody"))
}

/// The model that the program starts with may not be called like another one either.
fn check_name(global: &GlobalArgs, dir: &Path, manifest: &Manifest) -> Result<(), SetupFault> {
    let bundled = loading::find(global.model.as_deref()).ok().and_then(|bundled| Manifest::read(&bundled).ok());
    let is_same_name = bundled.as_ref().is_some_and(|b| (&b.name, &b.version) == (&manifest.name, &manifest.version));
    if is_same_name && bundled.is_some_and(|bundled| bundled.weights_digest() != manifest.weights_digest()) {
        return Err(SetupFault::new(format!(
            "{} is called {} {} like the bundled model, and the log tells models apart by that; give it another version \
             with `image2song model seal {} --version`",
            dir.display(),
            manifest.name,
            manifest.version,
            dir.display()
        )));
    }
    Ok(())
}

/// Waits until a running `serve` follows a plan, and says what came of it.
fn told(store: &Path, plan: &Plan, is_json: bool, what: &str) -> anyhow::Result<Outcome> {
    let is_running = Presence::is_held(store);
    if is_running && let Some(fault) = followed(store, plan)?.fault {
        bail!("the running serve refuses it, and what served before goes on: {fault}");
    }
    let mut out = anstream::stdout().lock();
    if is_json {
        write_line(&mut out, &json!({ "revision": plan.revision, "plan": plan, "is_serving": is_running }))?;
    } else {
        let when = if is_running { "now, in the running serve" } else { "from the next start of serve on" };
        writeln!(out, "{what} {when}")?;
    }
    Ok(Outcome::Done)
}

fn followed(store: &Path, plan: &Plan) -> anyhow::Result<Status> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = Status::read(store).filter(|status| status.revision >= plan.revision) {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            bail!("the running serve has not taken it up within {} s; see its log", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn show(store: &Path, is_json: bool) -> anyhow::Result<()> {
    let plan = PlanFile::of(store).read()?;
    let is_running = Presence::is_held(store);
    let status = Status::read(store).filter(|status| status.revision == plan.revision);
    let mut out = anstream::stdout().lock();
    if is_json {
        write_line(&mut out, &json!({ "plan": plan, "status": status, "is_serving": is_running }))?;
        return Ok(());
    }
    let current = plan.current.as_ref().map_or("the bundled model", |placed| placed.model.as_str());
    writeln!(out, "{current} answers{}", if is_running { "" } else { "; serve does not run" })?;
    if let Some(trial) = &plan.trial {
        writeln!(out, "{} is on trial for {} of the askers", trial.placed.model, percent(trial.share))?;
    }
    if let Some(fault) = status.as_ref().and_then(|status| status.fault.as_ref()) {
        writeln!(out, "the last change was refused: {fault}")?;
    }
    if let Some(status) = &status {
        write_standing(&mut out, &status.standing)?;
    }
    write_history(&mut out, &plan.history)?;
    Ok(())
}

fn write_standing(out: &mut impl Write, standing: &Standing) -> std::io::Result<()> {
    writeln!(out, "\n{:8} {:24} {:>7} {:>8} {:>7}  like rate", "arm", "model", "share", "answers", "liked")?;
    for arm in &standing.arms {
        let (low, high) = arm.like_rate;
        writeln!(
            out,
            "{:8} {:24} {:>7} {:>8} {:>7}  {} to {}",
            arm.arm,
            arm.model,
            percent(arm.share),
            arm.n_answers,
            arm.n_liked,
            percent(low),
            percent(high)
        )?;
    }
    if let Some((low, high)) = standing.difference {
        writeln!(
            out,
            "trial less current: {} to {}; the intervals hold however often one looks",
            percent(low),
            percent(high)
        )?;
    }
    Ok(())
}

fn write_history(out: &mut impl Write, history: &[Step]) -> std::io::Result<()> {
    if history.is_empty() {
        return writeln!(out, "\nnothing was promoted yet");
    }
    writeln!(out, "\nhistory, the latest first:")?;
    for step in history.iter().rev().take(N_SHOWN) {
        let model = step.model.as_ref().map_or("the bundled model", |placed| placed.model.as_str());
        let action = json!(step.action);
        let action = action.as_str().unwrap_or_default().replace('_', " ");
        let forced = if step.is_forced { ", forced" } else { "" };
        let share = if step.share > 0.0 { format!(" {}", percent(step.share)) } else { String::new() };
        let reason = if step.reason.is_empty() { String::new() } else { format!(": {}", step.reason) };
        writeln!(out, "  {}  {action} {model}{share}{forced}{reason}", utc(step.at))?;
    }
    Ok(())
}

/// A time such as `2027-01-15 08:00 UTC`. The date is counted from 1 March of year 0 in eras of 400 years (Hinnant 2013).
fn utc(time: UnixMs) -> String {
    let minutes = time.0 / 60_000;
    let days = minutes / 1440 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + era * 400 + u64::from(month >= 10), if month < 10 { month + 3 } else { month - 9 });
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60 % 24, minutes % 60)
}

fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_percent_and_as_fractions() {
        for (text, share) in [("10%", 0.1), ("0.1", 0.1), ("2.5 %", 0.025), ("99%", 0.99)] {
            assert!((text.parse::<Share>().unwrap().0 - share).abs() < 1e-12, "{text}");
        }
        for text in ["", "0", "0%", "100%", "1", "-1%", "ten", "NaN", "inf"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
        for (ms, text) in [
            (0, "1970-01-01 00:00 UTC"),
            (1_800_000_000_000, "2027-01-15 08:00 UTC"),
            (951_782_340_000, "2000-02-28 23:59 UTC"),
            (1_709_164_800_000, "2024-02-29 00:00 UTC"),
        ] {
            assert_eq!(utc(UnixMs(ms)), text);
        }
        assert_eq!([0.1, 0.025, 1.0, 0.0].map(percent), ["10%", "2.5%", "100%", "0%"]);
    }
}
