//! What `finetune` and `eval policy` share: reading logs and the half of a model that chooses songs, and telling a
//! judgement to people.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::fault::SetupFault;
use super::loading;
use super::secrets::secret;
use crate::catalogue::load::Catalogue;
use crate::evaluation::checks::{Checks, FILE_NAME};
use crate::evaluation::policy::cases::{Cases, Use};
use crate::evaluation::policy::estimate::{Range, Support};
use crate::evaluation::policy::judgement::{Judgement, Pair};
use crate::feedback::history::{History, HistoryOptions};
use crate::feedback::ids::CommunityKey;
use crate::feedback::store::STORE_KEY_VARIABLE;
use crate::manifest::Manifest;
use crate::matcher::suggest::Matcher;
use crate::matcher::tastes::Tastes;
use crate::training::finetune::run::Base;

/// Where likes come from.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Feedback store (a running serve may have it open) or JSON lines export; can be given more than once
    #[arg(long = "feedback", required = true, num_args = 1.., value_name = "DIR|FILE")]
    pub sources: Vec<PathBuf>,
    /// Use what came from Discord too: only for those who hold Discord's permission to train on it
    #[arg(long = "include-discord")]
    pub includes_discord: bool,
}

/// A log as it was read.
#[derive(Debug)]
pub struct Log {
    /// What can be learned from.
    pub cases: Cases,
    /// Number of the last record.
    pub high_water_mark: u64,
}

impl LogArgs {
    /// Reads the log; songs are those of the catalogue.
    ///
    /// # Errors
    /// A source is no log, or its key is wrong or missing.
    pub fn read(&self, catalogue: &Catalogue, communities: Vec<CommunityKey>) -> anyhow::Result<Log> {
        let options = HistoryOptions { store_key: secret(STORE_KEY_VARIABLE)? };
        let history = History::read(&self.sources, &options).map_err(SetupFault::from_error)?;
        if history.n_damaged > 0 {
            tracing::warn!(n = history.n_damaged, "damaged records of the log were passed over");
        }
        let which = Use { communities, includes_discord: self.includes_discord };
        Ok(Log { cases: Cases::of(&history.rows, catalogue, &which), high_water_mark: history.high_water_mark })
    }
}

/// The half of a model that chooses songs.
#[derive(Debug)]
pub struct Chooser {
    /// Its folder.
    pub dir: PathBuf,
    /// Its list of files.
    pub manifest: Manifest,
    /// The songs.
    pub catalogue: Catalogue,
    /// Scores them.
    pub matcher: Matcher,
    /// What communities like.
    pub tastes: Tastes,
    /// Its check queries, if it has any.
    pub checks: Option<Checks>,
}

impl Chooser {
    /// Loads it from a model folder; the bundled one if none is named.
    ///
    /// # Errors
    /// The folder is not whole.
    pub fn load(named: Option<&Path>) -> anyhow::Result<Self> {
        let dir = loading::find(named)?;
        let load = || -> anyhow::Result<Self> {
            let manifest = Manifest::open(&dir)?;
            manifest.check_hashes(&dir)?;
            let catalogue = Catalogue::load(&dir.join("catalog")).context("the catalogue cannot be loaded")?;
            let matcher = Matcher::load(&dir, &catalogue).context("the matcher cannot be loaded")?;
            let tastes = Tastes::open(&dir, &matcher, &catalogue)?;
            let n_tags = matcher.ranker().network.weights.sizes.n_tags;
            let has_checks = dir.join(FILE_NAME).exists();
            let checks = has_checks.then(|| Checks::open(&dir, &catalogue, n_tags)).transpose()?;
            if checks.is_none() {
                tracing::warn!(
                    "{} has no {FILE_NAME}, so nothing guards against forgetting; `image2song model checks --data DIR` \
                     makes it from a data folder",
                    dir.display()
                );
            }
            Ok(Self { dir: dir.clone(), manifest, catalogue, matcher, tastes, checks })
        };
        load().map_err(|error| SetupFault::from_error(error).into())
    }

    /// The same as a base of a fine-tuning.
    pub fn base(&self) -> Base<'_> {
        Base {
            dir: &self.dir,
            matcher: &self.matcher,
            catalogue: &self.catalogue,
            tastes: &self.tastes,
            checks: self.checks.as_ref(),
        }
    }
}

/// A judgement for people.
pub fn told(judgement: &Judgement) -> String {
    let rates = &judgement.rates;
    let percent = |range: Range| {
        format!("{:>6.2} ({:>5.2} to {:>5.2})", 100.0 * range.value, 100.0 * range.low, 100.0 * range.high)
    };
    let mut text = format!(
        "{} held-out answers to {} people, {} likes: {} % of the shown songs were liked\n\n\
         likes per 100 songs   {:<24} {:<24} {}\n",
        rates.n_answers,
        rates.n_people,
        rates.n_likes,
        percent(rates.logged).trim(),
        "current",
        "candidate",
        "difference"
    );
    type Pick = fn(&crate::evaluation::policy::estimate::Rates) -> Range;
    let rows: [(&str, Pick); 3] =
        [("IPS", |r| r.ips), ("self-normalised IPS", |r| r.snips), ("doubly robust", |r| r.dr)];
    for (name, pick) in rows {
        let [a, b, d] = [&rates.current, &rates.candidate, &rates.difference].map(|rates| percent(pick(rates)));
        text.push_str(&format!("{name:<21} {a:<24} {b:<24} {d}\n"));
    }
    let support = |name: &str, support: &Support| {
        format!(
            "the log covers {:.0} % of what the {name} shows; it tells as much as {:.0} evenly weighted songs\n",
            100.0 * support.covered,
            support.effective_songs
        )
    };
    text.push('\n');
    text.push_str(&support("current", &rates.current_support));
    text.push_str(&support("candidate", &rates.candidate_support));
    let pair = |name: &str, pair: Pair| format!("{name:<34} {:>9.3} {:>9.3}\n", pair.current, pair.candidate);
    text.push_str(&format!("\n{:<34} {:>9} {:>9}\n", "", "current", "candidate"));
    if let Some(forgetting) = &judgement.forgetting {
        text.push_str(&pair("nDCG@10 of check queries", forgetting.ndcg10));
        if let Some(worst) = forgetting.worst_community {
            text.push_str(&pair("... with the worst community", worst));
        }
    }
    text.push_str(&pair("different songs shown", judgement.coverage));
    text.push_str(&pair("Gini of artists", judgement.artist_gini));
    text.push_str(if judgement.passes { "\npasses: it may be promoted\n" } else { "\ndoes not pass:\n" });
    judgement.reasons.iter().for_each(|reason| text.push_str(&format!("  - {reason}\n")));
    text
}
