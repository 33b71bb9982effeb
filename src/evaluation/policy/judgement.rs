//! Whether a fine-tuned model may be shown: `judgement.json` in its folder.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::cases::Case;
use super::estimate::{Comparison, Judged, compare};
use super::serving::{Ground, Served};
use crate::catalogue::load::Catalogue;
use crate::catalogue::song::SongIdx;
use crate::evaluation::checks::{Checks, mean_ndcg10, tagging};
use crate::evaluation::ranking::gini;
use crate::matcher::facts::Facts;
use crate::matcher::suggest::{Filter, Matcher};
use crate::matcher::taste::Taste;

/// Name of the file in a model folder.
pub const FILE_NAME: &str = "judgement.json";

/// What a candidate must hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// How far below the current like rate the lower bound of the candidate's may lie, as a share of the current.
    pub max_loss: f64,
    /// How far the nDCG@10 of the check queries may fall.
    pub max_ndcg_fall: f64,
    /// By what share coverage and the Gini of artists may get worse.
    pub max_spread_loss: f64,
    /// Likes that the held-out answers must have.
    pub min_likes: usize,
    /// Share of the candidate's exposure that the log could have shown.
    pub min_covered: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { max_loss: 0.03, max_ndcg_fall: 0.01, max_spread_loss: 0.2, min_likes: 20, min_covered: 0.3 }
    }
}

/// A figure of both models.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Pair {
    /// Of the current model.
    pub current: f64,
    /// Of the candidate.
    pub candidate: f64,
}

/// Forgetting: nDCG@10 on the check queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forgetting {
    /// Queries.
    pub n_queries: usize,
    /// With the taste of all.
    pub ndcg10: Pair,
    /// With the community whose fall is largest, where communities have tastes of their own.
    pub worst_community: Option<Pair>,
}

/// What was found of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Digest of the candidate's weights, by its manifest.
    pub digest: String,
    /// Digest of the current model's weights.
    pub current_digest: String,
    /// Like rates.
    pub rates: Comparison,
    /// How places are looked at, as it was fitted.
    pub examination: Vec<f64>,
    /// `None` for a model without check queries.
    pub forgetting: Option<Forgetting>,
    /// Whether no filter let a song through that it must stop.
    pub filters_hold: bool,
    /// Different songs shown first on the held-out questions.
    pub coverage: Pair,
    /// Gini coefficient of artists' exposure on them, among the artists that either model shows.
    pub artist_gini: Pair,
    /// What a candidate must hold.
    pub rules: Rules,
    /// Whether it may be shown.
    pub passes: bool,
    /// Why not, one sentence each.
    pub reasons: Vec<String>,
}

/// Check queries for forgetting and filters, and communities that are looked at one by one.
const N_QUERIES: usize = 500;
const N_COMMUNITY_QUERIES: usize = 250;
const N_FILTER_QUERIES: usize = 30;
const N_COMMUNITIES: usize = 6;

/// Judges a candidate on held-out answers and the check queries; the digests are those of the current model and the
/// candidate.
pub fn judge(
    current: &Served<'_>,
    candidate: &Served<'_>,
    ground: &Ground<'_>,
    held_out: &[Case],
    checks: Option<&Checks>,
    digests: [String; 2],
    seed: u64,
) -> Judgement {
    let rules = Rules::default();
    let (before, after) = (current.judge(ground, held_out), candidate.judge(ground, held_out));
    let rates = compare(&before, &after, seed);
    let tastes = community_tastes(candidate, ground, held_out);
    let forgetting = checks.map(|checks| forgetting(current, candidate, checks, &tastes));
    let filters_hold = checks.is_none_or(|checks| filters_hold(candidate, checks, &tastes));
    let [current_digest, digest] = digests;
    let (coverage, artist_gini) = spread(&before, &after, ground.facts);
    let mut judgement = Judgement {
        digest,
        current_digest,
        rates,
        examination: ground.examination.by_place.clone(),
        forgetting,
        filters_hold,
        coverage,
        artist_gini,
        rules,
        passes: false,
        reasons: Vec::new(),
    };
    judgement.reasons = reasons(&judgement);
    judgement.passes = judgement.reasons.is_empty();
    judgement
}

fn reasons(found: &Judgement) -> Vec<String> {
    let (rules, rates) = (&found.rules, &found.rates);
    let mut reasons = Vec::new();
    if rates.n_likes < rules.min_likes {
        let (n, needed) = (rates.n_likes, rules.min_likes);
        reasons.push(format!("the held-out answers have {n} likes, at least {needed} are needed to tell"));
    }
    if rates.candidate_support.covered < rules.min_covered {
        let (covered, needed) = (100.0 * rates.candidate_support.covered, 100.0 * rules.min_covered);
        reasons.push(format!(
            "the log could have shown only {covered:.0} % of what the candidate shows, {needed:.0} % are needed; let \
             chance take part in slates (a temperature above 0) for a while"
        ));
    }
    let floor = -rules.max_loss * rates.current.dr.value;
    if rates.difference.dr.low < floor {
        reasons.push(format!(
            "its like rate could be {:.2} points below the current {:.2} % (95 % bound), allowed are {:.2}",
            -100.0 * rates.difference.dr.low,
            100.0 * rates.current.dr.value,
            -100.0 * floor
        ));
    }
    if found.forgetting.is_none() {
        reasons.push(
            "the model has no check queries, so that nobody can tell whether it forgets and whether its filters hold; \
             `image2song model checks` makes them"
                .to_owned(),
        );
    }
    if let Some(forgetting) = &found.forgetting {
        let pairs = [Some(forgetting.ndcg10), forgetting.worst_community];
        let fall = pairs.into_iter().flatten().map(|pair| pair.current - pair.candidate).fold(0.0, f64::max);
        if fall > rules.max_ndcg_fall + 1e-9 {
            let allowed = rules.max_ndcg_fall;
            reasons.push(format!("nDCG@10 of the check queries falls by {fall:.3}, allowed is {allowed:.3}"));
        }
    }
    if !found.filters_hold {
        reasons.push("a filter let a song through that is explicit or of another language".to_owned());
    }
    let left = 1.0 - rules.max_spread_loss;
    if found.coverage.candidate < left * found.coverage.current {
        let Pair { current, candidate } = found.coverage;
        reasons.push(format!("it shows {candidate:.0} different songs where the current model shows {current:.0}"));
    }
    if found.artist_gini.candidate > (1.0 + rules.max_spread_loss) * found.artist_gini.current {
        let Pair { current, candidate } = found.artist_gini;
        reasons.push(format!("the Gini coefficient of artists rises from {current:.3} to {candidate:.3}"));
    }
    reasons
}

