//! Exposure held against the catalogue and against likes.

use std::collections::BTreeMap;

use super::build::{Bias, BiasRow};
use super::facets::Facet;
use super::facts::{AnswerFact, Facts};
use super::interval::{self, N_BUCKETS, Part};
use super::kpi::rounded;

/// Label of what is left out of a table.
pub(super) const OTHERS: &str = "all others";

/// Sums of a label, by bucket of the person who asked: times shown, likes.
#[derive(Clone)]
struct Sums {
    shown: [f64; N_BUCKETS],
    likes: [f64; N_BUCKETS],
}

const NOTHING: Sums = Sums { shown: [0.0; N_BUCKETS], likes: [0.0; N_BUCKETS] };

impl Sums {
    fn add(&mut self, other: &Self) {
        self.shown.iter_mut().zip(other.shown).for_each(|(sum, more)| *sum += more);
        self.likes.iter_mut().zip(other.likes).for_each(|(sum, more)| *sum += more);
    }
}

/// How the songs of these answers are divided, at most `max_rows` labels by how often they were shown, the others in a
/// row of their own.
pub(super) fn bias<'a>(
    facet: &Facet,
    facts: &Facts,
    answers: impl Iterator<Item = &'a AnswerFact>,
    max_rows: usize,
) -> Bias {
    let n_labels = facet.labels.len();
    let mut sums = vec![NOTHING; n_labels];
    for answer in answers {
        let bucket = usize::from(answer.bucket);
        for shown in &facts.shown[answer.songs.clone()] {
            let Some(song) = shown.song else { continue };
            let labels = &facet.of_song[song as usize];
            for label in labels {
                let sums = &mut sums[*label as usize];
                sums.shown[bucket] += 1.0 / labels.len() as f64;
                sums.likes[bucket] += f64::from(shown.n_likes) / labels.len() as f64;
            }
        }
    }
    let mut n_songs = vec![0.0; n_labels];
    for labels in &facet.of_song {
        labels.iter().for_each(|label| n_songs[*label as usize] += 1.0 / labels.len() as f64);
    }
    let mut total = NOTHING;
    sums.iter().for_each(|sums| total.add(sums));
    let row = |label: &str, n_songs: f64, sums: &Sums| {
        let of = |own: &[f64; N_BUCKETS], all: &[f64; N_BUCKETS]| -> Vec<Part> {
            own.iter().copied().zip(all.iter().copied()).collect()
        };
        let catalogue = n_songs / facet.of_song.len().max(1) as f64;
        BiasRow {
            label: label.to_owned(),
            catalogue: (catalogue * 1e4).round() / 1e4,
            shown: interval::share(&of(&sums.shown, &total.shown)).map(rounded),
            likes: interval::share(&of(&sums.likes, &total.likes)).map(rounded),
            likes_per_shown: interval::mean(&of(&sums.likes, &sums.shown)).map(rounded),
        }
    };
    let amount = |label: &usize| sums[*label].shown.iter().sum::<f64>();
    let mut order: Vec<usize> = (0..n_labels).collect();
    order.sort_by(|a, b| {
        let by_shown = amount(b).total_cmp(&amount(a));
        by_shown.then(n_songs[*b].total_cmp(&n_songs[*a])).then_with(|| facet.labels[*a].cmp(&facet.labels[*b]))
    });
    let n_rows = if n_labels <= max_rows { n_labels } else { max_rows - 1 };
    let (first, rest) = order.split_at(n_rows);
    let mut rows: Vec<BiasRow> =
        first.iter().map(|label| row(&facet.labels[*label], n_songs[*label], &sums[*label])).collect();
    if !rest.is_empty() {
        let (mut others, mut n_others) = (NOTHING, 0.0);
        rest.iter().for_each(|label| {
            others.add(&sums[*label]);
            n_others += n_songs[*label];
        });
        rows.push(row(OTHERS, n_others, &others));
    }
    Bias { facet: facet.name, n_labels, rows }
}

/// Share of the songs shown that the labels shown most often have together; `None` if nothing was shown.
pub(super) fn top_share(facet: &Facet, facts: &Facts, answers: &[&AnswerFact], n_top: usize) -> Option<f64> {
    let mut amounts: BTreeMap<u32, f64> = BTreeMap::new();
    for shown in answers.iter().flat_map(|answer| &facts.shown[answer.songs.clone()]) {
        for label in shown.song.iter().flat_map(|song| &facet.of_song[*song as usize]) {
            *amounts.entry(*label).or_default() += 1.0;
        }
    }
    let mut amounts: Vec<f64> = amounts.into_values().collect();
    amounts.sort_by(|a, b| b.total_cmp(a));
    let total: f64 = amounts.iter().sum();
    (total > 0.0).then(|| amounts.iter().take(n_top).sum::<f64>() / total)
}
