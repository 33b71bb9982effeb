//! The rows of a log, reduced to what a report needs: some 50 bytes an answer and 8 a shown song, so that everything
//! after it can go over them many times.

use std::collections::HashMap;
use std::ops::Range;

use rayon::prelude::*;

use super::facets::Facets;
use super::interval::N_BUCKETS;
use crate::feedback::archive::Archive;
use crate::feedback::event::{Platform, UnixMs};
use crate::feedback::ids::UserKey;
use crate::feedback::log::Row;
use crate::feedback::opinion::Verdict;

/// A song that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownFact {
    /// Its number in the catalogue; `None` if that has it no longer.
    pub song: Option<u32>,
    /// Its place in the answer, from 0.
    pub position: u8,
    /// People who like it here.
    pub n_likes: u8,
    /// People who dislike it here.
    pub n_dislikes: u8,
    /// Whether a listen link of it was followed.
    pub is_followed: bool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerFact {
    /// When the question came in.
    pub time: UnixMs,
    /// Number of the one who asked.
    pub person: u32,
    /// Bucket of the one who asked.
    pub bucket: u8,
    /// Number of the model's version.
    pub model: u32,
    /// Number of the community.
    pub community: u32,
    /// Number of the language.
    pub language: u32,
    /// Where it was asked.
    pub platform: Platform,
    /// From question to answer.
    pub answer_ms: u32,
    /// Whether more was asked for.
    pub has_more: bool,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// Whether it called itself unsure.
    pub is_unsure: bool,
    /// Its songs in [`Facts::shown`].
    pub songs: Range<usize>,
}

/// What a log says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Answers in the order of their ids.
    pub answers: Vec<AnswerFact>,
    /// Songs of all answers.
    pub shown: Vec<ShownFact>,
    /// Versions of models by number.
    pub models: Vec<String>,
    /// The first characters of the communities' keys by number.
    pub communities: Vec<String>,
    /// Languages by number.
    pub languages: Vec<String>,
    /// People who asked.
    pub n_people: usize,
}

/// An answer before its names have numbers.
struct Raw {
    answer: AnswerFact,
    user: UserKey,
    model: String,
    community: String,
    language: String,
    shown: Vec<ShownFact>,
}

impl Facts {
    /// The answers of an archive whose question came in within `times`.
    pub fn of(archive: &Archive, facets: &Facets, times: &Range<UnixMs>) -> Self {
        let raw = (0..archive.len()).into_par_iter().filter_map(|idx| {
            let row = archive.row(idx);
            times.contains(&row.impression.time).then(|| raw(row, facets))
        });
        Self::numbered(raw.collect())
    }

    fn numbered(rows: Vec<Raw>) -> Self {
        let mut facts = Self::default();
        let (mut models, mut communities) = (Numbers::default(), Numbers::default());
        let mut languages = Numbers::default();
        let mut people: HashMap<UserKey, u32> = HashMap::new();
        for Raw { mut answer, user, model, community, language, shown } in rows {
            let n_people = people.len() as u32;
            answer.person = *people.entry(user).or_insert(n_people);
            answer.model = models.of(model);
            answer.community = communities.of(community);
            answer.language = languages.of(language);
            answer.songs = facts.shown.len()..facts.shown.len() + shown.len();
            facts.shown.extend(shown);
            facts.answers.push(answer);
        }
        facts.n_people = people.len();
        (facts.models, facts.communities, facts.languages) = (models.names, communities.names, languages.names);
        facts
    }
}

/// Names by number, in the order of their first use.
#[derive(Default)]
struct Numbers {
    names: Vec<String>,
    known: HashMap<String, u32>,
}

impl Numbers {
    fn of(&mut self, name: String) -> u32 {
        if let Some(number) = self.known.get(&name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.clone());
        self.known.insert(name, number);
        number
    }
}

fn raw(row: Row, facets: &Facets) -> Raw {
    let impression = row.impression;
    let mut shown: Vec<ShownFact> = impression
        .slate
        .iter()
        .map(|shown| {
            let song = facets.song(&shown.song_id);
            ShownFact { song, position: shown.position, n_likes: 0, n_dislikes: 0, is_followed: false }
        })
        .collect();
    for ((position, _), state) in &row.state.songs {
        // A press on a place that the answer does not have says nothing.
        let Some(fact) = shown.iter_mut().find(|fact| fact.position == *position) else { continue };
        match state.opinion.verdict() {
            Some(Verdict::Up) => fact.n_likes = fact.n_likes.saturating_add(1),
            Some(Verdict::Down) => fact.n_dislikes = fact.n_dislikes.saturating_add(1),
            None => {}
        }
        fact.is_followed |= !state.links.is_empty();
    }
    let answer = AnswerFact {
        time: impression.time,
        person: 0,
        bucket: bucket(impression.user),
        model: 0,
        community: 0,
        language: 0,
        platform: impression.platform,
        answer_ms: impression.answer_ms,
        has_more: row.state.n_more > 0,
        is_deleted: row.state.is_deleted,
        is_unsure: !impression.is_sure,
        songs: 0..0,
    };
    // Enough to tell the communities of a report apart, too little to be used as their key.
    let community = impression.community.to_text()[..8].to_owned();
    let (model, language, user) = (impression.model_version, impression.language, impression.user);
    Raw { answer, user, model, community, language, shown }
}

/// The bucket of a person: a function of the key alone, so that it is the same in every report.
fn bucket(user: UserKey) -> u8 {
    let hash = user
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    ((hash ^ (hash >> 32)) % N_BUCKETS as u64) as u8
}
