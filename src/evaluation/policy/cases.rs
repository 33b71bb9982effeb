//! Logged answers as far as they can be learned from, small enough for a hundred thousand of them.

use std::collections::HashMap;

use serde::Serialize;

use crate::catalogue::load::Catalogue;
use crate::feedback::event::{Level, Platform};
use crate::feedback::ids::{CommunityKey, UserKey};
use crate::feedback::log::Row;
use crate::feedback::opinion::Verdict;
use crate::matcher::draw::{Policy, placements};

/// A song of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownSong {
    /// Its number in the catalogue.
    pub song: u32,
    /// Its place in the slate, from 0.
    pub place: u8,
    /// Its place in the pool that the slate was drawn from; that in the slate where chance had no part.
    pub in_pool: u8,
    /// What people said of it: person, and 1 for a like or -1 for a dislike.
    pub votes: Vec<(u32, i8)>,
    /// Whether somebody followed a listen link.
    pub is_followed: bool,
}

impl ShownSong {
    /// Whether more people like than dislike it.
    pub fn is_liked(&self) -> bool {
        self.votes.iter().map(|vote| i32::from(vote.1)).sum::<i32>() > 0
    }
}

/// Chance's part in an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// How it was drawn.
    pub policy: Policy,
    /// Scores of the pool, best first.
    pub pool: Vec<f32>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Milliseconds since 1970.
    pub time_ms: u64,
    /// Place in [`Cases::communities`].
    pub community: u32,
    /// Who asked; numbers of people are places in no list that leaves the program.
    pub asker: u32,
    /// Tags of the photos with their probabilities.
    pub tags: Vec<(u16, f32)>,
    /// The songs, in order.
    pub songs: Vec<ShownSong>,
    /// `None` if chance had no part.
    pub draw: Option<Draw>,
}

impl Case {
    /// Songs that were shown, those included that the catalogue lacks by now.
    pub fn n_places(&self) -> usize {
        self.songs.last().map_or(0, |song| usize::from(song.place) + 1)
    }

    /// Chance of each shown song to stand at each place, `[n_songs, n_places]`.
    pub fn chances(&self) -> Vec<f64> {
        let n = self.n_places();
        let mut chances = vec![0.0; self.songs.len() * n];
        let table = self.draw.as_ref().map(|draw| placements(&draw.pool, n, draw.policy));
        for (row, song) in chances.chunks_mut(n.max(1)).zip(&self.songs) {
            match &table {
                Some(table) => row.copy_from_slice(&table[usize::from(song.in_pool) * n..][..n]),
                None => row[usize::from(song.place)] = 1.0,
            }
        }
        chances
    }

    /// Tag probabilities, `[n_tags]`.
    pub fn probs(&self, n_tags: usize) -> Vec<f32> {
        let mut probs = vec![0.0; n_tags];
        let inside = self.tags.iter().filter(|(tag, _)| usize::from(*tag) < n_tags);
        inside.for_each(|&(tag, prob)| probs[usize::from(tag)] = prob);
        probs
    }

    /// Whether somebody liked or disliked one of its songs.
    pub fn has_votes(&self) -> bool {
        self.songs.iter().any(|song| !song.votes.is_empty())
    }
}

/// What was left out, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LeftOut {
    /// Answers that training may not use: Discord without permission, or not opted in.
    pub n_not_permitted: usize,
    /// Answers without tags or with no song that the catalogue has.
    pub n_unusable: usize,
    /// Answers of other communities than those asked for.
    pub n_elsewhere: usize,
}

/// Usable answers in the order of their times.
#[derive(Debug, Clone, Default)]
pub struct Cases {
    /// The answers.
    pub cases: Vec<Case>,
    /// Communities by number.
    pub communities: Vec<CommunityKey>,
    /// People who asked or voted.
    pub n_people: usize,
    /// What was left out.
    pub left_out: LeftOut,
}

/// What may be used of a log.
#[derive(Debug, Clone, Default)]
pub struct Use {
    /// Only these communities; all if empty.
    pub communities: Vec<CommunityKey>,
    /// Discord's permission is held, so that what came from there may be used whatever was held when it was stored.
    pub includes_discord: bool,
}

