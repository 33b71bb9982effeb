//! From tags to songs: the one way in which the command line, the bots and the HTTP interface answer.

use std::time::{Duration, Instant};

use crate::catalogue::song::SongIdx;
use crate::matcher::draw::{Drawn, Policy, draw};
use crate::matcher::query::Query;
use crate::matcher::suggest::{Filter, POOL_SIZE, Suggestion};
use crate::tagger::Tagging;
use crate::tagger::regions::regions;
use crate::tagger::vocabulary::TagId;

use super::json::{SuggestAnswer, SuggestTimes, SuggestionEntry, evidence_entries, millis, rounded, tag_entries};
use super::links::Links;
use super::model::Model;
use super::sight::SeenTag;

/// Most tags shown to people, and of the most probable ones to programs.
pub const N_SHOWN_TAGS: usize = 5;

/// Least probability of a tag that people are told the photo shows.
const MIN_SEEN_PROB: f32 = 0.1;

/// Songs for what a photo shows.
#[derive(Debug, Clone)]
pub struct Composed {
    /// The most probable tags and all that counted, most probable first.
    pub tags: Vec<SeenTag>,
    /// The tags of the photo that counted and are likely enough to be named, heaviest first.
    pub telling: Vec<SeenTag>,
    /// The songs, best first unless they were drawn; fewer than asked for if no more fit.
    pub suggestions: Vec<Suggestion>,
    /// How chance made them; `None` if it had no part.
    pub lots: Option<Lots>,
    /// Whether the photo says clearly what it shows and the songs fit.
    pub is_sure: bool,
    /// Time to find the songs.
    pub match_time: Duration,
}

/// How chance made a slate.
#[derive(Debug, Clone, PartialEq)]
pub struct Lots {
    /// How it took part.
    pub policy: Policy,
    /// What the songs of the pool were drawn by, best first; never rising.
    pub scores: Vec<f32>,
    /// The songs of the slate, in order.
    pub drawn: Vec<Drawn>,
}

/// What to ask of a model beside the tags.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Words that join the tags; may be empty.
    pub hint: &'a str,
    /// Which songs may be suggested.
    pub filter: &'a Filter,
    /// How many songs.
    pub n_songs: usize,
    /// Whose taste counts: a community as its adapter is named; nobody's but that of all if `None`.
    pub community: Option<&'a str>,
    /// How chance takes part.
    pub policy: Policy,
    /// Decides what chance does.
    pub seed: u64,
}

impl<'a> Wish<'a> {
    /// Without chance, and by the taste of all.
    pub fn certain(hint: &'a str, filter: &'a Filter, n_songs: usize) -> Self {
        Self { hint, filter, n_songs, community: None, policy: Policy::default(), seed: 0 }
    }
}

/// Finds the songs for a tagging; `is_plain` says that the photo is of one color, so that nothing in it is sure.
pub fn compose(model: &Model, tagging: &Tagging, is_plain: bool, wish: Wish<'_>) -> Composed {
    let started = Instant::now();
    let query = model.matcher.query(tagging, wish.hint);
    // Who asks for no song wants the tags: ranking the whole catalogue is most of an answer's time.
    let (suggestions, lots) = match wish.n_songs {
        0 => (Vec::new(), None),
        _ => slate(model, &query, &wish),
    };
    let match_time = started.elapsed();
    let counted: Vec<SeenTag> = query.tags.iter().map(|&(tag, _)| seen(tagging, tag)).collect();
    let mut tags: Vec<SeenTag> = tagging.top(N_SHOWN_TAGS).into_iter().map(|(tag, _)| seen(tagging, tag)).collect();
    let others = counted.iter().filter(|one| tags.iter().all(|top| top.tag != one.tag));
    tags.extend(others.copied().collect::<Vec<_>>());
    tags.sort_by(|a, b| b.prob.total_cmp(&a.prob).then(a.tag.cmp(&b.tag)));
    // A hint names tags too; only those that the photo shows are shown as seen.
    let telling = counted.into_iter().filter(|seen| seen.prob >= MIN_SEEN_PROB).collect();
    let is_sure = (!is_plain || !query.hint.is_empty()) && model.matcher.is_sure(&query, &suggestions);
    Composed { tags, telling, suggestions, lots, is_sure, match_time }
}

/// The songs, and how chance made them.
fn slate(model: &Model, query: &Query, wish: &Wish<'_>) -> (Vec<Suggestion>, Option<Lots>) {
    let Wish { filter, n_songs, policy, .. } = *wish;
    let taste = model.tastes.of(wish.community);
    let n_pool = if policy.is_random() { POOL_SIZE.max(n_songs) } else { n_songs };
    let pool = model.matcher.pool(&model.catalogue, query, filter, n_pool, &taste);
    if !policy.is_random() {
        return (model.matcher.suggestions(query, &taste, &pool), None);
    }
    let scores = never_rising(pool.iter().map(|&(_, score)| score));
    let drawn = draw(&scores, n_songs, policy, &mut fastrand::Rng::with_seed(wish.seed));
    let songs: Vec<(SongIdx, f32)> = drawn.iter().map(|one| pool[one.idx]).collect();
    (model.matcher.suggestions(query, &taste, &songs), Some(Lots { policy, scores, drawn }))
}

/// Scores of which none is above the one before: where songs stand in tiers, a song of a later tier has no better chance
/// than the last one of the tier before, whatever its score.
fn never_rising(scores: impl Iterator<Item = f32>) -> Vec<f32> {
    let lower = |least: &mut f32, score: f32| {
        *least = least.min(score);
        Some(*least)
    };
    scores.scan(f32::INFINITY, lower).collect()
}

/// A tag with its probability and the region that spoke loudest for it.
pub fn seen(tagging: &Tagging, tag: TagId) -> SeenTag {
    let idx = usize::from(tag.0);
    SeenTag { tag, prob: tagging.probs[idx], region: regions()[usize::from(tagging.region_idx[idx])] }
}

/// The times of an answer in its form for programs.
pub fn times(decode: Duration, tag: Duration, matching: Duration, total: Duration) -> SuggestTimes {
    SuggestTimes { decode: millis(decode), tag: millis(tag), matching: millis(matching), total: millis(total) }
}

/// The answer in its form for programs.
pub fn entry<'a>(photo: &'a str, composed: &'a Composed, ms: SuggestTimes, model: &'a Model) -> SuggestAnswer<'a> {
    let suggestion = |(idx, suggestion): (usize, &'a Suggestion)| {
        let song = model.catalogue.song(suggestion.song);
        SuggestionEntry {
            rank: idx + 1,
            links: Links::to(song.artist, song.title),
            song: song.into(),
            score: rounded(suggestion.score),
            evidence: evidence_entries(&suggestion.evidence),
        }
    };
    SuggestAnswer {
        photo,
        sure: composed.is_sure,
        tags: tag_entries(&composed.tags, &model.eye.names),
        suggestions: composed.suggestions.iter().enumerate().map(suggestion).collect(),
        ms,
    }
}
