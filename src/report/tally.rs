//! Sums over a group of answers, by bucket of the person who asked, and the numbers that they come to.

use std::collections::HashMap;

use super::facts::{AnswerFact, ShownFact};
use super::interval::{self, N_BUCKETS, Part};
use super::kpi::Kpis;
use crate::calendar::DAY_MS;

/// What is summed for each answer.
const ANSWERS: usize = 0;
const LIKES: usize = 1;
const DISLIKES: usize = 2;
const FOLLOWED: usize = 3;
const MORE: usize = 4;
const DELETED: usize = 5;
const UNSURE: usize = 6;
const N_SUMS: usize = 7;

/// Nobody has been shown a song yet, or people of several buckets have.
const NOBODY: u8 = u8::MAX;
const SEVERAL: u8 = u8::MAX - 1;

/// Sums over a group of answers.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    sums: Vec<[f64; N_SUMS]>,
    answer_ms: Vec<u32>,
    /// The first day of each person, and whether there was another.
    people: HashMap<u32, (u64, bool)>,
    /// By song: the bucket whose people alone were shown it.
    shown_to: Vec<u8>,
}

impl Tally {
    /// Nothing yet, for a catalogue of so many songs.
    pub(super) fn new(n_songs: usize) -> Self {
        Self {
            sums: vec![[0.0; N_SUMS]; N_BUCKETS],
            answer_ms: Vec::new(),
            people: HashMap::new(),
            shown_to: vec![NOBODY; n_songs],
        }
    }

    /// Takes an answer in.
    pub(super) fn add(&mut self, answer: &AnswerFact, songs: &[ShownFact]) {
        let sums = &mut self.sums[usize::from(answer.bucket)];
        sums[ANSWERS] += 1.0;
        sums[LIKES] += songs.iter().map(|song| f64::from(song.n_likes)).sum::<f64>();
        sums[DISLIKES] += songs.iter().map(|song| f64::from(song.n_dislikes)).sum::<f64>();
        sums[FOLLOWED] += f64::from(songs.iter().any(|song| song.is_followed));
        sums[MORE] += f64::from(answer.has_more);
        sums[DELETED] += f64::from(answer.is_deleted);
        sums[UNSURE] += f64::from(answer.is_unsure);
        self.answer_ms.push(answer.answer_ms);
        let day = answer.time.0 / DAY_MS;
        let (first, has_another) = self.people.entry(answer.person).or_insert((day, false));
        *has_another |= *first != day;
        for song in songs.iter().filter_map(|song| song.song) {
            let shown_to = &mut self.shown_to[song as usize];
            *shown_to = match *shown_to {
                NOBODY => answer.bucket,
                bucket if bucket == answer.bucket => bucket,
                _ => SEVERAL,
            };
        }
    }

    /// How many answers there are.
    pub(super) fn n_answers(&self) -> usize {
        self.answer_ms.len()
    }

    /// How many people asked.
    pub(super) fn n_people(&self) -> usize {
        self.people.len()
    }

    /// What it comes to. `counts_repeats` says whether the group can have people who came back: not if it is one day.
    pub(super) fn kpis(&mut self, counts_repeats: bool) -> Kpis {
        let parts = |sum: usize| -> Vec<Part> { self.sums.iter().map(|sums| (sums[sum], sums[ANSWERS])).collect() };
        let mut only_by = [0; N_BUCKETS];
        for bucket in self.shown_to.iter().filter(|bucket| usize::from(**bucket) < N_BUCKETS) {
            only_by[usize::from(*bucket)] += 1;
        }
        let n_shown = self.shown_to.iter().filter(|bucket| **bucket != NOBODY).count();
        let n_repeat = self.people.values().filter(|(_, has_another)| *has_another).count();
        let repeat = interval::share_of_persons(n_repeat, self.people.len());
        Kpis([
            interval::mean(&parts(LIKES)),
            interval::mean(&parts(DISLIKES)),
            interval::share(&parts(FOLLOWED)),
            interval::share(&parts(MORE)),
            interval::share(&parts(DELETED)),
            interval::share(&parts(UNSURE)),
            repeat.filter(|_| counts_repeats),
            interval::quantile(&mut self.answer_ms, 0.5),
            interval::quantile(&mut self.answer_ms, 0.95),
            interval::coverage(n_shown, &only_by, self.shown_to.len()).filter(|_| !self.answer_ms.is_empty()),
        ])
    }
}
