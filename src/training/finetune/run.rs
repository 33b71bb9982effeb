//! A whole fine-tuning: from the log's answers to a sealed model folder with its judgement.

use std::collections::HashMap;
use std::path::Path;

use candle_core::Device;
use rayon::prelude::*;
use serde::Serialize;

use super::error::FinetuneError;
use super::features::{Item, Reader};
use super::fit::{Fitted, Material, Settings, fit};
use super::folder::{self, Origin, Output};
use super::graph::Ground;
use super::pairs::{Pair, Weighing};
use crate::catalogue::load::Catalogue;
use crate::evaluation::checks::{Checks, mean_ndcg10};
use crate::evaluation::policy::cases::{Case, Cases};
use crate::evaluation::policy::examination::Examination;
use crate::evaluation::policy::judgement::{self, Judgement, Rules, judge};
use crate::evaluation::policy::like_model::{LikeModel, looks};
use crate::evaluation::policy::serving::{self, Served, filters};
use crate::manifest::Manifest;
use crate::matcher::adapter::Adapter;
use crate::matcher::facts::Facts;
use crate::matcher::suggest::Matcher;
use crate::matcher::taste::{Layer, Taste};
use crate::matcher::tastes::{self, Tastes};
use crate::matcher::weights::Pooling;

/// Likes and dislikes without which nothing is learned.
pub const MIN_EVENTS: usize = 200;

/// Share of the answers, from the end, that decide when to stop and by which the result is judged.
pub const HELD_OUT: f64 = 0.2;

/// Check queries that the anchor is made of.
const N_ANCHORS: usize = 600;

/// Check queries by which it is decided how much of a change stays: as many as the judgement looks at.
const N_JUDGED_QUERIES: usize = 500;
const N_COMMUNITY_QUERIES: usize = 250;

/// Answers of the held-out ones that are judged, evenly chosen: each takes two rankings of all songs.
pub const MAX_JUDGED: usize = 2000;

/// How much of a change may stay, tried in this order.
const SHARES: [f32; 7] = [1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.1];

/// Whose taste is learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// That of all together.
    All,
    /// That of each community with enough votes, or of those that the cases are limited to.
    Communities,
}

/// The model that is fine-tuned.
#[derive(Debug)]
pub struct Base<'a> {
    /// Its folder.
    pub dir: &'a Path,
    /// Its matcher.
    pub matcher: &'a Matcher,
    /// Its songs.
    pub catalogue: &'a Catalogue,
    /// What it knows of tastes.
    pub tastes: &'a Tastes,
    /// Its check queries, if it has any.
    pub checks: Option<&'a Checks>,
}

/// What a run does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Whose taste is learned.
    pub scope: Scope,
    /// How.
    pub settings: Settings,
    /// Takes up where an interrupted run stopped.
    pub resumes: bool,
    /// The log's high-water mark.
    pub high_water_mark: u64,
    /// Where tensors lie.
    pub device: Device,
}

/// One fit of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FitLine {
    /// The community's key, or `all`.
    pub who: String,
    /// Likes and dislikes.
    pub n_votes: usize,
    /// What came of it; `None` if there was too little.
    pub fitted: Option<Fitted>,
    /// How much of the change the check queries allow, in [0, 1].
    pub share: f32,
    /// Bytes of its file; 0 where none was written.
    pub n_bytes: usize,
}

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Version of the model.
    pub version: String,
    /// The fits.
    pub fits: Vec<FitLine>,
    /// Whether it may be shown.
    pub judgement: Judgement,
}

/// Told of what is being done, and of steps done and of how many.
pub type Observer<'a> = dyn FnMut(&str, usize, usize) + 'a;

