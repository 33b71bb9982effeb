//! `eval policy`: two models on logged answers, before the second is shown to anybody.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::fault::SetupFault;
use super::learned::{Chooser, LogArgs, told};
use super::output_json::write_line;
use crate::evaluation::policy::examination::Examination;
use crate::evaluation::policy::judgement::FILE_NAME;
use crate::evaluation::policy::serving::Served;
use crate::matcher::facts::Facts;
use crate::training::finetune::run::{HELD_OUT, Judging, judgement_bytes};

/// Flags of `eval policy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song eval policy --feedback feedback/ --model models/base --model models/ours
  image2song eval policy --feedback backup.jsonl --model models/base --model models/ours --write

The first model is the current one, the second the candidate. Both are put to the last fifth of the log's answers; the
logged chances say what each would have been worth. --write leaves the judgement in the candidate's folder, where
`image2song promote` looks for it. docs/FINETUNING.md explains the estimates.

Exit codes: 0 the candidate passes, 1 it does not, 2 wrong usage or set-up.")]
pub struct EvalPolicy {
    #[command(flatten)]
    log: LogArgs,
    /// The current model, then the candidate
    #[arg(id = "model", long = "model", required = true, value_name = "DIR")]
    models: Vec<PathBuf>,
    /// Seed of the intervals
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write judgement.json into the candidate's folder
    #[arg(long = "write")]
    writes: bool,
    /// One JSON object instead of text
    #[arg(long = "json")]
    is_json: bool,
}

impl EvalPolicy {
    /// Compares and tells.
    ///
    /// # Errors
    /// The log or a model cannot be used.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let [current, candidate] = &self.models[..] else {
            let n = self.models.len();
            let text = format!("--model was given {n} times; name the current model, then the candidate");
            return Err(SetupFault::new(text).into());
        };
        let (current, candidate) = (Chooser::load(Some(current))?, Chooser::load(Some(candidate))?);
        if current.catalogue.digest() != candidate.catalogue.digest() {
            let text = "the models have different catalogues; likes of one tell nothing of the other's songs";
            return Err(SetupFault::new(text).into());
        }
        let log = self.log.read(&current.catalogue, Vec::new())?;
        let (earlier, later) = log.cases.split(HELD_OUT);
        if later.is_empty() {
            return Err(SetupFault::new("the log has no answers that training may use").into());
        }
        let (base, facts, examination) = (current.base(), Facts::of(&current.catalogue), Examination::fit(earlier));
        let judging = Judging { base: &base, cases: &log.cases, facts: &facts, examination: &examination };
        let served = Served { matcher: &candidate.matcher, catalogue: &candidate.catalogue, tastes: &candidate.tastes };
        let digests = [current.manifest.weights_digest(), candidate.manifest.weights_digest()];
        let judgement = judging.judge(earlier, later, &served, digests, self.seed);
        if self.writes {
            std::fs::write(candidate.dir.join(FILE_NAME), judgement_bytes(&judgement))?;
            let manifest = crate::manifest::Manifest::of_folder(
                &candidate.dir,
                &candidate.manifest.name,
                &candidate.manifest.version,
            )?;
            manifest.write(&candidate.dir)?;
        }
        if self.is_json {
            write_line(&mut anstream::stdout().lock(), &judgement)?;
        } else {
            anstream::println!("{}", told(&judgement));
        }
        Ok(if judgement.passes { Outcome::Done } else { Outcome::Failed })
    }
}