impl Cases {
    /// The usable answers among these rows; votes are what holds after all retractions.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>, catalogue: &Catalogue, which: &Use) -> Self {
        let mut cases = Self::default();
        let (mut people, mut communities) = (HashMap::new(), HashMap::new());
        let mut chosen: Vec<&Row> = Vec::new();
        for row in rows {
            let answer = &row.impression;
            let is_discord = answer.platform == Platform::Discord;
            if answer.level != Level::Training || !(answer.may_train || (is_discord && which.includes_discord)) {
                cases.left_out.n_not_permitted += 1;
            } else if !which.communities.is_empty() && !which.communities.contains(&answer.community) {
                cases.left_out.n_elsewhere += 1;
            } else {
                chosen.push(row);
            }
        }
        // By time, then by id: neither the order of the sources nor of a hash has a say.
        chosen.sort_by_key(|row| (row.impression.time, row.impression.id));
        for row in chosen {
            let mut person = |key: UserKey| {
                let next = people.len() as u32;
                *people.entry(key).or_insert(next)
            };
            let community = *communities.entry(row.impression.community).or_insert_with(|| {
                cases.communities.push(row.impression.community);
                cases.communities.len() as u32 - 1
            });
            match case(row, catalogue, community, &mut person) {
                Some(case) => cases.cases.push(case),
                None => cases.left_out.n_unusable += 1,
            }
        }
        cases.n_people = people.len();
        cases
    }

    /// Likes and dislikes.
    pub fn n_votes(&self) -> (usize, usize) {
        let votes = || self.cases.iter().flat_map(|case| &case.songs).flat_map(|song| &song.votes);
        (votes().filter(|vote| vote.1 > 0).count(), votes().filter(|vote| vote.1 < 0).count())
    }

    /// The earlier answers and the later ones: `share` of all from the end.
    pub fn split(&self, share: f64) -> (&[Case], &[Case]) {
        let at = ((1.0 - share) * self.cases.len() as f64).round() as usize;
        self.cases.split_at(at.min(self.cases.len()))
    }
}

fn case(row: &Row, catalogue: &Catalogue, community: u32, person: &mut impl FnMut(UserKey) -> u32) -> Option<Case> {
    let answer = &row.impression;
    let n_places = answer.slate.len();
    // A lottery that does not fit its slate says nothing.
    let lottery = answer.lottery.as_ref().filter(|lottery| {
        lottery.places.len() == n_places
            && lottery.places.iter().all(|&place| usize::from(place) < lottery.pool.len())
            && lottery.pool.iter().all(|score| score.is_finite())
    });
    let mut songs = Vec::with_capacity(n_places);
    for (idx, shown) in answer.slate.iter().enumerate() {
        let Some(song) = catalogue.by_id(&shown.song_id) else { continue };
        let place = idx as u8;
        let in_pool = lottery.map_or(place, |lottery| lottery.places[idx]);
        songs.push(ShownSong { song: song.0, place, in_pool, votes: Vec::new(), is_followed: false });
    }
    for ((position, user), state) in &row.state.songs {
        // Places of events count from 0 in the slate.
        let Some(song) = songs.iter_mut().find(|song| song.place == *position) else { continue };
        song.is_followed |= !state.links.is_empty();
        match state.opinion.verdict() {
            Some(Verdict::Up) => song.votes.push((person(*user), 1)),
            Some(Verdict::Down) => song.votes.push((person(*user), -1)),
            None => {}
        }
    }
    let tags: Vec<(u16, f32)> = answer
        .tags
        .iter()
        .filter(|tag| tag.prob.is_finite() && (0.0..=1.0).contains(&tag.prob))
        .filter_map(|tag| Some((u16::try_from(tag.tag).ok()?, tag.prob)))
        .collect();
    if songs.is_empty() || tags.is_empty() {
        return None;
    }
    let draw = lottery.map(|lottery| Draw {
        policy: Policy { temperature: lottery.temperature, protects_first: lottery.protects_first },
        pool: lottery.pool.clone(),
    });
    let asker = person(answer.user);
    Some(Case { time_ms: answer.time.0, community, asker, tags, songs, draw })
}