/// Fine-tunes and writes the model folder.
///
/// # Errors
/// There are too few votes (nothing is written), files cannot be used, or the device failed.
pub fn run(
    base: &Base<'_>,
    cases: &Cases,
    plan: &Plan,
    out: &Path,
    observer: &mut Observer<'_>,
) -> Result<Outcome, FinetuneError> {
    let (n_up, n_down) = cases.n_votes();
    if n_up + n_down < MIN_EVENTS {
        return Err(FinetuneError::TooLittle { n_events: n_up + n_down, needed: MIN_EVENTS });
    }
    let most = most_votes(cases);
    if plan.scope == Scope::Communities && most < MIN_EVENTS {
        return Err(FinetuneError::TooLittle { n_events: most, needed: MIN_EVENTS });
    }
    if base.matcher.ranker().network.weights.pooling != Pooling::Attention {
        let text = "the base reads songs without attention, which fine-tuning does not know".to_owned();
        return Err(FinetuneError::Setting(text));
    }
    let output = Output::begin(out, base.dir, plan.resumes)?;
    let files = Manifest::open(base.dir)?;
    let (earlier, later) = cases.split(HELD_OUT);
    observer("how places are looked at", 0, 0);
    let facts = Facts::of(base.catalogue);
    let examination = Examination::fit(earlier);
    let fitting = Fitting { base, cases, plan, facts: &facts, examination: &examination, output: &output };
    let mut fits = Vec::new();
    match plan.scope {
        Scope::All => {
            output.copy_base(base.dir, &files, false)?;
            fits.push(fitting.all(observer)?);
        }
        Scope::Communities => {
            output.copy_base(base.dir, &files, true)?;
            fits.extend(fitting.communities(observer)?);
        }
    }
    observer("judging", 0, 0);
    let candidate = Tastes::open(out, base.matcher, base.catalogue)?;
    let current_weights = files.weights_digest();
    let weights = Manifest::of_folder(out, &files.name, &files.version)?.weights_digest();
    let judging = Judging { base, cases, facts: &facts, examination: &examination };
    let digests = [current_weights.clone(), weights.clone()];
    let candidate = Served { matcher: base.matcher, catalogue: base.catalogue, tastes: &candidate };
    let judgement = judging.judge(earlier, later, &candidate, digests, plan.settings.seed);
    let times = || cases.cases.iter().map(|case| case.time_ms);
    let time_ms = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    let origin = Origin {
        base: files.name.clone(),
        base_version: files.version.clone(),
        base_weights: current_weights,
        high_water_mark: plan.high_water_mark,
        time_ms,
        n_impressions: cases.cases.len(),
        n_votes: (n_up, n_down),
        n_people: cases.n_people,
        n_communities: cases.communities.len(),
        left_out: cases.left_out,
        settings: plan.settings.clone(),
        fits: fits.clone(),
    };
    output.write(folder::FILE_NAME, &pretty(&origin))?;
    output.write(judgement::FILE_NAME, &judgement_bytes(&judgement))?;
    let version = folder::version(&files.version, time_ms.1, &weights);
    output.seal(&files.name, &version)?;
    Ok(Outcome { version, fits, judgement })
}

/// Likes and dislikes of the community with most of them.
fn most_votes(cases: &Cases) -> usize {
    let mut counts = vec![0; cases.communities.len()];
    for case in &cases.cases {
        counts[case.community as usize] += case.songs.iter().map(|song| song.votes.len()).sum::<usize>();
    }
    counts.into_iter().max().unwrap_or_default()
}

/// A judgement as its file holds it.
pub fn judgement_bytes(judgement: &Judgement) -> Vec<u8> {
    pretty(judgement)
}

/// A value as JSON for people, with a line's end.
fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("numbers and texts always have a JSON form");
    bytes.push(b'\n');
    bytes
}

struct Fitting<'a> {
    base: &'a Base<'a>,
    cases: &'a Cases,
    plan: &'a Plan,
    facts: &'a Facts,
    examination: &'a Examination,
    output: &'a Output,
}

