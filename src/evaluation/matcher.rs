//! How well songs are matched with photos: every way on the same photos, in both directions, with intervals.

use rayon::prelude::*;
use serde::Serialize;

use super::bench::{Figures, PhotoCase, Scorer, measure_scores};
use super::bootstrap::mean;
use crate::matcher::ranker::Ranker;
use crate::matcher::shortlist::highest;

/// One way with its figures.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The way.
    pub name: String,
    /// A photo asks for songs.
    pub image2song: Figures,
    /// A song asks for photos.
    pub song2image: Figures,
    /// A photo asks for songs of artists that training has not seen, and only those are ranked.
    pub unseen: Option<Figures>,
}

/// What a shortlist loses against attention over all songs.
#[derive(Debug, Clone, Serialize)]
pub struct ShortlistRow {
    /// Songs that are read with attention.
    pub n: usize,
    /// Mean nDCG@10 against the grades.
    pub ndcg10: f64,
    /// Mean share of the ten best songs that attention over all songs finds too.
    pub overlap10: f64,
}

/// A trained network as a way to score songs.
#[derive(Debug)]
pub struct Trained<'a> {
    /// Name of the row.
    pub name: String,
    /// The network and its songs.
    pub ranker: &'a Ranker,
    /// Songs that are read with attention.
    pub n_shortlist: usize,
}

/// Puts the songs of the shortlist before all others.
const AHEAD: f32 = 1e4;

impl Scorer for Trained<'_> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn scores(&self, probs: &[f32]) -> Vec<f32> {
        let probe = self.ranker.probe(probs);
        let mut scores = self.ranker.shortlist.scores(&self.ranker.network, &self.ranker.songs, &probe);
        for (song, score) in self.ranker.rank(&probe, self.n_shortlist, |_| true) {
            scores[song as usize] = score + AHEAD;
        }
        scores
    }

    fn pair_scores(&self, photos: &[&[f32]], songs: &[u32]) -> Vec<f32> {
        let probes: Vec<_> = photos.iter().map(|probs| self.ranker.probe(probs)).collect();
        let by_song = self.ranker.score_all(&probes, songs);
        let mut scores = Vec::with_capacity(by_song.len());
        for photo in 0..photos.len() {
            scores.extend((0..songs.len()).map(|song| by_song[song * photos.len() + photo]));
        }
        scores
    }
}

/// Songs that ask for photos, at most.
const N_SONG_QUERIES: usize = 1000;

/// Puts one way to the photos. `is_unseen` tells the songs whose artists training has not seen, if there are any.
pub fn judge(scorer: &dyn Scorer, photos: &[PhotoCase], is_unseen: Option<&[bool]>) -> Row {
    let by_photo = |photo: &PhotoCase| {
        let scores = scorer.scores(&photo.probs);
        let all = measure_scores(&scores, &photo.graded, |_| true);
        let unseen = is_unseen.and_then(|is_unseen| measure_scores(&scores, &photo.graded, |s| is_unseen[s as usize]));
        (all, unseen)
    };
    let measured: Vec<_> = photos.par_iter().map(by_photo).collect();
    let all: Vec<_> = measured.iter().filter_map(|m| m.0).collect();
    let unseen: Vec<_> = measured.iter().filter_map(|m| m.1).collect();
    Row {
        name: scorer.name(),
        image2song: Figures::of(&all),
        song2image: song2image(scorer, photos),
        unseen: is_unseen.map(|_| Figures::of(&unseen)),
    }
}

