//! What a model would have shown for a logged question, and with which chances.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use super::cases::{Case, Cases};
use super::estimate::{Judged, Weighed};
use super::examination::Examination;
use super::like_model::LikeModel;
use crate::catalogue::load::Catalogue;
use crate::catalogue::song::SongIdx;
use crate::evaluation::checks::tagging;
use crate::matcher::draw::{Policy, placements};
use crate::matcher::facts::Facts;
use crate::matcher::suggest::{Filter, Matcher, POOL_SIZE};
use crate::matcher::tastes::Tastes;

/// A model as it would serve.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// Scores.
    pub matcher: &'a Matcher,
    /// The songs.
    pub catalogue: &'a Catalogue,
    /// What communities like.
    pub tastes: &'a Tastes,
}

/// What is common to all answers that policies are judged on.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The log.
    pub cases: &'a Cases,
    /// How places are looked at.
    pub examination: &'a Examination,
    /// `r̂`.
    pub likes: &'a LikeModel,
    /// Facts of the catalogue.
    pub facts: &'a Facts,
    /// Filters by community, see [`filters`].
    pub filters: &'a [Filter],
}

/// Songs of a community that must have been shown before what was never shown counts as switched off.
const MIN_SHOWN: usize = 20;

/// The filter of each community, by number, as far as the log tells: it holds no settings. A community that was never
/// shown an explicit song is taken not to want any; one that was shown English songs only, or none, has that as its choice.
pub fn filters(cases: &Cases, catalogue: &Catalogue) -> Vec<Filter> {
    let mut seen: Vec<(usize, usize, BTreeSet<&str>)> = vec![(0, 0, BTreeSet::new()); cases.communities.len()];
    for case in &cases.cases {
        let own = &mut seen[case.community as usize];
        for shown in &case.songs {
            own.0 += 1;
            own.1 += usize::from(catalogue.is_explicit(SongIdx(shown.song)));
            own.2.insert(catalogue.language(SongIdx(shown.song)));
        }
    }
    let filter = |(n, n_explicit, languages): (usize, usize, BTreeSet<&str>)| {
        let is_clear = n >= MIN_SHOWN && (!languages.contains("en") || languages.len() == 1);
        let languages = if is_clear { languages.into_iter().map(str::to_owned).collect() } else { Vec::new() };
        Filter { languages, allows_explicit: n < MIN_SHOWN || n_explicit > 0, ..Filter::default() }
    };
    seen.into_iter().map(filter).collect()
}

impl Served<'_> {
    /// The pool for a logged question.
    pub fn pool(&self, ground: &Ground<'_>, case: &Case) -> Vec<(SongIdx, f32)> {
        let n_tags = self.matcher.ranker().network.weights.sizes.n_tags;
        let query = self.matcher.query(&tagging(case.probs(n_tags)), "");
        let key = ground.cases.communities[case.community as usize].to_text();
        let filter = &ground.filters[case.community as usize];
        self.matcher.pool(self.catalogue, &query, filter, POOL_SIZE.max(case.n_places()), &self.tastes.of(Some(&key)))
    }

    /// How this model sees each answer: chances drawn as the answer was, with this model's scores.
    pub fn judge(&self, ground: &Ground<'_>, cases: &[Case]) -> Vec<Judged> {
        cases.par_iter().map(|case| self.judged(ground, case)).collect()
    }

    fn judged(&self, ground: &Ground<'_>, case: &Case) -> Judged {
        let n = case.n_places();
        let pool = self.pool(ground, case);
        let policy = case.draw.as_ref().map_or_else(Policy::default, |draw| draw.policy);
        let scores: Vec<f32> = pool.iter().map(|song| song.1).collect();
        let table = placements(&scores, n, policy);
        let exposure = |row: &[f64]| row.iter().enumerate().map(|(k, p)| p * ground.examination.at(k)).sum::<f64>();
        let ranker = self.matcher.ranker();
        let probe = ranker.probe(&case.probs(ranker.network.weights.sizes.n_tags));
        let plain = ranker.shortlist.scores(&ranker.network, &ranker.songs, &probe);
        let rate = |song: u32| ground.likes.rate(song, plain[song as usize], ground.facts);
        let mut own = HashMap::new();
        let mut expected = 0.0;
        for ((song, _), row) in pool.iter().zip(table.chunks(n.max(1))) {
            let exposed = exposure(row);
            own.insert(song.0, exposed);
            expected += exposed * rate(song.0);
        }
        let logged = ground.examination.exposures(case);
        let weighed = |(shown, logged): (&super::cases::ShownSong, f64)| Weighed {
            is_liked: shown.is_liked(),
            looked: ground.examination.at(usize::from(shown.place)),
            logged,
            own: own.get(&shown.song).copied().unwrap_or(0.0),
            rate: rate(shown.song),
        };
        Judged {
            asker: case.asker,
            n_places: n,
            examined: (0..n).map(|place| ground.examination.at(place)).sum(),
            shown: case.songs.iter().zip(logged).map(weighed).collect(),
            expected,
            slate: pool.iter().take(n).map(|song| song.0.0).collect(),
        }
    }
}