impl Fitting<'_> {
    fn all(&self, observer: &mut Observer<'_>) -> Result<FitLine, FinetuneError> {
        let taste = Taste::default();
        let chosen: Vec<&Case> = self.cases.cases.iter().collect();
        let anchors = self.anchors(&taste);
        self.one("all", &chosen, &taste, &anchors, tastes::FILE_NAME, observer)
    }

    fn communities(&self, observer: &mut Observer<'_>) -> Result<Vec<FitLine>, FinetuneError> {
        let taste = self.base.tastes.of(None);
        let mut by_community: Vec<Vec<&Case>> = vec![Vec::new(); self.cases.communities.len()];
        self.cases.cases.iter().for_each(|case| by_community[case.community as usize].push(case));
        let anchors = self.anchors(&taste);
        let mut lines = Vec::new();
        for (key, own) in self.cases.communities.iter().zip(by_community) {
            let who = key.to_text();
            let file = format!("{}/{who}.safetensors", tastes::FOLDER);
            lines.push(self.one(&who, &own, &taste, &anchors, &file, observer)?);
        }
        lines.sort_by(|a, b| b.n_votes.cmp(&a.n_votes).then_with(|| a.who.cmp(&b.who)));
        Ok(lines)
    }

    fn anchors(&self, taste: &Taste) -> Vec<Item> {
        let reader = Reader { matcher: self.base.matcher, taste };
        self.base.checks.map_or(Vec::new(), |checks| reader.anchors(&checks.train, N_ANCHORS))
    }

    fn one(
        &self,
        who: &str,
        cases: &[&Case],
        taste: &Taste,
        anchors: &[Item],
        file: &str,
        observer: &mut Observer<'_>,
    ) -> Result<FitLine, FinetuneError> {
        let n_votes = cases.iter().flat_map(|case| &case.songs).map(|song| song.votes.len()).sum();
        let mut line = FitLine { who: who.to_owned(), n_votes, fitted: None, share: 0.0, n_bytes: 0 };
        if n_votes < MIN_EVENTS {
            return Ok(line);
        }
        observer(&format!("{who}: reading"), 0, 0);
        let at = ((1.0 - HELD_OUT) * cases.len() as f64).round() as usize;
        let (train, later) = cases.split_at(at.min(cases.len()));
        let weighing = Weighing::of(train, self.examination);
        let reader = Reader { matcher: self.base.matcher, taste };
        let read = |cases: &[&Case]| {
            let paired = |case: &&Case| -> (Case, Vec<Pair>) { ((*case).clone(), weighing.pairs(case)) };
            let paired: Vec<(Case, Vec<Pair>)> =
                cases.par_iter().map(paired).filter(|(_, pairs)| !pairs.is_empty()).collect();
            reader.answers(&paired)
        };
        let (train_items, later_items) = (read(train), read(later));
        let ground = Ground {
            matcher: self.base.matcher,
            facts: self.facts,
            artists: artists(&train_items, self.facts),
            device: self.plan.device.clone(),
        };
        let material = Material { train: &train_items, later: &later_items, anchors };
        let run = format!(
            "{who} {:?} {} {} {}",
            self.plan.settings,
            self.plan.high_water_mark,
            self.cases.cases.len(),
            n_votes
        );
        let checkpoint = self.output.checkpoint(who);
        let mut step = |done, n: usize| observer(who, done, n);
        let resume = Some((checkpoint.as_path(), run.as_str()));
        let (adapter, fitted) = fit(&ground, &material, &self.plan.settings, resume, &mut step)?;
        line.fitted = Some(fitted);
        let n_queries = if who == "all" { N_JUDGED_QUERIES } else { N_COMMUNITY_QUERIES };
        let (adapter, share) = self.allowed(adapter, taste, n_queries);
        line.share = share;
        match adapter {
            Some(adapter) => {
                let bytes = adapter.to_bytes(self.base.matcher.digest())?;
                line.n_bytes = bytes.len();
                self.output.write(file, &bytes)?;
            }
            None => self.output.remove(file)?,
        }
        Ok(line)
    }

    /// As much of a change as leaves the check queries' nDCG where it may be, and its share; `None` for no change.
    fn allowed(&self, adapter: Adapter, taste: &Taste, n: usize) -> (Option<Adapter>, f32) {
        if adapter == Adapter::default() {
            return (None, 0.0);
        }
        let Some(checks) = self.base.checks else { return (Some(adapter), 1.0) };
        let of = |taste: &Taste| mean_ndcg10(self.base.matcher, taste, self.base.catalogue.len(), &checks.val, n);
        // Against no taste at all: falls of one training after the other must not add up.
        let floor = of(&Taste::default()) - Rules::default().max_ndcg_fall;
        for share in SHARES {
            let tried = adapter.scaled(share).rounded();
            let layer = std::sync::Arc::new(Layer::new(tried.clone(), self.facts));
            let both = Taste::of(taste.layers().iter().cloned().chain([layer]));
            if of(&both) >= floor {
                return (Some(tried), share);
            }
        }
        (None, 0.0)
    }
}

/// Columns of the lead artists that the items' songs have.
fn artists(items: &[Item], facts: &Facts) -> HashMap<u32, u32> {
    let mut seen: Vec<u32> = items.iter().flat_map(|item| &item.songs).map(|&song| facts.artist(song)).collect();
    seen.sort_unstable();
    seen.dedup();
    seen.into_iter().enumerate().map(|(column, artist)| (artist, column as u32)).collect()
}

/// Judges candidates on a log.
#[derive(Debug)]
pub struct Judging<'a> {
    /// The current model.
    pub base: &'a Base<'a>,
    /// The log.
    pub cases: &'a Cases,
    /// Facts of the songs.
    pub facts: &'a Facts,
    /// How places are looked at.
    pub examination: &'a Examination,
}

impl Judging<'_> {
    /// Judges a candidate on the later answers; the like model is fitted on the earlier ones.
    pub fn judge(
        &self,
        earlier: &[Case],
        later: &[Case],
        candidate: &Served<'_>,
        digests: [String; 2],
        seed: u64,
    ) -> Judgement {
        let base = self.base;
        let few = |cases: &[Case], n: usize| -> Vec<Case> {
            cases.iter().step_by(cases.len().div_ceil(n).max(1)).cloned().collect()
        };
        let likes = LikeModel::fit(&looks(&few(earlier, 2 * MAX_JUDGED), base.matcher, self.examination), self.facts);
        let filters = filters(self.cases, base.catalogue);
        let ground = serving::Ground {
            cases: self.cases,
            examination: self.examination,
            likes: &likes,
            facts: self.facts,
            filters: &filters,
        };
        let current = Served { matcher: base.matcher, catalogue: base.catalogue, tastes: base.tastes };
        let held_out = few(later, MAX_JUDGED);
        judge(&current, candidate, &ground, &held_out, base.checks, digests, seed)
    }
}
