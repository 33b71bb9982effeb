//! How likely a song is liked where it is looked at: a logistic regression on what is known of it and how well it fits the
//! photo without attention, fitted under the position-based model. Only the doubly robust estimate uses it; the more it is
//! right, the narrower that is.

use super::cases::Case;
use super::examination::Examination;
use crate::matcher::facts::Facts;
use crate::matcher::suggest::Matcher;

/// The regression.
#[derive(Debug, Clone, PartialEq)]
pub struct LikeModel {
    intercept: f64,
    score: f64,
    popularity: f64,
    marks: Vec<f64>,
    /// Mean and spread of the scores that it was fitted to.
    scale: (f64, f64),
}

/// A shown song that the model is fitted to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Its number.
    pub song: u32,
    /// Its score without attention and without a taste.
    pub score: f32,
    /// Examination of its place.
    pub looked: f64,
    /// Whether it was liked.
    pub is_liked: bool,
}

/// Steps of the fit and their size; more change the likelihood by less than 0.1 %.
const N_STEPS: usize = 150;
const RATE: f64 = 0.08;
/// Likes that the belief "no effect" is worth, for each coefficient.
const RIDGE: f64 = 4.0;

impl LikeModel {
    /// Fitted to these looks.
    pub fn fit(looks: &[Look], facts: &Facts) -> Self {
        let n = looks.len().max(1) as f64;
        let mean = looks.iter().map(|look| f64::from(look.score)).sum::<f64>() / n;
        let spread = looks.iter().map(|look| (f64::from(look.score) - mean).powi(2)).sum::<f64>() / n;
        let scale = (mean, spread.sqrt().max(1e-6));
        let likes = looks.iter().filter(|look| look.is_liked).count() as f64;
        let looked: f64 = looks.iter().map(|look| look.looked).sum();
        let rate = ((likes + 0.5) / (looked + 10.0)).clamp(1e-4, 0.9);
        let mut model = Self {
            intercept: (rate / (1.0 - rate)).ln(),
            score: 0.0,
            popularity: 0.0,
            marks: vec![0.0; facts.names().len()],
            scale,
        };
        // Adam over the three numbers and the marks, side by side.
        let n_all = 3 + model.marks.len();
        let (mut first, mut second) = (vec![0.0; n_all], vec![0.0; n_all]);
        for step in 1..=N_STEPS as i32 {
            let gradient = model.gradient(looks, facts);
            for k in 0..n_all {
                first[k] = 0.9 * first[k] + 0.1 * gradient[k];
                second[k] = 0.99 * second[k] + 0.01 * gradient[k] * gradient[k];
                let (m, v) = (first[k] / (1.0 - 0.9f64.powi(step)), second[k] / (1.0 - 0.99f64.powi(step)));
                *model.coefficient(k) += RATE * m / (v.sqrt() + 1e-9);
            }
        }
        model
    }

    fn coefficient(&mut self, k: usize) -> &mut f64 {
        match k {
            0 => &mut self.intercept,
            1 => &mut self.score,
            2 => &mut self.popularity,
            k => &mut self.marks[k - 3],
        }
    }

    /// Of the log-likelihood, ridge included; intercept, score, popularity, marks.
    fn gradient(&self, looks: &[Look], facts: &Facts) -> Vec<f64> {
        let mut gradient = vec![0.0; 3 + self.marks.len()];
        for look in looks {
            let rate = self.rate(look.song, look.score, facts);
            let p = (look.looked * rate).clamp(1e-9, 1.0 - 1e-9);
            let like = f64::from(u8::from(look.is_liked));
            let pull = (like - p) / (p * (1.0 - p)) * look.looked * rate * (1.0 - rate);
            gradient[0] += pull;
            gradient[1] += pull * (f64::from(look.score) - self.scale.0) / self.scale.1;
            gradient[2] += pull * f64::from(facts.popularity(look.song));
            facts.marks(look.song).iter().for_each(|&mark| gradient[3 + usize::from(mark)] += pull);
        }
        gradient[1] -= RIDGE * self.score;
        gradient[2] -= RIDGE * self.popularity;
        gradient[3..].iter_mut().zip(&self.marks).for_each(|(g, w)| *g -= RIDGE * w);
        gradient
    }

    /// Probability of a like where the song is looked at.
    pub fn rate(&self, song: u32, score: f32, facts: &Facts) -> f64 {
        let marks: f64 = facts.marks(song).iter().map(|&mark| self.marks[usize::from(mark)]).sum();
        let score = (f64::from(score) - self.scale.0) / self.scale.1;
        let x = self.intercept + self.score * score + self.popularity * f64::from(facts.popularity(song)) + marks;
        1.0 / (1.0 + (-x).exp())
    }
}

/// The looks of answers, with scores by the matcher without attention and without a taste.
pub fn looks(cases: &[Case], matcher: &Matcher, examination: &Examination) -> Vec<Look> {
    use rayon::prelude::*;
    let n_tags = matcher.ranker().network.weights.sizes.n_tags;
    let of = |case: &Case| {
        let probe = matcher.ranker().probe(&case.probs(n_tags));
        let ranker = matcher.ranker();
        let scores = ranker.shortlist.scores(&ranker.network, &ranker.songs, &probe);
        let look = |song: &super::cases::ShownSong| Look {
            song: song.song,
            score: scores[song.song as usize],
            looked: examination.at(usize::from(song.place)),
            is_liked: song.is_liked(),
        };
        case.songs.iter().map(look).collect::<Vec<Look>>()
    };
    cases.par_iter().map(of).collect::<Vec<_>>().concat()
}
