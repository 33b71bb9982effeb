//! Puts a report together.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;
use serde::Serialize;

use super::bias::{self, OTHERS};
use super::date::{date, start_of_day};
use super::facets::Facets;
use super::facts::{AnswerFact, Facts};
use super::interval::{self, N_BUCKETS, Part};
use super::kpi::{Kpi, Kpis, rounded};
use super::tally::Tally;
use crate::calendar::DAY_MS;
use crate::evaluation::bootstrap::Estimate;
use crate::evaluation::ranking::gini;
use crate::feedback::archive::Archive;
use crate::feedback::event::UnixMs;

/// Groups of a kind that are shown; the others become one.
const MAX_GROUPS: usize = 10;
/// Rows of a bias table.
const MAX_BIAS_ROWS: usize = 16;
/// Artists whose share of what is shown is told.
const N_TOP_ARTISTS: usize = 10;
/// Days that are shown one by one; longer periods go by weeks, and those longer than [`MAX_WEEKS`] by four of them.
const MAX_DAYS: u64 = 45;
const MAX_WEEKS: u64 = 45;

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// How many days it has, the last one included; `None` for all that there is.
    pub n_days: Option<u32>,
    /// Its end, exclusive.
    pub until: UnixMs,
}

/// A report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What it is about.
    pub period: Times,
    /// What it is made from.
    pub log: LogFacts,
    /// The numbers of the period.
    pub kpis: Kpis,
    /// The same of the period before, if there are answers in it.
    pub previous: Option<Kpis>,
    /// From then to now.
    pub change: Option<Kpis>,
    /// The numbers over time.
    pub trend: Trend,
    /// The numbers of groups: by model version, community, language and platform.
    pub groups: Vec<Grouping>,
    /// What happens to the songs at each place of an answer.
    pub positions: Vec<Position>,
    /// Exposure by language, genre, decade and artist.
    pub bias: Vec<Bias>,
    /// How exposure is spread over songs and artists.
    pub spread: Spread,
    /// Likes and dislikes without person, answer and time, over all of the log: they are in no other number here.
    pub counted: Counted,
}

/// The times of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Times {
    /// First day, UTC.
    pub from: String,
    /// Last day, UTC.
    pub to: String,
    /// How many days these are.
    pub n_days: u64,
    /// First moment.
    pub from_ms: UnixMs,
    /// Moment after the last.
    pub until_ms: UnixMs,
}

/// What a report is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogFacts {
    /// Answers in the period.
    pub n_answers: usize,
    /// People who asked.
    pub n_people: usize,
    /// Songs shown, repeats counted.
    pub n_shown: usize,
    /// Of these, songs that the catalogue does not have; they are in no bias table.
    pub n_unknown_songs: usize,
    /// Answers in the period before.
    pub n_previous: usize,
    /// Answers of all times.
    pub n_all_answers: usize,
    /// Events whose answer is not kept.
    pub n_orphans: usize,
    /// Damaged places and records, which are passed over.
    pub n_damaged: u64,
    /// Where it is from.
    pub sources: Vec<SourceFacts>,
}

/// Where a report is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceFacts {
    /// Folder or file.
    pub path: String,
    /// Number of its last record.
    pub high_water_mark: u64,
}

/// Numbers over time.
#[derive(Debug, Clone, Serialize)]
pub struct Trend {
    /// Days of a step.
    pub n_days: u64,
    /// The steps of the period, in order. The last one may be cut short.
    pub steps: Vec<Step>,
}

/// Numbers of a step.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// First day.
    pub from: String,
    /// Answers.
    pub n_answers: usize,
    /// People who asked.
    pub n_people: usize,
    /// The numbers.
    pub kpis: Kpis,
}

/// Groups of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Grouping {
    /// The kind.
    pub by: &'static str,
    /// Most answers first.
    pub groups: Vec<Group>,
}

/// Numbers of a group.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// Its name.
    pub label: String,
    /// Answers.
    pub n_answers: usize,
    /// People who asked.
    pub n_people: usize,
    /// The numbers.
    pub kpis: Kpis,
}

/// What happens to the songs at a place of an answer.
#[derive(Debug, Clone, Serialize)]
pub struct Position {
    /// The place, from 1.
    pub position: u32,
    /// Songs shown there.
    pub n_shown: usize,
    /// Share of them that somebody likes.
    pub liked: Option<Estimate>,
    /// That somebody dislikes.
    pub disliked: Option<Estimate>,
    /// Whose listen link somebody followed.
    pub followed: Option<Estimate>,
}

/// Exposure by labels of a kind.
#[derive(Debug, Clone, Serialize)]
pub struct Bias {
    /// The kind.
    pub facet: &'static str,
    /// How many labels the catalogue has.
    pub n_labels: usize,
    /// Most shown first; all others in the last row.
    pub rows: Vec<BiasRow>,
}

/// Exposure of a label.
#[derive(Debug, Clone, Serialize)]
pub struct BiasRow {
    /// The label.
    pub label: String,
    /// Its share of the catalogue's songs.
    pub catalogue: f64,
    /// Its share of the songs shown.
    pub shown: Option<Estimate>,
    /// Its share of the likes.
    pub likes: Option<Estimate>,
    /// Likes for each time that a song of it was shown.
    pub likes_per_shown: Option<Estimate>,
}

