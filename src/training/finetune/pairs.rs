//! What is learned from an answer: pairs of its songs, of which people liked one better, with weights.
//!
//! A like counts 1, a dislike -1, a followed listen link without a vote 0.25, nothing 0; several people's votes add up. Of
//! a pair with values `a > b` the weight is `min(a - b, 2)` times
//!
//! - `1 / exposure` of the song that was voted on (the winner, or the loser if only that was), exposure being what it could
//!   expect over all slates that chance could have made (policy-aware, Oosterhuis and de Rijke 2020), divided by its mean
//!   and cut to [1/5, 5];
//! - for a song without a vote the probability that it was looked at all the same, `e (1 - r) / (1 - e r)`: that nobody
//!   voted says little of a song that nobody saw.
//!
//! One person's votes count as many as they are up to `m`, as `sqrt(n m)` beyond, `m` being what the others give on average
//! (at least 10): who presses a thousand times is one person still.

use std::collections::BTreeMap;

use crate::evaluation::policy::cases::{Case, ShownSong};
use crate::evaluation::policy::examination::Examination;

/// Two songs of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Place among the answer's songs of the one that is liked better.
    pub winner: u8,
    /// Of the other.
    pub loser: u8,
    /// How much the pair counts.
    pub weight: f32,
}

/// How much inverse propensities are cut.
const CLIP: f64 = 5.0;

/// Value of a followed link, of a vote's difference at most, and votes that everybody has free.
const FOLLOWED: f64 = 0.25;
const MAX_DIFFERENCE: f64 = 2.0;
const FREE_VOTES: f64 = 10.0;

/// How much each person's votes count, by number, among these answers.
pub fn person_weights<'a>(cases: impl Iterator<Item = &'a Case>) -> BTreeMap<u32, f64> {
    let mut counts: BTreeMap<u32, f64> = BTreeMap::new();
    let votes = cases.flat_map(|case| &case.songs).flat_map(|song| &song.votes);
    votes.for_each(|&(person, _)| *counts.entry(person).or_default() += 1.0);
    let (n_people, total) = (counts.len() as f64, counts.values().sum::<f64>());
    let weight = |n: f64| {
        // Alone in a chat, a person is its whole taste.
        if n_people < 2.0 {
            return 1.0;
        }
        let fair = ((total - n) / (n_people - 1.0)).max(FREE_VOTES);
        (fair / n).sqrt().min(1.0)
    };
    counts.into_iter().map(|(person, n)| (person, weight(n))).collect()
}

/// How pairs of answers are weighted.
#[derive(Debug, Clone)]
pub struct Weighing<'a> {
    examination: &'a Examination,
    people: BTreeMap<u32, f64>,
    mean_exposure: f64,
    vote_rate: f64,
}

impl<'a> Weighing<'a> {
    /// For these answers.
    pub fn of(cases: &[&Case], examination: &'a Examination) -> Self {
        let (mut voted, mut n_voted, mut looked) = (0.0, 0.0, 0.0);
        for case in cases {
            looked += case.songs.iter().map(|song| examination.at(usize::from(song.place))).sum::<f64>();
            if case.has_votes() {
                let exposures = examination.exposures(case);
                let own = case.songs.iter().zip(exposures).filter(|(song, _)| !song.votes.is_empty());
                own.for_each(|(_, exposure)| (voted, n_voted) = (voted + exposure, n_voted + 1.0));
            }
        }
        Self {
            examination,
            people: person_weights(cases.iter().copied()),
            mean_exposure: if n_voted > 0.0 { voted / n_voted } else { 1.0 },
            vote_rate: (n_voted / looked.max(1.0)).clamp(0.0, 0.9),
        }
    }

    fn value(&self, song: &ShownSong) -> f64 {
        if song.votes.is_empty() {
            return if song.is_followed { FOLLOWED } else { 0.0 };
        }
        song.votes.iter().map(|(person, vote)| self.people.get(person).copied().unwrap_or(0.0) * f64::from(*vote)).sum()
    }

    /// The pairs of an answer.
    pub fn pairs(&self, case: &Case) -> Vec<Pair> {
        if !case.has_votes() && !case.songs.iter().any(|song| song.is_followed) {
            return Vec::new();
        }
        let exposures = self.examination.exposures(case);
        let inverse = |at: usize| (self.mean_exposure / exposures[at].max(1e-9)).clamp(1.0 / CLIP, CLIP);
        let seen = |at: usize| {
            let (e, r) = (self.examination.at(usize::from(case.songs[at].place)).min(1.0), self.vote_rate);
            e * (1.0 - r) / (1.0 - e * r)
        };
        let has_vote = |at: usize| !case.songs[at].votes.is_empty() || case.songs[at].is_followed;
        let values: Vec<f64> = case.songs.iter().map(|song| self.value(song)).collect();
        let mut pairs = Vec::new();
        for winner in 0..values.len() {
            for loser in 0..values.len() {
                let difference = (values[winner] - values[loser]).min(MAX_DIFFERENCE);
                if difference <= 1e-9 {
                    continue;
                }
                let weight = match (has_vote(winner), has_vote(loser)) {
                    (true, true) => inverse(winner),
                    (true, false) => inverse(winner) * seen(loser),
                    (false, _) => inverse(loser) * seen(winner),
                };
                let weight = (difference * weight) as f32;
                pairs.push(Pair { winner: winner as u8, loser: loser as u8, weight });
            }
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(votes: &[&[(u32, i8)]]) -> Case {
        let song = |(place, votes): (usize, &&[(u32, i8)])| ShownSong {
            song: place as u32,
            place: place as u8,
            in_pool: place as u8,
            votes: votes.to_vec(),
            is_followed: false,
        };
        let songs = votes.iter().enumerate().map(song).collect();
        Case { time_ms: 0, community: 0, asker: 0, tags: vec![(0, 1.0)], songs, draw: None }
    }

    #[test]
    fn liked_beats_not_voted_beats_disliked() {
        let case = case(&[&[], &[(1, 1)], &[(1, -1)]]);
        let examination = Examination { by_place: vec![1.0, 0.5, 0.25], n_votes: 2 };
        let weighing = Weighing::of(&[&case], &examination);
        let pairs = weighing.pairs(&case);
        let weight = |winner, loser| pairs.iter().find(|p| (p.winner, p.loser) == (winner, loser)).map(|p| p.weight);
        assert_eq!(pairs.len(), 3);
        // Mean exposure of voted songs 0.375: at place 1 a vote counts 0.75, at place 2 it counts 1.5.
        assert_eq!(weight(1, 2), Some(2.0 * 0.75));
        assert_eq!(weight(1, 0), Some(0.75), "the first place was looked at for certain");
        assert!((weight(0, 2).unwrap() - 1.5).abs() < 1e-6);
    }

    #[test]
    fn one_person_cannot_outshout_the_others() {
        let mut cases: Vec<Case> = (0..1000).map(|_| case(&[&[(7, 1)]])).collect();
        cases.extend((0..100).map(|person| case(&[&[(100 + person, 1)]])));
        let weights = person_weights(cases.iter());
        assert_eq!(weights[&100], 1.0);
        assert!((1000.0 * weights[&7] - 100.0).abs() < 1.0, "sqrt(1000 x 10): {}", 1000.0 * weights[&7]);
        let alone = person_weights(cases[..1000].iter());
        assert_eq!(alone[&7], 1.0, "alone, a person is the whole taste");
    }
}
