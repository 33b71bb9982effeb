//! From the examples of all tags of an add-on to its head: each tag against the other tags' examples, its counterexamples
//! and the background.

use rayon::prelude::*;

use super::background::Background;
use super::fit::Sample;
use super::judge::{Figures, Judged, judged};
use crate::tagger::head::Head;

/// Least examples of a tag.
pub const MIN_EXAMPLES: usize = 3;

/// A photo that was given for one or more tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Digest of its file: the same photo is one example, whatever its name.
    pub sha256: String,
    /// Tags that it shows.
    pub shows: Vec<String>,
    /// Tags that it was named as a counterexample of.
    pub shows_not: Vec<String>,
    /// Features of its regions, `[n_regions, n_features]`.
    pub features: Vec<f32>,
}

/// The head of these tags, with the figures of each; every tag is learned by itself, so that their order does not matter.
///
/// # Panics
/// If a tag has fewer than [`MIN_EXAMPLES`] examples, or there is no tag.
pub fn learned(tags: &[&str], examples: &[Example], background: &Background, sharpness: f32) -> (Head, Vec<Figures>) {
    let crowd = background.photos();
    let reduced: Vec<Vec<f32>> = examples.par_iter().map(|example| background.reduced(&example.features)).collect();
    let learn = |tag: &&str| {
        let has = |tags: &[String]| tags.iter().any(|known| known == *tag);
        let of_examples = examples.iter().zip(&reduced);
        let mut samples: Vec<Sample<'_>> =
            of_examples.map(|(example, rows)| Sample { rows, shows: has(&example.shows) }).collect();
        samples.extend(crowd.iter().map(|rows| Sample { rows, shows: false }));
        let n_counterexamples = examples.iter().filter(|example| has(&example.shows_not)).count();
        judged(&samples, n_counterexamples, background.n_dims, sharpness)
    };
    let all: Vec<Judged> = tags.par_iter().map(learn).collect();
    let (mut weights, mut bias) = (Vec::new(), Vec::new());
    for Judged { direction, .. } in &all {
        let (own, shift) = background.lifted(&direction.weights, direction.bias);
        weights.extend(own);
        bias.push(shift);
    }
    let head =
        Head::new(background.n_features(), weights, bias).expect("the numbers fit, and descent keeps them finite");
    (head, all.into_iter().map(|judged| judged.figures).collect())
}