/// How exposure is spread.
#[derive(Debug, Clone, Serialize)]
pub struct Spread {
    /// Songs of the catalogue.
    pub n_songs: usize,
    /// Gini coefficient of how often the songs are shown: 0 all alike, 1 one song only.
    pub gini: f64,
    /// The same among the songs that are shown at all.
    pub gini_of_shown: f64,
    /// Share of the ten artists shown most often in all that is shown.
    pub top_artists: Option<f64>,
}

/// Likes and dislikes without persons.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Songs that have any.
    pub n_songs: usize,
    /// Likes.
    pub n_likes: u64,
    /// Dislikes.
    pub n_dislikes: u64,
}

impl Period {
    /// First moment and moment after the last, and the same of the equally long period before. A period begins at
    /// midnight UTC.
    fn times(&self, archive: &Archive) -> (Range<UnixMs>, Range<UnixMs>) {
        let last_day = start_of_day(UnixMs(self.until.0.saturating_sub(1)));
        let from = match self.n_days {
            Some(n_days) => UnixMs(last_day.0.saturating_sub(u64::from(n_days.max(1) - 1) * DAY_MS)),
            None => start_of_day(archive.first_time().unwrap_or(last_day)).min(last_day),
        };
        let length = self.until.0 - from.0;
        let before = if self.n_days.is_some() { UnixMs(from.0.saturating_sub(length)) } else { from };
        (from..self.until, before..from)
    }
}

impl Report {
    /// The report of a log over a period.
    pub fn new(archive: &Archive, facets: &Facets, period: Period) -> Self {
        let (times, before) = period.times(archive);
        let facts = Facts::of(archive, facets, &(before.start..times.end));
        let (answers, earlier): (Vec<&AnswerFact>, Vec<&AnswerFact>) =
            facts.answers.iter().partition(|answer| answer.time >= times.start);
        let whole = |answers: &[&AnswerFact]| tally(&facts, facets, answers.iter().copied());
        let (now, then) = rayon::join(|| whole(&answers), || whole(&earlier));
        let (mut now, mut then) = (now, then);
        let (n_people, kpis) = (now.n_people(), now.kpis(true));
        let previous = (!earlier.is_empty()).then(|| then.kpis(true));
        let shown = || answers.iter().flat_map(|answer| &facts.shown[answer.songs.clone()]);
        let sources = archive.sources.iter().map(|source| SourceFacts {
            path: source.path.display().to_string(),
            high_water_mark: source.high_water_mark,
        });
        Self {
            log: LogFacts {
                n_answers: answers.len(),
                n_people,
                n_shown: shown().count(),
                n_unknown_songs: shown().filter(|shown| shown.song.is_none()).count(),
                n_previous: earlier.len(),
                n_all_answers: archive.len(),
                n_orphans: archive.n_orphans,
                n_damaged: archive.n_damaged(),
                sources: sources.collect(),
            },
            change: previous.map(|previous| changes(&previous, &kpis)),
            kpis,
            previous,
            trend: trend(&facts, facets, &answers, &times),
            groups: groupings(&facts, facets, &answers),
            positions: positions(&facts, &answers),
            bias: facets
                .facets
                .par_iter()
                .map(|facet| bias::bias(facet, &facts, answers.iter().copied(), MAX_BIAS_ROWS))
                .collect(),
            spread: spread(&facts, facets, &answers),
            counted: counted(archive),
            period: Times {
                from: date(times.start),
                to: date(UnixMs(times.end.0.saturating_sub(1))),
                n_days: (times.end.0 - times.start.0).div_ceil(DAY_MS),
                from_ms: times.start,
                until_ms: times.end,
            },
        }
    }

    /// True if there is no answer in the period.
    pub fn is_empty(&self) -> bool {
        self.log.n_answers == 0
    }
}

fn tally<'a>(facts: &Facts, facets: &Facets, answers: impl Iterator<Item = &'a AnswerFact>) -> Tally {
    let mut tally = Tally::new(facets.n_songs());
    answers.for_each(|answer| tally.add(answer, &facts.shown[answer.songs.clone()]));
    tally
}

fn changes(from: &Kpis, to: &Kpis) -> Kpis {
    let change = |kpi: Kpi| Some(interval::change(from.get(kpi)?, to.get(kpi)?));
    Kpis(Kpi::ALL.map(change))
}

fn trend(facts: &Facts, facets: &Facets, answers: &[&AnswerFact], times: &Range<UnixMs>) -> Trend {
    let n_days = (times.end.0 - times.start.0).div_ceil(DAY_MS);
    let step_days = match n_days {
        0..=MAX_DAYS => 1,
        _ if n_days <= MAX_WEEKS * 7 => 7,
        _ => 28,
    };
    let n_steps = n_days.div_ceil(step_days) as usize;
    let mut by_step = vec![Vec::new(); n_steps];
    for answer in answers {
        by_step[((answer.time.0 - times.start.0) / (step_days * DAY_MS)) as usize].push(*answer);
    }
    let step = |(idx, answers): (usize, Vec<&AnswerFact>)| {
        let mut tally = tally(facts, facets, answers.into_iter());
        Step {
            from: date(UnixMs(times.start.0 + idx as u64 * step_days * DAY_MS)),
            n_answers: tally.n_answers(),
            n_people: tally.n_people(),
            kpis: tally.kpis(step_days > 1),
        }
    };
    Trend { n_days: step_days, steps: by_step.into_par_iter().enumerate().map(step).collect() }
}

