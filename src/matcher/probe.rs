//! Where a query lies in the joint space.

use std::collections::HashMap;

/// The query's side: tags by weight, and where they lie in the joint space.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Tags that count, weights summing to 1.
    pub tags: Vec<(u16, f32)>,
    /// Worth of single terms that a hint names, by term.
    pub terms: HashMap<u32, f32>,
    /// `W_v v`, `[n_keys]`, then `w`, `[n_keys]`.
    pub attention: Vec<f32>,
    /// The photo among lyric vectors, unit length, `[n_joint]`.
    pub lyric: Vec<f32>,
    /// The photo among tag-free song vectors, unit length, `[n_joint]`.
    pub song: Vec<f32>,
}
