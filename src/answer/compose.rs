//! From tags to songs: the one way in which the command line, the bots and the HTTP interface answer.

use std::time::{Duration, Instant};

use crate::matcher::suggest::{Filter, Suggestion};
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
    /// The songs, best first; fewer than asked for if no more fit.
    pub suggestions: Vec<Suggestion>,
    /// Whether the photo says clearly what it shows and the songs fit.
    pub is_sure: bool,
    /// Time to find the songs.
    pub match_time: Duration,
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
}

/// Finds the songs for a tagging; `is_plain` says that the photo is of one color, so that nothing in it is sure.
pub fn compose(model: &Model, tagging: &Tagging, is_plain: bool, wish: Wish<'_>) -> Composed {
    let started = Instant::now();
    let query = model.matcher.query(tagging, wish.hint);
    // Who asks for no song wants the tags: ranking the whole catalogue is most of an answer's time.
    let suggestions = match wish.n_songs {
        0 => Vec::new(),
        n => model.matcher.suggest(&model.catalogue, &query, wish.filter, n),
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
    Composed { tags, telling, suggestions, is_sure, match_time }
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