fn groupings(facts: &Facts, facets: &Facets, answers: &[&AnswerFact]) -> Vec<Grouping> {
    type Key = fn(&AnswerFact) -> u32;
    let platforms: Vec<String> =
        crate::feedback::event::Platform::ALL.map(|platform| platform.name().to_owned()).to_vec();
    let kinds: [(&'static str, Key, &[String]); 4] = [
        ("model_version", |answer| answer.model, &facts.models),
        ("community", |answer| answer.community, &facts.communities),
        ("language", |answer| answer.language, &facts.languages),
        ("platform", |answer| answer.platform as u32, &platforms),
    ];
    let grouping = |(by, key, names): &(&'static str, Key, &[String])| {
        let mut members: BTreeMap<u32, Vec<&AnswerFact>> = BTreeMap::new();
        answers.iter().for_each(|answer| members.entry(key(answer)).or_default().push(answer));
        let mut members: Vec<(String, Vec<&AnswerFact>)> =
            members.into_iter().map(|(number, answers)| (names[number as usize].clone(), answers)).collect();
        members.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
        if members.len() > MAX_GROUPS {
            let others = members.split_off(MAX_GROUPS - 1).into_iter().flat_map(|(_, answers)| answers).collect();
            members.push((OTHERS.to_owned(), others));
        }
        let group = |(label, answers): (String, Vec<&AnswerFact>)| {
            let mut tally = tally(facts, facets, answers.into_iter());
            let (n_answers, n_people) = (tally.n_answers(), tally.n_people());
            Group { label, n_answers, n_people, kpis: tally.kpis(true) }
        };
        Grouping { by, groups: members.into_par_iter().map(group).collect() }
    };
    kinds.iter().map(grouping).collect()
}

fn positions(facts: &Facts, answers: &[&AnswerFact]) -> Vec<Position> {
    #[derive(Clone)]
    struct Sums {
        shown: [f64; N_BUCKETS],
        hits: [[f64; N_BUCKETS]; 3],
    }
    let mut places: BTreeMap<u8, Sums> = BTreeMap::new();
    for answer in answers {
        let bucket = usize::from(answer.bucket);
        for shown in &facts.shown[answer.songs.clone()] {
            let nothing = Sums { shown: [0.0; N_BUCKETS], hits: [[0.0; N_BUCKETS]; 3] };
            let sums = places.entry(shown.position).or_insert(nothing);
            sums.shown[bucket] += 1.0;
            let hits = [shown.n_likes > 0, shown.n_dislikes > 0, shown.is_followed];
            sums.hits.iter_mut().zip(hits).for_each(|(sums, hit)| sums[bucket] += f64::from(hit));
        }
    }
    let position = |(place, sums): (u8, Sums)| {
        let share = |hits: &[f64; N_BUCKETS]| {
            let parts: Vec<Part> = hits.iter().copied().zip(sums.shown).collect();
            interval::share(&parts).map(rounded)
        };
        let [liked, disliked, followed] = &sums.hits;
        Position {
            position: u32::from(place) + 1,
            n_shown: sums.shown.iter().sum::<f64>() as usize,
            liked: share(liked),
            disliked: share(disliked),
            followed: share(followed),
        }
    };
    places.into_iter().map(position).collect()
}

fn spread(facts: &Facts, facets: &Facets, answers: &[&AnswerFact]) -> Spread {
    let mut n_shown = vec![0_f64; facets.n_songs()];
    let songs = answers.iter().flat_map(|answer| &facts.shown[answer.songs.clone()]);
    songs.filter_map(|shown| shown.song).for_each(|song| n_shown[song as usize] += 1.0);
    let of_shown: Vec<f64> = n_shown.iter().copied().filter(|&n| n > 0.0).collect();
    let round = |value: f64| (value * 1e4).round() / 1e4;
    let artists = facets.facets.iter().find(|facet| facet.name == "artist");
    let top_artists = artists.and_then(|artists| bias::top_share(artists, facts, answers, N_TOP_ARTISTS));
    Spread {
        n_songs: facets.n_songs(),
        gini: if of_shown.is_empty() { 0.0 } else { round(gini(&n_shown)) },
        gini_of_shown: if of_shown.is_empty() { 0.0 } else { round(gini(&of_shown)) },
        top_artists: top_artists.map(round),
    }
}

fn counted(archive: &Archive) -> Counted {
    let mut counted = Counted { n_songs: archive.counts.len(), ..Counted::default() };
    for counts in archive.counts.values() {
        counted.n_likes += counts.up;
        counted.n_dislikes += counts.down;
    }
    counted
}
