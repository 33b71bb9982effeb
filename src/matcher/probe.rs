//! Where a query lies in the joint space.

use std::collections::HashMap;
use std::sync::Arc;

/// The query's side: tags by weight, and where they lie in the joint space.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Tags that count, weights summing to 1.
    pub tags: Vec<(u16, f32)>,
    /// Worth of single terms that a hint names, by term.
    pub terms: HashMap<u32, f32>,
    /// `W_v v`, `[n_keys]`, then `w`, `[n_keys]`.
    pub attention: Vec<f32>,
    /// What a word's worth is multiplied by in the energies.
    pub worth: f32,
    /// The weighted mean of the tags' and the hint's vectors, `[n_vector]`.
    pub meaning: Vec<f32>,
    /// The photo's hidden layer, `[n_joint]`.
    pub hidden: Vec<f32>,
    /// The photo among lyric vectors, `[n_joint]`; of unit length unless a taste moved it.
    pub lyric: Vec<f32>,
    /// The photo among tag-free song vectors, `[n_joint]`; of unit length unless a taste moved it.
    pub song: Vec<f32>,
    /// What tastes add to each song's score, `[n_songs]` each.
    pub priors: Vec<Arc<Vec<f32>>>,
}