/// Tastes of the communities with most held-out answers that have one of their own.
fn community_tastes(served: &Served<'_>, ground: &Ground<'_>, cases: &[Case]) -> Vec<(String, Taste)> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    cases.iter().for_each(|case| *counts.entry(case.community).or_default() += 1);
    let mut counts: Vec<(u32, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|&(community, n)| (std::cmp::Reverse(n), community));
    let all = served.tastes.of(None).layers().len();
    let taste = |(community, _): (u32, usize)| {
        let key = ground.cases.communities[community as usize].to_text();
        let taste = served.tastes.of(Some(&key));
        (taste.layers().len() > all).then_some((key, taste))
    };
    counts.into_iter().filter_map(taste).take(N_COMMUNITIES).collect()
}

fn forgetting(current: &Served<'_>, candidate: &Served<'_>, checks: &Checks, tastes: &[(String, Taste)]) -> Forgetting {
    let n_songs = candidate.catalogue.len();
    let of = |served: &Served<'_>, taste: &Taste, n| mean_ndcg10(served.matcher, taste, n_songs, &checks.val, n);
    // A community is held against the base matcher: its own taste of yesterday has fallen before.
    let plain = of(current, &Taste::default(), N_COMMUNITY_QUERIES);
    let own = tastes.iter().map(|(_, taste)| of(candidate, taste, N_COMMUNITY_QUERIES));
    let worst = own.min_by(f64::total_cmp).map(|candidate| Pair { current: plain, candidate });
    Forgetting {
        n_queries: checks.val.len().min(N_QUERIES),
        ndcg10: Pair {
            // Falls of one training after the other must not add up.
            current: of(current, &Taste::default(), N_QUERIES),
            candidate: of(candidate, &candidate.tastes.of(None), N_QUERIES),
        },
        worst_community: worst,
    }
}

fn filters_hold(served: &Served<'_>, checks: &Checks, tastes: &[(String, Taste)]) -> bool {
    let all = [(String::new(), served.tastes.of(None))];
    let stride = checks.val.len().div_ceil(N_FILTER_QUERIES).max(1);
    let most: BTreeSet<&str> = served.catalogue.languages().filter(|l| l.1 >= 100).map(|l| l.0).collect();
    let held = |matcher: &Matcher, catalogue: &Catalogue, taste: &Taste, filter: &Filter, probs: Vec<f32>| {
        let query = matcher.query(&tagging(probs), "");
        let is_held = |song: SongIdx| {
            (filter.allows_explicit || !catalogue.is_explicit(song))
                && (filter.languages.is_empty() || filter.languages.iter().any(|l| l == catalogue.language(song)))
        };
        matcher.pool(catalogue, &query, filter, 10, taste).iter().all(|song| is_held(song.0))
    };
    let languages: Vec<Vec<String>> =
        std::iter::once(Vec::new()).chain(most.into_iter().map(|language| vec![language.to_owned()])).collect();
    all.iter().chain(tastes).all(|(_, taste)| {
        checks.val.iter().step_by(stride).enumerate().all(|(idx, query)| {
            let languages = languages[idx % languages.len()].clone();
            let filter = Filter { languages, allows_explicit: false, ..Filter::default() };
            held(served.matcher, served.catalogue, taste, &filter, query.probs(checks.n_tags))
        })
    })
}

/// Coverage and the Gini of artists of both models' first choices.
fn spread(before: &[Judged], after: &[Judged], facts: &Facts) -> (Pair, Pair) {
    let coverage = |judged: &[Judged]| {
        judged.iter().flat_map(|judged| judged.slate.iter().copied()).collect::<BTreeSet<u32>>().len() as f64
    };
    let counts = |judged: &[Judged]| {
        let mut counts: BTreeMap<u32, f64> = BTreeMap::new();
        judged
            .iter()
            .flat_map(|judged| &judged.slate)
            .for_each(|&song| *counts.entry(facts.artist(song)).or_default() += 1.0);
        counts
    };
    let (a, b) = (counts(before), counts(after));
    let artists: BTreeSet<u32> = a.keys().chain(b.keys()).copied().collect();
    let spread = |counts: &BTreeMap<u32, f64>| {
        gini(&artists.iter().map(|artist| counts.get(artist).copied().unwrap_or(0.0)).collect::<Vec<f64>>())
    };
    let coverage = Pair { current: coverage(before), candidate: coverage(after) };
    (coverage, Pair { current: spread(&a), candidate: spread(&b) })
}