fn song2image(scorer: &dyn Scorer, photos: &[PhotoCase]) -> Figures {
    let mut songs: Vec<u32> = photos.iter().flat_map(|p| p.graded.iter().map(|g| g.0)).collect();
    songs.sort_unstable();
    songs.dedup();
    let stride = songs.len().div_ceil(N_SONG_QUERIES).max(1);
    let songs: Vec<u32> = songs.into_iter().step_by(stride).collect();
    let parts: Vec<Vec<f32>> = photos
        .par_chunks(64)
        .map(|part| scorer.pair_scores(&part.iter().map(|p| p.probs.as_slice()).collect::<Vec<_>>(), &songs))
        .collect();
    let scores: Vec<f32> = parts.concat();
    let by_song = |(place, &song): (usize, &u32)| {
        let column: Vec<f32> = (0..photos.len()).map(|p| scores[p * songs.len() + place]).collect();
        let gain = |p: &PhotoCase| p.graded.iter().find(|g| g.0 == song).map(|g| g.1);
        let graded: Vec<(u32, f32)> =
            photos.iter().enumerate().filter_map(|(i, p)| gain(p).map(|g| (i as u32, g))).collect();
        measure_scores(&column, &graded, |_| true)
    };
    let measures: Vec<_> = songs.iter().enumerate().filter_map(by_song).collect();
    Figures::of(&measures)
}

/// What shortlists of these sizes lose, on these photos.
pub fn shortlists(ranker: &Ranker, photos: &[PhotoCase], sizes: &[usize]) -> Vec<ShortlistRow> {
    let songs: Vec<u32> = (0..ranker.songs.len() as u32).collect();
    let probes: Vec<_> = photos.iter().map(|p| ranker.probe(&p.probs)).collect();
    let full = ranker.score_all(&probes, &songs);
    let column = |photo: usize| (0..songs.len()).map(|s| full[s * photos.len() + photo]).collect::<Vec<f32>>();
    let columns: Vec<Vec<f32>> = (0..photos.len()).map(column).collect();
    let quick: Vec<Vec<f32>> =
        probes.iter().map(|probe| ranker.shortlist.scores(&ranker.network, &ranker.songs, probe)).collect();
    let row = |&n: &usize| {
        let (mut ndcg, mut overlap) = (Vec::new(), Vec::new());
        for ((photo, full), quick) in photos.iter().zip(&columns).zip(&quick) {
            let best = highest(full, 10, |_| true);
            let mut scores = vec![f32::NEG_INFINITY; full.len()];
            highest(quick, n, |_| true).into_iter().for_each(|s| scores[s as usize] = full[s as usize]);
            let found = highest(&scores, 10, |_| true);
            overlap.push(found.iter().filter(|s| best.contains(s)).count() as f64 / 10.0);
            ndcg.extend(measure_scores(&scores, &photo.graded, |_| true).map(|m| m.ndcg10));
        }
        ShortlistRow { n, ndcg10: mean(&ndcg), overlap10: mean(&overlap) }
    };
    sizes.iter().map(row).collect()
}

/// The rows as a table for people.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let groups: [(&str, Pick); 3] = [
        ("a photo asks for songs", |row| Some(&row.image2song)),
        ("a song asks for photos", |row| Some(&row.song2image)),
        ("a photo asks for songs of unseen artists", |row| row.unseen.as_ref()),
    ];
    for (title, pick) in groups {
        let lines: Vec<String> = rows.iter().filter_map(|row| pick(row).map(|f| line(&row.name, f))).collect();
        if lines.is_empty() {
            continue;
        }
        text.push_str(&format!(
            "{title:<42} {:>19} {:>6} {:>6} {:>6} {:>8} {:>6}\n{}",
            "nDCG@10 (95 %)",
            "R@1",
            "R@5",
            "R@10",
            "Med r",
            "MRR",
            lines.concat()
        ));
    }
    text
}

type Pick = fn(&Row) -> Option<&Figures>;

fn line(name: &str, f: &Figures) -> String {
    let ndcg = format!("{:.3} ({:.3}-{:.3})", f.ndcg10.value, f.ndcg10.low, f.ndcg10.high);
    format!(
        "  {name:<40} {ndcg:>19} {:>6.3} {:>6.3} {:>6.3} {:>8.1} {:>6.3}\n",
        f.recall1.value, f.recall5.value, f.recall10.value, f.median_rank.value, f.mrr.value
    )
}
